//! The cipher of key export files: PBKDF2-HMAC-SHA-512, AES-256-CTR, HMAC-SHA-256.
//!
//! Spec: Matrix specification, "Key exports". As in `seal.rs`, raw CTR does not leave this file, and
//! the MAC is verified before anything is decrypted.

use aes::{
    Aes256,
    cipher::{KeyIvInit, StreamCipher},
};
use alloc::vec::Vec;
use sha2::Sha512;
use subtle::ConstantTimeEq;

use super::{kdf::HmacKey, secret::Secret, verdict::if_equal};

pub(crate) const SALT_LENGTH: usize = 16;
pub(crate) const IV_LENGTH: usize = 16;
pub(crate) const TAG_LENGTH: usize = 32;

/// Wrong passphrase, or the file was altered.
#[derive(Debug)]
pub(crate) struct Forged;

/// What the keys and the key stream are made from. All but the passphrase stands in the file.
pub(crate) struct Parameters<'a> {
    pub(crate) passphrase: &'a str,
    pub(crate) salt: &'a [u8; SALT_LENGTH],
    pub(crate) iv: &'a [u8; IV_LENGTH],
    pub(crate) rounds: u32,
}

struct Keys {
    aes: Secret<32>,
    hmac: HmacKey,
}

impl Keys {
    fn derive(parameters: &Parameters<'_>) -> Self {
        let Parameters { passphrase, salt, rounds, .. } = *parameters;
        let mut okm = Secret::<64>::default();
        pbkdf2::pbkdf2_hmac::<Sha512>(passphrase.as_bytes(), salt, rounds, okm.as_mut_bytes());
        Self { aes: okm.part::<0, 32>(), hmac: HmacKey::new(okm.part::<32, 32>().as_bytes()) }
    }

    fn apply(&self, iv: &[u8; IV_LENGTH], buffer: &mut [u8]) {
        ctr::Ctr128BE::<Aes256>::new(self.aes.as_bytes().into(), iv.into()).apply_keystream(buffer);
    }
}

/// Encrypts `plaintext` in place. The file is `head`, the ciphertext, and the MAC over both.
///
/// Only what was encrypted is copied into the file: no length, wrongly computed, could leave plaintext
/// there (S-47).
pub(crate) fn seal(parameters: &Parameters<'_>, head: &[u8], plaintext: &mut [u8]) -> Vec<u8> {
    let keys = Keys::derive(parameters);
    keys.apply(parameters.iv, plaintext);
    let mut file = [head, plaintext].concat();
    let tag = keys.hmac.tag(&file);
    file.extend_from_slice(&tag);
    file
}

/// Verifies the MAC at the end of `file`, then decrypts what lies between it and the first
/// `head_length` bytes.
pub(crate) fn open(
    parameters: &Parameters<'_>,
    head_length: usize,
    file: &[u8],
) -> Result<Vec<u8>, Forged> {
    let (authenticated, tag) = file.split_last_chunk::<TAG_LENGTH>().ok_or(Forged)?;
    let ciphertext = authenticated.get(head_length..).ok_or(Forged)?;
    let keys = Keys::derive(parameters);
    if_equal(keys.hmac.tag(authenticated).ct_eq(tag), Forged, || {
        let mut plaintext = ciphertext.to_vec();
        keys.apply(parameters.iv, &mut plaintext);
        Ok(plaintext)
    })
}
