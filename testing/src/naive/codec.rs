//! The three message formats, as lists of key-value pairs.
//!
//! The decoder is as strict as the library must be: every field of the format exactly once,
//! integers in their shortest form and within 32 bits, and nothing after the last field. Pairs with
//! other keys are skipped.

use super::crypto::mac_length;

/// The tags of olm.md, "Normal Messages".
mod normal {
    pub const RATCHET_KEY: u64 = 0x0A;
    pub const CHAIN_INDEX: u64 = 0x10;
    pub const CIPHERTEXT: u64 = 0x22;
}

/// The tags of olm.md, "Pre-Key Messages".
mod pre_key {
    pub const ONE_TIME_KEY: u64 = 0x0A;
    pub const BASE_KEY: u64 = 0x12;
    pub const IDENTITY_KEY: u64 = 0x1A;
    pub const MESSAGE: u64 = 0x22;
}

/// The tags of megolm.md, "Message format".
mod megolm {
    pub const MESSAGE_INDEX: u64 = 0x08;
    pub const CIPHERTEXT: u64 = 0x12;
}

/// A pre-key message always begins with this, whatever the version of the message inside.
const PRE_KEY_VERSION: u8 = 3;

const SIGNATURE_LENGTH: usize = 64;

/// A value of a key-value pair.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    Integer(u64),
    String(Vec<u8>),
}

/// A normal Olm message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NormalMessage {
    pub version: u8,
    pub ratchet_key: [u8; 32],
    pub chain_index: u32,
    pub ciphertext: Vec<u8>,
    /// The bytes before the MAC, which it protects.
    pub authenticated: Vec<u8>,
    pub mac: Vec<u8>,
}

/// The three public keys that name a session, as in every pre-key message of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionKeys {
    /// `E_B`.
    pub one_time_key: [u8; 32],
    /// `E_A`.
    pub base_key: [u8; 32],
    /// `I_A`.
    pub identity_key: [u8; 32],
}

/// A pre-key Olm message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PreKeyMessage {
    pub keys: SessionKeys,
    pub message: NormalMessage,
}

/// A Megolm message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupMessage {
    pub version: u8,
    pub message_index: u32,
    pub ciphertext: Vec<u8>,
    /// The bytes before the MAC, which it protects.
    pub authenticated: Vec<u8>,
    pub mac: Vec<u8>,
    pub signature: [u8; 64],
}

/// A normal Olm message up to its MAC.
pub fn encode_normal(
    version: u8,
    ratchet_key: &[u8; 32],
    chain_index: u32,
    ciphertext: &[u8],
) -> Vec<u8> {
    let mut bytes = vec![version];
    bytes.extend(encode_string(normal::RATCHET_KEY, ratchet_key));
    bytes.extend(encode_integer(normal::CHAIN_INDEX, chain_index.into()));
    bytes.extend(encode_string(normal::CIPHERTEXT, ciphertext));
    bytes
}

/// The whole normal Olm message, MAC included.
pub fn decode_normal(bytes: &[u8]) -> Option<NormalMessage> {
    let version = version_of(bytes)?;
    let (authenticated, mac) = split_end(bytes, mac_length(version))?;
    let fields = decode_fields(authenticated.get(1..)?)?;
    Some(NormalMessage {
        version,
        ratchet_key: key_field(&fields, normal::RATCHET_KEY)?,
        chain_index: integer_field(&fields, normal::CHAIN_INDEX)?,
        ciphertext: string_field(&fields, normal::CIPHERTEXT)?,
        authenticated,
        mac,
    })
}

/// A pre-key message around a whole normal message.
pub fn encode_pre_key(keys: &SessionKeys, message: &[u8]) -> Vec<u8> {
    let mut bytes = vec![PRE_KEY_VERSION];
    bytes.extend(encode_string(pre_key::ONE_TIME_KEY, &keys.one_time_key));
    bytes.extend(encode_string(pre_key::BASE_KEY, &keys.base_key));
    bytes.extend(encode_string(pre_key::IDENTITY_KEY, &keys.identity_key));
    bytes.extend(encode_string(pre_key::MESSAGE, message));
    bytes
}

/// A pre-key message and the message inside.
pub fn decode_pre_key(bytes: &[u8]) -> Option<PreKeyMessage> {
    let (version, payload) = bytes.split_first()?;
    if *version != PRE_KEY_VERSION {
        return None;
    }
    let fields = decode_fields(payload)?;
    Some(PreKeyMessage {
        keys: SessionKeys {
            one_time_key: key_field(&fields, pre_key::ONE_TIME_KEY)?,
            base_key: key_field(&fields, pre_key::BASE_KEY)?,
            identity_key: key_field(&fields, pre_key::IDENTITY_KEY)?,
        },
        message: decode_normal(&string_field(&fields, pre_key::MESSAGE)?)?,
    })
}

/// A Megolm message up to its MAC.
pub fn encode_group(version: u8, message_index: u32, ciphertext: &[u8]) -> Vec<u8> {
    let mut bytes = vec![version];
    bytes.extend(encode_integer(megolm::MESSAGE_INDEX, message_index.into()));
    bytes.extend(encode_string(megolm::CIPHERTEXT, ciphertext));
    bytes
}

/// The whole Megolm message, MAC and signature included.
pub fn decode_group(bytes: &[u8]) -> Option<GroupMessage> {
    let version = version_of(bytes)?;
    let (signed, signature) = split_end(bytes, SIGNATURE_LENGTH)?;
    let (authenticated, mac) = split_end(&signed, mac_length(version))?;
    let fields = decode_fields(authenticated.get(1..)?)?;
    Some(GroupMessage {
        version,
        message_index: integer_field(&fields, megolm::MESSAGE_INDEX)?,
        ciphertext: string_field(&fields, megolm::CIPHERTEXT)?,
        authenticated,
        mac,
        signature: signature.try_into().ok()?,
    })
}

/// Seven bits to a byte, the lowest first; the high bit says that another byte follows.
pub fn encode_varint(mut integer: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let low_bits = u8::try_from(integer & 0x7F).unwrap();
        integer >>= 7;
        if integer == 0 {
            bytes.push(low_bits);
            return bytes;
        }
        bytes.push(low_bits | 0x80);
    }
}

/// The integer at the beginning of `bytes`, in its only accepted encoding, and the bytes after it.
pub fn decode_varint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let length = bytes.iter().position(|byte| byte & 0x80 == 0)? + 1;
    let (encoded, rest) = bytes.split_at(length);
    let mut integer: u128 = 0;
    for byte in encoded.iter().rev() {
        integer = integer.checked_mul(0x80)? + u128::from(byte & 0x7F);
    }
    let integer = u64::try_from(integer).ok()?;
    (encode_varint(integer) == encoded).then_some((integer, rest))
}

/// All the key-value pairs of a payload, in their order.
pub fn decode_fields(mut bytes: &[u8]) -> Option<Vec<(u64, Value)>> {
    let mut fields = Vec::new();
    while !bytes.is_empty() {
        let (tag, after_tag) = decode_varint(bytes)?;
        let (number, after_number) = decode_varint(after_tag)?;
        match tag & 0b111 {
            0 => {
                fields.push((tag, Value::Integer(number)));
                bytes = after_number;
            }
            2 => {
                let (string, rest) = after_number.split_at_checked(number.try_into().ok()?)?;
                fields.push((tag, Value::String(string.to_vec())));
                bytes = rest;
            }
            _ => return None,
        }
    }
    Some(fields)
}

fn encode_integer(tag: u64, integer: u64) -> Vec<u8> {
    [encode_varint(tag), encode_varint(integer)].concat()
}

fn encode_string(tag: u64, string: &[u8]) -> Vec<u8> {
    let length = u64::try_from(string.len()).unwrap();
    [encode_varint(tag), encode_varint(length), string.to_vec()].concat()
}

fn version_of(bytes: &[u8]) -> Option<u8> {
    bytes.first().copied().filter(|v| [3, 4].contains(v))
}

fn split_end(bytes: &[u8], end_length: usize) -> Option<(Vec<u8>, Vec<u8>)> {
    let (start, end) = bytes.split_at_checked(bytes.len().checked_sub(end_length)?)?;
    Some((start.to_vec(), end.to_vec()))
}

/// The value of a key that must be there once and only once.
fn only_value(fields: &[(u64, Value)], tag: u64) -> Option<&Value> {
    let mut values = fields.iter().filter(|field| field.0 == tag);
    let (_, value) = values.next()?;
    values.next().is_none().then_some(value)
}

fn integer_field(fields: &[(u64, Value)], tag: u64) -> Option<u32> {
    match only_value(fields, tag)? {
        Value::Integer(integer) => u32::try_from(*integer).ok(),
        Value::String(_) => None,
    }
}

fn string_field(fields: &[(u64, Value)], tag: u64) -> Option<Vec<u8>> {
    match only_value(fields, tag)? {
        Value::Integer(_) => None,
        Value::String(string) => Some(string.clone()),
    }
}

fn key_field(fields: &[(u64, Value)], tag: u64) -> Option<[u8; 32]> {
    string_field(fields, tag)?.try_into().ok()
}
