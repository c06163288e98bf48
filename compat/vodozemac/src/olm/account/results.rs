//! The results of an account's calls.

use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::{
    Curve25519PublicKey, Ed25519PublicKey,
    olm::{DecryptionError, Session, SessionConfig},
};

/// An Olm session could not be created; the account is unchanged.
#[derive(Error, Debug)]
pub enum SessionCreationError {
    /// The account has no such key: it was used, removed, or never its own. Or it is a fallback key
    /// that has seen this very message before.
    #[error("the one-time key {0} of the message does not serve it")]
    MissingOneTimeKey(Curve25519PublicKey),
    /// The message names another identity key than the caller expects.
    #[error("the message was sent with the identity key {1}, not {0}")]
    MismatchedIdentityKey(Curve25519PublicKey, Curve25519PublicKey),
    /// The message has another version than the caller expects.
    #[error("the message asks for the configuration {got:?}, not {expected:?}")]
    MismatchedSessionConfig {
        /// What the caller expects.
        expected: SessionConfig,
        /// What the message has.
        got: Option<SessionConfig>,
    },
    /// The first message does not decrypt.
    #[error("the first message does not decrypt: {0}")]
    Decryption(#[from] DecryptionError),
    /// A key would make the agreed secret no secret.
    #[error("a key agreement was not contributory")]
    NonContributoryKey,
}

/// The two public identity keys of a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdentityKeys {
    /// The key that signs: the device's fingerprint.
    pub ed25519: Ed25519PublicKey,
    /// The key that Olm sessions are made with.
    pub curve25519: Curve25519PublicKey,
}

impl IdentityKeys {
    pub(super) fn from_inner(keys: moceril::olm::IdentityKeys) -> Self {
        Self {
            ed25519: Ed25519PublicKey::from_inner(keys.ed25519),
            curve25519: Curve25519PublicKey::from_inner(keys.curve25519),
        }
    }
}

/// A new session, and the message that created it.
pub struct InboundCreationResult {
    /// The session.
    pub session: Session,
    /// The message, decrypted.
    pub plaintext: Vec<u8>,
}

/// Without the plaintext (S-29).
impl fmt::Debug for InboundCreationResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InboundCreationResult")
            .field("session", &self.session)
            .finish_non_exhaustive()
    }
}

/// The result of generating one-time keys.
pub struct OneTimeKeyGenerationResult {
    /// The new keys, to be published.
    pub created: Vec<Curve25519PublicKey>,
    /// Keys dropped because the account was full.
    pub removed: Vec<Curve25519PublicKey>,
}
