//! The messages of an established channel, which are the same for ECIES and HPKE.

use alloc::{string::String, vec::Vec};

use crate::{
    error::DecodeError,
    primitives::{base64, chacha20poly1305::TAG_LENGTH},
};

/// A message of an established channel.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Message {
    /// The ciphertext and its tag of 16 bytes.
    pub ciphertext: Vec<u8>,
}

impl Message {
    /// The ciphertext in unpadded base64.
    #[must_use]
    pub fn encode(&self) -> String {
        base64::encode(&self.ciphertext)
    }

    /// Reads the output of `encode`, and also correctly padded base64 (S-30).
    ///
    /// # Errors
    ///
    /// [`DecodeError::Base64`], and [`DecodeError::Format`] for less than 16 bytes.
    pub fn decode(text: &str) -> Result<Self, DecodeError> {
        Ok(Self { ciphertext: with_tag(base64::decode(text)?)? })
    }
}

/// Every ciphertext ends with a tag, so a shorter one is refused before it is decrypted.
pub(super) fn with_tag(ciphertext: Vec<u8>) -> Result<Vec<u8>, DecodeError> {
    if ciphertext.len() < TAG_LENGTH { Err(DecodeError::Format) } else { Ok(ciphertext) }
}
