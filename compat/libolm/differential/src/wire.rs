//! Messages: their fields as libolm's lenient parser takes them, and whether a strict one takes
//! them too.

use crate::{base64, keys::is_good_curve25519};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Message {
    PreKey,
    Normal,
    Group,
}

impl Message {
    /// Of `olm_decrypt`'s parameter.
    pub const fn of_type(message_type: u64) -> Self {
        if message_type == 1 { Self::Normal } else { Self::PreKey }
    }

    /// Length of the MAC, or MAC and signature.
    const fn trailer(self) -> usize {
        match self {
            Self::PreKey => 0,
            Self::Normal => 8,
            Self::Group => 8 + 64,
        }
    }

    /// The first bytes of its fields.
    const fn tags(self) -> &'static [u8] {
        match self {
            Self::PreKey => &[0x0a, 0x12, 0x1a, 0x22],
            Self::Normal => &[0x0a, 0x10, 0x22],
            Self::Group => &[0x08, 0x12],
        }
    }
}

/// A number, or bytes; `None` after the end.
fn varint(bytes: &mut &[u8], minimal: &mut bool) -> Option<u64> {
    let mut value = 0_u64;
    for place in 0.. {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        let bits = u64::from(byte & 0x7f);
        let shifted = bits.checked_shl(7 * place).unwrap_or(0);
        *minimal &= 7 * place < 64 && shifted >> (7 * place) == bits;
        value |= shifted;
        if byte & 0x80 == 0 {
            *minimal &= bits != 0 || place == 0;
            return Some(value);
        }
    }
    None
}

enum Field<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

/// All fields with their numbers, if a strict parser takes all of it.
fn strict_fields(mut bytes: &[u8]) -> Option<Vec<(u64, Field<'_>)>> {
    let mut fields = Vec::new();
    let mut minimal = true;
    while !bytes.is_empty() {
        let tag = varint(&mut bytes, &mut minimal)?;
        let value = varint(&mut bytes, &mut minimal)?;
        let field = match tag & 7 {
            0 => Field::Number(value),
            2 => {
                let (content, rest) = bytes.split_at_checked(value.try_into().ok()?)?;
                bytes = rest;
                Field::Bytes(content)
            }
            _ => return None,
        };
        if tag >> 3 == 0 {
            return None;
        }
        fields.push((tag >> 3, field));
    }
    minimal.then_some(fields)
}

/// The one field of that number.
fn one<'a, 'b>(fields: &'a [(u64, Field<'b>)], number: u64) -> Option<&'a Field<'b>> {
    let mut found = fields.iter().filter(|(of, _)| *of == number);
    let (_, field) = found.next()?;
    found.next().is_none().then_some(field)
}

/// Whether each mandatory field is there exactly once, with the right type, length and range,
/// everything in its shortest encoding, nothing left over (S-07), and the keys are good ones
/// (S-01).
pub fn is_strict(message: Message, bytes: &[u8]) -> bool {
    check(message, bytes).is_some()
}

/// The same of what a program gives as a message: without correct padding, and without what libolm
/// ignores behind the fields (S-44).
pub fn is_strict_text(message: Message, text: &[u8]) -> bool {
    readable(message, text).is_some_and(|bytes| is_strict(message, &bytes))
}

/// The bytes of a message, without correct padding and without what libolm ignores behind the
/// fields.
pub fn readable(message: Message, text: &[u8]) -> Option<Vec<u8>> {
    let bytes = base64::decode(base64::without_padding(text))?;
    let (content, trailer) = bytes.split_at_checked(bytes.len().checked_sub(message.trailer())?)?;
    let end = known_fields(message.tags(), content).last().map_or(1, |(_, end)| *end);
    Some([content.get(..end)?, trailer].concat())
}

fn check(message: Message, bytes: &[u8]) -> Option<()> {
    let (3, rest) = bytes.split_first()? else { return None };
    let fields = strict_fields(rest.get(..rest.len().checked_sub(message.trailer())?)?)?;
    let key = |number| match one(&fields, number) {
        Some(Field::Bytes(key)) => is_good_curve25519(key).then_some(()),
        _ => None,
    };
    let index = |number| match one(&fields, number) {
        Some(Field::Number(index)) => u32::try_from(*index).ok().map(drop),
        _ => None,
    };
    let bytes = |number| match one(&fields, number) {
        Some(Field::Bytes(bytes)) => Some(*bytes),
        _ => None,
    };
    match message {
        Message::PreKey => {
            key(1)?;
            key(2)?;
            key(3)?;
            check(Message::Normal, bytes(4)?)
        }
        Message::Normal => {
            key(1)?;
            index(2)?;
            bytes(4).map(drop)
        }
        Message::Group => {
            index(1)?;
            bytes(2).map(drop)
        }
    }
}

/// Identity key, base key and one-time key of a pre-key message, in the order of a session's
/// pickle.
pub fn outer_keys(bytes: &[u8]) -> Option<Vec<u8>> {
    let fields = strict_fields(bytes.get(1..)?)?;
    let keys = [3, 2, 1].map(|number| match one(&fields, number) {
        Some(Field::Bytes(key)) => *key,
        _ => &[],
    });
    Some(keys.concat())
}

/// The message index of a strict group message.
pub fn group_index(bytes: &[u8]) -> Option<u32> {
    check(Message::Group, bytes)?;
    let end = bytes.len() - Message::Group.trailer();
    let fields = strict_fields(&bytes[1..end])?;
    match one(&fields, 1)? {
        Field::Number(index) => u32::try_from(*index).ok(),
        Field::Bytes(_) => None,
    }
}

/// Whether libolm finds an identity key in a pre-key message.
pub fn has_identity_key(bytes: &[u8]) -> bool {
    known_fields(Message::PreKey.tags(), bytes).iter().any(|(tag, _)| *tag == 0x1a)
}

/// The fields that libolm finds behind the version, each by its tag and the place where it ends.
/// libolm compares a tag as one byte, skips unknown fields, takes a number that is cut off for what
/// is there of it, and stops at what it cannot read.
fn known_fields(tags: &[u8], bytes: &[u8]) -> Vec<(u8, usize)> {
    let mut found = Vec::new();
    let mut place = 1;
    while let Some(tag) = bytes.get(place) {
        let is_known = tags.contains(tag);
        place = if is_known { place + 1 } else { after_number(bytes, place) };
        let start = place;
        place = after_number(bytes, start);
        match tag & 7 {
            0 => {}
            2 => {
                let digits = bytes[start..place].iter().rev();
                let length =
                    digits.fold(0_u64, |value, digit| value << 7 | u64::from(digit & 0x7f));
                if length > (bytes.len() - place) as u64 {
                    break;
                }
                place += length as usize;
            }
            _ => break,
        }
        if is_known {
            found.push((*tag, place));
        }
    }
    found
}

/// The place behind the number that begins at `place`.
fn after_number(bytes: &[u8], mut place: usize) -> usize {
    while let Some(digit) = bytes.get(place) {
        place += 1;
        if digit & 0x80 == 0 {
            break;
        }
    }
    place
}
