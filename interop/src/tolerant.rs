//! A tolerant reader of fields, which reads everything that any of the libraries reads.
//!
//! It finds the message key that a receiver of a malformed message would try.

use crate::naive::codec::Value;

/// The last value with this tag, read as tolerantly as can be: any varint goes, integers wrap, and
/// what cannot be read ends the message.
pub fn last_value(body: &[u8], wanted: u8) -> Option<Value> {
    let mut rest = body.get(1..)?;
    let mut last = None;
    while let Some(tag) = rest.first().copied() {
        let (_, after_tag) = tolerant_varint(rest);
        let (number, after_number) = tolerant_varint(after_tag);
        let value = match tag & 7 {
            0 => Value::Integer(number),
            2 => match after_number.get(..usize::try_from(number).unwrap()) {
                Some(string) => Value::String(string.to_vec()),
                None => break,
            },
            _ => break,
        };
        let skipped = if let Value::String(string) = &value { string.len() } else { 0 };
        rest = &after_number[skipped..];
        if tag == wanted {
            last = Some(value);
        }
    }
    last
}

fn tolerant_varint(bytes: &[u8]) -> (u64, &[u8]) {
    let length = bytes.iter().position(|byte| byte & 0x80 == 0).map_or(bytes.len(), |end| end + 1);
    let (encoded, rest) = bytes.split_at(length);
    let value =
        encoded.iter().rev().fold(0_u64, |value, byte| (value << 7) | u64::from(byte & 0x7f));
    (value, rest)
}
