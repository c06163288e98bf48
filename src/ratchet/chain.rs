//! Chains of message keys. Spec: olm.md, "Advancing the chain key", "Creating a message key" and
//! "Receiving messages".

use alloc::boxed::Box;
use core::ops::Range;

use super::limits::Limits;
use crate::{
    error::DecryptionError,
    keys::Curve25519PublicKey,
    primitives::{
        kdf::HmacKey,
        secret::{Apart, Secret, SecretList},
    },
};

/// One past the last index: the value of a chain's index when it has given out all its keys.
pub(crate) const EXHAUSTED: u64 = 1 << 32;

/// `C_i,j` with its `j`, which runs from 0 to [`EXHAUSTED`].
#[derive(Clone, Default)]
pub(crate) struct ChainKey {
    pub(crate) key: Secret<32>,
    pub(crate) index: u64,
}

impl ChainKey {
    pub(crate) const fn first(key: Secret<32>) -> Self {
        Self { key, index: 0 }
    }

    /// Takes the message key at the current index, and advances: `M_i,j = HMAC(C_i,j, 0x01)`,
    /// `C_i,j+1 = HMAC(C_i,j, 0x02)`.
    ///
    /// `None` after the last index was used (S-11).
    pub(crate) fn step(&mut self) -> Option<(u32, Secret<32>)> {
        let index = u32::try_from(self.index).ok()?;
        Some((index, self.take_message_key()))
    }

    /// Like [`step`](Self::step), for a caller that knows that the index is one of a message.
    fn take_message_key(&mut self) -> Secret<32> {
        let hmac = HmacKey::new(self.key.as_bytes());
        let message_key = hmac.derive(&[1]);
        self.advance_with(&hmac);
        message_key
    }

    /// Advances to `index` without taking message keys. Does not go back.
    fn skip_to(&mut self, index: u32) {
        while self.index < index.into() {
            self.advance_with(&HmacKey::new(self.key.as_bytes()));
        }
    }

    pub(crate) const fn is_consistent(&self) -> bool {
        self.index <= EXHAUSTED
    }

    fn advance_with(&mut self, hmac: &HmacKey) {
        self.key = hmac.derive(&[2]);
        self.index = self.index.saturating_add(1);
    }
}

/// The key of a message that has not arrived yet.
#[derive(Clone, Default)]
pub(crate) struct SkippedKey {
    pub(crate) index: u32,
    /// Numbers the skipped keys of the whole session, to tell which of two is older across chains.
    pub(crate) serial: u64,
    pub(crate) key: Secret<32>,
}

/// A chain of the peer: `T_i`, the next `C_i,j`, and the keys of messages skipped on the way there.
///
/// The default is the vacated slot of a `SecretList`.
#[derive(Clone)]
pub(crate) struct ReceiverChain {
    pub(crate) ratchet_key: Curve25519PublicKey,
    pub(crate) chain_key: ChainKey,
    /// In ascending order of their indices, all below `chain_key.index`.
    pub(crate) skipped: SecretList<SkippedKey>,
    /// Below this index, keys were evicted; from it on, a missing key was used.
    pub(crate) evicted_below: u64,
}

impl Default for ReceiverChain {
    fn default() -> Self {
        Self::first(Curve25519PublicKey::VACANT, Secret::default())
    }
}

/// What a message would change in its chain.
pub(crate) enum ChainStep {
    /// Uses up the message's key, which was stored at this place.
    UseSkipped(usize),
    /// Moves the chain past the message to `next`. The keys of the messages that it skips on the
    /// way are derived only when the step is carried out, so that a forged message costs no more
    /// than finding its own key (S-45).
    Advance { next: ChainKey, skipped: Apart<Skipped> },
}

/// The messages before an arrived one whose keys are to be kept.
pub(crate) struct Skipped {
    indices: Range<u32>,
    /// The chain key at the first of them.
    chain_key: ChainKey,
}

impl ReceiverChain {
    pub(crate) const fn first(ratchet_key: Curve25519PublicKey, chain_key: Secret<32>) -> Self {
        Self {
            ratchet_key,
            chain_key: ChainKey::first(chain_key),
            skipped: SecretList::new(),
            evicted_below: 0,
        }
    }

    /// The key of the message at `index`, and the step that uses it. It costs one HMAC for each
    /// message in between and two for this one, and no memory that grows with their number (S-45).
    pub(crate) fn plan(
        &self,
        index: u32,
        limits: &Limits,
    ) -> Result<(Secret<32>, ChainStep), DecryptionError> {
        match u64::from(index).checked_sub(self.chain_key.index) {
            None => self.plan_skipped(index),
            Some(gap) => {
                limits.check_gap(self.chain_key.index, index)?;
                Ok(self.plan_advance(index, gap, limits))
            }
        }
    }

    fn plan_skipped(&self, index: u32) -> Result<(Secret<32>, ChainStep), DecryptionError> {
        let found = self.skipped.binary_search_by_key(&index, |skipped| skipped.index).ok();
        match found.and_then(|place| Some((place, self.skipped.get(place)?))) {
            Some((place, skipped)) => Ok((skipped.key.clone(), ChainStep::UseSkipped(place))),
            None if u64::from(index) < self.evicted_below => Err(DecryptionError::Evicted),
            None => Err(DecryptionError::AlreadyUsed),
        }
    }

    fn plan_advance(&self, index: u32, gap: u64, limits: &Limits) -> (Secret<32>, ChainStep) {
        // Keys that the limit would evict immediately are not derived.
        let kept = u32::try_from(gap).unwrap_or(u32::MAX).min(limits.skipped_keys());
        let indices = index.saturating_sub(kept)..index;
        let mut next = self.chain_key.clone();
        next.skip_to(indices.start);
        let skipped =
            (!indices.is_empty()).then(|| Box::new(Skipped { indices, chain_key: next.clone() }));
        next.skip_to(index);
        let message_key = next.take_message_key();
        (message_key, ChainStep::Advance { next, skipped })
    }

    /// Carries out a planned step within the limit. Numbers the skipped keys from `next_serial` on.
    /// Returns how many keys were dropped to stay within the limit.
    pub(crate) fn commit(
        &mut self,
        step: ChainStep,
        next_serial: &mut u64,
        limits: &Limits,
    ) -> u64 {
        match step {
            ChainStep::UseSkipped(place) => {
                self.skipped.remove(place);
                0
            }
            ChainStep::Advance { next, skipped } => {
                let present = core::mem::replace(&mut self.chain_key, next);
                // Not moved out of its heap block, which wipes it.
                skipped.map_or(0, |mut skipped| {
                    self.keep(&mut skipped, present.index, next_serial, limits)
                })
            }
        }
    }

    /// Derives and stores skipped keys of a chain that was at the index `present`. Returns how many
    /// keys were dropped to stay within the limit.
    fn keep(
        &mut self,
        skipped: &mut Skipped,
        present: u64,
        next_serial: &mut u64,
        limits: &Limits,
    ) -> u64 {
        let Skipped { indices, chain_key } = skipped;
        let first = u64::from(indices.start);
        let never_stored = first.saturating_sub(present);
        // Room is made first: the list is never longer than the limit.
        let evicted = self.evict(limits.skipped_keys().saturating_sub(indices.len() as u32));
        if never_stored > 0 {
            self.evicted_below = first;
        }
        self.skipped.reserve(indices.len());
        for index in indices.clone() {
            let key = chain_key.take_message_key();
            self.skipped.push(SkippedKey { index, serial: *next_serial, key });
            *next_serial = next_serial.saturating_add(1);
        }
        evicted.saturating_add(never_stored)
    }

    /// Drops all but the newest `kept` keys, and returns how many it dropped.
    pub(crate) fn evict(&mut self, kept: u32) -> u64 {
        let kept = usize::try_from(kept).unwrap_or(usize::MAX);
        let excess = self.skipped.len().saturating_sub(kept);
        if let Some(last_evicted) = excess.checked_sub(1).and_then(|last| self.skipped.get(last)) {
            let after = u64::from(last_evicted.index).saturating_add(1);
            self.evicted_below = self.evicted_below.max(after);
            self.skipped.remove_first(excess);
        }
        excess as u64
    }

    /// Whether the functions above can lead to this state.
    pub(crate) fn is_consistent(&self, limits: &Limits) -> bool {
        self.chain_key.is_consistent()
            && self.skipped.len() as u64 <= limits.skipped_keys().into()
            && self.skipped.is_sorted_by(|a, b| a.index < b.index && a.serial < b.serial)
            && self
                .skipped
                .iter()
                .all(|key| (self.evicted_below..self.chain_key.index).contains(&key.index.into()))
            && self.evicted_below <= self.chain_key.index
    }
}
