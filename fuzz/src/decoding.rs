//! S-07: the library's decoder accepts exactly what the textbook decoder accepts, except keys that
//! S-01 refuses.

use moceril::{
    Curve25519PublicKey,
    megolm::MegolmMessage,
    olm::{Message, PreKeyMessage},
};

use moceril_testing::naive::codec::{self, NormalMessage};

pub fn message(bytes: &[u8]) {
    let ours = Message::from_bytes(bytes).ok();
    let textbook = codec::decode_normal(bytes).filter(is_good);
    assert_eq!(ours.is_some(), textbook.is_some());
    if let Some((ours, textbook)) = ours.zip(textbook) {
        same_message(&ours, &textbook, bytes);
    }
}

pub fn pre_key_message(bytes: &[u8]) {
    let ours = PreKeyMessage::from_bytes(bytes).ok();
    let textbook = codec::decode_pre_key(bytes).filter(|found| {
        let keys = [found.keys.one_time_key, found.keys.base_key, found.keys.identity_key];
        is_good(&found.message)
            && keys.into_iter().all(is_good_key)
            && !has_odd_field(&bytes[1..], &[0x0a, 0x12, 0x1a, 0x22])
    });
    assert_eq!(ours.is_some(), textbook.is_some());
    if let Some((ours, textbook)) = ours.zip(textbook) {
        let keys = ours.session_keys();
        assert_eq!(*keys.one_time_key.as_bytes(), textbook.keys.one_time_key);
        assert_eq!(*keys.base_key.as_bytes(), textbook.keys.base_key);
        assert_eq!(*keys.identity_key.as_bytes(), textbook.keys.identity_key);
        assert_eq!(ours.as_bytes(), bytes);
        same_message(ours.message(), &textbook.message, ours.message().as_bytes());
    }
}

pub fn group_message(bytes: &[u8]) {
    let ours = MegolmMessage::from_bytes(bytes).ok();
    let textbook = codec::decode_group(bytes)
        .filter(|found| !has_odd_field(&found.authenticated[1..], &[0x08, 0x12]));
    assert_eq!(ours.is_some(), textbook.is_some());
    if let Some((ours, textbook)) = ours.zip(textbook) {
        assert_eq!(ours.version().byte(), textbook.version);
        assert_eq!(ours.message_index(), textbook.message_index);
        assert_eq!(ours.ciphertext(), textbook.ciphertext);
        assert_eq!(*ours.signature().as_bytes(), textbook.signature);
        assert_eq!(ours.as_bytes(), bytes);
        assert_eq!(MegolmMessage::from_base64(&ours.to_base64()).as_ref(), Ok(&ours));
    }
}

fn same_message(ours: &Message, textbook: &NormalMessage, bytes: &[u8]) {
    assert_eq!(ours.version().byte(), textbook.version);
    assert_eq!(*ours.ratchet_key().as_bytes(), textbook.ratchet_key);
    assert_eq!(ours.chain_index(), textbook.chain_index);
    assert_eq!(ours.ciphertext(), textbook.ciphertext);
    assert_eq!(ours.as_bytes(), bytes);
    assert_eq!(Message::from_base64(&ours.to_base64()).as_ref(), Ok(ours));
}

fn is_good(message: &NormalMessage) -> bool {
    is_good_key(message.ratchet_key)
        && !has_odd_field(&message.authenticated[1..], &[0x0a, 0x10, 0x22])
}

fn is_good_key(key: [u8; 32]) -> bool {
    Curve25519PublicKey::from_bytes(key).is_ok()
}

/// A field of the format with another wire type, or the field number 0: unknown fields to the
/// textbook.
fn has_odd_field(fields: &[u8], format: &[u64]) -> bool {
    let fields = codec::decode_fields(fields).expect("it was decoded before");
    fields.iter().any(|(tag, _)| {
        let same_number = |known: &&u64| **known >> 3 == tag >> 3;
        tag >> 3 == 0 || format.iter().find(same_number).is_some_and(|known| known != tag)
    })
}
