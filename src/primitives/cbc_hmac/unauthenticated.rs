//! The encryption of `m.megolm_backup.v1.curve25519-aes-sha2`, which does not authenticate (S-31).
//!
//! Spec: Matrix, "Backup algorithm". The key schedule is that of `cbc_hmac/mod.rs` with the empty
//! info string, which no [`Purpose`](super::Purpose) has, so no key of this file is ever a key of
//! another protocol. The MAC is over the empty string. It is the same for every ciphertext under a
//! key, so it shows only that its maker knew the key.

use alloc::vec::Vec;

use subtle::ConstantTimeEq;

use super::{Forged, MessageCipher};
use crate::primitives::{
    secret::Secret,
    stack::{MEDIUM, SHALLOW, wiped_below},
    verdict::if_equal,
};

pub(crate) const MAC_LENGTH: usize = 8;

/// The ciphertext of `plaintext`, and the MAC over the empty string.
pub(crate) fn seal_without_authentication(
    key: &Secret<32>,
    plaintext: &[u8],
) -> (Vec<u8>, [u8; MAC_LENGTH]) {
    wiped_below::<SHALLOW, _>(|| {
        let cipher = MessageCipher::derive(key.as_bytes(), b"");
        let mut ciphertext = Vec::new();
        cipher.encrypt_onto(&mut ciphertext, plaintext);
        (ciphertext, mac_over_nothing(&cipher))
    })
}

/// Compares the MAC in constant time, and decrypts. Success says nothing about who made the
/// ciphertext.
pub(crate) fn open_without_authentication(
    key: &Secret<32>,
    ciphertext: &[u8],
    mac: &[u8; MAC_LENGTH],
) -> Result<Vec<u8>, Forged> {
    wiped_below::<MEDIUM, _>(|| {
        let cipher = MessageCipher::derive(key.as_bytes(), b"");
        if_equal(mac_over_nothing(&cipher).ct_eq(mac), Forged, || cipher.decrypt(ciphertext))
    })
}

fn mac_over_nothing(cipher: &MessageCipher) -> [u8; MAC_LENGTH] {
    let [a, b, c, d, e, f, g, h, ..] = cipher.mac_key.tag(b"");
    [a, b, c, d, e, f, g, h]
}
