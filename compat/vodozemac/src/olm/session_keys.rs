//! The public keys that define a session.

use std::fmt;

use matrix_pickle::Decode;
use moceril::{hazmat::RawSessionKeys, olm as core};
use serde::{Deserialize, Serialize};

use crate::{Curve25519PublicKey, KeyError};

/// The three public keys that define an Olm session; both ends have the same.
#[derive(Clone, Copy, Deserialize, Serialize, PartialEq, Eq, Decode)]
pub struct SessionKeys {
    /// The initiator's identity key.
    pub identity_key: Curve25519PublicKey,
    /// The initiator's single-use key.
    pub base_key: Curve25519PublicKey,
    /// The recipient's one-time or fallback key.
    pub one_time_key: Curve25519PublicKey,
}

impl SessionKeys {
    /// The id of the session, the same at both ends (43 characters).
    pub fn session_id(&self) -> String {
        self.raw().session_id()
    }

    /// The keys without a promise.
    pub(super) fn raw(&self) -> RawSessionKeys {
        RawSessionKeys {
            identity_key: self.identity_key.to_bytes(),
            base_key: self.base_key.to_bytes(),
            one_time_key: self.one_time_key.to_bytes(),
        }
    }

    pub(crate) fn from_inner(keys: &core::SessionKeys) -> Self {
        Self {
            identity_key: Curve25519PublicKey::from_inner(keys.identity_key),
            base_key: Curve25519PublicKey::from_inner(keys.base_key),
            one_time_key: Curve25519PublicKey::from_inner(keys.one_time_key),
        }
    }

    /// The keys with their promise.
    pub(crate) fn strict(&self) -> Result<core::SessionKeys, KeyError> {
        Ok(core::SessionKeys {
            identity_key: self.identity_key.strict()?,
            base_key: self.base_key.strict()?,
            one_time_key: self.one_time_key.strict()?,
        })
    }
}

impl fmt::Debug for SessionKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionKeys")
            .field("identity_key", &self.identity_key.to_base64())
            .field("base_key", &self.base_key.to_base64())
            .field("one_time_key", &self.one_time_key.to_base64())
            .finish()
    }
}
