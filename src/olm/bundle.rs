//! The keys of another device, verified before a session is made with them (S-17).

use alloc::{format, string::String};

use crate::{
    error::texts,
    keys::{Curve25519PublicKey, Ed25519PublicKey, Ed25519Signature, IdentityKeys},
};

/// A one-time or fallback key with the signature of its device: a `signed_curve25519` key of the
/// Matrix specification.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SignedOneTimeKey {
    /// The key.
    pub key: Curve25519PublicKey,
    /// Whether this is a fallback key. The signature covers this, too.
    pub fallback: bool,
    /// The device's signature over [`canonical_json`](Self::canonical_json).
    pub signature: Ed25519Signature,
}

impl SignedOneTimeKey {
    /// The canonical JSON of the key object without its `signatures`: `{"key":"…"}`, or
    /// `{"fallback":true,"key":"…"}` for a fallback key.
    ///
    /// Spec: Matrix specification, "Signing JSON" and "Key algorithms". An object with more members
    /// has another canonical form and does not verify.
    #[must_use]
    pub fn canonical_json(&self) -> String {
        canonical_json(&self.key, self.fallback)
    }
}

pub(crate) fn canonical_json(key: &Curve25519PublicKey, fallback: bool) -> String {
    let fallback = if fallback { r#""fallback":true,"# } else { "" };
    format!(r#"{{{fallback}"key":"{key}"}}"#)
}

/// The public keys with which an outbound session is made. A bundle can be made only by verifying
/// that the device signed the one-time key (S-17).
///
/// ```compile_fail,E0451
/// # use moceril::{Curve25519PublicKey, olm::PreKeyBundle};
/// type Key = Curve25519PublicKey;
///
/// fn unverified(identity_key: Key, one_time_key: Key) -> PreKeyBundle {
///     PreKeyBundle { identity_key, one_time_key }
/// }
/// ```
#[cfg_attr(
    not(feature = "hazmat"),
    doc = "
```compile_fail,E0599
# use moceril::{Curve25519PublicKey, olm::PreKeyBundle};
# fn unverified(identity_key: Curve25519PublicKey, one_time_key: Curve25519PublicKey) {
PreKeyBundle::from_unverified_keys(identity_key, one_time_key); // only with the feature `hazmat`
# }
```
"
)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PreKeyBundle {
    identity_key: Curve25519PublicKey,
    one_time_key: Curve25519PublicKey,
}

impl PreKeyBundle {
    /// Verifies that the device signed the key.
    ///
    /// The caller must know that the `identity_keys` belong together and to the right user: from
    /// the device's self-signed keys, cross-signing, or a verification by the users (`sas`).
    ///
    /// # Errors
    ///
    /// [`BundleError::Signature`]; [`BundleError::OneTimeKeyIsIdentityKey`] for a one-time key with
    /// which two of the three agreements would be equal.
    pub fn verify(
        identity_keys: IdentityKeys,
        one_time_key: &SignedOneTimeKey,
    ) -> Result<Self, BundleError> {
        let IdentityKeys { ed25519, curve25519 } = identity_keys;
        verify_signature(&ed25519, one_time_key)?;
        Self::from_keys(curve25519, one_time_key.key)
    }

    pub(crate) fn from_keys(
        identity_key: Curve25519PublicKey,
        one_time_key: Curve25519PublicKey,
    ) -> Result<Self, BundleError> {
        if identity_key == one_time_key {
            return Err(BundleError::OneTimeKeyIsIdentityKey);
        }
        Ok(Self { identity_key, one_time_key })
    }

    /// A bundle of keys without verification. Only with the feature `hazmat`.
    ///
    /// An attacker who supplies the keys can read what is encrypted to them. Use this only if the
    /// keys were verified by other means.
    ///
    /// # Errors
    ///
    /// [`BundleError::OneTimeKeyIsIdentityKey`].
    #[cfg(feature = "hazmat")]
    pub fn from_unverified_keys(
        identity_key: Curve25519PublicKey,
        one_time_key: Curve25519PublicKey,
    ) -> Result<Self, BundleError> {
        Self::from_keys(identity_key, one_time_key)
    }

    /// The device's identity key.
    #[must_use]
    pub const fn identity_key(&self) -> Curve25519PublicKey {
        self.identity_key
    }

    /// The device's one-time or fallback key.
    #[must_use]
    pub const fn one_time_key(&self) -> Curve25519PublicKey {
        self.one_time_key
    }
}

fn verify_signature(signer: &Ed25519PublicKey, key: &SignedOneTimeKey) -> Result<(), BundleError> {
    signer
        .verify(key.canonical_json().as_bytes(), &key.signature)
        .map_err(|_| BundleError::Signature)
}

/// A key bundle does not prove that its keys belong together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BundleError {
    /// The one-time or fallback key is not signed by the device's Ed25519 key.
    Signature,
    /// The one-time key is the identity key, so it is not single-use.
    OneTimeKeyIsIdentityKey,
}

texts!(BundleError {
    Self::Signature => "the signature of the one-time key does not verify";
    Self::OneTimeKeyIsIdentityKey => "the one-time key is the identity key";
});
