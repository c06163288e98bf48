//! The standard traits of the types that have a form as text or as bytes. The traits call the
//! types' own functions, so each form is read and written in one place.
//!
//! All impls are here, to show at a glance which type has which form. Secrets can be parsed, but
//! implement neither `Display` nor `AsRef` nor serde's traits: callers ask for their text and bytes
//! by name.

#[cfg(feature = "serde")]
use alloc::borrow::Cow;
use alloc::vec::Vec;
#[cfg(feature = "serde")]
use core::marker::PhantomData;
use core::{fmt, str::FromStr};

#[cfg(feature = "serde")]
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error, Visitor},
};
use zeroize::Zeroizing;

#[cfg(feature = "serde")]
use crate::keys::KeyId;
#[cfg(feature = "backup")]
use crate::matrix::backup::BackupDecryptionKey;
#[cfg(feature = "hpke")]
use crate::matrix::channel::hpke::{InitialMessage as HpkeInitialMessage, InitialResponse};
use crate::{
    error::{DecodeError, KeyError},
    keys::{Curve25519PublicKey, Ed25519PublicKey, Ed25519SecretKey, Ed25519Signature},
    matrix::channel::ecies::{InitialMessage, Message as ChannelMessage},
    pickle::native::PickleKey,
    wire::{
        megolm::{ExportedSessionKey, MegolmMessage, SessionKey, SessionKeyError},
        olm::{Message, OlmMessage, PreKeyMessage},
    },
};

/// Parses text with the type's own function.
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

/// Parses bytes with the type's own function.
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

/// Like `decoded`, for a secret: the list of bytes is wiped (S-25).
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

/// `Display` for public types, with the type's own function. That of keys and signatures is in
/// `keys`, because lower layers print them.
macro_rules! printed {
    ($($type:ident::$print:ident),+) => {$(
        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.$print())
            }
        }
    )+};
}

/// The bytes of public types.
macro_rules! public_bytes {
    ($($type:ident),+ $(,)?) => {$(
        impl AsRef<[u8]> for $type {
            fn as_ref(&self) -> &[u8] {
                self.as_bytes()
            }
        }
    )+};
}

/// `Serialize` as the text that `Display` prints.
#[cfg(feature = "serde")]
macro_rules! serialized {
    ($($type:ident),+ $(,)?) => {$(
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
    )+};
}

/// `Deserialize` of the text that `FromStr` parses.
#[cfg(feature = "serde")]
macro_rules! deserialized {
    ($($type:ident),+ $(,)?) => {$(
        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_str(Text(PhantomData))
            }
        }
    )+};
}

#[cfg(feature = "serde")]
struct Text<T>(PhantomData<T>);

#[cfg(feature = "serde")]
impl<T: FromStr<Err: fmt::Display>> Visitor<'_> for Text<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text in base64")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        text.parse().map_err(E::custom)
    }
}

parsed!(KeyError: Curve25519PublicKey::from_base64, Ed25519PublicKey::from_base64);
parsed!(KeyError: Ed25519SecretKey::from_base64, PickleKey::from_base64);
#[cfg(feature = "backup")]
parsed!(KeyError: BackupDecryptionKey::from_base64);
parsed!(DecodeError: Ed25519Signature::from_base64);
parsed!(DecodeError: Message::from_base64, PreKeyMessage::from_base64, MegolmMessage::from_base64);
parsed!(SessionKeyError: SessionKey::from_base64, ExportedSessionKey::from_base64);
parsed!(DecodeError: InitialMessage::decode, ChannelMessage::decode);
#[cfg(feature = "hpke")]
parsed!(DecodeError: HpkeInitialMessage::decode, InitialResponse::decode);

decoded!(KeyError: Curve25519PublicKey::from_slice, Ed25519PublicKey::from_slice);
decoded!(DecodeError: Ed25519Signature::from_slice);
decoded!(DecodeError: Message::from_bytes, PreKeyMessage::from_bytes, MegolmMessage::from_bytes);
#[cfg(feature = "hpke")]
decoded!(DecodeError: HpkeInitialMessage::from_bytes, InitialResponse::from_bytes);
decoded_secret!(SessionKeyError: SessionKey, ExportedSessionKey);

printed!(Message::to_base64, PreKeyMessage::to_base64, MegolmMessage::to_base64);
// The text without the message type; `to_parts` gives both.
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

#[cfg(feature = "serde")]
serialized!(
    Curve25519PublicKey,
    Ed25519PublicKey,
    Ed25519Signature,
    KeyId,
    Message,
    PreKeyMessage,
    MegolmMessage,
    InitialMessage,
    ChannelMessage,
);
#[cfg(feature = "serde")]
deserialized!(
    Curve25519PublicKey,
    Ed25519PublicKey,
    Ed25519Signature,
    Message,
    PreKeyMessage,
    MegolmMessage,
    InitialMessage,
    ChannelMessage,
);
#[cfg(all(feature = "hpke", feature = "serde"))]
serialized!(HpkeInitialMessage, InitialResponse);
#[cfg(all(feature = "hpke", feature = "serde"))]
deserialized!(HpkeInitialMessage, InitialResponse);

/// The ciphertext object of a Matrix event.
#[cfg(feature = "serde")]
#[derive(Serialize, Deserialize)]
#[serde(expecting = "an object of type and body")]
struct TypeAndBody<'a> {
    #[serde(rename = "type")]
    message_type: usize,
    #[serde(borrow)]
    body: Cow<'a, str>,
}

#[cfg(feature = "serde")]
impl Serialize for OlmMessage {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (message_type, body) = self.to_parts();
        TypeAndBody { message_type, body: body.into() }.serialize(serializer)
    }
}

#[cfg(feature = "serde")]
impl<'de> Deserialize<'de> for OlmMessage {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let TypeAndBody { message_type, body } = TypeAndBody::deserialize(deserializer)?;
        Self::from_parts(message_type, &body).map_err(D::Error::custom)
    }
}
