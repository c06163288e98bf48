//! Altered variants of valid messages.
//!
//! All functions alter decoded bytes, except [`mutate_text`], which alters text.

use crate::{
    SeededRng,
    naive::codec::{self, Value},
};

/// A key-value pair, with the freedom to write it wrongly.
#[derive(Clone)]
struct Field {
    tag: u64,
    value: Value,
    /// Superfluous bytes in the tag, and in the integer or the length of the string.
    lengthened: [usize; 2],
}

/// Mutates what is between the version byte and the trailer, sometimes also the version byte.
pub fn mutate_body(rng: &mut SeededRng, body: &[u8]) -> Vec<u8> {
    let mut mutated = if rng.below(3) > 0 { mutate_fields(rng, body) } else { body.to_vec() };
    if mutated == body {
        mutate_bytes(rng, &mut mutated);
    }
    if rng.below(12) == 0 && !mutated.is_empty() {
        mutated[0] = [2, 3, 4, 5, rng.byte()][rng.below(5)];
    }
    mutated
}

/// Flips bits, cuts off, inserts, deletes.
pub fn mutate_bytes(rng: &mut SeededRng, bytes: &mut Vec<u8>) {
    let place = rng.below(bytes.len().max(1));
    match rng.below(6) {
        0 => bytes.truncate(place),
        1 => drop(bytes.drain(..place.min(bytes.len()))),
        2 => bytes.extend(random_bytes(rng, 20)),
        3 => {
            let inserted = random_bytes(rng, 5);
            bytes.splice(place..place, inserted);
        }
        4 => {
            let end = (place + 1 + rng.below(4)).min(bytes.len());
            drop(bytes.drain(place.min(end)..end));
        }
        _ => flip_bits(rng, bytes),
    }
}

/// Padding, other alphabets, stray bits and characters.
pub fn mutate_text(rng: &mut SeededRng, text: &str) -> String {
    let mut characters: Vec<char> = text.chars().collect();
    let place = rng.below(characters.len().max(1));
    match rng.below(4) {
        0 => characters.extend(["=", "==", "==="][rng.below(3)].chars()),
        1 => characters.insert(place, [' ', '\n', '=', '-', '_', '.'][rng.below(6)]),
        2 if !characters.is_empty() => characters[place] = ['-', '_', '=', 'A'][rng.below(4)],
        _ => {
            // The last character of a text whose length is no multiple of four has bits to spare.
            if let Some(last) = characters.last_mut() {
                *last = char::from(b'A' + rng.byte() % 26);
            }
        }
    }
    characters.into_iter().collect()
}

fn mutate_fields(rng: &mut SeededRng, body: &[u8]) -> Vec<u8> {
    let Some((version, fields)) = body
        .split_first()
        .and_then(|(version, rest)| Some((*version, codec::decode_fields(rest)?)))
    else {
        return body.to_vec();
    };
    let mut fields: Vec<_> =
        fields.into_iter().map(|(tag, value)| Field { tag, value, lengthened: [0; 2] }).collect();
    for _ in 0..1 + rng.below(4) / 3 {
        mutate_one_field(rng, &mut fields);
    }
    [vec![version], fields.iter().flat_map(Field::encode).collect()].concat()
}

fn mutate_one_field(rng: &mut SeededRng, fields: &mut Vec<Field>) {
    if fields.is_empty() {
        return;
    }
    let (place, other) = (rng.below(fields.len()), rng.below(fields.len()));
    let end = rng.below(fields.len() + 1);
    let field = &mut fields[place];
    match rng.below(10) {
        0 => drop(fields.remove(place)),
        1 => fields.swap(place, other),
        2 => {
            let mut copy = field.clone();
            if rng.below(2) == 0 {
                copy.mutate_value(rng);
            }
            fields.insert(end, copy);
        }
        3 => fields.insert(end, unknown_field(rng)),
        4 => field.lengthened[rng.below(2)] = 1 + rng.below(9),
        // Another number or another wire type.
        5 => field.tag ^= 1 << rng.below(6),
        _ => field.mutate_value(rng),
    }
}

impl Field {
    fn mutate_value(&mut self, rng: &mut SeededRng) {
        match &mut self.value {
            Value::Integer(integer) => match rng.below(4) {
                0 => *integer += 1 << 32,
                1 => *integer = u64::MAX >> rng.below(40),
                _ => *integer = rng.below(2_100) as u64,
            },
            Value::String(string) if string.len() == 32 && rng.below(2) == 0 => {
                mutate_key(rng, string);
            }
            Value::String(string) => mutate_bytes(rng, string),
        }
    }

    fn encode(&self) -> Vec<u8> {
        let [in_tag, in_value] = self.lengthened;
        let mut bytes = lengthened_varint(self.tag, in_tag);
        match &self.value {
            Value::Integer(integer) => bytes.extend(lengthened_varint(*integer, in_value)),
            Value::String(string) => {
                bytes.extend(lengthened_varint(string.len() as u64, in_value));
                bytes.extend(string);
            }
        }
        bytes
    }
}

fn lengthened_varint(integer: u64, by: usize) -> Vec<u8> {
    let mut bytes = codec::encode_varint(integer);
    if by > 0 {
        *bytes.last_mut().unwrap() |= 0x80;
        bytes.extend(vec![0x80; by - 1]);
        bytes.push(0);
    }
    bytes
}

/// With the number of none or of any field, and of one of the wire types that are skipped.
fn unknown_field(rng: &mut SeededRng) -> Field {
    let number = [rng.below(8), rng.below(40), rng.below(1_000_000)][rng.below(3)] as u64;
    let (wire_type, value) = if rng.below(2) == 0 {
        (0, Value::Integer(u64::from_be_bytes(rng.bytes()) >> rng.below(64)))
    } else {
        (2, Value::String(random_bytes(rng, 40)))
    };
    Field { tag: number << 3 | wire_type, value, lengthened: [0; 2] }
}

/// Another key, or one that a key must not be.
fn mutate_key(rng: &mut SeededRng, key: &mut [u8]) {
    match rng.below(5) {
        // Of Curve25519, another encoding of the same point.
        0 | 1 => key[31] ^= 0x80,
        // 0 and 1 are of low order on both curves.
        2 => {
            key.fill(0);
            key[0] = rng.byte() % 3;
        }
        // And these are p to p + 15, which encode 0 to 15 once more.
        3 => {
            key.fill(0xff);
            key[0] = 0xed + rng.byte() % 16;
            key[31] = 0x7f;
        }
        _ => flip_bits(rng, key),
    }
}

/// A session key or export up to its signature: version, index, ratchet, signing key.
pub fn mutate_key_format(rng: &mut SeededRng, genuine: &[u8]) -> Vec<u8> {
    let mut bytes = genuine.to_vec();
    match rng.below(6) {
        0 => bytes[0] = rng.byte() % 4,
        1 => mutate_key(rng, &mut bytes[133..165]),
        2 => flip_bits(rng, &mut bytes[1..133]),
        3 => bytes.extend(random_bytes(rng, 70)),
        _ => mutate_bytes(rng, &mut bytes),
    }
    bytes
}

/// `S` plus the order of the group at the end of a signature: the same number to a verifier that
/// reduces it.
pub fn add_group_order(trailer: &mut [u8]) {
    const ORDER: [u8; 32] = [
        0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde,
        0x14, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
    ];
    let start = trailer.len() - ORDER.len();
    let mut carry = 0;
    for (byte, order) in trailer[start..].iter_mut().zip(ORDER) {
        let sum = u16::from(*byte) + u16::from(order) + carry;
        (*byte, carry) = (sum as u8, sum >> 8);
    }
}

pub fn flip_bits(rng: &mut SeededRng, bytes: &mut [u8]) {
    for _ in 0..1 + rng.below(3) {
        if !bytes.is_empty() {
            bytes[rng.below(bytes.len())] ^= 1 << rng.below(8);
        }
    }
}

fn random_bytes(rng: &mut SeededRng, below: usize) -> Vec<u8> {
    (0..rng.below(below)).map(|_| rng.byte()).collect()
}
