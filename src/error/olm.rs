//! Errors of accounts and Olm sessions.

use super::RandomError;

/// One-time keys could not be generated; the account is unchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyGenerationError {
    /// More keys at once than an account may hold.
    TooMany {
        /// How many keys were asked for.
        requested: usize,
        /// How many an account holds at most.
        maximum: usize,
    },
    /// All 2^64 key ids were given out; ids are never used twice.
    IdsExhausted,
    /// The random source failed.
    Random,
}

texts!(KeyGenerationError {
    Self::TooMany { requested, maximum } => "{requested} one-time keys requested, {maximum} is the maximum";
    Self::IdsExhausted => "all key ids are used up";
    Self::Random => "the random source failed";
});

impl From<RandomError> for KeyGenerationError {
    fn from(_: RandomError) -> Self {
        Self::Random
    }
}

/// A key bundle does not prove that its keys belong together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BundleError {
    /// The one-time or fallback key is not signed by the device's Ed25519 key.
    Signature,
    /// The one-time key is the identity key, so it is not single-use.
    OneTimeKeyIsIdentityKey,
}

texts!(BundleError {
    Self::Signature => "the signature of the one-time key does not verify";
    Self::OneTimeKeyIsIdentityKey => "the one-time key is the identity key";
});

/// An Olm session could not be created; the account is unchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SessionCreationError {
    /// The message names another identity key than the caller expects.
    IdentityKeyMismatch,
    /// The account has no such one-time or fallback key: it was used, removed, or never ours.
    UnknownOneTimeKey,
    /// The fallback key remembers that this session was created before (S-08): drop the message, or
    /// decrypt it with that session.
    Replayed,
    /// The first message does not decrypt.
    Decryption(DecryptionError),
    /// A key agreement came out as zero.
    NonContributoryKey,
    /// The random source failed.
    Random,
}

texts!(SessionCreationError {
    Self::IdentityKeyMismatch => "the message was sent with another identity key";
    Self::UnknownOneTimeKey => "the account does not have the one-time key of this message";
    Self::Replayed => "a session was already created from this message";
    Self::Decryption(error) => "the first message does not decrypt: {error}";
    Self::NonContributoryKey => "a key agreement was not contributory";
    Self::Random => "the random source failed";
});

impl From<RandomError> for SessionCreationError {
    fn from(_: RandomError) -> Self {
        Self::Random
    }
}

impl From<DecryptionError> for SessionCreationError {
    fn from(error: DecryptionError) -> Self {
        Self::Decryption(error)
    }
}

/// A message could not be encrypted; the session is unchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EncryptionError {
    /// The last message index was used: start a new session (S-11).
    SessionExhausted,
    /// A key agreement came out as zero.
    NonContributoryKey,
    /// The random source failed.
    Random,
}

texts!(EncryptionError {
    Self::SessionExhausted => "the session has no message index left";
    Self::NonContributoryKey => "a key agreement was not contributory";
    Self::Random => "the random source failed";
});

impl From<RandomError> for EncryptionError {
    fn from(_: RandomError) -> Self {
        Self::Random
    }
}

/// These are not the identity keys of the session's two ends; the session is unchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum IdentityKeysError {
    /// The session is known to be with another device.
    AnotherPeer,
    /// Neither key is that of the device that began the session, or the peer is said to have begun a
    /// session that began at our end.
    AnotherSession,
}

texts!(IdentityKeysError {
    Self::AnotherPeer => "the session is with another device";
    Self::AnotherSession => "the session is not between these two devices";
});

/// An Olm message does not decrypt; the session is unchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DecryptionError {
    /// The message has another version than the session (S-13).
    VersionMismatch,
    /// The pre-key message belongs to another session: its outer keys are not this session's (S-09).
    SessionKeysMismatch,
    /// The message was decrypted before: drop it.
    AlreadyUsed,
    /// The key was dropped to stay within the limits, or its neighbour was: the message is lost.
    Evicted,
    /// The message is further ahead than the limit allows: messages in between are missing.
    TooFarAhead {
        /// The message's chain index.
        index: u32,
        /// The highest index that is acceptable now.
        maximum: u32,
    },
    /// The message was not made by the peer of this session, or was altered.
    Authentication,
}

texts!(DecryptionError {
    Self::VersionMismatch => "the message has another version than the session";
    Self::SessionKeysMismatch => "the pre-key message belongs to another session";
    Self::AlreadyUsed => "the message was already decrypted";
    Self::Evicted => "the key of this message is no longer stored";
    Self::TooFarAhead { index, maximum } => "message index {index} is beyond {maximum}, the highest acceptable";
    Self::Authentication => "the message is not authentic";
});
