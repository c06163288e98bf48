//! The device that has shown its key.

use std::fmt;

use moceril::hpke as core;

use super::{
    BidirectionalCreationResult, Error, EstablishedHpkeChannel, InitialMessage, InitialResponse,
};
use crate::{Curve25519PublicKey, convert::drawn};

/// A channel in one direction, and the first message.
pub struct RecipientCreationResult {
    /// The channel.
    pub channel: UnidirectionalRecipientChannel,
    /// The first message, decrypted.
    pub message: Vec<u8>,
}

/// Without the plaintext (S-29).
impl fmt::Debug for RecipientCreationResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecipientCreationResult")
            .field("channel", &self.channel)
            .finish_non_exhaustive()
    }
}

/// One device's end before anything has arrived.
pub struct HpkeRecipientChannel(core::HpkeRecipientChannel);

impl HpkeRecipientChannel {
    /// Draws a key pair, for Matrix's login by QR code.
    ///
    /// # Panics
    ///
    /// If the operating system has no randomness.
    #[expect(clippy::new_without_default, reason = "vodozemac's has none")]
    pub fn new() -> Self {
        Self(drawn(core::HpkeRecipientChannel::new()))
    }

    /// Like [`new`](Self::new), for another application.
    ///
    /// # Panics
    ///
    /// If the operating system has no randomness.
    pub fn with_info(info: &str) -> Self {
        Self(Self::new().0.with_info(info))
    }

    /// Establishes the channel that the first message asks for. Only the user can say who sent it.
    ///
    /// # Errors
    ///
    /// [`Error::Decryption`].
    pub fn establish_channel(
        self,
        message: &InitialMessage,
        aad: &[u8],
    ) -> Result<RecipientCreationResult, Error> {
        let message = message.to_inner().map_err(|_| Error::Decryption)?;
        let core::Incoming { channel, plaintext } =
            self.0.establish_channel(&message, aad).map_err(|_| Error::Decryption)?;
        let channel = UnidirectionalRecipientChannel(channel);
        Ok(RecipientCreationResult { channel, message: plaintext.into_vec() })
    }

    /// The key to show.
    pub fn public_key(&self) -> Curve25519PublicKey {
        Curve25519PublicKey::from_inner(self.0.public_key())
    }
}

impl fmt::Debug for HpkeRecipientChannel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// One device's end before it has answered.
pub struct UnidirectionalRecipientChannel(core::UnidirectionalRecipientChannel);

impl UnidirectionalRecipientChannel {
    /// Answers, and so establishes the other direction.
    ///
    /// # Panics
    ///
    /// If the operating system has no randomness.
    pub fn establish_bidirectional_channel(
        self,
        plaintext: &[u8],
        aad: &[u8],
    ) -> BidirectionalCreationResult<InitialResponse> {
        let core::Outgoing { channel, message } =
            drawn(self.0.establish_bidirectional_channel(plaintext, aad));
        BidirectionalCreationResult {
            channel: EstablishedHpkeChannel::from_inner(channel),
            message: InitialResponse::from_inner(message),
        }
    }
}

impl fmt::Debug for UnidirectionalRecipientChannel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
