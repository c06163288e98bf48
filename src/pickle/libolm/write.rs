//! Writes libolm's pickles, in the versions that libolm 3.2 writes. `read` has the layouts.

use alloc::vec::Vec;

use crate::{
    keys::{Curve25519KeyPair, Curve25519PublicKey},
    megolm::{inbound::InboundGroupSessionState, outbound::GroupSessionState},
    olm::{account::AccountState, one_time_keys::StoredKey, session::SessionState},
    pickle::{
        Sink,
        loss::{ConversionError, Loss},
    },
    primitives::ed25519::SigningKey,
    ratchet::{chain::ChainKey, megolm::MegolmRatchet},
    wire::MessageVersion,
};

/// libolm's limits. What goes beyond them is what it would have evicted, the oldest. Only of
/// one-time keys the unpublished ones go before.
const MAX_ONE_TIME_KEYS: usize = 100;
const MAX_RECEIVER_CHAINS: usize = 5;
const MAX_SKIPPED_KEYS: usize = 40;

type Result<T> = core::result::Result<T, ConversionError>;

/// Of too many one-time keys those stay that the server may hand out: a message made with one that
/// is gone could not be read.
pub(super) fn write_account(state: &AccountState, sink: &mut dyn Sink) -> Result<Loss> {
    let excess = state.one_time_keys.keys.len().saturating_sub(MAX_ONE_TIME_KEYS);
    let dropped = state.one_time_keys.most_dispensable(excess);
    write_account_without(dropped.map(|key| key.id).collect(), state, sink)
}

/// As libolm itself drops keys when it has made others: a caller that keeps its account in this
/// form must find the new keys in it.
#[cfg(feature = "hazmat")]
pub(super) fn write_account_content(state: &AccountState, sink: &mut dyn Sink) -> Result<Loss> {
    let keys = &state.one_time_keys.keys;
    let oldest = keys.iter().take(keys.len().saturating_sub(MAX_ONE_TIME_KEYS));
    write_account_without(oldest.map(|key| key.id).collect(), state, sink)
}

fn write_account_without(
    mut dropped: Vec<u64>,
    state: &AccountState,
    sink: &mut dyn Sink,
) -> Result<Loss> {
    dropped.sort_unstable();
    let is_kept = |key: &&StoredKey| dropped.binary_search(&key.id).is_err();
    let keys = &state.one_time_keys;
    put_number(4, sink)?;
    put_signing_key(&state.signing_key, sink);
    put_pair(&state.identity_key, sink);
    put_number(keys.keys.len().saturating_sub(dropped.len()) as u64, sink)?;
    for key in keys.keys.iter().rev().filter(is_kept) {
        put_stored_key(key, sink)?;
    }
    let fallbacks: Vec<_> = keys.fallback.iter().chain(&keys.previous_fallback).collect();
    put_flag(fallbacks.len() as u8, sink);
    for fallback in &fallbacks {
        put_stored_key(&fallback.key, sink)?;
    }
    let next_id = keys.next_id.max(keys.next_fallback_id.get().unwrap_or(0));
    put_number(next_id.saturating_sub(1), sink)?;
    Ok(Loss {
        one_time_keys: dropped.len(),
        fallback_sessions: fallbacks.iter().map(|fallback| fallback.remembered()).sum(),
        limits: keys.has_other_fallback_memory(),
        ed25519_seed: state.signing_key.seed().is_some(),
        ..Loss::of_account(state)
    })
}

pub(super) fn write_session(state: &SessionState, sink: &mut dyn Sink) -> Result<Loss> {
    let ratchet = &state.ratchet;
    require_version_3(state.version)?;
    put_number(1, sink)?;
    put_flag(state.received.into(), sink);
    put_public(&state.keys.identity_key, sink);
    put_public(&state.keys.base_key, sink);
    put_public(&state.keys.one_time_key, sink);
    sink.put(ratchet.root.as_bytes());
    put_number(ratchet.sender.is_some().into(), sink)?;
    if let Some(sender) = &ratchet.sender {
        put_pair(&sender.ratchet_key, sink);
        put_chain_key(&sender.chain_key, sink)?;
    }
    let chains = || ratchet.receivers.iter().rev().take(MAX_RECEIVER_CHAINS);
    put_number(chains().count() as u64, sink)?;
    for chain in chains() {
        put_public(&chain.ratchet_key, sink);
        put_chain_key(&chain.chain_key, sink)?;
    }
    let mut skipped: Vec<_> = chains()
        .flat_map(|chain| chain.skipped.iter().map(|key| (&chain.ratchet_key, key)))
        .collect();
    skipped.sort_unstable_by_key(|(_, key)| core::cmp::Reverse(key.serial));
    skipped.truncate(MAX_SKIPPED_KEYS);
    put_number(skipped.len() as u64, sink)?;
    for (ratchet_key, key) in &skipped {
        put_public(ratchet_key, sink);
        sink.put(key.key.as_bytes());
        put_number(key.index.into(), sink)?;
    }
    Ok(Loss {
        skipped_keys: ratchet.skipped_keys().count().saturating_sub(skipped.len()),
        receiver_chains: ratchet.receivers.len().saturating_sub(chains().count()),
        // `read_session` finds both again in a session that has not decrypted anything.
        their_identity_key: state.their_identity_key.is_some() && !state.is_unread(),
        root_index: ratchet.root_index.get().is_some() && state.received,
        ..Loss::of_session(state)
    })
}

pub(super) fn write_group_session(state: &GroupSessionState, sink: &mut dyn Sink) -> Result<Loss> {
    require_version_3(state.version)?;
    if state.exhausted {
        return Err(ConversionError::Unrepresentable);
    }
    put_number(1, sink)?;
    put_ratchet(&state.ratchet, sink)?;
    put_signing_key(&state.signing_key, sink);
    Ok(Loss { ed25519_seed: state.signing_key.seed().is_some(), ..Loss::of_group_session(state) })
}

pub(super) fn write_inbound_group_session(
    state: &InboundGroupSessionState,
    sink: &mut dyn Sink,
) -> Result<Loss> {
    require_version_3(state.version)?;
    if state.receiver.is_closed() {
        return Err(ConversionError::Unrepresentable);
    }
    put_number(2, sink)?;
    put_ratchet(state.receiver.first(), sink)?;
    put_ratchet(state.receiver.latest(), sink)?;
    sink.put(state.signing_key.as_bytes());
    put_flag(state.signing_key_verified.into(), sink);
    Ok(Loss::of_inbound_group_session(state))
}

fn require_version_3(version: MessageVersion) -> Result<()> {
    match version {
        MessageVersion::V3 => Ok(()),
        MessageVersion::V4 => Err(ConversionError::Unrepresentable),
    }
}

fn put_stored_key(key: &StoredKey, sink: &mut dyn Sink) -> Result<()> {
    put_number(key.id, sink)?;
    put_flag(key.published.into(), sink);
    put_pair(&key.pair, sink);
    Ok(())
}

fn put_ratchet(ratchet: &MegolmRatchet, sink: &mut dyn Sink) -> Result<()> {
    sink.put(ratchet.value().as_bytes());
    put_number(ratchet.index().into(), sink)
}

fn put_chain_key(chain_key: &ChainKey, sink: &mut dyn Sink) -> Result<()> {
    sink.put(chain_key.key.as_bytes());
    put_number(chain_key.index, sink)
}

fn put_signing_key(key: &SigningKey, sink: &mut dyn Sink) {
    sink.put(key.public());
    sink.put(key.clamped().as_bytes());
}

fn put_pair(pair: &Curve25519KeyPair, sink: &mut dyn Sink) {
    put_public(&pair.public(), sink);
    sink.put(pair.secret().as_bytes());
}

fn put_public(key: &Curve25519PublicKey, sink: &mut dyn Sink) {
    sink.put(key.as_bytes());
}

/// All numbers of the format have 32 bits.
fn put_number(number: u64, sink: &mut dyn Sink) -> Result<()> {
    let number = u32::try_from(number).map_err(|_| ConversionError::Unrepresentable)?;
    sink.put(&number.to_be_bytes());
    Ok(())
}

fn put_flag(flag: u8, sink: &mut dyn Sink) {
    sink.put(&[flag]);
}
