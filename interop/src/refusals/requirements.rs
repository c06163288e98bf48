//! What our library requires, decided by the naive codec and plain arithmetic, not by the library.

use crate::{
    forge::{Kind, Sender, Variant},
    naive::{codec, crypto},
};
use ed25519_dalek::VerifyingKey;

/// A variant as it is offered.
pub struct Offer<'a> {
    pub sender: &'a Sender,
    pub variant: &'a Variant,
    pub text: &'a str,
}

const EXPORT_LENGTH: usize = 165;
const SHARING_LENGTH: usize = 229;

/// What a well-formed pre-key or normal message consists of.
struct OlmParts {
    outer_keys: Option<codec::SessionKeys>,
    message: codec::NormalMessage,
}

impl Offer<'_> {
    fn olm(&self) -> Option<OlmParts> {
        match self.variant.kind {
            Kind::FirstPreKey | Kind::LaterPreKey => {
                // The version byte around is a requirement of its own.
                let bytes = [&[3], self.variant.bytes.get(1..)?].concat();
                let codec::PreKeyMessage { keys, message } = codec::decode_pre_key(&bytes)?;
                Some(OlmParts { outer_keys: Some(keys), message })
            }
            Kind::Normal => {
                let message = codec::decode_normal(&self.variant.bytes)?;
                Some(OlmParts { outer_keys: None, message })
            }
            _ => None,
        }
    }

    /// All keys in a pre-key or normal message.
    fn curve25519_keys(&self) -> Vec<[u8; 32]> {
        let Some(OlmParts { outer_keys, message }) = self.olm() else { return Vec::new() };
        let outer = outer_keys.map(|keys| [keys.one_time_key, keys.base_key, keys.identity_key]);
        outer.into_iter().flatten().chain([message.ratchet_key]).collect()
    }

    fn group(&self) -> Option<codec::GroupMessage> {
        (self.variant.kind == Kind::Group).then(|| codec::decode_group(&self.variant.bytes))?
    }

    /// The signing key of a session key or export.
    fn signing_key(&self) -> Option<[u8; 32]> {
        let is_key = matches!(self.variant.kind, Kind::SessionKey | Kind::ExportedSessionKey);
        let key = self.variant.bytes.get(133..EXPORT_LENGTH)?;
        is_key.then(|| key.try_into().unwrap())
    }

    /// The bytes before the MAC of the innermost message, with the fields that were read from them
    /// written as usual.
    fn authenticated_and_usual(&self) -> Option<(Vec<u8>, Vec<u8>)> {
        if let Some(OlmParts { message, .. }) = self.olm() {
            let codec::NormalMessage { version, ratchet_key, chain_index, ciphertext, .. } =
                &message;
            let usual = codec::encode_normal(*version, ratchet_key, *chain_index, ciphertext);
            return Some((message.authenticated, usual));
        }
        let message = self.group()?;
        let usual =
            codec::encode_group(message.version, message.message_index, &message.ciphertext);
        Some((message.authenticated, usual))
    }
}

/// S-30.
pub fn text_is_not_base64(offer: &Offer) -> bool {
    let text = offer.text.as_bytes();
    let padding = text.iter().rev().take_while(|character| **character == b'=').count();
    let (unpadded, _) = text.split_at(text.len() - padding);
    let digits: Option<Vec<_>> = unpadded.iter().copied().map(base64_digit).collect();
    let Some(digits) = digits else { return true };
    let spare_bits = match digits.len() % 4 {
        0 => 0,
        2 => 0x0f,
        3 => 0x03,
        _ => return true,
    };
    let stray_bits = digits.last().is_some_and(|digit| digit & spare_bits != 0);
    stray_bits || padding > 0 && (padding > 2 || !text.len().is_multiple_of(4))
}

fn base64_digit(character: u8) -> Option<u8> {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    ALPHABET.iter().position(|digit| *digit == character).map(|digit| digit as u8)
}

/// S-13.
pub fn wrong_outer_version(offer: &Offer) -> bool {
    let pre_key = matches!(offer.variant.kind, Kind::FirstPreKey | Kind::LaterPreKey);
    pre_key && offer.variant.bytes.first() != Some(&3)
}

/// S-07.
pub fn malformed(offer: &Offer) -> bool {
    let bytes = offer.variant.bytes.as_slice();
    match offer.variant.kind {
        Kind::FirstPreKey | Kind::LaterPreKey => match offer.olm() {
            Some(parts) => {
                wrong_tags(&bytes[1..], &[0x0a, 0x12, 0x1a, 0x22]) || wrong_olm_tags(&parts)
            }
            None => true,
        },
        Kind::Normal => offer.olm().is_none_or(|parts| wrong_olm_tags(&parts)),
        Kind::Group => offer
            .group()
            .is_none_or(|message| wrong_tags(&message.authenticated[1..], &[0x08, 0x12])),
        Kind::SessionKey => bytes.len() != SHARING_LENGTH,
        Kind::ExportedSessionKey => bytes.len() != EXPORT_LENGTH,
    }
}

fn wrong_olm_tags(parts: &OlmParts) -> bool {
    wrong_tags(&parts.message.authenticated[1..], &[0x0a, 0x10, 0x22])
}

/// Whether there is a field 0, or one with the number of the format's but of another type.
fn wrong_tags(fields: &[u8], format: &[u64]) -> bool {
    let fields = codec::decode_fields(fields).expect("the codec has decoded them before");
    fields.into_iter().any(|(tag, _)| {
        let same_number = |known: &&u64| **known >> 3 == tag >> 3;
        tag >> 3 == 0 || format.iter().find(same_number).is_some_and(|known| *known != tag)
    })
}

/// S-01.
pub fn curve25519_not_canonical(offer: &Offer) -> bool {
    offer.curve25519_keys().iter().any(|key| !below_2_255_19(key))
}

/// S-01.
pub fn curve25519_low_order(offer: &Offer) -> bool {
    offer.curve25519_keys().iter().any(|key| crypto::ecdh(&[0x55; 32], key) == [0; 32])
}

/// Whether the little-endian number is below p = 2^255 - 19.
fn below_2_255_19(number: &[u8; 32]) -> bool {
    let [first, middle @ .., last] = number;
    *last < 0x7f || *last == 0x7f && (*first < 0xed || middle.iter().any(|byte| *byte != 0xff))
}

/// S-14.
pub fn ed25519_not_canonical(offer: &Offer) -> bool {
    offer.signing_key().is_some_and(|mut y| {
        // The top bit is the sign of x.
        y[31] &= 0x7f;
        !below_2_255_19(&y)
    })
}

/// S-14.
pub fn ed25519_not_on_curve(offer: &Offer) -> bool {
    offer.signing_key().is_some_and(|key| VerifyingKey::from_bytes(&key).is_err())
}

/// S-14.
pub fn ed25519_small_order(offer: &Offer) -> bool {
    let key = offer.signing_key().and_then(|key| VerifyingKey::from_bytes(&key).ok());
    key.is_some_and(|key| key.is_weak())
}

/// S-14: the order is 2^252 and a bit, so every larger `S` has one of the upper bits.
pub fn s_not_reduced(offer: &Offer) -> bool {
    let signed = matches!(offer.variant.kind, Kind::SessionKey | Kind::Group);
    signed && offer.variant.bytes.last().is_some_and(|top| *top >= 0x10)
}

/// S-16: for the message that makes a session, the caller names the sender.
pub fn foreign_identity_key(offer: &Offer) -> bool {
    let keys = offer.olm().and_then(|parts| parts.outer_keys);
    let expected = offer.sender.session_keys().identity_key;
    offer.variant.kind == Kind::FirstPreKey
        && keys.is_some_and(|keys| keys.identity_key != expected)
}

/// S-09.
pub fn foreign_outer_keys(offer: &Offer) -> bool {
    let keys = offer.olm().and_then(|parts| parts.outer_keys);
    let expected = offer.sender.session_keys();
    offer.variant.kind == Kind::LaterPreKey && keys.is_some_and(|keys| keys != expected)
}

/// S-06: well-formed, but not written as the sender wrote it, with the sender's MAC.
pub fn not_the_sealed_bytes(offer: &Offer) -> bool {
    let unusual = offer.authenticated_and_usual().is_some_and(|(bytes, usual)| bytes != usual);
    !offer.variant.sealed && unusual
}

/// S-06, the other way round: well-formed, not written as usual, but sealed as it is.
pub fn sealed_unusually(offer: &Offer) -> bool {
    let unusual = offer.authenticated_and_usual().is_some_and(|(bytes, usual)| bytes != usual);
    offer.variant.sealed && unusual && !malformed(offer)
}

/// S-28.
pub fn bad_padding(offer: &Offer) -> bool {
    let plaintext = offer.sender.ciphertext(offer.variant).map(|(_, plaintext)| plaintext);
    offer.variant.sealed && plaintext == Some(None)
}

/// S-30, the other way round: some decoders want it without padding.
pub fn padded_text(offer: &Offer) -> bool {
    offer.text.ends_with('=') && !text_is_not_base64(offer)
}

/// Such a ciphertext under a valid MAC is for decoders of Rust only.
pub fn bad_block_length(offer: &Offer) -> bool {
    let ciphertext = offer.sender.ciphertext(offer.variant).map(|(ciphertext, _)| ciphertext);
    let bad = |length: usize| length == 0 || !length.is_multiple_of(16);
    offer.variant.sealed && ciphertext.is_some_and(|ciphertext| bad(ciphertext.len()))
}
