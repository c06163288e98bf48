//! An Olm session: messages between two devices, in order or not.

use alloc::{boxed::Box, string::String};
use core::fmt::{self, Write};

use rand::TryCryptoRng;

use super::decrypted::{DecryptedMessage, DecryptedMessageParts};
#[cfg(feature = "std")]
use crate::primitives::rng;
use crate::{
    error::{DecryptionError, EncryptionError, IdentityKeysError, PickleError},
    keys::{Curve25519PublicKey, IdentityKeys},
    primitives::{
        cbc_hmac::{self, Purpose},
        secret::Apart,
        stack::{MEDIUM, SHALLOW, wiped_below},
    },
    ratchet::{
        double::{DoubleRatchet, MessageKey, TheirPoint},
        limits::Limits,
    },
    wire::{
        MessageVersion,
        olm::{Message, OlmMessage, PreKeyMessage, SessionKeys},
    },
};

/// The choices made when a session is created: the version of its messages, and its limits.
///
/// ```
/// use moceril::olm::{Limits, SessionConfig};
///
/// // A busy bridge keeps more keys for late messages.
/// let config = SessionConfig::default().with_limits(Limits::default().with_skipped_keys(1_000));
/// assert_eq!(config.limits.skipped_keys(), 1_000);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SessionConfig {
    /// Both ends must choose the same version.
    pub version: MessageVersion,
    /// How much the session remembers for late messages.
    pub limits: Limits,
}

impl SessionConfig {
    /// The same configuration but with messages of this version.
    #[must_use]
    pub const fn with_version(mut self, version: MessageVersion) -> Self {
        self.version = version;
        self
    }

    /// The same configuration but with these limits.
    #[must_use]
    pub const fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }
}

/// One of the two ends of an Olm session.
///
/// All secrets are on the heap and are wiped on drop.
pub struct Session {
    state: Box<SessionState>,
    /// The ratchet key of the peer's newest chain, until our next message uses it to begin a chain.
    their_point: Apart<TheirPoint>,
}

/// The whole state of a session. The pickle formats translate to it and back.
#[derive(Clone)]
pub(crate) struct SessionState {
    pub(crate) keys: SessionKeys,
    pub(crate) their_identity_key: Apart<Curve25519PublicKey>,
    pub(crate) version: MessageVersion,
    /// Whether a message from the peer was decrypted. Until then, we send pre-key messages.
    pub(crate) received: bool,
    pub(crate) generation: u64,
    pub(crate) ratchet: DoubleRatchet,
}

/// One of the two ends of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Ours,
    Theirs,
}

impl SessionState {
    /// Whether the session was made from a message that it has not decrypted. The end that begins a
    /// session gets a chain of the peer only with a message that decrypts, so a first chain without
    /// such a message is the one from which the session was made.
    pub(crate) fn is_unread(&self) -> bool {
        !self.received && self.ratchet.receivers.len() == 1
    }

    /// Which end began the session, as far as the state proves it (S-41).
    pub(crate) fn initiator(&self) -> Option<End> {
        if self.ratchet.receivers.is_empty() {
            // The end that answers has a chain of the peer from the start, and the newest is never
            // dropped.
            return Some(End::Ours);
        }
        // The chains come from both ends in turn. The first, number 0, is from the end that began.
        let number = self.ratchet.newest_receiver()?;
        Some(if number % 2 == 0 { End::Theirs } else { End::Ours })
    }

    /// Takes the peer's identity key from the session's keys, if the peer began the session.
    pub(crate) fn find_peer(&mut self) {
        if self.initiator() == Some(End::Theirs) {
            self.their_identity_key = Some(Box::new(self.keys.identity_key));
        }
    }

    /// Whether everything in the state that shows who began the session agrees.
    fn initiator_is_consistent(&self) -> bool {
        let initiator = self.initiator();
        let known_is = |key| self.their_identity_key.as_deref().is_none_or(|known| *known == key);
        (!self.is_unread() || initiator == Some(End::Theirs))
            && (initiator != Some(End::Theirs) || known_is(self.keys.identity_key))
    }
}

impl Session {
    pub(crate) fn new(
        keys: SessionKeys,
        their_identity_key: Curve25519PublicKey,
        version: MessageVersion,
        ratchet: DoubleRatchet,
    ) -> Self {
        Self::from_state(SessionState {
            keys,
            their_identity_key: Some(Box::new(their_identity_key)),
            version,
            received: false,
            generation: 0,
            ratchet,
        })
    }

    pub(crate) fn from_state(state: SessionState) -> Self {
        Self { state: Box::new(state), their_point: None }
    }

    pub(crate) const fn state(&self) -> &SessionState {
        &self.state
    }

    /// Restores a state from a pickle, if it is one that a session can be in.
    pub(crate) fn restore(state: SessionState) -> Result<Self, PickleError> {
        // Without a decrypted message, a session has at most one chain of the peer: that of the
        // message from which it was made.
        let chains = state.ratchet.receivers.len();
        let received_fits = if state.received { chains > 0 } else { chains <= 1 };
        if state.ratchet.is_consistent() && received_fits && state.initiator_is_consistent() {
            Ok(Self::from_state(state))
        } else {
            Err(PickleError::InvalidState)
        }
    }

    fn changed(&mut self) {
        self.state.generation = self.state.generation.saturating_add(1);
    }

    /// A number that grows with every change and is part of the pickle (S-35). A store that
    /// remembers the highest one it has written can detect that it was rolled back.
    #[must_use]
    pub const fn generation(&self) -> u64 {
        self.state.generation
    }

    /// The id of the session, the same at both ends (43 characters). Each call hashes the three
    /// keys and allocates the text: keep it where you look up sessions by it.
    #[must_use]
    pub fn session_id(&self) -> String {
        self.state.keys.session_id()
    }

    /// The three public keys that the session was made from.
    #[must_use]
    pub const fn session_keys(&self) -> &SessionKeys {
        &self.state.keys
    }

    /// The peer's identity key. It is `None` only for a session that was read from a format without
    /// this key, until [`set_identity_keys`](Self::set_identity_keys) is called.
    #[must_use]
    pub fn their_identity_key(&self) -> Option<Curve25519PublicKey> {
        self.state.their_identity_key.as_deref().copied()
    }

    /// States which two devices share this session, if it was read from a format without the peer's
    /// identity key (S-41). `ours` are the keys of the account that the session belongs to, and
    /// `theirs` is the Curve25519 identity key under which the old store filed the session. Until
    /// they are given, no payload of the session can be verified.
    ///
    /// The keys are compared with [`session_keys`](Self::session_keys), which names the device that
    /// began the session. If that device is ours, `theirs` is taken from the caller; nothing in the
    /// session can confirm it. Otherwise `theirs` must be that device. A key that is already known
    /// does not change: giving it again is accepted and does nothing.
    ///
    /// `ours` has another type than `theirs`, so that the two cannot be given in the wrong order.
    ///
    /// ```
    /// # use moceril::olm::{Account, PreKeyBundle, Session};
    /// # let account = Account::new()?;
    /// # let mut bob = Account::new()?;
    /// # bob.generate_one_time_keys(1)?;
    /// # let (_, one_time_key) = bob.signed_one_time_keys()[0];
    /// # let bundle = PreKeyBundle::verify(bob.identity_keys(), &one_time_key)?;
    /// # let old = account.create_outbound_session(&bundle)?;
    /// # let (pickle, key, sender_key) =
    /// #     (old.to_libolm_pickle_lossy(b"key")?.0, b"key", bob.curve25519_key());
    /// let mut session = Session::from_libolm_pickle(&pickle, key)?;
    /// assert_eq!(session.their_identity_key(), None);
    /// session.set_identity_keys(account.identity_keys(), sender_key)?;
    /// assert_eq!(session.their_identity_key(), Some(sender_key));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`IdentityKeysError`]; the session is unchanged.
    pub fn set_identity_keys(
        &mut self,
        ours: IdentityKeys,
        theirs: Curve25519PublicKey,
    ) -> Result<(), IdentityKeysError> {
        let known = self.their_identity_key();
        if known.is_some_and(|known| known != theirs) {
            return Err(IdentityKeysError::AnotherPeer);
        }
        // A device that talks to itself has the same key at both ends, and passes as either.
        let initiator = self.state.keys.identity_key;
        let ours_fits = ours.curve25519 == initiator;
        let theirs_fits = theirs == initiator;
        let fits = match self.state.initiator() {
            Some(End::Ours) => ours_fits,
            Some(End::Theirs) => theirs_fits,
            None => ours_fits || theirs_fits,
        };
        if !fits {
            return Err(IdentityKeysError::AnotherSession);
        }
        if known.is_none() {
            self.state.their_identity_key = Some(Box::new(theirs));
            self.changed();
        }
        Ok(())
    }

    /// The version of the session's messages.
    #[must_use]
    pub const fn version(&self) -> MessageVersion {
        self.state.version
    }

    /// How much the session remembers for late messages.
    #[must_use]
    pub const fn limits(&self) -> &Limits {
        &self.state.ratchet.limits
    }

    /// Changes how much the session remembers. Lowering a limit immediately drops what lies
    /// beyond it.
    pub fn set_limits(&mut self, limits: Limits) {
        self.state.ratchet.set_limits(limits);
        self.changed();
    }

    /// How many keys of messages that had not arrived have been dropped so far, to stay within the
    /// limits. If it grows, late messages may have become unreadable: consider higher [`Limits`].
    #[must_use]
    pub const fn evicted_keys(&self) -> u64 {
        self.state.ratchet.evicted_keys
    }

    /// Whether a message from the peer was decrypted, which shows that the peer has the session,
    /// too.
    #[must_use]
    pub const fn has_received_message(&self) -> bool {
        self.state.received
    }

    /// Whether a pre-key message belongs to this session. If so, decrypt it here; do not create
    /// another session from it.
    #[must_use]
    pub fn matches(&self, message: &PreKeyMessage) -> bool {
        *message.session_keys() == self.state.keys
    }

    /// Encrypts a message. It is a pre-key message until the peer has answered.
    ///
    /// Save the session before you send the message: a message key must not be used twice.
    ///
    /// # Errors
    ///
    /// [`EncryptionError`]; the session is unchanged.
    #[cfg(feature = "std")]
    pub fn encrypt(&mut self, plaintext: impl AsRef<[u8]>) -> Result<OlmMessage, EncryptionError> {
        self.encrypt_with_rng(plaintext, &mut rng::system())
    }

    /// Like `encrypt`, but with the caller's source of randomness, which gives 32 bytes for a new
    /// ratchet key if this message begins a new chain, else nothing.
    ///
    /// # Errors
    ///
    /// [`EncryptionError`]; the session is unchanged.
    pub fn encrypt_with_rng<R: TryCryptoRng + ?Sized>(
        &mut self,
        plaintext: impl AsRef<[u8]>,
        rng: &mut R,
    ) -> Result<OlmMessage, EncryptionError> {
        let plaintext = plaintext.as_ref();
        let message = wiped_below::<SHALLOW, _>(|| {
            let key = self.take_message_key(rng)?;
            Ok::<_, EncryptionError>(encrypt_with(&key, self.state.version, plaintext))
        })?;
        Ok(if self.state.received {
            OlmMessage::Normal(message)
        } else {
            OlmMessage::PreKey(PreKeyMessage::wrap(self.state.keys, message))
        })
    }

    pub(crate) fn take_message_key<R>(&mut self, rng: &mut R) -> Result<MessageKey, EncryptionError>
    where
        R: TryCryptoRng + ?Sized,
    {
        let key = self.state.ratchet.next_message_key(self.their_point.as_deref(), rng)?;
        self.their_point = None;
        self.changed();
        Ok(key)
    }

    /// Decrypts a message from the peer. Messages may arrive in any order, within the [`Limits`].
    ///
    /// # Errors
    ///
    /// [`DecryptionError`]; the session is unchanged.
    pub fn decrypt(&mut self, message: &OlmMessage) -> Result<DecryptedMessage, DecryptionError> {
        // S-09: the outer keys are not covered by the MAC, so they must be the session's.
        if message.as_pre_key().is_some_and(|message| !self.matches(message)) {
            return Err(DecryptionError::SessionKeysMismatch);
        }
        wiped_below::<MEDIUM, _>(|| self.decrypt_inner(message.inner()))
    }

    pub(crate) fn decrypt_inner(
        &mut self,
        message: &Message,
    ) -> Result<DecryptedMessage, DecryptionError> {
        let state = &mut *self.state;
        if message.version() != state.version {
            return Err(DecryptionError::VersionMismatch);
        }
        let (key, change) = state.ratchet.plan(&message.ratchet_key(), message.chain_index())?;
        let (plaintext, change) = cbc_hmac::open(
            key.as_bytes(),
            Purpose::Olm,
            &message.sealed(),
            state.version.mac_length(),
            change,
        )
        .map_err(|cbc_hmac::Forged| DecryptionError::Authentication)?;
        if let Some(their_point) = state.ratchet.commit(change) {
            self.their_point = Some(their_point);
        }
        state.received = true;
        self.changed();
        let parts = DecryptedMessageParts {
            plaintext,
            sender_key: self.their_identity_key(),
            session_keys: self.state.keys,
        };
        Ok(DecryptedMessage { parts })
    }

    /// Text for logs and bug reports, to find out why two ends disagree (S-35): indices, counts and
    /// the beginnings of public keys, but nothing secret.
    #[must_use]
    pub fn describe(&self) -> String {
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _ = self.write_description(&mut text);
        text
    }

    fn write_description(&self, text: &mut String) -> fmt::Result {
        let state = &*self.state;
        let ratchet = &state.ratchet;
        write!(text, "session {}", prefix(&self.session_id()))?;
        write!(text, ", version {}, received {}", state.version.byte(), state.received)?;
        write!(text, ", generation {}", state.generation)?;
        match &ratchet.sender {
            Some(sender) => {
                let key = sender.ratchet_key.public().to_base64();
                write!(text, ", sending {} at {}", prefix(&key), sender.chain_key.index)?;
            }
            None => text.write_str(", next message begins a chain")?,
        }
        for chain in ratchet.receivers.iter().rev() {
            let key = chain.ratchet_key.to_base64();
            write!(text, ", receiving {} at {}", prefix(&key), chain.chain_key.index)?;
            if !chain.skipped.is_empty() {
                write!(text, " missing {}", chain.skipped.len())?;
            }
            if chain.evicted_below > 0 {
                write!(text, " evicted below {}", chain.evicted_below)?;
            }
        }
        write!(text, ", evicted {} keys", ratchet.evicted_keys)
    }
}

/// Encrypts the one message that this key is for.
pub(crate) fn encrypt_with(key: &MessageKey, version: MessageVersion, plaintext: &[u8]) -> Message {
    Message::encode(version, key.ratchet_key, key.index, plaintext.len(), |header| {
        cbc_hmac::seal(key.key.as_bytes(), Purpose::Olm, header, plaintext, version.mac_length())
    })
}

/// Enough of a public key to recognize it by.
fn prefix(key: &str) -> &str {
    key.get(..8).unwrap_or(key)
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Session({})", self.describe())
    }
}
