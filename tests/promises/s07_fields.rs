//! S-07: every mandatory field must be there exactly once, with the right type and length and in
//! the shortest form, and nothing may follow the last field.
//!
//! All messages here have a MAC and a signature over exactly their bytes, so only the decoder can
//! refuse them. An authentic message may be malicious, too, because its sender chooses the bytes.

use moceril::DecodeError;
use moceril_testing::{
    fixtures::VERSIONS,
    forge::{Field, Forger, KINDS, Kind, PLAINTEXT, Refusal, Value, encode, encode_all},
    naive,
};

/// Runs a check for every kind of message of both versions, with the kind's genuine fields.
fn for_each_kind(check: impl Fn(&Forger, Kind, &[Field])) {
    for version in VERSIONS {
        let forger = Forger::new(version, 7);
        for kind in KINDS {
            check(&forger, kind, &forger.fields(kind));
        }
    }
}

#[track_caller]
fn accepted(forger: &Forger, kind: Kind, payload: &[u8]) {
    let message = forger.seal(kind, forger.version_byte(kind), payload);
    assert_eq!(forger.deliver(kind, &message), Ok(PLAINTEXT.to_vec()), "{kind:?} {payload:02x?}");
}

#[track_caller]
fn refused(forger: &Forger, kind: Kind, payload: &[u8]) {
    let message = forger.seal(kind, forger.version_byte(kind), payload);
    let malformed = Err(Refusal::Decode(DecodeError::Format));
    assert_eq!(forger.deliver(kind, &message), malformed, "{kind:?} {payload:02x?}");
}

/// The payload with the encoding of one field replaced.
fn with_field(fields: &[Field], place: usize, encoded: &[u8]) -> Vec<u8> {
    [&encode_all(&fields[..place]), encoded, &encode_all(&fields[place + 1..])].concat()
}

/// An integer in one byte more than it needs.
fn over_long(integer: u64) -> Vec<u8> {
    let mut bytes = naive::codec::encode_varint(integer);
    *bytes.last_mut().unwrap() |= 0x80;
    bytes.push(0);
    bytes
}

fn permutations(fields: &[Field]) -> Vec<Vec<Field>> {
    if fields.is_empty() {
        return vec![Vec::new()];
    }
    let mut all = Vec::new();
    for place in 0..fields.len() {
        let mut rest = fields.to_vec();
        let first = rest.remove(place);
        for mut permutation in permutations(&rest) {
            permutation.insert(0, first.clone());
            all.push(permutation);
        }
    }
    all
}

/// S-07: the order of fields is free.
#[test]
fn fields_may_come_in_any_order() {
    for_each_kind(|forger, kind, fields| {
        for permutation in permutations(fields) {
            accepted(forger, kind, &encode_all(&permutation));
        }
    });
}

/// S-07: no field may be missing, and no prefix of a message is a message.
#[test]
fn a_missing_field_is_refused() {
    for_each_kind(|forger, kind, fields| {
        for place in 0..fields.len() {
            refused(forger, kind, &with_field(fields, place, &[]));
        }
        let payload = encode_all(fields);
        for end in 0..payload.len() {
            refused(forger, kind, &payload[..end]);
        }
    });
}

/// S-07: no field may come twice, with the same value or another, wherever the second one is.
#[test]
fn a_repeated_field_is_refused() {
    for_each_kind(|forger, kind, fields| {
        for (number, value) in fields {
            let other = match value {
                Value::Integer(integer) => Value::Integer(integer + 1),
                Value::String(string) => Value::String(vec![9; string.len()]),
            };
            for second in [(*number, value.clone()), (*number, other)] {
                for place in 0..=fields.len() {
                    let mut repeated = fields.to_vec();
                    repeated.insert(place, second.clone());
                    refused(forger, kind, &encode_all(&repeated));
                }
            }
        }
    });
}

/// S-07: no field may be of another type, alone or beside the right one.
#[test]
fn a_field_of_another_type_is_refused() {
    for_each_kind(|forger, kind, fields| {
        for (place, (number, value)) in fields.iter().enumerate() {
            let retyped = match value {
                Value::Integer(_) => vec![Value::String(vec![]), Value::String(vec![5])],
                Value::String(_) => vec![Value::Integer(0), Value::Integer(32)],
            };
            for value in retyped {
                let retyped = encode(&(*number, value));
                refused(forger, kind, &with_field(fields, place, &retyped));
                refused(forger, kind, &[retyped.clone(), encode_all(fields)].concat());
                refused(forger, kind, &[encode_all(fields), retyped].concat());
            }
            let encoded = encode(&(*number, value.clone()));
            for wire_type in [1, 3, 4, 5, 6, 7] {
                let mut retyped = encoded.clone();
                retyped[0] = retyped[0] & !7 | wire_type;
                refused(forger, kind, &with_field(fields, place, &retyped));
            }
        }
    });
}

/// S-07: integers are in their shortest form, in tags, lengths and values, of unknown fields, too.
#[test]
fn an_over_long_integer_is_refused() {
    for_each_kind(|forger, kind, fields| {
        let known = fields.iter().cloned().enumerate();
        let unknown = [(9, Value::Integer(300)), (9, Value::String(vec![1]))];
        let unknown = unknown.map(|field| (fields.len(), field));
        for (place, (number, value)) in known.chain(unknown) {
            let (wire_type, integer, string) = match value {
                Value::Integer(integer) => (0, integer, vec![]),
                Value::String(string) => (2, string.len() as u64, string),
            };
            let short = naive::codec::encode_varint;
            let rest = fields.get(place + 1..).unwrap_or_default();
            let with = |tag: Vec<u8>, integer: Vec<u8>| {
                let before = encode_all(&fields[..place]);
                [before, tag, integer, string.clone(), encode_all(rest)].concat()
            };
            let tag = number << 3 | wire_type;
            accepted(forger, kind, &with(short(tag), short(integer)));
            refused(forger, kind, &with(over_long(tag), short(integer)));
            refused(forger, kind, &with(short(tag), over_long(integer)));
        }
    });
}

/// S-07: unknown fields of the types integer and string are skipped, wherever they are.
#[test]
fn unknown_fields_are_skipped() {
    for_each_kind(|forger, kind, fields| {
        for number in [5, 6, 15, 16, 0x7ff, 1 << 20, (1 << 29) - 1] {
            for value in [
                Value::Integer(0),
                Value::Integer(u64::MAX),
                Value::String(vec![]),
                Value::String(vec![0x0a; 300]),
            ] {
                for place in 0..=fields.len() {
                    let mut extended = fields.to_vec();
                    extended.insert(place, (number, value.clone()));
                    accepted(forger, kind, &encode_all(&extended));
                }
            }
        }
    });
}

/// S-07: field number 0 does not exist, other types are not in the formats, and a string may not
/// claim more than there is.
#[test]
fn impossible_fields_are_refused() {
    for_each_kind(|forger, kind, fields| {
        let genuine = encode_all(fields);
        let mut impossible = vec![
            encode(&(0, Value::Integer(5))),
            encode(&(0, Value::String(vec![1, 2, 3]))),
            // A tag without a value, a string one byte short, and integers that do not end or fit.
            vec![0x48],
            vec![0x4a],
            vec![0x4a, 2, 0],
            vec![0x48, 0x80],
            [vec![0x48], vec![0xff; 9], vec![0x02]].concat(),
            [vec![0x48], vec![0x80; 10], vec![0x01]].concat(),
        ];
        for wire_type in [1, 3, 4, 5, 6, 7] {
            // Enough bytes for a fixed value, and the end of a group.
            impossible.push([&[9 << 3 | wire_type][..], &[0; 8], &[9 << 3 | 4]].concat());
            impossible.push(vec![9 << 3 | wire_type]);
        }
        for field in impossible {
            refused(forger, kind, &[genuine.clone(), field.clone()].concat());
        }
        for claim in [1 << 7, 1 << 31, 1 << 32, 1 << 63, u64::MAX] {
            let length = naive::codec::encode_varint(claim);
            refused(forger, kind, &[genuine.as_slice(), &[0x4a], &length].concat());
        }
    });
}

/// S-07: a field number is compared whole: none is mistaken for another that is equal modulo a
/// power of two.
#[test]
fn a_field_number_is_not_truncated() {
    for_each_kind(|forger, kind, fields| {
        for (place, (number, value)) in fields.iter().enumerate() {
            for distance in [1 << 5, 1 << 8, 1 << 16, 1 << 28, 1 << 29, 1 << 32, 1 << 60] {
                let moved = encode(&(number + distance, value.clone()));
                refused(forger, kind, &with_field(fields, place, &moved));
            }
        }
    });
}

/// S-07: an index that does not fit 32 bits is refused, not truncated; a key has 32 bytes.
#[test]
fn values_out_of_range_are_refused() {
    for_each_kind(|forger, kind, fields| {
        for (place, (number, value)) in fields.iter().enumerate() {
            match value {
                Value::Integer(integer) => {
                    for distance in [1 << 32, 1 << 40, 1 << 63] {
                        let index = encode(&(*number, Value::Integer(integer + distance)));
                        refused(forger, kind, &with_field(fields, place, &index));
                    }
                }
                Value::String(string) if string.len() == 32 && !is_ciphertext(kind, *number) => {
                    for length in [0, 1, 31, 33, 64] {
                        let mut key = string.clone();
                        key.resize(length, 0);
                        let key = encode(&(*number, Value::String(key)));
                        refused(forger, kind, &with_field(fields, place, &key));
                    }
                }
                Value::String(_) => {}
            }
        }
    });
}

fn is_ciphertext(kind: Kind, number: u64) -> bool {
    number == if kind == Kind::Megolm { 2 } else { 4 }
}

/// S-07: a message inside a pre-key message ends where its field ends.
#[test]
fn an_inner_message_that_is_cut_off_is_refused() {
    for version in VERSIONS {
        let forger = Forger::new(version, 8);
        let fields = forger.fields(Kind::PreKey);
        let Value::String(inner) = &fields[3].1 else { panic!("a message is a string") };
        for end in 1..inner.len() {
            let cut = encode(&(4, Value::String(inner[..end].to_vec())));
            let message = forger.seal(Kind::PreKey, 3, &with_field(&fields, 3, &cut));
            let refusal = forger.deliver(Kind::PreKey, &message).unwrap_err();
            assert_eq!(refusal, Refusal::Decode(DecodeError::Format), "cut at {end}");
        }
    }
}
