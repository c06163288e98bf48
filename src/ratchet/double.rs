//! The double ratchet of Olm. Spec: olm.md, "Advancing the root key", "Sending normal messages" and
//! "Receiving messages". `R`, `C`, `T` and `M` are its letters.

use alloc::{boxed::Box, vec::Vec};

use rand::TryCryptoRng;

use super::{
    chain::{ChainKey, ChainStep, Limits, ReceiverChain, SkippedKey},
    handshake::RootAndChain,
};
use crate::{
    error::{DecryptionError, EncryptionError},
    keys::{Curve25519KeyPair, Curve25519PublicKey},
    primitives::{
        curve25519::NonContributory,
        seal::Authenticated,
        secret::{Apart, Secret, SecretList},
        x25519::Peer,
    },
};

/// Our sender chain: `T_i` with its private half, and the next `C_i,j`.
#[derive(Clone)]
pub(crate) struct SenderChain {
    pub(crate) ratchet_key: Curve25519KeyPair,
    pub(crate) chain_key: ChainKey,
}

/// The state of an Olm session after its handshake.
#[derive(Clone)]
pub(crate) struct DoubleRatchet {
    /// `R_i`, where `i` counts our chain and the peer's together.
    pub(crate) root: Secret<32>,
    /// `None` after the peer began a new chain: the next message we send begins ours. Then there is at
    /// least one receiver chain.
    pub(crate) sender: Apart<SenderChain>,
    /// The peer's chains, oldest first, with distinct ratchet keys.
    pub(crate) receivers: SecretList<ReceiverChain>,
    /// Ratchet keys of the chains dropped last, oldest first.
    pub(crate) evicted: Vec<Curve25519PublicKey>,
    /// The number of the next skipped key.
    pub(crate) next_serial: u64,
    /// How many skipped keys were dropped to stay within the limits.
    pub(crate) evicted_keys: u64,
    pub(crate) limits: Limits,
    /// The ratchet key of the newest receiver chain, ready for a second multiplication: the first was for
    /// that chain, the second begins ours. Only in memory; dropped when ours has begun.
    pub(crate) their_point: TheirPoint,
}

/// Public and found again from the key, so it is no part of a pickle.
#[derive(Clone, Default)]
pub(crate) struct TheirPoint(Apart<Peer>);

/// What encrypting one message needs.
pub(crate) struct MessageKey {
    pub(crate) ratchet_key: Curve25519PublicKey,
    pub(crate) index: u32,
    pub(crate) key: Secret<32>,
}

/// The change that an authenticated message makes.
pub(crate) enum Change {
    /// In a chain we have, at this place.
    Step { place: usize, step: ChainStep },
    /// The peer began a new chain.
    NewChain { root: Secret<32>, chain: ReceiverChain, step: ChainStep, their_point: TheirPoint },
}

impl DoubleRatchet {
    /// Alice's state: she sends first, in the chain of her `T_0`.
    pub(crate) fn initiator(
        keys: RootAndChain,
        ratchet_key: Curve25519KeyPair,
        limits: Limits,
    ) -> Self {
        let sender = SenderChain { ratchet_key, chain_key: ChainKey::first(keys.chain) };
        Self {
            root: keys.root,
            sender: Some(Box::new(sender)),
            receivers: SecretList::new(),
            evicted: Vec::new(),
            next_serial: 0,
            evicted_keys: 0,
            limits,
            their_point: TheirPoint::default(),
        }
    }

    /// Bob's state: he knows Alice's chain, and her `T_0` from the message.
    pub(crate) fn responder(
        keys: RootAndChain,
        their_ratchet_key: Curve25519PublicKey,
        limits: Limits,
    ) -> Self {
        let mut receivers = SecretList::new();
        receivers.push(ReceiverChain::first(their_ratchet_key, keys.chain));
        Self {
            root: keys.root,
            sender: None,
            receivers,
            evicted: Vec::new(),
            next_serial: 0,
            evicted_keys: 0,
            limits,
            their_point: TheirPoint::default(),
        }
    }

    /// The key for the next message we send, which begins a new chain if we have none. On an error
    /// nothing has changed.
    pub(crate) fn next_message_key<R>(&mut self, rng: &mut R) -> Result<MessageKey, EncryptionError>
    where
        R: TryCryptoRng + ?Sized,
    {
        if self.sender.is_none() {
            let (root, sender) = self.begin_chain(rng)?;
            self.root = root;
            self.sender = Some(Box::new(sender));
            self.their_point = TheirPoint::default();
        }
        // A chain just begun is not exhausted, so this does not fail after the change above.
        let sender = self.sender.as_mut().ok_or(EncryptionError::SessionExhausted)?;
        let (index, key) = sender.chain_key.step().ok_or(EncryptionError::SessionExhausted)?;
        Ok(MessageKey { ratchet_key: sender.ratchet_key.public(), index, key })
    }

    fn begin_chain<R>(&self, rng: &mut R) -> Result<(Secret<32>, SenderChain), EncryptionError>
    where
        R: TryCryptoRng + ?Sized,
    {
        // The checked constructors leave no session with neither a sender nor a receiver chain.
        let their_chain = self.receivers.last().ok_or(EncryptionError::SessionExhausted)?;
        let converted;
        let their_point = match &self.their_point {
            TheirPoint(Some(point)) => point,
            TheirPoint(None) => {
                converted = Peer::new(their_chain.ratchet_key.as_bytes());
                &converted
            }
        };
        let (ratchet_key, agreement) = Curve25519KeyPair::generate_and_agree(their_point, rng)?;
        let agreement = agreement.map_err(|NonContributory| EncryptionError::NonContributoryKey)?;
        let keys = self.advance_root(&agreement);
        Ok((keys.root, SenderChain { ratchet_key, chain_key: ChainKey::first(keys.chain) }))
    }

    /// `R_i || C_i,0 = HKDF(R_i-1, ECDH(T_i-1, T_i), "OLM_RATCHET", 64)`
    fn advance_root(&self, agreement: &Secret<32>) -> RootAndChain {
        RootAndChain::derive(Some(&self.root), agreement.as_bytes(), b"OLM_RATCHET")
    }

    /// The key of a received message, and the change to commit if the message is authentic.
    pub(crate) fn plan(
        &self,
        ratchet_key: &Curve25519PublicKey,
        index: u32,
    ) -> Result<(Secret<32>, Change), DecryptionError> {
        // The newest chain is last, and the likeliest.
        if let Some(place) =
            self.receivers.iter().rposition(|chain| chain.ratchet_key == *ratchet_key)
            && let Some(chain) = self.receivers.get(place)
        {
            let (key, step) = chain.plan(index, self.next_serial, &self.limits)?;
            return Ok((key, Change::Step { place, step }));
        }
        if self.evicted.contains(ratchet_key) {
            return Err(DecryptionError::Evicted);
        }
        // An honest peer begins a chain only in reply to ours, so without ours this is a forgery.
        let sender = self.sender.as_ref().ok_or(DecryptionError::Authentication)?;
        let their_point = Box::new(Peer::new(ratchet_key.as_bytes()));
        let agreement = sender
            .ratchet_key
            .secret()
            .agree_with(&their_point)
            .map_err(|NonContributory| DecryptionError::Authentication)?;
        let keys = self.advance_root(&agreement);
        let chain = ReceiverChain::first(*ratchet_key, keys.chain);
        let (key, step) = chain.plan(index, self.next_serial, &self.limits)?;
        let their_point = TheirPoint(Some(their_point));
        Ok((key, Change::NewChain { root: keys.root, chain, step, their_point }))
    }

    /// Carries out the change of an authentic message.
    pub(crate) fn commit(&mut self, change: Authenticated<Change>) {
        match change.into_inner() {
            Change::Step { place, step } => {
                self.next_serial = step.next_serial(self.next_serial);
                if let Some(chain) = self.receivers.get_mut(place) {
                    let evicted = chain.commit(step, &self.limits);
                    self.evicted_keys = self.evicted_keys.saturating_add(evicted);
                }
            }
            Change::NewChain { root, mut chain, step, their_point } => {
                self.next_serial = step.next_serial(self.next_serial);
                let evicted = chain.commit(step, &self.limits);
                self.evicted_keys = self.evicted_keys.saturating_add(evicted);
                self.root = root;
                self.sender = None;
                self.their_point = their_point;
                self.receivers.push(chain);
                self.evict_chains();
            }
        }
    }

    /// Changes the limits, and drops at once what lies beyond them.
    pub(crate) fn set_limits(&mut self, limits: Limits) {
        self.limits = limits;
        for chain in self.receivers.iter_mut() {
            self.evicted_keys = self.evicted_keys.saturating_add(chain.evict(&limits));
        }
        self.evict_chains();
    }

    fn evict_chains(&mut self) {
        let kept = usize::try_from(self.limits.receiver_chains()).unwrap_or(usize::MAX);
        let excess = self.receivers.len().saturating_sub(kept);
        for chain in self.receivers.iter().take(excess) {
            self.evicted.push(chain.ratchet_key);
            self.evicted_keys = self.evicted_keys.saturating_add(chain.skipped.len() as u64);
        }
        self.receivers.remove_first(excess);
        let forgotten = self.evicted.len().saturating_sub(Limits::REMEMBERED_CHAINS);
        self.evicted.drain(..forgotten);
    }

    /// The stored keys of all chains.
    pub(crate) fn skipped_keys(&self) -> impl Iterator<Item = &SkippedKey> {
        self.receivers.iter().flat_map(|chain| chain.skipped.iter())
    }

    /// Whether this is a state that the functions above can lead to.
    pub(crate) fn is_consistent(&self) -> bool {
        let distinct = |(place, chain): (usize, &ReceiverChain)| {
            self.receivers
                .iter()
                .skip(place.saturating_add(1))
                .all(|other| other.ratchet_key != chain.ratchet_key)
        };
        (self.sender.is_some() || !self.receivers.is_empty())
            && self.sender.iter().all(|sender| sender.chain_key.is_consistent())
            && self.receivers.len() as u64 <= self.limits.receiver_chains().into()
            && self.receivers.iter().enumerate().all(distinct)
            && self.receivers.iter().all(|chain| chain.is_consistent(&self.limits))
            && self.skipped_keys().all(|key| key.serial < self.next_serial)
            // No session gets there, and none that is there could number its keys for much longer.
            && self.next_serial <= u64::MAX / 2
            && self.evicted.len() <= Limits::REMEMBERED_CHAINS
    }
}
