//! What a peer's format cannot hold (S-24).

use core::{error::Error, fmt};

/// What a conversion dropped, or would drop.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Loss {
    /// One-time keys beyond the target's limit: messages made with them will not be readable.
    pub one_time_keys: usize,
    /// Keys of late messages beyond the target's limit: those messages will not be readable.
    pub skipped_keys: usize,
    /// Chains of the peer beyond the target's limit: late messages of them will not be readable.
    pub receiver_chains: usize,
    /// Sessions that fallback keys remember (S-08): their first messages can be replayed afterwards.
    pub fallback_sessions: usize,
}

impl Loss {
    /// Whether nothing is lost.
    #[must_use]
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { one_time_keys, skipped_keys, receiver_chains, fallback_sessions } = self;
        write!(
            f,
            "{one_time_keys} one-time keys, {skipped_keys} skipped message keys, {receiver_chains} \
             receiver chains, {fallback_sessions} remembered fallback sessions"
        )
    }
}

/// An object cannot be converted to a peer's format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConversionError {
    /// This would be lost. The `lossy` twin of the call drops it and goes on.
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
