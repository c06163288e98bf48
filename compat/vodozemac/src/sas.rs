//! SAS: two people compare a short authentication string, and so verify each other's keys.
//!
//! ```
//! use vodozemac::sas::Sas;
//!
//! let (alice, bob) = (Sas::new(), Sas::new());
//! let (alice_key, bob_key) = (alice.public_key(), bob.public_key());
//! let (alice, bob) = (alice.diffie_hellman(bob_key)?, bob.diffie_hellman(alice_key)?);
//! assert_eq!(alice.bytes("info").emoji_indices(), bob.bytes("info").emoji_indices());
//! # Ok::<(), vodozemac::KeyError>(())
//! ```

use std::fmt;

use digest::MacError;
use moceril::sas::{self as core, MacMethod};
use thiserror::Error;

use crate::{
    Curve25519PublicKey, KeyError,
    base64_text::{base64_decode, base64_encode},
    convert::drawn,
};

/// The MAC of a key or of a list of key ids.
pub struct Mac(Vec<u8>);

impl Mac {
    /// The MAC in base64 without padding.
    pub fn to_base64(&self) -> String {
        base64_encode(&self.0)
    }

    /// The bytes of the MAC.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The MAC of these bytes, as it was received.
    pub fn from_slice(bytes: &[u8]) -> Self {
        Self(bytes.to_vec())
    }

    /// Reads a MAC from base64 with or without padding.
    ///
    /// # Errors
    ///
    /// [`base64::DecodeError`].
    pub fn from_base64(mac: &str) -> Result<Self, base64::DecodeError> {
        base64_decode(mac).map(Self)
    }
}

/// More bytes were asked for than can be derived.
#[derive(Debug, Clone, Error)]
#[error("at most 8160 bytes can be derived")]
pub struct InvalidCount;

/// A MAC does not verify.
#[derive(Debug, Error)]
pub enum SasError {
    /// The MAC is not the other device's.
    #[error("the MAC does not verify: {0}")]
    Mac(#[from] MacError),
}

/// One device's end of a verification before the other one's key is known.
pub struct Sas {
    inner: core::Sas,
    public_key: Curve25519PublicKey,
}

impl Sas {
    /// Draws a key pair.
    ///
    /// # Panics
    ///
    /// If the operating system has no randomness.
    pub fn new() -> Self {
        let inner = drawn(core::Sas::new());
        Self { public_key: Curve25519PublicKey::from_inner(inner.public_key()), inner }
    }

    /// The key to send to the other device.
    pub const fn public_key(&self) -> Curve25519PublicKey {
        self.public_key
    }

    /// Agrees on the secret.
    ///
    /// # Errors
    ///
    /// [`KeyError::NonContributoryKey`].
    pub fn diffie_hellman(
        self,
        their_public_key: Curve25519PublicKey,
    ) -> Result<EstablishedSas, KeyError> {
        let established = self.inner.diffie_hellman(their_public_key.strict()?);
        let inner = established.map_err(|_| KeyError::NonContributoryKey)?;
        Ok(EstablishedSas { inner, our_public_key: self.public_key, their_public_key })
    }

    /// Like [`diffie_hellman`](Self::diffie_hellman), with a key in base64.
    ///
    /// # Errors
    ///
    /// [`KeyError`].
    pub fn diffie_hellman_with_raw(
        self,
        other_public_key: &str,
    ) -> Result<EstablishedSas, KeyError> {
        self.diffie_hellman(Curve25519PublicKey::from_base64(other_public_key)?)
    }
}

impl Default for Sas {
    fn default() -> Self {
        Self::new()
    }
}

/// One device's end of a verification with the agreed secret.
pub struct EstablishedSas {
    inner: core::EstablishedSas,
    our_public_key: Curve25519PublicKey,
    their_public_key: Curve25519PublicKey,
}

impl EstablishedSas {
    /// The short authentication string.
    pub fn bytes(&self, info: &str) -> SasBytes {
        SasBytes(self.inner.bytes(info))
    }

    /// Like [`bytes`](Self::bytes), but returns `count` bytes.
    ///
    /// # Errors
    ///
    /// [`InvalidCount`].
    pub fn bytes_raw(&self, info: &str, count: usize) -> Result<Vec<u8>, InvalidCount> {
        self.inner.bytes_raw(info, count).map_err(|_| InvalidCount)
    }

    /// The MAC of a key or of a list of key ids: `hkdf-hmac-sha256.v2`.
    pub fn calculate_mac(&self, input: &str, info: &str) -> Mac {
        let text = self.inner.calculate_mac(MacMethod::HkdfHmacSha256V2, input, info);
        Mac(drawn(base64_decode(text)))
    }

    /// The text of the deprecated `hkdf-hmac-sha256`, which is not the base64 of a MAC.
    #[cfg(feature = "libolm-compat")]
    pub fn calculate_mac_invalid_base64(&self, input: &str, info: &str) -> String {
        self.inner.calculate_mac(MacMethod::HkdfHmacSha256, input, info)
    }

    /// Verifies the other device's MAC, in constant time.
    ///
    /// # Errors
    ///
    /// [`SasError::Mac`].
    pub fn verify_mac(&self, input: &str, info: &str, tag: &Mac) -> Result<(), SasError> {
        self.inner
            .verify_mac(MacMethod::HkdfHmacSha256V2, input, info, &tag.to_base64())
            .map_err(|_| SasError::Mac(MacError))
    }

    /// This device's key.
    pub const fn our_public_key(&self) -> Curve25519PublicKey {
        self.our_public_key
    }

    /// The other device's key.
    pub const fn their_public_key(&self) -> Curve25519PublicKey {
        self.their_public_key
    }
}

impl fmt::Debug for EstablishedSas {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EstablishedSas")
            .field("our_public_key", &self.our_public_key.to_base64())
            .field("their_public_key", &self.their_public_key.to_base64())
            .finish_non_exhaustive()
    }
}

/// A short authentication string: 6 bytes, to be shown as emoji or as numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SasBytes(core::SasBytes);

impl SasBytes {
    /// The numbers of seven emoji, each below 64.
    pub fn emoji_indices(&self) -> [u8; 7] {
        self.0.emoji_indices()
    }

    /// Three numbers from 1000 to 9191.
    pub fn decimals(&self) -> (u16, u16, u16) {
        self.0.decimals().into()
    }

    /// The bytes themselves.
    pub const fn as_bytes(&self) -> &[u8; 6] {
        self.0.as_bytes()
    }
}
