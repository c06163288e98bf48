//! The id of a one-time or fallback key, and the pair of a device's identity keys.

use alloc::string::String;
use core::fmt;

use super::{Curve25519PublicKey, Ed25519PublicKey};
use crate::primitives::base64;

/// The id of a one-time or fallback key. An account never gives it to another key of the same kind
/// (S-10).
///
/// It prints as base64 but is not parsed from it, because the text does not say whether it names a
/// one-time key or a fallback key.
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

print_as_base64!(KeyId "key-id");
