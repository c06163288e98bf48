//! `m.megolm_backup.v1.curve25519-aes-sha2`, which does not authenticate (S-31), and keys that only
//! sign.

pub(crate) mod decryption;
pub(crate) mod encryption;
pub(crate) mod signing;

use crate::base64;

/// `olm_pk_key_length`: a Curve25519 public key in base64.
pub(crate) fn key_length() -> usize {
    base64::KEY_LENGTH
}

const KEY: usize = 32;
const MAC_LENGTH: usize = base64::encoded_length(8);
