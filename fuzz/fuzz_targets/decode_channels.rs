//! S-02: decodes any bytes as messages of ECIES, HPKE and backups, as files of exported keys, as
//! passphrase pickles, and as the plaintext of an Olm event. The first byte chooses the format.
#![no_main]

use std::cell::RefCell;

use libfuzzer_sys::fuzz_target;
use moceril::{
    PassphraseCost, PassphraseKey,
    backup::{BackupDecryptionKey, BackupMessage},
    device_keys::DeviceKeys,
    ecies::{self, Ecies},
    hpke::{self, HpkeRecipientChannel},
    key_export::{self, KeyExportError, Verifier},
    olm::DecryptedMessage,
    payload::{Device, OlmPayload},
};
use moceril_testing::{
    fixtures::{Carrier, Devices},
    rng::SeededRng,
};

fuzz_target!(|data: &[u8]| {
    let Some((kind, rest)) = data.split_first() else { return };
    let text = str::from_utf8(rest).unwrap_or("");
    match kind % 7 {
        0 => ecies_messages(text),
        1 => hpke_messages(rest, text),
        2 => backup_message(text),
        3 => key_export(text),
        4 => {
            let limit = PassphraseCost { memory_kib: 64, passes: 1, lanes: 1 };
            drop(PassphraseKey::for_pickle(text, "passphrase", limit));
        }
        5 => payload(rest),
        _ => payload_of(text),
    }
});

/// The file in pieces gives what the whole file gives.
fn key_export(file: &str) {
    let whole = key_export::decrypt(file, "passphrase", 10);
    let length = file.len() % 100 + 1;
    let pieces = || file.as_bytes().chunks(length);
    let mut verifier = Verifier::new("passphrase", 10);
    pieces().for_each(|piece| verifier.update(piece));
    let mut decryptor = match (verifier.finish(), &whole) {
        (Ok(decryptor), _) => decryptor,
        (Err(error), whole) => return assert_eq!(whole.as_ref().err(), Some(&error)),
    };
    let mut json: Vec<u8> = Vec::new();
    for piece in pieces() {
        json.extend(decryptor.update(piece).expect("it was verified"));
    }
    json.extend(decryptor.finish().expect("it was verified"));
    match whole {
        Ok(whole) => assert_eq!(json, whole.as_bytes()),
        Err(error) => assert_eq!(error, KeyExportError::NotText),
    }
}

fn ecies_messages(text: &str) {
    if let Ok(message) = ecies::Message::decode(text) {
        assert_eq!(ecies::Message::decode(&message.encode()).as_ref(), Ok(&message));
    }
    if let Ok(message) = ecies::InitialMessage::decode(text) {
        assert_eq!(ecies::InitialMessage::decode(&message.encode()).as_ref(), Ok(&message));
        let ecies = Ecies::with_rng(&mut SeededRng::new(1)).unwrap();
        assert!(ecies.establish_inbound_channel(&message).is_err());
    }
}

fn hpke_messages(bytes: &[u8], text: &str) {
    if let Ok(message) = hpke::Message::decode(text) {
        assert_eq!(hpke::Message::decode(&message.encode()).as_ref(), Ok(&message));
    }
    if let Ok(response) = hpke::InitialResponse::from_bytes(bytes) {
        assert_eq!(response.to_bytes(), bytes);
    }
    let read = [hpke::InitialMessage::from_bytes(bytes), hpke::InitialMessage::decode(text)];
    for message in read.into_iter().flatten() {
        assert_eq!(hpke::InitialMessage::from_bytes(&message.to_bytes()).as_ref(), Ok(&message));
        let recipient = HpkeRecipientChannel::with_rng(&mut SeededRng::new(1)).unwrap();
        assert!(recipient.establish_channel(&message, b"").is_err());
    }
}

/// Three texts with a space between.
fn backup_message(text: &str) {
    let mut parts = text.splitn(3, ' ');
    let mut part = || parts.next().unwrap_or("");
    if let Ok(message) = BackupMessage::from_base64(part(), part(), part()) {
        let text = message.to_base64();
        let again = BackupMessage::from_base64(&text.ciphertext, &text.mac, &text.ephemeral_key);
        assert_eq!(again.as_ref(), Ok(&message));
        drop(BackupDecryptionKey::from_bytes([1; 32]).decrypt_unauthenticated(&message));
    }
}

thread_local! {
    /// Made once: it costs more than all that is tried with it.
    static ENDS: RefCell<(Devices, Carrier)> = RefCell::new({
        let mut devices = Devices::new(1);
        let carrier = Carrier::between(&mut devices);
        (devices, carrier)
    });
}

fn ends() -> [Device<'static>; 2] {
    ENDS.with_borrow(|(devices, _)| {
        [("@alice:example.org", &devices.alice), ("@bob:example.org", &devices.bob)]
            .map(|(user_id, account)| Device { user_id, keys: account.identity_keys() })
    })
}

fn device_keys() -> DeviceKeys {
    ENDS.with_borrow(|(devices, _)| {
        DeviceKeys::new(&devices.alice, "@alice:example.org", "ALICE").unwrap()
    })
}

/// A message from Alice to Bob.
fn message(plaintext: &[u8]) -> DecryptedMessage {
    ENDS.with_borrow_mut(|(_, carrier)| carrier.carry(plaintext))
}

fn payload(plaintext: &[u8]) {
    let [alice, bob] = ends();
    drop(OlmPayload::verify(&message(plaintext), &alice, &bob));
}

/// What we write we read: `text` as the content of an event.
fn payload_of(text: &str) {
    let [alice, bob] = ends();
    if let Ok(encoded) = OlmPayload::encode("m.test", text, &alice, &bob) {
        let message = message(encoded.as_bytes());
        let verified = OlmPayload::verify(&message, &alice, &bob).expect("we read what we write");
        assert_eq!(&*verified.content, text.trim_matches([' ', '\t', '\n', '\r']));
        let keys = device_keys();
        let encoded = OlmPayload::encode_with_device_keys("m.test", text, &keys, &bob).unwrap();
        let message = self::message(encoded.as_bytes());
        let again = OlmPayload::verify(&message, &alice, &bob).expect("we read what we write");
        assert_eq!(again.sender_device_keys, Some(keys));
        assert_eq!(*again.content, *verified.content);
    }
}
