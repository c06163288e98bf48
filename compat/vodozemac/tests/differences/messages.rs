//! README.md, "Stricter": how messages are written.

use vodozemac::{
    DecodeError,
    megolm::{GroupSession, MegolmMessage},
    olm::{Message, OlmMessage, PreKeyMessage, Session},
};

use super::{pair, sessions};

/// A field of the type "varint" that no message has.
const UNKNOWN: [u8; 2] = [0x78, 1];

/// The fields between the version and a tail of this length, each with its tag. In the messages
/// here no tag, length or number takes more than a byte.
fn fields(message: &[u8], tail: usize) -> Vec<Vec<u8>> {
    let mut rest = &message[1..message.len() - tail];
    let mut fields = Vec::new();
    while let [tag, next, ..] = rest {
        let length = if is_bytes(*tag) { 2 + usize::from(*next) } else { 2 };
        let (field, after) = rest.split_at(length);
        fields.push(field.to_vec());
        rest = after;
    }
    fields
}

fn is_bytes(tag: u8) -> bool {
    tag & 7 == 2
}

/// The message with other fields.
fn with(message: &[u8], tail: usize, fields: &[Vec<u8>]) -> Vec<u8> {
    [&message[..1], &fields.concat(), &message[message.len() - tail..]].concat()
}

/// All that must be refused.
fn spoilt(message: &[u8], tail: usize) -> Vec<Vec<u8>> {
    let genuine = fields(message, tail);
    let mut spoilt = Vec::new();
    for (place, field) in genuine.iter().enumerate() {
        let mut replace = |by: &[Vec<u8>]| {
            let mut fields = genuine.clone();
            fields.splice(place..=place, by.iter().cloned());
            spoilt.push(with(message, tail, &fields));
        };
        let (tag, first, rest) = (field[0], field[1], &field[2..]);
        // Missing, and twice.
        replace(&[]);
        replace(&[field.clone(), field.clone()]);
        // Its length or number in two bytes, where one is enough.
        replace(&[[&[tag, first | 0x80, 0], rest].concat()]);
        if is_bytes(tag) {
            // A number instead of bytes.
            replace(&[vec![tag ^ 2, 1]]);
        } else {
            // Bytes instead of a number, and a number of 2^32.
            replace(&[vec![tag | 2, 1, 0]]);
            replace(&[vec![tag, 0x80, 0x80, 0x80, 0x80, 0x10]]);
        }
    }
    // A tag without a value behind the last field.
    spoilt.push(with(message, tail, &[&genuine[..], &[vec![UNKNOWN[0]]]].concat()));
    spoilt
}

fn check(message: &[u8], tail: usize, count: usize, read: impl Fn(&[u8]) -> Option<DecodeError>) {
    assert_eq!(with(message, tail, &fields(message, tail)), message);
    assert!(read(message).is_none());
    let spoilt = spoilt(message, tail);
    assert_eq!(spoilt.len(), count);
    for (number, message) in spoilt.iter().enumerate() {
        let refused = read(message);
        assert!(matches!(refused, Some(DecodeError::ProtoBufError(_))), "{number}: {refused:?}");
    }
}

/// S-07: each field exactly once, with the right type, in the shortest form, and nothing else.
#[test]
fn s_07_fields() {
    let (_, _, _, message) = pair();
    check(&message.message().to_bytes(), 8, 14, |bytes| Message::from_bytes(bytes).err());
    check(&message.to_bytes(), 0, 17, |bytes| PreKeyMessage::from_bytes(bytes).err());
    let message = GroupSession::default().encrypt("hello");
    check(&message.to_bytes(), 8 + 64, 10, |bytes| MegolmMessage::from_bytes(bytes).err());
}

/// S-06: a message keeps the bytes it came from, also what nobody knows, and is authenticated by
/// them.
#[test]
fn s_06_bytes_are_kept() {
    let (mut sender, mut receiver) = sessions();
    let message = normal(&mut sender);
    let mut parts = fields(&message, 8);
    parts.push(UNKNOWN.to_vec());
    let changed = with(&message, 8, &parts);
    let read = Message::from_bytes(&changed).unwrap();
    assert_eq!(read.to_bytes(), changed);
    assert!(receiver.decrypt(&read.into()).is_err());
    receiver.decrypt(&Message::from_bytes(&message).unwrap().into()).unwrap();

    let message = GroupSession::default().encrypt("hello").to_bytes();
    let mut parts = fields(&message, 8 + 64);
    parts.insert(0, UNKNOWN.to_vec());
    let changed = with(&message, 8 + 64, &parts);
    assert_eq!(MegolmMessage::from_bytes(&changed).unwrap().to_bytes(), changed);
}

/// The normal message within the session's next pre-key message.
fn normal(session: &mut Session) -> Vec<u8> {
    let OlmMessage::PreKey(message) = session.encrypt("hello").unwrap() else { panic!() };
    message.message().to_bytes()
}
