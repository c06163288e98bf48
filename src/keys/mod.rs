//! Layer 1: public keys, signatures and key ids.
//!
//! A value of these types has passed every check (S-01, S-14), so code that holds one need not
//! check it again.

/// Keys and signatures print as `name:base64`.
macro_rules! print_as_base64 {
    ($($type:ident $name:literal),+) => {$(
        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.to_base64())
            }
        }

        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($name, ":{}"), self.to_base64())
            }
        }
    )+};
}

mod curve25519;
mod ed25519;
mod id;

pub(crate) use self::curve25519::Curve25519KeyPair;
pub use self::{
    curve25519::Curve25519PublicKey,
    ed25519::{Ed25519PublicKey, Ed25519SecretKey, Ed25519Signature},
    id::{IdentityKeys, KeyId},
};
use crate::{
    error::KeyError,
    primitives::{base64, secret::Secret},
};

/// Reads a 32-byte key from base64.
fn key_from_base64(text: &str) -> Result<[u8; 32], KeyError> {
    let bytes = base64::decode(text)?;
    key_from_slice(&bytes)
}

/// Reads 32 secret bytes from base64. The time depends only on the length of the text.
pub(crate) fn secret_from_base64(text: &str) -> Result<Secret<32>, KeyError> {
    base64::decode_secret(text)?.ok_or_else(|| KeyError::Length(base64::decoded_length(text)))
}

fn key_from_slice(bytes: &[u8]) -> Result<[u8; 32], KeyError> {
    bytes.try_into().map_err(|_| KeyError::Length(bytes.len()))
}
