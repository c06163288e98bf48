//! A cache for reading a Megolm session backwards.

use super::megolm::MegolmRatchet;
use crate::primitives::secret::SecretList;

/// A cache of ratchets (rungs) at indices below the one that was last used, so that few hashes lead
/// to an older index.
///
/// After a climb to index `i`, there is a rung at each index that results from clearing the lowest
/// one to eight bits of `i`, except those below the ratchet where the climb began. The index before
/// `i` has most rungs in common with `i`. So reading messages backwards takes four hashes for each
/// on average, and some more for every 256th, instead of up to 255. Reading forwards uses the
/// rungs, too.
pub(crate) struct Ladder(Rungs);

/// Ratchets of one session in the order of their indices.
pub(crate) type Rungs = SecretList<MegolmRatchet>;

/// Number of rungs: part 3 changes with every index, and eight rungs cover its eight bits. Rungs
/// for the other parts would make only one message in 256 faster.
const MAX_RUNGS: usize = 8;

impl Ladder {
    pub(crate) const fn new() -> Self {
        Self(SecretList::new())
    }

    /// The indices at which a climb to `index` leaves a rung, in ascending order; some may be
    /// equal.
    fn indices(index: u32) -> impl Iterator<Item = u32> {
        (1..=MAX_RUNGS).rev().map(move |bits| index >> bits << bits)
    }

    /// The highest rung that is not above `index`.
    pub(crate) fn nearest(&self, index: u32) -> Option<&MegolmRatchet> {
        self.0.iter().rfind(|rung| rung.index() <= index)
    }

    /// Advances `ratchet` to `index`, and returns the rungs on the way, for [`add`](Self::add).
    pub(super) fn climb(ratchet: &mut MegolmRatchet, index: u32) -> Rungs {
        let mut rungs = Rungs::new();
        let from = ratchet.index();
        rungs.reserve(Self::indices(index).filter(|rung| *rung > from).count());
        for rung in Self::indices(index) {
            if rung > ratchet.index() {
                ratchet.advance_to(rung);
                rungs.push(ratchet.clone());
            }
        }
        ratchet.advance_to(index);
        rungs
    }

    /// Keeps the rungs on the way to `index`, and adds those that [`climb`](Self::climb) returned,
    /// starting from the highest of them.
    pub(super) fn add(&mut self, index: u32, rungs: Rungs) {
        self.0.retain(|_, rung| Self::indices(index).any(|kept| kept == rung.index()));
        self.0.append(rungs);
    }
}

/// A copy of a session begins without rungs.
impl Clone for Ladder {
    fn clone(&self) -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;
    use crate::primitives::secret::Secret;

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
            let mut ratchet = ladder.nearest(index).unwrap_or(base).clone();
            assert!(ratchet.index() <= index);
            total += hashes(ratchet.index(), index);
            count += 1;
            let rungs = Ladder::climb(&mut ratchet, index);
            assert_eq!(ratchet.index(), index);
            let expected = &steps[(index - base.index()) as usize];
            assert_eq!(ratchet.value().as_bytes(), expected.value().as_bytes(), "{index}");
            ladder.add(index, rungs);
            assert!(ladder.0.len() <= MAX_RUNGS);
            assert!(ladder.0.is_sorted_by(|a, b| a.index() < b.index()));
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
