//! The stock of one-time and fallback keys, and its book-keeping (S-08, S-10).

use alloc::{boxed::Box, vec::Vec};

use rand::TryCryptoRng;

use super::fallback::FallbackKey;
use crate::{
    error::{RandomError, SessionCreationError, texts},
    keys::{Curve25519KeyPair, Curve25519PublicKey, KeyId},
    primitives::secret::{Apart, OptionalNumber, SecretList},
    ratchet::limits::{DEFAULT_FALLBACK_MEMORY, MAX_FALLBACK_MEMORY, MAX_ONE_TIME_KEYS},
    wire::olm::SessionKeys,
};

/// A one-time or fallback key. The default is the vacated slot of a `SecretList`.
#[derive(Clone, Default)]
pub(crate) struct StoredKey {
    pub(crate) id: u64,
    pub(crate) pair: Curve25519KeyPair,
    pub(crate) published: bool,
}

impl StoredKey {
    fn generate<R: TryCryptoRng + ?Sized>(
        id: u64,
        rng: &mut R,
    ) -> Result<Self, KeyGenerationError> {
        Ok(Self { id, pair: Curve25519KeyPair::generate(rng)?, published: false })
    }

    pub(crate) const fn one_time(&self) -> (KeyId, Curve25519PublicKey) {
        (KeyId { number: self.id, fallback: false }, self.pair.public())
    }

    pub(crate) const fn fallback(&self) -> (KeyId, Curve25519PublicKey) {
        (KeyId { number: self.id, fallback: true }, self.pair.public())
    }
}

/// The result of generating one-time keys.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OneTimeKeyGeneration {
    /// The new keys, to be published.
    pub created: Vec<(KeyId, Curve25519PublicKey)>,
    /// Keys dropped because the account was full: unpublished ones before published ones, the
    /// oldest first. Messages made with them can no longer be read.
    pub evicted: Vec<(KeyId, Curve25519PublicKey)>,
}

/// What generating a fallback key did.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FallbackKeyGeneration {
    /// The new key, to be published.
    pub created: (KeyId, Curve25519PublicKey),
    /// The key before the one that `created` replaces, if there was one. Messages made with it can
    /// no longer be read.
    pub forgotten: Option<(KeyId, Curve25519PublicKey)>,
}

/// Where the private half of a message's one-time key is.
#[derive(Clone, Copy)]
pub(crate) enum Place {
    OneTime(usize),
    Fallback,
    PreviousFallback,
}

/// All single-use and fallback keys of an account.
#[derive(Clone)]
pub(crate) struct OneTimeKeys {
    /// In ascending order of their ids.
    pub(crate) keys: SecretList<StoredKey>,
    pub(crate) fallback: Apart<FallbackKey>,
    /// The previous one, for messages that were on the way when it was replaced.
    pub(crate) previous_fallback: Apart<FallbackKey>,
    /// Above every id ever given out, including those of keys that are gone: ids are not reused.
    pub(crate) next_id: u64,
    /// The same for fallback keys, in accounts that come from vodozemac; else they share `next_id`.
    pub(crate) next_fallback_id: OptionalNumber,
    /// Sessions that each fallback key may remember.
    pub(crate) fallback_memory: u32,
}

impl OneTimeKeys {
    pub(crate) const fn new() -> Self {
        Self {
            keys: SecretList::new(),
            fallback: None,
            previous_fallback: None,
            next_id: 1,
            next_fallback_id: OptionalNumber::NONE,
            fallback_memory: DEFAULT_FALLBACK_MEMORY,
        }
    }

    /// Draws all keys before it changes anything.
    pub(crate) fn generate<R: TryCryptoRng + ?Sized>(
        &mut self,
        identity_key: Curve25519PublicKey,
        count: usize,
        rng: &mut R,
    ) -> Result<OneTimeKeyGeneration, KeyGenerationError> {
        if count > MAX_ONE_TIME_KEYS {
            return Err(KeyGenerationError::TooMany {
                requested: count,
                maximum: MAX_ONE_TIME_KEYS,
            });
        }
        let end = self.next_id.checked_add(count as u64).ok_or(KeyGenerationError::IdsExhausted)?;
        let pairs = Curve25519KeyPair::generate_many(count, rng)?;
        self.check_distinct(identity_key, pairs.iter().map(Curve25519KeyPair::public))?;
        let mut new = SecretList::new();
        new.reserve(count);
        for (id, pair) in (self.next_id..end).zip(pairs.iter()) {
            new.push(StoredKey { id, pair: pair.clone(), published: false });
        }
        let created = new.iter().map(StoredKey::one_time).collect();
        let evicted =
            self.evict(self.keys.len().saturating_add(count).saturating_sub(MAX_ONE_TIME_KEYS));
        self.keys.append(new);
        self.next_id = end;
        Ok(OneTimeKeyGeneration { created, evicted })
    }

    /// The `count` one-time keys that can be missed most: those that nobody can have used yet come
    /// first, then the oldest.
    pub(crate) fn most_dispensable(&self, count: usize) -> impl Iterator<Item = &StoredKey> {
        let unpublished = self.keys.iter().filter(|key| !key.published);
        let published = self.keys.iter().filter(|key| key.published);
        unpublished.chain(published).take(count)
    }

    /// Drops `count` keys, the most dispensable ones.
    fn evict(&mut self, count: usize) -> Vec<(KeyId, Curve25519PublicKey)> {
        let evicted: Vec<_> = self.most_dispensable(count).map(StoredKey::one_time).collect();
        if !evicted.is_empty() {
            let mut ids: Vec<_> = evicted.iter().map(|(id, _)| id.number).collect();
            ids.sort_unstable();
            self.keys.retain(|_, key| ids.binary_search(&key.id).is_err());
        }
        evicted
    }

    /// The fallback key before the current one. The next one replaces it.
    pub(crate) fn previous_fallback_key(&self) -> Option<(KeyId, Curve25519PublicKey)> {
        self.previous_fallback.as_ref().map(|previous| previous.key.fallback())
    }

    /// Makes a new fallback key. The previous one can no longer be used.
    pub(crate) fn generate_fallback<R: TryCryptoRng + ?Sized>(
        &mut self,
        identity_key: Curve25519PublicKey,
        rng: &mut R,
    ) -> Result<(KeyId, Curve25519PublicKey), KeyGenerationError> {
        let separate = self.next_fallback_id.get();
        let id = separate.unwrap_or(self.next_id);
        let end = id.checked_add(1).ok_or(KeyGenerationError::IdsExhausted)?;
        let key = StoredKey::generate(id, rng)?;
        self.check_distinct(identity_key, [key.pair.public()])?;
        let created = key.fallback();
        if separate.is_some() {
            self.next_fallback_id = OptionalNumber::some(end);
        } else {
            self.next_id = end;
        }
        self.previous_fallback = self.fallback.replace(Box::new(FallbackKey::new(key)));
        Ok(created)
    }

    /// Returns whether there was a key to forget.
    pub(crate) fn forget_previous_fallback(&mut self) -> bool {
        self.previous_fallback.take().is_some()
    }

    /// Marks a key; returns whether it is there and was not marked before.
    pub(crate) fn mark_as_published(&mut self, id: KeyId) -> bool {
        let key = if id.fallback {
            self.fallback
                .as_mut()
                .map(|fallback| &mut fallback.key)
                .filter(|key| key.id == id.number)
        } else {
            self.place_of(id).and_then(|place| self.keys.get_mut(place))
        };
        key.is_some_and(|key| !core::mem::replace(&mut key.published, true))
    }

    pub(crate) fn remove(&mut self, id: KeyId) -> Option<StoredKey> {
        self.place_of(id).and_then(|place| self.keys.remove(place))
    }

    fn place_of(&self, id: KeyId) -> Option<usize> {
        let place = self.keys.binary_search_by_key(&id.number, |key| key.id).ok();
        place.filter(|_| !id.fallback)
    }

    /// Finds the private half: among the one-time keys, then the fallback key, then the one before.
    pub(crate) fn find(&self, public: &Curve25519PublicKey) -> Option<Place> {
        let matches = |fallback: &Apart<FallbackKey>| {
            fallback.as_ref().is_some_and(|fallback| fallback.key.pair.public() == *public)
        };
        self.keys
            .iter()
            .position(|key| key.pair.public() == *public)
            .map(Place::OneTime)
            .or_else(|| matches(&self.fallback).then_some(Place::Fallback))
            .or_else(|| matches(&self.previous_fallback).then_some(Place::PreviousFallback))
    }

    /// The key pair at `place`, unless it is a fallback key that remembers this session (S-08).
    pub(crate) fn usable(
        &self,
        place: Place,
        session: &SessionKeys,
    ) -> Result<&Curve25519KeyPair, SessionCreationError> {
        let fallback = match place {
            Place::OneTime(index) => {
                let key = self.keys.get(index).ok_or(SessionCreationError::UnknownOneTimeKey)?;
                return Ok(&key.pair);
            }
            Place::Fallback => &self.fallback,
            Place::PreviousFallback => &self.previous_fallback,
        };
        let fallback = fallback.as_ref().ok_or(SessionCreationError::UnknownOneTimeKey)?;
        if fallback.remembers(session) {
            Err(SessionCreationError::Replayed)
        } else {
            Ok(&fallback.key.pair)
        }
    }

    /// Uses up the key at `place`: removes a one-time key, or makes a fallback key remember the
    /// session. Returns whether this was the first time that the session was made, and it cannot be
    /// made again.
    pub(crate) fn consume(&mut self, place: Place, session: &SessionKeys) -> bool {
        let fallback = match place {
            Place::OneTime(index) => return self.keys.remove(index).is_some(),
            Place::Fallback => &mut self.fallback,
            Place::PreviousFallback => &mut self.previous_fallback,
        };
        let maximum = self.fallback_memory;
        fallback.as_mut().is_some_and(|fallback| fallback.record(session, maximum))
    }

    /// Sets how many sessions each fallback key may remember, within the limits of
    /// [`Account::set_fallback_memory`](super::Account::set_fallback_memory). Returns whether the
    /// number has changed.
    pub(crate) fn set_fallback_memory(&mut self, sessions: u32) -> bool {
        let sessions = sessions.clamp(DEFAULT_FALLBACK_MEMORY, MAX_FALLBACK_MEMORY);
        core::mem::replace(&mut self.fallback_memory, sessions) != sessions
    }

    /// Whether the number of sessions that fallback keys may remember is not the default.
    pub(crate) const fn has_other_fallback_memory(&self) -> bool {
        self.fallback_memory != DEFAULT_FALLBACK_MEMORY
    }

    /// Whether the book-keeping holds together: ids ascend, none was given out twice, no list is
    /// longer than it can grow, no key is there twice or the identity key, and the fallback keys
    /// remember what they can have recorded.
    pub(crate) fn is_consistent(&self, identity_key: Curve25519PublicKey) -> bool {
        let fallbacks = || self.previous_fallback.iter().chain(&self.fallback);
        let fallback_ids = || fallbacks().map(|fallback| fallback.key.id);
        let ids = || self.keys.iter().map(|key| key.id);
        let (next_fallback_id, shared) = match self.next_fallback_id.get() {
            Some(next_fallback_id) => (next_fallback_id, false),
            None => (self.next_id, true),
        };
        ids().is_sorted_by(|a, b| a < b)
            && fallback_ids().is_sorted_by(|a, b| a < b)
            && ids().all(|id| id < self.next_id)
            && fallback_ids().all(|id| id < next_fallback_id)
            && !(shared && fallback_ids().any(|id| ids().any(|other| other == id)))
            && self.keys.len() <= MAX_ONE_TIME_KEYS
            && self.check_distinct(identity_key, []).is_ok()
            && fallbacks().all(|fallback| fallback.is_consistent())
            && (DEFAULT_FALLBACK_MEMORY..=MAX_FALLBACK_MEMORY).contains(&self.fallback_memory)
            && (self.fallback.is_some() || self.previous_fallback.is_none())
    }

    /// Refuses a public key that would be there twice, with the new keys, or that is the identity
    /// key. With a second copy of a one-time key, the message that has used up the first copy would
    /// create its session again (S-08). A one-time key that is the identity key stays when it was
    /// used, so that nothing keeps the first message secret once the identity key leaks. A random
    /// source that makes one of these has failed.
    fn check_distinct(
        &self,
        identity_key: Curve25519PublicKey,
        new: impl IntoIterator<Item = Curve25519PublicKey>,
    ) -> Result<(), RandomError> {
        let fallbacks = self.previous_fallback.iter().chain(&self.fallback);
        let stored = self.keys.iter().chain(fallbacks.map(|fallback| &fallback.key));
        let stored = stored.map(|key| key.pair.public());
        let mut keys: Vec<_> = stored.chain(new).chain([identity_key]).collect();
        keys.sort_unstable();
        if keys.is_sorted_by(|a, b| a < b) { Ok(()) } else { Err(RandomError) }
    }
}

/// One-time keys could not be generated; the account is unchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyGenerationError {
    /// More keys were asked for at once than an account may hold.
    TooMany {
        /// How many keys were asked for.
        requested: usize,
        /// The most keys that an account holds.
        maximum: usize,
    },
    /// All 2^64 key ids were given out; ids are never used twice.
    IdsExhausted,
    /// The random source failed, or gave a key that is there already.
    Random,
}

texts!(KeyGenerationError {
    Self::TooMany { requested, maximum } =>
        "{requested} one-time keys requested, {maximum} is the maximum";
    Self::IdsExhausted => "all key ids are used up";
    Self::Random => "the random source failed";
});

impl From<RandomError> for KeyGenerationError {
    fn from(_: RandomError) -> Self {
        Self::Random
    }
}
