//! What a format cannot hold, by names that a user can accept.

use clap::ValueEnum;
use moceril::Loss;

use crate::failure::{Failure, Result};

/// A fact that may be lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Fact {
    /// One-time keys beyond the format's limit: messages made with them become unreadable
    OneTimeKeys,
    /// Keys of late messages beyond the limit: those messages become unreadable
    SkippedKeys,
    /// Chains of the peer beyond the limit: late messages in them become unreadable
    ReceiverChains,
    /// The previous fallback key: messages made with it become unreadable
    PreviousFallbackKey,
    /// Which sessions used fallback keys: their first messages can be replayed
    FallbackSessions,
    /// That fallback keys remember all sessions made with them: a replay cannot be ruled out for
    /// these keys
    FallbackMemory,
    /// The peer's identity key
    TheirIdentityKey,
    /// The seed of the signing key: the account cannot become a dehydrated device
    Ed25519Seed,
    /// Where the key of a session came from
    Provenance,
    /// When a group session was made
    CreatedAt,
    /// Limits other than the format's
    Limits,
    /// Which missing keys were dropped rather than used
    Evictions,
    /// How many times the root key was advanced
    RootIndex,
    /// That a session has not decrypted a message yet
    Unread,
    /// The number with which a store detects that it was rolled back
    Generation,
}

/// A loss without this fact.
fn without(loss: Loss, fact: Fact) -> Loss {
    let mut rest = loss;
    match fact {
        Fact::OneTimeKeys => rest.one_time_keys = 0,
        Fact::SkippedKeys => rest.skipped_keys = 0,
        Fact::ReceiverChains => rest.receiver_chains = 0,
        Fact::PreviousFallbackKey => rest.previous_fallback_key = false,
        Fact::FallbackSessions => rest.fallback_sessions = 0,
        Fact::FallbackMemory => rest.fallback_memory = false,
        Fact::TheirIdentityKey => rest.their_identity_key = false,
        Fact::Ed25519Seed => rest.ed25519_seed = false,
        Fact::Provenance => rest.provenance = false,
        Fact::CreatedAt => rest.created_at = false,
        Fact::Limits => rest.limits = false,
        Fact::Evictions => rest.evictions = false,
        Fact::RootIndex => rest.root_index = false,
        Fact::Unread => rest.unread = false,
        Fact::Generation => rest.generation = false,
    }
    rest
}

/// Refuses a loss unless the user has accepted each part of it. A part that this file does not know
/// cannot be accepted.
pub fn check(loss: Loss, accepted: &[Fact]) -> Result<()> {
    let rest = accepted.iter().fold(loss, |loss, fact| without(loss, *fact));
    if rest.is_none() {
        return Ok(());
    }
    let lost = Fact::value_variants().iter().filter(|fact| without(rest, **fact) != rest);
    let names: Vec<_> = lost
        .filter_map(ValueEnum::to_possible_value)
        .map(|value| value.get_name().to_owned())
        .collect();
    let what = if rest.drops_keys() { ", and messages become unreadable" } else { "" };
    let failure = Failure::finding(format_args!("the other format cannot hold {rest}{what}"));
    Err(failure.hint(format_args!("add --accept {}, if you can do without", names.join(","))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_part_of_a_loss_is_accepted_by_name() {
        let mut loss = Loss::default();
        assert!(check(loss, &[]).is_ok());
        (loss.generation, loss.skipped_keys) = (true, 3);
        let refusal = check(loss, &[Fact::Generation]).unwrap_err().to_string();
        assert_eq!(
            refusal,
            "the other format cannot hold 3 skipped message keys, and messages become unreadable\
             \n  try: add --accept skipped-keys, if you can do without"
        );
        assert!(check(loss, &[Fact::SkippedKeys]).is_err());
        assert!(check(loss, &[Fact::Generation, Fact::SkippedKeys]).is_ok());
    }

    /// Every fact changes a loss that has all of them, or accepting it would do nothing.
    #[test]
    fn every_fact_is_a_part_of_a_loss() {
        let mut loss = Loss::default();
        (loss.one_time_keys, loss.skipped_keys, loss.receiver_chains) = (1, 1, 1);
        (loss.fallback_sessions, loss.previous_fallback_key) = (1, true);
        (loss.their_identity_key, loss.ed25519_seed, loss.provenance) = (true, true, true);
        (loss.created_at, loss.limits, loss.evictions) = (true, true, true);
        (loss.root_index, loss.unread, loss.generation) = (true, true, true);
        loss.fallback_memory = true;
        let facts = Fact::value_variants();
        assert!(facts.iter().all(|fact| without(loss, *fact) != loss));
        assert!(check(loss, facts).is_ok());
    }
}
