//! Key generation, signatures, and the cipher of messages.

use moceril::{Ed25519SecretKey, hazmat::Cipher, olm::Account};

use crate::secrets::{
    Disclosed::{Message, PublicKey, Signature},
    SecretRng, declassify, declassify_length, declassify_verdict, must_be_secret,
};

/// An account whose public identity keys are public.
pub fn new_account(rng: &mut SecretRng) -> Account {
    let account = Account::with_rng(rng).unwrap();
    declassify(PublicKey, account.ed25519_key().as_bytes());
    declassify(PublicKey, account.curve25519_key().as_bytes());
    account
}

/// An account with two one-time keys and a fallback key, published.
pub fn published_account(rng: &mut SecretRng) -> Account {
    let mut account = new_account(rng);
    let created = account.generate_one_time_keys_with_rng(2, rng).unwrap().created;
    account.generate_fallback_key_with_rng(rng).unwrap();
    let fallback = account.fallback_key().unwrap();
    for (id, key) in created.into_iter().chain([fallback]) {
        declassify(PublicKey, key.as_bytes());
        account.mark_as_published([id]);
    }
    account
}

pub fn account() {
    new_account(&mut SecretRng::new(1));
}

pub fn sign() {
    let mut rng = SecretRng::new(2);
    let account = new_account(&mut rng);
    declassify(Signature, account.sign(b"public").as_bytes());
    declassify(Signature, account.sign(rng.text(100)).as_bytes());
}

pub fn one_time_keys() {
    let mut rng = SecretRng::new(3);
    let mut account = published_account(&mut rng);
    account.generate_one_time_keys_with_rng(1, &mut rng).unwrap();
    account.generate_fallback_key_with_rng(&mut rng).unwrap();
    declassify(PublicKey, account.unpublished_one_time_keys()[0].1.as_bytes());
    declassify(PublicKey, account.fallback_key().unwrap().1.as_bytes());
    let (_, one_time_key) = account.signed_one_time_keys()[0];
    declassify(Signature, one_time_key.signature.as_bytes());
    let (id, fallback_key) = account.signed_fallback_key().unwrap();
    declassify(Signature, fallback_key.signature.as_bytes());
    assert!(account.forget_previous_fallback_key());
    let id = account.key_id(&one_time_key.key).filter(|one_time| *one_time != id);
    must_be_secret(&account.take_one_time_key(id.unwrap()).unwrap());
    let stored = account.generate_one_time_keys_with_rng(3, &mut rng).unwrap().created;
    for (_, key) in &stored {
        declassify(PublicKey, key.as_bytes());
    }
    // From the middle: the keys behind it move.
    assert!(account.remove_one_time_key(stored[1].0));
}

pub fn ed25519_secret_key() {
    let key = Ed25519SecretKey::with_rng(&mut SecretRng::new(4)).unwrap();
    let text = key.to_base64();
    must_be_secret(text.as_bytes());
    let key = Ed25519SecretKey::from_base64(&text).unwrap();
    must_be_secret(&key.to_bytes());
    let key = Ed25519SecretKey::from_bytes(key.to_bytes());
    declassify(PublicKey, key.public_key().as_bytes());
    declassify(Signature, key.sign(b"public").as_bytes());
}

pub fn cipher() {
    let mut rng = SecretRng::new(5);
    let ciphers = [
        Cipher::olm(&rng.bytes()),
        Cipher::megolm(&rng.bytes()),
        Cipher::pickle(rng.bytes::<32>()),
        Cipher::pickle(rng.bytes::<100>()),
    ];
    for cipher in ciphers {
        for length in [0, 15, 16, 100] {
            let ciphertext = cipher.encrypt(rng.text(length));
            declassify(Message, &ciphertext);
            let mac = cipher.mac(&ciphertext);
            must_be_secret(&mac);
            assert!(declassify_verdict(cipher.verify_mac(&ciphertext, &mac[..8])));
            assert!(!declassify_verdict(cipher.verify_mac(&ciphertext, [0; 32])));
            let plaintext = cipher.decrypt(&ciphertext).unwrap();
            if length > 0 {
                declassify_length(&plaintext);
            }
        }
    }
}
