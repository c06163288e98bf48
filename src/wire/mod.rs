//! Layer 1: decodes messages and session keys from bytes and text, and encodes them. It makes no
//! decisions about messages, and holds no secrets except the session keys that it parses.
//!
//! `fields::Fields` is the only decoder of message fields in the library. It is strict, returns a
//! result for every input, and makes no copies (S-02, S-07). Spec: olm.md, "The Olm Message
//! Format"; megolm.md, "Message format".

mod fields;
#[cfg(feature = "hazmat")]
pub(crate) mod hazmat;
#[cfg(any(feature = "payload", feature = "vodozemac"))]
pub(crate) mod json;
pub(crate) mod megolm;
pub(crate) mod olm;

use crate::error::DecodeError;

/// The version of a message, which determines the length of its MAC.
///
/// The version is chosen when a session is made, and belongs to the session. The session refuses a
/// message of another version (S-13), so a peer cannot negotiate a weaker one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum MessageVersion {
    /// Version byte 3, MAC truncated to 8 bytes. Every Matrix client uses this version.
    #[default]
    V3,
    /// Version byte 4, the full MAC of 32 bytes. This version is experimental.
    V4,
}

impl MessageVersion {
    /// The first byte of a message of this version.
    #[must_use]
    pub const fn byte(self) -> u8 {
        match self {
            Self::V3 => 3,
            Self::V4 => 4,
        }
    }

    /// Length of the MAC in bytes.
    #[must_use]
    pub const fn mac_length(self) -> usize {
        match self {
            Self::V3 => 8,
            Self::V4 => 32,
        }
    }

    /// The version with this first byte, such as a client has stored it.
    #[must_use]
    pub const fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            3 => Some(Self::V3),
            4 => Some(Self::V4),
            _ => None,
        }
    }

    fn of_message(bytes: &[u8]) -> Result<Self, DecodeError> {
        let byte = *bytes.first().ok_or(DecodeError::Format)?;
        Self::from_byte(byte).ok_or(DecodeError::Version(byte))
    }
}
