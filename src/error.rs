//! Every error of the public API.
//!
//! One enum per operation. A variant exists when a caller would *do* something different; reasons
//! that only help a forger (signature, MAC or padding) share one. No variant holds a secret, a
//! plaintext or a type of another crate.

use core::{error::Error, fmt};

/// Gives an error type its texts and the `Error` trait.
macro_rules! texts {
    ($name:ident { $($pattern:pat => $($text:expr),+;)+ }) => {
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self {
                    $($pattern => write!(f, $($text),+),)+
                }
            }
        }

        impl Error for $name {}
    };
}

/// The random source failed. Nothing was created or changed (S-03).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RandomError;

texts!(RandomError { Self => "the random source failed"; });

/// The text is not base64: wrong alphabet, length, padding, or non-zero trailing bits (S-30).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Base64Error;

texts!(Base64Error { Self => "invalid base64"; });

/// A public key, or a private key of another library, is unacceptable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyError {
    /// The text is not base64.
    Base64,
    /// A key has 32 bytes; this input has another length.
    Length(usize),
    /// Not the one encoding that a key has: a coordinate of p or above, or a stray top bit.
    NonCanonical,
    /// A point of low order, with which every agreement or signature would be trivial.
    LowOrder,
    /// The bytes do not encode a point of the curve.
    NotOnCurve,
    /// Half of a 64-byte private key equals its public key.
    PublicInSecret,
}

texts!(KeyError {
    Self::Base64 => "the key is not valid base64";
    Self::Length(length) => "a key has 32 bytes, not {length}";
    Self::NonCanonical => "the key is not canonically encoded";
    Self::LowOrder => "the key is of low order";
    Self::NotOnCurve => "the key is not a point of the curve";
    Self::PublicInSecret => "half of the private key is its public key";
});

impl From<Base64Error> for KeyError {
    fn from(_: Base64Error) -> Self {
        Self::Base64
    }
}

/// The signature is malformed or was not made over this message by this key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignatureError;

texts!(SignatureError { Self => "the signature does not verify"; });

/// The bytes or text are not a message of the expected kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DecodeError {
    /// The text is not base64.
    Base64,
    /// The message type is neither 0 (pre-key) nor 1 (normal).
    MessageType(usize),
    /// The first byte is not a version this library speaks.
    Version(u8),
    /// A field is missing, repeated, of the wrong type, length or range, or the end is cut off.
    Format,
    /// A key field holds an unacceptable key.
    Key(KeyError),
}

texts!(DecodeError {
    Self::Base64 => "the message is not valid base64";
    Self::MessageType(found) => "unknown Olm message type {found}";
    Self::Version(found) => "unknown message version {found}";
    Self::Format => "the message is malformed";
    Self::Key(error) => "the message holds a bad key: {error}";
});

impl From<Base64Error> for DecodeError {
    fn from(_: Base64Error) -> Self {
        Self::Base64
    }
}

impl From<KeyError> for DecodeError {
    fn from(error: KeyError) -> Self {
        Self::Key(error)
    }
}

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
    /// This very session was created from the fallback key before (S-08).
    Replayed,
    /// The fallback key has served as many sessions as it can remember: publish a new one.
    FallbackKeyExhausted,
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
    Self::FallbackKeyExhausted => "the fallback key has served too many sessions";
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

/// The replay guard refuses a message (S-19).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReplayError {
    /// Another event used this message index before.
    Replayed {
        /// The index that was used twice.
        index: u32,
    },
    /// The index is older than everything the guard still remembers.
    Forgotten {
        /// The message's index.
        index: u32,
        /// The first index that the guard can judge.
        first_remembered: u32,
    },
}

texts!(ReplayError {
    Self::Replayed { index } => "another event used message index {index}";
    Self::Forgotten { index, first_remembered } =>
        "message index {index} is before {first_remembered}, the first one remembered";
});

/// A pickle could not be written or read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PickleError {
    /// The text is not base64.
    Base64,
    /// The pickle has a version that this library does not know.
    Version(u8),
    /// The pickle holds another kind of object.
    ObjectType,
    /// Wrong key, wrong context, or the pickle was altered or cut off.
    Authentication,
    /// The content is not a possible state of the object.
    InvalidState,
    /// The random source failed.
    Random,
}

texts!(PickleError {
    Self::Base64 => "the pickle is not valid base64";
    Self::Version(found) => "unknown pickle version {found}";
    Self::ObjectType => "the pickle holds another kind of object";
    Self::Authentication => "wrong pickle key or context, or the pickle was altered";
    Self::InvalidState => "the pickle's content is not a possible state";
    Self::Random => "the random source failed";
});

impl From<Base64Error> for PickleError {
    fn from(_: Base64Error) -> Self {
        Self::Base64
    }
}

impl From<RandomError> for PickleError {
    fn from(_: RandomError) -> Self {
        Self::Random
    }
}

/// A pickle in libolm's format could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LibolmPickleError {
    /// The text is not base64.
    Base64,
    /// Wrong key, or the pickle was altered or cut off.
    Authentication,
    /// The pickle has a version that libolm does not write, or no longer reads.
    Version(u32),
    /// The content ends early, goes on after its end, or is not a possible state of the object.
    InvalidState,
    /// The content holds an unacceptable key.
    Key(KeyError),
}

texts!(LibolmPickleError {
    Self::Base64 => "the pickle is not valid base64";
    Self::Authentication => "wrong pickle key, or the pickle was altered";
    Self::Version(found) => "unknown pickle version {found}";
    Self::InvalidState => "the pickle's content is not a possible state";
    Self::Key(error) => "the pickle holds a bad key: {error}";
});

impl From<Base64Error> for LibolmPickleError {
    fn from(_: Base64Error) -> Self {
        Self::Base64
    }
}

impl From<KeyError> for LibolmPickleError {
    fn from(error: KeyError) -> Self {
        Self::Key(error)
    }
}

/// The only reason why the floors below refuse a state.
impl From<PickleError> for LibolmPickleError {
    fn from(_: PickleError) -> Self {
        Self::InvalidState
    }
}

/// A step of a SAS verification failed. Nothing was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SasError {
    /// The key agreement came out as zero (S-01).
    NonContributoryKey,
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
impl From<RandomError> for BackupError {
    fn from(_: RandomError) -> Self {
        Self::Random
    }
}

/// A pickle in vodozemac's format could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum VodozemacPickleError {
    /// The text is not base64.
    Base64,
    /// Wrong key, or the pickle was altered or cut off.
    Authentication,
    /// The content is not such a pickle, or not a possible state of the object.
    InvalidState,
    /// The content holds an unacceptable key.
    Key(KeyError),
}

texts!(VodozemacPickleError {
    Self::Base64 => "the pickle is not valid base64";
    Self::Authentication => "wrong pickle key, or the pickle was altered";
    Self::InvalidState => "the pickle's content is not a possible state";
    Self::Key(error) => "the pickle holds a bad key: {error}";
});

impl From<Base64Error> for VodozemacPickleError {
    fn from(_: Base64Error) -> Self {
        Self::Base64
    }
}

impl From<KeyError> for VodozemacPickleError {
    fn from(error: KeyError) -> Self {
        Self::Key(error)
    }
}

/// The only reason why the floors below refuse a state.
impl From<PickleError> for VodozemacPickleError {
    fn from(_: PickleError) -> Self {
        Self::InvalidState
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
}

texts!(EciesError {
    Self::Authentication => "the message is not authentic, or not the next one";
    Self::ChannelExhausted => "the channel cannot carry another message";
    Self::NonContributoryKey => "the key agreement was not contributory";
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
impl From<RandomError> for HpkeError {
    fn from(_: RandomError) -> Self {
        Self::Random
    }
}

#[cfg(feature = "hpke")]
impl<T> From<Refused<T, Self>> for HpkeError {
    fn from(refused: Refused<T, Self>) -> Self {
        refused.error
    }
}

/// A dehydrated device could not be made or taken over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DehydratedDeviceError {
    /// The ciphertext or the nonce is not base64.
    Base64,
    /// The nonce does not have 12 bytes.
    Nonce,
    /// Wrong key, or the device was altered or cut off.
    Authentication,
    /// The device has another version than 1.
    Version(u32),
    /// The content is not a possible state of an account.
    InvalidState,
    /// The format has no form for this account: its Ed25519 seed is not known.
    Unrepresentable,
    /// The random source failed.
    Random,
}

texts!(DehydratedDeviceError {
    Self::Base64 => "the dehydrated device is not valid base64";
    Self::Nonce => "the nonce does not have 12 bytes";
    Self::Authentication => "wrong key, or the dehydrated device was altered";
    Self::Version(found) => "unknown version {found} of a dehydrated device";
    Self::InvalidState => "the dehydrated device's content is not a possible state";
    Self::Unrepresentable => "the account's Ed25519 seed is not known";
    Self::Random => "the random source failed";
});

impl From<Base64Error> for DehydratedDeviceError {
    fn from(_: Base64Error) -> Self {
        Self::Base64
    }
}

impl From<RandomError> for DehydratedDeviceError {
    fn from(_: RandomError) -> Self {
        Self::Random
    }
}

/// The plaintext of an Olm event does not name the right people and keys (S-16).
#[cfg(feature = "payload")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PayloadError {
    /// Not a JSON object of the right form.
    Malformed,
    /// This member is missing.
    MissingMember(&'static str),
    /// The event says it is from somebody else.
    SenderMismatch,
    /// The session or the event's `keys` are not those of the sender's device.
    SenderKeyMismatch,
    /// The event was meant for another user.
    RecipientMismatch,
    /// The event was meant for another device.
    RecipientKeyMismatch,
}

#[cfg(feature = "payload")]
texts!(PayloadError {
    Self::Malformed => "the event is not a JSON object of the right form";
    Self::MissingMember(name) => "the event lacks {name}";
    Self::SenderMismatch => "the event is from somebody else";
    Self::SenderKeyMismatch => "the event does not have the keys of the sender's device";
    Self::RecipientMismatch => "the event was meant for another user";
    Self::RecipientKeyMismatch => "the event was meant for another device";
});

/// A file of exported keys could not be written or read.
#[cfg(feature = "key-export")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyExportError {
    /// Header or trailer are missing, the content is cut off, or it is not text.
    Format,
    /// The content is not base64.
    Base64,
    /// The file has another version than 1.
    Version(u8),
    /// The file asks for no rounds of hashing, or for more than the caller allows.
    Rounds {
        /// What the file asks for.
        rounds: u32,
        /// What the caller allows.
        maximum: u32,
    },
    /// Wrong passphrase, or the file was altered.
    Authentication,
    /// The random source failed.
    Random,
}

#[cfg(feature = "key-export")]
texts!(KeyExportError {
    Self::Format => "not a file of exported keys";
    Self::Base64 => "the file's content is not valid base64";
    Self::Version(found) => "unknown version {found} of a file of exported keys";
    Self::Rounds { rounds, maximum } => "the file asks for {rounds} rounds of hashing, allowed are 1 to {maximum}";
    Self::Authentication => "wrong passphrase, or the file was altered";
    Self::Random => "the random source failed";
});

#[cfg(feature = "key-export")]
impl From<Base64Error> for KeyExportError {
    fn from(_: Base64Error) -> Self {
        Self::Base64
    }
}

#[cfg(feature = "key-export")]
impl From<RandomError> for KeyExportError {
    fn from(_: RandomError) -> Self {
        Self::Random
    }
}

/// No key could be derived from a passphrase.
#[cfg(feature = "passphrase")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PassphraseError {
    /// The text is not a pickle under a passphrase.
    Format,
    /// The cost is beyond the limit, or one that Argon2 does not allow.
    Cost,
    /// The random source failed.
    Random,
}

#[cfg(feature = "passphrase")]
texts!(PassphraseError {
    Self::Format => "not a pickle under a passphrase";
    Self::Cost => "the cost of the key derivation is not allowed";
    Self::Random => "the random source failed";
});

#[cfg(feature = "passphrase")]
impl From<RandomError> for PassphraseError {
    fn from(_: RandomError) -> Self {
        Self::Random
    }
}
