//! Floor 1: bytes and text to typed messages and back. It takes no decisions and holds no secrets but
//! the session keys it parses.
//!
//! [`Fields`] is the one decoder of the whole library: strict, total, without copies (S-02, S-07).
//! Spec: olm.md, "The Olm Message Format"; megolm.md, "Message format".

pub(crate) mod megolm;
pub(crate) mod olm;
#[cfg(feature = "hazmat")]
pub(crate) mod raw;

use alloc::vec::Vec;
use core::ops::Range;

use crate::error::DecodeError;

/// The version of a message, and with it the length of its MAC.
///
/// It is a property of a session, chosen when the session is made; a message of another version is
/// an error there (S-13). The other side cannot negotiate it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MessageVersion {
    /// Version byte 3, MAC truncated to 8 bytes: what every Matrix client speaks.
    #[default]
    V3,
    /// Version byte 4, the full MAC of 32 bytes: experimental.
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

/// Field type "integer".
const INTEGER: u64 = 0;
/// Field type "string".
const STRING: u64 = 2;

/// The value of a field; strings are given by their place in the message.
enum Value {
    Integer(u64),
    String(Range<usize>),
}

/// The key-value pairs of a message, in the order of their arrival.
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

    /// A variable-length integer of at most 64 bits, in its shortest form: one value, one encoding.
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

/// Stores a mandatory field; a second one is an error.
fn set<T>(field: &mut Option<T>, value: T) -> Result<(), DecodeError> {
    match field.replace(value) {
        None => Ok(()),
        Some(_) => Err(DecodeError::Format),
    }
}

/// The value of a mandatory field.
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

/// Length of a varint: a byte for each 7 bits.
const fn varint_length(value: u64) -> usize {
    let bits = 64_u32.saturating_sub((value | 1).leading_zeros());
    bits.div_ceil(7) as usize
}

/// Length of a string with its tag, which is one byte, and its own length.
const fn string_length(length: usize) -> usize {
    length.saturating_add(1).saturating_add(varint_length(length as u64))
}

/// Length of a key's field.
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
