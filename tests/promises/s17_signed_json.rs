//! S-06, S-14, S-17: the signed objects of devices. An object that is not signed exactly as it is,
//! by the signer that the caller expects, does not become a key of a session.

use base64ct::{Base64Unpadded, Encoding};
use moceril::{
    Ed25519PublicKey, Ed25519SecretKey, KeyError,
    canonical_json::CanonicalJsonError,
    device_keys::{self, DeviceKeys},
    olm::{Account, PreKeyBundle},
    signed_json::{self, SignedJsonError},
};
use moceril_testing::{
    rng::SeededRng,
    states,
    vector_file::{Layer, assert_at_least, check_each, files},
};
use serde_json::{Value, json};

const USER: &str = "@alice:example.org";
const DEVICE: &str = "DEVICE";

fn account() -> Account {
    states::account(1, &mut SeededRng::new(1))
}

fn object() -> Value {
    DeviceKeys::new(&account(), USER, DEVICE).unwrap().to_json()
}

#[test]
fn vectors() {
    let files = files("signed-json");
    check_each(&files, |file| {
        assert_eq!(file.kind, "signed-json");
        let object: Value = serde_json::from_slice(&file.bytes("object")).unwrap();
        let [user, name] = ["user-id", "key-name"].map(|key| file.text(key));
        let key = Ed25519PublicKey::from_base64(file.text("public-key")).unwrap();
        let verified = signed_json::verify(&object, user, name, &key);
        if let Some(layer) = file.expect {
            let found = match verified.unwrap_err() {
                SignedJsonError::MissingSignature | SignedJsonError::Signature => Layer::Signature,
                SignedJsonError::Malformed(_) | SignedJsonError::Canonical(_) => Layer::Format,
                error => panic!("{error:?} has no layer"),
            };
            return assert_eq!(found, layer);
        }
        verified.unwrap();
        assert_eq!(signed_json::signed_part(&object).unwrap().as_bytes(), file.bytes("signed"));
        // Signing again gives the same signature, and leaves the others.
        let key = Ed25519SecretKey::from_bytes(file.array("seed"));
        let mut again = object.clone();
        again["signatures"][user].as_object_mut().unwrap().remove(&format!("ed25519:{name}"));
        assert_ne!(again, object);
        signed_json::sign(&mut again, user, name, &key).unwrap();
        assert_eq!(again, object);
    });
    assert_at_least(&files, "signed-json", 8, 8);
}

#[test]
fn a_signature_covers_everything_but_what_servers_add() {
    let (account, mut object) = (account(), json!({ "a": 1, "unsigned": { "age": 1 } }));
    signed_json::sign(&mut object, USER, DEVICE, &account).unwrap();
    let verify = |object: &Value, user, device| {
        signed_json::verify(object, user, device, &account.ed25519_key())
    };
    object["unsigned"]["age"] = json!(2.5);
    object["signatures"]["@other:example.org"] = json!(1);
    verify(&object, USER, DEVICE).unwrap();
    assert_eq!(verify(&object, USER, "OTHER"), Err(SignedJsonError::MissingSignature));
    assert_eq!(verify(&object, "@b:c", DEVICE), Err(SignedJsonError::MissingSignature));
    object["a"] = json!(2);
    assert_eq!(verify(&object, USER, DEVICE), Err(SignedJsonError::Signature));
    object["a"] = json!(1.5);
    let error = SignedJsonError::Canonical(CanonicalJsonError::Number);
    assert_eq!(verify(&object, USER, DEVICE), Err(error));
    for other in [json!(1), json!([object]), Value::Null] {
        assert_eq!(verify(&other, USER, DEVICE), Err(SignedJsonError::Malformed("object")));
    }
}

/// S-04: what cannot be signed is as it was.
#[test]
fn what_cannot_be_signed_is_unchanged() {
    for object in [
        json!(1),
        json!({ "a": 1.5 }),
        json!({ "signatures": [] }),
        json!({ "signatures": { USER: "text" } }),
    ] {
        let mut signed = object.clone();
        signed_json::sign(&mut signed, USER, DEVICE, &account()).unwrap_err();
        assert_eq!(signed, object);
    }
}

#[test]
fn device_keys_come_back_as_they_were() {
    let keys = DeviceKeys::new(&account(), USER, DEVICE).unwrap();
    assert_eq!((keys.user_id(), keys.device_id()), (USER, DEVICE));
    assert_eq!(keys.identity_keys(), account().identity_keys());
    assert_eq!(keys.algorithms(), ["m.olm.v1.curve25519-aes-sha2", "m.megolm.v1.aes-sha2"]);
    assert_eq!(keys.device().user_id, USER);
    assert_eq!(DeviceKeys::verify(object(), USER, DEVICE), Ok(keys));
}

/// Each member that is changed, and each expectation that is another.
#[test]
fn altered_device_keys_are_refused() {
    let refused = |change: fn(&mut Value)| {
        let mut altered = object();
        change(&mut altered);
        DeviceKeys::verify(altered, USER, DEVICE).unwrap_err()
    };
    let other = SignedJsonError::Mismatch;
    assert_eq!(DeviceKeys::verify(object(), "@b:c", DEVICE), Err(other("user_id")));
    assert_eq!(DeviceKeys::verify(object(), USER, "OTHER"), Err(other("device_id")));
    assert_eq!(refused(|keys| keys["user_id"] = json!("@b:c")), other("user_id"));
    assert_eq!(refused(|keys| keys["device_id"] = json!("OTHER")), other("device_id"));
    let malformed = SignedJsonError::Malformed;
    assert_eq!(refused(|keys| *keys = json!([])), malformed("user_id"));
    assert_eq!(refused(|keys| keys["keys"] = json!({})), malformed("keys"));
    assert_eq!(refused(|keys| keys["keys"]["ed25519:DEVICE"] = json!(1)), malformed("keys"));
    let low_order = Base64Unpadded::encode_string(&[0; 32]);
    let mut altered = object();
    altered["keys"]["curve25519:DEVICE"] = json!(low_order);
    let error = DeviceKeys::verify(altered, USER, DEVICE).unwrap_err();
    assert_eq!(error, SignedJsonError::Key(KeyError::LowOrder));
    let signature = SignedJsonError::Signature;
    assert_eq!(refused(|keys| keys["algorithms"] = json!([])), signature);
    assert_eq!(refused(|keys| keys["added"] = json!(1)), signature);
    let missing = SignedJsonError::MissingSignature;
    assert_eq!(refused(|keys| keys["signatures"] = json!({})), missing);
    // Keys of another device, which signed them for itself.
    let other = states::account(0, &mut SeededRng::new(2));
    let mut keys = DeviceKeys::new(&other, USER, "OTHER").unwrap().to_json();
    keys["device_id"] = json!(DEVICE);
    assert_eq!(DeviceKeys::verify(keys, USER, DEVICE), Err(malformed("keys")));
}

/// S-17: one-time and fallback keys become bundles, as `PreKeyBundle::verify` makes them.
#[test]
fn one_time_keys_are_verified() {
    let mut account = account();
    account.generate_fallback_key_with_rng(&mut SeededRng::new(3)).unwrap();
    let device = DeviceKeys::new(&account, USER, DEVICE).unwrap();
    let fallback = account.signed_fallback_key().unwrap();
    let body = device_keys::keys_to_upload(&account, USER, DEVICE);
    for (id, key) in account.signed_one_time_keys().into_iter().chain([fallback]) {
        let object = device_keys::one_time_key(&key, USER, DEVICE);
        let bundle = PreKeyBundle::verify(account.identity_keys(), &key).unwrap();
        assert_eq!(device.verify_one_time_key(&object), Ok(bundle));
        let keys = account.identity_keys();
        let stored = device_keys::verify_one_time_key(&object, USER, DEVICE, keys);
        assert_eq!(stored, Ok(bundle));
        assert_eq!(object.get("fallback").is_some(), key.fallback);
        let name = device_keys::one_time_key_name(id);
        assert_eq!(name, format!("signed_curve25519:{}", id.to_base64()));
        let member = if key.fallback { "fallback_keys" } else { "one_time_keys" };
        assert_eq!(body[member][name], object);

        let refused = |change: &dyn Fn(&mut Value)| {
            let mut altered = object.clone();
            change(&mut altered);
            device.verify_one_time_key(&altered).unwrap_err()
        };
        let signature = SignedJsonError::Signature;
        let other = account.curve25519_key().to_base64();
        assert_eq!(refused(&|key| key["key"] = json!(other)), signature);
        assert_eq!(refused(&|altered| altered["fallback"] = json!(!key.fallback)), signature);
        assert_eq!(refused(&|key| key["added"] = json!(1)), signature);
        let mut stranger = json!({ "key": other });
        signed_json::sign(&mut stranger, USER, DEVICE, &Ed25519SecretKey::from_bytes([1; 32]))
            .unwrap();
        assert_eq!(device.verify_one_time_key(&stranger), Err(signature));
    }
    // With further members that the device has signed.
    let (_, key) = account.signed_one_time_keys()[0];
    let mut more = json!({ "key": key.key.to_base64(), "added": 1 });
    signed_json::sign(&mut more, USER, DEVICE, &account).unwrap();
    assert_eq!(device.verify_one_time_key(&more).unwrap().one_time_key(), key.key);
    let mut identity_key = json!({ "key": account.curve25519_key().to_base64() });
    signed_json::sign(&mut identity_key, USER, DEVICE, &account).unwrap();
    let error = device.verify_one_time_key(&identity_key).unwrap_err();
    assert_eq!(error, SignedJsonError::OneTimeKeyIsIdentityKey);
    let mut no_key = json!({ "public": 1 });
    signed_json::sign(&mut no_key, USER, DEVICE, &account).unwrap();
    assert_eq!(device.verify_one_time_key(&no_key), Err(SignedJsonError::Malformed("key")));
}
