//! Errors of group sessions.

use super::{Base64Error, KeyError, SignatureError};

/// The bytes or text are not a Megolm session key, in the sharing or in the export format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SessionKeyError {
    /// The text is not base64.
    Base64,
    /// The format has a fixed length; this input has another.
    Length,
    /// The first byte is not the version of this format.
    Version(u8),
    /// The signing key is unacceptable.
    Key(KeyError),
    /// The session key is not signed by its own signing key.
    Signature,
}

texts!(SessionKeyError {
    Self::Base64 => "the session key is not valid base64";
    Self::Length => "the session key has the wrong length";
    Self::Version(found) => "unknown session key version {found}";
    Self::Key(error) => "the session key holds a bad signing key: {error}";
    Self::Signature => "the signature of the session key does not verify";
});

impl From<Base64Error> for SessionKeyError {
    fn from(_: Base64Error) -> Self {
        Self::Base64
    }
}

impl From<KeyError> for SessionKeyError {
    fn from(error: KeyError) -> Self {
        Self::Key(error)
    }
}

impl From<SignatureError> for SessionKeyError {
    fn from(_: SignatureError) -> Self {
        Self::Signature
    }
}

/// A Megolm message does not decrypt; the session is unchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum GroupDecryptionError {
    /// The message has another version than the session (S-13).
    VersionMismatch,
    /// The message is older than the oldest key known; ask for an earlier export.
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
}

texts!(GroupDecryptionError {
    Self::VersionMismatch => "the message has another version than the session";
    Self::UnknownIndex { index, first_known } => "message index {index} is before {first_known}, the first one known";
    Self::Closed => "the session is closed";
    Self::Authentication => "the message is not authentic";
});

impl From<SignatureError> for GroupDecryptionError {
    fn from(_: SignatureError) -> Self {
        Self::Authentication
    }
}

/// The session cannot be exported at this index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ExportError {
    /// The index is before the first one known.
    UnknownIndex {
        /// The index asked for.
        index: u32,
        /// The first index that the session knows.
        first_known: u32,
    },
    /// The session was closed.
    Closed,
}

texts!(ExportError {
    Self::UnknownIndex { index, first_known } => "index {index} is before {first_known}, the first one known";
    Self::Closed => "the session is closed";
});

/// The provenance of an inbound group session cannot be stated so; the session is unchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProvenanceError {
    /// Another provenance is known already.
    Known,
    /// The owner of the signing key has not signed with this session, as far as the session knows.
    NotSigned,
}

texts!(ProvenanceError {
    Self::Known => "another provenance is known already";
    Self::NotSigned => "the owner of the signing key has not signed with this session";
});

/// The creation time of a group session cannot be stated so; the session is unchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CreationTimeError {
    /// The creation time that is known already, in seconds since 1970.
    pub known: u64,
}

texts!(CreationTimeError {
    Self { known } => "the creation time is known already: {known} seconds since 1970";
});

/// The replay guard refuses a message (S-19). The guard is unchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReplayError {
    /// Another event used this message index before.
    Replayed {
        /// The index that was used twice.
        index: u32,
    },
    /// The message belongs to another session than the guard.
    OtherSession,
}

texts!(ReplayError {
    Self::Replayed { index } => "another event used message index {index}";
    Self::OtherSession => "the message belongs to another session than the replay guard";
});
