//! Earlier ratchets of an inbound group session, for programs that read it backwards.
//!
//! A call keeps nothing in memory of its own. So what the Rust library keeps beside a session while
//! it is read backwards is in the object, after the part that a pickle holds:
//!
//! ```text
//! content of the pickle  301
//! rungs                  0 to 2, of a ratchet (128) and its index (4), in ascending order
//! ```
//!
//! A rung is a ratchet at the index of a message that was read, with the six or the three lowest
//! bits cleared. From there, reading backwards takes nine hashes for each message on average,
//! instead of up to 255. The rungs follow from the earliest ratchet in the content, so they are no
//! additional secret, and they are wiped when the content is replaced.

use moceril::megolm::InboundGroupSession;
use zeroize::Zeroizing;

use crate::{
    error::{Code, Result},
    object::{Stored, number_at},
};

/// Length of the part that a pickle holds.
pub(crate) const PICKLED: usize = 301;
/// In it: two ratchets, each with its index, stand after the version, and then the signing key. The
/// last byte says whether that is verified.
const FIRST: usize = 4;
const LATEST: usize = FIRST + RUNG;
const SIGNING_KEY: usize = LATEST + RUNG;
pub(crate) const VERIFIED: usize = PICKLED - 1;

const RATCHET: usize = 128;
/// A ratchet and its index.
const RUNG: usize = RATCHET + 4;
/// How many bits are cleared of an index, to get those of the rungs.
const CLEARED_BITS: [u32; 2] = [6, 3];

const ALL_RUNGS: usize = CLEARED_BITS.len() * RUNG;
/// The longest content.
pub(crate) const MAX_CONTENT: usize = PICKLED + ALL_RUNGS;

/// Where the ratchet stands in the 165 bytes of an exported key: after the version and the index.
const EXPORTED_RATCHET: usize = 1 + 4;

fn split(content: &[u8]) -> Result<(&[u8], impl DoubleEndedIterator<Item = &[u8]> + Clone)> {
    let (pickled, rungs) = content.split_at_checked(PICKLED).ok_or(Code::CorruptedPickle)?;
    Ok((pickled, rungs.chunks_exact(RUNG)))
}

fn index_of(rung: &[u8]) -> Result<u32> {
    number_at(rung, RATCHET)
}

/// The first index that the session knows.
pub(crate) fn first_index(content: &[u8]) -> Result<u32> {
    number_at(content, FIRST + RATCHET)
}

pub(crate) fn signing_key(content: &[u8]) -> Result<&[u8]> {
    content.get(SIGNING_KEY..VERIFIED).ok_or(Code::CorruptedPickle)
}

/// Whether a message is older than the latest one that was read.
pub(crate) fn is_older(content: &[u8], index: u32) -> Result<bool> {
    Ok(index < number_at(content, LATEST + RATCHET)?)
}

/// The session as it is, or for an older message one that begins at the highest rung before it.
pub(crate) fn nearest(content: &[u8], index: u32) -> Result<InboundGroupSession> {
    let (pickled, mut rungs) = split(content)?;
    let mut nearer = Zeroizing::new([0; PICKLED]);
    nearer.copy_from_slice(pickled);
    if is_older(content, index)?
        && let Some(rung) = rungs.rfind(|rung| index_of(rung).is_ok_and(|at| at <= index))
        && let Some(first) = nearer.get_mut(FIRST..LATEST)
    {
        first.copy_from_slice(rung);
    }
    InboundGroupSession::read(&*nearer).ok_or(Code::CorruptedPickle)
}

/// The rungs after an older message was decrypted by the session that [`nearest`] returned.
pub(crate) fn after(
    content: &[u8],
    session: &InboundGroupSession,
    index: u32,
) -> Result<Zeroizing<Vec<u8>>> {
    let (pickled, old) = split(content)?;
    let first = first_index(pickled)?;
    let mut rungs = Zeroizing::new(Vec::with_capacity(ALL_RUNGS));
    let mut last = first;
    for bits in CLEARED_BITS {
        let at = index >> bits << bits;
        // The earliest ratchet is in the content already, and both rungs may be one.
        if at <= last {
            continue;
        }
        if let Some(rung) = old.clone().find(|rung| index_of(rung) == Ok(at)) {
            rungs.extend_from_slice(rung);
            last = at;
        } else if let Ok(key) = session.export_at(at) {
            let key = Zeroizing::new(key.to_bytes());
            rungs.extend(key.iter().skip(EXPORTED_RATCHET).take(RATCHET));
            rungs.extend(at.to_be_bytes());
            last = at;
        }
    }
    Ok(rungs)
}

#[cfg(test)]
mod tests {
    use moceril::megolm::{GroupSession, GroupSessionConfig};

    use super::*;
    use crate::random::Random;

    /// The ratchets at all indices from 3 on, as rungs, and the content of a session that begins
    /// there and has read the last of them.
    fn ratchets(count: u32) -> (Vec<Vec<u8>>, Vec<u8>) {
        let random = [[1; 128].as_slice(), &[2; 32]].concat();
        let mut sender =
            GroupSession::with_rng(GroupSessionConfig::default(), &mut Random(&random)).unwrap();
        for _ in 0..3 {
            sender.encrypt("").unwrap();
        }
        let mut session = InboundGroupSession::new(&sender.session_key());
        let rung = |index: u32| {
            let key = session.export_at(index).unwrap().to_bytes();
            [&key[5..133], &index.to_be_bytes()].concat()
        };
        let rungs = (3..count).map(rung).collect();
        for _ in 3..count {
            session.decrypt(&sender.encrypt("").unwrap()).unwrap();
        }
        let mut content = vec![0; PICKLED];
        assert_eq!(session.write(&mut content), Some(PICKLED));
        (rungs, content)
    }

    /// After an older message the rungs are those of its index, and they hold the right ratchets,
    /// in whatever order messages are read. The next one begins at the highest rung before it.
    #[test]
    fn rungs_are_the_ratchets_before_a_message() {
        let (ratchets, pickled) = ratchets(300);
        let mut content = pickled.clone();
        let backwards = (3..299).rev();
        let jumps = (1..200).map(|number| 3 + number * number * 7919 % 296);
        for index in backwards.chain(jumps) {
            let (_, rungs) = split(&content).unwrap();
            let before: Vec<_> = rungs.map(|rung| index_of(rung).unwrap()).collect();
            let expected = before.into_iter().rev().find(|at| *at <= index).unwrap_or(3);
            let session = nearest(&content, index).unwrap();
            assert_eq!(session.first_known_index(), expected, "{index}");

            let mut kept: Vec<u32> = [index / 64 * 64, index / 8 * 8].to_vec();
            kept.retain(|at| *at > 3);
            kept.dedup();
            // A rung before the one where the session began, which the old ones do not have.
            let out_of_reach = |at: &u32| *at >= expected || content_has(&content, *at);
            kept.retain(out_of_reach);
            let rungs = after(&content, &session, index).unwrap();
            let expected: Vec<_> =
                kept.iter().flat_map(|at| ratchets[*at as usize - 3].clone()).collect();
            assert_eq!(*rungs, expected, "{index}");
            content = [pickled.as_slice(), &rungs].concat();
            assert!(content.len() <= MAX_CONTENT);
        }
    }

    fn content_has(content: &[u8], index: u32) -> bool {
        split(content).unwrap().1.any(|rung| index_of(rung) == Ok(index))
    }

    /// A message that is not older is decrypted by the session as it is.
    #[test]
    fn the_latest_message_needs_no_rung() {
        let (ratchets, pickled) = ratchets(300);
        let content = [pickled.as_slice(), &ratchets[256 - 3], &ratchets[288 - 3]].concat();
        for (index, first) in [(298, 288), (299, 3), (300, 3), (5_000, 3), (200, 3), (257, 256)] {
            assert_eq!(is_older(&content, index), Ok(index < 299));
            assert_eq!(nearest(&content, index).unwrap().first_known_index(), first, "{index}");
        }
    }
}
