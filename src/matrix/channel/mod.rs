//! Secure channels between two devices, one of which has shown its public key to the other: ECIES
//! (MSC4108) and HPKE (MSC4388). This file has the parts that both share.

mod check_code;
pub mod ecies;
#[cfg(feature = "hpke")]
pub mod hpke;
mod message;

use core::{error::Error, fmt};

use self::ecies::EstablishedEcies;
#[cfg(feature = "hpke")]
use self::hpke::{
    EstablishedHpkeChannel, UnidirectionalRecipientChannel, UnidirectionalSenderChannel,
};
use crate::{
    error::{RandomError, texts},
    keys::Curve25519PublicKey,
    primitives::secret::SecretBytes,
};

/// The `info` with which the keys of a channel are derived, unless `with_info` gives another.
const INFO: &str = "MATRIX_QR_CODE_LOGIN";

/// Which of the two devices this is.
#[derive(Clone, Copy, Debug)]
enum Role {
    /// Device S, which has scanned the key of device G.
    Initiator,
    /// Device G, which has shown its key.
    Recipient,
}

/// The public keys of the two ends of a channel.
#[derive(Clone, Copy, Debug)]
struct Ends {
    ours: Curve25519PublicKey,
    theirs: Curve25519PublicKey,
    role: Role,
}

impl Ends {
    /// Gp and Sp: the key that device G has shown, and the key of device S.
    const fn gp_sp(&self) -> [Curve25519PublicKey; 2] {
        match self.role {
            Role::Initiator => [self.theirs, self.ours],
            Role::Recipient => [self.ours, self.theirs],
        }
    }
}

/// The methods of every channel that describe its ends.
macro_rules! public_keys {
    ($($channel:ident),+ $(,)?) => {$(
        impl $channel {
            /// Our public key, with which the channel was made.
            #[must_use]
            pub const fn public_key(&self) -> Curve25519PublicKey {
                self.ends.ours
            }

            /// The other device's public key, with which the channel was made.
            #[must_use]
            pub const fn their_public_key(&self) -> Curve25519PublicKey {
                self.ends.theirs
            }
        }
    )+};
}

public_keys!(EstablishedEcies);
#[cfg(feature = "hpke")]
public_keys!(UnidirectionalSenderChannel, UnidirectionalRecipientChannel, EstablishedHpkeChannel);

/// The result of a step that encrypts a message.
#[derive(Debug)]
pub struct Outgoing<C, M> {
    /// The channel after the step.
    pub channel: C,
    /// The message to send, from which the other device makes its end of the channel.
    pub message: M,
}

/// The result of a step that decrypts a message.
pub struct Incoming<C> {
    /// The channel after the step.
    pub channel: C,
    /// The plaintext of the other device's message, wiped on drop.
    pub plaintext: SecretBytes,
}

/// S-29: `Debug` shows no plaintext.
impl<C: fmt::Debug> fmt::Debug for Incoming<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Incoming").field("channel", &self.channel).finish_non_exhaustive()
    }
}

/// A step that failed, and the object on which it was tried: unchanged, so that it can be tried
/// again (S-04).
///
/// `?` turns it into its error, for callers that have no more use for the object.
#[derive(Debug)]
pub struct Refused<T, E = ChannelError> {
    /// The object as it was before.
    pub unchanged: T,
    /// Why the step failed.
    pub error: E,
}

impl<T, E: fmt::Display> fmt::Display for Refused<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl<T: fmt::Debug, E: Error> Error for Refused<T, E> {}

/// A channel could not be established, or a message could not be encrypted or decrypted; nothing
/// has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ChannelError {
    /// The message was not made by the peer of this channel, was altered, is not the next one, or
    /// was sealed with other associated data.
    Authentication,
    /// The channel cannot count this message. In each direction, ECIES carries 2^64 - 1 messages
    /// and HPKE 2^64, each below 256 GiB (S-11).
    ChannelExhausted,
    /// The key agreement came out as zero.
    NonContributoryKey,
    /// The other device's key is this device's own: somebody sent it back. Only with ECIES, because
    /// the initiator of an HPKE channel has no key that could be sent back.
    OwnKey,
    /// The random source failed. Only with HPKE, because both ends of an ECIES channel have already
    /// drawn their keys.
    Random,
}

texts!(ChannelError {
    Self::Authentication => "the message is not authentic, or not the next one";
    Self::ChannelExhausted => "the channel cannot carry another message";
    Self::NonContributoryKey => "the key agreement was not contributory";
    Self::OwnKey => "the other device's key is this device's own key";
    Self::Random => "the random source failed";
});

impl From<RandomError> for ChannelError {
    fn from(_: RandomError) -> Self {
        Self::Random
    }
}

impl<T> From<Refused<T>> for ChannelError {
    fn from(refused: Refused<T>) -> Self {
        refused.error
    }
}
