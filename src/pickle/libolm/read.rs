//! Reads libolm's pickles. The layouts are above the functions: one field a line, with lengths in
//! bytes.

use alloc::{boxed::Box, vec::Vec};

use super::{LibolmPickleError, Reader, Result};
use crate::{
    keys::{Curve25519KeyPair, Curve25519PublicKey, Ed25519PublicKey},
    megolm::{
        inbound::InboundGroupSessionState,
        outbound::GroupSessionState,
        trust::{Provenance, Trust},
    },
    olm::{
        account::AccountState,
        fallback::FallbackKey,
        one_time_keys::{OneTimeKeys, StoredKey},
        session::SessionState,
    },
    primitives::{
        ed25519::SigningKey,
        secret::{Apart, OptionalNumber, Secret, SecretList},
    },
    ratchet::{
        chain::{ChainKey, ReceiverChain, SkippedKey},
        double::{DoubleRatchet, SenderChain},
        limits::{DEFAULT_FALLBACK_MEMORY, Limits, MAX_ONE_TIME_KEYS},
        megolm::{MegolmRatchet, Receiver},
    },
    wire::{MessageVersion, olm::SessionKeys},
};

/// Where the public halves of an identity key and of a group session's signing key, and the later
/// ratchet of an inbound group session, come from.
#[derive(Clone, Copy)]
pub(super) enum PublicKeys {
    /// From the private half (S-14) and the earlier ratchet (S-43); the stored ones must be the
    /// same.
    Derived,
    /// From the content, for whose integrity the caller vouches.
    #[cfg(feature = "hazmat")]
    Stored,
}

/// Version 4:
///
/// ```text
/// Ed25519 identity key     32 public, 64 private
/// Curve25519 identity key  32 public, 32 private
/// one-time keys            count 4, then 69 each, newest first; any order is read
/// fallback keys            count 1 (0 to 2), then 69 each, the current one first
/// last id given out        4
/// ```
///
/// Version 3 has no count of fallback keys: it always has two, and one whose `published` is 0 does
/// not exist. Version 2 has no fallback keys.
pub(super) fn read_account(
    version: u32,
    reader: &mut Reader<'_>,
    public_keys: PublicKeys,
) -> Result<AccountState> {
    if !(2..=4).contains(&version) {
        return Err(LibolmPickleError::Version(version));
    }
    let signing_key = read_signing_key(reader, public_keys)?;
    let identity_key = read_identity_key(reader, public_keys)?;
    let count = read_count(reader, MAX_ONE_TIME_KEYS)?;
    let mut keys = SecretList::new();
    for _ in 0..count {
        keys.push(read_stored_key(reader)?);
    }
    let (fallback, previous_fallback) = match version {
        4 => read_fallback_keys(reader)?,
        3 => read_fallback_slots(reader)?,
        _ => (None, None),
    };
    let last_id = u64::from(read_number(reader)?);
    // libolm writes the newest first; vodozemac, in the same format, the oldest.
    let keys = keys.sorted_by_key(|key: &StoredKey| key.id);
    let last_id = keys.last().map_or(last_id, |newest| newest.id.max(last_id));
    let next_id = last_id.saturating_add(1);
    // libolm gives one-time and fallback keys ids from one counter. An account that came to it from
    // vodozemac has fallback keys that were counted separately.
    let fallback_ids = || fallback.iter().chain(&previous_fallback).map(|fallback| fallback.key.id);
    let together = fallback_ids()
        .all(|fallback| fallback < next_id && keys.iter().all(|key| key.id != fallback));
    let next_fallback_id = if together {
        OptionalNumber::NONE
    } else {
        fallback_ids().max().map(|last| last.max(last_id).saturating_add(1)).into()
    };
    let one_time_keys = OneTimeKeys {
        keys,
        fallback,
        previous_fallback,
        next_id,
        next_fallback_id,
        fallback_memory: DEFAULT_FALLBACK_MEMORY,
    };
    Ok(AccountState { signing_key, identity_key, one_time_keys, generation: 0 })
}

type FallbackKeys = (Apart<FallbackKey>, Apart<FallbackKey>);

fn read_fallback_keys(reader: &mut Reader<'_>) -> Result<FallbackKeys> {
    let [count] = *read(reader)?;
    let mut read_if =
        |present| if present { read_fallback_key(reader).map(Some) } else { Ok(None) };
    match count {
        0..=2 => Ok((read_if(count > 0)?, read_if(count > 1)?)),
        _ => Err(LibolmPickleError::InvalidState),
    }
}

fn read_fallback_slots(reader: &mut Reader<'_>) -> Result<FallbackKeys> {
    let current = read_fallback_slot(reader)?;
    let previous = read_fallback_slot(reader)?;
    Ok(match current {
        Some(current) => (Some(current), previous),
        None => (None, None),
    })
}

/// An empty slot holds no valid key, so its bytes are not looked at.
fn read_fallback_slot(reader: &mut Reader<'_>) -> Result<Apart<FallbackKey>> {
    let slot: &[u8; STORED_KEY_LENGTH] = read(reader)?;
    let exists = slot.get(4).is_some_and(|published| *published != 0);
    if exists { read_fallback_key(&mut Reader(slot)).map(Some) } else { Ok(None) }
}

fn read_fallback_key(reader: &mut Reader<'_>) -> Result<Box<FallbackKey>> {
    Ok(Box::new(FallbackKey::without_memory(read_stored_key(reader)?)))
}

/// A one-time or fallback key:
///
/// ```text
/// id         4
/// published  1
/// key        32 public, 32 private
/// ```
fn read_stored_key(reader: &mut Reader<'_>) -> Result<StoredKey> {
    Ok(StoredKey {
        id: read_number(reader)?.into(),
        published: read_flag(reader)?,
        pair: read_pair(reader)?,
    })
}

const STORED_KEY_LENGTH: usize = 4 + 1 + 64;

/// Version 1:
///
/// ```text
/// received          1
/// initiator's keys  32 identity, 32 base
/// one-time key      32
/// root key          32
/// sender chain      count 4 (0 or 1), then 32 public, 32 private, 32 chain key, 4 index
/// receiver chains   count 4, then 32 ratchet key, 32 chain key, 4 index each, newest first
/// skipped keys      count 4, then 32 ratchet key, 32 message key, 4 index each, newest first
/// ```
///
/// Version 0x80000001 ends with a u32 more.
pub(super) fn read_session(
    version: u32,
    reader: &mut Reader<'_>,
    _: PublicKeys,
) -> Result<SessionState> {
    if !matches!(version, 1 | 0x8000_0001) {
        return Err(LibolmPickleError::Version(version));
    }
    let received = read_flag(reader)?;
    let keys = SessionKeys {
        identity_key: read_public(reader)?,
        base_key: read_public(reader)?,
        one_time_key: read_public(reader)?,
    };
    let root = read_secret(reader)?;
    let sender = match read_number(reader)? {
        0 => None,
        1 => Some(Box::new(SenderChain {
            ratchet_key: read_pair(reader)?,
            chain_key: read_chain_key(reader)?,
        })),
        _ => return Err(LibolmPickleError::InvalidState),
    };
    let count = read_count(reader, MAX_RECEIVER_CHAINS)?;
    let mut newest_first = SecretList::new();
    for _ in 0..count {
        let ratchet_key = read_public(reader)?;
        let chain_key = read_chain_key(reader)?;
        newest_first.push(ReceiverChain {
            chain_key,
            ..ReceiverChain::first(ratchet_key, Secret::default())
        });
    }
    let mut receivers = newest_first.reversed();
    read_skipped_keys(reader, &mut receivers)?;
    if version != 1 {
        read_number(reader)?;
    }
    let ratchet = DoubleRatchet::new(root, None, sender, receivers, Limits::default());
    let mut state = SessionState {
        keys,
        their_identity_key: None,
        version: MessageVersion::V3,
        received,
        generation: 0,
        ratchet,
    };
    if state.is_unread() || state.ratchet.receivers.is_empty() {
        // The root key is still that of the first chain, or that of our chain that answers it.
        let answered = state.is_unread() && state.ratchet.sender.is_some();
        state.ratchet.root_index = OptionalNumber::some(answered.into());
    }
    state.find_peer();
    Ok(state)
}

/// The chains and the skipped keys that a session with the default limits can have. libolm writes
/// at most 5 and 40.
const MAX_RECEIVER_CHAINS: usize = Limits::DEFAULT_RECEIVER_CHAINS as usize;
const MAX_SKIPPED_KEYS: usize = MAX_RECEIVER_CHAINS * Limits::DEFAULT_SKIPPED_KEYS as usize;

/// Sorts the skipped keys into their chains. Those of chains that are gone are dropped: libolm does
/// not use them, either.
fn read_skipped_keys(
    reader: &mut Reader<'_>,
    receivers: &mut SecretList<ReceiverChain>,
) -> Result<()> {
    let count = read_count(reader, MAX_SKIPPED_KEYS)?;
    let mut newest_first = Vec::with_capacity(count);
    for _ in 0..count {
        newest_first.push((read::<32>(reader)?, read::<32>(reader)?, read_number(reader)?));
    }
    let oldest_first = newest_first.into_iter().rev();
    let mut next_serial = 0;
    for (ratchet_key, key, index) in oldest_first {
        let place = receivers.iter().position(|chain| chain.ratchet_key.as_bytes() == ratchet_key);
        if let Some(chain) = place.and_then(|place| receivers.get_mut(place)) {
            chain.skipped.push(SkippedKey { index, serial: next_serial, key: Secret::new(*key) });
            next_serial = next_serial.saturating_add(1);
        }
    }
    Ok(())
}

/// Version 1:
///
/// ```text
/// ratchet      128
/// index        4
/// signing key  32 public, 64 private
/// ```
pub(super) fn read_group_session(
    version: u32,
    reader: &mut Reader<'_>,
    public_keys: PublicKeys,
) -> Result<GroupSessionState> {
    if version != 1 {
        return Err(LibolmPickleError::Version(version));
    }
    Ok(GroupSessionState {
        ratchet: read_ratchet(reader)?,
        exhausted: false,
        signing_key: read_signing_key(reader, public_keys)?,
        version: MessageVersion::V3,
        created_at: OptionalNumber::NONE,
        generation: 0,
    })
}

/// Version 2:
///
/// ```text
/// earliest ratchet  128, index 4
/// latest ratchet    128, index 4
/// signing key       32
/// verified          1
/// ```
///
/// Version 1 has no `verified`, and counts as verified.
///
/// Nothing in the pickle says where the session's key came from. `verified` only says that the
/// owner of the signing key signed something with this session, so the provenance is unknown
/// (S-41).
pub(super) fn read_inbound_group_session(
    version: u32,
    reader: &mut Reader<'_>,
    public_keys: PublicKeys,
) -> Result<InboundGroupSessionState> {
    if !(1..=2).contains(&version) {
        return Err(LibolmPickleError::Version(version));
    }
    let (first, latest) = (read_ratchet(reader)?, read_ratchet(reader)?);
    let signing_key = Ed25519PublicKey::from_unverified_point(*read(reader)?)?;
    match public_keys {
        PublicKeys::Derived => if_successor(&first, &latest)?,
        #[cfg(feature = "hazmat")]
        PublicKeys::Stored => {}
    }
    let index = first.index();
    Ok(InboundGroupSessionState {
        receiver: Receiver::new(first, Some(Box::new(latest)), false),
        signing_key,
        trust: Trust::from_index(Provenance::Unknown, index),
        signing_key_verified: version == 1 || read_flag(reader)?,
        version: MessageVersion::V3,
        generation: 0,
    })
}

/// An error unless the later ratchet follows from the earlier one (S-43): at most 1,020 hashes, and
/// a comparison in constant time. Otherwise a forged earlier ratchet beside a genuine later one
/// would be connected with good copies of the session through the later one, and merging would
/// replace theirs with the forged one. A later ratchet whose index is before the earlier one's is
/// refused by `restore`.
fn if_successor(earlier: &MegolmRatchet, later: &MegolmRatchet) -> Result<()> {
    let mut successor = earlier.clone();
    successor.advance_to(later.index());
    successor.value().if_equal(later.value(), LibolmPickleError::InvalidState, || Ok(()))
}

fn read_ratchet(reader: &mut Reader<'_>) -> Result<MegolmRatchet> {
    Ok(MegolmRatchet::new(read_secret(reader)?, read_number(reader)?))
}

fn read_chain_key(reader: &mut Reader<'_>) -> Result<ChainKey> {
    Ok(ChainKey { key: read_secret(reader)?, index: read_number(reader)?.into() })
}

/// An Ed25519 pair.
fn read_signing_key(reader: &mut Reader<'_>, public_keys: PublicKeys) -> Result<SigningKey> {
    let public = read(reader)?;
    let expanded = read_secret(reader)?;
    match public_keys {
        PublicKeys::Derived => {
            let signing_key = SigningKey::from_expanded(expanded)?;
            let is_stored = signing_key.public() == public;
            if is_stored { Ok(signing_key) } else { Err(LibolmPickleError::InvalidState) }
        }
        #[cfg(feature = "hazmat")]
        PublicKeys::Stored => Ok(SigningKey::from_expanded_and_public(expanded, *public)?),
    }
}

/// The X25519 identity key of an account.
fn read_identity_key(
    reader: &mut Reader<'_>,
    public_keys: PublicKeys,
) -> Result<Curve25519KeyPair> {
    let pair = read_pair(reader)?;
    match public_keys {
        PublicKeys::Derived if !pair.is_consistent() => Err(LibolmPickleError::InvalidState),
        _ => Ok(pair),
    }
}

/// An X25519 pair, public half first. Whether the halves belong together is checked only for the
/// identity key: the check would cost a multiplication for each one-time key, and a message made
/// with a wrong public half does not decrypt.
fn read_pair(reader: &mut Reader<'_>) -> Result<Curve25519KeyPair> {
    let public = read_public(reader)?;
    Ok(Curve25519KeyPair::from_parts(&read_secret(reader)?, public))
}

pub(super) fn read_public(reader: &mut Reader<'_>) -> Result<Curve25519PublicKey> {
    Ok(Curve25519PublicKey::from_bytes(*read(reader)?)?)
}

pub(super) fn read_secret<const N: usize>(reader: &mut Reader<'_>) -> Result<Secret<N>> {
    read(reader).copied().map(Secret::new)
}

pub(super) fn read_number(reader: &mut Reader<'_>) -> Result<u32> {
    read(reader).copied().map(u32::from_be_bytes)
}

/// A list's count. Too many items are refused before the first one is read, so that the work for a
/// hostile pickle does not grow faster than its length (S-45): skipped keys are compared with
/// chains.
fn read_count(reader: &mut Reader<'_>, maximum: usize) -> Result<usize> {
    let count = usize::try_from(read_number(reader)?).ok().filter(|count| *count <= maximum);
    count.ok_or(LibolmPickleError::InvalidState)
}

fn read_flag(reader: &mut Reader<'_>) -> Result<bool> {
    read::<1>(reader).map(|flag| *flag != [0])
}

fn read<'a, const N: usize>(reader: &mut Reader<'a>) -> Result<&'a [u8; N]> {
    reader.take().ok_or(LibolmPickleError::InvalidState)
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;

    /// The caller reads version 1. Not received; three public keys, which must not be of low order;
    /// root key; no sender chain.
    fn session_head() -> Vec<u8> {
        let mut content = vec![0];
        content.extend([9; 4 * 32]);
        content.extend(0_u32.to_be_bytes());
        content
    }

    /// A list of entries of a ratchet key, another key and an index.
    fn list(count: usize) -> Vec<u8> {
        let count = u32::try_from(count).unwrap();
        let mut list = Vec::from(count.to_be_bytes());
        for number in 0..count {
            let mut key = [5; 32];
            key[..4].copy_from_slice(&number.to_be_bytes());
            list.extend(key);
            list.extend([6; 32]);
            list.extend(number.to_be_bytes());
        }
        list
    }

    /// S-45: lists that are too long are refused at their count: not one item is read, so the work
    /// does not grow with the pickle. The longest lists that a session can have are read.
    #[test]
    fn s_45_chains_and_skipped_keys_are_counted_first() {
        let left = |chains: usize, skipped: usize| {
            let content = [session_head(), list(chains), list(skipped)].concat();
            let mut reader = Reader(&content);
            let read = read_session(1, &mut reader, PublicKeys::Derived);
            (read.map(drop), reader.0.len())
        };
        let refused = Err(LibolmPickleError::InvalidState);
        assert_eq!(left(5, 200), (Ok(()), 0));
        for count in [6, 100, 10_000] {
            let behind_the_count = count * 68 + 4 + 68;
            assert_eq!(left(count, 1), (refused, behind_the_count));
        }
        for count in [201, 1_000, 10_000] {
            assert_eq!(left(5, count), (refused, count * 68));
        }
    }

    /// S-45: the same for the one-time keys of an account.
    #[test]
    fn s_45_one_time_keys_are_counted_first() {
        let signing_key = SigningKey::from_seed(Secret::new([1; 32]));
        let mut head = Vec::from(*signing_key.public());
        head.extend(signing_key.clamped().as_bytes());
        let identity_key = Curve25519KeyPair::from_secret_bytes(&Secret::new([9; 32]));
        head.extend(identity_key.public().as_bytes());
        head.extend(identity_key.secret().as_bytes());
        for count in [MAX_ONE_TIME_KEYS + 1, 3 * MAX_ONE_TIME_KEYS] {
            let mut content = head.clone();
            content.extend(u32::try_from(count).unwrap().to_be_bytes());
            content.resize(content.len() + count * STORED_KEY_LENGTH, 9);
            let mut reader = Reader(&content);
            let read = read_account(4, &mut reader, PublicKeys::Derived);
            assert_eq!(read.map(drop), Err(LibolmPickleError::InvalidState));
            assert_eq!(reader.0.len(), count * STORED_KEY_LENGTH);
        }
    }
}
