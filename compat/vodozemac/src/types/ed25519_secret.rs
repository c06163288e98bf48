//! Ed25519 private keys.

use moceril::vodozemac::Ed25519KeyPair;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use serde_bytes::{ByteArray, Bytes};
use zeroize::{Zeroize, Zeroizing};

use super::{Ed25519PublicKey, Ed25519Signature, KeyError, check_text_length};
use crate::convert::drawn;

/// An Ed25519 private key: a seed of 32 bytes.
pub struct Ed25519SecretKey(moceril::Ed25519SecretKey);

impl Ed25519SecretKey {
    /// Length of the seed in bytes.
    pub const LENGTH: usize = 32;

    /// Draws a key from the operating system's randomness.
    ///
    /// # Panics
    ///
    /// If that fails.
    pub fn new() -> Self {
        Self(drawn(moceril::Ed25519SecretKey::new()))
    }

    /// The 32 bytes of the seed. They are not wiped for you.
    pub fn to_bytes(&self) -> Box<[u8; 32]> {
        let mut bytes = self.0.to_bytes();
        let boxed = Box::new(bytes);
        bytes.zeroize();
        boxed
    }

    /// The key of this seed.
    pub fn from_slice(bytes: &[u8; 32]) -> Self {
        Self(moceril::Ed25519SecretKey::from_bytes(*bytes))
    }

    /// The seed in base64 without padding (43 characters). It is not wiped for you.
    pub fn to_base64(&self) -> String {
        self.0.to_base64().to_string()
    }

    /// Reads a seed from base64 with or without padding.
    ///
    /// # Errors
    ///
    /// [`KeyError::InvalidKeyLength`] or [`KeyError::Base64PrivateKey`].
    pub fn from_base64(input: &str) -> Result<Self, KeyError> {
        check_text_length(input, "Ed25519")?;
        moceril::Ed25519SecretKey::from_base64(input)
            .map(Self)
            .map_err(|_| base64ct::Error::InvalidEncoding.into())
    }

    /// The public half of the key.
    pub fn public_key(&self) -> Ed25519PublicKey {
        Ed25519PublicKey::from_inner(self.0.public_key())
    }

    /// Signs exactly these bytes.
    pub fn sign(&self, message: &[u8]) -> Ed25519Signature {
        Ed25519Signature::from_inner(self.0.sign(message))
    }
}

impl Default for Ed25519SecretKey {
    fn default() -> Self {
        Self::new()
    }
}

impl Serialize for Ed25519SecretKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let seed = Zeroizing::new(self.0.to_bytes());
        Bytes::new(&*seed).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Ed25519SecretKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // S-29: serde's error quotes what it found, which may be the seed in another form.
        let seed = ByteArray::<32>::deserialize(deserializer)
            .map_err(|_| D::Error::custom("not the 32 bytes of a seed"))?;
        Ok(Self::from_slice(&Zeroizing::new(seed.into_array())))
    }
}

/// An Ed25519 private key with its public half; it may also be of libolm's form, without a seed.
#[derive(Clone)]
pub struct Ed25519Keypair {
    inner: Ed25519KeyPair,
    public_key: Ed25519PublicKey,
}

impl Ed25519Keypair {
    /// Draws a key from the operating system's randomness.
    ///
    /// # Panics
    ///
    /// If that fails.
    pub fn new() -> Self {
        Self::from_inner(drawn(Ed25519KeyPair::new()))
    }

    /// The public half of the key.
    pub const fn public_key(&self) -> Ed25519PublicKey {
        self.public_key
    }

    /// Signs exactly these bytes.
    pub fn sign(&self, message: &[u8]) -> Ed25519Signature {
        Ed25519Signature::from_inner(self.inner.sign(message))
    }

    fn from_inner(inner: Ed25519KeyPair) -> Self {
        Self { public_key: Ed25519PublicKey::from_inner(inner.public_key()), inner }
    }

    #[cfg(feature = "low-level-api")]
    pub(crate) const fn inner(&self) -> &Ed25519KeyPair {
        &self.inner
    }
}

impl Default for Ed25519Keypair {
    fn default() -> Self {
        Self::new()
    }
}

impl Serialize for Ed25519Keypair {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.inner.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Ed25519Keypair {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ed25519KeyPair::deserialize(deserializer).map(Self::from_inner)
    }
}
