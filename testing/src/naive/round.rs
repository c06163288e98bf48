//! One round of an Olm conversation: the key derivations of the double ratchet.

use super::crypto::{DEFAULT_SALT, MessageCipher, ecdh, hkdf, hmac};
use super::olm::{HORIZON, NaiveError};

/// A message key `M_{i,j}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageKey {
    Available([u8; 32]),
    Used,
}

/// Round `i` of a conversation: one side's ratchet key, and all messages sent under it.
///
/// Alice, who started the session, owns the even rounds, Bob the odd ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Round {
    /// `R_i`.
    root_key: [u8; 32],
    /// `T_i`, its public part.
    pub ratchet_key: [u8; 32],
    /// `T_i`, its secret part, when the round is ours.
    ratchet_secret: Option<[u8; 32]>,
    /// `C_{i,j}`, where `j` is the number of message keys below.
    chain_key: [u8; 32],
    /// `M_{i,0}` to `M_{i,j-1}`.
    pub message_keys: Vec<MessageKey>,
}

impl Round {
    // olm.md, "Initial setup": R_0 || C_{0,0} = HKDF(0, S, "OLM_ROOT", 64)
    pub fn first(
        shared_secret: [[u8; 32]; 3],
        ratchet_key: [u8; 32],
        ratchet_secret: Option<[u8; 32]>,
    ) -> Self {
        let keys = hkdf(&DEFAULT_SALT, &shared_secret.concat(), b"OLM_ROOT");
        Self::new(keys, ratchet_key, ratchet_secret)
    }

    // olm.md, "Advancing the root key": R_i || C_{i,0} = HKDF(R_{i-1}, ECDH(T_{i-1}, T_i),
    // "OLM_RATCHET", 64)
    pub fn after(previous: &Self, ratchet_key: [u8; 32], ratchet_secret: Option<[u8; 32]>) -> Self {
        let shared_secret = match (previous.ratchet_secret, ratchet_secret) {
            (Some(ours), None) => ecdh(&ours, &ratchet_key),
            (None, Some(ours)) => ecdh(&ours, &previous.ratchet_key),
            _ => panic!("the two sides take turns"),
        };
        let keys = hkdf(&previous.root_key, &shared_secret, b"OLM_RATCHET");
        Self::new(keys, ratchet_key, ratchet_secret)
    }

    fn new(keys: [u8; 64], ratchet_key: [u8; 32], ratchet_secret: Option<[u8; 32]>) -> Self {
        Self {
            root_key: keys[..32].try_into().unwrap(),
            ratchet_key,
            ratchet_secret,
            chain_key: keys[32..].try_into().unwrap(),
            message_keys: Vec::new(),
        }
    }

    pub fn is_ours(&self) -> bool {
        self.ratchet_secret.is_some()
    }

    pub fn next_index(&self) -> u32 {
        self.message_keys.len().try_into().unwrap()
    }

    fn advance(&mut self) {
        // olm.md, "Creating a message key": M_{i,j} = HMAC(C_{i,j}, "\x01")
        let message_key = hmac(&self.chain_key, b"\x01");
        self.message_keys.push(MessageKey::Available(message_key));
        // olm.md, "Advancing the chain key": C_{i,j} = HMAC(C_{i,j-1}, "\x02")
        self.chain_key = hmac(&self.chain_key, b"\x02");
    }

    /// The cipher of message `index`, after advancing to it if need be. Its key is used up.
    pub fn take_cipher(&mut self, index: u32) -> Result<MessageCipher, NaiveError> {
        if index > self.next_index() + HORIZON {
            return Err(NaiveError::BeyondHorizon);
        }
        while index >= self.next_index() {
            self.advance();
        }
        let position = usize::try_from(index).unwrap();
        match std::mem::replace(&mut self.message_keys[position], MessageKey::Used) {
            MessageKey::Available(message_key) => Ok(MessageCipher::olm(&message_key)),
            MessageKey::Used => Err(NaiveError::AlreadyUsed),
        }
    }
}
