//! Unchecked session keys in messages. Only with the feature `hazmat`.

use alloc::{string::String, vec::Vec};

use super::olm::{Message, put_session_keys, session_id};

/// [`SessionKeys`](crate::olm::SessionKeys) of arbitrary bytes, for code that must compute a
/// session id before it knows whether the keys are valid. No session can be made from them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RawSessionKeys {
    /// The initiator's identity key.
    pub identity_key: [u8; 32],
    /// The initiator's single-use key.
    pub base_key: [u8; 32],
    /// The recipient's one-time or fallback key.
    pub one_time_key: [u8; 32],
}

impl RawSessionKeys {
    /// The id of the session that has these keys.
    #[must_use]
    pub fn session_id(&self) -> String {
        session_id([&self.identity_key, &self.base_key, &self.one_time_key])
    }

    /// The bytes of a pre-key message with these keys. If one of the keys is not valid, every
    /// decoder refuses the message.
    #[must_use]
    pub fn wrap(&self, message: &Message) -> Vec<u8> {
        put_session_keys([&self.one_time_key, &self.base_key, &self.identity_key], message)
    }
}
