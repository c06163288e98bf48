//! HPKE: a secure channel between two devices of which one has shown its public key to the other,
//! for example as a QR code (MSC4388, "Secure channel"). Only with the feature `hpke`.
//!
//! RFC 9180 in base mode, from the device that has scanned the key (S, the *sender*) to the one that
//! shows it (G, the *recipient*), with X25519, HKDF-SHA-256 and ChaCha20-Poly1305; and, from a secret
//! which that exports, a second context for the way back (RFC 9458, section 4.4).
//!
//! | | device S | on its way | device G |
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
//! let showing = showing.channel.establish_bidirectional_channel(b"MATRIX_QR_CODE_LOGIN_OK", &aad)?;
//! let sent = showing.message.encode();
//!
//! let scanning = scanning.channel;
//! let scanning = scanning.establish_bidirectional_channel(&InitialResponse::decode(&sent)?, &aad)?;
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
//! **The recipient does not know who has written to it** until the user has confirmed it there. Anyone
//! who sees the public key can open a channel to it; until then, send nothing secret through it.
//!
//! Messages must arrive in the order they were sent in, all of them. Associated data (`aad`) is
//! authenticated but not sent: both devices must give the same, as [`rendezvous_aad`] makes it.

mod message;

use alloc::{
    boxed::Box,
    string::{String, ToString},
    vec::Vec,
};
use core::fmt;

use rand::TryCryptoRng;

pub use self::message::{InitialMessage, InitialResponse, Message};
#[cfg(feature = "std")]
use crate::primitives::rng;
pub use crate::{
    check_code::{CheckCode, DigitMode},
    error::{HpkeError, Refused},
};
use crate::{
    error::RandomError,
    keys::Curve25519PublicKey,
    primitives::{
        curve25519::NonContributory,
        hpke::{self, ContextError, ContextR, ContextS, SecretKey, SetupError},
        kdf,
        rng::draw,
        secret::Secret,
    },
};

/// What the keys of a channel are bound to unless `with_info` says otherwise.
const INFO: &str = "MATRIX_QR_CODE_LOGIN";

impl From<SetupError> for HpkeError {
    fn from(error: SetupError) -> Self {
        match error {
            SetupError::NonContributory => Self::NonContributoryKey,
            SetupError::Random => Self::Random,
        }
    }
}

impl From<ContextError> for HpkeError {
    fn from(error: ContextError) -> Self {
        match error {
            ContextError::Forged => Self::Authentication,
            ContextError::Exhausted => Self::ChannelExhausted,
        }
    }
}

/// The associated data of MSC4388: what binds a message to its rendezvous session.
///
/// The base URL with its length in two bytes, then the session's id and the sequence token with theirs
/// in one byte. `None` if one of them is longer than its length can say.
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

/// What a channel is made of besides its contexts.
struct Ends {
    /// Sp, the key that the sender has encapsulated.
    sender: Curve25519PublicKey,
    /// Gp, the key that the recipient has shown.
    recipient: Curve25519PublicKey,
    info: String,
}

impl Ends {
    fn labelled(&self, label: &str) -> Vec<u8> {
        [self.info.as_bytes(), label.as_bytes()].concat()
    }

    /// What the secret of the way back is exported with.
    ///
    /// Why not `" response"`, as a draft of MSC4388 says: the devices that speak this channel use this
    /// text, and would not understand the other.
    fn response_context(&self) -> Vec<u8> {
        self.labelled("_RESPONSE")
    }

    /// Key and base nonce of the way back: `HKDF(Sp || response nonce, secret, …)`.
    fn response_keys(&self, secret: &Secret<32>, nonce: &[u8; 32]) -> (Secret<32>, Secret<12>) {
        let salt = [*self.sender.as_bytes(), *nonce];
        let salt = Some(salt.as_flattened());
        (kdf::hkdf(salt, secret.as_bytes(), b"key"), kdf::hkdf(salt, secret.as_bytes(), b"nonce"))
    }

    /// What the check code is exported with: `info || "_CHECKCODE" || Gp || Sp`.
    fn check_code_context(&self) -> Vec<u8> {
        let keys = [*self.recipient.as_bytes(), *self.sender.as_bytes()];
        [&self.labelled("_CHECKCODE"), keys.as_flattened()].concat()
    }
}

/// Device S before it knows the other device's key.
#[derive(Debug)]
pub struct HpkeSenderChannel {
    info: String,
}

/// What [`HpkeSenderChannel::establish_channel_with_rng`] made.
#[derive(Debug)]
pub struct SenderCreation {
    /// The channel, which can encrypt nothing more until the other device has answered.
    pub channel: UnidirectionalSenderChannel,
    /// The message from which the other device makes its end.
    pub message: InitialMessage,
}

impl HpkeSenderChannel {
    /// A channel for signing in with a QR code. Nothing is drawn yet.
    #[must_use]
    #[allow(clippy::new_without_default, reason = "no channel is a default")]
    pub fn new() -> Self {
        Self { info: INFO.to_string() }
    }

    /// Binds the channel to a purpose other than signing in with a QR code, whose text is
    /// `MATRIX_QR_CODE_LOGIN`. Both devices must give the same text.
    #[must_use]
    pub fn with_info(self, info: &str) -> Self {
        Self { info: info.to_string() }
    }

    /// Establishes the way to the device that has shown us `their_public_key`, with a new key from the
    /// operating system's randomness, and encrypts the first message.
    ///
    /// # Errors
    ///
    /// [`HpkeError::Random`], and [`HpkeError::NonContributoryKey`], which no [`Curve25519PublicKey`]
    /// leads to.
    #[cfg(feature = "std")]
    pub fn establish_channel(
        self,
        their_public_key: Curve25519PublicKey,
        initial_plaintext: &[u8],
        aad: &[u8],
    ) -> Result<SenderCreation, HpkeError> {
        let mut rng = rng::system();
        self.establish_channel_with_rng(their_public_key, initial_plaintext, aad, &mut rng)
    }

    /// As `establish_channel`, with another source of randomness: it gives 32 bytes, from which the
    /// ephemeral key is derived (`DeriveKeyPair`; RFC 9180, section 7.1.3).
    ///
    /// # Errors
    ///
    /// As `establish_channel`.
    pub fn establish_channel_with_rng<R: TryCryptoRng + ?Sized>(
        self,
        their_public_key: Curve25519PublicKey,
        initial_plaintext: &[u8],
        aad: &[u8],
        rng: &mut R,
    ) -> Result<SenderCreation, HpkeError> {
        let recipient = their_public_key;
        let (encapsulated, mut context) =
            hpke::setup_sender(recipient.as_bytes(), self.info.as_bytes(), rng)?;
        let sender = Curve25519PublicKey::from_bytes(encapsulated)
            .map_err(|_| HpkeError::NonContributoryKey)?;
        let ciphertext = context.seal(initial_plaintext, aad)?;
        let ends = Ends { sender, recipient, info: self.info };
        Ok(SenderCreation {
            channel: UnidirectionalSenderChannel { ends, context: Box::new(context) },
            message: InitialMessage { encapsulated_key: sender, ciphertext },
        })
    }
}

/// Device S, which has written the initial message and waits for the answer.
///
/// Everything secret is in one heap block, wiped on drop.
pub struct UnidirectionalSenderChannel {
    ends: Ends,
    context: Box<ContextS>,
}

/// What [`UnidirectionalSenderChannel::establish_bidirectional_channel`] made.
pub struct SenderEstablishment {
    /// The channel.
    pub channel: EstablishedHpkeChannel,
    /// What the other device has encrypted in its initial response.
    pub plaintext: Vec<u8>,
}

impl UnidirectionalSenderChannel {
    /// Our public key, which the initial message carries.
    #[must_use]
    pub const fn public_key(&self) -> Curve25519PublicKey {
        self.ends.sender
    }

    /// The other device's public key.
    #[must_use]
    pub const fn their_public_key(&self) -> Curve25519PublicKey {
        self.ends.recipient
    }

    /// Opens the answer to the initial message, and with it the way back.
    ///
    /// When it succeeds, we know that the channel is secure: only the device whose key we have scanned
    /// can have written the answer, and only with our key.
    ///
    /// # Errors
    ///
    /// [`Refused`] with the channel, which goes on waiting, and [`HpkeError::Authentication`].
    pub fn establish_bidirectional_channel(
        self,
        response: &InitialResponse,
        aad: &[u8],
    ) -> Result<SenderEstablishment, Refused<Self, HpkeError>> {
        let secret = self.context.export(&self.ends.response_context());
        let (key, nonce) = self.ends.response_keys(&secret, &response.base_response_nonce);
        let mut receiving = ContextR::from_key(&key, &nonce);
        match receiving.open(&response.ciphertext, aad) {
            Err(error) => Err(Refused { unchanged: self, error: error.into() }),
            Ok(plaintext) => {
                let check_code = self.context.export(&self.ends.check_code_context());
                let channel = EstablishedHpkeChannel {
                    our_public_key: self.ends.sender,
                    their_public_key: self.ends.recipient,
                    check_code: CheckCode::new(*check_code.as_bytes()),
                    sending: self.context,
                    receiving: Box::new(receiving),
                };
                Ok(SenderEstablishment { channel, plaintext })
            }
        }
    }
}

/// Device G, which shows its public key and waits for the initial message.
///
/// The private key is in a heap block of its own, wiped on drop.
pub struct HpkeRecipientChannel {
    secret_key: Box<SecretKey>,
    public_key: Curve25519PublicKey,
    info: String,
}

/// What [`HpkeRecipientChannel::establish_channel`] made.
pub struct RecipientCreation {
    /// The channel, whose next step is to answer.
    pub channel: UnidirectionalRecipientChannel,
    /// What the other device has encrypted in its initial message.
    pub plaintext: Vec<u8>,
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

    /// As `new`, with another source of randomness: it gives 32 bytes, from which the private key is
    /// derived (`DeriveKeyPair`; RFC 9180, section 7.1.3).
    ///
    /// # Errors
    ///
    /// [`RandomError`].
    pub fn with_rng<R: TryCryptoRng + ?Sized>(rng: &mut R) -> Result<Self, RandomError> {
        let (secret_key, public_key) = SecretKey::generate(rng)?;
        // The public half of a clamped private key is canonical and of full order, so this never fails.
        let public_key = Curve25519PublicKey::from_bytes(public_key).map_err(|_| RandomError)?;
        Ok(Self { secret_key: Box::new(secret_key), public_key, info: INFO.to_string() })
    }

    /// Binds the channel to a purpose other than signing in with a QR code, whose text is
    /// `MATRIX_QR_CODE_LOGIN`. Both devices must give the same text.
    #[must_use]
    pub fn with_info(self, info: &str) -> Self {
        Self { info: info.to_string(), ..self }
    }

    /// Our public key, for the QR code.
    #[must_use]
    pub const fn public_key(&self) -> Curve25519PublicKey {
        self.public_key
    }

    /// Establishes our end of the way from the device that has scanned our key, from its first message.
    ///
    /// It takes the key pair, so that a replayed message makes no second channel. A message that it
    /// refuses gives it back: whoever can write to us must not be able to make us forget the key that
    /// is on the screen.
    ///
    /// # Errors
    ///
    /// [`Refused`] with the key pair, and [`HpkeError::Authentication`] or
    /// [`HpkeError::NonContributoryKey`].
    pub fn establish_channel(
        self,
        message: &InitialMessage,
        aad: &[u8],
    ) -> Result<RecipientCreation, Refused<Self, HpkeError>> {
        let sender = message.encapsulated_key;
        let open = || {
            let info = self.info.as_bytes();
            let mut context = hpke::setup_recipient(sender.as_bytes(), &self.secret_key, info)
                .map_err(|NonContributory| HpkeError::NonContributoryKey)?;
            let plaintext = context.open(&message.ciphertext, aad)?;
            Ok((Box::new(context), plaintext))
        };
        match open() {
            Err(error) => Err(Refused { unchanged: self, error }),
            Ok((context, plaintext)) => {
                let ends = Ends { sender, recipient: self.public_key, info: self.info };
                let channel = UnidirectionalRecipientChannel { ends, context };
                Ok(RecipientCreation { channel, plaintext })
            }
        }
    }
}

/// Device G, which has got the initial message and has not answered yet.
///
/// Everything secret is in one heap block, wiped on drop.
pub struct UnidirectionalRecipientChannel {
    ends: Ends,
    context: Box<ContextR>,
}

/// What [`UnidirectionalRecipientChannel::establish_bidirectional_channel_with_rng`] made.
#[derive(Debug)]
pub struct RecipientEstablishment {
    /// The channel.
    pub channel: EstablishedHpkeChannel,
    /// The answer, from which the other device opens the way back.
    pub message: InitialResponse,
}

impl UnidirectionalRecipientChannel {
    /// Our public key, which the channel was made with.
    #[must_use]
    pub const fn public_key(&self) -> Curve25519PublicKey {
        self.ends.recipient
    }

    /// The other device's public key.
    #[must_use]
    pub const fn their_public_key(&self) -> Curve25519PublicKey {
        self.ends.sender
    }

    /// Answers the initial message, and with that opens the way back. The nonce for it is drawn from
    /// the operating system's randomness.
    ///
    /// # Errors
    ///
    /// [`Refused`] with the channel, and [`HpkeError::Random`].
    #[cfg(feature = "std")]
    pub fn establish_bidirectional_channel(
        self,
        plaintext: &[u8],
        aad: &[u8],
    ) -> Result<RecipientEstablishment, Refused<Self, HpkeError>> {
        self.establish_bidirectional_channel_with_rng(plaintext, aad, &mut rng::system())
    }

    /// As `establish_bidirectional_channel`, with another source of randomness: it gives 32 bytes for
    /// the response nonce, which must never repeat for the same initial message.
    ///
    /// # Errors
    ///
    /// As `establish_bidirectional_channel`.
    pub fn establish_bidirectional_channel_with_rng<R: TryCryptoRng + ?Sized>(
        self,
        plaintext: &[u8],
        aad: &[u8],
        rng: &mut R,
    ) -> Result<RecipientEstablishment, Refused<Self, HpkeError>> {
        let mut answer = || {
            let nonce = draw(rng)?;
            let secret = self.context.export(&self.ends.response_context());
            let (key, base_nonce) = self.ends.response_keys(&secret, nonce.as_bytes());
            let mut sending = ContextS::from_key(&key, &base_nonce);
            let ciphertext = sending.seal(plaintext, aad)?;
            let base_response_nonce = *nonce.as_bytes();
            Ok((Box::new(sending), InitialResponse { base_response_nonce, ciphertext }))
        };
        match answer() {
            Err(error) => Err(Refused { unchanged: self, error }),
            Ok((sending, message)) => {
                let check_code = self.context.export(&self.ends.check_code_context());
                let channel = EstablishedHpkeChannel {
                    our_public_key: self.ends.recipient,
                    their_public_key: self.ends.sender,
                    check_code: CheckCode::new(*check_code.as_bytes()),
                    sending,
                    receiving: self.context,
                };
                Ok(RecipientEstablishment { channel, message })
            }
        }
    }
}

/// One of the two ends of an established channel.
///
/// Everything secret is in two heap blocks, one for each direction, wiped on drop.
pub struct EstablishedHpkeChannel {
    our_public_key: Curve25519PublicKey,
    their_public_key: Curve25519PublicKey,
    check_code: CheckCode,
    sending: Box<ContextS>,
    receiving: Box<ContextR>,
}

impl EstablishedHpkeChannel {
    /// Our public key, which the channel was made with.
    #[must_use]
    pub const fn public_key(&self) -> Curve25519PublicKey {
        self.our_public_key
    }

    /// The other device's public key, which the channel was made with.
    #[must_use]
    pub const fn their_public_key(&self) -> Curve25519PublicKey {
        self.their_public_key
    }

    /// The code that the user compares, the same at both ends.
    #[must_use]
    pub const fn check_code(&self) -> &CheckCode {
        &self.check_code
    }

    /// Encrypts the next message to the other device, and authenticates `aad` with it.
    ///
    /// # Errors
    ///
    /// [`HpkeError::ChannelExhausted`]; the channel is unchanged then.
    pub fn seal(&mut self, plaintext: &[u8], aad: &[u8]) -> Result<Message, HpkeError> {
        Ok(Message { ciphertext: self.sending.seal(plaintext, aad)? })
    }

    /// Decrypts the next message of the other device, which was sealed with the same `aad`.
    ///
    /// # Errors
    ///
    /// [`HpkeError::Authentication`] also for a message that was opened before, or that comes before
    /// its turn. The channel is unchanged then, and the right message still opens (S-04).
    pub fn open(&mut self, message: &Message, aad: &[u8]) -> Result<Vec<u8>, HpkeError> {
        Ok(self.receiving.open(&message.ciphertext, aad)?)
    }
}

/// S-29: of a channel, only public keys are shown.
macro_rules! debug_shows_public_keys {
    ($($channel:ident),+) => {$(
        impl fmt::Debug for $channel {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($channel))
                    .field("our_public_key", &self.public_key())
                    .field("their_public_key", &self.their_public_key())
                    .finish_non_exhaustive()
            }
        }
    )+};
}

debug_shows_public_keys!(
    UnidirectionalSenderChannel,
    UnidirectionalRecipientChannel,
    EstablishedHpkeChannel
);

impl fmt::Debug for HpkeRecipientChannel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HpkeRecipientChannel")
            .field("public_key", &self.public_key)
            .field("info", &self.info)
            .finish_non_exhaustive()
    }
}

/// S-29: nor is a plaintext.
macro_rules! debug_shows_channel {
    ($($made:ident),+) => {$(
        impl fmt::Debug for $made {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($made))
                    .field("channel", &self.channel)
                    .finish_non_exhaustive()
            }
        }
    )+};
}

debug_shows_channel!(SenderEstablishment, RecipientCreation);
