//! A device's identity: it signs and publishes one-time keys.

use alloc::{boxed::Box, vec::Vec};
use core::fmt;

use rand::TryCryptoRng;

use super::{
    bundle::{SignedOneTimeKey, canonical_json},
    one_time_keys::{
        FallbackKeyGeneration, KeyGenerationError, OneTimeKeyGeneration, OneTimeKeys, Place,
        StoredKey,
    },
};
#[cfg(feature = "std")]
use crate::primitives::rng;
use crate::{
    error::{PickleError, RandomError},
    keys::{
        Curve25519KeyPair, Curve25519PublicKey, Ed25519PublicKey, Ed25519Signature, IdentityKeys,
        KeyId,
    },
    primitives::{
        ed25519::SigningKey,
        rng::draw,
        stack::{SHALLOW, wiped_below},
    },
    ratchet::limits::{
        DEFAULT_FALLBACK_MEMORY, FALLBACK_SHARE, MAX_FALLBACK_MEMORY, MAX_ONE_TIME_KEYS,
    },
};

/// The long-term keys of a device and its stock of one-time keys.
///
/// All secrets are on the heap and are wiped on drop.
pub struct Account {
    pub(super) state: Box<AccountState>,
}

/// The whole state of an account. The pickle formats translate to it and back.
#[derive(Clone)]
pub(crate) struct AccountState {
    pub(crate) signing_key: SigningKey,
    pub(crate) identity_key: Curve25519KeyPair,
    pub(crate) one_time_keys: OneTimeKeys,
    pub(crate) generation: u64,
}

impl Account {
    /// The number of one-time keys that a client should keep on the server, which is that of most
    /// clients. When the server says that it has fewer than half of them, generate the rest and
    /// publish them.
    pub const PUBLISHED_ONE_TIME_KEYS: usize = 50;

    /// The most one-time keys that an account stores, including published ones. Generating more
    /// evicts old ones. It is not the number to [publish](Self::PUBLISHED_ONE_TIME_KEYS).
    pub const MAX_STORED_ONE_TIME_KEYS: usize = MAX_ONE_TIME_KEYS;

    /// How many sessions each fallback key remembers unless
    /// [`set_fallback_memory`](Self::set_fallback_memory) raises the number. They take 8 KiB of a
    /// native pickle's text.
    pub const DEFAULT_FALLBACK_MEMORY: u32 = DEFAULT_FALLBACK_MEMORY;

    /// The most sessions that each fallback key can remember. They take 512 KiB of a native
    /// pickle's text.
    pub const MAX_FALLBACK_MEMORY: u32 = MAX_FALLBACK_MEMORY;

    /// The most sessions of one sender that a fallback key remembers, so that no sender can fill
    /// the memory alone.
    pub const FALLBACK_SHARE: u32 = FALLBACK_SHARE;

    /// Creates an account with new identity keys from the operating system's randomness.
    ///
    /// # Errors
    ///
    /// [`RandomError`].
    #[cfg(feature = "std")]
    pub fn new() -> Result<Self, RandomError> {
        Self::with_rng(&mut rng::system())
    }

    /// Like `new`, but with the caller's source of randomness, which gives 32 bytes for the Ed25519
    /// seed, then 32 for the Curve25519 private key.
    ///
    /// # Errors
    ///
    /// [`RandomError`].
    pub fn with_rng<R: TryCryptoRng + ?Sized>(rng: &mut R) -> Result<Self, RandomError> {
        // Drawn in one call: from WebAssembly, each call takes a thirtieth of the time of this
        // function.
        wiped_below::<SHALLOW, _>(|| {
            let random = draw::<64, R>(rng)?;
            Ok(Self::from_state(AccountState {
                signing_key: SigningKey::from_seed(random.part::<0, 32>()),
                identity_key: Curve25519KeyPair::from_secret_bytes(&random.part::<32, 32>()),
                one_time_keys: OneTimeKeys::new(),
                generation: 0,
            }))
        })
    }

    pub(crate) fn from_state(state: AccountState) -> Self {
        Self { state: Box::new(state) }
    }

    pub(crate) const fn state(&self) -> &AccountState {
        &self.state
    }

    /// Restores a state from a pickle, if it is one that an account can be in.
    pub(crate) fn restore(state: AccountState) -> Result<Self, PickleError> {
        if state.one_time_keys.is_consistent(state.identity_key.public()) {
            Ok(Self::from_state(state))
        } else {
            Err(PickleError::InvalidState)
        }
    }

    pub(super) fn changed(&mut self) {
        self.state.generation = self.state.generation.saturating_add(1);
    }

    /// A number that grows with every change and is part of the pickle (S-35). A store that
    /// remembers the highest one it has written can detect that it was rolled back.
    #[must_use]
    pub const fn generation(&self) -> u64 {
        self.state.generation
    }

    /// Both public identity keys.
    #[must_use]
    pub fn identity_keys(&self) -> IdentityKeys {
        IdentityKeys { ed25519: self.ed25519_key(), curve25519: self.curve25519_key() }
    }

    /// The public key that verifies this device's signatures: the device's fingerprint.
    #[must_use]
    pub fn ed25519_key(&self) -> Ed25519PublicKey {
        Ed25519PublicKey::from_signing_key(self.state.signing_key.public())
    }

    /// The public key with which others make sessions with this device.
    #[must_use]
    pub const fn curve25519_key(&self) -> Curve25519PublicKey {
        self.state.identity_key.public()
    }

    /// Signs these bytes with the Ed25519 identity key.
    #[must_use]
    pub fn sign(&self, message: impl AsRef<[u8]>) -> Ed25519Signature {
        Ed25519Signature::from_bytes(self.state.signing_key.sign(message.as_ref()))
    }

    /// Generates one-time keys, to be published with
    /// [`signed_one_time_keys`](Self::signed_one_time_keys).
    ///
    /// # Errors
    ///
    /// [`KeyGenerationError`]; no key is added.
    #[cfg(feature = "std")]
    pub fn generate_one_time_keys(
        &mut self,
        count: usize,
    ) -> Result<OneTimeKeyGeneration, KeyGenerationError> {
        self.generate_one_time_keys_with_rng(count, &mut rng::system())
    }

    /// Like `generate_one_time_keys`, but with the caller's source of randomness, which gives 32
    /// bytes for each key.
    ///
    /// # Errors
    ///
    /// [`KeyGenerationError`]; no key is added.
    pub fn generate_one_time_keys_with_rng<R: TryCryptoRng + ?Sized>(
        &mut self,
        count: usize,
        rng: &mut R,
    ) -> Result<OneTimeKeyGeneration, KeyGenerationError> {
        let identity_key = self.curve25519_key();
        let one_time_keys = &mut self.state.one_time_keys;
        let generation =
            wiped_below::<SHALLOW, _>(|| one_time_keys.generate(identity_key, count, rng))?;
        self.changed();
        Ok(generation)
    }

    /// The one-time keys that are not marked as published, oldest first.
    #[must_use]
    pub fn unpublished_one_time_keys(&self) -> Vec<(KeyId, Curve25519PublicKey)> {
        self.one_time_keys_to_publish().map(StoredKey::one_time).collect()
    }

    /// The one-time keys that are not marked as published, signed for `/keys/upload`, oldest first.
    #[must_use]
    pub fn signed_one_time_keys(&self) -> Vec<(KeyId, SignedOneTimeKey)> {
        self.one_time_keys_to_publish().map(|key| self.sign_key(key.one_time(), false)).collect()
    }

    fn one_time_keys_to_publish(&self) -> impl Iterator<Item = &StoredKey> {
        self.state.one_time_keys.keys.iter().filter(|key| !key.published)
    }

    fn sign_key(
        &self,
        (id, key): (KeyId, Curve25519PublicKey),
        fallback: bool,
    ) -> (KeyId, SignedOneTimeKey) {
        let signature = self.sign(canonical_json(&key, fallback).as_bytes());
        (id, SignedOneTimeKey { key, fallback, signature })
    }

    /// All one-time keys that the account stores, published or not, oldest first.
    #[must_use]
    pub fn stored_one_time_keys(&self) -> Vec<(KeyId, Curve25519PublicKey)> {
        self.state.one_time_keys.keys.iter().map(StoredKey::one_time).collect()
    }

    /// How many one-time keys the account stores, published or not.
    #[must_use]
    pub fn stored_one_time_key_count(&self) -> usize {
        self.state.one_time_keys.keys.len()
    }

    /// Marks one-time keys and the current fallback key as published, after the server has
    /// confirmed their upload. Unknown ids are ignored. Returns how many keys were newly marked.
    pub fn mark_as_published(&mut self, ids: impl IntoIterator<Item = KeyId>) -> usize {
        let keys = &mut self.state.one_time_keys;
        let marked = ids.into_iter().filter(|id| keys.mark_as_published(*id)).count();
        if marked > 0 {
            self.changed();
        }
        marked
    }

    /// The id of a one-time or fallback key that the account stores.
    #[must_use]
    pub fn key_id(&self, one_time_key: &Curve25519PublicKey) -> Option<KeyId> {
        let keys = &self.state.one_time_keys;
        let (id, _) = match keys.find(one_time_key)? {
            Place::OneTime(place) => keys.keys.get(place)?.one_time(),
            Place::Fallback => keys.fallback.as_ref()?.key.fallback(),
            Place::PreviousFallback => keys.previous_fallback.as_ref()?.key.fallback(),
        };
        Some(id)
    }

    /// Removes a one-time key that will not be used; a message made with it can no longer be read.
    /// Returns whether the account had it.
    pub fn remove_one_time_key(&mut self, id: KeyId) -> bool {
        self.remove_stored_key(id).is_some()
    }

    pub(crate) fn remove_stored_key(&mut self, id: KeyId) -> Option<StoredKey> {
        let removed = self.state.one_time_keys.remove(id)?;
        self.changed();
        Some(removed)
    }

    /// Generates a fallback key, which senders use when the one-time keys have run out. The current
    /// key becomes the previous one, and is kept for messages on the way. The key that was the
    /// previous one is forgotten.
    ///
    /// If [`unpublished_fallback_key`](Self::unpublished_fallback_key) is `Some`, do not generate
    /// another key, but upload that one again. The server may still hand out the previous key (if
    /// the upload failed) or already the current key (if only the confirmation was lost), so both
    /// are needed.
    ///
    /// # Errors
    ///
    /// [`KeyGenerationError`]; nothing is changed.
    #[cfg(feature = "std")]
    pub fn generate_fallback_key(&mut self) -> Result<FallbackKeyGeneration, KeyGenerationError> {
        self.generate_fallback_key_with_rng(&mut rng::system())
    }

    /// Like `generate_fallback_key`, but with the caller's source of randomness, which gives 32
    /// bytes.
    ///
    /// # Errors
    ///
    /// [`KeyGenerationError`]; nothing is changed.
    pub fn generate_fallback_key_with_rng<R: TryCryptoRng + ?Sized>(
        &mut self,
        rng: &mut R,
    ) -> Result<FallbackKeyGeneration, KeyGenerationError> {
        let identity_key = self.curve25519_key();
        let one_time_keys = &mut self.state.one_time_keys;
        // Not in the closure: a `None` that it returned would have unwritten bytes, which were
        // found to hold the new private key (S-25).
        let forgotten = one_time_keys.previous_fallback_key();
        let created =
            wiped_below::<SHALLOW, _>(|| one_time_keys.generate_fallback(identity_key, rng))?;
        self.changed();
        Ok(FallbackKeyGeneration { created, forgotten })
    }

    /// The current fallback key, published or not.
    #[must_use]
    pub fn fallback_key(&self) -> Option<(KeyId, Curve25519PublicKey)> {
        self.state.one_time_keys.fallback.as_ref().map(|fallback| fallback.key.fallback())
    }

    /// The current fallback key, if it is not marked as published.
    #[must_use]
    pub fn unpublished_fallback_key(&self) -> Option<(KeyId, Curve25519PublicKey)> {
        self.fallback_key_to_publish().map(StoredKey::fallback)
    }

    /// The current fallback key, if it is not marked as published, signed for `/keys/upload`.
    #[must_use]
    pub fn signed_fallback_key(&self) -> Option<(KeyId, SignedOneTimeKey)> {
        self.fallback_key_to_publish().map(|key| self.sign_key(key.fallback(), true))
    }

    fn fallback_key_to_publish(&self) -> Option<&StoredKey> {
        let fallback = self.state.one_time_keys.fallback.as_ref()?;
        Some(&fallback.key).filter(|key| !key.published)
    }

    /// Forgets the previous fallback key, once the new one has been published for long enough.
    /// Returns whether there was one.
    pub fn forget_previous_fallback_key(&mut self) -> bool {
        let forgotten = self.state.one_time_keys.forget_previous_fallback();
        if forgotten {
            self.changed();
        }
        forgotten
    }

    /// How many sessions each fallback key may remember, to recognize replays of their first
    /// messages (S-08).
    #[must_use]
    pub const fn fallback_memory(&self) -> u32 {
        self.state.one_time_keys.fallback_memory
    }

    /// Sets how many sessions each fallback key may remember: at least
    /// [`DEFAULT_FALLBACK_MEMORY`](Self::DEFAULT_FALLBACK_MEMORY), at most
    /// [`MAX_FALLBACK_MEMORY`](Self::MAX_FALLBACK_MEMORY). Other numbers are clamped to this range.
    ///
    /// Each remembered session adds 8 bytes to the account and 8 characters to its native pickle. A
    /// key with a full memory serves further sessions, but does not remember them; see
    /// [`replay_excluded`](super::InboundCreation::replay_excluded). Lowering the number forgets
    /// nothing that is already remembered.
    ///
    /// ```
    /// use moceril::olm::Account;
    ///
    /// let mut account = Account::new()?;
    /// account.set_fallback_memory(10_000);
    /// assert_eq!(account.fallback_memory(), 10_000);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn set_fallback_memory(&mut self, sessions: u32) {
        if self.state.one_time_keys.set_fallback_memory(sessions) {
            self.changed();
        }
    }
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account")
            .field("identity_keys", &self.identity_keys())
            .field("stored_one_time_keys", &self.stored_one_time_key_count())
            .field("unpublished_one_time_keys", &self.one_time_keys_to_publish().count())
            .field("generation", &self.generation())
            .finish_non_exhaustive()
    }
}
