//! The messages of an ECIES channel.

use moceril::ecies as core;
use thiserror::Error;

use crate::{
    Curve25519PublicKey, KeyError,
    base64_text::{base64_decode, base64_encode},
};

/// A text is not a message.
#[derive(Debug, Error)]
pub enum MessageDecodeError {
    /// The initial message has no `|`.
    #[error("the initial message has no separator")]
    MissingSeparator,
    /// The public key cannot be read.
    #[error("the message holds a bad key: {0}")]
    KeyError(#[from] KeyError),
    /// The ciphertext is not base64.
    #[error("the ciphertext is not valid base64: {0}")]
    Base64(#[from] base64::DecodeError),
}

/// The first message, from the device that has scanned a key.
#[derive(Debug, PartialEq, Eq)]
pub struct InitialMessage {
    /// The sender's key.
    pub public_key: Curve25519PublicKey,
    /// The ciphertext.
    pub ciphertext: Vec<u8>,
}

impl InitialMessage {
    /// The message as text: ciphertext, `|`, and key.
    pub fn encode(&self) -> String {
        format!("{}|{}", base64_encode(&self.ciphertext), self.public_key.to_base64())
    }

    /// Reads a message. Whether it is valid is checked when it is used.
    ///
    /// # Errors
    ///
    /// [`MessageDecodeError`].
    pub fn decode(message: &str) -> Result<Self, MessageDecodeError> {
        let parts = message.split_once('|').ok_or(MessageDecodeError::MissingSeparator)?;
        let (ciphertext, key) = parts;
        let public_key = Curve25519PublicKey::from_base64(key)?;
        Ok(Self { public_key, ciphertext: base64_decode(ciphertext)? })
    }

    pub(super) fn from_inner(message: core::InitialMessage) -> Self {
        let core::InitialMessage { public_key, ciphertext } = message;
        Self { public_key: Curve25519PublicKey::from_inner(public_key), ciphertext }
    }

    pub(super) fn to_inner(&self) -> Result<core::InitialMessage, KeyError> {
        let public_key = self.public_key.strict()?;
        Ok(core::InitialMessage { public_key, ciphertext: self.ciphertext.clone() })
    }
}

/// Any further message.
#[derive(Debug)]
pub struct Message {
    /// The ciphertext.
    pub ciphertext: Vec<u8>,
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
    /// [`MessageDecodeError::Base64`].
    pub fn decode(message: &str) -> Result<Self, MessageDecodeError> {
        Ok(Self { ciphertext: base64_decode(message)? })
    }

    pub(super) fn from_inner(message: core::Message) -> Self {
        Self { ciphertext: message.ciphertext }
    }

    pub(super) fn to_inner(&self) -> core::Message {
        core::Message { ciphertext: self.ciphertext.clone() }
    }
}
