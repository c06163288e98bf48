//! Errors of Olm sessions.

use digest::MacError;
use moceril::{MessageVersion, olm as core};

use crate::{
    Curve25519PublicKey,
    olm::{DecryptionError, EncryptionError, Message, PreKeyMessage, SessionCreationError},
};

/// The lengths of the MACs that the session wants and the message has, if they differ.
pub(crate) fn mac_lengths(session: MessageVersion, message: MessageVersion) -> (usize, usize) {
    (session.mac_length(), message.mac_length())
}

/// Why the session could not decrypt the message.
pub(crate) fn decryption_error(
    error: core::DecryptionError,
    version: MessageVersion,
    message: &Message,
) -> DecryptionError {
    match error {
        core::DecryptionError::VersionMismatch => {
            let (expected, got) = mac_lengths(version, message.inner().version());
            DecryptionError::InvalidMACLength(expected, got)
        }
        core::DecryptionError::AlreadyUsed | core::DecryptionError::Evicted => {
            DecryptionError::MissingMessageKey(message.chain_index())
        }
        core::DecryptionError::TooFarAhead { index, maximum } => {
            let allowed = u64::from(core::Limits::DEFAULT_MESSAGE_GAP);
            let beyond = u64::from(index.saturating_sub(maximum));
            DecryptionError::TooBigMessageGap(allowed + beyond, allowed)
        }
        // `Authentication`, `SessionKeysMismatch`, and what may come.
        _ => DecryptionError::InvalidMAC(MacError),
    }
}

/// vodozemac knows one reason only: it stands for all.
pub(crate) fn encryption_error(_: core::EncryptionError) -> EncryptionError {
    EncryptionError::NonContributoryKey
}

/// Why no session could be created from the message.
pub(crate) fn session_creation_error(
    error: core::SessionCreationError,
    version: MessageVersion,
    their_identity_key: Curve25519PublicKey,
    message: &PreKeyMessage,
) -> SessionCreationError {
    match error {
        core::SessionCreationError::IdentityKeyMismatch => {
            SessionCreationError::MismatchedIdentityKey(their_identity_key, message.identity_key())
        }
        core::SessionCreationError::Decryption(error) => {
            SessionCreationError::Decryption(decryption_error(error, version, message.message()))
        }
        core::SessionCreationError::NonContributoryKey => SessionCreationError::NonContributoryKey,
        // `UnknownOneTimeKey`, `Replayed`, and what may come: the key serves no such message, or no
        // longer.
        _ => SessionCreationError::MissingOneTimeKey(message.one_time_key()),
    }
}
