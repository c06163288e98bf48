//! The messages of an HPKE channel.

use moceril::hpke as core;

use super::MessageDecodeError;
use crate::{
    Curve25519PublicKey, KeyError,
    base64_text::{base64_decode, base64_encode},
};

/// The first message, from the device that has scanned a key.
#[derive(Debug, PartialEq, Eq)]
pub struct InitialMessage {
    /// The encapsulated key, which is the sender's.
    pub encapsulated_key: Curve25519PublicKey,
    /// The ciphertext.
    pub ciphertext: Vec<u8>,
}

/// The answer to it.
#[derive(Debug)]
pub struct InitialResponse {
    /// What the keys of the way back come from, besides the agreed secret.
    pub base_response_nonce: [u8; 32],
    /// The ciphertext.
    pub ciphertext: Vec<u8>,
}

/// Any further message.
#[derive(Debug)]
pub struct Message {
    /// The ciphertext.
    pub ciphertext: Vec<u8>,
}

/// Reads 32 bytes and a ciphertext.
fn split(bytes: &[u8]) -> Result<([u8; 32], Vec<u8>), MessageDecodeError> {
    let parts = bytes.split_first_chunk().ok_or(MessageDecodeError::MessageIncomplete)?;
    let (first, ciphertext) = parts;
    Ok((*first, ciphertext.to_vec()))
}

impl InitialMessage {
    /// The message as text.
    pub fn encode(&self) -> String {
        base64_encode(self.to_bytes())
    }

    /// Reads a message. Whether it is valid is checked when it is used.
    ///
    /// # Errors
    ///
    /// [`MessageDecodeError`].
    pub fn decode(message: &str) -> Result<Self, MessageDecodeError> {
        Self::from_bytes(&base64_decode(message)?)
    }

    /// The message as bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        [self.encapsulated_key.as_bytes(), self.ciphertext.as_slice()].concat()
    }

    /// Like [`decode`](Self::decode), from bytes.
    ///
    /// # Errors
    ///
    /// [`MessageDecodeError`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, MessageDecodeError> {
        let (key, ciphertext) = split(bytes)?;
        Ok(Self { encapsulated_key: key.into(), ciphertext })
    }

    pub(super) fn from_inner(message: core::InitialMessage) -> Self {
        let core::InitialMessage { encapsulated_key, ciphertext } = message;
        Self { encapsulated_key: Curve25519PublicKey::from_inner(encapsulated_key), ciphertext }
    }

    pub(super) fn to_inner(&self) -> Result<core::InitialMessage, KeyError> {
        let encapsulated_key = self.encapsulated_key.strict()?;
        Ok(core::InitialMessage { encapsulated_key, ciphertext: self.ciphertext.clone() })
    }
}

impl InitialResponse {
    /// The message as text.
    pub fn encode(&self) -> String {
        base64_encode(self.to_bytes())
    }

    /// Reads a message. Whether it is valid is checked when it is used.
    ///
    /// # Errors
    ///
    /// [`MessageDecodeError`].
    pub fn decode(message: &str) -> Result<Self, MessageDecodeError> {
        Self::from_bytes(&base64_decode(message)?)
    }

    /// Like [`decode`](Self::decode), from bytes.
    ///
    /// # Errors
    ///
    /// [`MessageDecodeError`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, MessageDecodeError> {
        let (base_response_nonce, ciphertext) = split(bytes)?;
        Ok(Self { base_response_nonce, ciphertext })
    }

    /// The message as bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        [&self.base_response_nonce, self.ciphertext.as_slice()].concat()
    }

    pub(super) fn from_inner(message: core::InitialResponse) -> Self {
        let core::InitialResponse { base_response_nonce, ciphertext } = message;
        Self { base_response_nonce, ciphertext }
    }

    pub(super) fn to_inner(&self) -> core::InitialResponse {
        let Self { base_response_nonce, ciphertext } = self;
        core::InitialResponse {
            base_response_nonce: *base_response_nonce,
            ciphertext: ciphertext.clone(),
        }
    }
}

impl Message {
    /// The message as text.
    pub fn encode(&self) -> String {
        base64_encode(&self.ciphertext)
    }

    /// Reads a message. Whether it is valid is checked when it is used.
    ///
    /// # Errors
    ///
    /// [`MessageDecodeError`].
    pub fn decode(message: &str) -> Result<Self, MessageDecodeError> {
        match base64_decode(message)? {
            ciphertext if ciphertext.is_empty() => Err(MessageDecodeError::MessageIncomplete),
            ciphertext => Ok(Self { ciphertext }),
        }
    }

    pub(super) fn from_inner(message: core::Message) -> Self {
        Self { ciphertext: message.ciphertext }
    }

    pub(super) fn to_inner(&self) -> core::Message {
        core::Message { ciphertext: self.ciphertext.clone() }
    }
}
