//! Errors of verification, backups and secure channels.

use core::{error::Error, fmt};

/// A step of a SAS verification failed. Nothing was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SasError {
    /// The key agreement came out as zero (S-01).
    NonContributoryKey,
    /// The other device's key is this device's own: somebody sent it back. Cancel the verification.
    OwnKey,
    /// More bytes were asked for than HKDF gives.
    TooManyBytes {
        /// How many were asked for.
        requested: usize,
        /// How many there can be.
        maximum: usize,
    },
    /// The MAC is not the other device's: cancel the verification.
    Mac,
}

texts!(SasError {
    Self::NonContributoryKey => "the key agreement was not contributory";
    Self::OwnKey => "the other device's key is this device's own key";
    Self::TooManyBytes { requested, maximum } => "{requested} bytes requested, {maximum} is the maximum";
    Self::Mac => "the MAC does not verify";
});

/// A backed-up key could not be encrypted or decrypted.
#[cfg(feature = "backup")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BackupError {
    /// The key agreement came out as zero (S-01).
    NonContributoryKey,
    /// The message was made for another key, or is damaged in a way that shows. Most damage does not.
    Decryption,
    /// The random source failed.
    Random,
}

#[cfg(feature = "backup")]
texts!(BackupError {
    Self::NonContributoryKey => "the key agreement was not contributory";
    Self::Decryption => "the backed-up key does not decrypt";
    Self::Random => "the random source failed";
});

#[cfg(feature = "backup")]
impl From<super::RandomError> for BackupError {
    fn from(_: super::RandomError) -> Self {
        Self::Random
    }
}

/// A step towards a secure channel that failed, and the object it was tried on: unchanged, to try
/// again with (S-04).
///
/// `?` turns it into its error, where the object is of no more use.
#[derive(Debug)]
pub struct Refused<T, E> {
    /// The object as it was before.
    pub unchanged: T,
    /// Why the step failed.
    pub error: E,
}

impl<T, E: fmt::Display> fmt::Display for Refused<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl<T: fmt::Debug, E: Error> Error for Refused<T, E> {}

/// An ECIES channel could not be established, or a message not be encrypted or decrypted; nothing has
/// changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EciesError {
    /// The message was not made by the peer of this channel, was altered, or is not the next one.
    Authentication,
    /// The channel cannot count this message: it carries 2^64 - 1 in each direction, each below 256
    /// GiB (S-11).
    ChannelExhausted,
    /// The key agreement came out as zero.
    NonContributoryKey,
    /// The other device's key is this device's own: somebody sent it back.
    OwnKey,
}

texts!(EciesError {
    Self::Authentication => "the message is not authentic, or not the next one";
    Self::ChannelExhausted => "the channel cannot carry another message";
    Self::NonContributoryKey => "the key agreement was not contributory";
    Self::OwnKey => "the other device's key is this device's own key";
});

impl<T> From<Refused<T, Self>> for EciesError {
    fn from(refused: Refused<T, Self>) -> Self {
        refused.error
    }
}

/// An HPKE channel could not be established, or a message not be sealed or opened; nothing has
/// changed.
#[cfg(feature = "hpke")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum HpkeError {
    /// The message was not made by the peer of this channel, was altered, is not the next one, or was
    /// sealed with other associated data.
    Authentication,
    /// The channel cannot count this message: it carries 2^64 in each direction, each below 256 GiB
    /// (S-11).
    ChannelExhausted,
    /// The key agreement came out as zero.
    NonContributoryKey,
    /// The random source failed.
    Random,
}

#[cfg(feature = "hpke")]
texts!(HpkeError {
    Self::Authentication => "the message is not authentic, or not the next one";
    Self::ChannelExhausted => "the channel cannot carry another message";
    Self::NonContributoryKey => "the key agreement was not contributory";
    Self::Random => "the random source failed";
});

#[cfg(feature = "hpke")]
impl From<super::RandomError> for HpkeError {
    fn from(_: super::RandomError) -> Self {
        Self::Random
    }
}

#[cfg(feature = "hpke")]
impl<T> From<Refused<T, Self>> for HpkeError {
    fn from(refused: Refused<T, Self>) -> Self {
        refused.error
    }
}
