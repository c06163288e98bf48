//! Accounts: a device's identity and its stock of one-time keys.

mod dehydrated;
mod results;

use std::collections::HashMap;

use moceril::olm as core;
use rand::rngs::SysRng;

pub use self::results::{
    IdentityKeys, InboundCreationResult, OneTimeKeyGenerationResult, SessionCreationError,
};
use super::{PreKeyMessage, Session, SessionConfig};
use crate::{
    Curve25519PublicKey, Ed25519PublicKey, Ed25519Signature, KeyId,
    convert::{self, drawn},
    pickled::pickle_type,
};

/// The long-term keys of a device and its stock of one-time keys.
pub struct Account {
    inner: core::Account,
    identity_keys: IdentityKeys,
}

/// An account in the form that the server stores.
#[derive(Debug)]
pub struct DehydratedDeviceResult {
    /// The encrypted keys, in base64.
    pub ciphertext: String,
    /// The nonce, in base64, which decrypting also needs. Not secret.
    pub nonce: String,
}

impl Account {
    /// Creates an account with new identity keys.
    ///
    /// # Panics
    ///
    /// If the operating system has no randomness.
    pub fn new() -> Self {
        Self::from_inner(drawn(core::Account::new()))
    }

    /// Both public identity keys.
    pub const fn identity_keys(&self) -> IdentityKeys {
        self.identity_keys
    }

    /// The public key that verifies this device's signatures: its fingerprint.
    pub const fn ed25519_key(&self) -> Ed25519PublicKey {
        self.identity_keys.ed25519
    }

    /// The public key that sessions with this device are made with.
    pub const fn curve25519_key(&self) -> Curve25519PublicKey {
        self.identity_keys.curve25519
    }

    /// Signs these bytes with the Ed25519 identity key.
    pub fn sign(&self, message: impl AsRef<[u8]>) -> Ed25519Signature {
        Ed25519Signature::from_inner(self.inner.sign(message.as_ref()))
    }

    /// The most one-time keys that a client should have on the server. The account stores many
    /// more, so that those given out but not yet used are not forgotten.
    pub const fn max_number_of_one_time_keys(&self) -> usize {
        50
    }

    /// Makes a session with another device; it sends the first message. The keys must have been
    /// verified by the caller.
    ///
    /// # Errors
    ///
    /// [`SessionCreationError::NonContributoryKey`], for a key that no honest peer has; also if
    /// both are the same key.
    ///
    /// # Panics
    ///
    /// If the operating system has no randomness.
    pub fn create_outbound_session(
        &self,
        session_config: SessionConfig,
        identity_key: Curve25519PublicKey,
        one_time_key: Curve25519PublicKey,
    ) -> Result<Session, SessionCreationError> {
        let refused = SessionCreationError::NonContributoryKey;
        let (Ok(identity_key), Ok(one_time_key)) = (identity_key.strict(), one_time_key.strict())
        else {
            return Err(refused);
        };
        let Ok(bundle) = core::PreKeyBundle::from_unverified_keys(identity_key, one_time_key)
        else {
            return Err(refused);
        };
        let config = inner_config(session_config);
        match self.inner.create_outbound_session_with_rng(&bundle, config, &mut SysRng) {
            Err(core::SessionCreationError::NonContributoryKey) => Err(refused),
            session => Ok(Session::from_inner(drawn(session))),
        }
    }

    /// Makes a session from another device's first message, decrypts that message and uses up the
    /// one-time key: all of these steps, or none.
    ///
    /// # Errors
    ///
    /// [`SessionCreationError`]; the account is unchanged then.
    pub fn create_inbound_session(
        &mut self,
        expected_config: SessionConfig,
        their_identity_key: Curve25519PublicKey,
        pre_key_message: &PreKeyMessage,
    ) -> Result<InboundCreationResult, SessionCreationError> {
        let message = pre_key_message.to_inner();
        let message = message.map_err(|_| SessionCreationError::NonContributoryKey)?;
        let found = message.message().version();
        if their_identity_key != pre_key_message.identity_key() {
            return Err(SessionCreationError::MismatchedIdentityKey(
                their_identity_key,
                pre_key_message.identity_key(),
            ));
        } else if found != expected_config.inner() {
            return Err(SessionCreationError::MismatchedSessionConfig {
                expected: expected_config,
                got: Some(SessionConfig::from_inner(found)),
            });
        }
        let their_key = message.identity_key();
        let config = inner_config(expected_config);
        let created = self.inner.create_inbound_session_with_config(their_key, &message, config);
        let core::InboundCreation { session, message, .. } = created.map_err(|error| {
            convert::session_creation_error(error, found, their_identity_key, pre_key_message)
        })?;
        let session = Session::from_inner(session);
        Ok(InboundCreationResult { session, plaintext: message.into_plaintext() })
    }

    /// Generates one-time keys, up to 5,000 at once.
    ///
    /// # Panics
    ///
    /// If the operating system has no randomness, or 2^64 keys were generated before.
    pub fn generate_one_time_keys(&mut self, count: usize) -> OneTimeKeyGenerationResult {
        let count = count.min(core::Account::MAX_STORED_ONE_TIME_KEYS);
        let keys = drawn(self.inner.generate_one_time_keys(count));
        let public = |keys: Vec<(_, moceril::Curve25519PublicKey)>| {
            keys.into_iter().map(|(_, key)| Curve25519PublicKey::from_inner(key)).collect()
        };
        OneTimeKeyGenerationResult { created: public(keys.created), removed: public(keys.evicted) }
    }

    /// How many one-time keys the account stores, published or not.
    pub fn stored_one_time_key_count(&self) -> usize {
        self.inner.stored_one_time_key_count()
    }

    /// The one-time keys that are not marked as published.
    pub fn one_time_keys(&self) -> HashMap<KeyId, Curve25519PublicKey> {
        self.inner.unpublished_one_time_keys().into_iter().map(with_id).collect()
    }

    /// Generates a fallback key. The current one is kept for messages still on the way; the one
    /// before it is forgotten and returned.
    ///
    /// # Panics
    ///
    /// If the operating system has no randomness, or 2^64 keys were generated before.
    pub fn generate_fallback_key(&mut self) -> Option<Curve25519PublicKey> {
        let generation = drawn(self.inner.generate_fallback_key());
        generation.forgotten.map(|(_, key)| Curve25519PublicKey::from_inner(key))
    }

    /// The current fallback key, if it is not marked as published.
    pub fn fallback_key(&self) -> HashMap<KeyId, Curve25519PublicKey> {
        self.inner.unpublished_fallback_key().into_iter().map(with_id).collect()
    }

    /// Forgets the previous fallback key. Returns whether there was one.
    pub fn forget_fallback_key(&mut self) -> bool {
        self.inner.forget_previous_fallback_key()
    }

    /// Marks all one-time keys and the fallback key as published.
    pub fn mark_keys_as_published(&mut self) {
        let one_time_keys = self.inner.unpublished_one_time_keys();
        let ids = one_time_keys
            .into_iter()
            .chain(self.inner.unpublished_fallback_key())
            .map(|(id, _)| id);
        self.inner.mark_as_published(ids.collect::<Vec<_>>());
    }

    /// Removes a one-time key and returns its private half.
    #[cfg(feature = "low-level-api")]
    pub fn remove_one_time_key(
        &mut self,
        public_key: Curve25519PublicKey,
    ) -> Option<crate::Curve25519SecretKey> {
        let id = self.inner.key_id(&public_key.strict().ok()?)?;
        let secret = zeroize::Zeroizing::new(self.inner.take_one_time_key(id)?);
        Some(crate::Curve25519SecretKey::from_slice(&secret))
    }

    /// Reads an account that libolm pickled.
    ///
    /// # Errors
    ///
    /// [`LibolmPickleError`](crate::LibolmPickleError).
    #[cfg(feature = "libolm-compat")]
    pub fn from_libolm_pickle(
        pickle: &str,
        pickle_key: &[u8],
    ) -> Result<Self, crate::LibolmPickleError> {
        core::Account::from_libolm_pickle(pickle, pickle_key)
            .map(Self::from_inner)
            .map_err(|error| convert::libolm_pickle_error(error, pickle, 4))
    }

    /// Pickles the account as libolm does. What the format cannot hold is dropped, the oldest
    /// first.
    ///
    /// # Errors
    ///
    /// [`LibolmPickleError::Encode`](crate::LibolmPickleError::Encode) if libolm could not continue
    /// from this state.
    #[cfg(feature = "libolm-compat")]
    pub fn to_libolm_pickle(&self, pickle_key: &[u8]) -> Result<String, crate::LibolmPickleError> {
        self.inner
            .to_libolm_pickle_lossy(pickle_key)
            .map(|(pickle, _)| pickle)
            .map_err(convert::libolm_write_error)
    }

    pub(crate) fn from_inner(inner: core::Account) -> Self {
        Self { identity_keys: IdentityKeys::from_inner(inner.identity_keys()), inner }
    }
}

fn inner_config(config: SessionConfig) -> core::SessionConfig {
    core::SessionConfig::default().with_version(config.inner())
}

fn with_id((id, key): (core::KeyId, moceril::Curve25519PublicKey)) -> (KeyId, Curve25519PublicKey) {
    (KeyId(id.number()), Curve25519PublicKey::from_inner(key))
}

impl Default for Account {
    fn default() -> Self {
        Self::new()
    }
}

pickle_type!(AccountPickle, Account, core::Account, "an account");
