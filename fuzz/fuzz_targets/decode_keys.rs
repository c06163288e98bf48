//! S-02, S-01, S-14, S-30: any bytes and any text to everything that reads keys and small formats.
//! What is accepted is written again as it was.
#![no_main]

use libfuzzer_sys::fuzz_target;
use moceril::{
    Curve25519PublicKey, Ed25519PublicKey, Ed25519SecretKey, Ed25519Signature,
    backup::BackupDecryptionKey,
    megolm::{ExportedSessionKey, MegolmMessage, SessionKey},
    olm::{Message, PreKeyMessage},
    qr_code::QrCode,
};

fuzz_target!(|data: &[u8]| {
    bytes(data);
    if let Ok(data) = str::from_utf8(data) {
        text(data);
    }
});

fn bytes(data: &[u8]) {
    if let Ok(key) = Curve25519PublicKey::from_slice(data) {
        assert_eq!(key.as_bytes(), data);
    }
    if let Ok(key) = Ed25519PublicKey::from_slice(data) {
        assert_eq!(key.as_bytes(), data);
    }
    if let Ok(key) = SessionKey::from_bytes(data) {
        assert_eq!(key.to_bytes(), data);
    }
    if let Ok(key) = ExportedSessionKey::from_bytes(data) {
        assert_eq!(key.to_bytes(), data);
    }
    if let Ok(code) = QrCode::from_bytes(data) {
        assert_eq!(*code.to_bytes(), *data);
    }
}

/// What a text entry point reads, written again.
type Read = fn(&str) -> Option<String>;

fn text(data: &str) {
    let unpadded = data.trim_end_matches('=');
    let read: [(&str, Read); 10] = [
        ("Curve25519 key", |text| Some(Curve25519PublicKey::from_base64(text).ok()?.to_base64())),
        ("Ed25519 key", |text| Some(Ed25519PublicKey::from_base64(text).ok()?.to_base64())),
        ("signature", |text| Some(Ed25519Signature::from_base64(text).ok()?.to_base64())),
        ("message", |text| Some(Message::from_base64(text).ok()?.to_base64())),
        ("pre-key message", |text| Some(PreKeyMessage::from_base64(text).ok()?.to_base64())),
        ("group message", |text| Some(MegolmMessage::from_base64(text).ok()?.to_base64())),
        ("session key", |text| Some(SessionKey::from_base64(text).ok()?.to_base64().to_string())),
        ("exported session key", |text| {
            Some(ExportedSessionKey::from_base64(text).ok()?.to_base64().to_string())
        }),
        ("secret key", |text| {
            Some(Ed25519SecretKey::from_base64(text).ok()?.to_base64().to_string())
        }),
        ("backup key", |text| {
            Some(BackupDecryptionKey::from_base64(text).ok()?.to_base64().to_string())
        }),
    ];
    for (name, read) in read {
        if let Some(written) = read(data) {
            assert_eq!(written, unpadded, "{name}");
            // S-30: padding makes no difference, if it is right.
            assert_eq!(read(unpadded).as_ref(), Some(&written), "{name}");
        }
    }
}
