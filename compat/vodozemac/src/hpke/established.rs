//! An established channel: encrypts and decrypts in both directions.

use std::fmt;

use moceril::{SecretBytes, hpke as core};

use super::{CheckCode, Error, Message};
use crate::{Curve25519PublicKey, convert::drawn};

/// A channel in both directions, and the message that established it.
pub struct BidirectionalCreationResult<T> {
    /// The channel.
    pub channel: EstablishedHpkeChannel,
    /// The message: to be sent, or decrypted.
    pub message: T,
}

/// An established channel.
pub struct EstablishedHpkeChannel {
    inner: core::EstablishedHpkeChannel,
    our_public_key: Curve25519PublicKey,
    their_public_key: Curve25519PublicKey,
    check_code: CheckCode,
}

impl EstablishedHpkeChannel {
    /// This device's key.
    pub const fn public_key(&self) -> Curve25519PublicKey {
        self.our_public_key
    }

    /// The other device's key.
    pub const fn their_public_key(&self) -> Curve25519PublicKey {
        self.their_public_key
    }

    /// The code that the user carries from one device to the other.
    pub fn check_code(&self) -> &CheckCode {
        &self.check_code
    }

    /// Seals the next message.
    ///
    /// # Panics
    ///
    /// After 2^64 messages.
    pub fn seal(&mut self, plaintext: &[u8], aad: &[u8]) -> Message {
        Message::from_inner(drawn(self.inner.seal(plaintext, aad)))
    }

    /// Opens the next message.
    ///
    /// # Errors
    ///
    /// [`Error::Decryption`]; the channel is unchanged.
    pub fn open(&mut self, message: &Message, aad: &[u8]) -> Result<Vec<u8>, Error> {
        let plaintext = self.inner.open(&message.to_inner(), aad);
        plaintext.map(SecretBytes::into_vec).map_err(|_| Error::Decryption)
    }

    pub(super) fn from_inner(inner: core::EstablishedHpkeChannel) -> Self {
        Self {
            our_public_key: Curve25519PublicKey::from_inner(inner.public_key()),
            their_public_key: Curve25519PublicKey::from_inner(inner.their_public_key()),
            check_code: CheckCode::from_inner(*inner.check_code()),
            inner,
        }
    }
}

impl fmt::Debug for EstablishedHpkeChannel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}
