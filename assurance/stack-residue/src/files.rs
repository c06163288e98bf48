//! Key export files and secret storage.

use hkdf::Hkdf;
use moceril::{
    SecretString,
    key_export::{self, Encryptor, Verifier},
    secret_storage::{PassphraseParameters, SecretStorageKey},
};
use sha2::{Sha256, Sha512};

use crate::{PLAINTEXT, distinct_keys, look, secrets::Secrets};

const PASSPHRASE: &str = "a passphrase that nobody guesses";
const ROUNDS: u32 = 100_000;

/// What PBKDF2 makes of the passphrase.
fn derived<const N: usize>(salt: &[u8], rounds: u32) -> [u8; N] {
    let mut keys = [0; N];
    pbkdf2::pbkdf2_hmac::<Sha512>(PASSPHRASE.as_bytes(), salt, rounds, &mut keys);
    keys
}

pub fn key_export() {
    let rng = &mut distinct_keys(1 << 39);
    let keys: [u8; 64] = derived(&rng.upcoming(0)[..16], ROUNDS);
    let all = |met: &mut Secrets| {
        met.add("AES key", &keys[..32]).add("MAC key", &keys[32..]).add("plaintext", PLAINTEXT);
        met.add("passphrase", PASSPHRASE.as_bytes());
    };
    let begin = || Encryptor::with_rng(PASSPHRASE, ROUNDS, rng).unwrap();
    let mut encryptor = look("key file: new", begin, |_, met| all(met));
    let update = || encryptor.update(PLAINTEXT);
    let mut file = look("key file: encrypt a piece", update, |_, met| all(met));
    file += &look("key file: end", || encryptor.finish(), |_, met| all(met));

    let decrypt = || key_export::decrypt(&file, PASSPHRASE, ROUNDS).unwrap();
    look("key file: decrypt", decrypt, |_, met| all(met));
    let mut verifier = Verifier::new(PASSPHRASE, ROUNDS);
    look("key file: verify a piece", || verifier.update(&file), |_, met| all(met));
    let finish = || verifier.finish().unwrap();
    let mut decryptor = look("key file: verify", finish, |_, met| all(met));
    let update = || decryptor.update(&file).unwrap().len();
    look("key file: decrypt a piece", update, |_, met| all(met));
    let finish = || decryptor.finish().unwrap().len();
    look("key file: decrypt the last piece", finish, |_, met| all(met));
}

pub fn secret_storage() {
    let rng = &mut distinct_keys(1 << 40);
    const NAME: &str = "m.cross_signing.master";
    let drawn = rng.upcoming(0);
    let mut keys = [0; 64];
    Hkdf::<Sha256>::new(None, &drawn).expand(NAME.as_bytes(), &mut keys).unwrap();
    let all = |met: &mut Secrets| {
        met.add("key", &drawn).add("AES key", &keys[..32]).add("MAC key", &keys[32..]);
        met.add("plaintext", PLAINTEXT);
    };
    let new = || SecretStorageKey::with_rng(rng).unwrap();
    let key = look("secret storage: new key", new, |_, met| all(met));
    let text = key.to_recovery_key();
    let read = || SecretStorageKey::from_recovery_key(&text).unwrap();
    look("secret storage: recovery key", read, |_, met| all(met));
    let secret = SecretString::from(String::from_utf8(PLAINTEXT.to_vec()).unwrap());
    let encrypt = || key.encrypt_with_rng(NAME, &secret, rng).unwrap();
    let encrypted = look("secret storage: encrypt", encrypt, |_, met| all(met));
    let decrypt = || key.decrypt(NAME, &encrypted).unwrap();
    look("secret storage: decrypt", decrypt, |_, met| all(met));

    let mut parameters = PassphraseParameters::with_rng(rng).unwrap();
    parameters.iterations = 1_000;
    let expected: [u8; 32] = derived(parameters.salt.as_bytes(), parameters.iterations);
    let derive = || {
        SecretStorageKey::from_passphrase(PASSPHRASE, &parameters, parameters.iterations).unwrap()
    };
    look("secret storage: key from a passphrase", derive, |_, met| {
        met.add("key", &expected).add("passphrase", PASSPHRASE.as_bytes());
    });
}
