//! Ed25519 keys and signatures.

use alloc::{boxed::Box, string::String};
use core::fmt;

use rand::TryCryptoRng;

use super::{key_from_base64, key_from_slice, secret_from_base64};
use crate::{
    error::{DecodeError, KeyError, RandomError, SignatureError},
    primitives::{
        base64, ed25519, rng,
        secret::{Secret, SecretString},
        stack::{SHALLOW, wiped_below},
    },
};

/// An Ed25519 public key: 32 bytes, 43 characters of base64.
///
/// It is always canonically encoded and not of small order (S-14). Parsing checks that it is a
/// point of the curve, with one exception: a key that arrived within an exported session key, a
/// native pickle or libolm's pickle of an inbound group session is checked when it first verifies a
/// signature, because the check takes nearly all of the time of an import.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ed25519PublicKey([u8; 32]);

impl Ed25519PublicKey {
    /// Length of a key in bytes.
    pub const LENGTH: usize = 32;

    /// Takes the 32 bytes of a key after checking them.
    ///
    /// # Errors
    ///
    /// [`KeyError::NonCanonical`], [`KeyError::NotOnCurve`] or [`KeyError::LowOrder`].
    pub fn from_bytes(bytes: [u8; 32]) -> Result<Self, KeyError> {
        ed25519::VerifyingKey::from_bytes(&bytes).map(|_| Self(bytes))
    }

    /// Takes a key of which only the encoding is checked here; whether it is a point is checked
    /// when it verifies a signature. Until then, a key that is not a point does no harm: it only
    /// names a session.
    pub(crate) fn from_unverified_point(bytes: [u8; 32]) -> Result<Self, KeyError> {
        ed25519::check_encoding(&bytes).map(|()| Self(bytes))
    }

    /// Like [`from_bytes`](Self::from_bytes), from a slice.
    ///
    /// # Errors
    ///
    /// [`KeyError::Length`] besides those of `from_bytes`.
    pub fn from_slice(bytes: &[u8]) -> Result<Self, KeyError> {
        Self::from_bytes(key_from_slice(bytes)?)
    }

    /// Like [`from_bytes`](Self::from_bytes), from base64 with or without padding.
    ///
    /// # Errors
    ///
    /// [`KeyError::Base64`] and [`KeyError::Length`] besides those of `from_bytes`.
    pub fn from_base64(text: &str) -> Result<Self, KeyError> {
        Self::from_bytes(key_from_base64(text)?)
    }

    /// The public half of a signing key.
    pub(crate) const fn from_signing_key(public: &[u8; 32]) -> Self {
        Self(*public)
    }

    /// The decompressed key, for verifying several signatures.
    pub(crate) fn verifying_key(&self) -> Result<ed25519::VerifyingKey, KeyError> {
        ed25519::VerifyingKey::from_bytes(&self.0)
    }

    /// The 32 bytes of the key.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The key as 43 characters of unpadded base64.
    #[must_use]
    pub fn to_base64(&self) -> String {
        base64::encode(&self.0)
    }

    /// Verifies a signature over exactly these bytes, strictly (S-14): `S` must be below the group
    /// order, and `R` must be canonical and not of small order.
    ///
    /// # Errors
    ///
    /// [`SignatureError`] for any fault.
    pub fn verify(
        &self,
        message: impl AsRef<[u8]>,
        signature: &Ed25519Signature,
    ) -> Result<(), SignatureError> {
        let key = self.verifying_key().map_err(|_| SignatureError)?;
        key.verify(message.as_ref(), &signature.0)
    }
}

/// An Ed25519 signature: 64 bytes, 86 characters of base64.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ed25519Signature([u8; ed25519::SIGNATURE_LENGTH]);

impl Ed25519Signature {
    /// Length of a signature in bytes.
    pub const LENGTH: usize = ed25519::SIGNATURE_LENGTH;

    /// Takes the 64 bytes of a signature. This verifies nothing.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 64]) -> Self {
        Self(bytes)
    }

    /// Like [`from_bytes`](Self::from_bytes), from a slice.
    ///
    /// # Errors
    ///
    /// [`DecodeError::Length`] for another length than 64.
    pub fn from_slice(bytes: &[u8]) -> Result<Self, DecodeError> {
        let wrong = DecodeError::Length { expected: Self::LENGTH, found: bytes.len() };
        bytes.try_into().map(Self).map_err(|_| wrong)
    }

    /// Reads a signature from base64 with or without padding. This verifies nothing.
    ///
    /// # Errors
    ///
    /// [`DecodeError::Base64`] or [`DecodeError::Length`].
    pub fn from_base64(text: &str) -> Result<Self, DecodeError> {
        Self::from_slice(&base64::decode(text)?)
    }

    /// The 64 bytes of the signature.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 64] {
        &self.0
    }

    /// The signature as 86 characters of unpadded base64.
    #[must_use]
    pub fn to_base64(&self) -> String {
        base64::encode(&self.0)
    }
}

/// An Ed25519 private key outside an account, such as a cross-signing key: a seed of 32 bytes.
///
/// Signatures follow RFC 8032, and the public key is always derived from the seed (S-14). The
/// secrets are in one heap block, which is wiped on drop.
///
/// ```
/// use moceril::Ed25519SecretKey;
///
/// let master = Ed25519SecretKey::new()?;
/// let signature = master.sign(b"this is my other key");
/// master.public_key().verify(b"this is my other key", &signature)?;
///
/// // Store the seed, for example in secret storage.
/// let restored = Ed25519SecretKey::from_base64(&master.to_base64())?;
/// assert_eq!(restored.public_key(), master.public_key());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Ed25519SecretKey(Box<ed25519::SeededKey>);

impl Ed25519SecretKey {
    /// Length of the seed in bytes.
    pub const LENGTH: usize = 32;

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
        wiped_below::<SHALLOW, _>(|| rng::draw(rng).map(Self::from_seed))
    }

    /// Makes the key with this seed; any 32 bytes are valid. The caller must wipe its own copy.
    #[must_use]
    pub fn from_bytes(seed: [u8; 32]) -> Self {
        wiped_below::<SHALLOW, _>(|| Self::from_seed(Secret::new(seed)))
    }

    /// Reads a seed from base64 with or without padding.
    ///
    /// # Errors
    ///
    /// [`KeyError::Base64`] or [`KeyError::Length`].
    pub fn from_base64(text: &str) -> Result<Self, KeyError> {
        wiped_below::<SHALLOW, _>(|| secret_from_base64(text).map(Self::from_seed))
    }

    fn from_seed(seed: Secret<32>) -> Self {
        Self(Box::new(ed25519::SeededKey::from_seed(seed)))
    }

    /// The 32 bytes of the seed, which the caller must wipe. The text that
    /// [`to_base64`](Self::to_base64) returns wipes itself.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; 32] {
        *self.0.seed().as_bytes()
    }

    /// The seed as 43 characters of unpadded base64.
    #[must_use]
    pub fn to_base64(&self) -> SecretString {
        base64::encode_secret(self.0.seed().as_bytes())
    }

    /// The public half of the key.
    #[must_use]
    pub fn public_key(&self) -> Ed25519PublicKey {
        Ed25519PublicKey::from_signing_key(self.0.key().public())
    }

    /// Signs exactly these bytes.
    #[must_use]
    pub fn sign(&self, message: impl AsRef<[u8]>) -> Ed25519Signature {
        Ed25519Signature::from_bytes(self.0.key().sign(message.as_ref()))
    }
}

impl Clone for Ed25519SecretKey {
    fn clone(&self) -> Self {
        wiped_below::<SHALLOW, _>(|| Self(self.0.clone()))
    }
}

impl fmt::Debug for Ed25519SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ed25519SecretKey")
            .field("public_key", &self.public_key())
            .finish_non_exhaustive()
    }
}

print_as_base64!(Ed25519PublicKey "ed25519", Ed25519Signature "ed25519-signature");
