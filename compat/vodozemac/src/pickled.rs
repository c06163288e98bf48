//! What the four pickle types have in common.
//!
//! vodozemac turns a pickle into its object with a call that cannot fail, so a pickle that was read
//! from somewhere must have been checked before: when it is deserialized, it becomes the object at
//! once.

use moceril::{
    ConversionError,
    megolm::{GroupSession, InboundGroupSession},
    olm::{Account, Session},
    vodozemac::{self, VodozemacPickleError},
};
use serde::{
    Deserialize, Deserializer, Serialize, Serializer, de::DeserializeOwned, de::Error as _,
};

use crate::{PickleError, convert};

/// An object of `moceril` that has a form in a store of vodozemac.
pub(crate) trait Pickle: Sized {
    type Form: Serialize + DeserializeOwned;

    /// The object as vodozemac would have it, without what only `moceril` remembers.
    fn to_form(&self) -> Result<Self::Form, ConversionError>;
    fn from_form(form: Self::Form) -> Result<Self, VodozemacPickleError>;
    fn encrypt(form: &Self::Form, key: &[u8; 32]) -> Result<String, VodozemacPickleError>;
    fn decrypt(pickle: &str, key: &[u8; 32]) -> Result<Self::Form, VodozemacPickleError>;
}

macro_rules! pickle {
    ($($object:ident $form:ident $($assume_version:ident)?),+ $(,)?) => {$(
        impl Pickle for $object {
            type Form = vodozemac::$form;

            fn to_form(&self) -> Result<Self::Form, ConversionError> {
                self.to_vodozemac_pickle_lossy().map(|(form, _)| form)
            }

            fn from_form(form: Self::Form) -> Result<Self, VodozemacPickleError> {
                Self::from_vodozemac_pickle(form$(.$assume_version())?)
            }

            fn encrypt(form: &Self::Form, key: &[u8; 32]) -> Result<String, VodozemacPickleError> {
                form.encrypt(key)
            }

            fn decrypt(pickle: &str, key: &[u8; 32]) -> Result<Self::Form, VodozemacPickleError> {
                Self::Form::from_encrypted(pickle, key)
            }
        }
    )+};
}

// vodozemac takes a missing version for the first: its oldest releases did not write it.
pickle!(
    Account AccountPickle,
    Session SessionPickle assume_version_3,
    GroupSession GroupSessionPickle assume_version_3,
    InboundGroupSession InboundGroupSessionPickle assume_version_3,
);

/// A pickle on its way to a store, or the object that one from a store became.
pub(crate) enum Pickled<T: Pickle> {
    Written(T::Form),
    Read(T),
}

impl<T: Pickle> Pickled<T> {
    /// # Panics
    ///
    /// If the object has no form: a session that has used up its last index. It should have been
    /// replaced some four billion messages earlier.
    #[track_caller]
    pub(crate) fn write(object: &T) -> Self {
        Self::Written(convert::drawn(object.to_form()))
    }

    pub(crate) fn into_object(self) -> T {
        match self {
            Self::Written(form) => convert::drawn(T::from_form(form)),
            Self::Read(object) => object,
        }
    }

    #[track_caller]
    pub(crate) fn encrypt(&self, key: &[u8; 32]) -> String {
        convert::drawn(match self {
            Self::Written(form) => T::encrypt(form, key),
            Self::Read(object) => T::encrypt(&convert::drawn(object.to_form()), key),
        })
    }

    pub(crate) fn from_encrypted(pickle: &str, key: &[u8; 32]) -> Result<Self, PickleError> {
        let object = T::decrypt(pickle, key).and_then(T::from_form);
        object.map(Self::Read).map_err(|error| convert::pickle_error(error, pickle))
    }
}

impl<T: Pickle> Serialize for Pickled<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Written(form) => form.serialize(serializer),
            Self::Read(object) => {
                object.to_form().map_err(serde::ser::Error::custom)?.serialize(serializer)
            }
        }
    }
}

impl<'de, T: Pickle> Deserialize<'de> for Pickled<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let form = T::Form::deserialize(deserializer)?;
        T::from_form(form).map(Self::Read).map_err(D::Error::custom)
    }
}

/// The public face of a pickle type.
macro_rules! pickle_type {
    ($pickle:ident, $object:ident, $inner:ty, $name:literal) => {
        #[doc = concat!("The stored form of ", $name, ". It is secret and not encrypted.")]
        #[derive(::serde::Serialize, ::serde::Deserialize)]
        #[serde(transparent)]
        pub struct $pickle($crate::pickled::Pickled<$inner>);

        impl $pickle {
            /// Encrypts the pickle.
            pub fn encrypt(self, pickle_key: &[u8; 32]) -> String {
                self.0.encrypt(pickle_key)
            }

            /// Decrypts and checks a pickle.
            ///
            /// # Errors
            ///
            /// [`PickleError`]($crate::PickleError).
            pub fn from_encrypted(
                ciphertext: &str,
                pickle_key: &[u8; 32],
            ) -> Result<Self, $crate::PickleError> {
                $crate::pickled::Pickled::from_encrypted(ciphertext, pickle_key).map(Self)
            }
        }

        impl $object {
            /// The stored form of this object.
            pub fn pickle(&self) -> $pickle {
                $pickle($crate::pickled::Pickled::write(&self.inner))
            }

            /// Continues where the pickle stopped.
            pub fn from_pickle(pickle: $pickle) -> Self {
                Self::from(pickle)
            }
        }

        impl From<$pickle> for $object {
            fn from(pickle: $pickle) -> Self {
                Self::from_inner(pickle.0.into_object())
            }
        }
    };
}

pub(crate) use pickle_type;
