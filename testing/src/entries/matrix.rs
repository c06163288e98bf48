//! What the Matrix specification puts around Olm and Megolm, and raw ciphers.

pub mod key_export {
    use moceril::key_export::{self, KeyExportError};

    use crate::{
        entries::{BytesEntry, Entry, TextEntry, layer, somewhere, verdict},
        rng::SeededRng,
    };

    layer!(KeyExportError);

    const ROUNDS: u32 = 2;

    fn file() -> String {
        let rng = &mut SeededRng::new(38);
        key_export::encrypt_weak_with_rng(&"[]".to_owned().into(), "passphrase", ROUNDS, rng)
            .unwrap()
    }

    pub fn text_entry() -> TextEntry {
        let file = file();
        let lines: Vec<_> = file.lines().collect();
        let [header, text @ .., trailer] = lines.as_slice() else { panic!("{file}") };
        let genuine = text.concat().trim_end_matches('=').to_owned();
        let [header, trailer] = [header, trailer].map(|line| (*line).to_owned());
        let entry =
            Entry::new("key_export::decrypt, between the lines", genuine, move |text: &str| {
                let file = format!("{header}{text}{trailer}");
                verdict(key_export::decrypt(&file, "passphrase", ROUNDS))
            });
        Entry { lines: true, ..entry }
    }

    pub fn bytes_entry() -> BytesEntry {
        Entry::new("key_export::decrypt", file(), |bytes: &[u8]| {
            let file = String::from_utf8_lossy(bytes);
            somewhere(key_export::decrypt(&file, "passphrase", ROUNDS).is_ok())
        })
    }
}

pub mod payload {
    use std::cell::RefCell;

    use moceril::payload::{Device, OlmPayload};

    use crate::{
        entries::{BytesEntry, Entry, somewhere},
        fixtures::{Carrier, Devices},
    };

    pub fn bytes_entries() -> [BytesEntry; 2] {
        let mut devices = Devices::new(39);
        let carrier = RefCell::new(Carrier::between(&mut devices));
        let [alice, bob] = [("@alice:a", &devices.alice), ("@bob:b", &devices.bob)]
            .map(|(user_id, account)| Device { user_id, keys: account.identity_keys() });
        let payload = OlmPayload::encode("m.dummy", "{}", &alice, &bob).unwrap();
        let verify = move |plaintext: &[u8]| {
            let message = carrier.borrow_mut().carry(plaintext);
            somewhere(OlmPayload::verify(&message, &alice, &bob).is_ok())
        };
        let encode = move |content: &[u8]| {
            let content = String::from_utf8_lossy(content);
            somewhere(OlmPayload::encode("m.dummy", &content, &alice, &bob).is_ok())
        };
        [
            Entry::new("OlmPayload::verify", payload.as_bytes(), verify),
            Entry::new("OlmPayload::encode", r#"{"a":[{"b":1}]}"#, encode),
        ]
    }
}

pub mod json {
    use std::time::Duration;

    use moceril::{
        MessageVersion,
        backup::BackupDecryptionKey,
        backup_file::{self, BackedUpKey, BackupReader, BackupVersion},
        canonical_json,
        cross_signing::CrossSigningKeys,
        device_keys::DeviceKeys,
        events::{MegolmContent, OlmContent},
        megolm::{InboundGroupSession, RotationPolicy},
        olm::OlmMessage,
        room_keys::{self, ExportedRoomKey, RoomKey},
        secret_storage::{EncryptedSecret, KeyDescription, SecretStorageKey},
    };
    use serde_json::{Value, json};

    use crate::{
        entries::{BytesEntry, Entry, somewhere},
        fixtures::{Devices, group},
        rng::SeededRng,
        states,
    };

    const USER: &str = "@alice:a";

    /// What reads a value of JSON.
    fn entry(
        name: &'static str,
        genuine: &Value,
        read: impl Fn(Value) -> bool + 'static,
    ) -> BytesEntry {
        Entry::new(name, genuine.to_string(), move |bytes: &[u8]| {
            somewhere(serde_json::from_slice(bytes).is_ok_and(&read))
        })
    }

    /// Room keys, and the contents of events.
    pub fn megolm_entries() -> [BytesEntry; 5] {
        let mut devices = Devices::new(41);
        let version = MessageVersion::V3;
        let (_, pre_key) = devices.outbound(&devices.one_time_bundle(), version);
        let [alice, bob] = [&devices.alice, &devices.bob].map(|account| account.curve25519_key());
        let device = devices.alice.identity_keys();
        let olm = OlmContent { sender_key: alice, message: OlmMessage::PreKey(pre_key) };
        let (mut sender, receiver) = group(version, 41);
        let shared = RoomKey::new("!a:b", sender.session_key()).to_json().unwrap();
        let exported = ExportedRoomKey::new("!a:b", receiver.export_at(0).unwrap(), device);
        let file = room_keys::write_export(&[exported.clone(), exported]).unwrap();
        let message = sender.encrypt(b"to everybody").unwrap();
        let megolm = MegolmContent::new(&sender.session_id(), message).to_json();
        [
            Entry::new("RoomKey::from_json", shared.as_bytes(), |bytes: &[u8]| {
                somewhere(RoomKey::from_json(&String::from_utf8_lossy(bytes)).is_ok())
            }),
            Entry::new("room_keys::read_export", file.as_bytes(), |bytes: &[u8]| {
                let text = String::from_utf8_lossy(bytes);
                let keys: Result<Vec<_>, _> = room_keys::read_export(&text).collect();
                let keys = keys.unwrap_or_default();
                keys.iter().for_each(|key| drop(InboundGroupSession::import(&key.session_key)));
                somewhere(!keys.is_empty())
            }),
            entry("MegolmContent::from_json", &megolm, |json| {
                MegolmContent::from_json(&json).is_ok()
            }),
            entry("OlmContent::from_json", &olm.to_json(&bob), move |json| {
                OlmContent::from_json(&json, &bob).is_ok()
            }),
            // It takes the default for what it cannot read.
            entry("RotationPolicy::from_json", &json!({ "rotation_period_ms": 1 }), |json| {
                RotationPolicy::from_json(&json)
                    == RotationPolicy::new(100, Duration::from_millis(1))
            }),
        ]
    }

    /// The forms of an exported key.
    pub fn exported_entries() -> [BytesEntry; 3] {
        let (sender, receiver) = group(MessageVersion::V3, 43);
        let sender_keys = states::account(0, &mut SeededRng::new(43)).identity_keys();
        let exported = ExportedRoomKey::new("!a:b", receiver.export_at(0).unwrap(), sender_keys);
        let [file, backup, forwarded] = [
            ExportedRoomKey::to_json,
            ExportedRoomKey::to_backup_json,
            ExportedRoomKey::to_forwarded_json,
        ]
        .map(|write| write(&exported).unwrap());
        let id = sender.session_id();
        let text = String::from_utf8_lossy;
        [
            Entry::new("ExportedRoomKey::from_json", file.as_bytes(), move |bytes: &[u8]| {
                somewhere(ExportedRoomKey::from_json(&text(bytes)).is_ok())
            }),
            Entry::new("ExportedRoomKey::from_backup_json", backup.as_bytes(), move |bytes| {
                let read = ExportedRoomKey::from_backup_json(&text(bytes), "!a:b", &id);
                somewhere(read.is_ok())
            }),
            Entry::new(
                "ExportedRoomKey::from_forwarded_json",
                forwarded.as_bytes(),
                move |bytes| somewhere(ExportedRoomKey::from_forwarded_json(&text(bytes)).is_ok()),
            ),
        ]
    }

    /// What a server answers about a backup, in which it chooses everything.
    pub fn backup_entries() -> [BytesEntry; 4] {
        let rng = &mut SeededRng::new(42);
        let (_, receiver) = group(MessageVersion::V3, 42);
        let sender = states::account(0, rng).identity_keys();
        let exported = ExportedRoomKey::new("!a:b", receiver.export_at(0).unwrap(), sender);
        let secret = BackupDecryptionKey::from_bytes([1; 32]);
        let public = secret.public_key();
        let key = BackedUpKey::encrypt_with_rng(&exported, &secret.encryption_key(), rng).unwrap();
        let id = key.session_id.clone();
        let backup = backup_file::write(&[key]);
        let value: Value = serde_json::from_str(&backup).unwrap();
        let room = &value["rooms"]["!a:b"];
        let version = BackupVersion::new(public).to_json();
        let all = |reader: BackupReader<'_>| {
            let keys: Result<Vec<_>, _> = reader.collect();
            keys.is_ok_and(|keys| !keys.is_empty())
        };
        let text = |name, genuine: String, read: fn(&str) -> bool| {
            Entry::new(name, genuine, move |bytes: &[u8]| {
                somewhere(read(&String::from_utf8_lossy(bytes)))
            })
        };
        [
            Entry::new("BackupReader::new", backup, move |bytes: &[u8]| {
                let text = String::from_utf8_lossy(bytes);
                somewhere(BackupReader::new(&text).is_ok_and(all))
            }),
            Entry::new("BackupReader::of_room", room.to_string(), move |bytes: &[u8]| {
                let text = String::from_utf8_lossy(bytes);
                somewhere(BackupReader::of_room(&text, String::from("!a:b")).is_ok_and(all))
            }),
            text("BackedUpKey::from_json", room["sessions"][&id].to_string(), |json| {
                BackedUpKey::from_json(json, String::new(), String::new()).is_ok()
            }),
            text("BackupVersion::from_json", version.to_string(), |json| {
                BackupVersion::from_json(json).is_ok()
            }),
        ]
    }

    pub fn bytes_entries() -> [BytesEntry; 5] {
        let rng = &mut SeededRng::new(40);
        let device = DeviceKeys::new(&states::account(0, rng), USER, "A").unwrap().to_json();
        let keys = CrossSigningKeys::with_rng(USER, rng).unwrap().public_keys().unwrap();
        let key = SecretStorageKey::with_rng(rng).unwrap();
        let description = KeyDescription::of_with_rng(&key, rng).unwrap().to_json();
        let secret = key.encrypt_with_rng("a", &"b".to_owned().into(), rng).unwrap().to_json();
        let self_signing = keys.self_signing.to_json();
        let check_key = SecretStorageKey::from_bytes(key.to_bytes());
        [
            entry("canonical_json", &device, |json| canonical_json::to_string(&json).is_ok()),
            entry("DeviceKeys::verify", &device, |json| {
                DeviceKeys::verify(json, USER, "A").is_ok()
            }),
            entry("MasterKey::verify_self_signing_key", &self_signing, move |json| {
                keys.master.verify_self_signing_key(json).is_ok()
            }),
            entry("KeyDescription::check", &description, move |json| {
                KeyDescription::from_json(&json).is_ok_and(|found| found.check(&check_key).is_ok())
            }),
            entry("SecretStorageKey::decrypt", &secret, move |json| {
                EncryptedSecret::from_json(&json)
                    .is_ok_and(|found| key.decrypt("a", &found).is_ok())
            }),
        ]
    }
}

pub mod raw_cipher {
    use moceril::hazmat::Cipher;

    use crate::entries::{BytesEntry, Entry, somewhere};

    pub fn bytes_entries() -> [BytesEntry; 3] {
        let cipher = || Cipher::pickle(b"key");
        let ciphertext = cipher().encrypt(b"plaintext");
        let decrypt = move |bytes: &[u8]| somewhere(cipher().decrypt(bytes).is_some());
        let verify = move |bytes: &[u8]| somewhere(cipher().verify_mac(b"message", bytes));
        let key = |bytes: &[u8]| somewhere(Cipher::pickle(bytes).decrypt(b"").is_none());
        [
            Entry::new("Cipher::decrypt", ciphertext, decrypt).any_bytes(),
            Entry::new("Cipher::verify_mac", cipher().mac(b"message"), verify),
            Entry::new("Cipher::pickle", b"a key", key).any_bytes(),
        ]
    }
}
