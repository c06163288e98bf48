//! vodozemac's pickles: the plain serde form, and that form as JSON, encrypted by `envelope.rs`.
//!
//! The documentation of [`Loss`] lists what the format holds of each object. vodozemac does not
//! store whether a message was received: it infers that from the existence of a receiver chain.

mod convert;
mod key_pair;
mod shape;

use alloc::string::String;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

pub use self::key_pair::Ed25519KeyPair;
use self::shape::Versioned;
use super::{
    envelope,
    loss::{ConversionError, Loss},
};
use crate::{
    error::{Base64Error, KeyError, PickleError, texts},
    megolm::{inbound::InboundGroupSession, outbound::GroupSession},
    olm::{account::Account, session::Session},
    primitives::stack::{MEDIUM, wiped_below},
    wire::json,
};

type Result<T> = core::result::Result<T, VodozemacPickleError>;

fn encrypt(shape: &impl Serialize, key: &[u8; 32]) -> Result<String> {
    let json = json::to_vec(shape).ok_or(VodozemacPickleError::InvalidState)?;
    Ok(envelope::seal(key, &json))
}

fn decrypt<T: for<'de> Deserialize<'de>>(pickle: &str, key: &[u8; 32]) -> Result<T> {
    let json = envelope::open(pickle, key)?.ok_or(VodozemacPickleError::Authentication)?;
    serde_json::from_slice(&json).map_err(|_| VodozemacPickleError::InvalidState)
}

/// A pickle type and the public methods, which are the same for every object.
macro_rules! vodozemac_pickle {
    (
        $pickle:ident,
        $object:ident,
        $shape:ident,
        $from:ident,
        $to:ident,
        $name:literal
        $(, $(#[$doc:meta])+)?
    ) => {
        #[doc = concat!("vodozemac's serde form of ", $name, ", for stores that hold it as it is.")]
        ///
        /// It is secret and not encrypted.
        pub struct $pickle(shape::$shape);

        impl Serialize for $pickle {
            fn serialize<S: Serializer>(
                &self,
                serializer: S,
            ) -> core::result::Result<S::Ok, S::Error> {
                self.0.serialize(serializer)
            }
        }

        impl<'de> Deserialize<'de> for $pickle {
            fn deserialize<D: Deserializer<'de>>(
                deserializer: D,
            ) -> core::result::Result<Self, D::Error> {
                // S-29: serde says what it found, which may be a secret in another form.
                let shape = Deserialize::deserialize(deserializer);
                let refusal = concat!("not vodozemac's form of ", $name);
                shape.map(Self).map_err(|_: D::Error| D::Error::custom(refusal))
            }
        }

        impl core::fmt::Debug for $pickle {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.debug_struct(stringify!($pickle)).finish_non_exhaustive()
            }
        }

        impl $pickle {
            /// Encrypts the pickle as vodozemac does.
            ///
            /// # Errors
            ///
            /// None in practice: [`VodozemacPickleError::InvalidState`] if the JSON cannot be
            /// written.
            pub fn encrypt(&self, key: &[u8; 32]) -> Result<String> {
                encrypt(&self.0, key)
            }

            /// Decrypts a pickle that vodozemac encrypted.
            ///
            /// # Errors
            ///
            /// [`VodozemacPickleError`].
            pub fn from_encrypted(pickle: &str, key: &[u8; 32]) -> Result<Self> {
                wiped_below::<MEDIUM, _>(|| decrypt(pickle, key).map(Self))
            }
        }

        impl $object {
            /// Restores the object that vodozemac pickled.
            $($(#[$doc])+)?
            ///
            /// # Errors
            ///
            /// [`VodozemacPickleError::InvalidState`], and [`VodozemacPickleError::Key`] for an
            /// unacceptable key.
            pub fn from_vodozemac_pickle(pickle: $pickle) -> Result<Self> {
                wiped_below::<MEDIUM, _>(|| Ok(Self::restore(convert::$from(pickle.0)?)?))
            }

            /// Pickles the object as vodozemac does, if the format can hold everything that the
            /// object knows. It can for an object that was read from a vodozemac pickle and has not
            /// changed since. For a used object, see `to_vodozemac_pickle_lossy`.
            ///
            /// # Errors
            ///
            /// [`ConversionError::Lossy`] with what would be lost;
            /// [`ConversionError::Unrepresentable`] if vodozemac could not continue from this
            /// state.
            pub fn to_vodozemac_pickle(&self) -> core::result::Result<$pickle, ConversionError> {
                match self.to_vodozemac_pickle_lossy()? {
                    (pickle, loss) if loss.is_none() => Ok(pickle),
                    (_, loss) => Err(ConversionError::Lossy(loss)),
                }
            }

            /// Like `to_vodozemac_pickle`, but drops what the format cannot hold, in the order in
            /// which vodozemac would have dropped it, and reports it. vodozemac continues where we
            /// stopped; no message becomes unreadable unless [`Loss::drops_keys`] says so. [`Loss`]
            /// lists what the format holds.
            ///
            /// # Errors
            ///
            /// [`ConversionError::Unrepresentable`].
            pub fn to_vodozemac_pickle_lossy(
                &self,
            ) -> core::result::Result<($pickle, Loss), ConversionError> {
                let (shape, loss) = convert::$to(self.state())?;
                Ok(($pickle(shape), loss))
            }
        }
    };
}

vodozemac_pickle!(AccountPickle, Account, AccountShape, account_from, account_to, "an account");
vodozemac_pickle!(
    SessionPickle,
    Session,
    SessionShape,
    session_from,
    session_to,
    "an Olm session",
    ///
    /// The pickle does not hold the peer's identity key: give it to
    /// [`set_identity_keys`](Session::set_identity_keys) before the session decrypts, or no payload
    /// can be verified. The key is known only if the counts of ratchet steps show that the peer
    /// began the session: it is one of the session's keys. vodozemac writes these counts since 0.7,
    /// for sessions that began there.
);
vodozemac_pickle!(
    GroupSessionPickle,
    GroupSession,
    GroupSessionShape,
    group_session_from,
    group_session_to,
    "a group session"
);
vodozemac_pickle!(
    InboundGroupSessionPickle,
    InboundGroupSession,
    InboundGroupSessionShape,
    inbound_group_session_from,
    inbound_group_session_to,
    "an inbound group session"
);

/// The documentation of pickles in which the version of the messages may be missing.
macro_rules! versioned_pickle {
    ($($pickle:ident),+) => {$(
        impl $pickle {
            /// Assumes that the messages have version 3 if the pickle does not state their version
            /// (S-13).
            ///
            /// Releases of vodozemac before 0.3 did not write it, because they knew no other
            /// version; all later ones do. So call this only for a store that such a release wrote:
            /// if the version was lost from a later pickle, its messages may have version 4, and
            /// nothing in the pickle of a group session shows it. A session's pickle that holds
            /// other fields that came later stays without a version, and is refused.
            #[must_use]
            pub fn assume_version_3(mut self) -> Self {
                self.0.assume_version_3();
                self
            }
        }
    )+};
}

versioned_pickle!(SessionPickle, GroupSessionPickle, InboundGroupSessionPickle);

/// A pickle in vodozemac's format could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum VodozemacPickleError {
    /// The text is not base64.
    Base64(Base64Error),
    /// Wrong key, or the pickle was altered or cut off.
    Authentication,
    /// The content is not a pickle of this kind, or not a possible state of the object.
    InvalidState,
    /// The pickle does not state the version of the object's messages (S-13). For a pickle of a
    /// very old release, see
    /// [`SessionPickle::assume_version_3`](crate::vodozemac::SessionPickle::assume_version_3).
    MissingVersion,
    /// The signing key is unacceptable (S-37). For bad public keys, the error is `InvalidState`.
    Key(KeyError),
}

texts!(VodozemacPickleError {
    Self::Base64(_) => "the pickle is not valid base64";
    Self::Authentication => "wrong pickle key, or the pickle was altered";
    Self::InvalidState => "the pickle's content is not a possible state";
    Self::MissingVersion => "the pickle does not say the version of its messages";
    Self::Key(_) => "the pickle holds a bad key";
} caused by Base64, Key);

impl From<Base64Error> for VodozemacPickleError {
    fn from(error: Base64Error) -> Self {
        Self::Base64(error)
    }
}

impl From<KeyError> for VodozemacPickleError {
    fn from(error: KeyError) -> Self {
        Self::Key(error)
    }
}

/// The lower layers refuse a state only for this reason.
impl From<PickleError> for VodozemacPickleError {
    fn from(_: PickleError) -> Self {
        Self::InvalidState
    }
}
