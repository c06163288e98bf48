//! What a peer's format cannot hold (S-24).

use core::{error::Error, fmt};

/// What a conversion dropped, or would drop: keys that cannot be had again, and facts that whoever
/// reads the other format can only be told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Loss {
    /// One-time keys beyond the target's limit: messages made with them will not be readable.
    pub one_time_keys: usize,
    /// Keys of late messages beyond the target's limit: those messages will not be readable.
    pub skipped_keys: usize,
    /// Chains of the peer beyond the target's limit: late messages of them will not be readable.
    pub receiver_chains: usize,
    /// The previous fallback key: messages made with it will not be readable.
    pub previous_fallback_key: bool,
    /// Sessions that fallback keys remember (S-08): their first messages can be replayed afterwards.
    pub fallback_sessions: usize,
    /// The peer's identity key of a session.
    pub their_identity_key: bool,
    /// Where the key of an inbound group session came from (S-21).
    pub provenance: bool,
    /// When a group session was made.
    pub created_at: bool,
    /// Limits other than the target's.
    pub limits: bool,
    /// Which missing keys were evicted, not used.
    pub evictions: bool,
    /// The generation number, which shows a rollback (S-35): it begins again at 0.
    pub generation: bool,
}

impl Loss {
    /// Whether nothing is lost.
    #[must_use]
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }

    /// Whether messages become unreadable, or can be replayed: what nobody can supply again.
    #[must_use]
    pub const fn drops_keys(&self) -> bool {
        self.one_time_keys > 0
            || self.skipped_keys > 0
            || self.receiver_chains > 0
            || self.previous_fallback_key
            || self.fallback_sessions > 0
    }
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = [
            (self.one_time_keys, "one-time keys"),
            (self.skipped_keys, "skipped message keys"),
            (self.receiver_chains, "receiver chains"),
            (self.fallback_sessions, "remembered fallback sessions"),
        ];
        let facts = [
            (self.previous_fallback_key, "the previous fallback key"),
            (self.their_identity_key, "the peer's identity key"),
            (self.provenance, "the provenance"),
            (self.created_at, "the time of creation"),
            (self.limits, "the limits"),
            (self.evictions, "which keys were evicted"),
            (self.generation, "the generation number"),
        ];
        let mut separator = "";
        for (count, name) in counts.into_iter().filter(|(count, _)| *count > 0) {
            write!(f, "{separator}{count} {name}")?;
            separator = ", ";
        }
        for (_, name) in facts.into_iter().filter(|(lost, _)| *lost) {
            write!(f, "{separator}{name}")?;
            separator = ", ";
        }
        if separator.is_empty() { f.write_str("nothing") } else { Ok(()) }
    }
}

/// An object cannot be converted to a peer's format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConversionError {
    /// This would be lost. The `_lossy` variant of the call accepts it.
    Lossy(Loss),
    /// The target has no form for this object at all: an exhausted or closed session, a message
    /// version or a key id that it does not know.
    Unrepresentable,
}

impl fmt::Display for ConversionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lossy(loss) => write!(f, "the target format cannot hold {loss}"),
            Self::Unrepresentable => f.write_str("the target format has no form for this object"),
        }
    }
}

impl Error for ConversionError {}
