//! Decoding and encoding. Every value of a positive file is compared, and so is the encoding.

use std::time::Duration;

use moceril::{
    MessageVersion,
    megolm::{
        DecryptionError, ExportedSessionKey, GroupSession, InboundGroupSession, MegolmMessage,
        SessionKey,
    },
    olm::{Message, OlmMessage, PreKeyMessage},
};

use crate::refusal::{decode_layer, session_key_layer};
use moceril_testing::vector_file::{Layer, VectorFile};

/// What the input decodes to; `None` after the layer that the file names has refused it.
fn decoded<T, E>(file: &VectorFile, result: Result<T, E>, layer: impl Fn(E) -> Layer) -> Option<T> {
    match (file.expect, result.map_err(layer)) {
        (None, Ok(value)) => Some(value),
        (Some(expected), Err(layer)) => {
            assert_eq!(layer, expected, "refused by another layer");
            None
        }
        (None, Err(layer)) => panic!("refused as {layer:?}"),
        (Some(expected), Ok(_)) => panic!("accepted, not refused as {expected:?}"),
    }
}

/// The text that encoding gives back: the input without padding, which decoding accepts as well.
fn unpadded<'a>(file: &'a VectorFile, key: &str) -> &'a str {
    file.text(key).trim_end_matches('=')
}

fn check_version_and_mac(file: &VectorFile, version: MessageVersion, authenticated: &[u8]) {
    assert_eq!(u32::from(version.byte()), file.number("version"));
    let mac = file.bytes("mac");
    assert_eq!(mac.len(), version.mac_length());
    assert!(authenticated.ends_with(&mac));
}

pub fn olm_message(file: &VectorFile) {
    let result = Message::from_base64(file.text("message"));
    let typed = OlmMessage::from_parts(1, file.text("message"));
    assert_eq!(typed, result.clone().map(OlmMessage::Normal));
    let Some(message) = decoded(file, result, decode_layer) else { return };

    check_version_and_mac(file, message.version(), message.as_bytes());
    assert_eq!(message.ratchet_key().to_base64(), file.text("ratchet-key"));
    assert_eq!(message.chain_index(), file.number("index"));
    assert_eq!(message.ciphertext(), file.bytes("ciphertext"));
    assert_eq!(message.to_base64(), unpadded(file, "message"));
    assert_eq!(Message::from_bytes(message.as_bytes()), Ok(message));
}

pub fn pre_key_message(file: &VectorFile) {
    let result = PreKeyMessage::from_base64(file.text("message"));
    let typed = OlmMessage::from_parts(0, file.text("message"));
    assert_eq!(typed, result.clone().map(OlmMessage::PreKey));
    let Some(message) = decoded(file, result, decode_layer) else { return };

    let keys = message.session_keys();
    assert_eq!(keys.one_time_key.to_base64(), file.text("one-time-key"));
    assert_eq!(keys.base_key.to_base64(), file.text("base-key"));
    assert_eq!(keys.identity_key.to_base64(), file.text("identity-key"));
    assert_eq!(message.identity_key(), keys.identity_key);
    assert_eq!(message.message().to_base64(), file.text("inner"));
    assert_eq!(Message::from_base64(file.text("inner")).as_ref(), Ok(message.message()));
    assert_eq!(message.to_base64(), unpadded(file, "message"));
    assert_eq!(PreKeyMessage::from_bytes(message.as_bytes()), Ok(message));
}

pub fn megolm_message(file: &VectorFile) {
    let result = MegolmMessage::from_base64(file.text("message"));
    let Some(message) = decoded(file, result, decode_layer) else { return };

    let signature = message.signature().as_bytes();
    let signed = message.as_bytes().strip_suffix(signature).expect("the signature comes last");
    check_version_and_mac(file, message.version(), signed);
    assert_eq!(message.signature().to_base64(), file.text("signature"));
    assert_eq!(message.message_index(), file.number("index"));
    assert_eq!(message.ciphertext(), file.bytes("ciphertext"));
    assert_eq!(message.to_base64(), unpadded(file, "message"));
    assert_eq!(MegolmMessage::from_bytes(message.as_bytes()), Ok(message));
}

/// Where the ratchet is in the bytes of both formats: after the version and the index.
const RATCHET: std::ops::Range<usize> = 5..133;

pub fn session_key(file: &VectorFile) {
    let result = SessionKey::from_base64(file.text("key"));
    let Some(key) = decoded(file, result, session_key_layer) else { return };

    assert_eq!(key.index(), file.number("index"));
    assert_eq!(key.to_bytes()[RATCHET], file.bytes("ratchet"));
    assert_eq!(key.signing_key().to_base64(), file.text("signing-key"));
    assert_eq!(key.session_id(), file.text("signing-key"));
    assert_eq!(&*key.to_base64(), unpadded(file, "key"));
    assert_eq!(SessionKey::from_bytes(&key.to_bytes()).unwrap().to_bytes(), key.to_bytes());
    let session = InboundGroupSession::new(&key);
    let exported = session.export_at_first_known_index().unwrap().to_bytes();
    assert_eq!(exported[1..], key.to_bytes()[1..exported.len()]);
}

pub fn exported_session_key(file: &VectorFile) {
    let result = ExportedSessionKey::from_base64(file.text("key"));
    let result = result.map_err(session_key_layer).and_then(|key| {
        // That the signing key is a point is checked with the first message.
        let message =
            GroupSession::new(Duration::ZERO).unwrap().encrypt(b"of another session").unwrap();
        match InboundGroupSession::import(&key).decrypt(&message) {
            Err(DecryptionError::InvalidSigningKey) => Err(Layer::Key),
            _ => Ok(key),
        }
    });
    let Some(key) = decoded(file, result, |layer| layer) else { return };

    assert_eq!(key.index(), file.number("index"));
    assert_eq!(key.to_bytes()[RATCHET], file.bytes("ratchet"));
    assert_eq!(key.signing_key().to_base64(), file.text("signing-key"));
    assert_eq!(key.session_id(), file.text("signing-key"));
    assert_eq!(&*key.to_base64(), unpadded(file, "key"));
    assert_eq!(ExportedSessionKey::from_bytes(&key.to_bytes()).unwrap().to_bytes(), key.to_bytes());
    let session = InboundGroupSession::import(&key);
    let exported = session.export_at_first_known_index().unwrap();
    assert_eq!(exported.to_bytes(), key.to_bytes());
}
