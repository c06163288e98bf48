//! Damage to texts and bytes.

use crate::{base64, endings::ENDINGS, rng::Rng};

/// Damages a base64 text: its characters, its length, or the bytes it stands for.
pub fn text(rng: &mut Rng, text: &[u8]) -> Vec<u8> {
    let mut text = text.to_vec();
    match rng.below(9) {
        0 => text.truncate(rng.below(text.len() + 1)),
        1 => {
            let more = 1 + rng.below(5);
            text.extend(rng.bytes(more));
        }
        2 => text.extend_from_slice(rng.pick(ENDINGS).as_bytes()),
        3 => text.push(b'A'),
        4 => drop(text.pop()),
        5 | 6 if !text.is_empty() => {
            let place = rng.below(text.len());
            text[place] = if rng.percent(50) { rng.byte() } else { *rng.pick(b"A/+z0_-= ") };
        }
        _ => {
            let mut raw = base64::decode(&text).unwrap_or_default();
            bytes(rng, &mut raw);
            text = base64::encode(&raw);
        }
    }
    text
}

/// Damages bytes.
pub fn bytes(rng: &mut Rng, bytes: &mut Vec<u8>) {
    if bytes.is_empty() {
        bytes.push(rng.byte());
        return;
    }
    // Messages are most sensitive at their beginning and end.
    let length = bytes.len();
    let place = match rng.below(4) {
        0 => rng.below(length.min(8)),
        1 => length - 1 - rng.below(length.min(16)),
        _ => rng.below(length),
    };
    match rng.below(8) {
        0..=2 => bytes[place] ^= 1 << rng.below(8),
        3 => {
            bytes[place] = *rng.pick(&[0, 1, 3, 4, 0x0a, 0x10, 0x12, 0x1a, 0x22, 0x7f, 0x80, 0xff])
        }
        4 => bytes.insert(place, rng.byte()),
        5 => drop(bytes.remove(place)),
        6 => bytes.truncate(place),
        _ => {
            let end = length.min(place + 1 + rng.below(40));
            let again = bytes[place..end].to_vec();
            bytes.splice(place..place, again);
        }
    }
}

/// Rewrites the fields of a message: repeated, left out, in another order, of another type, with
/// over-long numbers, unknown ones between. The version byte and the trailer stay.
pub fn fields(rng: &mut Rng, message: &[u8], trailer: usize) -> Vec<u8> {
    let Some((version, rest)) = message.split_first() else { return Vec::new() };
    let (mut rest, end) = rest.split_at(rest.len().saturating_sub(trailer));
    let mut list = Vec::new();
    while let Some(length) = field_length(rest) {
        let (field, behind) = rest.split_at(length);
        list.push(field.to_vec());
        rest = behind;
    }
    if !list.is_empty() {
        let place = rng.below(list.len());
        match rng.below(9) {
            0 => drop(list.remove(place)),
            1 => list.push(list[place].clone()),
            2 => list.insert(0, list[place].clone()),
            3 => list.reverse(),
            4 => {
                let other = rng.below(list.len());
                list.swap(place, other);
            }
            5 => list[place] = over_long(&list[place]),
            6 => list.insert(place, rng.pick(UNKNOWN).to_vec()),
            7 => list[place][0] ^= 1 << rng.below(8),
            _ => {
                let last = list[place].len() - 1;
                let kept = rng.below(last).max(1);
                list[place].truncate(kept);
            }
        }
    }
    [&[*version], &*list.concat(), rest, end].concat()
}

/// Fields of other numbers: of types 0 and 2, which are skipped, and others.
const UNKNOWN: &[&[u8]] = &[
    b"\x38\x05",
    b"\x3a\x02ab",
    b"\xba\x01\x00",
    b"\xb8\x01\x80\x01",
    b"\x3d\x01\x02\x03\x04",
    b"\x39\x01\x02\x03\x04\x05\x06\x07\x08",
    b"\x00\x00",
    b"\x02\x00",
    b"\x3a\xff\x01",
];

/// Length of the first field: one byte of tag, a number, and as many bytes for the type 2.
fn field_length(bytes: &[u8]) -> Option<usize> {
    let tag = bytes.first()?;
    let digits = bytes[1..].iter().position(|byte| byte & 0x80 == 0)? + 1;
    let value = bytes[1..=digits]
        .iter()
        .rev()
        .fold(0_usize, |value, byte| value.wrapping_shl(7) | usize::from(byte & 0x7f));
    let content = if tag & 7 == 2 { value } else { 0 };
    let length = (1 + digits).checked_add(content)?;
    (length <= bytes.len()).then_some(length)
}

/// The same field with a number that has a digit too many.
fn over_long(field: &[u8]) -> Vec<u8> {
    let mut field = field.to_vec();
    if let Some(last) = field[1..].iter().position(|byte| byte & 0x80 == 0) {
        field[1 + last] |= 0x80;
        field.insert(2 + last, 0);
    }
    field
}
