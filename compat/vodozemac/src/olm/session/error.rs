//! The errors of encryption and decryption.

use block_padding::Error as UnpadError;
use digest::MacError;
use thiserror::Error;

/// An Olm message does not decrypt; the session is unchanged.
#[derive(Error, Debug)]
pub enum DecryptionError {
    /// The message was not made by the peer of this session, or was altered, or belongs to another
    /// session.
    #[error("the message is not authentic: {0}")]
    InvalidMAC(#[from] MacError),
    /// The message has another version than the session.
    #[error("the message's MAC has {1} bytes, expected {0}")]
    InvalidMACLength(usize, usize),
    /// Never returned: wrong padding is [`InvalidMAC`](Self::InvalidMAC), too.
    #[error("invalid padding")]
    InvalidPadding(#[from] UnpadError),
    /// A key of the message would make the agreed secret no secret.
    #[error("a key agreement was not contributory")]
    NonContributoryKey,
    /// The message was decrypted before, or its key was dropped to stay within the limits.
    #[error("there is no key for message index {0} any more")]
    MissingMessageKey(u64),
    /// The message is further ahead than the limit allows.
    #[error("the message is {0} messages ahead, at most {1} are allowed")]
    TooBigMessageGap(u64, u64),
}

/// A message could not be encrypted; the session is unchanged.
#[derive(Error, Debug)]
pub enum EncryptionError {
    /// A key agreement came out as zero, or the session has no message index left, or the operating
    /// system no randomness.
    #[error("the message could not be encrypted")]
    NonContributoryKey,
}
