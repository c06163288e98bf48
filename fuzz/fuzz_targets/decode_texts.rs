//! S-02, S-06: the texts of the Matrix specification: recovery keys, canonical and signed JSON, the
//! objects of devices and users, secret storage, and files of exported keys. The first byte chooses
//! the format.
#![no_main]

use libfuzzer_sys::fuzz_target;
use moceril::{
    SecretString,
    backup::BackupDecryptionKey,
    canonical_json::{self, MAX_INTEGER},
    cross_signing::MasterKey,
    device_keys::DeviceKeys,
    key_export,
    olm::Account,
    secret_storage::{EncryptedSecret, KeyDescription, SecretStorageKey},
    signed_json,
};
use moceril_testing::{fixtures::Devices, rng::SeededRng};
use serde_json::Value;

const USER: &str = "@alice:example.org";
const DEVICE: &str = "DEVICE";

fuzz_target!(|data: &[u8]| {
    let Some((kind, rest)) = data.split_first() else { return };
    let Ok(text) = str::from_utf8(rest) else { return };
    match kind % 6 {
        0 => recovery_key(text),
        1 => json(text, canonical),
        2 => json(text, signed),
        3 => json(text, secret_storage),
        4 => secret(text),
        _ => key_file(text),
    }
});

fn json(text: &str, check: fn(Value)) {
    if let Ok(value) = serde_json::from_str(text) {
        check(value);
    }
}

fn recovery_key(text: &str) {
    // With the vertical tab, which `is_ascii_whitespace` does not count.
    let is_space = |letter: char| letter.is_ascii() && letter.is_whitespace();
    let letters = |text: &str| text.replace(is_space, "");
    if let Ok(key) = BackupDecryptionKey::from_recovery_key(text) {
        let written = key.to_recovery_key();
        assert_eq!(letters(&written), letters(text));
        let again = BackupDecryptionKey::from_recovery_key(&written).unwrap();
        assert_eq!(again.to_bytes(), key.to_bytes());
    }
}

/// serde_json writes an object in the order of its map, which is that of the bytes of the names,
/// and escapes what must be escaped. So its text is the canonical one if all numbers are.
fn canonical(value: Value) {
    let expected = has_safe_integers(&value).then(|| value.to_string());
    let found = canonical_json::to_string(&value);
    assert_eq!(found.as_ref().ok(), expected.as_ref());
    if let Ok(text) = found {
        let again: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(again, value);
        assert_eq!(canonical_json::to_string(&again), Ok(text));
    }
}

fn has_safe_integers(value: &Value) -> bool {
    match value {
        Value::Number(number) => {
            number.as_i64().is_some_and(|number| (-MAX_INTEGER..=MAX_INTEGER).contains(&number))
        }
        Value::Array(items) => items.iter().all(has_safe_integers),
        Value::Object(members) => members.values().all(has_safe_integers),
        _ => true,
    }
}

thread_local! {
    static ACCOUNT: Account = Devices::new(1).alice;
}

/// An object that the device has signed, whatever else is in it.
fn signed(mut object: Value) {
    ACCOUNT.with(|account| {
        let key = account.ed25519_key();
        if let Some(keys) = object.get_mut("keys").and_then(Value::as_object_mut) {
            keys.insert(format!("ed25519:{DEVICE}"), key.to_base64().into());
        }
        let covered = signed_json::signed_part(&object);
        let before = object.clone();
        if signed_json::sign(&mut object, USER, DEVICE, account).is_err() {
            assert_eq!(object["signatures"][USER], before["signatures"][USER]);
            return;
        }
        assert_eq!(signed_json::signed_part(&object), covered);
        signed_json::verify(&object, USER, DEVICE, &key).unwrap();
        if let Ok(device) = DeviceKeys::verify(object.clone(), USER, DEVICE) {
            assert_eq!((device.identity_keys().ed25519, device.to_json()), (key, object.clone()));
            _ = device.verify_one_time_key(&object);
        }
        if let Ok(master) = MasterKey::read(object.clone(), USER) {
            assert_eq!(master.to_json(), object);
            drop(master.verify_self_signing_key(object.clone()));
        }
        // One more member, and the signature is wrong.
        if let Some(members) = object.as_object_mut() {
            members.insert(String::from("added"), Value::Null);
            let changed = signed_json::signed_part(&object) != covered;
            assert_eq!(signed_json::verify(&object, USER, DEVICE, &key).is_err(), changed);
        }
    });
}

fn storage_key() -> SecretStorageKey {
    SecretStorageKey::from_bytes([1; 32])
}

fn secret_storage(object: Value) {
    if let Ok(description) = KeyDescription::from_json(&object) {
        _ = description.check(&storage_key());
        if let Some(parameters) = &description.passphrase {
            drop(SecretStorageKey::from_passphrase("passphrase", parameters, 10));
        }
        assert_eq!(KeyDescription::from_json(&description.to_json()), Ok(description));
    }
    if let Ok(secret) = EncryptedSecret::from_json(&object) {
        drop(storage_key().decrypt("name", &secret));
        assert_eq!(EncryptedSecret::from_json(&secret.to_json()), Ok(secret));
    }
}

/// What we write we read, and under no other name.
fn secret(text: &str) {
    let key = storage_key();
    let secret = key
        .encrypt_with_rng("name", &SecretString::from(text.to_owned()), &mut SeededRng::new(1))
        .unwrap();
    assert_eq!(key.decrypt("name", &secret).as_deref(), Ok(text));
    assert!(key.decrypt("another", &secret).is_err());
}

/// A genuine file with a text inserted somewhere is read as it was written, or not at all.
fn key_file(text: &str) {
    thread_local! {
        static FILE: String = {
            let json = &SecretString::from(r#"[{"session_key":"key"}]"#.to_owned());
            let rng = &mut SeededRng::new(1);
            key_export::encrypt_weak_with_rng(json, "passphrase", 1, rng).unwrap()
        };
    }
    let mut characters = text.chars();
    let place = characters.next().map_or(0, |place| place as usize);
    FILE.with(|file| {
        let mut altered = file.clone();
        altered.insert_str(place % (file.len() + 1), characters.as_str());
        if let Ok(json) = key_export::decrypt(&altered, "passphrase", 1) {
            assert_eq!(&*json, r#"[{"session_key":"key"}]"#);
        }
        drop(key_export::decrypt(text, "passphrase", 10));
    });
}
