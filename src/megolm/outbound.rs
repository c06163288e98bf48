//! The sender's end of a Megolm session.

use alloc::{boxed::Box, string::String};
use core::{fmt, time::Duration};

use rand::TryCryptoRng;

#[cfg(feature = "std")]
use crate::primitives::rng;
use crate::{
    error::{PickleError, RandomError, texts},
    keys::Ed25519PublicKey,
    primitives::{
        cbc_hmac::{self, Purpose},
        ed25519::SigningKey,
        rng::draw,
        secret::OptionalNumber,
        stack::{SHALLOW, wiped_below},
    },
    ratchet::megolm::MegolmRatchet,
    wire::{
        MessageVersion,
        megolm::{MegolmMessage, SessionKey},
    },
};

/// The choices made when a group session is created.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct GroupSessionConfig {
    /// All receivers must choose the same version.
    pub version: MessageVersion,
    /// The present time since the Unix epoch, for [`GroupSession::rotation_due`]. This library
    /// reads no clock. A session whose age is not known is due for rotation immediately, unless the
    /// caller [states it](GroupSession::set_created_at) later.
    pub created_at: Option<Duration>,
}

impl GroupSessionConfig {
    /// The same configuration but with messages of this version.
    #[must_use]
    pub const fn with_version(mut self, version: MessageVersion) -> Self {
        self.version = version;
        self
    }

    /// The same configuration but with the present time since the Unix epoch.
    #[must_use]
    pub const fn with_created_at(mut self, now: Duration) -> Self {
        self.created_at = Some(now);
        self
    }
}

/// When to replace a group session with a new one (S-20).
///
/// The default is the recommendation of the Matrix specification: 100 messages or one week. A room
/// may ask for other numbers in its `m.room.encryption` event; with the feature `matrix`,
/// `from_json` reads them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RotationPolicy {
    /// Rotate after this many messages. 0 counts as 1: a session that has encrypted nothing is
    /// never due by count, because the session after it would be due, too.
    pub messages: u32,
    /// Rotate when the session is this old. Less than a second counts as one second, for the same
    /// reason: a session knows only in which second it was made.
    pub age: Duration,
}

impl RotationPolicy {
    /// After so many messages or at this age, whichever comes first.
    #[must_use]
    pub const fn new(messages: u32, age: Duration) -> Self {
        Self { messages, age }
    }
}

impl Default for RotationPolicy {
    fn default() -> Self {
        Self { messages: 100, age: Duration::from_secs(7 * 24 * 60 * 60) }
    }
}

/// A Megolm session that encrypts.
///
/// All secrets are on the heap and are wiped on drop.
pub struct GroupSession {
    state: Box<GroupSessionState>,
}

/// The whole state of a group session. The pickle formats translate to it and back.
#[derive(Clone)]
pub(crate) struct GroupSessionState {
    pub(crate) ratchet: MegolmRatchet,
    /// Whether the ratchet's index was used, which is then the last one.
    pub(crate) exhausted: bool,
    pub(crate) signing_key: SigningKey,
    pub(crate) version: MessageVersion,
    /// In seconds since the Unix epoch.
    pub(crate) created_at: OptionalNumber,
    pub(crate) generation: u64,
}

impl GroupSession {
    /// Creates a session from the operating system's randomness. `now` is the present time since
    /// the Unix epoch, because this library reads no clock. The session keeps the whole seconds of
    /// it, and so knows when it is [due for rotation](Self::rotation_due).
    ///
    /// ```
    /// use std::time::SystemTime;
    ///
    /// use moceril::megolm::{GroupSession, RotationPolicy};
    ///
    /// let now = SystemTime::UNIX_EPOCH.elapsed()?;
    /// let session = GroupSession::new(now)?;
    ///
    /// let policy = RotationPolicy::default();
    /// assert!(!session.rotation_due(&policy, now));
    /// assert!(session.rotation_due(&policy, now + policy.age));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`RandomError`].
    #[cfg(feature = "std")]
    pub fn new(now: Duration) -> Result<Self, RandomError> {
        Self::with_config(GroupSessionConfig::default().with_created_at(now))
    }

    /// Like `new`, with a configuration of your choice.
    ///
    /// # Errors
    ///
    /// [`RandomError`].
    #[cfg(feature = "std")]
    pub fn with_config(config: GroupSessionConfig) -> Result<Self, RandomError> {
        Self::with_rng(config, &mut rng::system())
    }

    /// Like `with_config`, but with the caller's source of randomness, which gives 128 bytes for
    /// the ratchet, then 32 for the Ed25519 seed.
    ///
    /// # Errors
    ///
    /// [`RandomError`].
    pub fn with_rng<R: TryCryptoRng + ?Sized>(
        config: GroupSessionConfig,
        rng: &mut R,
    ) -> Result<Self, RandomError> {
        // Drawn in one call, as for an account.
        wiped_below::<SHALLOW, _>(|| {
            let random = draw::<160, R>(rng)?;
            let ratchet = MegolmRatchet::new(random.part::<0, 128>(), 0);
            let signing_key = SigningKey::from_seed(random.part::<128, 32>());
            Ok(Self::from_state(GroupSessionState {
                ratchet,
                exhausted: false,
                signing_key,
                version: config.version,
                created_at: config.created_at.map(|now| now.as_secs()).into(),
                generation: 0,
            }))
        })
    }

    pub(crate) fn from_state(state: GroupSessionState) -> Self {
        Self { state: Box::new(state) }
    }

    pub(crate) const fn state(&self) -> &GroupSessionState {
        &self.state
    }

    /// Restores a state from a pickle, if it is one that a session can be in.
    pub(crate) fn restore(state: GroupSessionState) -> Result<Self, PickleError> {
        if state.exhausted && state.ratchet.index() != u32::MAX {
            return Err(PickleError::InvalidState);
        }
        Ok(Self::from_state(state))
    }

    /// A number that grows with every change and is part of the pickle (S-35). A store that
    /// remembers the highest one it has written can detect that it was rolled back.
    #[must_use]
    pub const fn generation(&self) -> u64 {
        self.state.generation
    }

    fn signing_key(&self) -> Ed25519PublicKey {
        Ed25519PublicKey::from_signing_key(self.state.signing_key.public())
    }

    /// The id of the session: its Ed25519 public key in base64 (43 characters). Each call allocates
    /// the text.
    #[must_use]
    pub fn session_id(&self) -> String {
        self.signing_key().to_base64()
    }

    /// The version of the session's messages.
    #[must_use]
    pub const fn version(&self) -> MessageVersion {
        self.state.version
    }

    /// The index that the next message will have: the number of messages encrypted so far, except
    /// that it stays at 2^32 - 1 when the session is [exhausted](Self::is_exhausted).
    #[must_use]
    pub const fn message_index(&self) -> u32 {
        self.state.ratchet.index()
    }

    /// Whether the last index was used, so that nothing more can be encrypted.
    #[must_use]
    pub const fn is_exhausted(&self) -> bool {
        self.state.exhausted
    }

    /// When the session was made, as its maker said: the whole seconds since the Unix epoch. `None`
    /// if nobody said it, and for a session that was read from a libolm or vodozemac pickle.
    #[must_use]
    pub fn created_at(&self) -> Option<Duration> {
        self.state.created_at.get().map(Duration::from_secs)
    }

    /// States when the session was made, since the Unix epoch, while that is not known: for a
    /// session that was read from a libolm or vodozemac pickle. Whole seconds count; the rest is
    /// dropped. Stating the known time again changes nothing.
    ///
    /// # Errors
    ///
    /// [`CreationTimeError`] if another time is known; the session is unchanged.
    pub fn set_created_at(&mut self, time: Duration) -> Result<(), CreationTimeError> {
        let seconds = time.as_secs();
        match self.created_at() {
            Some(known) if known.as_secs() == seconds => Ok(()),
            Some(known) => Err(CreationTimeError { known }),
            None => {
                self.state.created_at = OptionalNumber::some(seconds);
                self.changed();
                Ok(())
            }
        }
    }

    /// Whether the policy asks for a new session at `now`, the time since the Unix epoch: the
    /// session has encrypted so many messages, is so old, or is exhausted. A session of unknown age
    /// is due. A session that was made after `now` is due, too: a clock was wrong, so its age is
    /// not known. (The caller must also make a new session when a member leaves.)
    #[must_use]
    pub fn rotation_due(&self, policy: &RotationPolicy, now: Duration) -> bool {
        let age = self.created_at().and_then(|created| now.checked_sub(created));
        let too_old = age.is_none_or(|age| age >= policy.age.max(Duration::from_secs(1)));
        too_old || self.is_exhausted() || self.message_index() >= policy.messages.max(1)
    }

    fn changed(&mut self) {
        self.state.generation = self.state.generation.saturating_add(1);
    }

    /// The key to share with the receivers, over Olm: it decrypts all messages from the next one
    /// on. For an exhausted session it is the key of the last message, which was already sent.
    ///
    /// A session cannot go back. To share an earlier message again, keep an [`InboundGroupSession`]
    /// of your own sessions from their first message on, and [export][export_at] its key.
    ///
    /// [`InboundGroupSession`]: super::InboundGroupSession
    /// [export_at]: super::InboundGroupSession::export_at
    #[must_use]
    pub fn session_key(&self) -> SessionKey {
        wiped_below::<SHALLOW, _>(|| {
            let ratchet = &self.state.ratchet;
            SessionKey::new(ratchet.index(), ratchet.value(), self.signing_key(), |bytes| {
                self.state.signing_key.sign(bytes)
            })
        })
    }

    /// Encrypts and signs a message, and advances the ratchet.
    ///
    /// Save the session before you send the message: a message key must not be used twice.
    ///
    /// # Errors
    ///
    /// [`EncryptionError::SessionExhausted`] after 2^32 messages (S-11).
    pub fn encrypt(
        &mut self,
        plaintext: impl AsRef<[u8]>,
    ) -> Result<MegolmMessage, EncryptionError> {
        let plaintext = plaintext.as_ref();
        wiped_below::<SHALLOW, _>(|| self.encrypt_next(plaintext))
    }

    fn encrypt_next(&mut self, plaintext: &[u8]) -> Result<MegolmMessage, EncryptionError> {
        let state = &mut *self.state;
        if state.exhausted {
            return Err(EncryptionError::SessionExhausted);
        }
        let (version, index) = (state.version, state.ratchet.index());
        let message = MegolmMessage::encode(
            version,
            index,
            plaintext.len(),
            |header| {
                let key = state.ratchet.value().as_bytes();
                cbc_hmac::seal(key, Purpose::Megolm, header, plaintext, version.mac_length())
            },
            |bytes| state.signing_key.sign(bytes),
        );
        match index.checked_add(1) {
            Some(next) => state.ratchet.advance_to(next),
            None => state.exhausted = true,
        }
        self.changed();
        Ok(message)
    }
}

impl fmt::Debug for GroupSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GroupSession")
            .field("session_id", &self.session_id())
            .field("version", &self.version())
            .field("message_index", &self.message_index())
            .field("generation", &self.generation())
            .finish_non_exhaustive()
    }
}

/// A group session encrypts nothing more; the session is unchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EncryptionError {
    /// The last message index was used: start a new session (S-11).
    SessionExhausted,
}

texts!(EncryptionError {
    Self::SessionExhausted => "the session has no message index left";
});

/// The stated creation time of a group session contradicts the known one; the session is unchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CreationTimeError {
    /// The creation time that is known already: the whole seconds since the Unix epoch.
    pub known: Duration,
}

texts!(CreationTimeError {
    Self { known } => "the creation time is known already: {known:?} since 1970";
});
