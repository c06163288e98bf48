//! Converts the shapes to and from the states of the objects.

use alloc::boxed::Box;

use super::{
    Result, VodozemacPickleError,
    shape::{
        AccountShape, ActiveRatchetShape, ByteString, ChainShape, FallbackKeyShape,
        FallbackKeysShape, GroupSessionShape, InboundGroupSessionShape, Inner, KeyShape, List,
        NumberMap, OneTimeKeysShape, PublicKey, RatchetShape, ReceivingChainShape,
        SendingRatchetShape, Sequence, SessionKeysShape, SessionShape, SigningKeyShape,
        SkippedKeyShape, VerifyingKey,
    },
};
use crate::{
    keys::Curve25519KeyPair,
    megolm::{
        inbound::InboundGroupSessionState,
        outbound::GroupSessionState,
        trust::{Provenance, Trust},
    },
    olm::{
        account::AccountState,
        fallback::FallbackKey,
        one_time_keys::{OneTimeKeys, StoredKey},
        session::{End, SessionState},
    },
    pickle::loss::{ConversionError, Loss},
    primitives::{
        ed25519::SigningKey,
        secret::{OptionalNumber, Secret, SecretList},
    },
    ratchet::{
        chain::{ChainKey, EXHAUSTED, ReceiverChain, SkippedKey},
        double::{DoubleRatchet, SenderChain},
        limits::{DEFAULT_FALLBACK_MEMORY, Limits, MAX_ONE_TIME_KEYS},
        megolm::{MegolmRatchet, Receiver},
    },
    wire::olm::SessionKeys,
};

/// vodozemac's limits. Beyond them, the oldest is dropped, as vodozemac would have evicted it.
const MAX_RECEIVER_CHAINS: usize = 5;
const MAX_SKIPPED_KEYS: usize = 40;

type Conversion<T> = core::result::Result<(T, Loss), ConversionError>;

pub(super) fn account_from(shape: AccountShape) -> Result<AccountState> {
    let AccountShape { signing_key, diffie_hellman_key, one_time_keys, fallback_keys } = shape;
    // Each private key costs a multiplication, so they are counted before the first one (S-45).
    if one_time_keys.private_keys.0.len() > MAX_ONE_TIME_KEYS {
        return Err(VodozemacPickleError::InvalidState);
    }
    let mut keys = SecretList::new();
    keys.reserve(one_time_keys.private_keys.0.len());
    // A store may have changed the order of the JSON's members.
    let unpublished = one_time_keys.public_keys.0.sorted_by_key(|(id, _)| *id);
    let private_keys = one_time_keys.private_keys.0.sorted_by_key(|(id, _)| *id);
    let has_private =
        |(id, _): &(u64, PublicKey)| private_keys.binary_search_by_key(id, |(id, _)| *id).is_ok();
    if !unpublished.is_sorted_by(|(a, _), (b, _)| a < b) || !unpublished.iter().all(has_private) {
        return Err(VodozemacPickleError::InvalidState);
    }
    let secrets = private_keys.iter().map(|(_, secret)| &secret.0);
    let pairs = Curve25519KeyPair::from_many_secret_bytes(secrets);
    for ((id, _), pair) in private_keys.iter().zip(pairs.iter()) {
        let listed = unpublished.binary_search_by_key(id, |(id, _)| *id).ok();
        let listed = listed.and_then(|place| unpublished.get(place)).map(|(_, public)| public.0);
        if listed.is_some_and(|public| public != pair.public()) {
            return Err(VodozemacPickleError::InvalidState);
        }
        keys.push(StoredKey { id: *id, pair: pair.clone(), published: listed.is_none() });
    }
    let fallback_key = |shape: FallbackKeyShape| {
        Box::new(FallbackKey::without_memory(StoredKey {
            id: shape.key_id,
            pair: Curve25519KeyPair::from_secret_bytes(&shape.key.0),
            published: shape.published,
        }))
    };
    let fallback = fallback_keys.fallback_key.map(fallback_key);
    let previous_fallback = fallback_keys.previous_fallback_key.map(fallback_key);
    // S-10: an account that counts both kinds of keys together was written with two equal counters,
    // and goes on so. Others with equal counters may: no id below the counter is given out again.
    let fallback_ids = || fallback.iter().chain(&previous_fallback).map(|fallback| fallback.key.id);
    let together = fallback_keys.key_id == one_time_keys.next_key_id
        && fallback_ids().all(|fallback| keys.iter().all(|key| key.id != fallback));
    let next_fallback_id =
        if together { OptionalNumber::NONE } else { OptionalNumber::some(fallback_keys.key_id) };
    Ok(AccountState {
        signing_key: signing_key_from(signing_key)?,
        identity_key: Curve25519KeyPair::from_secret_bytes(&diffie_hellman_key.0),
        one_time_keys: OneTimeKeys {
            keys,
            fallback,
            previous_fallback,
            next_id: one_time_keys.next_key_id,
            next_fallback_id,
            fallback_memory: DEFAULT_FALLBACK_MEMORY,
        },
        generation: 0,
    })
}

pub(super) fn account_to(state: &AccountState) -> Conversion<AccountShape> {
    const { assert!(MAX_ONE_TIME_KEYS <= 5_000, "vodozemac stores no more") };
    let keys = &state.one_time_keys;
    let mut public_keys = SecretList::new();
    public_keys.reserve(keys.keys.len());
    for key in keys.keys.iter().filter(|key| !key.published) {
        public_keys.push((key.id, PublicKey(key.pair.public())));
    }
    let mut private_keys = SecretList::new();
    private_keys.reserve(keys.keys.len());
    for key in keys.keys.iter() {
        private_keys.push((key.id, secret_half(&key.pair)));
    }
    let fallback = |fallback: &FallbackKey| FallbackKeyShape {
        key_id: fallback.key.id,
        key: secret_half(&fallback.key.pair),
        published: fallback.key.published,
    };
    let remembered = keys.fallback.iter().chain(&keys.previous_fallback);
    let loss = Loss {
        fallback_sessions: remembered.map(|fallback| fallback.remembered()).sum(),
        limits: keys.has_other_fallback_memory(),
        ..Loss::of_account(state)
    };
    let shape = AccountShape {
        signing_key: signing_key_to(&state.signing_key),
        diffie_hellman_key: secret_half(&state.identity_key),
        one_time_keys: OneTimeKeysShape {
            next_key_id: keys.next_id,
            public_keys: NumberMap(public_keys),
            private_keys: NumberMap(private_keys),
        },
        fallback_keys: FallbackKeysShape {
            key_id: keys.next_fallback_id.get().unwrap_or(keys.next_id),
            fallback_key: keys.fallback.as_deref().map(fallback),
            previous_fallback_key: keys.previous_fallback.as_deref().map(fallback),
        },
    };
    Ok((shape, loss))
}

pub(super) fn session_from(shape: SessionShape) -> Result<SessionState> {
    let mut receivers = SecretList::new();
    let mut next_serial = 0_u64;
    for chain in shape.receiving_chains.inner.0.iter() {
        let mut skipped = SecretList::new();
        for key in chain.skipped_message_keys.inner.0.iter() {
            let index = u32::try_from(key.index).map_err(|_| VodozemacPickleError::InvalidState)?;
            skipped.push(SkippedKey { index, serial: next_serial, key: key.key.0.clone() });
            next_serial = next_serial.saturating_add(1);
        }
        let ReceivingChainShape { ratchet_key, hkdf_ratchet, .. } = chain;
        receivers.push(ReceiverChain {
            ratchet_key: ratchet_key.0,
            chain_key: chain_key_from(hkdf_ratchet),
            skipped,
            evicted_below: 0,
        });
    }
    let received = !receivers.is_empty();
    let root_index = root_index(&shape)?;
    let (root, sender) = match shape.sending_ratchet {
        SendingRatchetShape::Active { active_ratchet, symmetric_key_ratchet, .. } => {
            let sender = SenderChain {
                ratchet_key: Curve25519KeyPair::from_secret_bytes(&active_ratchet.ratchet_key.0),
                chain_key: chain_key_from(&symmetric_key_ratchet),
            };
            (active_ratchet.root_key.0, Some(Box::new(sender)))
        }
        SendingRatchetShape::Inactive { root_key, ratchet_key, .. } => {
            // The chain that our next one will answer is the newest.
            let newest = receivers.last().map(|chain: &ReceiverChain| chain.ratchet_key);
            if newest != Some(ratchet_key.0) {
                return Err(VodozemacPickleError::InvalidState);
            }
            (root_key.key.0, None)
        }
    };
    let SessionKeysShape { identity_key, base_key, one_time_key } = shape.session_keys;
    let mut state = SessionState {
        keys: SessionKeys {
            identity_key: identity_key.0,
            base_key: base_key.0,
            one_time_key: one_time_key.0,
        },
        their_identity_key: None,
        version: shape.config.try_into()?,
        received,
        generation: 0,
        ratchet: DoubleRatchet::new(root, root_index, sender, receivers, Limits::default()),
    };
    state.find_peer();
    Ok(state)
}

/// `i` of the root key `R_i`. The peer's chains are made with every second root key, and each chain
/// that is numbered must lead to the same newest one.
fn root_index(shape: &SessionShape) -> Result<Option<u64>> {
    let (count, ours) = match shape.sending_ratchet {
        SendingRatchetShape::Active { ratchet_count, .. } => (ratchet_count, 1),
        SendingRatchetShape::Inactive { ratchet_count, .. } => (ratchet_count, 0),
    };
    let count: Option<u64> = count.into();
    let receivers = &shape.receiving_chains.inner.0;
    if receivers.is_empty() {
        // Nobody has answered our first chain.
        return match count {
            None | Some(0) => Ok(Some(0)),
            Some(1..) => Err(VodozemacPickleError::InvalidState),
        };
    }
    let newest_first = receivers.iter().rev().zip((0_u64..).step_by(2));
    let mut newest = newest_first
        .filter_map(|(chain, later)| {
            Option::<u64>::from(chain.ratchet_count).map(|count| count.checked_add(later))
        })
        .chain(count.map(|count| count.checked_sub(ours)));
    let Some(first) = newest.next() else { return Ok(None) };
    if !newest.all(|other| other == first) {
        return Err(VodozemacPickleError::InvalidState);
    }
    let index = first.and_then(|newest| newest.checked_add(ours));
    index.map(Some).ok_or(VodozemacPickleError::InvalidState)
}

pub(super) fn session_to(state: &SessionState) -> Conversion<SessionShape> {
    let ratchet = &state.ratchet;
    let excess_chains = ratchet.receivers.len().saturating_sub(MAX_RECEIVER_CHAINS);
    let mut chains = SecretList::new();
    let mut kept_keys = 0_usize;
    let newest = ratchet.newest_receiver();
    for (place, chain) in ratchet.receivers.iter().enumerate().skip(excess_chains) {
        let later = ratchet.receivers.len().saturating_sub(place).saturating_sub(1);
        let turns = later.saturating_mul(2) as u64;
        let excess_keys = chain.skipped.len().saturating_sub(MAX_SKIPPED_KEYS);
        let mut skipped = SecretList::new();
        for key in chain.skipped.iter().skip(excess_keys) {
            skipped
                .push(SkippedKeyShape { key: Sequence(key.key.clone()), index: key.index.into() });
        }
        kept_keys = kept_keys.saturating_add(skipped.len());
        chains.push(ReceivingChainShape {
            ratchet_key: PublicKey(chain.ratchet_key),
            hkdf_ratchet: chain_shape(&chain.chain_key),
            skipped_message_keys: Inner { inner: List(skipped) },
            ratchet_count: newest.and_then(|newest| newest.checked_sub(turns)).into(),
        });
    }
    let ratchet_count = ratchet.root_index.get().into();
    let their_newest = ratchet.receivers.last().map(|chain| PublicKey(chain.ratchet_key));
    let sending_ratchet = match (&ratchet.sender, their_newest) {
        (Some(sender), parent_ratchet_key) => SendingRatchetShape::Active {
            parent_ratchet_key,
            ratchet_count,
            active_ratchet: ActiveRatchetShape {
                root_key: Sequence(ratchet.root.clone()),
                ratchet_key: secret_half(&sender.ratchet_key),
            },
            symmetric_key_ratchet: chain_key_to(&sender.chain_key)?,
        },
        (None, Some(ratchet_key)) => SendingRatchetShape::Inactive {
            root_key: KeyShape { key: Sequence(ratchet.root.clone()) },
            ratchet_key,
            ratchet_count,
        },
        (None, None) => return Err(ConversionError::Unrepresentable),
    };
    let loss = Loss {
        skipped_keys: ratchet.skipped_keys().count().saturating_sub(kept_keys),
        receiver_chains: excess_chains,
        // `session_from` finds it again where the counts show that the peer began the session.
        their_identity_key: state.their_identity_key.is_some()
            && state.initiator() != Some(End::Theirs),
        // vodozemac takes a chain of the peer for a message that arrived.
        unread: state.is_unread(),
        ..Loss::of_session(state)
    };
    let shape = SessionShape {
        session_keys: SessionKeysShape {
            identity_key: PublicKey(state.keys.identity_key),
            base_key: PublicKey(state.keys.base_key),
            one_time_key: PublicKey(state.keys.one_time_key),
        },
        sending_ratchet,
        receiving_chains: Inner { inner: List(chains) },
        config: state.version.into(),
    };
    Ok((shape, loss))
}

pub(super) fn group_session_from(shape: GroupSessionShape) -> Result<GroupSessionState> {
    Ok(GroupSessionState {
        ratchet: MegolmRatchet::new(shape.ratchet.inner.0, shape.ratchet.counter),
        exhausted: false,
        signing_key: signing_key_from(shape.signing_key)?,
        version: shape.config.try_into()?,
        created_at: OptionalNumber::NONE,
        generation: 0,
    })
}

pub(super) fn group_session_to(state: &GroupSessionState) -> Conversion<GroupSessionShape> {
    if state.exhausted {
        return Err(ConversionError::Unrepresentable);
    }
    let shape = GroupSessionShape {
        ratchet: ratchet_to(&state.ratchet),
        signing_key: signing_key_to(&state.signing_key),
        config: state.version.into(),
    };
    Ok((shape, Loss::of_group_session(state)))
}

/// The pickle does not say where the session's key came from (S-41).
pub(super) fn inbound_group_session_from(
    shape: InboundGroupSessionShape,
) -> Result<InboundGroupSessionState> {
    let first = MegolmRatchet::new(shape.initial_ratchet.inner.0, shape.initial_ratchet.counter);
    let index = first.index();
    Ok(InboundGroupSessionState {
        receiver: Receiver::new(first, None, false),
        signing_key: shape.signing_key.0,
        trust: Trust::from_index(Provenance::Unknown, index),
        signing_key_verified: shape.signing_key_verified,
        version: shape.config.try_into()?,
        generation: 0,
    })
}

pub(super) fn inbound_group_session_to(
    state: &InboundGroupSessionState,
) -> Conversion<InboundGroupSessionShape> {
    if state.receiver.is_closed() {
        return Err(ConversionError::Unrepresentable);
    }
    let shape = InboundGroupSessionShape {
        initial_ratchet: ratchet_to(state.receiver.first()),
        signing_key: VerifyingKey(state.signing_key),
        signing_key_verified: state.signing_key_verified,
        config: state.version.into(),
    };
    Ok((shape, Loss::of_inbound_group_session(state)))
}

fn ratchet_to(ratchet: &MegolmRatchet) -> RatchetShape {
    RatchetShape { inner: Sequence(ratchet.value().clone()), counter: ratchet.index() }
}

fn chain_key_from(shape: &ChainShape) -> ChainKey {
    ChainKey { key: shape.key.0.clone(), index: shape.index }
}

/// The format cannot represent an exhausted chain of ours: its index would go on. It can represent
/// one of the peer's: no message comes after its last index.
fn chain_key_to(chain_key: &ChainKey) -> core::result::Result<ChainShape, ConversionError> {
    if chain_key.index >= EXHAUSTED {
        return Err(ConversionError::Unrepresentable);
    }
    Ok(chain_shape(chain_key))
}

fn chain_shape(chain_key: &ChainKey) -> ChainShape {
    ChainShape { key: Sequence(chain_key.key.clone()), index: chain_key.index }
}

/// S-14: the public key is derived, whichever form the private one has.
pub(super) fn signing_key_from(shape: SigningKeyShape) -> Result<SigningKey> {
    Ok(match shape {
        SigningKeyShape::Normal(seed) => SigningKey::from_seed(seed.0),
        SigningKeyShape::Expanded(expanded) => SigningKey::from_expanded(expanded.0)?,
    })
}

pub(super) fn signing_key_to(key: &SigningKey) -> SigningKeyShape {
    match key.seed() {
        Some(seed) => SigningKeyShape::Normal(ByteString(seed.clone())),
        None => SigningKeyShape::Expanded(ByteString(key.expanded().clone())),
    }
}

fn secret_half(pair: &Curve25519KeyPair) -> Sequence<32> {
    Sequence(Secret::new(*pair.secret().as_bytes()))
}
