//! Every error of the public API.
//!
//! Each operation has one enum. There is a variant for each reason on which a caller can act.
//! Signature, MAC and padding share one variant, because the difference helps only an attacker. No
//! variant contains a secret, a plaintext or a type of another crate.

/// Gives an error type its texts and the `Error` trait.
macro_rules! texts {
    ($name:ident { $($pattern:pat => $($text:expr),+;)+ }) => {
        impl core::fmt::Display for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                match self {
                    $($pattern => write!(f, $($text),+),)+
                }
            }
        }

        impl core::error::Error for $name {}
    };
}
pub(crate) use texts;

mod channel;
#[cfg(any(feature = "key-export", feature = "payload"))]
mod matrix;
mod megolm;
mod olm;
mod pickle;

#[cfg(any(feature = "key-export", feature = "payload"))]
pub use matrix::*;
pub use {channel::*, megolm::*, olm::*, pickle::*};

/// The random source failed. Nothing was created or changed (S-03).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RandomError;

texts!(RandomError { Self => "the random source failed"; });

/// The text is not base64: its alphabet, length or padding is wrong, or its trailing bits are not
/// zero (S-30).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Base64Error;

texts!(Base64Error { Self => "invalid base64"; });

/// A public key, or a private key from another library, is invalid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyError {
    /// The text is not base64.
    Base64,
    /// A key has 32 bytes; this input has another length.
    Length(usize),
    /// The key is not canonically encoded: its coordinate is not below p, or its top bit is set
    /// wrongly.
    NonCanonical,
    /// The key is a point of low order, with which agreements and signatures are worthless.
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
    /// The first byte is not a version that this library knows.
    Version(u8),
    /// A field is missing, is repeated, or has a wrong type, length or range; or the message is cut
    /// off.
    Format,
    /// A field contains an invalid key.
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
