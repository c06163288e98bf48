//! Signed objects, and secret storage.

use moceril::{
    cross_signing::{CrossSigningKeys, PublicKeys},
    device_keys::DeviceKeys,
    olm::Account,
    secret_storage::{EncryptedSecret, KeyDescription, PassphraseParameters, SecretStorageKey},
    signed_json,
};

use super::channels::secret;
use crate::secrets::{
    Disclosed::{Message, Nonce, PublicKey, Tag},
    SecretRng, declassify, must_be_secret,
};

const NAME: &str = "m.megolm_backup.v1";

pub fn secret_storage() {
    let mut rng = SecretRng::new(45);
    let key = SecretStorageKey::with_rng(&mut rng).unwrap();
    must_be_secret(&key.to_bytes());
    let key = SecretStorageKey::from_bytes(key.to_bytes());
    let text = key.to_recovery_key();
    must_be_secret(text.as_bytes());
    let key = SecretStorageKey::from_recovery_key(&text).unwrap();

    let stored = key.encrypt_with_rng(NAME, &secret("what is stored").into(), &mut rng).unwrap();
    declassify(Nonce, &stored.iv);
    declassify(Message, &stored.ciphertext);
    declassify(Tag, &stored.mac);
    must_be_secret(key.decrypt(NAME, &stored).unwrap().into_string().as_bytes());
    let forged = EncryptedSecret { mac: [0; 32], ..stored };
    assert!(key.decrypt(NAME, &forged).is_err());

    let mut description = KeyDescription::of_with_rng(&key, &mut rng).unwrap();
    let (iv, mac) = description.check.as_mut().unwrap();
    declassify(Nonce, iv);
    declassify(Tag, mac);
    description.check(&key).unwrap();
    let parameters = PassphraseParameters { salt: String::from("salt"), iterations: 10 };
    let other = SecretStorageKey::from_passphrase(&secret("passphrase"), &parameters, 10).unwrap();
    must_be_secret(&other.to_bytes());
    assert!(description.check(&other).is_err());
}

pub fn cross_signing() {
    let mut rng = SecretRng::new(46);
    let account = Account::with_rng(&mut rng).unwrap();
    declassify(PublicKey, account.ed25519_key().as_bytes());
    declassify(PublicKey, account.curve25519_key().as_bytes());
    let [alice, bob] = ["@alice:example.org", "@bob:example.org"].map(|user_id| {
        let keys = CrossSigningKeys::with_rng(user_id, &mut rng).unwrap();
        for key in [&keys.master, &keys.self_signing, &keys.user_signing] {
            declassify(PublicKey, key.public_key().as_bytes());
        }
        keys
    });
    let mut device = DeviceKeys::new(&account, "@alice:example.org", "DEVICE").unwrap();
    alice.sign_device(&mut device).unwrap();
    let PublicKeys { mut master, .. } = alice.public_keys().unwrap();
    master.sign("DEVICE", &account).unwrap();
    bob.sign_user(&mut master).unwrap();
    let mut object = master.to_json();
    signed_json::sign(&mut object, "@bob:example.org", "KEY", &bob.master).unwrap();
    let signature = object["signatures"]["@bob:example.org"]["ed25519:KEY"].as_str().unwrap();
    must_be_secret(signature.as_bytes());
}
