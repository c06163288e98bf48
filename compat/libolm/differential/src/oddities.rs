//! The content of pickles: what is unusual in it, and its parts.

use crate::{
    functions::Kind,
    keys::{is_clamped, is_ed25519_pair, is_good_curve25519, is_good_ed25519, is_x25519_pair},
    megolm,
    pickle::unpad,
};

/// What can be unusual about the content of a pickle. An undamaged libolm writes none of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Oddity {
    /// A public key does not belong to its private one, or is half of it.
    Pair,
    /// The scalar of an Ed25519 private key is not clamped.
    Clamping,
    /// A public key that is refused wherever it comes from.
    RefusedKey,
    /// More items in a list than it can have.
    TooMany,
    /// Key ids that are not those of newest-first, or beyond the last one given out.
    Ids,
    /// Two chains with one ratchet key, two skipped keys with the same place, or one of no chain.
    Skipped,
    /// A session without any chain, or that has received something and has no receiver chain, or
    /// that has two of them without having received anything.
    Chains,
    /// The latest ratchet lies before the earliest, or is not what that one becomes.
    Ratchets,
    /// Something after the end, or an end too early.
    Length,
    /// A version that is not read: nothing else is looked at.
    Version,
}

/// The oddities of a content without padding.
pub fn oddities(kind: Kind, content: &[u8]) -> Vec<Oddity> {
    let mut reader = Reader { rest: content, odd: Vec::new() };
    if reader.read(kind).is_none() || !reader.rest.is_empty() {
        reader.odd.push(Oddity::Length);
    }
    reader.odd
}

struct Reader<'a> {
    rest: &'a [u8],
    odd: Vec<Oddity>,
}

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        Some(taken)
    }

    fn number(&mut self) -> Option<u32> {
        Some(u32::from_be_bytes(self.take(4)?.try_into().ok()?))
    }

    fn note(&mut self, oddity: Oddity, is_there: bool) {
        if is_there {
            self.odd.push(oddity);
        }
    }

    fn x25519_pair(&mut self) -> Option<()> {
        let (public, private) = (self.take(32)?, self.take(32)?);
        self.note(Oddity::Pair, !is_x25519_pair(public, private));
        self.note(Oddity::RefusedKey, !is_good_curve25519(public));
        Some(())
    }

    fn ed25519_pair(&mut self) -> Option<()> {
        let (public, private) = (self.take(32)?, self.take(64)?);
        self.note(Oddity::Pair, !is_ed25519_pair(public, private));
        self.note(Oddity::Clamping, !is_clamped(private));
        self.note(Oddity::RefusedKey, !is_good_ed25519(public));
        Some(())
    }

    fn curve25519(&mut self) -> Option<&'a [u8]> {
        let key = self.take(32)?;
        self.note(Oddity::RefusedKey, !is_good_curve25519(key));
        Some(key)
    }

    fn read(&mut self, kind: Kind) -> Option<()> {
        let version = self.number()?;
        let known: &[u32] = match kind {
            Kind::Account => &[2, 3, 4],
            Kind::Session => &[1, 0x8000_0001],
            Kind::Inbound => &[1, 2],
            _ => &[1],
        };
        if !known.contains(&version) {
            self.rest = &[];
            self.note(Oddity::Version, true);
            return Some(());
        }
        match kind {
            Kind::Account => self.account(version),
            Kind::Session => self.session(version),
            Kind::Outbound => {
                self.take(128 + 4)?;
                self.ed25519_pair()
            }
            Kind::Inbound => {
                self.ratchets()?;
                let key = self.take(32)?;
                self.note(Oddity::RefusedKey, !is_good_ed25519(key));
                if version == 1 { Some(()) } else { self.take(1).map(drop) }
            }
            _ => self.x25519_pair(),
        }
    }

    fn ratchets(&mut self) -> Option<()> {
        let (earliest, from) = (megolm::from_bytes(self.take(128)?)?, self.number()?);
        let (latest, to) = (megolm::from_bytes(self.take(128)?)?, self.number()?);
        let belong = to >= from && megolm::advance(earliest, from, to) == latest;
        self.note(Oddity::Ratchets, !belong);
        Some(())
    }

    fn account(&mut self, version: u32) -> Option<()> {
        self.ed25519_pair()?;
        self.x25519_pair()?;
        let count = self.number()?;
        self.note(Oddity::TooMany, count > 100);
        let mut ids = Vec::new();
        for _ in 0..count {
            ids.push(self.number()?);
            self.take(1)?;
            self.x25519_pair()?;
        }
        let one_time_keys = ids.len();
        match version {
            4 => {
                let count = self.take(1)?[0];
                for _ in 0..count.min(2) {
                    ids.push(self.number()?);
                    self.take(1)?;
                    self.x25519_pair()?;
                }
            }
            3 => {
                let flags = [self.slot(&mut ids)?, self.slot(&mut ids)?];
                self.note(Oddity::Ids, !flags[0] && flags[1]);
            }
            _ => {}
        }
        let last = self.number()?;
        let (list, fallback) = ids.split_at(one_time_keys);
        let descending = |ids: &[u32]| ids.windows(2).all(|pair| pair[0] > pair[1]);
        let in_range = ids.iter().all(|id| (1..=last).contains(id));
        let distinct = list.iter().all(|id| !fallback.contains(id));
        let fine = descending(list) && descending(fallback) && in_range && distinct;
        self.note(Oddity::Ids, !fine);
        Some(())
    }

    /// A place for a fallback key, which may be empty.
    fn slot(&mut self, ids: &mut Vec<u32>) -> Option<bool> {
        let slot = self.take(4 + 1 + 64)?;
        let exists = slot[4] != 0;
        if exists {
            let mut reader = Reader { rest: slot, odd: Vec::new() };
            ids.push(reader.number()?);
            reader.take(1)?;
            reader.x25519_pair()?;
            self.odd.append(&mut reader.odd);
        }
        Some(exists)
    }

    fn session(&mut self, version: u32) -> Option<()> {
        let received = self.take(1)? != [0];
        for _ in 0..3 {
            self.curve25519()?;
        }
        self.take(32)?;
        let senders = self.number()?;
        self.note(Oddity::TooMany, senders > 1);
        for _ in 0..senders {
            self.x25519_pair()?;
            self.take(32 + 4)?;
        }
        let count = self.number()?;
        self.note(Oddity::TooMany, count > 5);
        self.note(Oddity::Chains, count == 0 && (received || senders == 0));
        self.note(Oddity::Chains, count > 1 && !received);
        let mut chains = Vec::new();
        for _ in 0..count {
            let key = self.curve25519()?;
            self.note(Oddity::Skipped, chains.iter().any(|(of, _)| *of == key));
            self.take(32)?;
            chains.push((key, self.number()?));
        }
        let count = self.number()?;
        self.note(Oddity::TooMany, count > 40);
        let mut skipped = Vec::new();
        for _ in 0..count {
            let key = self.take(32)?;
            self.take(32)?;
            let index = self.number()?;
            let of_chain = chains.iter().any(|(of, next)| *of == key && index < *next);
            self.note(Oddity::Skipped, !of_chain || skipped.contains(&(key, index)));
            skipped.push((key, index));
        }
        if version == 1 { Some(()) } else { self.take(4).map(drop) }
    }
}

/// A session's content in parts.
pub struct SessionParts {
    /// All before the skipped keys.
    pub before: Vec<u8>,
    /// The ratchet keys of its receiver chains.
    pub chains: Vec<Vec<u8>>,
    /// Ratchet key, message key and index of each.
    pub skipped: Vec<Vec<u8>>,
}

const SENDERS: usize = 4 + 1 + 96 + 32;

pub fn split_session(padded: &[u8]) -> Option<SessionParts> {
    let content = unpad(padded)?;
    let mut reader = Reader { rest: content.get(SENDERS..)?, odd: Vec::new() };
    let senders = reader.number()?;
    reader.take(100 * usize::try_from(senders).ok()?)?;
    let chains = reader.items()?.iter().map(|chain| chain[..32].to_vec()).collect();
    let before = content[..content.len() - reader.rest.len()].to_vec();
    Some(SessionParts { before, chains, skipped: reader.items()? })
}

/// The index of the next message to send.
pub fn sender_index(padded: &[u8]) -> Option<u32> {
    let mut reader = Reader { rest: padded.get(SENDERS..)?, odd: Vec::new() };
    let count = reader.number()?;
    reader.take(64 + 32)?;
    if count == 1 { reader.number() } else { None }
}

impl Reader<'_> {
    /// A list of 32 bytes, 32 bytes and a number each.
    fn items(&mut self) -> Option<Vec<Vec<u8>>> {
        let count = self.number()?;
        (0..count).map(|_| self.take(68).map(<[u8]>::to_vec)).collect()
    }
}
