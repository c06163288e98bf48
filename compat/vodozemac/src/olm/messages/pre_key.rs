//! A pre-key message: its keys, the message within, and its forms.

use moceril::olm as core;

use super::Message;
use crate::{
    Curve25519PublicKey, DecodeError, KeyError, base64_text::base64_encode, convert::decode_error,
    message_impls::message_impls, olm::SessionKeys,
};

/// A version and something after it.
const SHORTEST: usize = 2;
const VERSION: u8 = 3;

/// An Olm pre-key message: the keys that make a session, and the session's first message.
///
/// Of the bytes it was parsed from it keeps those of the message within, which are all that a MAC
/// covers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PreKeyMessage {
    session_keys: SessionKeys,
    message: Message,
}

impl PreKeyMessage {
    /// The recipient's one-time or fallback key.
    pub const fn one_time_key(&self) -> Curve25519PublicKey {
        self.session_keys.one_time_key
    }

    /// The sender's single-use key.
    pub const fn base_key(&self) -> Curve25519PublicKey {
        self.session_keys.base_key
    }

    /// The sender's identity key. Not authenticated before the message decrypts.
    pub const fn identity_key(&self) -> Curve25519PublicKey {
        self.session_keys.identity_key
    }

    /// The keys of the session that this message belongs to.
    pub const fn session_keys(&self) -> SessionKeys {
        self.session_keys
    }

    /// The id of the session that this message belongs to.
    pub fn session_id(&self) -> String {
        self.session_keys.session_id()
    }

    /// The message within.
    pub const fn message(&self) -> &Message {
        &self.message
    }

    /// Parses a message, the one within included.
    ///
    /// # Errors
    ///
    /// [`DecodeError`].
    pub fn from_bytes(message: &[u8]) -> Result<Self, DecodeError> {
        core::PreKeyMessage::from_bytes(message)
            .map(|inner| Self::from_inner(&inner))
            .map_err(|error| decode_error(error, message, SHORTEST, VERSION))
    }

    /// The message as it travels.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.session_keys.raw().wrap(self.message.inner())
    }

    /// Parses a message from base64.
    ///
    /// # Errors
    ///
    /// [`DecodeError`].
    pub fn from_base64(message: &str) -> Result<Self, DecodeError> {
        core::PreKeyMessage::from_base64(message)
            .map(|inner| Self::from_inner(&inner))
            .map_err(|error| decode_error(error, message, SHORTEST, VERSION))
    }

    /// The message in base64 without padding.
    pub fn to_base64(&self) -> String {
        base64_encode(self.to_bytes())
    }

    /// Wraps a message in the keys of its session.
    #[cfg(feature = "low-level-api")]
    pub const fn wrap(session_keys: SessionKeys, message: Message) -> Self {
        Self { session_keys, message }
    }

    pub(crate) fn from_inner(inner: &core::PreKeyMessage) -> Self {
        Self {
            session_keys: SessionKeys::from_inner(inner.session_keys()),
            message: Message::from_inner(inner.message().clone()),
        }
    }

    pub(crate) fn to_inner(&self) -> Result<core::PreKeyMessage, KeyError> {
        let keys = self.session_keys.strict()?;
        Ok(core::PreKeyMessage::from_parts(keys, self.message.inner().clone()))
    }
}

message_impls!(PreKeyMessage);
