//! S-03, S-14, S-17, S-29: cross-signing. A key vouches only for what it has signed, and only in
//! the role in which it has signed it.

use moceril::{
    Ed25519SecretKey, RandomError,
    cross_signing::{CrossSigningKeys, MasterKey, PublicKeys},
    device_keys::DeviceKeys,
    signed_json::{self, SignedJsonError},
};
use moceril_testing::{
    rng::{RecordedRng, SeededRng},
    states,
};
use serde_json::{Value, json};

const ALICE: &str = "@alice:example.org";
const BOB: &str = "@bob:example.org";

fn keys(seed: u64, user_id: &str) -> CrossSigningKeys {
    CrossSigningKeys::with_rng(user_id, &mut SeededRng::new(seed)).unwrap()
}

fn public(seed: u64, user_id: &str) -> PublicKeys {
    keys(seed, user_id).public_keys().unwrap()
}

fn device(seed: u64, user_id: &str) -> DeviceKeys {
    let account = states::account(0, &mut SeededRng::new(seed));
    DeviceKeys::new(&account, user_id, "DEVICE").unwrap()
}

/// The form that the specification shows: one key, under its own name.
#[test]
fn the_objects_are_those_of_the_specification() {
    let keys = keys(1, ALICE);
    let PublicKeys { master, self_signing, user_signing, .. } = public(1, ALICE);
    for (object, usage, key) in [
        (master.to_json(), "master", &keys.master),
        (self_signing.to_json(), "self_signing", &keys.self_signing),
        (user_signing.to_json(), "user_signing", &keys.user_signing),
    ] {
        let key = key.public_key().to_base64();
        assert_eq!(object["user_id"], ALICE);
        assert_eq!(object["usage"], json!([usage]));
        assert_eq!(object["keys"], json!({ format!("ed25519:{key}"): key }));
        let signer = format!("ed25519:{}", master.key());
        assert_eq!(object["signatures"][ALICE][signer].is_string(), usage != "master");
    }
}

/// From the master key of Alice, which we trust, to Bob's device.
#[test]
fn trust_follows_the_signatures() {
    let (alice, bob) = (keys(1, ALICE), keys(2, BOB));
    let mut bob_device = device(3, BOB);
    let PublicKeys { master, self_signing, .. } = bob.public_keys().unwrap();
    let mut bob_master = MasterKey::read(master.to_json(), BOB).unwrap();
    assert_eq!(bob_master, master);
    let self_signing = bob_master.verify_self_signing_key(self_signing.to_json()).unwrap();
    assert_eq!((self_signing.user_id(), self_signing.key()), (BOB, bob.self_signing.public_key()));
    let missing = Err(SignedJsonError::MissingSignature);
    assert_eq!(self_signing.verify_device(&bob_device), missing);
    bob.sign_device(&mut bob_device).unwrap();
    // What the server hands on.
    let bob_device = DeviceKeys::verify(bob_device.to_json(), BOB, "DEVICE").unwrap();
    self_signing.verify_device(&bob_device).unwrap();

    let PublicKeys { master, user_signing, .. } = alice.public_keys().unwrap();
    let user_signing = master.verify_user_signing_key(user_signing.to_json()).unwrap();
    assert_eq!(
        (user_signing.user_id(), user_signing.key()),
        (ALICE, alice.user_signing.public_key())
    );
    assert_eq!(user_signing.verify_user(&bob_master), missing);
    alice.sign_user(&mut bob_master).unwrap();
    let bob_master = MasterKey::read(bob_master.to_json(), BOB).unwrap();
    user_signing.verify_user(&bob_master).unwrap();
    assert_eq!(bob_master.key(), bob.master.public_key());

    // Another key of the same users does not vouch.
    let other = public(4, BOB);
    assert_eq!(other.self_signing.verify_device(&bob_device), missing);
    assert_eq!(public(4, ALICE).user_signing.verify_user(&bob_master), missing);
    assert_eq!(
        other.master.verify_self_signing_key(self_signing.to_json()),
        Err(SignedJsonError::MissingSignature)
    );
    // Nor does the right one for a device of another user.
    let error = Err(SignedJsonError::Mismatch("user_id"));
    assert_eq!(self_signing.verify_device(&device(3, ALICE)), error);
}

/// The device from which the keys come signs the master key.
#[test]
fn a_device_vouches_for_the_master_key() {
    let account = states::account(0, &mut SeededRng::new(3));
    let device = DeviceKeys::new(&account, BOB, "DEVICE").unwrap();
    let mut master = public(2, BOB).master;
    let missing = Err(SignedJsonError::MissingSignature);
    assert_eq!(master.verify_signature_of(&device), missing);
    master.sign("DEVICE", &account).unwrap();
    let master = MasterKey::read(master.to_json(), BOB).unwrap();
    master.verify_signature_of(&device).unwrap();
    let stranger = self::device(4, BOB);
    assert_eq!(master.verify_signature_of(&stranger), Err(SignedJsonError::Signature));
    let error = Err(SignedJsonError::Mismatch("user_id"));
    assert_eq!(master.verify_signature_of(&self::device(3, ALICE)), error);
}

#[test]
fn objects_of_another_form_are_refused() {
    let refused = |change: &dyn Fn(&mut Value)| {
        let mut object = public(1, ALICE).master.to_json();
        change(&mut object);
        MasterKey::read(object, ALICE).unwrap_err()
    };
    let (malformed, mismatch) = (SignedJsonError::Malformed, SignedJsonError::Mismatch);
    assert_eq!(refused(&|key| key["user_id"] = json!(BOB)), mismatch("user_id"));
    assert_eq!(refused(&|key| key["usage"] = json!(["self_signing"])), mismatch("usage"));
    assert_eq!(refused(&|key| key["usage"] = json!([])), mismatch("usage"));
    assert_eq!(refused(&|key| key["usage"] = json!("master")), malformed("usage"));
    assert_eq!(refused(&|key| key["keys"] = json!({})), malformed("keys"));
    assert_eq!(refused(&|key| key["keys"] = json!([])), malformed("keys"));
    assert_eq!(refused(&|key| key["keys"]["ed25519:A"] = json!("A")), malformed("keys"));
    let other = Ed25519SecretKey::from_bytes([1; 32]).public_key().to_base64();
    assert_eq!(refused(&|key| key["keys"] = json!({ "ed25519:A": other })), mismatch("keys"));
    assert_eq!(refused(&|key| key["keys"] = json!({ "ed25519:A": 1 })), malformed("keys"));
    assert_eq!(refused(&|key| *key = json!(null)), malformed("user_id"));
}

/// A key is verified as what it was signed as: the master key signs usage and user, too.
#[test]
fn keys_do_not_change_their_roles() {
    let PublicKeys { master, self_signing, user_signing, .. } = public(1, ALICE);
    let mismatch = SignedJsonError::Mismatch("usage");
    assert_eq!(master.verify_self_signing_key(user_signing.to_json()), Err(mismatch));
    assert_eq!(master.verify_user_signing_key(self_signing.to_json()), Err(mismatch));
    let mut object = user_signing.to_json();
    object["usage"] = json!(["self_signing"]);
    assert_eq!(master.verify_self_signing_key(object), Err(SignedJsonError::Signature));
    let mut object = self_signing.to_json();
    object["user_id"] = json!(BOB);
    let mismatch = SignedJsonError::Mismatch("user_id");
    assert_eq!(master.verify_self_signing_key(object.clone()), Err(mismatch));
    // A master key of Bob with Alice's key: it has signed nothing for Bob.
    let stolen = keys(1, BOB).public_keys().unwrap().master;
    assert_eq!(stolen.verify_self_signing_key(object), Err(SignedJsonError::MissingSignature));
    // A signature under the right name by another key.
    let mut forged = self_signing.to_json();
    let name = master.key().to_base64();
    signed_json::sign(&mut forged, ALICE, &name, &keys(2, ALICE).master).unwrap();
    assert_eq!(master.verify_self_signing_key(forged), Err(SignedJsonError::Signature));
}

/// The keys know whose they are: they sign only devices of their user, and only other users. On an
/// error nothing is signed.
#[test]
fn keys_sign_only_what_is_theirs_to_sign() {
    let alice = keys(1, ALICE);
    let (mut foreign, genuine) = (device(3, BOB), device(3, BOB));
    let refused = alice.sign_device(&mut foreign);
    assert_eq!(refused, Err(SignedJsonError::Mismatch("user_id")));
    assert_eq!(foreign, genuine);
    for seed in [1, 2] {
        let mut own = public(seed, ALICE).master;
        assert_eq!(alice.sign_user(&mut own), Err(SignedJsonError::OwnUser));
        assert_eq!(own, public(seed, ALICE).master);
    }
}

/// S-03: 32 bytes for each key, in order.
#[test]
fn randomness() {
    let bytes: Vec<u8> = (0..97).collect();
    let mut rng = RecordedRng::new(bytes.clone());
    let keys = CrossSigningKeys::with_rng(ALICE, &mut rng).unwrap();
    assert_eq!(rng.left(), 1);
    let drawn = [&keys.master, &keys.self_signing, &keys.user_signing].map(|key| key.to_bytes());
    assert_eq!(drawn.concat(), bytes[..96]);
    for length in 0..96 {
        let failed = CrossSigningKeys::with_rng(ALICE, &mut RecordedRng::new(vec![1; length]));
        assert!(matches!(failed, Err(RandomError { .. })));
    }
    let new = || CrossSigningKeys::new(ALICE).unwrap().master.public_key();
    assert_ne!(new(), new());
}

/// S-29: the private keys are not printed.
#[test]
fn the_keys_are_not_printed() {
    let keys = keys(1, ALICE);
    let printed = format!("{keys:?}");
    for key in [&keys.master, &keys.self_signing, &keys.user_signing] {
        assert!(printed.contains(&format!("{:?}", key.public_key())));
        assert!(!printed.contains(&*key.to_base64()));
    }
}
