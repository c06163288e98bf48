//! Errors of Megolm sessions.

use digest::MacError;
use moceril::megolm::{DecryptionError as Refusal, InboundGroupSession};

use super::mac_lengths;
use crate::{
    SignatureError,
    megolm::{DecryptionError, MegolmMessage},
};

/// Why the session could not decrypt the message.
pub(crate) fn group_decryption_error(
    error: Refusal,
    session: &InboundGroupSession,
    message: &MegolmMessage,
) -> DecryptionError {
    match error {
        Refusal::VersionMismatch => {
            let (expected, got) = mac_lengths(session.version(), message.inner().version());
            DecryptionError::InvalidMACLength(expected, got)
        }
        Refusal::UnknownIndex { index, first_known } => {
            DecryptionError::UnknownMessageIndex(first_known, index)
        }
        // `Authentication`, and what may come. Whether the signature verifies is no secret.
        _ if is_signed(session, message) => DecryptionError::InvalidMAC(MacError),
        _ => DecryptionError::Signature(SignatureError::invalid()),
    }
}

fn is_signed(session: &InboundGroupSession, message: &MegolmMessage) -> bool {
    let verified =
        session.signing_key().verify(message.signed_bytes(), message.inner().signature());
    verified.is_ok()
}
