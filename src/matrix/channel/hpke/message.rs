//! The first message of each end of an HPKE channel, as text and as bytes (MSC4388,
//! "Establishment").

use alloc::{string::String, vec::Vec};

use crate::{
    error::DecodeError, keys::Curve25519PublicKey, matrix::channel::message::with_tag,
    primitives::base64,
};

/// The first message of a channel: the sender's public key, and a ciphertext.
///
/// Nothing in it proves who made it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct InitialMessage {
    /// The sender's public key, which is the encapsulated key of RFC 9180.
    pub encapsulated_key: Curve25519PublicKey,
    /// The ciphertext and its tag of 16 bytes.
    pub ciphertext: Vec<u8>,
}

impl InitialMessage {
    /// The 32 bytes of the key, then the ciphertext.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        [self.encapsulated_key.as_bytes(), self.ciphertext.as_slice()].concat()
    }

    /// Reads the output of `to_bytes`.
    ///
    /// # Errors
    ///
    /// [`DecodeError::Format`] for less than 48 bytes, and [`DecodeError::Key`] for a key that no
    /// honest peer has (S-01).
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
        let (key, ciphertext) = split(bytes)?;
        Ok(Self { encapsulated_key: Curve25519PublicKey::from_bytes(key)?, ciphertext })
    }

    /// The bytes in unpadded base64.
    #[must_use]
    pub fn encode(&self) -> String {
        base64::encode(&self.to_bytes())
    }

    /// Reads the output of `encode`, and also correctly padded base64 (S-30).
    ///
    /// # Errors
    ///
    /// [`DecodeError::Base64`], and those of `from_bytes`.
    pub fn decode(text: &str) -> Result<Self, DecodeError> {
        Self::from_bytes(&base64::decode(text)?)
    }
}

/// The recipient's answer to the initial message: a nonce for the response direction, and a
/// ciphertext.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct InitialResponse {
    /// 32 random bytes, from which the keys of the response direction are derived.
    pub base_response_nonce: [u8; 32],
    /// The ciphertext and its tag of 16 bytes.
    pub ciphertext: Vec<u8>,
}

impl InitialResponse {
    /// The 32 bytes of the nonce, then the ciphertext.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        [&self.base_response_nonce, self.ciphertext.as_slice()].concat()
    }

    /// Reads the output of `to_bytes`.
    ///
    /// # Errors
    ///
    /// [`DecodeError::Format`] for less than 48 bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
        let (base_response_nonce, ciphertext) = split(bytes)?;
        Ok(Self { base_response_nonce, ciphertext })
    }

    /// The bytes in unpadded base64.
    #[must_use]
    pub fn encode(&self) -> String {
        base64::encode(&self.to_bytes())
    }

    /// Reads the output of `encode`, and also correctly padded base64 (S-30).
    ///
    /// # Errors
    ///
    /// [`DecodeError::Base64`], and that of `from_bytes`.
    pub fn decode(text: &str) -> Result<Self, DecodeError> {
        Self::from_bytes(&base64::decode(text)?)
    }
}

/// Splits off the 32 bytes with which both first messages begin; the rest is the ciphertext.
fn split(bytes: &[u8]) -> Result<([u8; 32], Vec<u8>), DecodeError> {
    let (first, ciphertext) = bytes.split_first_chunk().ok_or(DecodeError::Format)?;
    Ok((*first, with_tag(ciphertext.to_vec())?))
}
