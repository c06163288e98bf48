//! The expected behaviour of a session: that of the textbook oracle, within the limits of S-22.

use moceril::olm::{DecryptionError, Limits};

use super::packet::{Content, Packet};
use crate::naive::olm::{NaiveError, NaiveSession};

/// The textbook session with unlimited memory, and a record of what a session with limits still
/// knows.
#[derive(Clone)]
pub struct Reference {
    pub textbook: NaiveSession,
    version: u8,
    limits: Numbers,
    /// Every chain of the peer, also those that are dropped, oldest first.
    chains: Vec<Chain>,
}

/// Limits as plain numbers.
#[derive(Clone, Copy, Debug)]
pub struct Numbers {
    skipped_keys: usize,
    message_gap: u32,
    chains: usize,
    remembered_chains: usize,
}

impl Numbers {
    pub const DEFAULT: Self =
        Self { skipped_keys: 40, message_gap: 2_000, chains: 5, remembered_chains: 16 };
    pub const RAISED: Self =
        Self { skipped_keys: 64, message_gap: 2_500, chains: 7, remembered_chains: 16 };

    /// S-45: why a first message is refused before anything is computed.
    pub fn check_first(self, index: u32) -> Result<(), DecryptionError> {
        let maximum = self.message_gap;
        if index > maximum { Err(DecryptionError::TooFarAhead { index, maximum }) } else { Ok(()) }
    }

    pub fn to_limits(self) -> Limits {
        Limits::default()
            .with_skipped_keys(self.skipped_keys.try_into().unwrap())
            .with_message_gap(self.message_gap)
            .with_receiver_chains(self.chains.try_into().unwrap())
    }
}

/// What is known of one chain of the peer.
#[derive(Clone, Debug)]
struct Chain {
    ratchet_key: [u8; 32],
    next: u32,
    /// Keys that are stored, in ascending order.
    stored: Vec<u32>,
    /// One more than the highest index whose key was dropped.
    dropped_below: u32,
}

impl Chain {
    fn new(ratchet_key: [u8; 32]) -> Self {
        Self { ratchet_key, next: 0, stored: Vec::new(), dropped_below: 0 }
    }

    fn judge(&self, index: u32, limits: Numbers) -> Result<(), DecryptionError> {
        let maximum = self.next + limits.message_gap;
        if index > maximum {
            Err(DecryptionError::TooFarAhead { index, maximum })
        } else if index >= self.next || self.stored.contains(&index) {
            Ok(())
        } else if index < self.dropped_below {
            Err(DecryptionError::Evicted)
        } else {
            Err(DecryptionError::AlreadyUsed)
        }
    }

    fn accept(&mut self, index: u32, limits: Numbers) {
        self.stored.extend(self.next..index);
        self.stored.retain(|stored| *stored != index);
        self.next = self.next.max(index + 1);
        while self.stored.len() > limits.skipped_keys {
            self.dropped_below = self.stored.remove(0) + 1;
        }
    }
}

impl Reference {
    /// Alice's, who knows no chain of her peer yet.
    pub fn outbound(textbook: NaiveSession, version: u8, limits: Numbers) -> Self {
        Self { textbook, version, limits, chains: Vec::new() }
    }

    /// Bob's, who knows the chain of the message that his session is made from.
    pub fn inbound(
        textbook: NaiveSession,
        version: u8,
        limits: Numbers,
        ratchet_key: [u8; 32],
    ) -> Self {
        Self { textbook, version, limits, chains: vec![Chain::new(ratchet_key)] }
    }

    /// The plaintext that has to come out and the state that has to follow, or the error.
    pub fn receive(
        &self,
        packet: &Packet,
        content: &Content,
    ) -> Result<(Vec<u8>, Self), DecryptionError> {
        if content.keys.is_some_and(|keys| keys != self.textbook.keys()) {
            return Err(DecryptionError::SessionKeysMismatch);
        }
        if content.message.version != self.version {
            return Err(DecryptionError::VersionMismatch);
        }
        let (ratchet_key, index) = (content.message.ratchet_key, content.message.chain_index);
        let mut next = self.clone();
        let verdict = next.textbook.decrypt(packet.message_type, &packet.bytes);
        let judgement = self.judge(ratchet_key, index);
        if judgement == Err(DecryptionError::AlreadyUsed) {
            assert_eq!(verdict, Err(NaiveError::AlreadyUsed), "the record of used keys is wrong");
        }
        judgement?;
        match verdict {
            Ok(plaintext) => {
                next.accept(ratchet_key, index);
                Ok((plaintext, next))
            }
            Err(NaiveError::BadMac | NaiveError::UnknownChain) => {
                Err(DecryptionError::Authentication)
            }
            Err(error) => panic!("the record says that the key is there, the textbook: {error:?}"),
        }
    }

    /// What stands in the way of decrypting an authentic message.
    fn judge(&self, ratchet_key: [u8; 32], index: u32) -> Result<(), DecryptionError> {
        let newer_chains =
            self.chains.iter().rev().position(|chain| chain.ratchet_key == ratchet_key);
        match newer_chains {
            Some(newer) if newer < self.limits.chains => {
                self.chains[self.chains.len() - 1 - newer].judge(index, self.limits)
            }
            Some(newer) if newer < self.limits.chains + self.limits.remembered_chains => {
                Err(DecryptionError::Evicted)
            }
            // Not known (any more), so it is taken for a new chain, which only a sender chain of
            // ours permits.
            forgotten => {
                if !self.textbook.needs_ratchet_secret() {
                    Chain::new(ratchet_key).judge(index, self.limits)?;
                }
                forgotten.map_or(Ok(()), |_| Err(DecryptionError::Authentication))
            }
        }
    }

    fn accept(&mut self, ratchet_key: [u8; 32], index: u32) {
        if self.chains.iter().all(|chain| chain.ratchet_key != ratchet_key) {
            self.chains.push(Chain::new(ratchet_key));
        }
        let limits = self.limits;
        let chain = self.chains.iter_mut().find(|chain| chain.ratchet_key == ratchet_key);
        chain.unwrap().accept(index, limits);
    }
}
