//! ECIES: a secure channel between two devices of which one has shown its public key to the other,
//! for example as a QR code (MSC4108).
//!
//! ```
//! use vodozemac::ecies::{DigitMode, Ecies, InitialMessage, Message};
//!
//! let (showing, scanning) = (Ecies::new(), Ecies::new());
//! let qr_code = showing.public_key();
//! let mut scanning = scanning.establish_outbound_channel(qr_code, b"hello")?;
//! let received = InitialMessage::decode(&scanning.message.encode())?;
//! let mut showing = showing.establish_inbound_channel(&received)?;
//! assert_eq!(showing.message, b"hello");
//!
//! let answer = Message::decode(&showing.ecies.encrypt(b"welcome").encode())?;
//! assert_eq!(scanning.ecies.decrypt(&answer)?, b"welcome");
//! assert_eq!(
//!     scanning.ecies.check_code().to_digit(DigitMode::AllowLeadingZero),
//!     showing.ecies.check_code().to_digit(DigitMode::AllowLeadingZero),
//! );
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod messages;

use std::fmt;

use moceril::ecies::{self as core, ChannelError};
use thiserror::Error;
use zeroize::Zeroize;

pub use self::messages::{InitialMessage, Message, MessageDecodeError};
pub use crate::hpke::{CheckCode, DigitMode};
use crate::{Curve25519PublicKey, convert::drawn};

/// A channel could not be established, or a message not be decrypted.
#[derive(Debug, Error)]
pub enum Error {
    /// The other device's key would make the agreed secret no secret.
    #[error("the key agreement would not be contributory")]
    NonContributoryKey,
    /// The message was not made by the peer of this channel, was altered, or is not the next one.
    #[error("the message is not authentic, or not the next one")]
    Decryption,
}

impl Error {
    fn from_inner(error: ChannelError) -> Self {
        match error {
            ChannelError::NonContributoryKey | ChannelError::OwnKey => Self::NonContributoryKey,
            // `Authentication`, `ChannelExhausted`, and what may come.
            _ => Self::Decryption,
        }
    }
}

/// A channel of the device that has shown its key, and the first message.
pub struct InboundCreationResult {
    /// The channel.
    pub ecies: EstablishedEcies,
    /// The first message, decrypted.
    pub message: Vec<u8>,
}

/// Without the plaintext (S-29).
impl fmt::Debug for InboundCreationResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InboundCreationResult").field("ecies", &self.ecies).finish_non_exhaustive()
    }
}

/// A channel of the device that has scanned a key, and the first message.
#[derive(Debug)]
pub struct OutboundCreationResult {
    /// The channel.
    pub ecies: EstablishedEcies,
    /// The first message, to be sent.
    pub message: InitialMessage,
}

/// One device's end before the channel is established.
pub struct Ecies(core::Ecies);

impl Ecies {
    /// Draws a key pair.
    ///
    /// # Panics
    ///
    /// If the operating system has no randomness.
    #[expect(clippy::new_without_default, reason = "vodozemac's has none")]
    pub fn new() -> Self {
        Self(drawn(core::Ecies::new()))
    }

    /// Like [`new`](Self::new), for another application than Matrix's login by QR code.
    ///
    /// # Panics
    ///
    /// If the operating system has no randomness.
    pub fn with_info(info: &str) -> Self {
        Self(Self::new().0.with_info(info))
    }

    /// Establishes the channel to the device whose key was scanned.
    ///
    /// # Errors
    ///
    /// [`Error::NonContributoryKey`].
    pub fn establish_outbound_channel(
        self,
        their_public_key: Curve25519PublicKey,
        initial_plaintext: &[u8],
    ) -> Result<OutboundCreationResult, Error> {
        let key = their_public_key.strict().map_err(|_| Error::NonContributoryKey)?;
        let core::Outgoing { channel, message } =
            self.0.establish_outbound_channel(key, initial_plaintext).map_err(Error::from_inner)?;
        Ok(OutboundCreationResult {
            ecies: EstablishedEcies::from_inner(channel),
            message: InitialMessage::from_inner(message),
        })
    }

    /// Establishes the channel that the first message asks for. Only the user can say who sent it.
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub fn establish_inbound_channel(
        self,
        message: &InitialMessage,
    ) -> Result<InboundCreationResult, Error> {
        let message = message.to_inner().map_err(|_| Error::NonContributoryKey)?;
        let core::Incoming { channel, plaintext } = self
            .0
            .establish_inbound_channel(&message)
            .map_err(|refused| Error::from_inner(refused.error))?;
        Ok(InboundCreationResult {
            ecies: EstablishedEcies::from_inner(channel),
            message: plaintext.into_vec(),
        })
    }

    /// The key to show, or to send.
    pub fn public_key(&self) -> Curve25519PublicKey {
        Curve25519PublicKey::from_inner(self.0.public_key())
    }
}

/// An established channel.
pub struct EstablishedEcies {
    /// Nothing after `zeroize`.
    inner: Option<core::EstablishedEcies>,
    our_public_key: Curve25519PublicKey,
    their_public_key: Curve25519PublicKey,
    check_code: CheckCode,
}

impl EstablishedEcies {
    /// This device's key.
    pub const fn public_key(&self) -> Curve25519PublicKey {
        self.our_public_key
    }

    /// The code that the user carries from one device to the other.
    pub const fn check_code(&self) -> &CheckCode {
        &self.check_code
    }

    /// Encrypts the next message.
    ///
    /// # Panics
    ///
    /// After 2^64 - 1 messages, and after [`zeroize`](Zeroize::zeroize).
    pub fn encrypt(&mut self, plaintext: &[u8]) -> Message {
        let Some(channel) = &mut self.inner else { panic!("the channel was zeroized") };
        Message::from_inner(drawn(channel.encrypt(plaintext)))
    }

    /// Decrypts the next message.
    ///
    /// # Errors
    ///
    /// [`Error::Decryption`]; the channel is unchanged.
    pub fn decrypt(&mut self, message: &Message) -> Result<Vec<u8>, Error> {
        let channel = self.inner.as_mut().ok_or(Error::Decryption)?;
        let plaintext = channel.decrypt(&message.to_inner()).map_err(Error::from_inner)?;
        Ok(plaintext.into_vec())
    }

    fn from_inner(inner: core::EstablishedEcies) -> Self {
        Self {
            our_public_key: Curve25519PublicKey::from_inner(inner.public_key()),
            their_public_key: Curve25519PublicKey::from_inner(inner.their_public_key()),
            check_code: CheckCode::from_inner(*inner.check_code()),
            inner: Some(inner),
        }
    }
}

/// Dropping the channel wipes it, so it is dropped.
impl Zeroize for EstablishedEcies {
    fn zeroize(&mut self) {
        self.inner = None;
    }
}

impl Drop for EstablishedEcies {
    fn drop(&mut self) {
        self.zeroize();
    }
}

impl fmt::Debug for EstablishedEcies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EstablishedEcies")
            .field("our_public_key", &self.our_public_key)
            .field("their_public_key", &self.their_public_key)
            .finish_non_exhaustive()
    }
}
