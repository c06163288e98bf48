//! S-17: a signature counts only for the kind of object that its signer meant. Matrix's signed
//! objects do not state their kind, and a signature covers every member, so a server that adds
//! members to an object of one kind makes it one of another kind, too.

use moceril::{
    Curve25519PublicKey, Ed25519SecretKey,
    backup::BackupDecryptionKey,
    backup_file::BackupVersion,
    cross_signing::{CrossSigningKeys, MasterKey},
    device_keys::{self, DeviceKeys},
    olm::Account,
    signed_json::{self, SignedJsonError},
};
use moceril_testing::{rng::SeededRng, states};
use serde_json::{Value, json};

const USER: &str = "@alice:example.org";
const DEVICE: &str = "DEVICE";
const UNEXPECTED: SignedJsonError = SignedJsonError::UnexpectedMember;

fn account() -> Account {
    states::account(0, &mut SeededRng::new(1))
}

fn device() -> DeviceKeys {
    DeviceKeys::new(&account(), USER, DEVICE).unwrap()
}

fn keys() -> CrossSigningKeys {
    CrossSigningKeys::with_rng(USER, &mut SeededRng::new(2)).unwrap()
}

fn backup_key() -> Curve25519PublicKey {
    BackupDecryptionKey::from_bytes([3; 32]).public_key()
}

fn with(object: &Value, members: &Value) -> Value {
    let mut object = object.clone();
    for (name, value) in members.as_object().unwrap() {
        object[name] = value.clone();
    }
    object
}

/// The answer of a server whose `auth_data` has these members, too.
fn version(members: &Value) -> BackupVersion {
    let auth_data = json!({ "public_key": backup_key().to_base64(), "signatures": {} });
    let answer = json!({
        "algorithm": "m.megolm_backup.v1.curve25519-aes-sha2",
        "auth_data": with(&auth_data, members),
        "version": "1",
    });
    BackupVersion::from_json(&answer.to_string()).unwrap()
}

/// S-04: what is not signed is as it was.
fn is_not_signed(version: &BackupVersion, refusal: SignedJsonError) {
    let mut signed = version.clone();
    assert_eq!(signed.sign(USER, DEVICE, &account()), Err(refusal));
    let name = keys().master.public_key().to_base64();
    assert_eq!(signed.sign(USER, &name, &keys().master), Err(refusal));
    assert_eq!(signed, *version);
}

fn signed_by_device(mut object: Value) -> Value {
    signed_json::sign(&mut object, USER, DEVICE, &account()).unwrap();
    object
}

fn signed_by_master(mut object: Value) -> Value {
    let master = keys().master;
    let name = master.public_key().to_base64();
    signed_json::sign(&mut object, USER, &name, &master).unwrap();
    object
}

/// A server asks a device to sign a backup whose `auth_data` is an object of the device, with
/// another Curve25519 key.
#[test]
fn the_signature_of_a_backup_makes_no_device() {
    let version = version(&json!({
        "user_id": USER,
        "device_id": DEVICE,
        "algorithms": [],
        "keys": {
            format!("ed25519:{DEVICE}"): account().ed25519_key().to_base64(),
            format!("curve25519:{DEVICE}"): backup_key().to_base64(),
        },
    }));
    is_not_signed(&version, UNEXPECTED);
    let signed = signed_by_device(version.auth_data);
    assert_eq!(DeviceKeys::verify(signed, USER, DEVICE), Err(UNEXPECTED));
}

/// The same for the master key, with an `auth_data` that names the server's key as that which signs
/// the user's devices, or other users.
#[test]
fn the_signature_of_a_backup_makes_no_cross_signing_key() {
    let master = keys().public_keys().unwrap().master;
    let key = Ed25519SecretKey::from_bytes([4; 32]).public_key().to_base64();
    for usage in ["self_signing", "user_signing"] {
        let named = json!({ format!("ed25519:{key}"): key });
        let version = version(&json!({ "user_id": USER, "usage": [usage], "keys": named }));
        is_not_signed(&version, UNEXPECTED);
        let signed = signed_by_master(version.auth_data);
        let refusal = match usage {
            "self_signing" => master.verify_self_signing_key(signed).unwrap_err(),
            _ => master.verify_user_signing_key(signed).unwrap_err(),
        };
        assert_eq!(refusal, UNEXPECTED);
    }
}

/// A device signs the master key that the server shows, which is a one-time key, too.
#[test]
fn the_signature_of_a_master_key_makes_no_one_time_key() {
    let master = keys().public_keys().unwrap().master.to_json();
    let object = with(&master, &json!({ "key": backup_key().to_base64() }));
    assert_eq!(MasterKey::read(object.clone(), USER), Err(UNEXPECTED));
    let signed = signed_by_device(object);
    assert_eq!(device().verify_one_time_key(&signed), Err(UNEXPECTED));
    let stored = device_keys::verify_one_time_key(&signed, USER, DEVICE, account().identity_keys());
    assert_eq!(stored, Err(UNEXPECTED));
}

/// A device signs the master key that the server shows, which is a backup with the server's key,
/// too.
#[test]
fn the_signature_of_a_master_key_makes_no_backup() {
    let master = keys().public_keys().unwrap().master.to_json();
    let object = with(&master, &json!({ "public_key": backup_key().to_base64() }));
    assert_eq!(MasterKey::read(object.clone(), USER), Err(UNEXPECTED));
    let version = version(&signed_by_device(object));
    let verified = version.verify(USER, DEVICE, &account().ed25519_key());
    assert_eq!(verified, Err(UNEXPECTED));
}

/// No key of cross-signing, and no device, signs a key object with members that it does not have.
#[test]
fn only_what_a_key_has_is_signed() {
    let master = keys().public_keys().unwrap().master.to_json();
    let refused = |members: &Value| {
        let read = MasterKey::read(with(&master, members), USER).unwrap();
        let mut signed = read.clone();
        let refusal = signed.sign(DEVICE, &account()).unwrap_err();
        let others = CrossSigningKeys { user_id: String::from("@bob:example.org"), ..keys() };
        assert_eq!(others.sign_user(&mut signed), Err(refusal));
        assert_eq!(signed, read);
        refusal
    };
    assert_eq!(refused(&json!({ "org.example.added": 1 })), UNEXPECTED);
    let usage = SignedJsonError::Mismatch("usage");
    assert_eq!(refused(&json!({ "usage": ["master", "self_signing"] })), usage);
    assert_eq!(refused(&json!({ "usage": ["master", "master"] })), usage);
    let unsigned = with(&master, &json!({ "unsigned": { "age": 1 } }));
    let mut unsigned = MasterKey::read(unsigned, USER).unwrap();
    unsigned.sign(DEVICE, &account()).unwrap();
    unsigned.verify_signature_of(&device()).unwrap();
}

/// Each kind, with each member of another one. Members that are of no kind are accepted where they
/// are signed.
#[test]
fn members_of_another_kind_are_refused() {
    let cross_signing = keys().public_keys().unwrap();
    let (self_signing, master) = (cross_signing.self_signing.to_json(), cross_signing.master);
    let one_time_key = json!({ "key": backup_key().to_base64() });
    let added = json!({ "org.example.added": 1, "unsigned": {}, "dehydrated": true });
    let of_device = ["user_id", "device_id", "algorithms", "keys"];
    let of_key = ["user_id", "usage", "keys"];
    for name in ["key", "public_key", "usage", "device_id", "algorithms", "keys", "user_id"] {
        let one = json!({ name: [] });
        if !of_device.contains(&name) {
            let object = signed_by_device(with(&device().to_json(), &one));
            assert_eq!(DeviceKeys::verify(object, USER, DEVICE), Err(UNEXPECTED), "{name}");
        }
        if !of_key.contains(&name) {
            let object = signed_by_master(with(&self_signing, &one));
            assert_eq!(master.verify_self_signing_key(object), Err(UNEXPECTED), "{name}");
        }
        if name != "key" {
            let object = signed_by_device(with(&one_time_key, &one));
            assert_eq!(device().verify_one_time_key(&object), Err(UNEXPECTED), "{name}");
        }
        if name != "public_key" {
            is_not_signed(&version(&one), UNEXPECTED);
            let signed = version(&signed_by_device(version(&one).auth_data));
            let verified = signed.verify(USER, DEVICE, &account().ed25519_key());
            assert_eq!(verified, Err(UNEXPECTED), "{name}");
        }
    }
    let object = signed_by_device(with(&device().to_json(), &added));
    DeviceKeys::verify(object, USER, DEVICE).unwrap();
    master.verify_self_signing_key(signed_by_master(with(&self_signing, &added))).unwrap();
    device().verify_one_time_key(&signed_by_device(with(&one_time_key, &added))).unwrap();
    let mut signed = version(&added);
    signed.sign(USER, DEVICE, &account()).unwrap();
    let verified = signed.verify(USER, DEVICE, &account().ed25519_key()).unwrap();
    assert_eq!(verified.public_key(), backup_key());
}

/// What the server shows beside the key, and what clients with a passphrase add, does not matter.
#[test]
fn the_key_of_a_backup_that_is_signed_is_the_one_that_was_read() {
    let salted = version(&json!({ "private_key_salt": "A", "private_key_iterations": 500_000 }));
    salted.clone().sign(USER, DEVICE, &account()).unwrap();
    let other = json!(BackupDecryptionKey::from_bytes([5; 32]).public_key().to_base64());
    let mut altered = salted.clone();
    altered.auth_data["public_key"] = other;
    is_not_signed(&altered, SignedJsonError::Mismatch("public_key"));
    altered.auth_data["public_key"] = json!(1);
    is_not_signed(&altered, SignedJsonError::Malformed("public_key"));
    altered.auth_data = json!([]);
    is_not_signed(&altered, SignedJsonError::Malformed("public_key"));
}
