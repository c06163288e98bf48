//! The Megolm ratchet, and a receiver's end of it. Spec: megolm.md, "The Megolm ratchet algorithm"
//! and "Advancing the ratchet".

use alloc::boxed::Box;
use core::cmp::Ordering;

use super::ladder::{Ladder, Rungs};
use crate::primitives::{
    cbc_hmac::Authenticated,
    kdf::HmacKey,
    secret::{Apart, Secret},
};

/// Number of parts, `R_i,0` to `R_i,3`.
const PARTS: usize = 4;
const PART_LENGTH: usize = 32;
/// Length of the ratchet value in bytes.
pub(crate) const LENGTH: usize = PARTS * PART_LENGTH;

/// The ratchet value `R_i` with its index `i`.
///
/// Part `j` changes every `2^(8·(3-j))` steps. When it changes, all parts after it are derived from
/// it again.
#[derive(Default)]
pub(crate) struct MegolmRatchet {
    value: Secret<LENGTH>,
    index: u32,
}

impl MegolmRatchet {
    pub(crate) const fn new(value: Secret<LENGTH>, index: u32) -> Self {
        Self { value, index }
    }

    pub(crate) const fn value(&self) -> &Secret<LENGTH> {
        &self.value
    }

    pub(crate) const fn index(&self) -> u32 {
        self.index
    }

    /// Advances to `target`, with at most 255 hash steps for each part. A target at or before the
    /// current index changes nothing, because the ratchet cannot go back.
    pub(crate) fn advance_to(&mut self, target: u32) {
        for part in 0..PARTS {
            // Part j advances once every 2^shift indices. The parts after it count the indices in
            // between.
            let shift =
                8_u32.saturating_mul((PARTS as u32).saturating_sub(part as u32).saturating_sub(1));
            let steps = (target >> shift).saturating_sub(self.index >> shift);
            // Each step would derive the parts after it again. Only the last derivation remains, so
            // the steps before it hash this part alone.
            for _ in 1..steps {
                self.rehash(part, part);
            }
            if steps > 0 {
                self.rehash(part, PARTS.saturating_sub(1));
                self.index = (target >> shift) << shift;
            }
        }
    }

    /// `R_k = H_k(R_part)` for `k` from `last` down to `part`, where `H_k(A) = HMAC(A, k)`.
    fn rehash(&mut self, part: usize, last: usize) {
        let parts = self.value.as_mut_bytes().as_chunks_mut::<PART_LENGTH>().0;
        let Some(hmac) = parts.get(part).map(HmacKey::new) else { return };
        for (k, slot) in parts.iter_mut().enumerate().take(last.saturating_add(1)).skip(part) {
            hmac.derive_into(&[k as u8], slot);
        }
    }
}

impl Clone for MegolmRatchet {
    fn clone(&self) -> Self {
        Self::new(self.value.clone(), self.index)
    }

    /// Overwrites the old value in its memory, which wipes it.
    fn clone_from(&mut self, source: &Self) {
        self.value.as_mut_bytes().copy_from_slice(source.value.as_bytes());
        self.index = source.index;
    }
}

/// A receiver's end of a session: it reaches every index from the first known one on.
#[derive(Clone)]
pub(crate) struct Receiver {
    /// The earliest known ratchet; zeros when closed.
    first: MegolmRatchet,
    /// The ratchet of the latest message read, from which later ones take fewer hashes. In its own
    /// heap block, because most sessions that a client holds have not decrypted anything yet.
    latest: Apart<MegolmRatchet>,
    /// Ratchets before it, while the session is read backwards. Only in memory: they follow from
    /// `first`, so no pickle needs them, and they are dropped when `first` advances (S-20).
    ladder: Ladder,
    /// Whether an older message was read since the last new one. (At this place it takes no
    /// additional memory.)
    reads_back: bool,
    closed: bool,
}

/// What [`Receiver::plan`] computed for one message.
pub(crate) struct Candidate {
    ratchet: MegolmRatchet,
    rungs: Rungs,
}

/// The change that an authentic message makes.
pub(crate) struct Change<'a> {
    ratchet: &'a MegolmRatchet,
    rungs: &'a mut Rungs,
}

impl Candidate {
    /// The ratchet value that the message's keys are derived from, and the change to commit if the
    /// message is authentic.
    pub(crate) const fn parts(&mut self) -> (&[u8; LENGTH], Change<'_>) {
        let Self { ratchet, rungs } = self;
        (ratchet.value.as_bytes(), Change { ratchet, rungs })
    }
}

impl Receiver {
    pub(crate) const fn new(
        first: MegolmRatchet,
        latest: Apart<MegolmRatchet>,
        closed: bool,
    ) -> Self {
        Self { first, latest, ladder: Ladder::new(), reads_back: false, closed }
    }

    pub(crate) const fn first(&self) -> &MegolmRatchet {
        &self.first
    }

    pub(crate) fn latest(&self) -> &MegolmRatchet {
        self.latest.as_deref().unwrap_or(&self.first)
    }

    pub(crate) const fn is_closed(&self) -> bool {
        self.closed
    }

    /// Whether the functions below can lead to this state.
    pub(crate) fn is_consistent(&self) -> bool {
        let half_closed = self.closed && !self.first.value.ct_eq(&Secret::default());
        !half_closed && self.latest().index >= self.first.index
    }

    /// The ratchet of the message at `index`, and the change to commit if the message is authentic;
    /// `None` before the first known index, and when closed.
    pub(crate) fn plan(&self, index: u32) -> Option<Candidate> {
        let mut ratchet = self.nearest(index)?.clone();
        let rungs = if index < self.latest().index {
            Ladder::climb(&mut ratchet, index)
        } else {
            ratchet.advance_to(index);
            Rungs::new()
        };
        Some(Candidate { ratchet, rungs })
    }

    /// Carries out the change that an authentic message makes.
    pub(crate) fn commit(&mut self, change: Authenticated<Change<'_>>) {
        let Change { ratchet, rungs } = change.into_inner();
        match ratchet.index.cmp(&self.latest().index) {
            Ordering::Less => {
                self.ladder.add(ratchet.index, core::mem::replace(rungs, Rungs::new()));
                self.reads_back = true;
            }
            Ordering::Equal => {}
            Ordering::Greater => {
                self.latest.get_or_insert_default().as_mut().clone_from(ratchet);
                // Two new messages in a row: the session is no longer read backwards.
                if !core::mem::replace(&mut self.reads_back, false) {
                    self.ladder = Ladder::new();
                }
            }
        }
    }

    /// The ratchet at `index`; `None` before the first known index, and when closed.
    pub(crate) fn at(&self, index: u32) -> Option<MegolmRatchet> {
        let mut ratchet = self.nearest(index)?.clone();
        ratchet.advance_to(index);
        Some(ratchet)
    }

    /// The known ratchet from which `index` takes the fewest hashes.
    fn nearest(&self, index: u32) -> Option<&MegolmRatchet> {
        let known = [Some(self.latest()), self.ladder.nearest(index), Some(&self.first)];
        known.into_iter().flatten().find(|known| known.index <= index && !self.closed)
    }

    /// Forgets all ratchets before `index`.
    pub(crate) fn forget_before(&mut self, index: u32) {
        self.ladder = Ladder::new();
        if let Some(latest) = self.latest.take_if(|latest| latest.index <= index) {
            self.first.clone_from(&latest);
        }
        self.first.advance_to(index);
    }

    /// Forgets all ratchets, and keeps the first known index.
    pub(crate) fn close(&mut self) {
        *self = Self::new(MegolmRatchet::new(Secret::default(), self.first.index), None, true);
    }

    /// Takes the latest ratchet of another copy of the same session, if it is later.
    pub(crate) fn adopt_latest(&mut self, other: &Self) {
        if self.latest().index < other.latest().index {
            self.latest = Some(Box::new(other.latest().clone()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::primitives::cbc_hmac::{self, Purpose, Sealed};

    fn first() -> MegolmRatchet {
        MegolmRatchet::new(Secret::new(core::array::from_fn(|place| place as u8)), 0)
    }

    /// A receiver that knows the ratchet from index 3 on.
    fn receiver() -> Receiver {
        let mut ratchet = first();
        ratchet.advance_to(3);
        Receiver::new(ratchet, None, false)
    }

    /// Opens the message of `index`, which was sealed with `key`, and commits if it is authentic.
    fn read_with(receiver: &mut Receiver, index: u32, key: &MegolmRatchet) -> bool {
        let message = cbc_hmac::seal(key.value.as_bytes(), Purpose::Megolm, b"".into(), b"text", 8);
        let sealed = Sealed {
            authenticated: &message[..16],
            ciphertext: &message[..16],
            mac: &message[16..],
        };
        let mut candidate = receiver.plan(index).unwrap();
        let (key, change) = candidate.parts();
        let opened = cbc_hmac::open(key, Purpose::Megolm, &sealed, 8, change);
        opened.map(|(_, change)| receiver.commit(change)).is_ok()
    }

    fn read(receiver: &mut Receiver, index: u32) -> bool {
        let mut key = first();
        key.advance_to(index);
        read_with(receiver, index, &key)
    }

    fn rungs(receiver: &Receiver) -> bool {
        receiver.ladder.nearest(u32::MAX).is_some()
    }

    #[test]
    fn the_latest_ratchet_is_that_of_the_latest_authentic_message() {
        let mut receiver = receiver();
        assert!(receiver.plan(2).is_none());
        for (index, latest) in [(3, 3), (7, 7), (5, 7), (7, 7), (300, 300), (4, 300)] {
            assert!(read(&mut receiver, index));
            assert_eq!(receiver.latest().index, latest);
            let mut expected = first();
            expected.advance_to(latest);
            assert!(receiver.latest().value.ct_eq(&expected.value));
        }
    }

    /// S-04: a forgery changes neither the latest ratchet nor the ladder.
    #[test]
    fn a_forgery_changes_nothing() {
        let mut receiver = receiver();
        assert!(read(&mut receiver, 20));
        for index in [4, 19, 21, 5_000] {
            assert!(!read_with(&mut receiver, index, &first()));
            assert_eq!(receiver.latest().index, 20);
            assert!(!rungs(&receiver));
        }
    }

    /// S-20: what was forgotten is not in the ladder either. A new message among older ones leaves
    /// the ladder; two in a row drop it, so that a session that is no longer read backwards uses no
    /// memory for one.
    #[test]
    fn the_ladder_is_dropped_with_the_ratchets_it_follows_from() {
        let mut receiver = receiver();
        let indices = [(5, false), (6, false), (10, false), (9, true), (11, true), (8, true)];
        for (index, ladder) in indices.into_iter().chain([(12, true), (13, false), (14, false)]) {
            assert!(read(&mut receiver, index));
            assert_eq!(rungs(&receiver), ladder, "{index}");
        }
        assert!(read(&mut receiver, 8));
        assert!(rungs(&receiver) && !rungs(&receiver.clone()));
        receiver.forget_before(7);
        assert!(!rungs(&receiver));
        assert!(receiver.at(6).is_none() && receiver.at(7).is_some());
        assert!(read(&mut receiver, 8));
        receiver.close();
        assert!(!rungs(&receiver));
    }

    /// Forgetting continues from whichever ratchet is nearest, and keeps a later one.
    #[test]
    fn forgetting_leads_to_the_same_ratchets() {
        for (latest, index) in [(10, 5), (10, 10), (10, 20), (3, 4), (300, 299)] {
            let mut receiver = receiver();
            assert!(read(&mut receiver, latest));
            receiver.forget_before(index);
            assert_eq!(receiver.first().index, index);
            assert_eq!(receiver.latest().index, latest.max(index));
            assert!(receiver.is_consistent() && read(&mut receiver, index));
        }
    }

    #[test]
    fn a_closed_receiver_has_no_ratchet() {
        let mut receiver = receiver();
        assert!(read(&mut receiver, 9));
        receiver.close();
        assert!(receiver.is_closed() && receiver.is_consistent());
        for index in [0, 3, 9, u32::MAX] {
            assert!(receiver.plan(index).is_none() && receiver.at(index).is_none());
        }
        assert_eq!(receiver.first().index, 3);
        assert!(receiver.first.value.ct_eq(&Secret::default()));
    }

    #[test]
    fn an_impossible_state_is_not_consistent() {
        let mut later = first();
        later.advance_to(4);
        assert!(Receiver::new(first(), Some(Box::new(later.clone())), false).is_consistent());
        assert!(!Receiver::new(later.clone(), Some(Box::new(first())), false).is_consistent());
        assert!(!Receiver::new(later, None, true).is_consistent());
    }
}
