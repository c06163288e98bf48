//! The result of decrypting an Olm message.

use alloc::vec::Vec;
use core::{fmt, mem};

use zeroize::Zeroize;

use crate::{keys::Curve25519PublicKey, wire::olm::SessionKeys};

/// A decrypted Olm message, with what was authenticated together with it (S-16, S-18). The
/// plaintext is wiped on drop unless it was taken out.
///
/// It has its own type, so that messages that came over Olm cannot be confused with those that came
/// over Megolm:
///
/// ```compile_fail,E0308
/// fn room_key_from(message: moceril::olm::DecryptedMessage) {}
///
/// fn on_event(event: moceril::megolm::DecryptedMessage) {
///     room_key_from(event); // a room key that did not come over Olm
/// }
/// ```
///
/// What was authenticated can be read but not written: a wrong sender cannot be corrected in the
/// message, only in the session through which it came
/// ([`Session::set_identity_keys`](super::Session::set_identity_keys)).
///
/// ```compile_fail,E0616
/// use moceril::{Curve25519PublicKey, olm::DecryptedMessage};
///
/// fn claim(message: &mut DecryptedMessage, sender: Curve25519PublicKey) {
///     message.sender_key = Some(sender);
/// }
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct DecryptedMessage {
    pub(super) parts: DecryptedMessageParts,
}

/// The parts of a [`DecryptedMessage`], taken out of it by [`DecryptedMessage::into_parts`]. The
/// caller must wipe the plaintext.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct DecryptedMessageParts {
    /// What the peer encrypted.
    pub plaintext: Vec<u8>,
    /// The peer's identity key, if the session knows it.
    pub sender_key: Option<Curve25519PublicKey>,
    /// The keys of the session that the message came through.
    pub session_keys: SessionKeys,
}

impl DecryptedMessage {
    /// What the peer encrypted.
    #[must_use]
    pub fn plaintext(&self) -> &[u8] {
        &self.parts.plaintext
    }

    /// What the peer encrypted, without a copy. The caller must wipe it.
    #[must_use]
    pub fn into_plaintext(mut self) -> Vec<u8> {
        mem::take(&mut self.parts.plaintext)
    }

    /// The peer's identity key. It is `None` only for a session that was read from a format without
    /// this key, until
    /// [`Session::set_identity_keys`](super::Session::set_identity_keys) is called.
    ///
    /// The plaintext must say who sent it to whom: this key alone does not prevent somebody from
    /// presenting a session as one with another user (olm.md, "Message authentication concerns").
    #[must_use]
    pub const fn sender_key(&self) -> Option<Curve25519PublicKey> {
        self.parts.sender_key
    }

    /// The keys of the session that the message came through.
    #[must_use]
    pub const fn session_keys(&self) -> &SessionKeys {
        &self.parts.session_keys
    }

    /// The plaintext and what was authenticated together with it, by value.
    #[must_use]
    pub fn into_parts(mut self) -> DecryptedMessageParts {
        let DecryptedMessageParts { plaintext, sender_key, session_keys } = &mut self.parts;
        let (sender_key, session_keys) = (*sender_key, *session_keys);
        DecryptedMessageParts { plaintext: mem::take(plaintext), sender_key, session_keys }
    }
}

impl Drop for DecryptedMessage {
    fn drop(&mut self) {
        self.parts.plaintext.zeroize();
    }
}

impl DecryptedMessageParts {
    /// S-29: prints no plaintext.
    fn debug(&self, name: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct(name)
            .field("sender_key", &self.sender_key)
            .field("session_keys", &self.session_keys)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for DecryptedMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.parts.debug("DecryptedMessage", f)
    }
}

impl fmt::Debug for DecryptedMessageParts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.debug("DecryptedMessageParts", f)
    }
}
