//! S-29: what the JSON of Matrix prints. Published objects may be printed whole; what is made with
//! them holds no private key.

use std::fmt::Debug;

use moceril::{
    MessageVersion,
    backup::BackupDecryptionKey,
    backup_file::{self, BackedUpKey, BackupFileError, BackupRank, BackupReader, BackupVersion},
    canonical_json::{self, CanonicalJsonError},
    cross_signing::{CrossSigningKeys, MasterKey, PublicKeys, SelfSigningKey, UserSigningKey},
    device_keys::DeviceKeys,
    events::{EventError, MegolmContent, OlmContent},
    olm::OlmMessage,
    qr_code::{QrCode, QrCodeError, QrCodeMode},
    room_keys::{
        self, ExportReader, ExportedRoomKey, RoomKey, RoomKeyBundle, RoomKeyError, WithheldRoomKey,
    },
    secret_storage::{
        EncryptedSecret, KeyDescription, PassphraseParameters, SecretStorageError, SecretStorageKey,
    },
    signed_json::SignedJsonError,
};
use moceril_testing::{
    fixtures::{Devices, group},
    leaks::Secrets,
    rng::SeededRng,
    states,
};
use serde_json::{Value, json};

const USER: &str = "@alice:example.org";

fn not_in_any(secrets: &Secrets, printed: &[&dyn Debug]) {
    printed.iter().for_each(|value| secrets.not_in(*value));
}

#[test]
fn s_29_signed_objects() {
    let rng = &mut SeededRng::new(1);
    let keys = CrossSigningKeys::with_rng(USER, rng).unwrap();
    let mut secrets = Secrets::default();
    for key in [&keys.master, &keys.self_signing, &keys.user_signing] {
        secrets.add("private key", &key.to_bytes());
    }
    let public: PublicKeys = keys.public_keys().unwrap();
    let master: &MasterKey = &public.master;
    let self_signing: &SelfSigningKey = &public.self_signing;
    let user_signing: &UserSigningKey = &public.user_signing;
    let mut device = DeviceKeys::new(&states::account(0, rng), USER, "DEVICE").unwrap();
    keys.sign_device(&mut device).unwrap();
    let error: SignedJsonError = MasterKey::read(Value::Null, USER).unwrap_err();
    let number: CanonicalJsonError = canonical_json::to_string(&json!(1.5)).unwrap_err();
    not_in_any(&secrets, &[&keys, &public, master, self_signing, user_signing, &device]);
    not_in_any(&secrets, &[&error, &number]);
    secrets.not_in_text(&format!("{error} {number}"));
}

#[test]
fn s_29_qr_codes() {
    let key = states::account(0, &mut SeededRng::new(1)).ed25519_key();
    let mut secrets = Secrets::default();
    secrets.add("secret of the code", &[0xa7; 16]);
    let mode = QrCodeMode::OtherUser;
    let code: QrCode = QrCode::new(mode, "$event", key, key, [0xa7; 16]).unwrap();
    let error: QrCodeError = QrCode::from_bytes(&code.to_bytes()[..60]).unwrap_err();
    not_in_any(&secrets, &[&code, &mode, &error]);
    secrets.not_in_text(&error.to_string());
}

#[test]
fn s_29_secret_storage() {
    let rng = &mut SeededRng::new(2);
    let key = SecretStorageKey::with_rng(rng).unwrap();
    let mut secrets = Secrets::default();
    secrets.add("key", &key.to_bytes());
    secrets.add("secret", b"what nobody else may see");
    let stored: EncryptedSecret =
        key.encrypt_with_rng("name", &"what nobody else may see".to_owned().into(), rng).unwrap();
    let mut description: KeyDescription = KeyDescription::of_with_rng(&key, rng).unwrap();
    let parameters: PassphraseParameters = PassphraseParameters::with_rng(rng).unwrap();
    description.passphrase = Some(parameters.clone());
    let decrypted = key.decrypt("name", &stored).unwrap();
    let error: SecretStorageError = key.decrypt("another name", &stored).unwrap_err();
    not_in_any(&secrets, &[&key, &stored, &description, &parameters, &decrypted, &error]);
    secrets.not_in_text(&error.to_string());
}

#[test]
fn s_29_room_keys() {
    let (sender, receiver) = group(MessageVersion::V3, 3);
    let exported = receiver.export_at(0).unwrap();
    let mut secrets = Secrets::default();
    secrets.add("session key", &sender.session_key().to_bytes()[5..133]);
    secrets.add("exported session key", &exported.to_bytes()[5..133]);
    secrets.add("unknown member", b"an unknown member");
    let device = states::account(0, &mut SeededRng::new(4)).identity_keys();
    let mut key: ExportedRoomKey = ExportedRoomKey::new("!room:example.org", exported, device);
    let mut shared: RoomKey = RoomKey::new("!room:example.org", sender.session_key());
    key.other.insert(String::from("a"), json!("an unknown member"));
    shared.other = key.other.clone();
    let text = key.to_json().unwrap();
    let reader: ExportReader<'_> = room_keys::read_export(&text);
    let error: RoomKeyError = RoomKey::from_json(&text).unwrap_err();
    key.other.insert(String::from("shared_history"), json!(true));
    let withheld: WithheldRoomKey =
        WithheldRoomKey::new("!room:example.org", "A", device.curve25519, "m.unavailable");
    let bundle = room_keys::write_bundle(&[key.clone()], std::slice::from_ref(&withheld)).unwrap();
    let bundle: RoomKeyBundle = room_keys::read_bundle(&bundle, "!room:example.org").unwrap();
    not_in_any(&secrets, &[&key, &shared, &text, &reader, &error, &withheld, &bundle]);
    secrets.not_in_text(&error.to_string());
}

#[test]
fn s_29_backups() {
    let rng = &mut SeededRng::new(7);
    let (sender, receiver) = group(MessageVersion::V3, 8);
    let exported = receiver.export_at(0).unwrap();
    let private = BackupDecryptionKey::with_rng(rng).unwrap();
    let mut secrets = Secrets::default();
    secrets.add("session key", &sender.session_key().to_bytes()[5..133]);
    secrets.add("private key", &private.to_bytes());
    let device = states::account(0, rng).identity_keys();
    let key = ExportedRoomKey::new("!room:example.org", exported, device);
    let public = private.public_key();
    let stored: BackedUpKey =
        BackedUpKey::encrypt_with_rng(&key, &private.encryption_key(), rng).unwrap();
    let rank: BackupRank = stored.rank();
    let text = backup_file::write(std::slice::from_ref(&stored));
    let reader: BackupReader<'_> = BackupReader::new(&text).unwrap();
    let version: BackupVersion = BackupVersion::from_json(
        &json!({
            "algorithm": "m.megolm_backup.v1.curve25519-aes-sha2",
            "auth_data": { "public_key": public.to_base64() },
        })
        .to_string(),
    )
    .unwrap();
    let other = BackupDecryptionKey::with_rng(rng).unwrap();
    let error: BackupFileError = stored.decrypt(&other).unwrap_err();
    not_in_any(&secrets, &[&stored, &rank, &text, &reader, &version, &error]);
    secrets.not_in_text(&error.to_string());
}

#[test]
fn s_29_events() {
    let (mut sender, _) = group(MessageVersion::V3, 5);
    let mut devices = Devices::new(6);
    let (_, pre_key) = devices.outbound(&devices.one_time_bundle(), MessageVersion::V3);
    let mut secrets = Secrets::default();
    secrets.add("session key", &sender.session_key().to_bytes()[5..133]);
    secrets.add("plaintext", b"what nobody else may see");
    let message = sender.encrypt(b"what nobody else may see").unwrap();
    let megolm: MegolmContent = MegolmContent::new(&sender.session_id(), message);
    let sender_key = devices.alice.curve25519_key();
    let olm: OlmContent = OlmContent { sender_key, message: OlmMessage::PreKey(pre_key) };
    let error: EventError = MegolmContent::from_json(&olm.to_json(&sender_key)).unwrap_err();
    not_in_any(&secrets, &[&megolm, &olm, &error]);
    secrets.not_in_text(&error.to_string());
}
