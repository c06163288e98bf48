//! The result of decrypting a Megolm message.

use alloc::vec::Vec;
use core::{fmt, mem};

use zeroize::Zeroize;

use super::trust::Provenance;
use crate::{
    error::{SignatureError, texts},
    keys::Ed25519PublicKey,
};

/// A decrypted Megolm message, with what was authenticated together with it (S-18). The plaintext
/// is wiped on drop unless it was taken out.
///
/// What was authenticated cannot be written:
///
/// ```compile_fail,E0616
/// # use moceril::megolm::{GroupSession, InboundGroupSession, Provenance};
/// # let mut room = GroupSession::new(std::time::Duration::ZERO).unwrap();
/// # let mut session = InboundGroupSession::import(
/// #     &InboundGroupSession::new(&room.session_key()).export_at(0).unwrap(),
/// # );
/// # let event = room.encrypt(b"text").unwrap();
/// let mut decrypted = session.decrypt(&event).unwrap();
/// decrypted.provenance = Provenance::Signed; // the field is private
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct DecryptedMessage {
    pub(super) plaintext: Vec<u8>,
    pub(super) message_index: u32,
    pub(super) fingerprint: [u8; 32],
    pub(super) signing_key: Ed25519PublicKey,
    pub(super) provenance: Provenance,
}

/// The parts of a [`DecryptedMessage`], by value. The caller must wipe the plaintext.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct DecryptedMessageParts {
    /// See [`DecryptedMessage::plaintext`].
    pub plaintext: Vec<u8>,
    /// See [`DecryptedMessage::message_index`].
    pub message_index: u32,
    /// See [`DecryptedMessage::fingerprint`].
    pub fingerprint: [u8; 32],
    /// See [`DecryptedMessage::signing_key`].
    pub signing_key: Ed25519PublicKey,
    /// See [`DecryptedMessage::provenance`].
    pub provenance: Provenance,
}

impl DecryptedMessage {
    /// What the sender encrypted.
    #[must_use]
    pub fn plaintext(&self) -> &[u8] {
        &self.plaintext
    }

    /// The index of the message in its session.
    #[must_use]
    pub const fn message_index(&self) -> u32 {
        self.message_index
    }

    /// SHA-256 of the message's signature, which tells this message from every other one (S-19).
    ///
    /// Two messages with one signature under a key that is not of small order would be a collision
    /// of SHA-512 modulo the group order, even if the sender makes them. So the fingerprint is as
    /// good as a hash of the whole message, whose bytes need not be hashed again. See Brendel,
    /// Cremers, Jackson and Zhao, "The Provable Security of Ed25519", on message-bound signatures.
    #[must_use]
    pub const fn fingerprint(&self) -> &[u8; 32] {
        &self.fingerprint
    }

    /// The key that signed the message; its base64 is the session's id.
    #[must_use]
    pub const fn signing_key(&self) -> &Ed25519PublicKey {
        &self.signing_key
    }

    /// Where the key of this message came from: the session's provenance
    /// [at this index](super::InboundGroupSession::provenance_at).
    #[must_use]
    pub const fn provenance(&self) -> Provenance {
        self.provenance
    }

    /// The plaintext alone, by value. The caller must wipe it.
    #[must_use]
    pub fn into_plaintext(mut self) -> Vec<u8> {
        mem::take(&mut self.plaintext)
    }

    /// All parts, by value.
    #[must_use]
    pub fn into_parts(mut self) -> DecryptedMessageParts {
        DecryptedMessageParts {
            plaintext: mem::take(&mut self.plaintext),
            message_index: self.message_index,
            fingerprint: self.fingerprint,
            signing_key: self.signing_key,
            provenance: self.provenance,
        }
    }
}

impl Drop for DecryptedMessage {
    fn drop(&mut self) {
        self.plaintext.zeroize();
    }
}

/// Prints no plaintext (S-29).
macro_rules! debug_without_plaintext {
    ($($message:ident),+) => {$(
        impl fmt::Debug for $message {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($message))
                    .field("message_index", &self.message_index)
                    .field("signing_key", &self.signing_key)
                    .field("provenance", &self.provenance)
                    .finish_non_exhaustive()
            }
        }
    )+};
}

debug_without_plaintext!(DecryptedMessage, DecryptedMessageParts);

/// A Megolm message does not decrypt; the session is unchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DecryptionError {
    /// The message has another version than the session (S-13).
    VersionMismatch,
    /// The message is older than the oldest known key; ask for an earlier export.
    UnknownIndex {
        /// The message's index.
        index: u32,
        /// The first index that the session can decrypt.
        first_known: u32,
    },
    /// The session was closed.
    Closed,
    /// The message was not made by the sender of this session, or was altered.
    Authentication,
    /// The session's signing key is not a point of the curve, so no signature verifies with it. The
    /// session was imported from an exported key that is damaged or made up.
    InvalidSigningKey,
}

texts!(DecryptionError {
    Self::VersionMismatch => "the message has another version than the session";
    Self::UnknownIndex { index, first_known } =>
        "message index {index} is before {first_known}, the first one known";
    Self::Closed => "the session is closed";
    Self::Authentication => "the message is not authentic";
    Self::InvalidSigningKey =>
        "the session's signing key is not a point of the curve; import another copy of its key";
});

impl From<SignatureError> for DecryptionError {
    fn from(_: SignatureError) -> Self {
        Self::Authentication
    }
}
