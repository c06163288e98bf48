//! Curve25519 keys.
//!
//! These are x25519-dalek's types in another name, because vodozemac's API hands out that crate's
//! `SharedSecret`, which nothing else can make. A public key may hold any 32 bytes here; `strict`
//! is the way to `moceril`, where it must be one that an honest peer can have (S-01).

use std::fmt;

use matrix_pickle::{Decode, DecodeError};
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};
use x25519_dalek::{EphemeralSecret, PublicKey, ReusableSecret, SharedSecret, StaticSecret};
use zeroize::Zeroize;

use super::{KeyError, check_text_length, key_bytes};
use crate::base64_text::{base64_decode, base64_encode};

const KEY_TYPE: &str = "Curve25519";

/// A Curve25519 private key.
#[derive(Clone, Serialize)]
#[serde(transparent)]
pub struct Curve25519SecretKey(Box<StaticSecret>);

impl Curve25519SecretKey {
    /// Draws a key from the operating system's randomness.
    ///
    /// # Panics
    ///
    /// If that fails.
    pub fn new() -> Self {
        Self(Box::new(StaticSecret::random()))
    }

    /// Makes the key from these 32 bytes.
    pub fn from_slice(bytes: &[u8; 32]) -> Self {
        Self(Box::new(StaticSecret::from(*bytes)))
    }

    /// The agreed secret; `None` for a public key that would make it no secret.
    pub fn diffie_hellman(&self, their_public_key: &Curve25519PublicKey) -> Option<SharedSecret> {
        their_public_key.strict().ok()?;
        let secret = self.0.diffie_hellman(&their_public_key.inner);
        secret.was_contributory().then_some(secret)
    }

    /// The 32 bytes of the key. They are not wiped for you.
    pub fn to_bytes(&self) -> Box<[u8; 32]> {
        let mut bytes = self.0.to_bytes();
        let boxed = Box::new(bytes);
        bytes.zeroize();
        boxed
    }
}

impl Default for Curve25519SecretKey {
    fn default() -> Self {
        Self::new()
    }
}

impl<'de> Deserialize<'de> for Curve25519SecretKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // S-29: serde's error quotes what it found, which may be the key in another form.
        StaticSecret::deserialize(deserializer)
            .map(|secret| Self(Box::new(secret)))
            .map_err(|_| D::Error::custom("not the 32 bytes of a private key"))
    }
}

/// A Curve25519 public key.
#[derive(PartialEq, Eq, Hash, Copy, Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Curve25519PublicKey {
    inner: PublicKey,
}

impl Curve25519PublicKey {
    /// Length of a key in bytes.
    pub const LENGTH: usize = 32;

    /// The 32 bytes of the key.
    pub fn to_bytes(&self) -> [u8; Self::LENGTH] {
        self.inner.to_bytes()
    }

    /// The 32 bytes of the key.
    pub fn as_bytes(&self) -> &[u8; Self::LENGTH] {
        self.inner.as_bytes()
    }

    /// The 32 bytes of the key.
    pub fn to_vec(&self) -> Vec<u8> {
        self.inner.as_bytes().to_vec()
    }

    /// The key of these bytes, whatever they are: they are checked where the key is used.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self { inner: PublicKey::from(bytes) }
    }

    /// Reads a key from base64 with or without padding.
    ///
    /// # Errors
    ///
    /// [`KeyError::InvalidKeyLength`] or [`KeyError::Base64Error`].
    pub fn from_base64(input: &str) -> Result<Curve25519PublicKey, KeyError> {
        check_text_length(input, KEY_TYPE)?;
        Self::from_slice(&base64_decode(input)?)
    }

    /// Reads a key from 32 bytes.
    ///
    /// # Errors
    ///
    /// [`KeyError::InvalidKeyLength`].
    pub fn from_slice(slice: &[u8]) -> Result<Curve25519PublicKey, KeyError> {
        key_bytes(slice, KEY_TYPE).map(Self::from_bytes)
    }

    /// The key in base64 without padding (43 characters).
    pub fn to_base64(&self) -> String {
        base64_encode(self.as_bytes())
    }

    pub(crate) fn from_inner(key: moceril::Curve25519PublicKey) -> Self {
        Self::from_bytes(*key.as_bytes())
    }

    /// The key with its promise: canonical and not of low order.
    pub(crate) fn strict(&self) -> Result<moceril::Curve25519PublicKey, KeyError> {
        moceril::Curve25519PublicKey::from_bytes(self.to_bytes())
            .map_err(|_| KeyError::NonContributoryKey)
    }
}

impl Decode for Curve25519PublicKey {
    fn decode(reader: &mut impl std::io::Read) -> Result<Self, DecodeError> {
        <[u8; 32]>::decode(reader).map(Self::from_bytes)
    }
}

impl fmt::Display for Curve25519PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_base64())
    }
}

impl fmt::Debug for Curve25519PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&format!("curve25519:{self}"), f)
    }
}

impl From<[u8; Self::LENGTH]> for Curve25519PublicKey {
    fn from(bytes: [u8; Self::LENGTH]) -> Self {
        Self::from_bytes(bytes)
    }
}

impl<'a> From<&'a Curve25519SecretKey> for Curve25519PublicKey {
    fn from(secret: &'a Curve25519SecretKey) -> Self {
        Self { inner: PublicKey::from(secret.0.as_ref()) }
    }
}

impl<'a> From<&'a EphemeralSecret> for Curve25519PublicKey {
    fn from(secret: &'a EphemeralSecret) -> Self {
        Self { inner: PublicKey::from(secret) }
    }
}

impl<'a> From<&'a ReusableSecret> for Curve25519PublicKey {
    fn from(secret: &'a ReusableSecret) -> Self {
        Self { inner: PublicKey::from(secret) }
    }
}
