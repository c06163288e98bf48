//! The session of a sender.

use moceril::megolm::{self as core, GroupSessionConfig};
use rand::rngs::SysRng;

use super::{MegolmMessage, SessionConfig, SessionKey};
use crate::{convert::drawn, pickled::pickle_type};

/// A Megolm session that encrypts.
pub struct GroupSession {
    inner: core::GroupSession,
}

impl GroupSession {
    /// Creates a session.
    ///
    /// # Panics
    ///
    /// If the operating system has no randomness.
    pub fn new(config: SessionConfig) -> Self {
        let config = GroupSessionConfig::default().with_version(config.inner());
        Self::from_inner(drawn(core::GroupSession::with_rng(config, &mut SysRng)))
    }

    /// The id of the session (43 characters).
    pub fn session_id(&self) -> String {
        self.inner.session_id()
    }

    /// The index that the next message will have.
    pub const fn message_index(&self) -> u32 {
        self.inner.message_index()
    }

    /// The version of the session's messages.
    pub const fn session_config(&self) -> SessionConfig {
        SessionConfig::from_inner(self.inner.version())
    }

    /// Encrypts and signs a message.
    ///
    /// # Panics
    ///
    /// After 2^32 messages. Start a new session long before.
    pub fn encrypt(&mut self, plaintext: impl AsRef<[u8]>) -> MegolmMessage {
        MegolmMessage::from_inner(drawn(self.inner.encrypt(plaintext.as_ref())))
    }

    /// The key to share with the receivers: it decrypts all messages from the next one on.
    pub fn session_key(&self) -> SessionKey {
        SessionKey::from_inner(self.inner.session_key())
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
        core::GroupSession::from_libolm_pickle(pickle, pickle_key)
            .map(Self::from_inner)
            .map_err(|error| crate::convert::libolm_pickle_error(error, pickle, 1))
    }

    const fn from_inner(inner: core::GroupSession) -> Self {
        Self { inner }
    }
}

impl Default for GroupSession {
    fn default() -> Self {
        Self::new(SessionConfig::default())
    }
}

pickle_type!(GroupSessionPickle, GroupSession, core::GroupSession, "a group session");
