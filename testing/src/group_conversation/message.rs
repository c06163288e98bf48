//! Messages to the group, forgeries made from them, and the expected result of a member.

use moceril::megolm::DecryptionError;

use super::event::{DISTANCES, How};
use crate::naive::codec::{self, GroupMessage};
use crate::naive::crypto::{mac_length, sign};
use crate::naive::megolm::{NaiveGroupError, NaiveInboundGroupSession};
use crate::rng::SeededRng;

/// What became of a received message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Plaintext { plaintext: Vec<u8>, index: u32 },
    Malformed,
    Refused(DecryptionError),
}

/// What a member who knows as much as the textbook session has to answer.
pub fn expected(textbook: &NaiveInboundGroupSession, bytes: &[u8]) -> Outcome {
    let Some(message) = codec::decode_group(bytes).filter(|message| !has_odd_field(message)) else {
        return Outcome::Malformed;
    };
    let refusal = match textbook.decrypt(bytes) {
        Ok((plaintext, index)) => return Outcome::Plaintext { plaintext, index },
        Err(NaiveGroupError::Format) => DecryptionError::VersionMismatch,
        Err(NaiveGroupError::UnknownIndex) => DecryptionError::UnknownIndex {
            index: message.message_index,
            first_known: textbook.index,
        },
        Err(NaiveGroupError::BadSignature | NaiveGroupError::BadMac) => {
            DecryptionError::Authentication
        }
    };
    Outcome::Refused(refusal)
}

/// S-07: a field of the format with the wrong type, or the field number 0. The textbook decoder
/// takes them for unknown fields.
fn has_odd_field(message: &GroupMessage) -> bool {
    let fields = codec::decode_fields(&message.authenticated[1..]).expect("it was decoded before");
    fields.iter().any(|(tag, _)| tag >> 3 <= 2 && ![0x08, 0x12].contains(tag))
}

/// A message made from the genuine `bytes`; `other` is another genuine one.
pub fn forge(bytes: &[u8], how: How, other: &[u8], signing_seed: &[u8; 32]) -> Vec<u8> {
    let message = codec::decode_group(bytes).expect("a genuine message");
    let GroupMessage { version, message_index, ciphertext, authenticated, mac, .. } = message;
    let mut bytes = bytes.to_vec();
    let signed = match how {
        How::FlipBit(number) => {
            let place = usize::from(number) / 8 % bytes.len();
            bytes[place] ^= 1 << (number % 8);
            return bytes;
        }
        How::Truncate(number) => {
            bytes.truncate(usize::from(number) % bytes.len());
            return bytes;
        }
        How::Extend(number) => {
            let mut rng = SeededRng::new(number.into());
            let count = 1 + rng.below(40);
            bytes.extend((0..count).map(|_| rng.byte()));
            return bytes;
        }
        How::OtherSigner => {
            let signed = [authenticated, mac].concat();
            let signature = sign(&[0x42; 32], &signed);
            return [signed, signature.to_vec()].concat();
        }
        How::Mac => {
            let other_mac = mac.iter().map(|byte| !byte).collect();
            [authenticated, other_mac].concat()
        }
        How::Index(number) => {
            let index = other_index(message_index, number);
            [codec::encode_group(version, index, &ciphertext), mac].concat()
        }
        How::SwapBodies(_) => {
            let other = codec::decode_group(other).expect("a genuine message");
            [codec::encode_group(version, message_index, &other.ciphertext), other.mac].concat()
        }
        How::Version => {
            let version = 7 - version;
            let mut mac = mac;
            mac.resize(mac_length(version), 0);
            [codec::encode_group(version, message_index, &ciphertext), mac].concat()
        }
    };
    let signature = sign(signing_seed, &signed);
    [signed, signature.to_vec()].concat()
}

fn other_index(index: u32, number: u16) -> u32 {
    let distance = DISTANCES[usize::from(number) % DISTANCES.len()];
    u32::try_from(i64::from(index) + distance).unwrap_or(u32::MAX)
}
