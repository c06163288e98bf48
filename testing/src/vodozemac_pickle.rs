//! The four objects in vodozemac's formats, behind one trait, so that a test can treat them alike.

use moceril::{
    ConversionError,
    megolm::{GroupSession, InboundGroupSession},
    olm::{Account, Session},
    vodozemac::{
        AccountPickle, GroupSessionPickle, InboundGroupSessionPickle, SessionPickle,
        VodozemacPickleError,
    },
};
use serde_json::Value;

use super::converted::unless_keys_are_lost;

pub const KEY: [u8; 32] = *b"the pickle key of vodozemac ....";

/// A pickle type that knows what to take a missing version for, and the account's, which has none.
pub trait OfOldRelease {
    fn of_old_release(self) -> Self;
}

impl OfOldRelease for AccountPickle {
    fn of_old_release(self) -> Self {
        self
    }
}

macro_rules! of_old_release {
    ($($pickle:ident),+) => {$(
        impl OfOldRelease for $pickle {
            fn of_old_release(self) -> Self {
                self.assume_version_3()
            }
        }
    )+};
}

of_old_release!(SessionPickle, GroupSessionPickle, InboundGroupSessionPickle);

/// Why a text in JSON is not an object: what reading the JSON says, or what taking the state says.
#[derive(Debug, PartialEq)]
pub enum Refusal {
    Json(String),
    State(VodozemacPickleError),
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self:?}")
    }
}

pub trait ViaVodozemac: Sized {
    /// The pickle, if every key has a place in it.
    fn to_json(&self) -> Result<Value, ConversionError>;
    /// Whether the exact call has nothing to report.
    fn is_exact(&self) -> bool;
    fn from_json_text(json: &str) -> Result<Self, Refusal>;
    /// As `from_json_text`, for a release that wrote no version of messages.
    fn from_old_json_text(json: &str) -> Result<Self, Refusal>;
    fn to_encrypted(&self, key: &[u8; 32]) -> String;
    fn from_encrypted(pickle: &str, key: &[u8; 32]) -> Result<Self, VodozemacPickleError>;
    /// As `from_encrypted`, for a release that wrote no version of messages.
    fn from_old_encrypted(pickle: &str, key: &[u8; 32]) -> Result<Self, VodozemacPickleError>;

    fn from_json(json: &Value) -> Result<Self, Refusal> {
        Self::from_json_text(&json.to_string())
    }
}

macro_rules! via_vodozemac {
    ($($object:ident $pickle:ident),+) => {$(
        impl ViaVodozemac for $object {
            fn to_json(&self) -> Result<Value, ConversionError> {
                let pickle = self.to_vodozemac_pickle_lossy().and_then(unless_keys_are_lost)?;
                Ok(serde_json::to_value(&pickle).unwrap())
            }

            fn is_exact(&self) -> bool {
                self.to_vodozemac_pickle().is_ok()
            }

            fn from_json_text(json: &str) -> Result<Self, Refusal> {
                let pickle: $pickle =
                    serde_json::from_str(json).map_err(|error| Refusal::Json(error.to_string()))?;
                Self::from_vodozemac_pickle(pickle).map_err(Refusal::State)
            }

            fn from_old_json_text(json: &str) -> Result<Self, Refusal> {
                let pickle: $pickle =
                    serde_json::from_str(json).map_err(|error| Refusal::Json(error.to_string()))?;
                Self::from_vodozemac_pickle(pickle.of_old_release()).map_err(Refusal::State)
            }

            fn to_encrypted(&self, key: &[u8; 32]) -> String {
                let pickle = self.to_vodozemac_pickle_lossy().and_then(unless_keys_are_lost);
                pickle.unwrap().encrypt(key).unwrap()
            }

            fn from_encrypted(pickle: &str, key: &[u8; 32]) -> Result<Self, VodozemacPickleError> {
                $pickle::from_encrypted(pickle, key).and_then(Self::from_vodozemac_pickle)
            }

            fn from_old_encrypted(
                pickle: &str,
                key: &[u8; 32],
            ) -> Result<Self, VodozemacPickleError> {
                let pickle = $pickle::from_encrypted(pickle, key)?;
                Self::from_vodozemac_pickle(pickle.of_old_release())
            }
        }
    )+};
}

via_vodozemac!(
    Account AccountPickle,
    Session SessionPickle,
    GroupSession GroupSessionPickle,
    InboundGroupSession InboundGroupSessionPickle
);
