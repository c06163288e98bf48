//! The errors of channels and their messages.

use hpke::HpkeError;
use moceril::hpke as core;
use thiserror::Error;

use crate::KeyError;

/// A text or bytes are not a message.
#[derive(Debug, Error)]
pub enum MessageDecodeError {
    /// The message is too short.
    #[error("the message is incomplete")]
    MessageIncomplete,
    /// The encapsulated key cannot be read.
    #[error("the message holds a bad key: {0}")]
    KeyError(#[from] KeyError),
    /// The text is not base64.
    #[error("the message is not valid base64: {0}")]
    Base64(#[from] base64::DecodeError),
}

/// A channel could not be established, or a message not be opened.
#[derive(Debug, Error)]
pub enum Error {
    /// The message was not made by the peer of this channel, was altered, is not the next one, or
    /// was sealed with other associated data.
    #[error("the message is not authentic, or not the next one")]
    Decryption,
    /// Nothing can be encapsulated for this key.
    #[error("the key encapsulation failed: {0}")]
    Encapsulation(#[from] HpkeError),
}

impl Error {
    pub(super) const fn bad_key() -> Self {
        Self::Encapsulation(HpkeError::EncapError)
    }

    /// For a device that was to seal a message.
    pub(super) const fn when_sealing(error: core::ChannelError) -> Self {
        match error {
            core::ChannelError::NonContributoryKey => Self::bad_key(),
            // `ChannelExhausted`, `Random`, and what may come.
            _ => Self::Encapsulation(HpkeError::SealError),
        }
    }
}
