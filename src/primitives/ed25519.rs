//! Ed25519 (RFC 8032), strict (S-14): S below L, no small-order or non-canonical key or R.

use curve25519_dalek::scalar::clamp_integer;
use ed25519_dalek::{
    Signature, VerifyingKey as DalekKey,
    hazmat::{ExpandedSecretKey, raw_sign},
};
use sha2::{Digest, Sha512};
use zeroize::Zeroize;

use super::{curve25519::is_canonical, secret::Secret};
use crate::error::{KeyError, SignatureError};

pub(crate) const SIGNATURE_LENGTH: usize = 64;

/// A public key that passed the strict checks, kept decompressed so that verifying is fast.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct VerifyingKey(DalekKey);

impl VerifyingKey {
    /// Refuses non-canonical encodings, bytes that are no point, and points of small order.
    pub(crate) fn from_bytes(bytes: &[u8; 32]) -> Result<Self, KeyError> {
        let mut y = *bytes;
        // RFC 8032, 5.1.3: bit 255 is the sign of x, the rest is y.
        if let Some(top) = y.last_mut() {
            *top &= 0x7f;
        }
        if !is_canonical(&y) {
            return Err(KeyError::NonCanonical);
        }
        let key = DalekKey::from_bytes(bytes).map_err(|_| KeyError::NotOnCurve)?;
        if key.is_weak() { Err(KeyError::LowOrder) } else { Ok(Self(key)) }
    }

    pub(crate) fn as_bytes(&self) -> &[u8; 32] {
        self.0.as_bytes()
    }

    /// The strict check. All reasons to refuse are one error: they do not help an honest caller.
    pub(crate) fn verify(
        &self,
        message: &[u8],
        signature: &[u8; SIGNATURE_LENGTH],
    ) -> Result<(), SignatureError> {
        self.0.verify_strict(message, &Signature::from_bytes(signature)).map_err(|_| SignatureError)
    }
}

/// A signing key: the 64 bytes that RFC 8032, 5.1.5, derives from the seed, and the seed if it is
/// known (libolm keeps only the 64 bytes).
#[derive(Clone)]
pub(crate) struct SigningKey {
    seed: Option<Secret<32>>,
    expanded: Secret<64>,
    public: VerifyingKey,
}

impl SigningKey {
    pub(crate) fn from_seed(seed: Secret<32>) -> Self {
        let expanded = expand(&seed);
        let public = derive_public(&expanded);
        Self { seed: Some(seed), expanded, public }
    }

    /// A key in libolm's form. S-14: the public key is derived here, never taken from the input,
    /// because signing with a foreign public key reveals the private one.
    ///
    /// S-37: refuses a key whose first or second half is its own public key, a sign of a damaged
    /// store whose nonces would be predictable.
    pub(crate) fn from_expanded(expanded: Secret<64>) -> Result<Self, KeyError> {
        let public = derive_public(&expanded);
        if expanded.as_bytes().chunks_exact(32).any(|half| half == public.as_bytes()) {
            return Err(KeyError::PublicInSecret);
        }
        Ok(Self { seed: None, expanded, public })
    }

    /// A key from a native pickle, whose authenticated encryption vouches for the stored public key.
    pub(crate) fn from_seed_and_public(seed: Secret<32>, public: VerifyingKey) -> Self {
        Self { expanded: expand(&seed), seed: Some(seed), public }
    }

    pub(crate) const fn public(&self) -> &VerifyingKey {
        &self.public
    }

    pub(crate) const fn seed(&self) -> Option<&Secret<32>> {
        self.seed.as_ref()
    }

    pub(crate) const fn expanded(&self) -> &Secret<64> {
        &self.expanded
    }

    /// The 64 bytes with the scalar's bits clamped, as libolm stores them (RFC 8032, 5.1.5, step 2).
    pub(crate) fn clamped(&self) -> Secret<64> {
        let scalar = clamp_integer(*self.expanded.part::<0, 32>().as_bytes());
        let prefix = self.expanded.part::<32, 32>();
        Secret::concat(&[Secret::new(scalar).as_bytes(), prefix.as_bytes()])
    }

    /// Deterministic, as in RFC 8032, 5.1.6: a failing random source cannot leak the key.
    pub(crate) fn sign(&self, message: &[u8]) -> [u8; SIGNATURE_LENGTH] {
        let key = ExpandedSecretKey::from_bytes(self.expanded.as_bytes());
        raw_sign::<Sha512>(&key, message, &self.public.0).to_bytes()
    }
}

fn derive_public(expanded: &Secret<64>) -> VerifyingKey {
    let key = ExpandedSecretKey::from_bytes(expanded.as_bytes());
    VerifyingKey(DalekKey::from(&key))
}

/// RFC 8032, 5.1.5, step 1. The scalar's bits are clamped where it is used.
fn expand(seed: &Secret<32>) -> Secret<64> {
    let mut hash = Sha512::digest(seed.as_bytes());
    let expanded = Secret::new(hash.into());
    hash.as_mut_slice().zeroize();
    expanded
}

#[cfg(test)]
mod tests {
    use super::*;

    /// S-37: a key whose second half is its public key is refused. (Nobody can compute one whose
    /// first half is: the scalar would have to encode its own multiple of the base point.)
    #[test]
    fn a_public_key_is_no_secret() {
        let key = SigningKey::from_seed(Secret::new([7; 32]));
        let mut expanded = key.expanded().clone();
        assert!(SigningKey::from_expanded(expanded.clone()).is_ok());
        let (_, nonce_half) = expanded.as_mut_bytes().split_at_mut(32);
        nonce_half.copy_from_slice(key.public().as_bytes());
        assert_eq!(SigningKey::from_expanded(expanded).err(), Some(KeyError::PublicInSecret));
    }
}
