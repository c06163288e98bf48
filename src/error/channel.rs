//! Errors of verification, backups and secure channels.

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
