//! The results of a group session's calls.

use std::fmt;

use block_padding::Error as UnpadError;
use digest::MacError;
use thiserror::Error;

use crate::{KeyError, SignatureError};

/// The bytes or text are not a session key of the expected kind.
#[derive(Debug, Error)]
pub enum SessionKeyDecodeError {
    /// The first byte is not the version of this format.
    #[error("unknown session key version {1}, expected {0}")]
    Version(u8, u8),
    /// The format has a fixed length; the input has another.
    #[error("the session key cannot be read: {0}")]
    Read(#[from] std::io::Error),
    /// The text is not base64.
    #[error("the session key is not valid base64: {0}")]
    Base64(#[from] base64ct::Error),
    /// The session key is not signed by its own signing key.
    #[error("the signature of the session key: {0}")]
    Signature(#[from] SignatureError),
    /// The signing key is unacceptable.
    #[error("the session key holds a bad signing key: {0}")]
    PublicKey(#[from] KeyError),
}

/// A Megolm message does not decrypt; the session is unchanged.
#[derive(Debug, Error)]
pub enum DecryptionError {
    /// The message is not signed by the sender of this session.
    #[error("the signature of the message: {0}")]
    Signature(#[from] SignatureError),
    /// The sender signed the message, but encrypted it with another key.
    #[error("the message is not authentic: {0}")]
    InvalidMAC(#[from] MacError),
    /// The message has another version than the session.
    #[error("the message's MAC has {1} bytes, expected {0}")]
    InvalidMACLength(usize, usize),
    /// Never returned: wrong padding is [`InvalidMAC`](Self::InvalidMAC), too.
    #[error("invalid padding")]
    InvalidPadding(#[from] UnpadError),
    /// The message is older than the oldest key known.
    #[error("message index {1} is before {0}, the first one known")]
    UnknownMessageIndex(u32, u32),
}

/// How one inbound group session compares to another of the same id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionOrdering {
    /// They know the same messages.
    Equal,
    /// This one knows earlier messages.
    Better,
    /// The other one knows earlier messages.
    Worse,
    /// They are not the same session, whatever their ids say.
    Unconnected,
}

/// A decrypted Megolm message.
#[derive(Clone, PartialEq, Eq)]
pub struct DecryptedMessage {
    /// What the sender encrypted.
    pub plaintext: Vec<u8>,
    /// The index of the message in its session.
    pub message_index: u32,
}

/// Without the plaintext (S-29).
impl fmt::Debug for DecryptedMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DecryptedMessage")
            .field("message_index", &self.message_index)
            .finish_non_exhaustive()
    }
}
