//! HPKE: a secure channel between two devices, one of which has shown its public key to the other,
//! for example as a QR code (MSC4388, "Secure channel"). Only with the feature `hpke`.
//!
//! The device that has scanned the key (S, the *sender*) encrypts to the device that shows it (G,
//! the *recipient*) with RFC 9180 in base mode, using X25519, HKDF-SHA-256 and ChaCha20-Poly1305. A
//! second context, for the response direction, is derived from a secret that the first context
//! exports (RFC 9458, section 4.4).
//!
//! | | device S | sent | device G |
//! |---|---|---|---|
//! | 1 | | public key (QR code) | [`HpkeRecipientChannel`] |
//! | 2 | [`HpkeSenderChannel`] → [`UnidirectionalSenderChannel`] | [`InitialMessage`] | → [`UnidirectionalRecipientChannel`] |
//! | 3 | → [`EstablishedHpkeChannel`] | [`InitialResponse`] | → [`EstablishedHpkeChannel`] |
//! | 4 | check code, messages | [`Message`] | check code, messages |
//!
//! ```
//! use moceril::hpke::{
//!     DigitMode, HpkeRecipientChannel, HpkeSenderChannel, InitialMessage, InitialResponse, Message,
//!     rendezvous_aad,
//! };
//!
//! let aad = rendezvous_aad("https://matrix.example", "rendezvous", "token").ok_or("too long")?;
//! let showing = HpkeRecipientChannel::new()?;
//! let qr_code = showing.public_key();
//!
//! let scanning = HpkeSenderChannel::new();
//! let scanning = scanning.establish_channel(qr_code, b"MATRIX_QR_CODE_LOGIN_INITIATE", &aad)?;
//! let sent = scanning.message.encode();
//!
//! let showing = showing.establish_channel(&InitialMessage::decode(&sent)?, &aad)?;
//! assert_eq!(showing.plaintext, b"MATRIX_QR_CODE_LOGIN_INITIATE");
//! let showing = showing.channel;
//! let showing = showing.establish_bidirectional_channel(b"MATRIX_QR_CODE_LOGIN_OK", &aad)?;
//! let sent = showing.message.encode();
//!
//! let (scanning, answer) = (scanning.channel, InitialResponse::decode(&sent)?);
//! let scanning = scanning.establish_bidirectional_channel(&answer, &aad)?;
//! assert_eq!(scanning.plaintext, b"MATRIX_QR_CODE_LOGIN_OK");
//!
//! // Now the scanning device knows that the channel is secure, and shows the code to the user, who
//! // types it into the other device.
//! let (mut scanning, mut showing) = (scanning.channel, showing.channel);
//! let shown = scanning.check_code().to_digit(DigitMode::NoLeadingZero);
//! let typed = shown;
//! assert_eq!(showing.check_code().to_digit(DigitMode::NoLeadingZero), typed);
//!
//! let sent = showing.seal(b"a secret", &aad)?.encode();
//! assert_eq!(scanning.open(&Message::decode(&sent)?, &aad)?, b"a secret");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! **The recipient does not know who the other device is** until the user has confirmed it there.
//! Anyone who sees the public key can open a channel to it; do not send secrets through it before.
//!
//! All messages must arrive, in the order in which they were sent. Associated data (`aad`) is
//! authenticated but not sent: both devices must pass the same bytes, which [`rendezvous_aad`]
//! makes.

mod message;

use alloc::{
    boxed::Box,
    string::{String, ToString},
    vec::Vec,
};

use rand::TryCryptoRng;

pub use self::message::{InitialMessage, InitialResponse};
pub use super::{
    ChannelError, Incoming, Outgoing, Refused,
    check_code::{CheckCode, DigitMode},
    message::Message,
};
use super::{Ends, INFO, Role};
#[cfg(feature = "std")]
use crate::primitives::rng;
use crate::{
    error::RandomError,
    keys::Curve25519PublicKey,
    primitives::{
        hpke::{self, ContextError, ContextR, ContextS, SecretKey, SetupError},
        kdf,
        rng::draw,
        secret::{Secret, SecretBytes},
        stack::{DEEP, MEDIUM, wiped_below},
        x25519::NonContributory,
    },
};

impl From<SetupError> for ChannelError {
    fn from(error: SetupError) -> Self {
        match error {
            SetupError::NonContributory => Self::NonContributoryKey,
            SetupError::Random => Self::Random,
        }
    }
}

impl From<ContextError> for ChannelError {
    fn from(error: ContextError) -> Self {
        match error {
            ContextError::Forged => Self::Authentication,
            ContextError::Exhausted => Self::ChannelExhausted,
        }
    }
}

/// The associated data of MSC4388, which binds a message to its rendezvous session.
///
/// The data has these fields, with lengths in bytes. `None` if a text is too long for its length
/// field.
///
/// ```text
/// base URL length           2     big-endian
/// base URL
/// session id length         1
/// session id
/// sequence token length     1
/// sequence token
/// ```
#[must_use]
pub fn rendezvous_aad(
    base_url: &str,
    rendezvous_id: &str,
    sequence_token: &str,
) -> Option<Vec<u8>> {
    let base_url_length = u16::try_from(base_url.len()).ok()?.to_be_bytes();
    let id_length = u8::try_from(rendezvous_id.len()).ok()?;
    let token_length = u8::try_from(sequence_token.len()).ok()?;
    Some(
        [
            &base_url_length,
            base_url.as_bytes(),
            &[id_length],
            rendezvous_id.as_bytes(),
            &[token_length],
            sequence_token.as_bytes(),
        ]
        .concat(),
    )
}

/// The exporter context of the secret for the response direction.
///
/// Why not `" response"`, as a draft of MSC4388 says: deployed clients use this text, and could not
/// decrypt with the other one.
fn response_context(info: &str) -> Vec<u8> {
    [info, "_RESPONSE"].concat().into_bytes()
}

/// The exporter context of the check code: `info || "_CHECKCODE" || Gp || Sp`.
fn check_code_context(info: &str, ends: &Ends) -> Vec<u8> {
    let keys = ends.gp_sp().map(|key| *key.as_bytes());
    [info.as_bytes(), b"_CHECKCODE", keys.as_flattened()].concat()
}

/// Key and base nonce of the response direction: `HKDF(Sp || response nonce, secret, …)`.
fn response_keys(ends: &Ends, secret: &Secret<32>, nonce: &[u8; 32]) -> (Secret<32>, Secret<12>) {
    let [_, sp] = ends.gp_sp();
    let salt = [*sp.as_bytes(), *nonce];
    let salt = Some(salt.as_flattened());
    (kdf::hkdf(salt, secret.as_bytes(), b"key"), kdf::hkdf(salt, secret.as_bytes(), b"nonce"))
}

/// Device S before it knows the other device's key.
#[derive(Debug)]
pub struct HpkeSenderChannel {
    info: String,
}

impl HpkeSenderChannel {
    /// A channel for signing in with a QR code. This draws no randomness.
    #[must_use]
    #[allow(clippy::new_without_default, reason = "no channel is a default")]
    pub fn new() -> Self {
        Self { info: INFO.to_string() }
    }

    /// Binds the channel to a purpose other than signing in with a QR code, which has the text
    /// `MATRIX_QR_CODE_LOGIN`. Both devices must pass the same text.
    #[must_use]
    pub fn with_info(self, info: &str) -> Self {
        Self { info: info.to_string() }
    }

    /// Establishes the direction to the device that has shown us `their_public_key`, with a new key
    /// from the operating system's randomness, and encrypts the first message.
    ///
    /// # Errors
    ///
    /// [`ChannelError::Random`], and [`ChannelError::NonContributoryKey`], which no
    /// [`Curve25519PublicKey`] leads to.
    #[cfg(feature = "std")]
    pub fn establish_channel(
        self,
        their_public_key: Curve25519PublicKey,
        initial_plaintext: impl AsRef<[u8]>,
        aad: impl AsRef<[u8]>,
    ) -> Result<Outgoing<UnidirectionalSenderChannel, InitialMessage>, ChannelError> {
        let mut rng = rng::system();
        self.establish_channel_with_rng(their_public_key, initial_plaintext, aad, &mut rng)
    }

    /// Like `establish_channel`, but with the caller's source of randomness, which gives 32 bytes
    /// from which the ephemeral key is derived (`DeriveKeyPair`; RFC 9180, section 7.1.3).
    ///
    /// # Errors
    ///
    /// Those of `establish_channel`.
    pub fn establish_channel_with_rng<R: TryCryptoRng + ?Sized>(
        self,
        their_public_key: Curve25519PublicKey,
        initial_plaintext: impl AsRef<[u8]>,
        aad: impl AsRef<[u8]>,
        rng: &mut R,
    ) -> Result<Outgoing<UnidirectionalSenderChannel, InitialMessage>, ChannelError> {
        wiped_below::<DEEP, _>(|| {
            let (encapsulated, mut context) =
                hpke::setup_sender(their_public_key.as_bytes(), self.info.as_bytes(), rng)?;
            let ours = Curve25519PublicKey::from_bytes(encapsulated)
                .map_err(|_| ChannelError::NonContributoryKey)?;
            let ciphertext = context.seal(initial_plaintext.as_ref(), aad.as_ref())?;
            let ends = Ends { ours, theirs: their_public_key, role: Role::Initiator };
            let context = Box::new(context);
            Ok(Outgoing {
                channel: UnidirectionalSenderChannel { ends, info: self.info, context },
                message: InitialMessage { encapsulated_key: ours, ciphertext },
            })
        })
    }
}

/// Device S, which has sent the initial message and waits for the answer.
///
/// All secrets are in one heap block, which is wiped on drop.
#[derive(Debug)]
pub struct UnidirectionalSenderChannel {
    pub(super) ends: Ends,
    info: String,
    context: Box<ContextS>,
}

impl UnidirectionalSenderChannel {
    /// Decrypts the answer to the initial message, and establishes the response direction.
    ///
    /// If this succeeds, the channel is secure: only the device whose key we have scanned can have
    /// made the answer, and only for our key.
    ///
    /// # Errors
    ///
    /// [`Refused`] with the channel, which can still open the right answer, and
    /// [`ChannelError::Authentication`].
    pub fn establish_bidirectional_channel(
        self,
        response: &InitialResponse,
        aad: impl AsRef<[u8]>,
    ) -> Result<Incoming<EstablishedHpkeChannel>, Refused<Self>> {
        let open = || {
            let secret = self.context.export(&response_context(&self.info))?;
            let (key, nonce) = response_keys(&self.ends, &secret, &response.base_response_nonce);
            let mut receiving = Box::new(ContextR::from_key(&key, &nonce));
            let plaintext = receiving.open(&response.ciphertext, aad.as_ref())?;
            let plaintext = SecretBytes::new(plaintext);
            let check_code = self.context.export(&check_code_context(&self.info, &self.ends))?;
            Ok::<_, ContextError>((receiving, plaintext, check_code))
        };
        match wiped_below::<MEDIUM, _>(open) {
            Err(error) => Err(Refused { unchanged: self, error: error.into() }),
            Ok((receiving, plaintext, check_code)) => {
                let channel = EstablishedHpkeChannel {
                    ends: self.ends,
                    check_code: CheckCode::new(*check_code.as_bytes()),
                    sending: self.context,
                    receiving,
                };
                Ok(Incoming { channel, plaintext })
            }
        }
    }
}

/// Device G, which shows its public key and waits for the initial message.
///
/// The private key is in its own heap block, which is wiped on drop.
#[derive(Debug)]
pub struct HpkeRecipientChannel {
    secret_key: Box<SecretKey>,
    public_key: Curve25519PublicKey,
    info: String,
}

impl HpkeRecipientChannel {
    /// Makes a key pair from the operating system's randomness.
    ///
    /// # Errors
    ///
    /// [`RandomError`].
    #[cfg(feature = "std")]
    pub fn new() -> Result<Self, RandomError> {
        Self::with_rng(&mut rng::system())
    }

    /// Like `new`, but with the caller's source of randomness, which gives 32 bytes from which the
    /// private key is derived (`DeriveKeyPair`; RFC 9180, section 7.1.3).
    ///
    /// # Errors
    ///
    /// [`RandomError`].
    pub fn with_rng<R: TryCryptoRng + ?Sized>(rng: &mut R) -> Result<Self, RandomError> {
        wiped_below::<DEEP, _>(|| {
            let (secret_key, public_key) = SecretKey::generate(rng)?;
            // This never fails, because the public half of a clamped private key is canonical and
            // of full order.
            let public_key =
                Curve25519PublicKey::from_bytes(public_key).map_err(|_| RandomError)?;
            Ok(Self { secret_key: Box::new(secret_key), public_key, info: INFO.to_string() })
        })
    }

    /// Binds the channel to a purpose other than signing in with a QR code, which has the text
    /// `MATRIX_QR_CODE_LOGIN`. Both devices must pass the same text.
    #[must_use]
    pub fn with_info(self, info: &str) -> Self {
        Self { info: info.to_string(), ..self }
    }

    /// Our public key, for the QR code.
    #[must_use]
    pub const fn public_key(&self) -> Curve25519PublicKey {
        self.public_key
    }

    /// Establishes our end of the direction from the device that has scanned our key, from its
    /// first message.
    ///
    /// This consumes the key pair, so that a replayed message makes no second channel. If the
    /// message is refused, the error contains the key pair: an attacker who can write to us must
    /// not be able to invalidate the key that is on the screen.
    ///
    /// # Errors
    ///
    /// [`Refused`] with the key pair, and [`ChannelError::Authentication`] or
    /// [`ChannelError::NonContributoryKey`].
    pub fn establish_channel(
        self,
        message: &InitialMessage,
        aad: impl AsRef<[u8]>,
    ) -> Result<Incoming<UnidirectionalRecipientChannel>, Refused<Self>> {
        let theirs = message.encapsulated_key;
        let open = || {
            let info = self.info.as_bytes();
            let mut context = hpke::setup_recipient(theirs.as_bytes(), &self.secret_key, info)
                .map_err(|NonContributory| ChannelError::NonContributoryKey)?;
            let plaintext = context.open(&message.ciphertext, aad.as_ref())?;
            Ok((Box::new(context), SecretBytes::new(plaintext)))
        };
        match wiped_below::<DEEP, _>(open) {
            Err(error) => Err(Refused { unchanged: self, error }),
            Ok((context, plaintext)) => {
                let ends = Ends { ours: self.public_key, theirs, role: Role::Recipient };
                let channel = UnidirectionalRecipientChannel { ends, info: self.info, context };
                Ok(Incoming { channel, plaintext })
            }
        }
    }
}

/// Device G, after it has received the initial message and before it answers.
///
/// All secrets are in one heap block, which is wiped on drop.
#[derive(Debug)]
pub struct UnidirectionalRecipientChannel {
    pub(super) ends: Ends,
    info: String,
    context: Box<ContextR>,
}

impl UnidirectionalRecipientChannel {
    /// Encrypts the answer to the initial message, and establishes the response direction. The
    /// response nonce is drawn from the operating system's randomness.
    ///
    /// # Errors
    ///
    /// [`Refused`] with the channel, and [`ChannelError::Random`].
    #[cfg(feature = "std")]
    pub fn establish_bidirectional_channel(
        self,
        plaintext: impl AsRef<[u8]>,
        aad: impl AsRef<[u8]>,
    ) -> Result<Outgoing<EstablishedHpkeChannel, InitialResponse>, Refused<Self>> {
        self.establish_bidirectional_channel_with_rng(plaintext, aad, &mut rng::system())
    }

    /// Like `establish_bidirectional_channel`, but with the caller's source of randomness, which
    /// gives the 32 bytes of the response nonce. The nonce must never repeat for the same initial
    /// message.
    ///
    /// # Errors
    ///
    /// Those of `establish_bidirectional_channel`.
    pub fn establish_bidirectional_channel_with_rng<R: TryCryptoRng + ?Sized>(
        self,
        plaintext: impl AsRef<[u8]>,
        aad: impl AsRef<[u8]>,
        rng: &mut R,
    ) -> Result<Outgoing<EstablishedHpkeChannel, InitialResponse>, Refused<Self>> {
        let answer = || {
            let nonce = draw(rng)?;
            let secret = self.context.export(&response_context(&self.info))?;
            let (key, base_nonce) = response_keys(&self.ends, &secret, nonce.as_bytes());
            let mut sending = ContextS::from_key(&key, &base_nonce);
            let ciphertext = sending.seal(plaintext.as_ref(), aad.as_ref())?;
            let base_response_nonce = *nonce.as_bytes();
            let check_code = self.context.export(&check_code_context(&self.info, &self.ends))?;
            let message = InitialResponse { base_response_nonce, ciphertext };
            Ok((Box::new(sending), message, check_code))
        };
        match wiped_below::<MEDIUM, _>(answer) {
            Err(error) => Err(Refused { unchanged: self, error }),
            Ok((sending, message, check_code)) => {
                let channel = EstablishedHpkeChannel {
                    ends: self.ends,
                    check_code: CheckCode::new(*check_code.as_bytes()),
                    sending,
                    receiving: self.context,
                };
                Ok(Outgoing { channel, message })
            }
        }
    }
}

/// One of the two ends of an established channel.
///
/// All secrets are in two heap blocks, one for each direction, which are wiped on drop.
#[derive(Debug)]
pub struct EstablishedHpkeChannel {
    pub(super) ends: Ends,
    check_code: CheckCode,
    sending: Box<ContextS>,
    receiving: Box<ContextR>,
}

impl EstablishedHpkeChannel {
    /// The code that the user compares. It is the same at both ends.
    #[must_use]
    pub const fn check_code(&self) -> &CheckCode {
        &self.check_code
    }

    /// Encrypts the next message to the other device, and authenticates `aad` with it.
    ///
    /// # Errors
    ///
    /// [`ChannelError::ChannelExhausted`]; the channel is unchanged.
    pub fn seal(
        &mut self,
        plaintext: impl AsRef<[u8]>,
        aad: impl AsRef<[u8]>,
    ) -> Result<Message, ChannelError> {
        let seal = || self.sending.seal(plaintext.as_ref(), aad.as_ref());
        Ok(Message { ciphertext: wiped_below::<MEDIUM, _>(seal)? })
    }

    /// Decrypts the next message of the other device. `aad` must be what the message was sealed
    /// with.
    ///
    /// # Errors
    ///
    /// [`ChannelError::Authentication`], also for a message that was opened before or that arrives
    /// too early. The channel is unchanged, and the right message still opens (S-04).
    pub fn open(
        &mut self,
        message: &Message,
        aad: impl AsRef<[u8]>,
    ) -> Result<SecretBytes, ChannelError> {
        let open = || self.receiving.open(&message.ciphertext, aad.as_ref());
        Ok(SecretBytes::new(wiped_below::<MEDIUM, _>(open)?))
    }
}
