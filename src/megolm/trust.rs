//! How much a session's key is trusted from each message index on (S-43).

use crate::error::texts;

/// Where the key of an inbound group session came from, from the least to the most trustworthy
/// (S-21). It records what this library could check; only the caller knows who handed over the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Provenance {
    /// The session was read from a libolm or vodozemac pickle, which does not say where its key
    /// came from. The caller may [state it](crate::megolm::InboundGroupSession::set_provenance).
    Unknown,
    /// An exported key from a server-side backup, which authenticates nothing.
    Backup,
    /// An exported key: forwarded by another device, or from a file. Not signed.
    Exported,
    /// A session key with the signature of the session's owner.
    Signed,
}

impl Provenance {
    const ALL: [Self; 4] = [Self::Unknown, Self::Backup, Self::Exported, Self::Signed];

    /// The name under which a client stores it. It does not change.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Backup => "backup",
            Self::Exported => "exported",
            Self::Signed => "signed",
        }
    }

    /// The provenance with exactly this name. Read it only from a store that nobody else can write:
    /// a name proves nothing.
    ///
    /// ```
    /// use moceril::megolm::Provenance;
    ///
    /// assert_eq!(Provenance::from_name("exported"), Some(Provenance::Exported));
    /// assert_eq!(Provenance::from_name("Exported"), None);
    /// ```
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|provenance| provenance.name() == name)
    }
}

/// The levels above [`Provenance::Unknown`], in ascending order.
const LEVELS: [Provenance; 3] = [Provenance::Backup, Provenance::Exported, Provenance::Signed];

/// Part 3 of the ratchet is replaced at each multiple of this many messages.
const RESEED: u32 = 256;

/// For each level of trust, the first index from which the key has at least this level.
///
/// The key at an index determines all later ones, so trust never falls as the index rises, and a
/// higher level never starts before a lower one. Each start is the session's first known index or a
/// multiple of 256: only merging puts it after the first index, and [`merged`](Self::merged) moves
/// it back to where its ratchet was reseeded.
#[derive(Clone, Copy)]
pub(crate) struct Trust {
    highest: Provenance,
    /// One for each of `LEVELS`; those above `highest` are 0 and have no meaning.
    starts: [u32; LEVELS.len()],
}

impl Trust {
    /// The same trust from `first` on.
    pub(crate) fn from_index(provenance: Provenance, first: u32) -> Self {
        Self::from_starts(LEVELS.map(|level| (level <= provenance).then_some(first)))
    }

    /// A level starts only if all lower ones do.
    pub(crate) fn from_starts(starts: [Option<u32>; LEVELS.len()]) -> Self {
        let highest =
            LEVELS.into_iter().zip(starts).fold(Provenance::Unknown, |highest, (level, start)| {
                if start.is_some() { level } else { highest }
            });
        Self { highest, starts: starts.map(Option::unwrap_or_default) }
    }

    /// The highest level that the key has at any index.
    pub(crate) const fn highest(&self) -> Provenance {
        self.highest
    }

    /// Whether the key has a level above `Unknown` at any index.
    pub(crate) fn is_known(&self) -> bool {
        self.highest > Provenance::Unknown
    }

    /// The levels up to the highest, each with its start.
    pub(crate) fn levels(&self) -> impl Iterator<Item = (Provenance, u32)> {
        let highest = self.highest;
        LEVELS.into_iter().zip(self.starts).take_while(move |(level, _)| *level <= highest)
    }

    fn start(&self, level: Provenance) -> Option<u32> {
        self.levels().find(|(found, _)| *found == level).map(|(_, start)| start)
    }

    /// The trust in the key at `index`, which is not before the first known one.
    pub(super) fn at(&self, index: u32) -> Provenance {
        let reached = self.levels().take_while(|(_, start)| *start <= index);
        reached.last().map_or(Provenance::Unknown, |(level, _)| level)
    }

    /// Whether a session that begins at `first` can have this trust.
    pub(super) fn is_possible(&self, first: u32) -> bool {
        let mut previous = first;
        self.levels().all(|(_, start)| {
            let ascending = start >= previous;
            previous = start;
            ascending && (start == first || start.is_multiple_of(RESEED))
        })
    }

    /// What is left when everything before `first` is forgotten.
    pub(super) fn forget_before(&mut self, first: u32) {
        *self =
            Self::from_starts(LEVELS.map(|level| self.start(level).map(|start| start.max(first))));
    }

    /// The trust in the earlier of two sessions, which begins at `first` and has the same ratchet
    /// as the later one from the later one's first index on.
    ///
    /// At each index from a start of the later session on, the merged session has that session's
    /// key, so it deserves that trust, too. It also deserves it before that index, as long as equal
    /// keys there imply equal keys here. Within a block of 256 messages only part 3 changes, by one
    /// hash for each message, so a part 3 that leads to the trusted value is the trusted one, or a
    /// second preimage of it. The message before the block is different: its part 3 is replaced at
    /// the block's beginning and leaves no trace in what follows, so a forged one could be there.
    pub(super) fn merged(earlier: &Self, first: u32, later: &Self) -> Self {
        let reseeded = |start: u32| start.saturating_sub(start % RESEED).max(first);
        Self::from_starts(LEVELS.map(|level| {
            let (ours, theirs) = (earlier.start(level), later.start(level).map(reseeded));
            [ours, theirs].into_iter().flatten().min()
        }))
    }
}

/// The stated provenance of an inbound group session is refused; the session is unchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProvenanceError {
    /// Another provenance is already known.
    Known,
    /// The owner of the signing key has not signed with this session, as far as the session knows.
    NotSigned,
}

texts!(ProvenanceError {
    Self::Known => "another provenance is known already";
    Self::NotSigned => "the owner of the signing key has not signed with this session";
});
