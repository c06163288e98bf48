//! Curve25519 keys: checked public keys, and key pairs.

use alloc::string::String;
use core::fmt;

use rand::TryCryptoRng;

use super::{key_from_base64, key_from_slice};
use crate::{
    error::{KeyError, RandomError},
    primitives::{
        base64,
        edwards::PeerPoint,
        secret::{Secret, SecretList},
        x25519::{self, NonContributory},
    },
};

/// A Curve25519 public key: 32 bytes, 43 characters of base64.
///
/// It is always the canonical encoding of a point that is not of low order (S-01).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Curve25519PublicKey([u8; 32]);

impl Curve25519PublicKey {
    /// Length of a key in bytes.
    pub const LENGTH: usize = 32;

    /// The content of a vacated slot of a secret list: the base point, u = 9, which is no device's
    /// key.
    pub(crate) const VACANT: Self = {
        let mut bytes = [0; 32];
        bytes[0] = 9;
        Self(bytes)
    };

    /// Takes the 32 bytes of a key after checking them.
    ///
    /// # Errors
    ///
    /// [`KeyError::NonCanonical`] or [`KeyError::LowOrder`]: no honest peer has such a key.
    pub fn from_bytes(bytes: [u8; 32]) -> Result<Self, KeyError> {
        x25519::check_public(&bytes)?;
        Ok(Self(bytes))
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

    /// A pair from a pickle that holds both halves. Those of a native pickle match, because it is
    /// authenticated.
    pub(crate) fn from_parts(secret: &Secret<32>, public: Curve25519PublicKey) -> Self {
        Self { secret: x25519::SecretKey::from_bytes(secret), public }
    }

    /// Whether the public half is that of the private half: one multiplication.
    pub(crate) fn is_consistent(&self) -> bool {
        self.secret.public() == self.public.0
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
        Self { secret: x25519::SecretKey::default(), public: Curve25519PublicKey::VACANT }
    }
}

print_as_base64!(Curve25519PublicKey "curve25519");
