//! The device that has scanned a key.

use std::fmt;

use moceril::hpke as core;

use super::{
    BidirectionalCreationResult, Error, EstablishedHpkeChannel, InitialMessage, InitialResponse,
};
use crate::Curve25519PublicKey;

/// A channel in one direction, and the first message.
pub struct SenderCreationResult {
    /// The channel.
    pub channel: UnidirectionalSenderChannel,
    /// The first message, to be sent.
    pub message: InitialMessage,
}

/// One device's end before it has sent anything.
#[derive(Debug)]
pub struct HpkeSenderChannel(core::HpkeSenderChannel);

impl HpkeSenderChannel {
    /// For Matrix's login by QR code.
    #[expect(clippy::new_without_default, reason = "vodozemac's has none")]
    pub fn new() -> Self {
        Self(core::HpkeSenderChannel::new())
    }

    /// For another application.
    pub fn with_info(info: &str) -> Self {
        Self(core::HpkeSenderChannel::new().with_info(info))
    }

    /// Establishes the channel to the device whose key was scanned.
    ///
    /// # Errors
    ///
    /// [`Error::Encapsulation`].
    pub fn establish_channel(
        self,
        their_public_key: Curve25519PublicKey,
        initial_plaintext: &[u8],
        aad: &[u8],
    ) -> Result<SenderCreationResult, Error> {
        let key = their_public_key.strict().map_err(|_| Error::bad_key())?;
        let created = self.0.establish_channel(key, initial_plaintext, aad);
        let core::Outgoing { channel, message } = created.map_err(Error::when_sealing)?;
        Ok(SenderCreationResult {
            channel: UnidirectionalSenderChannel(channel),
            message: InitialMessage::from_inner(message),
        })
    }
}

/// One device's end while it waits for the answer.
pub struct UnidirectionalSenderChannel(core::UnidirectionalSenderChannel);

impl UnidirectionalSenderChannel {
    /// Establishes the other direction.
    ///
    /// # Errors
    ///
    /// [`Error::Decryption`].
    pub fn establish_bidirectional_channel(
        self,
        message: &InitialResponse,
        aad: &[u8],
    ) -> Result<BidirectionalCreationResult<Vec<u8>>, Error> {
        let core::Incoming { channel, plaintext } = self
            .0
            .establish_bidirectional_channel(&message.to_inner(), aad)
            .map_err(|_| Error::Decryption)?;
        let channel = EstablishedHpkeChannel::from_inner(channel);
        Ok(BidirectionalCreationResult { channel, message: plaintext.into_vec() })
    }
}

impl fmt::Debug for UnidirectionalSenderChannel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
