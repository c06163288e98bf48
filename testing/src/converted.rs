//! Objects in libolm's format, for tests that do not ask which facts the conversion loses.

use moceril::{
    ConversionError, Loss,
    megolm::{GroupSession, InboundGroupSession},
    olm::{Account, Session},
};

/// A conversion with what it lost, unless it would have lost keys.
pub fn unless_keys_are_lost<T>((converted, loss): (T, Loss)) -> Result<T, ConversionError> {
    if loss.drops_keys() { Err(ConversionError::Lossy(loss)) } else { Ok(converted) }
}

pub trait ToLibolm {
    /// The pickle, if every key has a place in it.
    fn with_all_keys(&self, key: &[u8]) -> Result<String, ConversionError>;

    /// The pickle of an object of which every key has a place in it.
    #[track_caller]
    fn to_libolm(&self, key: &[u8]) -> String {
        self.with_all_keys(key).unwrap_or_else(|error| panic!("{error}"))
    }
}

macro_rules! to_libolm {
    ($($object:ident),+) => {$(
        impl ToLibolm for $object {
            fn with_all_keys(&self, key: &[u8]) -> Result<String, ConversionError> {
                self.to_libolm_pickle_lossy(key).and_then(unless_keys_are_lost)
            }
        }
    )+};
}

to_libolm!(Account, Session, GroupSession, InboundGroupSession);
