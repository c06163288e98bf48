//! S-24: dehydrated devices (MSC3814) pass between our library and vodozemac.

use std::collections::BTreeSet;

use interop::{SeededRng, for_each_seed};
use moceril::{
    DehydratedDevice, PickleKey,
    olm::{Account, OlmMessage, PreKeyBundle},
};
use vodozemac::{Curve25519PublicKey, base64_encode, olm};

const ACCOUNTS: u64 = 200;

fn key(rng: &mut SeededRng) -> [u8; 32] {
    rng.bytes()
}

/// Ours is dehydrated, and vodozemac takes it over: every message to a key that we published can be
/// read there.
#[test]
fn vodozemac_takes_over_our_devices() {
    for_each_seed(ACCOUNTS, |_, rng| {
        let mut ours = Account::new().unwrap();
        ours.generate_one_time_keys(rng.below(20)).unwrap();
        if rng.below(2) == 0 {
            ours.generate_fallback_key().unwrap();
        }
        let key = key(rng);
        let device = ours.dehydrate(&PickleKey::from_bytes(key)).unwrap();
        let (ciphertext, nonce) = (&device.ciphertext, &device.nonce);
        let mut theirs = olm::Account::from_dehydrated_device(ciphertext, nonce, &key).unwrap();
        assert_eq!(theirs.ed25519_key().to_base64(), ours.ed25519_key().to_base64());
        assert_eq!(theirs.curve25519_key().to_base64(), ours.curve25519_key().to_base64());
        assert_eq!(theirs.stored_one_time_key_count(), ours.stored_one_time_key_count());

        let alice = Account::new().unwrap();
        let config = olm::SessionConfig::version_1();
        let keys = ours.signed_one_time_keys().into_iter().chain(ours.signed_fallback_key());
        for (_, signed) in keys {
            let bundle = PreKeyBundle::verify(ours.identity_keys(), &signed).unwrap();
            let mut session = alice.create_outbound_session(&bundle).unwrap();
            let message = session.encrypt(b"welcome back").unwrap();
            let pre_key = message.as_pre_key().unwrap();
            let message = olm::PreKeyMessage::from_base64(&pre_key.to_base64()).unwrap();
            let alice = Curve25519PublicKey::from_base64(&alice.curve25519_key().to_base64());
            let created = theirs.create_inbound_session(config, alice.unwrap(), &message).unwrap();
            assert_eq!(created.plaintext, b"welcome back");
        }
    });
}

/// The other way round. What both have dehydrated again is the same device.
#[test]
fn we_take_over_devices_of_vodozemac() {
    for_each_seed(ACCOUNTS, |_, rng| {
        let mut theirs = olm::Account::new();
        theirs.generate_one_time_keys(rng.below(20));
        if rng.below(2) == 0 {
            theirs.generate_fallback_key();
        }
        let key = key(rng);
        let device = theirs.to_dehydrated_device(&key).unwrap();
        let device = DehydratedDevice { ciphertext: device.ciphertext, nonce: device.nonce };
        let pickle_key = PickleKey::from_bytes(key);
        let mut ours = Account::rehydrate(&device, &pickle_key).unwrap();
        assert_eq!(ours.ed25519_key().to_base64(), theirs.ed25519_key().to_base64());
        assert_eq!(ours.curve25519_key().to_base64(), theirs.curve25519_key().to_base64());
        assert_eq!(ours.stored_one_time_key_count(), theirs.stored_one_time_key_count());

        let again = ours.dehydrate(&pickle_key).unwrap();
        let (ciphertext, nonce) = (&again.ciphertext, &again.nonce);
        let again = olm::Account::from_dehydrated_device(ciphertext, nonce, &key).unwrap();
        assert_eq!(secret_keys(&again), secret_keys(&theirs));

        let alice = olm::Account::new();
        let config = olm::SessionConfig::version_1();
        let keys = theirs.one_time_keys().into_values().chain(theirs.fallback_key().into_values());
        for key in keys {
            let session = alice.create_outbound_session(config, theirs.curve25519_key(), key);
            let message = session.unwrap().encrypt("welcome back").unwrap();
            let (kind, body) = message.to_parts();
            let message = OlmMessage::from_parts(kind, &base64_encode(body)).unwrap();
            let message = message.as_pre_key().unwrap();
            let created = ours.create_inbound_session(message.identity_key(), message).unwrap();
            assert_eq!(created.message.plaintext(), b"welcome back");
        }
    });
}

/// The private keys of an account, without ids.
fn secret_keys(account: &olm::Account) -> BTreeSet<String> {
    let pickle = serde_json::to_value(account.pickle()).unwrap();
    let one_time_keys = pickle["one_time_keys"]["private_keys"].as_object().unwrap().values();
    let rest = [
        &pickle["signing_key"],
        &pickle["diffie_hellman_key"],
        &pickle["fallback_keys"]["fallback_key"]["key"],
    ];
    one_time_keys.chain(rest).map(ToString::to_string).collect()
}

/// Neither opens what the other did not seal with this key.
#[test]
fn a_wrong_key_opens_nothing() {
    let (right, wrong) = ([1; 32], [2; 32]);
    let ours = Account::new().unwrap().dehydrate(&PickleKey::from_bytes(right)).unwrap();
    assert!(olm::Account::from_dehydrated_device(&ours.ciphertext, &ours.nonce, &wrong).is_err());
    let theirs = olm::Account::new().to_dehydrated_device(&right).unwrap();
    let theirs = DehydratedDevice { ciphertext: theirs.ciphertext, nonce: theirs.nonce };
    assert!(Account::rehydrate(&theirs, &PickleKey::from_bytes(wrong)).is_err());
    assert!(Account::rehydrate(&theirs, &PickleKey::from_bytes(right)).is_ok());
}
