//! Errors of stored forms.

use super::{Base64Error, KeyError, RandomError};

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
    /// The replay guard in the pickle belongs to another session.
    OtherSession,
    /// The random source failed.
    Random,
}

texts!(PickleError {
    Self::Base64 => "the pickle is not valid base64";
    Self::Version(found) => "unknown pickle version {found}";
    Self::ObjectType => "the pickle holds another kind of object";
    Self::Authentication => "wrong pickle key or context, or the pickle was altered";
    Self::InvalidState => "the pickle's content is not a possible state";
    Self::OtherSession => "the replay guard in the pickle belongs to another session";
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

/// The layers below refuse a state for this reason only.
impl From<PickleError> for LibolmPickleError {
    fn from(_: PickleError) -> Self {
        Self::InvalidState
    }
}

/// A pickle in vodozemac's format could not be read.
#[cfg(feature = "vodozemac")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum VodozemacPickleError {
    /// The text is not base64.
    Base64,
    /// Wrong key, or the pickle was altered or cut off.
    Authentication,
    /// The content is not such a pickle, or not a possible state of the object.
    InvalidState,
    /// The pickle does not say the version of the object's messages (S-13). For a pickle of a very old
    /// release, see [`SessionPickle::assume_version_3`](crate::vodozemac::SessionPickle::assume_version_3).
    MissingVersion,
    /// The signing key is unacceptable (S-37). Bad public keys make the content no possible state.
    Key(KeyError),
}

#[cfg(feature = "vodozemac")]
texts!(VodozemacPickleError {
    Self::Base64 => "the pickle is not valid base64";
    Self::Authentication => "wrong pickle key, or the pickle was altered";
    Self::InvalidState => "the pickle's content is not a possible state";
    Self::MissingVersion => "the pickle does not say the version of its messages";
    Self::Key(error) => "the pickle holds a bad key: {error}";
});

#[cfg(feature = "vodozemac")]
impl From<Base64Error> for VodozemacPickleError {
    fn from(_: Base64Error) -> Self {
        Self::Base64
    }
}

#[cfg(feature = "vodozemac")]
impl From<KeyError> for VodozemacPickleError {
    fn from(error: KeyError) -> Self {
        Self::Key(error)
    }
}

/// The layers below refuse a state for this reason only.
#[cfg(feature = "vodozemac")]
impl From<PickleError> for VodozemacPickleError {
    fn from(_: PickleError) -> Self {
        Self::InvalidState
    }
}

/// No key could be derived from a passphrase.
#[cfg(feature = "passphrase")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PassphraseError {
    /// The text is not a pickle under a passphrase.
    Format,
    /// The text has a version that this library does not know.
    Version(u8),
    /// The cost is beyond the caller's limit, or one that Argon2 does not allow, or there is not as much
    /// memory.
    Cost,
    /// A new key would cost less than [`PassphraseCost::MINIMUM`](crate::PassphraseCost::MINIMUM).
    LowCost,
    /// A new key would have an empty passphrase.
    EmptyPassphrase,
    /// Wrong passphrase, or the text before the native pickle was altered: both look the same.
    WrongPassphrase,
    /// The random source failed.
    Random,
}

#[cfg(feature = "passphrase")]
texts!(PassphraseError {
    Self::Format => "not a pickle under a passphrase";
    Self::Version(found) => "unknown version {found} of a pickle under a passphrase";
    Self::Cost => "the cost of the key derivation is not allowed";
    Self::LowCost => "the cost of the key derivation is below the minimum for a new key";
    Self::EmptyPassphrase => "the passphrase is empty";
    Self::WrongPassphrase => "wrong passphrase, or the parameters of the key derivation were altered";
    Self::Random => "the random source failed";
});

#[cfg(feature = "passphrase")]
impl From<RandomError> for PassphraseError {
    fn from(_: RandomError) -> Self {
        Self::Random
    }
}
