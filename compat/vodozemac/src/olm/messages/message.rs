//! A normal message: its fields and its forms.

use std::fmt;

use moceril::olm as core;

use crate::{
    Curve25519PublicKey, DecodeError, base64_text::base64_encode, convert::decode_error,
    message_impls::message_impls,
};

/// Version, one byte of content, and the shorter of the two MACs.
const SHORTEST: usize = 1 + 1 + 8;
const HIGHEST_VERSION: u8 = 4;

/// A normal Olm message.
///
/// It keeps the bytes it was parsed from.
#[derive(Clone, PartialEq, Eq)]
pub struct Message {
    inner: core::Message,
    ratchet_key: Curve25519PublicKey,
    chain_index: u64,
    version: u8,
}

impl Message {
    /// The sender's ratchet key.
    pub const fn ratchet_key(&self) -> Curve25519PublicKey {
        self.ratchet_key
    }

    /// The index of this message in its chain.
    pub const fn chain_index(&self) -> u64 {
        self.chain_index
    }

    /// The ciphertext.
    pub fn ciphertext(&self) -> &[u8] {
        self.inner.ciphertext()
    }

    /// The version of the message.
    pub const fn version(&self) -> u8 {
        self.version
    }

    /// Parses a message.
    ///
    /// # Errors
    ///
    /// [`DecodeError`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
        core::Message::from_bytes(bytes)
            .map(Self::from_inner)
            .map_err(|error| decode_error(error, bytes, SHORTEST, HIGHEST_VERSION))
    }

    /// The message as it travels.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.inner.as_bytes().to_vec()
    }

    /// Parses a message from base64.
    ///
    /// # Errors
    ///
    /// [`DecodeError`].
    pub fn from_base64(message: &str) -> Result<Self, DecodeError> {
        core::Message::from_base64(message)
            .map(Self::from_inner)
            .map_err(|error| decode_error(error, message, SHORTEST, HIGHEST_VERSION))
    }

    /// The message in base64 without padding.
    pub fn to_base64(&self) -> String {
        base64_encode(self.inner.as_bytes())
    }

    pub(crate) fn from_inner(inner: core::Message) -> Self {
        Self {
            ratchet_key: Curve25519PublicKey::from_inner(inner.ratchet_key()),
            chain_index: inner.chain_index().into(),
            version: inner.version().byte(),
            inner,
        }
    }

    pub(crate) const fn inner(&self) -> &core::Message {
        &self.inner
    }
}

message_impls!(Message);

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message")
            .field("version", &self.version)
            .field("ratchet_key", &self.ratchet_key)
            .field("chain_index", &self.chain_index)
            .finish_non_exhaustive()
    }
}
