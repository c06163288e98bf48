//! Olm with unlimited memory: every round of the conversation and every message key is kept
//! forever.

use super::codec::{self, SessionKeys};
use super::crypto::{ecdh, x25519_public};
use super::round::{MessageKey, Round};

/// How far ahead of a chain a message may be before the oracle gives no verdict but
/// [`NaiveError::BeyondHorizon`].
///
/// Without it, one forged index near 2^32 would cost hours. It is far above what any implementation
/// allows, so such a message has to be refused by all of them.
pub const HORIZON: u32 = 100_000;

/// Why a message was not decrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NaiveError {
    /// Not a message of this type and of the session's version.
    Format,
    /// A pre-key message for another one-time key than the given one.
    UnknownOneTimeKey,
    /// The ratchet key is new, and we have not sent since the other side last changed it: no honest
    /// partner can have started this chain, and we have no ratchet secret to derive it with.
    UnknownChain,
    /// The message key was used before.
    AlreadyUsed,
    /// More than [`HORIZON`] messages ahead.
    BeyondHorizon,
    /// The MAC is wrong, or the padding of the plaintext under a good MAC.
    BadMac,
}

/// One party's view of a conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NaiveSession {
    version: u8,
    keys: SessionKeys,
    /// Round 0 to the current one.
    rounds: Vec<Round>,
}

impl NaiveSession {
    /// Alice's session, ready to send. `version` is 3 (MAC of 8 bytes) or 4 (32 bytes).
    pub fn outbound(
        version: u8,
        my_identity_secret: [u8; 32],
        their_identity_public: [u8; 32],
        their_one_time_public: [u8; 32],
        base_secret: [u8; 32],
        ratchet_secret: [u8; 32],
    ) -> Self {
        // olm.md, "Initial setup": S = ECDH(I_A, E_B) || ECDH(E_A, I_B) || ECDH(E_A, E_B)
        let shared_secret = [
            ecdh(&my_identity_secret, &their_one_time_public),
            ecdh(&base_secret, &their_identity_public),
            ecdh(&base_secret, &their_one_time_public),
        ];
        let ratchet_key = x25519_public(&ratchet_secret);
        Self {
            version,
            keys: SessionKeys {
                one_time_key: their_one_time_public,
                base_key: x25519_public(&base_secret),
                identity_key: x25519_public(&my_identity_secret),
            },
            rounds: vec![Round::first(shared_secret, ratchet_key, Some(ratchet_secret))],
        }
    }

    /// Bob's session. The message is not decrypted yet: give it to [`NaiveSession::decrypt`].
    pub fn inbound(
        version: u8,
        my_identity_secret: [u8; 32],
        my_one_time_secret: [u8; 32],
        pre_key_message: &[u8],
    ) -> Result<Self, NaiveError> {
        let pre_key = codec::decode_pre_key(pre_key_message).ok_or(NaiveError::Format)?;
        let keys = pre_key.keys;
        if pre_key.message.version != version {
            return Err(NaiveError::Format);
        }
        if keys.one_time_key != x25519_public(&my_one_time_secret) {
            return Err(NaiveError::UnknownOneTimeKey);
        }
        // olm.md, "Initial setup": S = ECDH(I_A, E_B) || ECDH(E_A, I_B) || ECDH(E_A, E_B)
        let shared_secret = [
            ecdh(&my_one_time_secret, &keys.identity_key),
            ecdh(&my_identity_secret, &keys.base_key),
            ecdh(&my_one_time_secret, &keys.base_key),
        ];
        Ok(Self {
            version,
            keys,
            rounds: vec![Round::first(shared_secret, pre_key.message.ratchet_key, None)],
        })
    }

    /// Encrypts with the next message key and returns the message's type (0 pre-key, 1 normal) and
    /// bytes. `new_ratchet_secret` is used only if [`NaiveSession::needs_ratchet_secret`].
    pub fn encrypt(&mut self, plaintext: &[u8], new_ratchet_secret: [u8; 32]) -> (usize, Vec<u8>) {
        if self.needs_ratchet_secret() {
            let new_ratchet_key = x25519_public(&new_ratchet_secret);
            let round = Round::after(self.last(), new_ratchet_key, Some(new_ratchet_secret));
            self.rounds.push(round);
        }
        let round = self.rounds.last_mut().unwrap();
        let index = round.next_index();
        let cipher = round.take_cipher(index).expect("the next key is new");

        let ciphertext = cipher.encrypt(plaintext);
        let mut bytes = codec::encode_normal(self.version, &round.ratchet_key, index, &ciphertext);
        bytes.extend(cipher.mac(self.version, &bytes));

        // olm.md, "Sending normal messages": the compact form, once a message was received.
        if self.has_received() {
            (1, bytes)
        } else {
            (0, codec::encode_pre_key(&self.keys, &bytes))
        }
    }

    /// Decrypts a message of either type. Nothing changes when that fails.
    pub fn decrypt(&mut self, message_type: usize, bytes: &[u8]) -> Result<Vec<u8>, NaiveError> {
        let mut attempt = self.clone();
        let plaintext = attempt.receive(message_type, bytes)?;
        *self = attempt;
        Ok(plaintext)
    }

    fn receive(&mut self, message_type: usize, bytes: &[u8]) -> Result<Vec<u8>, NaiveError> {
        let message = match message_type {
            0 => codec::decode_pre_key(bytes).map(|pre_key| pre_key.message),
            1 => codec::decode_normal(bytes),
            _ => None,
        };
        let message =
            message.filter(|message| message.version == self.version).ok_or(NaiveError::Format)?;

        // olm.md, "Receiving messages": find the receiver chain by its ratchet key, or compute a
        // new one.
        if self.receiving_round(&message.ratchet_key).is_none() {
            if !self.last().is_ours() {
                return Err(NaiveError::UnknownChain);
            }
            let round = Round::after(self.last(), message.ratchet_key, None);
            self.rounds.push(round);
        }
        let position = self.receiving_round(&message.ratchet_key).unwrap();
        let cipher = self.rounds[position].take_cipher(message.chain_index)?;

        if cipher.mac(self.version, &message.authenticated) != message.mac {
            return Err(NaiveError::BadMac);
        }
        cipher.decrypt(&message.ciphertext).ok_or(NaiveError::BadMac)
    }

    /// Whether the next [`NaiveSession::encrypt`] starts a new sender chain.
    pub fn needs_ratchet_secret(&self) -> bool {
        !self.last().is_ours()
    }

    /// Whether a chain of the other side is known.
    pub fn has_received(&self) -> bool {
        self.rounds.iter().any(|round| !round.is_ours())
    }

    /// The keys that name the session; an implementation refuses pre-key messages with others.
    pub fn keys(&self) -> SessionKeys {
        self.keys
    }

    /// The other side's ratchet keys, oldest first, each with the first index whose message key was
    /// not computed yet. Every message key before that index is available or used.
    pub fn receiving_chains(&self) -> Vec<([u8; 32], u32)> {
        self.rounds
            .iter()
            .filter(|round| !round.is_ours())
            .map(|round| (round.ratchet_key, round.next_index()))
            .collect()
    }

    /// Our current ratchet key and the index of the next message we send with it, unless a new one
    /// is needed.
    pub fn sending_chain(&self) -> Option<([u8; 32], u32)> {
        let round = self.last();
        round.is_ours().then(|| (round.ratchet_key, round.next_index()))
    }

    /// A message key of a receiving chain, if it was computed.
    pub fn message_key(&self, ratchet_key: &[u8; 32], index: u32) -> Option<MessageKey> {
        let round = &self.rounds[self.receiving_round(ratchet_key)?];
        round.message_keys.get(usize::try_from(index).unwrap()).copied()
    }

    fn last(&self) -> &Round {
        self.rounds.last().expect("there always is a round 0")
    }

    fn receiving_round(&self, ratchet_key: &[u8; 32]) -> Option<usize> {
        self.rounds.iter().position(|round| !round.is_ours() && round.ratchet_key == *ratchet_key)
    }
}
