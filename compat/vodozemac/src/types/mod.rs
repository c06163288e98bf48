//! Keys, signatures and key ids.

mod curve25519;
mod ed25519;
mod ed25519_secret;
mod key_id;

use thiserror::Error;
pub use x25519_dalek::SharedSecret;

pub use self::{
    curve25519::{Curve25519PublicKey, Curve25519SecretKey},
    ed25519::{Ed25519PublicKey, Ed25519Signature, SignatureError},
    ed25519_secret::{Ed25519Keypair, Ed25519SecretKey},
    key_id::KeyId,
};

/// A key is unacceptable.
#[derive(Error, Debug)]
pub enum KeyError {
    /// The text of a public key is not base64.
    #[error("the public key is not valid base64: {0}")]
    Base64Error(#[from] base64::DecodeError),

    /// The text of a private key is not base64.
    #[error("the private key is not valid base64: {0}")]
    Base64PrivateKey(#[from] base64ct::Error),

    /// The key has the wrong length.
    #[error("a {key_type} key has {expected_length} bytes, not {length}")]
    InvalidKeyLength {
        /// The kind of key.
        key_type: &'static str,
        /// How many bytes it has.
        expected_length: usize,
        /// How many bytes were given.
        length: usize,
    },

    /// The bytes are not an Ed25519 public key, or one that verifies nothing.
    #[error(transparent)]
    Signature(#[from] SignatureError),

    /// A Curve25519 key is of low order or not canonically encoded, so that an agreement with it
    /// would not be secret.
    #[error("the key agreement would not be contributory")]
    NonContributoryKey,
}

/// Checks the length of a key's base64 before it is decoded.
fn check_text_length(text: &str, key_type: &'static str) -> Result<(), KeyError> {
    match text.len() {
        43 | 44 => Ok(()),
        length => Err(KeyError::InvalidKeyLength {
            key_type,
            expected_length: 32,
            length: base64::decoded_len_estimate(length),
        }),
    }
}

/// The 32 bytes of a key.
fn key_bytes(bytes: &[u8], key_type: &'static str) -> Result<[u8; 32], KeyError> {
    bytes.try_into().map_err(|_| KeyError::InvalidKeyLength {
        key_type,
        expected_length: 32,
        length: bytes.len(),
    })
}
