//! An Ed25519 key pair in vodozemac's serde form, which is not part of an account or session.

use core::fmt;

use rand::TryCryptoRng;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

use super::{convert, shape::SigningKeyShape};
#[cfg(feature = "std")]
use crate::primitives::rng;
use crate::{
    error::RandomError,
    keys::{Ed25519PublicKey, Ed25519Signature},
    primitives::{ed25519::SigningKey, rng::draw},
};

/// A key pair in one of vodozemac's two forms: a seed, or the 64 bytes that libolm stores instead.
///
/// Prefer [`Ed25519SecretKey`](crate::Ed25519SecretKey) for new keys: it always has a seed, so it
/// can be stored as text. The secrets are in one heap block, which is wiped on drop. The serialized
/// form is not encrypted.
#[derive(Clone)]
pub struct Ed25519KeyPair(SigningKey);

impl Ed25519KeyPair {
    /// Draws a key from the operating system's randomness.
    ///
    /// # Errors
    ///
    /// [`RandomError`].
    #[cfg(feature = "std")]
    pub fn new() -> Result<Self, RandomError> {
        Self::with_rng(&mut rng::system())
    }

    /// Like `new`, but with the caller's source of randomness, which gives the 32 bytes of the
    /// seed.
    ///
    /// # Errors
    ///
    /// [`RandomError`].
    pub fn with_rng<R: TryCryptoRng + ?Sized>(rng: &mut R) -> Result<Self, RandomError> {
        Ok(Self(SigningKey::from_seed(draw(rng)?)))
    }

    /// The public half, always derived from the private one (S-14).
    #[must_use]
    pub fn public_key(&self) -> Ed25519PublicKey {
        Ed25519PublicKey::from_signing_key(self.0.public())
    }

    /// Signs exactly these bytes.
    #[must_use]
    pub fn sign(&self, message: impl AsRef<[u8]>) -> Ed25519Signature {
        Ed25519Signature::from_bytes(self.0.sign(message.as_ref()))
    }
}

impl Serialize for Ed25519KeyPair {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        convert::signing_key_to(&self.0).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Ed25519KeyPair {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // S-29: serde's error quotes what it found, which may be a secret in another form.
        let shape = SigningKeyShape::deserialize(deserializer)
            .map_err(|_| D::Error::custom("not vodozemac's form of a key pair"))?;
        convert::signing_key_from(shape).map(Self).map_err(D::Error::custom)
    }
}

impl fmt::Debug for Ed25519KeyPair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ed25519KeyPair")
            .field("public_key", &self.public_key())
            .finish_non_exhaustive()
    }
}
