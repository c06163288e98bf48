//! The double ratchet of Olm. Spec: olm.md, "Advancing the root key", "Sending normal messages" and
//! "Receiving messages". `R`, `C`, `T` and `M` are its letters.

use alloc::{boxed::Box, vec::Vec};

use rand::TryCryptoRng;

use super::{
    chain::{ChainKey, ChainStep, ReceiverChain, SkippedKey},
    handshake::RootAndChain,
    limits::Limits,
};
use crate::{
    error::{DecryptionError, EncryptionError},
    keys::{Curve25519KeyPair, Curve25519PublicKey},
    primitives::{
        cbc_hmac::Authenticated,
        edwards::PeerPoint,
        secret::{Apart, OptionalNumber, Secret, SecretList},
        x25519::NonContributory,
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
    /// `i` of `R_i`; absent in a session that was read from a format without it.
    pub(crate) root_index: OptionalNumber,
    /// `None` after the peer began a new chain: the next message we send begins ours. Then there is
    /// at least one receiver chain.
    pub(crate) sender: Apart<SenderChain>,
    /// The peer's chains, oldest first, with distinct ratchet keys.
    pub(crate) receivers: SecretList<ReceiverChain>,
    /// Ratchet keys of the chains dropped last, oldest first.
    pub(crate) evicted: Vec<Curve25519PublicKey>,
    /// The serial number of the next skipped key.
    pub(crate) next_serial: u64,
    /// How many skipped keys were dropped to stay within the limits.
    pub(crate) evicted_keys: u64,
    pub(crate) limits: Limits,
}

/// A ratchet key of the peer, converted for multiplication.
///
/// The ratchet key of a new receiver chain is multiplied twice: for that chain, and to begin ours.
/// [`DoubleRatchet::commit`] returns the point and [`DoubleRatchet::next_message_key`] takes it.
/// The point is not part of the state, because it follows from the key.
pub(crate) struct TheirPoint {
    ratchet_key: Curve25519PublicKey,
    point: PeerPoint,
}

impl TheirPoint {
    fn new(ratchet_key: Curve25519PublicKey) -> Self {
        Self { ratchet_key, point: PeerPoint::new(ratchet_key.as_bytes()) }
    }
}

/// What encrypting one message needs.
pub(crate) struct MessageKey {
    pub(crate) ratchet_key: Curve25519PublicKey,
    pub(crate) index: u32,
    pub(crate) key: Secret<32>,
}

/// The change that an authentic message makes.
pub(crate) enum Change {
    /// In a chain we have, at this place.
    Step { place: usize, step: ChainStep },
    /// The peer began a new chain.
    NewChain {
        root: Secret<32>,
        chain: ReceiverChain,
        step: ChainStep,
        their_point: Box<TheirPoint>,
    },
}

impl DoubleRatchet {
    /// Makes a state from which nothing was dropped. The next skipped key gets the number after the
    /// highest.
    pub(crate) fn new(
        root: Secret<32>,
        root_index: Option<u64>,
        sender: Apart<SenderChain>,
        receivers: SecretList<ReceiverChain>,
        limits: Limits,
    ) -> Self {
        let serials = receivers.iter().flat_map(|chain| chain.skipped.iter()).map(|key| key.serial);
        let next_serial = serials.max().map_or(0, |highest| highest.saturating_add(1));
        Self {
            root,
            root_index: root_index.into(),
            sender,
            receivers,
            evicted: Vec::new(),
            next_serial,
            evicted_keys: 0,
            limits,
        }
    }

    /// Alice's state: she sends first, in the chain of her `T_0`.
    pub(crate) fn initiator(
        keys: RootAndChain,
        ratchet_key: Curve25519KeyPair,
        limits: Limits,
    ) -> Self {
        let sender = SenderChain { ratchet_key, chain_key: ChainKey::first(keys.chain) };
        Self::new(keys.root, Some(0), Some(Box::new(sender)), SecretList::new(), limits)
    }

    /// Bob's state: he knows Alice's chain, and her `T_0` from the message.
    pub(crate) fn responder(
        keys: RootAndChain,
        their_ratchet_key: Curve25519PublicKey,
        limits: Limits,
    ) -> Self {
        let mut receivers = SecretList::new();
        receivers.push(ReceiverChain::first(their_ratchet_key, keys.chain));
        Self::new(keys.root, Some(0), None, receivers, limits)
    }

    /// The key for the next message we send, which begins a new chain if we have none. On an error
    /// nothing has changed. `their_point` saves the conversion of the ratchet key of the newest
    /// receiver chain; the point of any other key is ignored.
    pub(crate) fn next_message_key<R>(
        &mut self,
        their_point: Option<&TheirPoint>,
        rng: &mut R,
    ) -> Result<MessageKey, EncryptionError>
    where
        R: TryCryptoRng + ?Sized,
    {
        if self.sender.is_none() {
            let (root, sender) = self.begin_chain(their_point, rng)?;
            self.advance_to(root);
            self.sender = Some(Box::new(sender));
        }
        // A new chain is not exhausted, so this does not fail after the change above.
        let sender = self.sender.as_mut().ok_or(EncryptionError::SessionExhausted)?;
        let (index, key) = sender.chain_key.step().ok_or(EncryptionError::SessionExhausted)?;
        Ok(MessageKey { ratchet_key: sender.ratchet_key.public(), index, key })
    }

    fn begin_chain<R>(
        &self,
        their_point: Option<&TheirPoint>,
        rng: &mut R,
    ) -> Result<(Secret<32>, SenderChain), EncryptionError>
    where
        R: TryCryptoRng + ?Sized,
    {
        // The checked constructors leave no session with neither a sender nor a receiver chain.
        let theirs = self.receivers.last().ok_or(EncryptionError::SessionExhausted)?.ratchet_key;
        let converted;
        let their_point = match their_point {
            Some(known) if known.ratchet_key == theirs => known,
            _ => {
                converted = TheirPoint::new(theirs);
                &converted
            }
        };
        let (ratchet_key, agreement) =
            Curve25519KeyPair::generate_and_agree(&their_point.point, rng)?;
        let agreement = agreement.map_err(|NonContributory| EncryptionError::NonContributoryKey)?;
        let keys = self.advance_root(&agreement);
        Ok((keys.root, SenderChain { ratchet_key, chain_key: ChainKey::first(keys.chain) }))
    }

    /// `R_i || C_i,0 = HKDF(R_i-1, ECDH(T_i-1, T_i), "OLM_RATCHET", 64)`
    fn advance_root(&self, agreement: &Secret<32>) -> RootAndChain {
        RootAndChain::derive(Some(&self.root), agreement.as_bytes(), b"OLM_RATCHET")
    }

    /// Takes the next root key.
    fn advance_to(&mut self, root: Secret<32>) {
        self.root = root;
        self.root_index = self.root_index.get().and_then(|index| index.checked_add(1)).into();
    }

    /// The number of the peer's newest chain among the session's chains, counted from 0 over both
    /// ends in turn, if it is known and there is one.
    pub(crate) fn newest_receiver(&self) -> Option<u64> {
        // Our chain came after it.
        self.root_index.get()?.checked_sub(self.sender.is_some().into())
    }

    /// The key of a received message, and the change to commit if the message is authentic.
    pub(crate) fn plan(
        &self,
        ratchet_key: &Curve25519PublicKey,
        index: u32,
    ) -> Result<(Secret<32>, Change), DecryptionError> {
        // The newest chain is last, and the most likely.
        if let Some(place) =
            self.receivers.iter().rposition(|chain| chain.ratchet_key == *ratchet_key)
            && let Some(chain) = self.receivers.get(place)
        {
            let (key, step) = chain.plan(index, &self.limits)?;
            return Ok((key, Change::Step { place, step }));
        }
        if self.evicted.contains(ratchet_key) {
            return Err(DecryptionError::Evicted);
        }
        // An honest peer begins a chain only in reply to ours, so without ours this is a forgery.
        let sender = self.sender.as_ref().ok_or(DecryptionError::Authentication)?;
        // Checked before the agreement, which costs much more (S-45).
        self.limits.check_gap(0, index)?;
        let their_point = Box::new(TheirPoint::new(*ratchet_key));
        let agreement = sender
            .ratchet_key
            .secret()
            .agree_with(&their_point.point)
            .map_err(|NonContributory| DecryptionError::Authentication)?;
        let keys = self.advance_root(&agreement);
        let chain = ReceiverChain::first(*ratchet_key, keys.chain);
        let (key, step) = chain.plan(index, &self.limits)?;
        Ok((key, Change::NewChain { root: keys.root, chain, step, their_point }))
    }

    /// Carries out the change that an authentic message makes. If the peer began a new chain,
    /// returns the point of its ratchet key.
    pub(crate) fn commit(&mut self, change: Authenticated<Change>) -> Apart<TheirPoint> {
        match change.into_inner() {
            Change::Step { place, step } => {
                if let Some(chain) = self.receivers.get_mut(place) {
                    let evicted = chain.commit(step, &mut self.next_serial, &self.limits);
                    self.evicted_keys = self.evicted_keys.saturating_add(evicted);
                }
                None
            }
            Change::NewChain { root, mut chain, step, their_point } => {
                let evicted = chain.commit(step, &mut self.next_serial, &self.limits);
                self.evicted_keys = self.evicted_keys.saturating_add(evicted);
                self.advance_to(root);
                self.sender = None;
                self.receivers.push(chain);
                self.evict_chains();
                Some(their_point)
            }
        }
    }

    /// Changes the limits, and immediately drops what lies beyond them.
    pub(crate) fn set_limits(&mut self, limits: Limits) {
        self.limits = limits;
        for chain in self.receivers.iter_mut() {
            self.evicted_keys =
                self.evicted_keys.saturating_add(chain.evict(limits.skipped_keys()));
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

    /// The first root key is that of the first chain, and each chain of the peer came two chains
    /// after its previous one.
    fn root_index_is_consistent(&self) -> bool {
        let before_newest = self.receivers.len().checked_sub(1);
        match (before_newest, self.root_index.get()) {
            (None, index) => index == Some(0),
            (Some(_), None) => true,
            (Some(before), Some(_)) => {
                self.newest_receiver().is_some_and(|newest| newest / 2 >= before as u64)
            }
        }
    }

    /// Whether the functions above can lead to this state.
    pub(crate) fn is_consistent(&self) -> bool {
        let distinct = |(place, chain): (usize, &ReceiverChain)| {
            self.receivers
                .iter()
                .skip(place.saturating_add(1))
                .all(|other| other.ratchet_key != chain.ratchet_key)
        };
        (self.sender.is_some() || !self.receivers.is_empty())
            && self.root_index_is_consistent()
            && self.sender.iter().all(|sender| sender.chain_key.is_consistent())
            && self.receivers.len() as u64 <= self.limits.receiver_chains().into()
            && self.receivers.iter().enumerate().all(distinct)
            && self.receivers.iter().all(|chain| chain.is_consistent(&self.limits))
            && self.skipped_keys().all(|key| key.serial < self.next_serial)
            // No session uses half of the serial numbers; a state that claims to have would soon
            // overflow.
            && self.next_serial <= u64::MAX / 2
            && self.evicted.len() <= Limits::REMEMBERED_CHAINS
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::primitives::{
        cbc_hmac::{self, Purpose, Sealed},
        work::{self, Counting, Work},
    };

    const MAX: u32 = Limits::MAX_MESSAGE_GAP;

    fn raised() -> Limits {
        Limits::default().with_message_gap(MAX).with_skipped_keys(MAX)
    }

    fn keys() -> RootAndChain {
        RootAndChain { root: Secret::new([1; 32]), chain: Secret::new([2; 32]) }
    }

    /// Alice and Bob after their handshake.
    fn pair(limits: Limits, rng: &mut Counting) -> (DoubleRatchet, DoubleRatchet) {
        let ratchet_key = Curve25519KeyPair::generate(rng).unwrap();
        let bob = DoubleRatchet::responder(keys(), ratchet_key.public(), limits);
        (DoubleRatchet::initiator(keys(), ratchet_key, limits), bob)
    }

    /// The proof that a MAC was checked, by the only way to it.
    fn authenticated<T>(value: T) -> Authenticated<T> {
        let message = cbc_hmac::seal(&[3; 32], Purpose::Olm, Vec::new(), b"", 8);
        let (authenticated, mac) = message.split_last_chunk::<8>().unwrap();
        let sealed = Sealed { authenticated, ciphertext: authenticated, mac };
        cbc_hmac::open(&[3; 32], Purpose::Olm, &sealed, 8, value).map(|(_, value)| value).unwrap()
    }

    fn hmacs(count: u32) -> Work {
        Work { hmacs: count as usize, ..Work::default() }
    }

    /// S-45: before its MAC is checked, a message costs one HMAC for each message that it skips,
    /// and two for itself. The keys of the skipped ones are derived when the change is carried out,
    /// with two HMACs for each that is kept, and they are the sender's keys.
    #[test]
    fn s_45_skipped_keys_are_derived_when_the_change_is_carried_out() {
        for (limits, gap) in [
            (Limits::default(), 0),
            (Limits::default(), 1),
            (Limits::default(), 40),
            (Limits::default(), 41),
            (Limits::default(), 2_000),
            (raised(), 2_000),
            (raised(), MAX),
        ] {
            let rng = &mut Counting(0);
            let (mut alice, mut bob) = pair(limits, rng);
            let sent: Vec<_> =
                (0..=gap).map(|_| alice.next_message_key(None, rng).unwrap()).collect();
            let ratchet_key = sent[0].ratchet_key;
            let (planned, work) = work::of(|| bob.plan(&ratchet_key, gap));
            assert_eq!(work, hmacs(gap + 2), "{gap}");
            let (key, change) = planned.unwrap();
            assert!(key.ct_eq(&sent[gap as usize].key));

            let kept = gap.min(limits.skipped_keys());
            let change = authenticated(change);
            let (_, work) = work::of(|| bob.commit(change));
            assert_eq!(work, hmacs(2 * kept), "{gap}");
            assert!(bob.is_consistent());
            assert_eq!(bob.evicted_keys, u64::from(gap - kept));
            let skipped = bob.skipped_keys();
            let numbered = skipped.zip(0..).zip(gap - kept..).all(|((key, serial), index)| {
                let of_the_sender = key.key.ct_eq(&sent[index as usize].key);
                key.index == index && key.serial == serial && of_the_sender
            });
            assert!(numbered && bob.skipped_keys().count() == kept as usize, "{gap}");
        }
    }

    /// S-45: a message that is too far ahead costs nothing, and neither does one whose key is gone:
    /// in a chain in use, in a dropped one, and in one that would be new.
    #[test]
    fn s_45_refusals_without_a_key_cost_nothing() {
        let rng = &mut Counting(0);
        for limits in [Limits::default(), raised()] {
            let (mut alice, mut bob) = pair(limits, rng);
            let first = alice.next_message_key(None, rng).unwrap();
            let second = alice.next_message_key(None, rng).unwrap();
            for index in [0, 1] {
                let (_, change) = bob.plan(&first.ratchet_key, index).unwrap();
                bob.commit(authenticated(change));
            }
            let maximum = 2 + limits.message_gap();
            let refused = |bob: &DoubleRatchet, key: &Curve25519PublicKey, index: u32| {
                let (planned, work) = work::of(|| bob.plan(key, index));
                assert_eq!(work, Work::default());
                planned.map(drop).unwrap_err()
            };
            for index in [maximum + 1, u32::MAX] {
                let too_far = DecryptionError::TooFarAhead { index, maximum };
                assert_eq!(refused(&bob, &second.ratchet_key, index), too_far);
            }
            let used = refused(&bob, &second.ratchet_key, 1);
            assert_eq!(used, DecryptionError::AlreadyUsed);

            let unknown = Curve25519KeyPair::generate(rng).unwrap().public();
            // Bob has no chain that this one could answer.
            assert_eq!(refused(&bob, &unknown, 0), DecryptionError::Authentication);
            bob.next_message_key(None, rng).unwrap();
            let (index, maximum) = (limits.message_gap() + 1, limits.message_gap());
            let too_far = DecryptionError::TooFarAhead { index, maximum };
            assert_eq!(refused(&bob, &unknown, index), too_far);
            bob.evicted.push(unknown);
            assert_eq!(refused(&bob, &unknown, 0), DecryptionError::Evicted);
        }
    }

    /// S-45: a message for a ratchet key that nobody knows costs one agreement, the HKDF of a new
    /// root key, and the way to its own key.
    #[test]
    fn s_45_an_unknown_ratchet_key_costs_one_agreement() {
        let rng = &mut Counting(0);
        let (_, mut bob) = pair(raised(), rng);
        bob.next_message_key(None, rng).unwrap();
        for gap in [0, 1, MAX] {
            for byte in 3..9 {
                // Points on the curve, and points on its twist.
                let unknown = Curve25519PublicKey::from_bytes([byte; 32]).unwrap();
                let (planned, work) = work::of(|| bob.plan(&unknown, gap));
                assert!(planned.is_ok());
                assert_eq!(work.multiplications, 1);
                assert_eq!(work.hmacs, 3 + gap as usize + 2);
                if gap == MAX {
                    break;
                }
            }
        }
    }

    /// The ratchet key of the peer's new chain is converted once, for that chain and for ours.
    /// Passing the point of another key changes nothing.
    #[test]
    fn a_ratchet_key_is_converted_once() {
        let rng = &mut Counting(0);
        let (mut alice, mut bob) = pair(Limits::default(), rng);
        let sent = bob.next_message_key(None, rng).unwrap();
        let (planned, work) = work::of(|| alice.plan(&sent.ratchet_key, 0));
        assert_eq!((work.conversions, work.multiplications), (1, 1));
        let (_, change) = planned.unwrap();
        let their_point = alice.commit(authenticated(change));
        let other = TheirPoint::new(Curve25519KeyPair::generate(rng).unwrap().public());
        let begin = |their_point: Option<&TheirPoint>, conversions: usize| {
            let mut alice = alice.clone();
            let (key, work) = work::of(|| alice.next_message_key(their_point, &mut Counting(100)));
            assert_eq!((work.conversions, work.multiplications), (conversions, 2));
            (key.unwrap().key, alice.root)
        };
        let (key, root) = begin(their_point.as_deref(), 0);
        for their_point in [None, Some(&other)] {
            let (same_key, same_root) = begin(their_point, 1);
            assert!(key.ct_eq(&same_key) && root.ct_eq(&same_root));
        }
    }
}
