//! Layer 1: public keys, signatures and key ids.
//!
//! A key of these types has passed every check (S-01, S-14), so code that holds one need not check
//! it again.

use alloc::{boxed::Box, string::String};
use core::fmt;

use rand::TryCryptoRng;

use crate::{
    error::{KeyError, RandomError, SignatureError},
    primitives::{
        base64, ed25519,
        edwards::PeerPoint,
        rng,
        secret::{Secret, SecretList, SecretString},
        x25519::{self, NonContributory},
    },
};

/// Reads a 32-byte key from base64.
fn key_from_base64(text: &str) -> Result<[u8; 32], KeyError> {
    let bytes = base64::decode(text)?;
    key_from_slice(&bytes)
}

/// Reads 32 secret bytes from base64. The time depends only on the length of the text.
pub(crate) fn secret_from_base64(text: &str) -> Result<Secret<32>, KeyError> {
    base64::decode_secret(text)?.ok_or_else(|| {
        // This is valid base64 of another length: three bytes for each four characters before the
        // padding.
        KeyError::Length(text.trim_end_matches('=').len().saturating_mul(3) / 4)
    })
}

fn key_from_slice(bytes: &[u8]) -> Result<[u8; 32], KeyError> {
    bytes.try_into().map_err(|_| KeyError::Length(bytes.len()))
}

/// A Curve25519 public key: 32 bytes, 43 characters of base64.
///
/// It is always the canonical encoding of a point that is not of low order (S-01).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Curve25519PublicKey([u8; 32]);

impl Curve25519PublicKey {
    /// Length of a key in bytes.
    pub const LENGTH: usize = 32;

    /// Checks and takes the 32 bytes of a key.
    ///
    /// # Errors
    ///
    /// [`KeyError::NonCanonical`] or [`KeyError::LowOrder`]: no honest peer has such a key.
    pub fn from_bytes(bytes: [u8; 32]) -> Result<Self, KeyError> {
        x25519::check_public(&bytes)?;
        Ok(Self(bytes))
    }

    /// As [`from_bytes`](Self::from_bytes), from a slice.
    ///
    /// # Errors
    ///
    /// [`KeyError::Length`] besides those of `from_bytes`.
    pub fn from_slice(bytes: &[u8]) -> Result<Self, KeyError> {
        Self::from_bytes(key_from_slice(bytes)?)
    }

    /// As [`from_bytes`](Self::from_bytes), from base64 with or without padding.
    ///
    /// # Errors
    ///
    /// [`KeyError::Base64`] and [`KeyError::Length`] besides those of `from_bytes`.
    pub fn from_base64(text: &str) -> Result<Self, KeyError> {
        Self::from_bytes(key_from_base64(text)?)
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
}

/// An Ed25519 public key: 32 bytes, 43 characters of base64.
///
/// It is always canonically encoded and not of small order (S-14). Parsing checks that it is a
/// point of the curve. A key from a native pickle, which is authenticated, is checked when it first
/// verifies a signature.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ed25519PublicKey([u8; 32]);

impl Ed25519PublicKey {
    /// Length of a key in bytes.
    pub const LENGTH: usize = 32;

    /// Checks and takes the 32 bytes of a key.
    ///
    /// # Errors
    ///
    /// [`KeyError::NonCanonical`], [`KeyError::NotOnCurve`] or [`KeyError::LowOrder`].
    pub fn from_bytes(bytes: [u8; 32]) -> Result<Self, KeyError> {
        ed25519::VerifyingKey::from_bytes(&bytes).map(|key| Self::from_verifying_key(&key))
    }

    /// A key from an authenticated native pickle, which was a valid key when it was pickled. That
    /// it is a point is checked only when a signature is verified; the check takes an eighth of
    /// that time.
    pub(crate) fn from_own_pickle(bytes: [u8; 32]) -> Result<Self, KeyError> {
        ed25519::check_encoding(&bytes).map(|()| Self(bytes))
    }

    /// As [`from_bytes`](Self::from_bytes), from a slice.
    ///
    /// # Errors
    ///
    /// [`KeyError::Length`] besides those of `from_bytes`.
    pub fn from_slice(bytes: &[u8]) -> Result<Self, KeyError> {
        Self::from_bytes(key_from_slice(bytes)?)
    }

    /// As [`from_bytes`](Self::from_bytes), from base64 with or without padding.
    ///
    /// # Errors
    ///
    /// [`KeyError::Base64`] and [`KeyError::Length`] besides those of `from_bytes`.
    pub fn from_base64(text: &str) -> Result<Self, KeyError> {
        Self::from_bytes(key_from_base64(text)?)
    }

    pub(crate) fn from_verifying_key(key: &ed25519::VerifyingKey) -> Self {
        Self(*key.as_bytes())
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
        message: &[u8],
        signature: &Ed25519Signature,
    ) -> Result<(), SignatureError> {
        let key = self.verifying_key().map_err(|_| SignatureError)?;
        key.verify(message, &signature.0)
    }
}

/// An Ed25519 signature: 64 bytes, 86 characters of base64.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Ed25519Signature([u8; ed25519::SIGNATURE_LENGTH]);

impl Ed25519Signature {
    /// Length of a signature in bytes.
    pub const LENGTH: usize = ed25519::SIGNATURE_LENGTH;

    /// Takes the 64 bytes of a signature. This verifies nothing.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 64]) -> Self {
        Self(bytes)
    }

    /// Reads a signature from base64 with or without padding. This verifies nothing.
    ///
    /// # Errors
    ///
    /// [`SignatureError`] for text that is not base64 of 64 bytes.
    pub fn from_base64(text: &str) -> Result<Self, SignatureError> {
        let bytes = base64::decode(text).map_err(|_| SignatureError)?;
        bytes.as_slice().try_into().map(Self).map_err(|_| SignatureError)
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

/// An Ed25519 private key outside of an account, such as a cross-signing key: a seed of 32 bytes.
///
/// Signatures are those of RFC 8032, and the public key is always derived from the seed (S-14). The
/// secrets are in one heap block, wiped on drop.
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
pub struct Ed25519SecretKey(Box<SeedAndKey>);

struct SeedAndKey {
    seed: Secret<32>,
    key: ed25519::SigningKey,
}

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
        rng::draw(rng).map(Self::from_seed)
    }

    /// The key of this seed; any 32 bytes are valid. The caller must wipe its own copy.
    #[must_use]
    pub fn from_bytes(seed: [u8; 32]) -> Self {
        Self::from_seed(Secret::new(seed))
    }

    /// Reads a seed from base64 with or without padding.
    ///
    /// # Errors
    ///
    /// [`KeyError::Base64`] or [`KeyError::Length`].
    pub fn from_base64(text: &str) -> Result<Self, KeyError> {
        secret_from_base64(text).map(Self::from_seed)
    }

    fn from_seed(seed: Secret<32>) -> Self {
        let key = ed25519::SigningKey::from_seed(seed.clone());
        Self(Box::new(SeedAndKey { seed, key }))
    }

    /// The 32 bytes of the seed, which the caller must wipe. The text that
    /// [`to_base64`](Self::to_base64) returns wipes itself.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; 32] {
        *self.0.seed.as_bytes()
    }

    /// The seed as 43 characters of unpadded base64.
    #[must_use]
    pub fn to_base64(&self) -> SecretString {
        base64::encode_secret(self.0.seed.as_bytes())
    }

    /// The public half of the key.
    #[must_use]
    pub fn public_key(&self) -> Ed25519PublicKey {
        Ed25519PublicKey::from_verifying_key(self.0.key.public())
    }

    /// Signs exactly these bytes.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> Ed25519Signature {
        Ed25519Signature::from_bytes(self.0.key.sign(message))
    }
}

impl fmt::Debug for Ed25519SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ed25519SecretKey")
            .field("public_key", &self.public_key())
            .finish_non_exhaustive()
    }
}

/// The id of a one-time or fallback key. An account never gives it to another key of the same kind
/// (S-10).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId {
    pub(crate) number: u64,
    /// Accounts that come from vodozemac count the ids of fallback keys separately.
    pub(crate) fallback: bool,
}

impl KeyId {
    /// The id as a number.
    #[must_use]
    pub const fn number(self) -> u64 {
        self.number
    }

    /// The id as 11 characters of base64 (8 bytes, big-endian). It is published as
    /// `<algorithm>:<id>`.
    #[must_use]
    pub fn to_base64(self) -> String {
        base64::encode(&self.number.to_be_bytes())
    }
}

/// The two public identity keys of a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IdentityKeys {
    /// The signing key, which is the device's fingerprint.
    pub ed25519: Ed25519PublicKey,
    /// The key for making Olm sessions.
    pub curve25519: Curve25519PublicKey,
}

/// A Curve25519 key pair whose public half is stored, because computing it costs as much as an
/// agreement.
///
/// The default value fills the vacated slot of a `SecretList`, and is no device's key.
#[derive(Clone)]
pub(crate) struct Curve25519KeyPair {
    secret: x25519::SecretKey,
    public: Curve25519PublicKey,
}

impl Curve25519KeyPair {
    pub(crate) fn generate<R: TryCryptoRng + ?Sized>(rng: &mut R) -> Result<Self, RandomError> {
        x25519::SecretKey::generate(rng).map(Self::from_secret)
    }

    /// Makes a pair, and computes the agreement of its private half with a peer's key.
    pub(crate) fn generate_and_agree<R: TryCryptoRng + ?Sized>(
        peer: &PeerPoint,
        rng: &mut R,
    ) -> Result<(Self, Result<Secret<32>, NonContributory>), RandomError> {
        let secret = x25519::SecretKey::generate(rng)?;
        let (public, agreement) = secret.public_and_agreement(peer);
        Ok((Self { secret, public: Curve25519PublicKey(public) }, agreement))
    }

    /// Makes several pairs, in less time than one by one.
    pub(crate) fn generate_many<R: TryCryptoRng + ?Sized>(
        count: usize,
        rng: &mut R,
    ) -> Result<SecretList<Self>, RandomError> {
        let mut pairs = SecretList::new();
        pairs.reserve(count);
        for _ in 0..count {
            let secret = x25519::SecretKey::generate(rng)?;
            pairs.push(Self { secret, ..Self::default() });
        }
        Ok(Self::completed(pairs))
    }

    /// Makes several pairs from stored private halves, in less time than one by one.
    #[cfg(feature = "vodozemac")]
    pub(crate) fn from_many_secret_bytes<'a>(
        secrets: impl ExactSizeIterator<Item = &'a Secret<32>>,
    ) -> SecretList<Self> {
        let mut pairs = SecretList::new();
        pairs.reserve(secrets.len());
        for secret in secrets {
            let secret = x25519::SecretKey::from_bytes(secret);
            pairs.push(Self { secret, ..Self::default() });
        }
        Self::completed(pairs)
    }

    /// Computes the public halves.
    fn completed(mut pairs: SecretList<Self>) -> SecretList<Self> {
        let publics = x25519::SecretKey::publics(pairs.iter().map(Self::secret));
        for (pair, public) in pairs.iter_mut().zip(publics) {
            pair.public = Curve25519PublicKey(public);
        }
        pairs
    }

    /// The public half of a clamped private key is never of low order, so it needs no check.
    pub(crate) fn from_secret(secret: x25519::SecretKey) -> Self {
        let public = Curve25519PublicKey(secret.public());
        Self { secret, public }
    }

    /// Makes a pair from a stored private half.
    pub(crate) fn from_secret_bytes(secret: &Secret<32>) -> Self {
        Self::from_secret(x25519::SecretKey::from_bytes(secret))
    }

    /// A pair from a native pickle. The halves match, because the pickle is authenticated.
    pub(crate) fn from_parts(secret: &Secret<32>, public: Curve25519PublicKey) -> Self {
        Self { secret: x25519::SecretKey::from_bytes(secret), public }
    }

    pub(crate) const fn secret(&self) -> &x25519::SecretKey {
        &self.secret
    }

    pub(crate) const fn public(&self) -> Curve25519PublicKey {
        self.public
    }
}

impl Default for Curve25519KeyPair {
    fn default() -> Self {
        Self { secret: x25519::SecretKey::default(), public: Curve25519PublicKey::default() }
    }
}

/// The base point, u = 9. Only vacated slots of secret lists hold it, so it never leaves the crate.
impl Curve25519PublicKey {
    pub(crate) const fn default() -> Self {
        let mut bytes = [0; 32];
        bytes[0] = 9;
        Self(bytes)
    }
}

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

print_as_base64!(
    Curve25519PublicKey "curve25519",
    Ed25519PublicKey "ed25519",
    Ed25519Signature "ed25519-signature",
    KeyId "key-id"
);
