//! The id of a one-time or fallback key, and the pair of a device's identity keys.

use alloc::string::String;
use core::fmt;

use super::{Curve25519PublicKey, Ed25519PublicKey};
use crate::primitives::base64;

/// The id of a one-time or fallback key. An account never gives it to another key of the same kind
/// (S-10).
///
/// It prints as base64, with its kind in `Debug`. It is not parsed from base64, because that does
/// not say whether it is the id of a one-time or of a fallback key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId {
    pub(crate) number: u64,
    /// Accounts that come from vodozemac count the ids of fallback keys separately.
    pub(crate) fallback: bool,
}

impl KeyId {
    /// The id as a number.
    #[must_use]
    pub const fn number(self) -> u64 {
        self.number
    }

    /// Whether it is the id of a fallback key.
    #[must_use]
    pub const fn is_fallback(self) -> bool {
        self.fallback
    }

    /// The id as 11 characters of base64 (8 bytes, big-endian). It is published as
    /// `<algorithm>:<id>`.
    #[must_use]
    pub fn to_base64(self) -> String {
        base64::encode(&self.number.to_be_bytes())
    }
}

/// The two public identity keys of a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IdentityKeys {
    /// The signing key, which is the device's fingerprint.
    pub ed25519: Ed25519PublicKey,
    /// The key for making Olm sessions.
    pub curve25519: Curve25519PublicKey,
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_base64())
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.fallback { "fallback-key-id" } else { "one-time-key-id" };
        write!(f, "{kind}:{}", self.to_base64())
    }
}
