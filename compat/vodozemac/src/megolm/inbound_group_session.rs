//! The session of a receiver.

use moceril::megolm::{self as core, Provenance};
use serde::Deserialize;

use super::{
    DecryptedMessage, DecryptionError, ExportedSessionKey, GroupSession, MegolmMessage,
    SessionConfig, SessionKey, SessionOrdering,
};
use crate::{
    convert::{drawn, group_decryption_error},
    pickled::pickle_type,
};

/// A Megolm session that decrypts messages from its first known index on, in any order and any
/// number of times.
#[derive(Deserialize)]
#[serde(from = "InboundGroupSessionPickle")]
pub struct InboundGroupSession {
    inner: core::InboundGroupSession,
}

impl InboundGroupSession {
    /// Creates a session from its owner's key, which was verified when it was parsed.
    pub fn new(key: &SessionKey, session_config: SessionConfig) -> Self {
        let version = session_config.inner();
        Self::from_inner(core::InboundGroupSession::with_version(key.inner(), version))
    }

    /// Creates a session from an exported key. Nothing shows who made the key.
    pub fn import(session_key: &ExportedSessionKey, session_config: SessionConfig) -> Self {
        let (key, version) = (session_key.inner(), session_config.inner());
        let exported = Provenance::Exported;
        Self::from_inner(core::InboundGroupSession::import_with_version(key, exported, version))
    }

    /// The id of the session (43 characters).
    pub fn session_id(&self) -> String {
        self.inner.session_id()
    }

    /// Whether both are the same session.
    pub fn connected(&mut self, other: &mut InboundGroupSession) -> bool {
        self.inner.connected(&other.inner)
    }

    /// Compares what the two sessions can decrypt.
    pub fn compare(&mut self, other: &mut InboundGroupSession) -> SessionOrdering {
        match self.inner.compare(&other.inner) {
            core::SessionOrdering::Equal => SessionOrdering::Equal,
            core::SessionOrdering::Better => SessionOrdering::Better,
            core::SessionOrdering::Worse => SessionOrdering::Worse,
            core::SessionOrdering::Unconnected => SessionOrdering::Unconnected,
        }
    }

    /// Merges two copies of one session into one; `None` unless they are connected. The result
    /// counts as signed only if the ratchets vouch for it.
    pub fn merge(&mut self, other: &mut InboundGroupSession) -> Option<InboundGroupSession> {
        self.inner.merge(&other.inner).ok().map(Self::from_inner)
    }

    /// The first message index that the session can decrypt.
    pub const fn first_known_index(&self) -> u32 {
        self.inner.first_known_index()
    }

    /// Forgets all keys before `index`. Returns whether there were any to forget.
    pub fn advance_to(&mut self, index: u32) -> bool {
        self.inner.advance_to(index)
    }

    /// The cipher of the message at an index.
    #[cfg(feature = "low-level-api")]
    pub fn get_cipher_at(&self, message_index: u32) -> Option<crate::hazmat::Cipher> {
        self.inner.cipher_at(message_index).ok().map(crate::hazmat::Cipher)
    }

    /// Decrypts a message of any index from the first known one on.
    ///
    /// # Errors
    ///
    /// [`DecryptionError`]; the session is unchanged.
    pub fn decrypt(
        &mut self,
        message: &MegolmMessage,
    ) -> Result<DecryptedMessage, DecryptionError> {
        match self.inner.decrypt(message.inner()) {
            Ok(decrypted) => {
                let message_index = decrypted.message_index();
                Ok(DecryptedMessage { plaintext: decrypted.into_plaintext(), message_index })
            }
            Err(error) => Err(group_decryption_error(error, &self.inner, message)),
        }
    }

    /// Exports the key that decrypts all messages from `index` on, also from an index yet to come.
    pub fn export_at(&mut self, index: u32) -> Option<ExportedSessionKey> {
        self.inner.export_at(index).ok().map(ExportedSessionKey::from_inner)
    }

    /// Exports everything this session can decrypt.
    pub fn export_at_first_known_index(&self) -> ExportedSessionKey {
        // Only a closed session cannot be exported, and no call here closes one.
        ExportedSessionKey::from_inner(drawn(self.inner.export_at_first_known_index()))
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
        core::InboundGroupSession::from_libolm_pickle(pickle, pickle_key)
            .and_then(|session| {
                // The core checks that it is a point with the first message.
                moceril::Ed25519PublicKey::from_bytes(*session.signing_key().as_bytes())?;
                Ok(Self::from_inner(session))
            })
            .map_err(|error| crate::convert::libolm_pickle_error(error, pickle, 2))
    }

    const fn from_inner(inner: core::InboundGroupSession) -> Self {
        Self { inner }
    }
}

pickle_type!(
    InboundGroupSessionPickle,
    InboundGroupSession,
    core::InboundGroupSession,
    "an inbound group session"
);

impl From<&InboundGroupSession> for InboundGroupSessionPickle {
    fn from(session: &InboundGroupSession) -> Self {
        session.pickle()
    }
}

impl From<&GroupSession> for InboundGroupSession {
    fn from(session: &GroupSession) -> Self {
        Self::new(&session.session_key(), session.session_config())
    }
}
