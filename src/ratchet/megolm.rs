//! The Megolm ratchet. Spec: megolm.md, "The Megolm ratchet algorithm" and "Advancing the ratchet".

use crate::primitives::{
    kdf::HmacKey,
    secret::{Secret, SecretList},
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

/// A cache of ratchets (rungs) at indices below the one that was last used, so that few hashes lead
/// to an older index.
///
/// After a climb to index `i`, there is a rung at each index that results from clearing the lowest
/// one to eight bits of `i`, except those below the ratchet where the climb began. The index before
/// `i` has most rungs in common with `i`. So reading messages backwards takes four hashes for each
/// on average, and some more for every 256th, instead of up to 255. Reading forwards uses the rungs
/// too.
pub(crate) struct Ladder(SecretList<MegolmRatchet>);

/// Number of rungs: part 3 changes with every index, and eight rungs cover its eight bits. Rungs
/// for the other parts would make only one message in 256 faster.
const MAX_RUNGS: usize = 8;

impl Ladder {
    pub(crate) const fn new() -> Self {
        Self(SecretList::new())
    }

    /// The indices at which a climb to `index` stores a rung, in ascending order; some may be
    /// equal.
    fn rungs(index: u32) -> impl Iterator<Item = u32> {
        (1..=MAX_RUNGS).rev().map(move |bits| index >> bits << bits)
    }

    /// The highest rung that is not above `index`.
    pub(crate) fn nearest(&self, index: u32) -> Option<&MegolmRatchet> {
        self.0.iter().rfind(|rung| rung.index <= index)
    }

    /// The ratchet at `index`, computed from the nearest rung, or else from `base`, which must not
    /// be above it.
    pub(crate) fn climb(&mut self, base: &MegolmRatchet, index: u32) -> MegolmRatchet {
        let mut ratchet = self.nearest(index).unwrap_or(base).clone();
        self.0.retain(|_, rung| Self::rungs(index).any(|kept| kept == rung.index));
        self.0.reserve(MAX_RUNGS.saturating_sub(self.0.len()));
        for rung in Self::rungs(index) {
            if rung > ratchet.index {
                ratchet.advance_to(rung);
                self.0.push(ratchet.clone());
            }
        }
        ratchet.advance_to(index);
        ratchet
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;

    fn ratchet(index: u32) -> MegolmRatchet {
        MegolmRatchet::new(Secret::new(core::array::from_fn(|place| place as u8)), index)
    }

    /// The ratchets from `index` to `end`, each advanced by one step from the one before.
    fn steps(index: u32, end: u32) -> Vec<MegolmRatchet> {
        let mut ratchet = ratchet(index);
        (index..end)
            .map(|index| {
                ratchet.advance_to(index);
                ratchet.clone()
            })
            .collect()
    }

    /// The number of hash steps of single parts between two indices, without deriving the parts
    /// after them.
    fn hashes(from: u32, to: u32) -> u32 {
        [24, 16, 8, 0]
            .map(|shift| (to >> shift).saturating_sub(from >> shift))
            .iter()
            .fold(0, |sum, steps| sum + steps % 256)
    }

    /// Climbs from the first of `steps` to each index. Compares each ratchet with the one computed
    /// without a ladder, and checks the size of the ladder. Returns the average number of hashes of
    /// a climb.
    fn climb(steps: &[MegolmRatchet], indices: impl Iterator<Item = u32>) -> f64 {
        let (base, mut ladder, mut total, mut count) = (&steps[0], Ladder::new(), 0, 0);
        for index in indices {
            let nearest = ladder.nearest(index).map_or(base.index, |rung| rung.index);
            assert!(nearest <= index);
            total += hashes(nearest, index);
            count += 1;
            let climbed = ladder.climb(base, index);
            assert_eq!(climbed.index, index);
            let expected = &steps[(index - base.index) as usize];
            assert_eq!(climbed.value.as_bytes(), expected.value.as_bytes(), "{index}");
            assert!(ladder.0.len() <= MAX_RUNGS);
            assert!(ladder.0.is_sorted_by(|a, b| a.index < b.index));
        }
        f64::from(total) / f64::from(count)
    }

    /// Reading backwards takes a few hashes for each message, also across indices where several
    /// parts are derived again. Reading forwards in between does not take many more.
    #[test]
    fn going_back_takes_few_hashes() {
        for (base, end) in [(0, 1_000), (3, 999), (0xff00, 0x1_0300), (0xff_ff80, 0x100_0180)] {
            let steps = steps(base, end);
            let backwards = climb(&steps, (base..end).rev());
            assert!(backwards < 7.0, "{backwards} from {end} to {base}");
            let forwards = climb(&steps, base..end);
            assert!(forwards < 3.0, "{forwards} from {base} to {end}");
        }
    }

    /// In any order, the ratchets are the same as without a ladder.
    #[test]
    fn any_order_gives_the_same_ratchets() {
        for base in [0, 5, 250, 0xfffe] {
            let jumps = (1..100_u32).map(|number| base + number * number * 7919 % 1_500);
            climb(&steps(base, base + 1_500), jumps);
        }
    }
}
