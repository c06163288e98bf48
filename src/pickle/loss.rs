//! What a peer's format cannot hold (S-24, S-41).

use core::fmt;

use crate::{
    error::texts,
    megolm::{inbound::InboundGroupSessionState, outbound::GroupSessionState},
    olm::{account::AccountState, session::SessionState},
    ratchet::limits::Limits,
};

/// What a conversion dropped, or would drop: keys that cannot be recovered, and facts that a reader
/// of the other format cannot find in it.
///
/// # What each format holds
///
/// "Lost" means that the conversion sets the named field of this struct, and that the exact call
/// returns an error. A native pickle holds everything.
///
/// | account | native | libolm | vodozemac | dehydrated device |
/// |---|---|---|---|---|
/// | both identity keys | held | held | held | held |
/// | Ed25519 seed, without which an account cannot be dehydrated | held | lost: `ed25519_seed` | held | held |
/// | one-time keys and their ids | all | 100; more: `one_time_keys` | all | see [`DehydratedDevice`](crate::DehydratedDevice) |
/// | both fallback keys | held | held | held | see there |
/// | sessions that fallback keys remember | held | lost: `fallback_sessions` | lost: `fallback_sessions` | see there |
/// | that a fallback key remembers all sessions made with it | held | lost: `fallback_memory` | lost: `fallback_memory` | see there |
/// | how many they may remember | held | lost if raised: `limits` | lost if raised: `limits` | see there |
/// | generation | held | lost: `generation` | lost: `generation` | see there |
///
/// | Olm session | native | libolm | vodozemac |
/// |---|---|---|---|
/// | session keys, root key, our chain | held | held | held |
/// | message version | held | version 3 only; version 4 is [`Unrepresentable`](ConversionError::Unrepresentable) | held |
/// | whether a message was decrypted | held | held | held, as whether there is a chain of the peer; lost if there is one before the first message: `unread` |
/// | the peer's chains | up to 255 | the newest 5; more: `receiver_chains` | the newest 5; more: `receiver_chains` |
/// | keys of late messages | all | the newest 40; more: `skipped_keys` | the newest 40 of each chain; more: `skipped_keys` |
/// | the peer's identity key | held | lost: `their_identity_key`, unless the session was made from a message that it has not decrypted | lost: `their_identity_key`, unless the peer began the session |
/// | limits | held | lost if raised: `limits` | lost if raised: `limits` |
/// | index of the root key | held | lost: `root_index`, unless no message was decrypted | held |
/// | which missing keys were evicted | held | lost: `evictions` | lost: `evictions` |
/// | generation | held | lost: `generation` | lost: `generation` |
///
/// | group session | native | libolm | vodozemac |
/// |---|---|---|---|
/// | ratchet, signing key | held | held | held |
/// | seed of the signing key, which only vodozemac's form repeats | held | lost: `ed25519_seed` | held |
/// | message version | held | version 3 only | held |
/// | time of creation | held | lost: `created_at` | lost: `created_at` |
/// | that the last index was used | held | `Unrepresentable` | `Unrepresentable` |
/// | generation | held | lost: `generation` | lost: `generation` |
///
/// | inbound group session | native | libolm | vodozemac |
/// |---|---|---|---|
/// | earliest known index, its ratchet, signing key | held | held | held |
/// | whether the signing key is verified | held | held | held |
/// | provenance | held | lost: `provenance` | lost: `provenance` |
/// | message version | held | version 3 only | held |
/// | that the session was closed | held | `Unrepresentable` | `Unrepresentable` |
/// | generation | held | lost: `generation` | lost: `generation` |
///
/// # What can be supplied again
///
/// After reading libolm's or vodozemac's pickle of an Olm session, the peer's identity key is known
/// if the pickle proves that the peer began the session: a libolm session that was made from a
/// message and has not decrypted it, and a vodozemac session whose index of the root key is that of
/// the end that answered (vodozemac writes the index since 0.7). In all other cases
/// [`set_identity_keys`](crate::olm::Session::set_identity_keys) supplies it, and
/// [`set_limits`](crate::olm::Session::set_limits) the limits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Loss {
    /// One-time keys beyond the target's limit: messages made with them will not be readable. Those
    /// that are not marked as published are dropped before those that the server may hand out, the
    /// oldest first.
    pub one_time_keys: usize,
    /// Keys of late messages beyond the target's limit: those messages will not be readable.
    pub skipped_keys: usize,
    /// Chains of the peer beyond the target's limit: late messages in them will not be readable.
    pub receiver_chains: usize,
    /// The previous fallback key: messages made with it will not be readable.
    pub previous_fallback_key: bool,
    /// Sessions that fallback keys remember (S-08): their first messages can be replayed
    /// afterwards.
    pub fallback_sessions: usize,
    /// The fact that a fallback key remembers every session made with it. Without it,
    /// [`replay_excluded`](crate::olm::InboundCreation::replay_excluded) is false for this key; it is
    /// true again for the next one.
    pub fallback_memory: bool,
    /// The peer's identity key of a session.
    /// [`set_identity_keys`](crate::olm::Session::set_identity_keys) supplies it again.
    pub their_identity_key: bool,
    /// The seed of a signing key. Signatures stay the same, but an account without it cannot be
    /// [dehydrated](crate::DehydratedDevice).
    pub ed25519_seed: bool,
    /// Where the key of an inbound group session came from (S-21).
    pub provenance: bool,
    /// When a group session was made.
    pub created_at: bool,
    /// Limits other than the target's.
    pub limits: bool,
    /// Which missing keys were evicted rather than used.
    pub evictions: bool,
    /// How often the root key of a session was advanced, which shows who began it.
    pub root_index: bool,
    /// The fact that the session has not yet decrypted the message it was made from. Without it,
    /// the session sends normal messages instead of pre-key messages. The peer can read them.
    pub unread: bool,
    /// The generation number, which shows a rollback (S-35): it begins again at 0.
    pub generation: bool,
}

/// Facts that neither of the peers' formats holds.
impl Loss {
    pub(super) fn of_account(state: &AccountState) -> Self {
        let keys = &state.one_time_keys;
        let mut fallbacks = keys.fallback.iter().chain(&keys.previous_fallback);
        Self {
            fallback_memory: fallbacks.any(|fallback| fallback.memory.complete),
            generation: state.generation > 0,
            ..Self::default()
        }
    }

    pub(super) fn of_session(state: &SessionState) -> Self {
        let ratchet = &state.ratchet;
        let evicted_below = || ratchet.receivers.iter().any(|chain| chain.evicted_below > 0);
        Self {
            limits: ratchet.limits != Limits::default(),
            evictions: ratchet.evicted_keys > 0 || !ratchet.evicted.is_empty() || evicted_below(),
            generation: state.generation > 0,
            ..Self::default()
        }
    }

    pub(super) fn of_group_session(state: &GroupSessionState) -> Self {
        Self {
            created_at: state.created_at.get().is_some(),
            generation: state.generation > 0,
            ..Self::default()
        }
    }

    pub(super) fn of_inbound_group_session(state: &InboundGroupSessionState) -> Self {
        Self {
            provenance: state.trust.is_known(),
            generation: state.generation > 0,
            ..Self::default()
        }
    }
}

impl Loss {
    /// Whether nothing is lost.
    #[must_use]
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }

    /// Whether messages become unreadable, or can be replayed. Everything else that can be lost is
    /// a fact about the object, which decrypts the same messages without it.
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
            (self.fallback_memory, "that fallback keys remember all sessions"),
            (self.their_identity_key, "the peer's identity key"),
            (self.ed25519_seed, "the seed of the signing key"),
            (self.provenance, "the provenance"),
            (self.created_at, "the time of creation"),
            (self.limits, "the limits"),
            (self.evictions, "which keys were evicted"),
            (self.root_index, "the index of the root key"),
            (self.unread, "that no message was decrypted"),
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
    /// The target format cannot represent this object at all: it is an exhausted or closed session,
    /// or has a message version or a key id that the format does not know.
    Unrepresentable,
}

texts!(ConversionError {
    Self::Lossy(loss) => "the target format cannot hold {loss}";
    Self::Unrepresentable => "the target format has no form for this object";
});
