//! Megolm's session keys, signed and not.

use moceril::megolm as core;
use zeroize::{Zeroize, Zeroizing};

use super::SessionKeyDecodeError;
use crate::convert::session_key_error;

/// The key of a group session, signed by its owner.
pub struct SessionKey(Option<core::SessionKey>);

/// The key of a group session, not signed by anyone.
pub struct ExportedSessionKey(Option<core::ExportedSessionKey>);

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
                    .map(Self::from_inner)
                    .map_err(|error| session_key_error(error, $version))
            }

            /// Parses and checks a key in base64, padded or not.
            ///
            /// # Errors
            ///
            /// [`SessionKeyDecodeError`].
            pub fn from_base64(key: &str) -> Result<Self, SessionKeyDecodeError> {
                core::$key::from_base64(key)
                    .map(Self::from_inner)
                    .map_err(|error| session_key_error(error, $version))
            }

            /// The bytes of the key. They are secret, and not wiped for you.
            ///
            /// # Panics
            ///
            /// After [`zeroize`](Zeroize::zeroize).
            pub fn to_bytes(&self) -> Vec<u8> {
                Zeroizing::new(self.inner().to_bytes()).to_vec()
            }

            /// The key in base64 without padding. It is secret, and not wiped for you.
            ///
            /// # Panics
            ///
            /// After [`zeroize`](Zeroize::zeroize).
            pub fn to_base64(&self) -> String {
                self.inner().to_base64().to_string()
            }

            pub(crate) const fn from_inner(inner: core::$key) -> Self {
                Self(Some(inner))
            }

            #[track_caller]
            pub(crate) fn inner(&self) -> &core::$key {
                match &self.0 {
                    Some(inner) => inner,
                    None => panic!("the session key was zeroized"),
                }
            }
        }

        /// The key wipes itself when it is dropped, so it is dropped.
        impl Zeroize for $key {
            fn zeroize(&mut self) {
                self.0 = None;
            }
        }

        impl Drop for $key {
            fn drop(&mut self) {
                self.zeroize();
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
                let key = self.0.as_ref();
                let key =
                    key.ok_or_else(|| serde::ser::Error::custom("the session key was zeroized"))?;
                serializer.serialize_str(&key.to_base64())
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
