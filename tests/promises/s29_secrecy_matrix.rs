//! S-29: what the JSON of Matrix prints. Published objects may be printed whole; what is made with them
//! holds no private key.

use std::fmt::Debug;

use moceril::{
    canonical_json::{self, CanonicalJsonError},
    cross_signing::{CrossSigningKeys, MasterKey, PublicKeys, SelfSigningKey, UserSigningKey},
    device_keys::DeviceKeys,
    secret_storage::{
        EncryptedSecret, KeyDescription, PassphraseParameters, SecretStorageError, SecretStorageKey,
    },
    signed_json::SignedJsonError,
};
use moceril_testing::{leaks::Secrets, rng::SeededRng, states};
use serde_json::{Value, json};

const USER: &str = "@alice:example.org";

fn not_in_any(secrets: &Secrets, printed: &[&dyn Debug]) {
    printed.iter().for_each(|value| secrets.not_in(*value));
}

#[test]
fn s_29_signed_objects() {
    let rng = &mut SeededRng::new(1);
    let keys = CrossSigningKeys::with_rng(rng).unwrap();
    let mut secrets = Secrets::default();
    for key in [&keys.master, &keys.self_signing, &keys.user_signing] {
        secrets.add("private key", &key.to_bytes());
    }
    let public: PublicKeys = keys.public_keys(USER).unwrap();
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
fn s_29_secret_storage() {
    let rng = &mut SeededRng::new(2);
    let key = SecretStorageKey::with_rng(rng).unwrap();
    let mut secrets = Secrets::default();
    secrets.add("key", &key.to_bytes());
    secrets.add("secret", b"what nobody else may see");
    let stored: EncryptedSecret =
        key.encrypt_with_rng("name", "what nobody else may see", rng).unwrap();
    let mut description: KeyDescription = KeyDescription::of_with_rng(&key, rng).unwrap();
    let parameters: PassphraseParameters = PassphraseParameters::with_rng(rng).unwrap();
    description.passphrase = Some(parameters.clone());
    let decrypted = key.decrypt("name", &stored).unwrap();
    let error: SecretStorageError = key.decrypt("another name", &stored).unwrap_err();
    not_in_any(&secrets, &[&key, &stored, &description, &parameters, &decrypted, &error]);
    secrets.not_in_text(&error.to_string());
}
