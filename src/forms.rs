//! The standard traits of the types that have a form as text or as bytes. They call the functions of
//! the types, so each form is read and written in one place.
//!
//! All impls are here, so that one sees at a glance which type has which form. Secrets can be parsed,
//! but have neither `Display` nor `AsRef`: their text and bytes are to be asked for by name.

use alloc::vec::Vec;
use core::{fmt, str::FromStr};

use zeroize::Zeroizing;

#[cfg(feature = "backup")]
use crate::matrix::backup::BackupDecryptionKey;
#[cfg(feature = "hpke")]
use crate::matrix::channel::hpke::{InitialMessage as HpkeInitialMessage, InitialResponse};
use crate::{
    error::{DecodeError, KeyError, SignatureError},
    keys::{Curve25519PublicKey, Ed25519PublicKey, Ed25519SecretKey, Ed25519Signature},
    matrix::channel::ecies::{InitialMessage, Message as ChannelMessage},
    wire::{
        megolm::{ExportedSessionKey, MegolmMessage, SessionKey, SessionKeyError},
        olm::{Message, OlmMessage, PreKeyMessage},
    },
};

/// Parsing of a text, by the function of the type.
macro_rules! parsed {
    ($error:ident: $($type:ident::$parse:ident),+) => {$(
        impl FromStr for $type {
            type Err = $error;

            fn from_str(text: &str) -> Result<Self, $error> {
                Self::$parse(text)
            }
        }

        impl TryFrom<&str> for $type {
            type Error = $error;

            fn try_from(text: &str) -> Result<Self, $error> {
                Self::$parse(text)
            }
        }
    )+};
}

/// Parsing of bytes, by the function of the type.
macro_rules! decoded {
    ($error:ident: $($type:ident::$decode:ident),+) => {$(
        impl TryFrom<&[u8]> for $type {
            type Error = $error;

            fn try_from(bytes: &[u8]) -> Result<Self, $error> {
                Self::$decode(bytes)
            }
        }

        impl TryFrom<Vec<u8>> for $type {
            type Error = $error;

            fn try_from(bytes: Vec<u8>) -> Result<Self, $error> {
                Self::$decode(&bytes)
            }
        }
    )+};
}

/// As `decoded`, for a secret: the list of bytes is wiped (S-25).
macro_rules! decoded_secret {
    ($error:ident: $($type:ident),+) => {$(
        impl TryFrom<&[u8]> for $type {
            type Error = $error;

            fn try_from(bytes: &[u8]) -> Result<Self, $error> {
                Self::from_bytes(bytes)
            }
        }

        impl TryFrom<Vec<u8>> for $type {
            type Error = $error;

            fn try_from(bytes: Vec<u8>) -> Result<Self, $error> {
                Self::from_bytes(&Zeroizing::new(bytes))
            }
        }
    )+};
}

/// `Display` of what is public, by the function of the type. Keys and signatures have it in `keys`,
/// because lower layers print them.
macro_rules! printed {
    ($($type:ident::$print:ident),+) => {$(
        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.$print())
            }
        }
    )+};
}

/// The bytes of what is public.
macro_rules! public_bytes {
    ($($type:ident),+ $(,)?) => {$(
        impl AsRef<[u8]> for $type {
            fn as_ref(&self) -> &[u8] {
                self.as_bytes()
            }
        }
    )+};
}

parsed!(KeyError: Curve25519PublicKey::from_base64, Ed25519PublicKey::from_base64);
parsed!(KeyError: Ed25519SecretKey::from_base64);
#[cfg(feature = "backup")]
parsed!(KeyError: BackupDecryptionKey::from_base64);
parsed!(SignatureError: Ed25519Signature::from_base64);
parsed!(DecodeError: Message::from_base64, PreKeyMessage::from_base64, MegolmMessage::from_base64);
parsed!(SessionKeyError: SessionKey::from_base64, ExportedSessionKey::from_base64);
parsed!(DecodeError: InitialMessage::decode, ChannelMessage::decode);
#[cfg(feature = "hpke")]
parsed!(DecodeError: HpkeInitialMessage::decode, InitialResponse::decode);

decoded!(KeyError: Curve25519PublicKey::from_slice, Ed25519PublicKey::from_slice);
decoded!(SignatureError: Ed25519Signature::from_slice);
decoded!(DecodeError: Message::from_bytes, PreKeyMessage::from_bytes, MegolmMessage::from_bytes);
#[cfg(feature = "hpke")]
decoded!(DecodeError: HpkeInitialMessage::from_bytes, InitialResponse::from_bytes);
decoded_secret!(SessionKeyError: SessionKey, ExportedSessionKey);

printed!(Message::to_base64, PreKeyMessage::to_base64, MegolmMessage::to_base64);
// Without its type, which `to_parts` gives, too.
printed!(OlmMessage::to_base64);
printed!(InitialMessage::encode, ChannelMessage::encode);
#[cfg(feature = "hpke")]
printed!(HpkeInitialMessage::encode, InitialResponse::encode);

public_bytes!(
    Curve25519PublicKey,
    Ed25519PublicKey,
    Ed25519Signature,
    Message,
    PreKeyMessage,
    OlmMessage,
    MegolmMessage,
);

impl TryFrom<[u8; 32]> for Curve25519PublicKey {
    type Error = KeyError;

    fn try_from(bytes: [u8; 32]) -> Result<Self, KeyError> {
        Self::from_bytes(bytes)
    }
}

impl TryFrom<[u8; 32]> for Ed25519PublicKey {
    type Error = KeyError;

    fn try_from(bytes: [u8; 32]) -> Result<Self, KeyError> {
        Self::from_bytes(bytes)
    }
}

impl From<[u8; 64]> for Ed25519Signature {
    fn from(bytes: [u8; 64]) -> Self {
        Self::from_bytes(bytes)
    }
}

impl From<PreKeyMessage> for OlmMessage {
    fn from(message: PreKeyMessage) -> Self {
        Self::PreKey(message)
    }
}

impl From<Message> for OlmMessage {
    fn from(message: Message) -> Self {
        Self::Normal(message)
    }
}
