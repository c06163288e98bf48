//! ECIES: a secure channel between two devices, one of which has shown its public key to the other,
//! for example as a QR code (MSC4108, "Secure channel").
//!
//! The channel uses X25519, HKDF-SHA-512 (as all clients do; the text of the proposal says SHA-256)
//! and ChaCha20-Poly1305, with a key for each direction. The device that shows its key (G, the
//! *recipient*) waits for the first message. The device that has scanned the key (S, the
//! *initiator*) sends it.
//!
//! ```
//! use moceril::ecies::{DigitMode, Ecies, InitialMessage, Message};
//!
//! let showing = Ecies::new()?;
//! let qr_code = showing.public_key();
//!
//! let scanning = Ecies::new()?;
//! let plaintext = b"MATRIX_QR_CODE_LOGIN_INITIATE";
//! let mut scanning = scanning.establish_outbound_channel(qr_code, plaintext)?;
//! let sent = scanning.message.encode();
//!
//! let received = InitialMessage::decode(&sent)?;
//! let mut showing = showing.establish_inbound_channel(&received)?;
//! assert_eq!(showing.plaintext, plaintext);
//!
//! let sent = showing.channel.encrypt(b"MATRIX_QR_CODE_LOGIN_OK")?.encode();
//! let answer = scanning.channel.decrypt(&Message::decode(&sent)?)?;
//! assert_eq!(answer, b"MATRIX_QR_CODE_LOGIN_OK");
//!
//! // Now the scanning device knows that the channel is secure, and shows the code to the user, who
//! // types it into the other device.
//! let shown = scanning.channel.check_code().to_digit(DigitMode::AllowLeadingZero);
//! let typed = shown;
//! assert_eq!(showing.channel.check_code().to_digit(DigitMode::AllowLeadingZero), typed);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! **The recipient does not know who the other device is** until the user has confirmed it there.
//! Anyone who sees the public key can open a channel to it; do not send secrets through it before.
//!
//! All messages must arrive, in the order in which they were sent.

use alloc::{
    boxed::Box,
    format,
    string::{String, ToString},
    vec::Vec,
};
use core::fmt;

use rand::TryCryptoRng;

pub use super::{
    ChannelError, Incoming, Outgoing, Refused,
    check_code::{CheckCode, DigitMode},
    message::Message,
};
use super::{Ends, INFO, Role, message::with_tag};
#[cfg(feature = "std")]
use crate::primitives::rng;
use crate::{
    error::{DecodeError, KeyError, RandomError},
    keys::{Curve25519KeyPair, Curve25519PublicKey},
    primitives::{
        base64,
        chacha20poly1305::{self, Forged},
        kdf,
        secret::{Secret, SecretBytes},
        stack::{MEDIUM, SHALLOW, wiped_below},
        x25519::NonContributory,
    },
};

/// A key pair for one channel that is not established yet.
///
/// The private key is in its own heap block, which is wiped on drop.
pub struct Ecies {
    key_pair: Box<Curve25519KeyPair>,
    info: String,
}

impl Ecies {
    /// Makes a key pair from the operating system's randomness.
    ///
    /// # Errors
    ///
    /// [`RandomError`].
    #[cfg(feature = "std")]
    pub fn new() -> Result<Self, RandomError> {
        Self::with_rng(&mut rng::system())
    }

    /// Like `new`, but with the caller's source of randomness, which gives the 32 bytes of the
    /// Curve25519 private key.
    ///
    /// # Errors
    ///
    /// [`RandomError`].
    pub fn with_rng<R: TryCryptoRng + ?Sized>(rng: &mut R) -> Result<Self, RandomError> {
        let pair = || Ok::<_, RandomError>(Box::new(Curve25519KeyPair::generate(rng)?));
        Ok(Self { key_pair: wiped_below::<SHALLOW, _>(pair)?, info: INFO.to_string() })
    }

    /// Binds the channel to another purpose than signing in with a QR code, whose text is
    /// `MATRIX_QR_CODE_LOGIN`. Both devices must pass the same text.
    #[must_use]
    pub fn with_info(self, info: &str) -> Self {
        Self { info: info.to_string(), ..self }
    }

    /// Our public key, for the QR code.
    #[must_use]
    pub const fn public_key(&self) -> Curve25519PublicKey {
        self.key_pair.public()
    }

    /// Establishes our end of a channel to the device that has shown us `their_public_key`, and
    /// encrypts the first message.
    ///
    /// This consumes the key pair, because a second channel of the same two key pairs would encrypt
    /// with the same keys and nonces.
    ///
    /// # Errors
    ///
    /// [`ChannelError::OwnKey`] for our own key; [`ChannelError::NonContributoryKey`], which no
    /// [`Curve25519PublicKey`] causes.
    pub fn establish_outbound_channel(
        self,
        their_public_key: Curve25519PublicKey,
        initial_plaintext: impl AsRef<[u8]>,
    ) -> Result<Outgoing<EstablishedEcies, InitialMessage>, ChannelError> {
        wiped_below::<MEDIUM, _>(|| {
            let mut channel = self.establish(their_public_key, Role::Initiator)?;
            let Message { ciphertext } = channel.encrypt(initial_plaintext)?;
            let message = InitialMessage { public_key: self.public_key(), ciphertext };
            Ok(Outgoing { channel, message })
        })
    }

    /// Establishes our end of a channel from the first message of the device that has scanned our
    /// key.
    ///
    /// This consumes the key pair, because a second channel from a replayed message would encrypt
    /// with the same keys and nonces. If the message is refused, the error contains the key pair:
    /// an attacker who can write to us must not be able to invalidate the key that is on the
    /// screen.
    ///
    /// # Errors
    ///
    /// [`Refused`] with the key pair, and [`ChannelError::Authentication`],
    /// [`ChannelError::OwnKey`] or [`ChannelError::NonContributoryKey`].
    pub fn establish_inbound_channel(
        self,
        message: &InitialMessage,
    ) -> Result<Incoming<EstablishedEcies>, Refused<Self>> {
        let open = || {
            let mut channel = self.establish(message.public_key, Role::Recipient)?;
            let plaintext = SecretBytes::new(channel.receiving.open(&message.ciphertext)?);
            Ok(Incoming { channel, plaintext })
        };
        wiped_below::<MEDIUM, _>(open).map_err(|error| Refused { unchanged: self, error })
    }

    fn establish(
        &self,
        their_public_key: Curve25519PublicKey,
        role: Role,
    ) -> Result<EstablishedEcies, ChannelError> {
        let ends = Ends { ours: self.public_key(), theirs: their_public_key, role };
        // A channel to ourselves is never intended.
        if ends.theirs == ends.ours {
            return Err(ChannelError::OwnKey);
        }
        let shared = self
            .key_pair
            .secret()
            .agree(ends.theirs.as_bytes())
            .map_err(|NonContributory| ChannelError::NonContributoryKey)?;
        let [gp, sp] = ends.gp_sp();
        let info = |label| format!("{}_{label}|{gp}|{sp}", self.info);
        let key = |label| Direction {
            key: kdf::hkdf_sha512(shared.as_bytes(), info(label).as_bytes()),
            next: 0,
        };
        let (sending, receiving) = match role {
            Role::Initiator => (key("ENCKEY_S"), key("ENCKEY_G")),
            Role::Recipient => (key("ENCKEY_G"), key("ENCKEY_S")),
        };
        let check_bytes = kdf::hkdf_sha512(shared.as_bytes(), info("CHECKCODE").as_bytes());
        Ok(EstablishedEcies {
            ends,
            check_code: CheckCode::new(*check_bytes.as_bytes()),
            sending: Box::new(sending),
            receiving: Box::new(receiving),
        })
    }
}

impl fmt::Debug for Ecies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ecies")
            .field("public_key", &self.public_key())
            .field("info", &self.info)
            .finish_non_exhaustive()
    }
}

/// One direction of a channel.
struct Direction {
    key: Secret<32>,
    /// The number of the next message. It is the nonce, so it never wraps (S-11).
    next: u64,
}

impl Direction {
    /// The nonce of the next message, which is its number with the lowest byte first, and the
    /// number of the one after it.
    fn plan(&self) -> Result<([u8; 12], u64), ChannelError> {
        let after = self.next.checked_add(1).ok_or(ChannelError::ChannelExhausted)?;
        let [a, b, c, d, e, f, g, h] = self.next.to_le_bytes();
        Ok(([a, b, c, d, e, f, g, h, 0, 0, 0, 0], after))
    }

    fn seal(&mut self, plaintext: &[u8]) -> Result<Vec<u8>, ChannelError> {
        let (nonce, after) = self.plan()?;
        let ciphertext = chacha20poly1305::seal_message(&self.key, &nonce, &[], plaintext)
            .ok_or(ChannelError::ChannelExhausted)?;
        self.next = after;
        Ok(ciphertext)
    }

    /// S-04: only an authenticated message changes the direction.
    fn open(&mut self, ciphertext: &[u8]) -> Result<Vec<u8>, ChannelError> {
        let (nonce, after) = self.plan()?;
        let plaintext = chacha20poly1305::open_message(&self.key, &nonce, &[], ciphertext)
            .map_err(|Forged| ChannelError::Authentication)?;
        self.next = after;
        Ok(plaintext)
    }
}

/// S-29: prints no key.
impl fmt::Debug for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Direction").field("next", &self.next).finish_non_exhaustive()
    }
}

/// One of the two ends of an established channel.
///
/// All secrets are in two heap blocks, one for each direction, which are wiped on drop.
#[derive(Debug)]
pub struct EstablishedEcies {
    pub(super) ends: Ends,
    check_code: CheckCode,
    sending: Box<Direction>,
    receiving: Box<Direction>,
}

impl EstablishedEcies {
    /// The code that the user compares. It is the same at both ends.
    #[must_use]
    pub const fn check_code(&self) -> &CheckCode {
        &self.check_code
    }

    /// Encrypts the next message to the other device.
    ///
    /// # Errors
    ///
    /// [`ChannelError::ChannelExhausted`]; the channel is unchanged.
    pub fn encrypt(&mut self, plaintext: impl AsRef<[u8]>) -> Result<Message, ChannelError> {
        let seal = || self.sending.seal(plaintext.as_ref());
        Ok(Message { ciphertext: wiped_below::<MEDIUM, _>(seal)? })
    }

    /// Decrypts the next message of the other device.
    ///
    /// # Errors
    ///
    /// [`ChannelError::Authentication`], also for a message that was decrypted before or that
    /// arrives too early. The channel is unchanged, and the right message still decrypts (S-04).
    pub fn decrypt(&mut self, message: &Message) -> Result<SecretBytes, ChannelError> {
        let open = || self.receiving.open(&message.ciphertext);
        Ok(SecretBytes::new(wiped_below::<MEDIUM, _>(open)?))
    }
}

/// The first message of a channel: the public key of its initiator, and a ciphertext.
///
/// Nothing in it proves who made it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct InitialMessage {
    /// The initiator's public key.
    pub public_key: Curve25519PublicKey,
    /// The ciphertext and its tag of 16 bytes.
    pub ciphertext: Vec<u8>,
}

impl InitialMessage {
    /// The ciphertext and the public key, each in unpadded base64, with a `|` between them.
    #[must_use]
    pub fn encode(&self) -> String {
        format!("{}|{}", base64::encode(&self.ciphertext), self.public_key.to_base64())
    }

    /// Reads the output of `encode`, and also correctly padded base64 (S-30).
    ///
    /// # Errors
    ///
    /// [`DecodeError::Base64`], [`DecodeError::Format`] for a missing `|` or a wrong length, and
    /// [`DecodeError::Key`] for a key that no honest peer has (S-01).
    pub fn decode(text: &str) -> Result<Self, DecodeError> {
        let (ciphertext, key) = text.split_once('|').ok_or(DecodeError::Format)?;
        let (ciphertext, key) = (base64::decode(ciphertext)?, base64::decode(key)?);
        let public_key = Curve25519PublicKey::from_slice(&key).map_err(|error| match error {
            KeyError::Length(_) => DecodeError::Format,
            error => DecodeError::Key(error),
        })?;
        Ok(Self { public_key, ciphertext: with_tag(ciphertext)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// S-11: the last number is never used in either direction, and after the error nothing has
    /// changed.
    #[test]
    fn numbers_never_wrap() {
        let mut direction = Direction { key: Secret::default(), next: u64::MAX - 1 };
        let last = direction.seal(b"last").unwrap();
        assert_eq!(direction.seal(b"one more"), Err(ChannelError::ChannelExhausted));
        assert_eq!(direction.open(&last), Err(ChannelError::ChannelExhausted));
        assert_eq!(direction.next, u64::MAX);
        direction.next -= 1;
        assert_eq!(direction.open(&last).unwrap(), b"last");
        assert_eq!(direction.next, u64::MAX);
    }

    /// S-29: a direction shows how far it has counted, and not its key.
    #[test]
    fn the_key_of_a_direction_is_not_printed() {
        let direction = Direction { key: Secret::new([7; 32]), next: 3 };
        assert_eq!(format!("{direction:?}"), "Direction { next: 3, .. }");
    }

    /// S-11: every number gives another nonce, with the lowest byte first, as other clients count.
    #[test]
    fn nonces_are_the_numbers() {
        for (next, nonce) in [
            (0, [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
            (0x0102, [2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
            (0x0102_0304_0506_0708, [8, 7, 6, 5, 4, 3, 2, 1, 0, 0, 0, 0]),
        ] {
            let direction = Direction { key: Secret::default(), next };
            assert_eq!(direction.plan(), Ok((nonce, next + 1)));
        }
    }
}
