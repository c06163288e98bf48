//! S-17: an outbound session can be made only from a bundle, and a bundle only from a key with the
//! device's signature.

use moceril::{
    Base64Error, Curve25519PublicKey, DecodeError, Ed25519Signature,
    olm::{Account, BundleError, IdentityKeys, PreKeyBundle, SignedOneTimeKey},
};
use moceril_testing::{rng::SeededRng, states};

/// A device with one one-time key and a fallback key, and these two as it publishes them.
fn device(seed: u64) -> (Account, SignedOneTimeKey, SignedOneTimeKey) {
    let rng = &mut SeededRng::new(seed);
    let mut account = states::account(1, rng);
    account.generate_fallback_key_with_rng(rng).unwrap();
    let one_time_key = account.signed_one_time_keys()[0].1;
    let fallback_key = account.signed_fallback_key().unwrap().1;
    (account, one_time_key, fallback_key)
}

fn signed(account: &Account, key: Curve25519PublicKey, fallback: bool) -> SignedOneTimeKey {
    let signature = Ed25519Signature::from_bytes([0; 64]);
    let unsigned = SignedOneTimeKey { key, fallback, signature };
    SignedOneTimeKey { signature: account.sign(unsigned.canonical_json().as_bytes()), ..unsigned }
}

/// The signature covers the canonical JSON that the Matrix specification prescribes, to the byte.
#[test]
fn s_17_the_signed_json_is_the_specifications() {
    let (account, one_time_key, fallback_key) = device(1);
    assert!(!one_time_key.fallback && fallback_key.fallback);
    for (key, json) in [
        (one_time_key, format!("{{\"key\":\"{}\"}}", one_time_key.key.to_base64())),
        (
            fallback_key,
            format!("{{\"fallback\":true,\"key\":\"{}\"}}", fallback_key.key.to_base64()),
        ),
    ] {
        assert_eq!(key.canonical_json(), json);
        assert_eq!(key.key.to_base64().len(), 43);
        assert_eq!(account.ed25519_key().verify(json.as_bytes(), &key.signature), Ok(()));
    }
    // The base point, written out: no slash is escaped and nothing is padded.
    let mut nine = [0; 32];
    nine[0] = 9;
    nine[1] = 0xff;
    let key = signed(&account, Curve25519PublicKey::from_bytes(nine).unwrap(), true);
    let expected = r#"{"fallback":true,"key":"Cf8AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}"#;
    assert_eq!(key.canonical_json(), expected);
}

/// A key that its device signed makes a bundle of exactly that device's keys.
#[test]
fn s_17_a_signed_key_is_accepted() {
    let (account, one_time_key, fallback_key) = device(2);
    for key in [one_time_key, fallback_key] {
        let bundle = PreKeyBundle::verify(account.identity_keys(), &key).unwrap();
        assert_eq!(bundle.identity_key(), account.curve25519_key());
        assert_eq!(bundle.one_time_key(), key.key);
    }
}

/// Any bit of the signature changed, or another signature of the same device, is refused.
#[test]
fn s_17_a_bad_signature_is_refused() {
    let (account, one_time_key, fallback_key) = device(3);
    let identity_keys = account.identity_keys();
    let refused = |key| PreKeyBundle::verify(identity_keys, &key) == Err(BundleError::Signature);
    for key in [one_time_key, fallback_key] {
        for bit in 0..64 * 8 {
            let mut signature = *key.signature.as_bytes();
            signature[bit / 8] ^= 1 << (bit % 8);
            let signature = Ed25519Signature::from_bytes(signature);
            assert!(refused(SignedOneTimeKey { signature, ..key }), "bit {bit}");
        }
        for (name, signature) in [
            ("missing", Ed25519Signature::from_bytes([0; 64])),
            ("over the bare key", account.sign(key.key.to_base64().as_bytes())),
            ("over the bytes of the key", account.sign(key.key.as_bytes())),
            ("over nothing", account.sign(b"")),
            ("of the other key", if key.fallback { one_time_key } else { fallback_key }.signature),
        ] {
            assert!(refused(SignedOneTimeKey { signature, ..key }), "{name}");
        }
    }
    // Where a signature is missing from the JSON, there is nothing to parse.
    for (text, found) in [("", 0), ("AAAA", 3), (&one_time_key.signature.to_base64()[..84], 63)] {
        let refused = Ed25519Signature::from_base64(text);
        assert_eq!(refused, Err(DecodeError::Length { expected: 64, found }));
    }
    assert_eq!(Ed25519Signature::from_base64("?"), Err(Base64Error::Invalid.into()));
}

/// Another device's signature, or a key under another device's name, is refused.
#[test]
fn s_17_a_foreign_signature_is_refused() {
    let (bob, one_time_key, _) = device(4);
    let (mallory, foreign_key, _) = device(5);
    let bobs = bob.identity_keys();
    let mixed = IdentityKeys { ed25519: mallory.ed25519_key(), ..bobs };
    for (name, identity_keys, key) in [
        ("signed by another device", bobs, signed(&mallory, one_time_key.key, false)),
        ("of another device", bobs, foreign_key),
        ("signed for another key", bobs, SignedOneTimeKey { key: foreign_key.key, ..one_time_key }),
        ("checked against another device", mixed, one_time_key),
    ] {
        let verified = PreKeyBundle::verify(identity_keys, &key);
        assert_eq!(verified, Err(BundleError::Signature), "{name}");
    }
}

/// The signature covers whether the key is a fallback key.
#[test]
fn s_17_the_fallback_flag_is_signed() {
    let (account, one_time_key, fallback_key) = device(6);
    for key in [one_time_key, fallback_key] {
        let flipped = SignedOneTimeKey { fallback: !key.fallback, ..key };
        let verified = PreKeyBundle::verify(account.identity_keys(), &flipped);
        assert_eq!(verified, Err(BundleError::Signature));
        // The same key is accepted in the other role when the device says so.
        let resigned = signed(&account, key.key, !key.fallback);
        assert!(PreKeyBundle::verify(account.identity_keys(), &resigned).is_ok());
    }
}

/// A one-time key that is the identity key is refused although it is signed; without a signature,
/// that is the error.
#[test]
fn s_17_the_identity_key_is_no_one_time_key() {
    let (account, one_time_key, _) = device(7);
    for fallback in [false, true] {
        let key = signed(&account, account.curve25519_key(), fallback);
        let verified = PreKeyBundle::verify(account.identity_keys(), &key);
        assert_eq!(verified, Err(BundleError::OneTimeKeyIsIdentityKey));
        let unsigned = SignedOneTimeKey { signature: one_time_key.signature, ..key };
        let verified = PreKeyBundle::verify(account.identity_keys(), &unsigned);
        assert_eq!(verified, Err(BundleError::Signature));
    }
}

/// The same holds for keys that nobody signed, where the feature `hazmat` allows them.
#[test]
fn s_17_unverified_keys_are_checked_as_far_as_they_can_be() {
    let (account, one_time_key, _) = device(8);
    let identity_key = account.curve25519_key();
    let bundle = PreKeyBundle::from_unverified_keys(identity_key, one_time_key.key).unwrap();
    assert_eq!(bundle, PreKeyBundle::verify(account.identity_keys(), &one_time_key).unwrap());
    let same = PreKeyBundle::from_unverified_keys(identity_key, identity_key);
    assert_eq!(same, Err(BundleError::OneTimeKeyIsIdentityKey));
}
