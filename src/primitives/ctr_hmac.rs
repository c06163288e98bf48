//! AES-256-CTR and HMAC-SHA-256, with keys from PBKDF2-HMAC-SHA-512 or HKDF-SHA-256: the cipher of
//! key export files and of secret storage.
//!
//! Spec: Matrix specification, "Key exports" and "m.secret_storage.v1.aes-hmac-sha2". As in
//! `cbc_hmac`, the bare cipher does not leave this file, and the MAC is verified before anything is
//! decrypted.

use aes::{
    Aes256,
    cipher::{KeyIvInit, StreamCipher},
};
use alloc::vec::Vec;
use rand::TryCryptoRng;
use subtle::ConstantTimeEq;

use super::{
    kdf::{HmacKey, pbkdf2_sha512},
    rng::draw,
    secret::Secret,
    verdict::if_equal,
};
use crate::error::RandomError;

pub(crate) const SALT_LENGTH: usize = 16;
pub(crate) const IV_LENGTH: usize = 16;
pub(crate) const TAG_LENGTH: usize = 32;

/// Wrong key or passphrase, or what was encrypted was altered.
#[derive(Debug)]
pub(crate) struct Forged;

/// Draws an IV. Its bit 63 is zero, as the specification demands, for implementations whose counter
/// has 64 bits.
pub(crate) fn draw_iv<R: TryCryptoRng + ?Sized>(
    rng: &mut R,
) -> Result<[u8; IV_LENGTH], RandomError> {
    let mut iv = *draw::<IV_LENGTH, R>(rng)?.as_bytes();
    iv[8] &= 0x7f;
    Ok(iv)
}

pub(crate) struct Keys {
    aes: Secret<32>,
    hmac: HmacKey,
}

impl Keys {
    /// The keys of a key export file.
    pub(crate) fn from_passphrase(passphrase: &str, salt: &[u8; SALT_LENGTH], rounds: u32) -> Self {
        Self::from_okm(&pbkdf2_sha512(passphrase, salt, rounds))
    }

    /// The keys of a secret with this name in a secret storage.
    #[cfg(feature = "matrix")]
    pub(crate) fn from_secret(secret: &Secret<32>, name: &str) -> Self {
        Self::from_okm(&super::kdf::hkdf(None, secret.as_bytes(), name.as_bytes()))
    }

    fn from_okm(okm: &Secret<64>) -> Self {
        Self { aes: okm.part::<0, 32>(), hmac: HmacKey::new(okm.part::<32, 32>().as_bytes()) }
    }

    fn apply(&self, iv: &[u8; IV_LENGTH], buffer: &mut [u8]) {
        ctr::Ctr128BE::<Aes256>::new(self.aes.as_bytes().into(), iv.into()).apply_keystream(buffer);
    }
}

/// Encrypts `plaintext` in place. The result is `head` and the ciphertext, and the MAC over both.
///
/// Only what was encrypted is copied there: no length, wrongly computed, could leave plaintext in
/// it (S-47).
pub(crate) fn seal(
    keys: &Keys,
    iv: &[u8; IV_LENGTH],
    head: &[u8],
    plaintext: &mut [u8],
) -> (Vec<u8>, [u8; TAG_LENGTH]) {
    keys.apply(iv, plaintext);
    let authenticated = [head, plaintext].concat();
    let tag = keys.hmac.tag(&authenticated);
    (authenticated, tag)
}

/// Verifies the MAC, then decrypts what follows the first `head_length` bytes.
pub(crate) fn open(
    keys: &Keys,
    iv: &[u8; IV_LENGTH],
    head_length: usize,
    authenticated: &[u8],
    tag: &[u8; TAG_LENGTH],
) -> Result<Vec<u8>, Forged> {
    let ciphertext = authenticated.get(head_length..).ok_or(Forged)?;
    if_equal(keys.hmac.tag(authenticated).ct_eq(tag), Forged, || {
        let mut plaintext = ciphertext.to_vec();
        keys.apply(iv, &mut plaintext);
        Ok(plaintext)
    })
}
