//! Layer 1: decodes messages and session keys from bytes and text, and encodes them. It makes no
//! decisions about messages, and holds no secrets except the session keys that it parses.
//!
//! [`Fields`] is the only decoder of message fields in the library. It is strict, has a result for
//! every input, and makes no copies (S-02, S-07). Spec: olm.md, "The Olm Message Format";
//! megolm.md, "Message format".

#[cfg(feature = "hazmat")]
pub(crate) mod hazmat;
#[cfg(any(feature = "payload", feature = "vodozemac"))]
pub(crate) mod json;
pub(crate) mod megolm;
pub(crate) mod olm;

use alloc::vec::Vec;
use core::ops::Range;

use crate::error::DecodeError;

/// The version of a message, and with it the length of its MAC.
///
/// The version is chosen when a session is made, and belongs to the session. The session refuses a
/// message of another version (S-13), so a peer cannot negotiate a weaker one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MessageVersion {
    /// Version byte 3, MAC truncated to 8 bytes. Every Matrix client uses this version.
    #[default]
    V3,
    /// Version byte 4, the full MAC of 32 bytes. This version is experimental.
    V4,
}

impl MessageVersion {
    /// The first byte of a message of this version.
    #[must_use]
    pub const fn byte(self) -> u8 {
        match self {
            Self::V3 => 3,
            Self::V4 => 4,
        }
    }

    /// Length of the MAC in bytes.
    #[must_use]
    pub const fn mac_length(self) -> usize {
        match self {
            Self::V3 => 8,
            Self::V4 => 32,
        }
    }

    pub(crate) const fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            3 => Some(Self::V3),
            4 => Some(Self::V4),
            _ => None,
        }
    }

    fn of_message(bytes: &[u8]) -> Result<Self, DecodeError> {
        let byte = *bytes.first().ok_or(DecodeError::Format)?;
        Self::from_byte(byte).ok_or(DecodeError::Version(byte))
    }
}

/// The wire type of an integer field.
const INTEGER: u64 = 0;
/// The wire type of a string field.
const STRING: u64 = 2;

/// The value of a field; a string is given by its range in the message.
enum Value {
    Integer(u64),
    String(Range<usize>),
}

/// The fields of a message, in the order in which they are in it.
struct Fields<'a> {
    message: &'a [u8],
    position: usize,
    end: usize,
}

impl<'a> Fields<'a> {
    /// The fields between the version byte and `end`.
    const fn new(message: &'a [u8], end: usize) -> Self {
        Self { message, position: 1, end }
    }

    /// The next field's number and value; `None` after the last one.
    fn next(&mut self) -> Result<Option<(u64, Value)>, DecodeError> {
        if self.position >= self.end {
            return Ok(None);
        }
        let tag = self.varint()?;
        let value = match tag & 7 {
            INTEGER => Value::Integer(self.varint()?),
            STRING => Value::String(self.string()?),
            _ => return Err(DecodeError::Format),
        };
        match tag >> 3 {
            0 => Err(DecodeError::Format),
            number => Ok(Some((number, value))),
        }
    }

    fn string(&mut self) -> Result<Range<usize>, DecodeError> {
        let length = usize::try_from(self.varint()?).map_err(|_| DecodeError::Format)?;
        let start = self.position;
        let end = start.checked_add(length).ok_or(DecodeError::Format)?;
        if end > self.end {
            return Err(DecodeError::Format);
        }
        self.position = end;
        Ok(start..end)
    }

    /// A variable-length integer of at most 64 bits. Only the shortest form is accepted, so that
    /// each value has one encoding.
    fn varint(&mut self) -> Result<u64, DecodeError> {
        let mut value = 0_u64;
        for shift in (0..u64::BITS).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            let shifted = bits << shift;
            if shifted >> shift != bits {
                return Err(DecodeError::Format);
            }
            value |= shifted;
            if byte & 0x80 == 0 {
                let minimal = bits != 0 || shift == 0;
                return if minimal { Ok(value) } else { Err(DecodeError::Format) };
            }
        }
        Err(DecodeError::Format)
    }

    fn byte(&mut self) -> Result<u8, DecodeError> {
        let byte = self.message.get(self.position..self.end).and_then(<[u8]>::first);
        self.position = self.position.saturating_add(1);
        byte.copied().ok_or(DecodeError::Format)
    }
}

/// Stores a mandatory field; a repeated field is an error.
fn set<T>(field: &mut Option<T>, value: T) -> Result<(), DecodeError> {
    match field.replace(value) {
        None => Ok(()),
        Some(_) => Err(DecodeError::Format),
    }
}

/// The value of a mandatory field, which must be present.
fn required<T>(field: Option<T>) -> Result<T, DecodeError> {
    field.ok_or(DecodeError::Format)
}

fn index(value: u64) -> Result<u32, DecodeError> {
    u32::try_from(value).map_err(|_| DecodeError::Format)
}

fn put_varint(message: &mut Vec<u8>, mut value: u64) {
    while value > 0x7f {
        message.push(value.to_le_bytes()[0] | 0x80);
        value >>= 7;
    }
    message.push(value.to_le_bytes()[0]);
}

fn put_string(message: &mut Vec<u8>, tag: u8, value: &[u8]) {
    put_string_header(message, tag, value.len());
    message.extend_from_slice(value);
}

fn put_string_header(message: &mut Vec<u8>, tag: u8, length: usize) {
    message.push(tag);
    put_varint(message, length as u64);
}

/// Length of a varint: one byte for each 7 bits.
const fn varint_length(value: u64) -> usize {
    let bits = 64_u32.saturating_sub((value | 1).leading_zeros());
    bits.div_ceil(7) as usize
}

/// Length of a string field: the tag, which is one byte, the length, and the string.
const fn string_length(length: usize) -> usize {
    length.saturating_add(1).saturating_add(varint_length(length as u64))
}

/// Length of a field with a key.
const KEY_FIELD_LENGTH: usize = string_length(32);

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> Result<u64, DecodeError> {
        let mut fields = Fields { message: bytes, position: 0, end: bytes.len() };
        let value = fields.varint()?;
        assert_eq!(fields.position, bytes.len());
        Ok(value)
    }

    #[test]
    fn varints_round_trip_at_every_length() {
        for value in (0..64).flat_map(|bit| [1_u64 << bit, (1 << bit) - 1]).chain([u64::MAX]) {
            let mut bytes = Vec::new();
            put_varint(&mut bytes, value);
            assert_eq!(read(&bytes), Ok(value));
        }
    }

    #[test]
    fn varints_are_minimal_and_fit_64_bits() {
        for bad in [
            &[0x80, 0x00][..],
            &[0xff, 0x80, 0x00],
            &[0x80],
            &[],
            &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02],
            &[0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01],
        ] {
            assert_eq!(read(bad), Err(DecodeError::Format), "{bad:x?}");
        }
    }
}
