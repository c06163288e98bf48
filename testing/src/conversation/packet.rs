//! Messages that are sent and not yet received, and forgeries made from them.

use super::event::{How, Who};
use crate::naive::codec::{self, NormalMessage, SessionKeys};
use crate::naive::crypto::{MessageCipher, x25519_public};
use crate::rng::SeededRng;

/// A message on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packet {
    pub to: Who,
    /// 0 for a pre-key message, 1 for a normal one.
    pub message_type: usize,
    pub bytes: Vec<u8>,
}

/// What the textbook decoder reads in a packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content {
    /// The outer keys of a pre-key message.
    pub keys: Option<SessionKeys>,
    pub message: NormalMessage,
}

impl Packet {
    /// What the message says, if it is one that the library has to accept as well-formed.
    pub fn content(&self) -> Option<Content> {
        let content = match self.message_type {
            0 => {
                let pre_key = codec::decode_pre_key(&self.bytes)?;
                Content { keys: Some(pre_key.keys), message: pre_key.message }
            }
            _ => Content { keys: None, message: codec::decode_normal(&self.bytes)? },
        };
        let keys_are_good = content.public_keys().iter().all(is_canonical);
        let wrapping =
            (self.message_type == 0).then_some((&self.bytes, &[0x0A, 0x12, 0x1A, 0x22][..]));
        let within = (&content.message.authenticated, &[0x0A, 0x10, 0x22][..]);
        let fields_are_good =
            wrapping.into_iter().chain([within]).all(|(bytes, known)| !has_odd_field(bytes, known));
        (keys_are_good && fields_are_good).then_some(content)
    }

    /// The same packet with another message, which may be in a pre-key message.
    fn with_message(&self, message: &[u8]) -> Option<Self> {
        let bytes = match self.content()?.keys {
            Some(keys) => codec::encode_pre_key(&keys, message),
            None => message.to_vec(),
        };
        Some(Self { bytes, ..self.clone() })
    }

    /// Whether this is the `original`, though perhaps wrapped differently.
    pub fn is_authentic(&self, original: &Self) -> bool {
        let (Some(content), Some(original_content)) = (self.content(), original.content()) else {
            return false;
        };
        self.to == original.to
            && content.message == original_content.message
            && content.keys.is_none_or(|keys| original_content.keys == Some(keys))
    }

    /// A message made from this one; `other` is one that is on the way, `foreign` are messages of
    /// another session to the same receiver. `None` when this message cannot be treated like that.
    pub fn forge(&self, how: How, other: &Self, foreign: &[Self]) -> Option<Self> {
        let mut forged = self.clone();
        match how {
            How::FlipBit(number) => {
                let place = usize::from(number) / 8 % self.bytes.len();
                forged.bytes[place] ^= 1 << (number % 8);
            }
            How::Truncate(number) => forged.bytes.truncate(usize::from(number) % self.bytes.len()),
            How::Extend(number) => {
                let mut rng = SeededRng::new(number.into());
                let count = 1 + rng.below(40);
                forged.bytes.extend((0..count).map(|_| rng.byte()));
            }
            How::OtherType => forged.message_type = 1 - self.message_type,
            How::SwapBodies(_) => {
                let (message, other) = (self.content()?.message, other.content()?.message);
                let header =
                    Header { ratchet_key: message.ratchet_key, index: message.chain_index };
                let bytes = header.before(message.version, &other.ciphertext);
                forged = self.with_message(&[bytes, other.mac].concat())?;
            }
            How::RatchetKey(number) => {
                let message = self.content()?.message;
                let ratchet_key = public_key(number);
                let header = Header { ratchet_key, index: message.chain_index };
                let bytes = header.before(message.version, &message.ciphertext);
                let mac =
                    if number % 2 == 0 { message.mac } else { other_mac(message.version, &bytes) };
                forged = self.with_message(&[bytes, mac].concat())?;
            }
            How::Index(number) => {
                let message = self.content()?.message;
                let index = other_index(message.chain_index, number);
                let bytes = Header { ratchet_key: message.ratchet_key, index }
                    .before(message.version, &message.ciphertext);
                let mac = other_mac(message.version, &bytes);
                forged = self.with_message(&[bytes, mac].concat())?;
            }
            How::OuterKey(number) => {
                let Content { keys, message } = self.content()?;
                let mut keys = keys?;
                let key = public_key(number);
                match number % 3 {
                    0 => keys.one_time_key = key,
                    1 => keys.base_key = key,
                    _ => keys.identity_key = key,
                }
                forged.bytes = codec::encode_pre_key(&keys, &message.to_bytes());
            }
            How::OtherSession(number) => {
                forged = foreign[usize::from(number) % foreign.len()].clone()
            }
            How::Reflect => forged.to = self.to.peer(),
            How::Unwrap => {
                let Content { keys, message } = self.content()?;
                keys?;
                forged = Self { to: self.to, message_type: 1, bytes: message.to_bytes() };
            }
            How::WrapMore => {
                self.content()?.keys?;
                forged.bytes.extend(b"\x2A\x03new");
            }
        }
        Some(forged)
    }
}

impl Content {
    fn public_keys(&self) -> Vec<[u8; 32]> {
        let outer = self.keys.map(|keys| [keys.one_time_key, keys.base_key, keys.identity_key]);
        outer.into_iter().flatten().chain([self.message.ratchet_key]).collect()
    }
}

/// What a message has before its ciphertext.
struct Header {
    ratchet_key: [u8; 32],
    index: u32,
}

impl Header {
    fn before(&self, version: u8, ciphertext: &[u8]) -> Vec<u8> {
        codec::encode_normal(version, &self.ratchet_key, self.index, ciphertext)
    }
}

trait ToBytes {
    fn to_bytes(&self) -> Vec<u8>;
}

impl ToBytes for NormalMessage {
    fn to_bytes(&self) -> Vec<u8> {
        [self.authenticated.as_slice(), &self.mac].concat()
    }
}

/// S-01: a number below p = 2^255 - 19. (A key of low order is in no message here; the textbook has
/// no rule for it.)
fn is_canonical(key: &[u8; 32]) -> bool {
    let not_below_p = key[31] == 0x7F && key[1..31] == [0xFF; 30] && key[0] >= 0xED;
    key[31] < 0x80 && !not_below_p
}

/// S-07: a field of the format with the wrong type, or the field number 0. The textbook decoder
/// takes them for unknown fields.
fn has_odd_field(message: &[u8], known: &[u64]) -> bool {
    let fields = codec::decode_fields(&message[1..]).expect("it was decoded before");
    let is_odd = |tag: u64| tag >> 3 == 0 || known.iter().any(|other| tag >> 3 == other >> 3);
    fields.iter().any(|(tag, _)| !known.contains(tag) && is_odd(*tag))
}

/// A key that nobody in the conversation has.
fn public_key(number: u16) -> [u8; 32] {
    x25519_public(&SeededRng::new(u64::MAX - u64::from(number)).bytes())
}

/// The MAC that somebody can make who has no key of the conversation.
fn other_mac(version: u8, bytes: &[u8]) -> Vec<u8> {
    MessageCipher::olm(&[0x42; 32]).mac(version, bytes)
}

/// An index near the limits, far beyond them, or the same one.
fn other_index(index: u32, number: u16) -> u32 {
    const STEPS: [i64; 10] = [0, 1, 2, 41, 1_999, 2_000, 2_001, 1 << 31, -1, -2];
    let step = STEPS[usize::from(number) % STEPS.len()];
    u32::try_from(i64::from(index) + step).unwrap_or(u32::MAX)
}
