//! Reads and writes the fields of which all messages consist (S-07).
//!
//! ```text
//! message = version byte || field*
//! field   = varint(number << 3 | type) || value
//! value   = varint (type 0), or varint(length) || bytes (type 2)
//! ```
//!
//! Spec: olm.md, "The Olm Message Format".

use alloc::vec::Vec;
use core::ops::Range;

use crate::error::DecodeError;

/// The wire type of an integer field.
const INTEGER: u64 = 0;
/// The wire type of a string field.
const STRING: u64 = 2;

/// The value of a field; a string is given by its range in the message.
pub(super) enum Value {
    Integer(u64),
    String(Range<usize>),
}

/// The fields of a message, in the message's order.
pub(super) struct Fields<'a> {
    message: &'a [u8],
    position: usize,
    end: usize,
}

impl<'a> Fields<'a> {
    /// The fields between the version byte and `end`.
    pub(super) const fn new(message: &'a [u8], end: usize) -> Self {
        Self { message, position: 1, end }
    }

    /// The next field's number and value; `None` after the last one.
    pub(super) fn next(&mut self) -> Result<Option<(u64, Value)>, DecodeError> {
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
pub(super) fn set<T>(field: &mut Option<T>, value: T) -> Result<(), DecodeError> {
    match field.replace(value) {
        None => Ok(()),
        Some(_) => Err(DecodeError::Format),
    }
}

/// The value of a mandatory field, which must be present.
pub(super) fn required<T>(field: Option<T>) -> Result<T, DecodeError> {
    field.ok_or(DecodeError::Format)
}

pub(super) fn index(value: u64) -> Result<u32, DecodeError> {
    u32::try_from(value).map_err(|_| DecodeError::Format)
}

/// Writes a message field by field. Field numbers are below 16, so a tag has one byte.
pub(super) struct Writer(Vec<u8>);

impl Writer {
    /// Begins a message with its version byte. `length` is that of the whole message, so that the
    /// buffer does not grow.
    pub(super) fn new(version: u8, length: usize) -> Self {
        let mut message = Vec::with_capacity(length);
        message.push(version);
        Self(message)
    }

    pub(super) fn integer(&mut self, number: u64, value: u64) {
        self.varint(number << 3 | INTEGER);
        self.varint(value);
    }

    pub(super) fn string(&mut self, number: u64, value: &[u8]) {
        self.string_header(number, value.len());
        self.0.extend_from_slice(value);
    }

    /// The head of a string whose bytes are written afterwards.
    pub(super) fn string_header(&mut self, number: u64, length: usize) {
        self.varint(number << 3 | STRING);
        self.varint(length as u64);
    }

    fn varint(&mut self, mut value: u64) {
        while value > 0x7f {
            self.0.push(value.to_le_bytes()[0] | 0x80);
            value >>= 7;
        }
        self.0.push(value.to_le_bytes()[0]);
    }

    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.0
    }
}

/// Length of a varint: one byte for each 7 bits.
pub(super) const fn varint_length(value: u64) -> usize {
    let bits = 64_u32.saturating_sub((value | 1).leading_zeros());
    bits.div_ceil(7) as usize
}

/// Length of a string field: the tag, which is one byte, the length, and the string.
pub(super) const fn string_length(length: usize) -> usize {
    length.saturating_add(1).saturating_add(varint_length(length as u64))
}

/// Length of a key's field.
pub(super) const KEY_FIELD_LENGTH: usize = string_length(32);

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
            let mut writer = Writer(Vec::new());
            writer.varint(value);
            let bytes = writer.into_bytes();
            assert_eq!(bytes.len(), varint_length(value));
            assert_eq!(read(&bytes), Ok(value));
        }
    }

    #[test]
    fn a_string_field_has_the_calculated_length() {
        for length in [0, 1, 127, 128, 16_383, 16_384] {
            let mut writer = Writer(Vec::new());
            writer.string(1, &"x".repeat(length).into_bytes());
            assert_eq!(writer.into_bytes().len(), string_length(length));
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
