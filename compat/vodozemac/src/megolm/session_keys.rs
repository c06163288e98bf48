//! Megolm's session keys, signed and not.

use moceril::megolm as core;
use zeroize::{Zeroize, Zeroizing};

use super::SessionKeyDecodeError;
use crate::{base64_text::base64_encode, convert::session_key_error};

/// The version, and behind it the index and the four parts of the ratchet, which are secret.
const SECRET: std::ops::Range<usize> = 1..1 + 4 + 4 * 32;

/// The key of a group session, signed by its owner.
pub struct SessionKey(Key<core::SessionKey>);

/// The key of a group session, not signed by anyone.
pub struct ExportedSessionKey(Key<core::ExportedSessionKey>);

/// A key, or what `zeroize` left of it: the same bytes, but zeros where they were secret. Programs
/// still serialize that to show what has arrived.
enum Key<T> {
    Whole(T),
    Wiped(Vec<u8>),
}

/// Checks that the signing key is a point of the curve: the core checks that of an exported key
/// only when it decrypts, vodozemac when it parses.
fn check_point(key: &moceril::Ed25519PublicKey) -> Result<(), core::SessionKeyError> {
    moceril::Ed25519PublicKey::from_bytes(*key.as_bytes())?;
    Ok(())
}

macro_rules! session_key {
    ($key:ident, $version:literal) => {
        impl $key {
            /// Parses and checks the bytes of a key.
            ///
            /// # Errors
            ///
            /// [`SessionKeyDecodeError`].
            pub fn from_bytes(bytes: &[u8]) -> Result<Self, SessionKeyDecodeError> {
                core::$key::from_bytes(bytes)
                    .and_then(|key| check_point(key.signing_key()).map(|()| Self::from_inner(key)))
                    .map_err(|error| session_key_error(error, $version))
            }

            /// Parses and checks a key in base64, padded or not.
            ///
            /// # Errors
            ///
            /// [`SessionKeyDecodeError`].
            pub fn from_base64(key: &str) -> Result<Self, SessionKeyDecodeError> {
                core::$key::from_base64(key)
                    .and_then(|key| check_point(key.signing_key()).map(|()| Self::from_inner(key)))
                    .map_err(|error| session_key_error(error, $version))
            }

            /// The bytes of the key. They are secret, and not wiped for you.
            pub fn to_bytes(&self) -> Vec<u8> {
                match &self.0 {
                    Key::Whole(key) => Zeroizing::new(key.to_bytes()).to_vec(),
                    Key::Wiped(bytes) => bytes.clone(),
                }
            }

            /// The key in base64 without padding. It is secret, and not wiped for you.
            pub fn to_base64(&self) -> String {
                match &self.0 {
                    Key::Whole(key) => key.to_base64().to_string(),
                    Key::Wiped(bytes) => base64_encode(bytes),
                }
            }

            pub(crate) const fn from_inner(inner: core::$key) -> Self {
                Self(Key::Whole(inner))
            }

            /// # Panics
            ///
            /// After `zeroize`: zeros are no key of a session.
            #[track_caller]
            pub(crate) fn inner(&self) -> &core::$key {
                match &self.0 {
                    Key::Whole(key) => key,
                    Key::Wiped(_) => panic!("the session key was zeroized"),
                }
            }
        }

        /// Dropping the key wipes it, so it is dropped.
        impl Zeroize for $key {
            fn zeroize(&mut self) {
                let mut bytes = Zeroizing::new(self.to_bytes());
                bytes[SECRET].fill(0);
                self.0 = Key::Wiped(bytes.to_vec());
            }
        }

        impl Drop for $key {
            fn drop(&mut self) {
                self.0 = Key::Wiped(Vec::new());
            }
        }

        impl TryFrom<&[u8]> for $key {
            type Error = SessionKeyDecodeError;

            fn try_from(bytes: &[u8]) -> Result<Self, Self::Error> {
                Self::from_bytes(bytes)
            }
        }

        impl TryFrom<&str> for $key {
            type Error = SessionKeyDecodeError;

            fn try_from(text: &str) -> Result<Self, Self::Error> {
                Self::from_base64(text)
            }
        }

        impl serde::Serialize for $key {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&Zeroizing::new(self.to_base64()))
            }
        }

        impl<'de> serde::Deserialize<'de> for $key {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = Zeroizing::new(String::deserialize(deserializer)?);
                Self::from_base64(&text).map_err(serde::de::Error::custom)
            }
        }
    };
}

session_key!(SessionKey, 2);
session_key!(ExportedSessionKey, 1);
