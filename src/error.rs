//! Layer 0: the errors that several layers share, and those of Olm sessions. An error that belongs
//! to one operation is defined beside it.
//!
//! Each operation has one enum. There is a variant for each reason on which a caller can act.
//! Signature, MAC and padding share one variant, because the difference helps only an attacker. No
//! variant contains a secret, a plaintext or a type of another crate.

/// Gives an error type its texts and the `Error` trait. The variants after `caused by` hold another
/// error, which is their source. Their text does not repeat the text of the source: whoever prints
/// an error prints the chain of its sources.
macro_rules! texts {
    ($name:ident { $($pattern:pat => $($text:expr),+;)+ } $(caused by $($variant:ident),+)?) => {
        impl core::fmt::Display for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                match self {
                    $($pattern => write!(f, $($text),+),)+
                }
            }
        }

        impl core::error::Error for $name {
            $(fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
                match self {
                    $(Self::$variant(error) => Some(error),)+
                    _ => None,
                }
            })?
        }
    };
}
pub(crate) use texts;

/// The random source failed. Nothing was created or changed (S-03).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RandomError;

texts!(RandomError { Self => "the random source failed"; });

/// The text is not base64 (S-30).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Base64Error {
    /// It uses the URL-safe alphabet, which has `-` and `_` where Matrix has `+` and `/`.
    UrlSafe,
    /// Its alphabet, length or padding is wrong, or its trailing bits are not zero.
    Invalid,
}

texts!(Base64Error {
    Self::UrlSafe => "the base64 uses the URL-safe alphabet instead of the standard one";
    Self::Invalid => "invalid base64";
});

/// A public key, or a private key from another library, is invalid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyError {
    /// The text is not base64.
    Base64(Base64Error),
    /// A key has 32 bytes; this input has another length.
    Length(usize),
    /// The key is not canonically encoded: its coordinate is not below p, or its top bit is set
    /// wrongly.
    NonCanonical,
    /// The key is a point of low order, which makes agreements and signatures worthless.
    LowOrder,
    /// The bytes do not encode a point of the curve.
    NotOnCurve,
    /// Half of a 64-byte private key equals its public key.
    PublicInSecret,
}

texts!(KeyError {
    Self::Base64(_) => "the key is not valid base64";
    Self::Length(length) => "a key has 32 bytes, not {length}";
    Self::NonCanonical => "the key is not canonically encoded";
    Self::LowOrder => "the key is of low order";
    Self::NotOnCurve => "the key is not a point of the curve";
    Self::PublicInSecret => "half of the private key is its public key";
} caused by Base64);

impl From<Base64Error> for KeyError {
    fn from(error: Base64Error) -> Self {
        Self::Base64(error)
    }
}

/// The signature was not made over this message by this key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SignatureError;

texts!(SignatureError { Self => "the signature does not verify"; });

/// The bytes or text are not a message of the expected kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DecodeError {
    /// The text is not base64.
    Base64(Base64Error),
    /// The message type is neither 0 (pre-key) nor 1 (normal).
    MessageType(usize),
    /// The first byte is not a version that this library knows.
    Version(u8),
    /// A field is missing, is repeated, or has a wrong type, length or range; or the message is cut
    /// off.
    Format,
    /// A separate part, such as a key or a MAC in base64, has the wrong length.
    Length {
        /// The length that it must have, in bytes.
        expected: usize,
        /// The length that it has, in bytes.
        found: usize,
    },
    /// A field contains an invalid key.
    Key(KeyError),
}

texts!(DecodeError {
    Self::Base64(_) => "the message is not valid base64";
    Self::MessageType(found) => "unknown Olm message type {found}";
    Self::Version(found) => "unknown message version {found}";
    Self::Format => "the message is malformed";
    Self::Length { expected, found } =>
        "a part of the message has {found} bytes, and must have {expected}";
    Self::Key(_) => "the message holds a bad key";
} caused by Base64, Key);

impl From<Base64Error> for DecodeError {
    fn from(error: Base64Error) -> Self {
        Self::Base64(error)
    }
}

impl From<KeyError> for DecodeError {
    fn from(error: KeyError) -> Self {
        Self::Key(error)
    }
}

/// A pickle could not be written or read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PickleError {
    /// The text is not base64.
    Base64(Base64Error),
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
    Self::Base64(_) => "the pickle is not valid base64";
    Self::Version(found) => "unknown pickle version {found}";
    Self::ObjectType => "the pickle holds another kind of object";
    Self::Authentication => "wrong pickle key or context, or the pickle was altered";
    Self::InvalidState => "the pickle's content is not a possible state";
    Self::OtherSession => "the replay guard in the pickle belongs to another session";
    Self::Random => "the random source failed";
} caused by Base64);

impl From<Base64Error> for PickleError {
    fn from(error: Base64Error) -> Self {
        Self::Base64(error)
    }
}

impl From<RandomError> for PickleError {
    fn from(_: RandomError) -> Self {
        Self::Random
    }
}

/// An Olm message could not be encrypted; the session is unchanged.
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
    /// The pre-key message belongs to another session: its outer keys are not this session's
    /// (S-09).
    SessionKeysMismatch,
    /// The message was decrypted before: drop it.
    AlreadyUsed,
    /// The message's key, a later one of its chain, or the whole chain was dropped to stay within
    /// the limits: the message is lost.
    Evicted,
    /// The message is further ahead than the limit allows: messages in between are missing.
    TooFarAhead {
        /// The message's chain index.
        index: u32,
        /// The highest index that is currently accepted.
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
    Self::TooFarAhead { index, maximum } =>
        "message index {index} is beyond {maximum}, the highest acceptable";
    Self::Authentication => "the message is not authentic";
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
    Self::Decryption(_) => "the first message does not decrypt";
    Self::NonContributoryKey => "a key agreement was not contributory";
    Self::Random => "the random source failed";
} caused by Decryption);

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

/// These are not the identity keys of the session's two ends; the session is unchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum IdentityKeysError {
    /// The session is already known to be with another device.
    AnotherPeer,
    /// Neither key is that of the device that began the session, or the call says that the peer
    /// began a session that our end began.
    AnotherSession,
}

texts!(IdentityKeysError {
    Self::AnotherPeer => "the session is with another device";
    Self::AnotherSession => "the session is not between these two devices";
});
