//! The parts of an Olm session as separate functions. Only with the feature `hazmat`.
//!
//! These functions make no checks for the caller: a message key used twice, or a session made from
//! keys that somebody else knows, protects nothing.

use alloc::vec::Vec;
use core::{cmp::Reverse, fmt};

use rand::TryCryptoRng;

#[cfg(feature = "std")]
use crate::primitives::rng;
use crate::{
    error::{EncryptionError, SessionCreationError},
    keys::{Curve25519KeyPair, Curve25519PublicKey, KeyId},
    olm::{
        account::Account,
        session::{Session, SessionConfig, SessionState, encrypt_with},
    },
    primitives::{
        secret::Secret,
        stack::{MEDIUM, wiped_below},
    },
    ratchet::{
        double::{self, DoubleRatchet},
        handshake::RootAndChain,
    },
    wire::{
        MessageVersion,
        olm::{Message, PreKeyMessage, SessionKeys},
    },
};

/// `M_i,j` with what the message must say: `T_i` and `j`.
pub struct MessageKey(double::MessageKey);

impl MessageKey {
    /// Makes a message key from its parts.
    #[must_use]
    pub fn new(key: [u8; 32], ratchet_key: Curve25519PublicKey, index: u32) -> Self {
        Self(double::MessageKey { ratchet_key, index, key: Secret::new(key) })
    }

    /// The 32 bytes of the key.
    #[must_use]
    pub const fn key(&self) -> &[u8; 32] {
        self.0.key.as_bytes()
    }

    /// The ratchet key of the message's chain.
    #[must_use]
    pub const fn ratchet_key(&self) -> Curve25519PublicKey {
        self.0.ratchet_key
    }

    /// The index of the message in its chain.
    #[must_use]
    pub const fn index(&self) -> u32 {
        self.0.index
    }

    /// Encrypts the one message that this key is for.
    #[must_use]
    pub fn encrypt(self, version: MessageVersion, plaintext: impl AsRef<[u8]>) -> Message {
        encrypt_with(&self.0, version, plaintext.as_ref())
    }
}

impl fmt::Debug for MessageKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MessageKey")
            .field("ratchet_key", &self.ratchet_key())
            .field("index", &self.index())
            .finish_non_exhaustive()
    }
}

/// The keys that the next messages we send come from. All are secret.
pub struct SendingState {
    root_key: Secret<32>,
    chain_key: Secret<32>,
    chain_index: u64,
    ratchet_key: Secret<32>,
}

impl SendingState {
    /// `R_i`
    #[must_use]
    pub const fn root_key(&self) -> &[u8; 32] {
        self.root_key.as_bytes()
    }

    /// `C_i,j`
    #[must_use]
    pub const fn chain_key(&self) -> &[u8; 32] {
        self.chain_key.as_bytes()
    }

    /// `j`, the index of the next message; 2^32 when all are used.
    #[must_use]
    pub const fn chain_index(&self) -> u64 {
        self.chain_index
    }

    /// The private half of `T_i`.
    #[must_use]
    pub const fn ratchet_key(&self) -> &[u8; 32] {
        self.ratchet_key.as_bytes()
    }
}

impl fmt::Debug for SendingState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SendingState")
            .field("chain_index", &self.chain_index)
            .finish_non_exhaustive()
    }
}

/// Where the chains of a session stand.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ChainIndices {
    /// The index of the next message we send in our chain; `None` if that message begins a new
    /// chain.
    pub sending: Option<u64>,
    /// The next index of each of the peer's chains, newest chain first.
    pub receiving: Vec<u64>,
    /// The indices of the messages whose keys are stored, last stored first, whatever their chains.
    pub skipped: Vec<u32>,
}

impl Session {
    /// Where the chains of the session stand.
    #[must_use]
    pub fn chain_indices(&self) -> ChainIndices {
        let ratchet = &self.state().ratchet;
        let mut skipped: Vec<_> = ratchet.skipped_keys().collect();
        skipped.sort_unstable_by_key(|key| Reverse(key.serial));
        ChainIndices {
            sending: ratchet.sender.as_ref().map(|sender| sender.chain_key.index),
            receiving: ratchet.receivers.iter().rev().map(|chain| chain.chain_key.index).collect(),
            skipped: skipped.into_iter().map(|key| key.index).collect(),
        }
    }

    /// Makes a session that sends first, from keys that were agreed upon without Olm's handshake.
    /// The `session_keys` appear only in messages and in the session's id.
    #[must_use]
    pub fn from_root_key_material(
        config: SessionConfig,
        session_keys: SessionKeys,
        root_key: [u8; 32],
        chain_key: [u8; 32],
        ratchet_key: [u8; 32],
    ) -> Self {
        let ratchet_key = Curve25519KeyPair::from_secret_bytes(&Secret::new(ratchet_key));
        let keys = RootAndChain { root: Secret::new(root_key), chain: Secret::new(chain_key) };
        Self::from_state(SessionState {
            keys: session_keys,
            their_identity_key: None,
            version: config.version,
            received: false,
            generation: 0,
            ratchet: DoubleRatchet::initiator(keys, ratchet_key, config.limits),
        })
    }

    /// The keys that the next messages come from; `None` if the next message begins a new chain.
    #[must_use]
    pub fn sending_state(&self) -> Option<SendingState> {
        let ratchet = &self.state().ratchet;
        let sender = ratchet.sender.as_ref()?;
        Some(SendingState {
            root_key: ratchet.root.clone(),
            chain_key: sender.chain_key.key.clone(),
            chain_index: sender.chain_key.index,
            ratchet_key: Secret::new(*sender.ratchet_key.secret().as_bytes()),
        })
    }

    /// Takes the key of the next message out of the session, as if the message had been sent.
    ///
    /// # Errors
    ///
    /// [`EncryptionError`]; the session is unchanged.
    #[cfg(feature = "std")]
    pub fn next_message_key(&mut self) -> Result<MessageKey, EncryptionError> {
        self.next_message_key_with_rng(&mut rng::system())
    }

    /// Like `next_message_key`, but with the caller's source of randomness, which gives 32 bytes
    /// for a new ratchet key if this message begins a new chain, else nothing.
    ///
    /// # Errors
    ///
    /// [`EncryptionError`]; the session is unchanged.
    pub fn next_message_key_with_rng<R>(
        &mut self,
        rng: &mut R,
    ) -> Result<MessageKey, EncryptionError>
    where
        R: TryCryptoRng + ?Sized,
    {
        self.take_message_key(rng).map(MessageKey)
    }
}

impl Message {
    /// Length in bytes of a message whose plaintext has `plaintext_length` bytes.
    #[must_use]
    pub const fn length(
        version: MessageVersion,
        chain_index: u32,
        plaintext_length: usize,
    ) -> usize {
        Self::encoded_length(version, chain_index, plaintext_length)
    }
}

impl PreKeyMessage {
    /// Length in bytes of a pre-key message around a message of `message_length` bytes.
    #[must_use]
    pub const fn length(message_length: usize) -> usize {
        Self::encoded_length(message_length)
    }

    /// Wraps a message in the keys of its session.
    #[must_use]
    pub fn from_parts(session_keys: SessionKeys, message: Message) -> Self {
        Self::wrap(session_keys, message)
    }
}

impl Account {
    /// Makes the session that a pre-key message asks for, **without decrypting the message**:
    /// nothing shows yet that it is authentic, and the account keeps the one-time key. Decrypt the
    /// message with the session, and only then [remove](Account::remove_one_time_key) the key. A
    /// fallback key recognizes sessions that it remembers, but does not remember this one.
    ///
    /// Prefer [`create_inbound_session`](Account::create_inbound_session), which does all of these
    /// steps or none (S-05).
    ///
    /// # Errors
    ///
    /// [`SessionCreationError`].
    pub fn create_inbound_session_unread(
        &self,
        their_identity_key: Curve25519PublicKey,
        message: &PreKeyMessage,
        config: SessionConfig,
    ) -> Result<Session, SessionCreationError> {
        wiped_below::<MEDIUM, _>(|| {
            self.respond(their_identity_key, message, config).map(|(_, session)| session)
        })
    }

    /// Removes a one-time key and returns its private half. A message made with it can no longer be
    /// read.
    pub fn take_one_time_key(&mut self, id: KeyId) -> Option<[u8; 32]> {
        self.remove_stored_key(id).map(|key| *key.pair.secret().as_bytes())
    }
}
