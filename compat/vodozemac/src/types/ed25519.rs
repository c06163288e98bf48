//! Ed25519 public keys and signatures.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use serde_bytes::{ByteArray, Bytes};
use thiserror::Error;

use super::{KeyError, check_text_length, key_bytes};
use crate::base64_text::{base64_decode, base64_encode};

const KEY_TYPE: &str = "Ed25519";

/// A signature is malformed or does not verify.
#[derive(Debug, Error)]
pub enum SignatureError {
    /// The text is not base64.
    #[error("the signature is not valid base64: {0}")]
    Base64(#[from] base64::DecodeError),
    /// The signature, or the key, is not acceptable.
    #[error("the signature does not verify: {0}")]
    Signature(#[from] ed25519_dalek::SignatureError),
}

impl SignatureError {
    /// `moceril` does not say more.
    pub(crate) fn invalid() -> Self {
        Self::Signature(ed25519_dalek::SignatureError::new())
    }
}

/// An Ed25519 public key, canonically encoded. One of small order verifies nothing.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Ed25519PublicKey(Key);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Key {
    Good(moceril::Ed25519PublicKey),
    /// No honest peer has such a key, but programs use them as placeholders.
    SmallOrder([u8; 32]),
}

impl Ed25519PublicKey {
    /// Length of a key in bytes.
    pub const LENGTH: usize = 32;

    /// Takes the 32 bytes of a key after checking them.
    ///
    /// # Errors
    ///
    /// [`KeyError::Signature`].
    pub fn from_slice(bytes: &[u8; 32]) -> Result<Self, KeyError> {
        match moceril::Ed25519PublicKey::from_bytes(*bytes) {
            Ok(key) => Ok(Self(Key::Good(key))),
            Err(moceril::KeyError::LowOrder) => Ok(Self(Key::SmallOrder(*bytes))),
            Err(_) => Err(SignatureError::invalid().into()),
        }
    }

    /// The 32 bytes of the key.
    pub fn as_bytes(&self) -> &[u8; Self::LENGTH] {
        match &self.0 {
            Key::Good(key) => key.as_bytes(),
            Key::SmallOrder(bytes) => bytes,
        }
    }

    /// Reads a key from base64 with or without padding.
    ///
    /// # Errors
    ///
    /// [`KeyError`].
    pub fn from_base64(input: &str) -> Result<Self, KeyError> {
        check_text_length(input, KEY_TYPE)?;
        Self::from_slice(&key_bytes(&base64_decode(input)?, KEY_TYPE)?)
    }

    /// The key in base64 without padding (43 characters).
    pub fn to_base64(&self) -> String {
        base64_encode(self.as_bytes())
    }

    /// Verifies a signature over exactly these bytes, strictly.
    ///
    /// # Errors
    ///
    /// [`SignatureError::Signature`].
    pub fn verify(
        &self,
        message: &[u8],
        signature: &Ed25519Signature,
    ) -> Result<(), SignatureError> {
        match &self.0 {
            Key::Good(key) => {
                key.verify(message, &signature.0).map_err(|_| SignatureError::invalid())
            }
            Key::SmallOrder(_) => Err(SignatureError::invalid()),
        }
    }

    pub(crate) const fn from_inner(key: moceril::Ed25519PublicKey) -> Self {
        Self(Key::Good(key))
    }
}

impl Serialize for Ed25519PublicKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Bytes::new(self.as_bytes()).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Ed25519PublicKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let bytes = ByteArray::<32>::deserialize(deserializer)?;
        Self::from_slice(&bytes).map_err(D::Error::custom)
    }
}

/// An Ed25519 signature.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Ed25519Signature(moceril::Ed25519Signature);

impl Ed25519Signature {
    /// Length of a signature in bytes.
    pub const LENGTH: usize = 64;

    /// Takes the 64 bytes of a signature; nothing is verified yet.
    ///
    /// # Errors
    ///
    /// [`SignatureError::Signature`] for another length.
    pub fn from_slice(bytes: &[u8]) -> Result<Self, SignatureError> {
        let bytes = bytes.try_into().map_err(|_| SignatureError::invalid())?;
        Ok(Self(moceril::Ed25519Signature::from_bytes(bytes)))
    }

    /// Reads a signature from base64 with or without padding; nothing is verified yet.
    ///
    /// # Errors
    ///
    /// [`SignatureError`].
    pub fn from_base64(signature: &str) -> Result<Self, SignatureError> {
        Self::from_slice(&base64_decode(signature)?)
    }

    /// The signature in base64 without padding (86 characters).
    pub fn to_base64(&self) -> String {
        base64_encode(self.0.as_bytes())
    }

    /// The 64 bytes of the signature.
    pub fn to_bytes(&self) -> [u8; Self::LENGTH] {
        *self.0.as_bytes()
    }

    pub(crate) const fn from_inner(signature: moceril::Ed25519Signature) -> Self {
        Self(signature)
    }

    #[cfg(feature = "low-level-api")]
    pub(crate) const fn inner(&self) -> &moceril::Ed25519Signature {
        &self.0
    }
}

macro_rules! print_as_base64 {
    ($($type:ident),+) => {$(
        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.to_base64())
            }
        }

        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&format!("ed25519:{self}"), f)
            }
        }
    )+};
}

print_as_base64!(Ed25519PublicKey, Ed25519Signature);
