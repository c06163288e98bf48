//! The key of one message, for `low-level-api`.

use moceril::{MessageVersion, hazmat};
use zeroize::Zeroize;

use super::ratchet::RatchetPublicKey;
use crate::{convert::drawn, olm::Message};

/// The key of one message, with what the message must say.
pub struct MessageKey {
    key: Box<[u8; 32]>,
    ratchet_key: RatchetPublicKey,
    index: u64,
}

impl MessageKey {
    /// Makes a message key from its parts.
    pub const fn new(key: Box<[u8; 32]>, ratchet_key: RatchetPublicKey, index: u64) -> Self {
        Self { key, ratchet_key, index }
    }

    /// Encrypts the one message that this key is for, with the full MAC.
    ///
    /// # Panics
    ///
    /// See [`encrypt_truncated_mac`](Self::encrypt_truncated_mac).
    #[cfg(feature = "experimental-session-config")]
    pub fn encrypt(self, plaintext: &[u8]) -> Message {
        self.encrypt_as(MessageVersion::V4, plaintext)
    }

    /// Encrypts the one message that this key is for, with the truncated MAC.
    ///
    /// # Panics
    ///
    /// If the ratchet key is not one that an honest peer can have, or the index is above 2^32 - 1.
    /// Keys that a session gave always are good.
    pub fn encrypt_truncated_mac(self, plaintext: &[u8]) -> Message {
        self.encrypt_as(MessageVersion::V3, plaintext)
    }

    fn encrypt_as(&self, version: MessageVersion, plaintext: &[u8]) -> Message {
        let ratchet_key = drawn(self.ratchet_key.as_ref().strict());
        let index = drawn(u32::try_from(self.index));
        let key = hazmat::MessageKey::new(*self.key, ratchet_key, index);
        Message::from_inner(key.encrypt(version, plaintext))
    }

    /// The 32 bytes of the key.
    pub fn key(&self) -> &[u8; 32] {
        &self.key
    }

    /// The ratchet key of the message's chain.
    pub const fn ratchet_key(&self) -> RatchetPublicKey {
        self.ratchet_key
    }

    /// The index of the message in its chain.
    pub const fn index(&self) -> u64 {
        self.index
    }

    pub(super) fn from_inner(key: &hazmat::MessageKey) -> Self {
        let ratchet_key = (*key.ratchet_key().as_bytes()).into();
        Self::new(Box::new(*key.key()), ratchet_key, key.index().into())
    }
}

impl Drop for MessageKey {
    fn drop(&mut self) {
        self.key.zeroize();
    }
}
