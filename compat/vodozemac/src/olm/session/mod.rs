//! Olm sessions.

mod error;
#[cfg(feature = "low-level-api")]
mod low_level;
#[cfg(feature = "low-level-api")]
pub(crate) mod message_key;
pub(crate) mod ratchet;

use std::fmt;

use moceril::olm as core;

pub use self::error::{DecryptionError, EncryptionError};
use super::{OlmMessage, SessionConfig, SessionKeys};
use crate::{convert, pickled::pickle_type};

/// One of the two ends of an Olm session.
pub struct Session {
    inner: core::Session,
    session_keys: SessionKeys,
}

impl Session {
    /// The id of the session, the same at both ends (43 characters).
    pub fn session_id(&self) -> String {
        self.inner.session_id()
    }

    /// Whether a message from the peer was decrypted, which shows that the peer has the session,
    /// too.
    pub const fn has_received_message(&self) -> bool {
        self.inner.has_received_message()
    }

    /// Encrypts a message. It is a pre-key message until the peer has answered.
    ///
    /// # Errors
    ///
    /// [`EncryptionError`], whose only variant stands for every reason; the session is unchanged.
    pub fn encrypt(&mut self, plaintext: impl AsRef<[u8]>) -> Result<OlmMessage, EncryptionError> {
        let message = self.inner.encrypt(plaintext.as_ref());
        message.map(OlmMessage::from_inner).map_err(convert::encryption_error)
    }

    /// The three public keys that the session was made from.
    pub const fn session_keys(&self) -> SessionKeys {
        self.session_keys
    }

    /// The version of the session's messages.
    pub const fn session_config(&self) -> SessionConfig {
        SessionConfig::from_inner(self.inner.version())
    }

    /// Decrypts a message of the peer. The outer keys of a pre-key message must be the session's.
    ///
    /// # Errors
    ///
    /// [`DecryptionError`]; the session is unchanged.
    pub fn decrypt(&mut self, message: &OlmMessage) -> Result<Vec<u8>, DecryptionError> {
        let inner = message.to_inner().map_err(|_| DecryptionError::NonContributoryKey)?;
        let decrypted = self.inner.decrypt(&inner).map_err(|error| {
            convert::decryption_error(error, self.inner.version(), message.normal())
        })?;
        Ok(decrypted.into_plaintext())
    }

    /// Reads a session that libolm pickled.
    ///
    /// # Errors
    ///
    /// [`LibolmPickleError`](crate::LibolmPickleError).
    #[cfg(feature = "libolm-compat")]
    pub fn from_libolm_pickle(
        pickle: &str,
        pickle_key: &[u8],
    ) -> Result<Self, crate::LibolmPickleError> {
        core::Session::from_libolm_pickle(pickle, pickle_key)
            .map(Self::from_inner)
            .map_err(|error| convert::libolm_pickle_error(error, pickle, 1))
    }

    pub(crate) fn from_inner(inner: core::Session) -> Self {
        Self { session_keys: SessionKeys::from_inner(inner.session_keys()), inner }
    }
}

/// The keys that the next messages we send come from. All are secret.
#[cfg(feature = "low-level-api")]
pub struct ActiveSendingState {
    /// The root key.
    pub root_key: Box<[u8; 32]>,
    /// The chain key.
    pub chain_key: Box<[u8; 32]>,
    /// The index of the next message.
    pub chain_index: u64,
    /// The private ratchet key.
    pub ratchet_key: Box<[u8; 32]>,
}

#[cfg(feature = "low-level-api")]
impl Drop for ActiveSendingState {
    fn drop(&mut self) {
        use zeroize::Zeroize;

        self.root_key.zeroize();
        self.chain_key.zeroize();
        self.ratchet_key.zeroize();
    }
}

pickle_type!(SessionPickle, Session, core::Session, "an Olm session");

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}
