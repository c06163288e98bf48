//! Every limit on what a session and an account keep, and on the work that one message may cause.

use crate::error::DecryptionError;

/// How much an Olm session remembers and how hard it works for a message that arrives late or early
/// (S-22).
///
/// The defaults are also the minimum. Raising a limit lets more late messages decrypt, but it costs
/// memory, makes pickles longer, lets a peer cause more hashing with one message, and keeps keys
/// that should be deleted for forward secrecy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    skipped_keys: u32,
    message_gap: u32,
    receiver_chains: u32,
}

impl Limits {
    /// How many keys of missing messages are kept in each chain. Networks reorder by a few
    /// messages, not by dozens.
    pub const DEFAULT_SKIPPED_KEYS: u32 = 40;
    /// At most 65,536 keys in each chain. Each takes 48 bytes of memory and 44 of a pickle: 3 MB.
    pub const MAX_SKIPPED_KEYS: u32 = 1 << 16;
    /// How far a message may be ahead of its chain: 2,000 lost messages in a row. Each of them
    /// costs the receiver one HMAC before the MAC of the message can be checked, and no memory
    /// (S-45): a forged message costs at most 0.7 milliseconds on an x86-64 server processor of
    /// 2026 with SHA extensions, and five times as much without them. The keys of the missing
    /// messages are derived after the MAC was verified.
    pub const DEFAULT_MESSAGE_GAP: u32 = 2_000;
    /// At most 65,536 messages ahead: a forged message costs at most 21 milliseconds on that
    /// processor. An authentic one takes 57 milliseconds if all the keys of the messages before it
    /// are kept.
    pub const MAX_MESSAGE_GAP: u32 = 1 << 16;
    /// How many sender chains of the peer are kept for late messages, the current one included.
    pub const DEFAULT_RECEIVER_CHAINS: u32 = 5;
    /// At most 255 chains.
    pub const MAX_RECEIVER_CHAINS: u32 = 255;
    /// How many ratchet keys of dropped chains are remembered, to tell a late message from a forged
    /// one.
    pub const REMEMBERED_CHAINS: usize = 16;

    /// The same limits but with `count` skipped keys in each chain, clamped to what is allowed.
    #[must_use]
    pub fn with_skipped_keys(mut self, count: u32) -> Self {
        self.skipped_keys = count.clamp(Self::DEFAULT_SKIPPED_KEYS, Self::MAX_SKIPPED_KEYS);
        self
    }

    /// The same limits but with messages up to `gap` ahead of their chain, clamped to what is
    /// allowed.
    #[must_use]
    pub fn with_message_gap(mut self, gap: u32) -> Self {
        self.message_gap = gap.clamp(Self::DEFAULT_MESSAGE_GAP, Self::MAX_MESSAGE_GAP);
        self
    }

    /// The same limits but with `count` chains of the peer, clamped to what is allowed.
    #[must_use]
    pub fn with_receiver_chains(mut self, count: u32) -> Self {
        self.receiver_chains =
            count.clamp(Self::DEFAULT_RECEIVER_CHAINS, Self::MAX_RECEIVER_CHAINS);
        self
    }

    /// How many keys of missing messages are kept in each chain.
    #[must_use]
    pub const fn skipped_keys(&self) -> u32 {
        self.skipped_keys
    }

    /// How far a message may be ahead of its chain.
    #[must_use]
    pub const fn message_gap(&self) -> u32 {
        self.message_gap
    }

    /// How many chains of the peer are kept, the current one included.
    #[must_use]
    pub const fn receiver_chains(&self) -> u32 {
        self.receiver_chains
    }

    /// Refuses a message that is too far ahead of its chain, whose next index is `next`. This costs
    /// no hash.
    pub(crate) fn check_gap(&self, next: u64, index: u32) -> Result<(), DecryptionError> {
        let maximum = next.saturating_add(self.message_gap.into());
        if u64::from(index) > maximum {
            let maximum = u32::try_from(maximum).unwrap_or(u32::MAX);
            return Err(DecryptionError::TooFarAhead { index, maximum });
        }
        Ok(())
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            skipped_keys: Self::DEFAULT_SKIPPED_KEYS,
            message_gap: Self::DEFAULT_MESSAGE_GAP,
            receiver_chains: Self::DEFAULT_RECEIVER_CHAINS,
        }
    }
}

/// The most one-time keys that an account stores. Servers hold some tens of a device's keys; those
/// given out but not yet used must not be forgotten while their messages are on the way.
pub(crate) const MAX_ONE_TIME_KEYS: usize = 5_000;

/// How many sessions a fallback key remembers, unless the caller raises this.
pub(crate) const DEFAULT_FALLBACK_MEMORY: u32 = 1_024;

/// The most that the caller may raise it to: half a megabyte of a pickle's text for each key.
pub(crate) const MAX_FALLBACK_MEMORY: u32 = 65_536;

/// How many sessions of one sender a fallback key remembers, so that one sender cannot fill the
/// memory.
pub(crate) const FALLBACK_SHARE: u32 = 32;
