//! Accounts and Olm sessions. Each has a lock of its own, so that threads can share it whether or
//! not the interpreter has one. While it is held, nothing calls back into Python.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use pyo3::{
    prelude::*,
    types::{PyBytes, PyType},
};
use vodozemac::{KeyId, olm};
use zeroize::Zeroizing;

use crate::{
    error::{Error, PickleException, Result},
    keys::{Curve25519PublicKey, Ed25519PublicKey, Ed25519Signature},
    messages::{AnyOlmMessage, PreKeyMessage},
};

/// Waits for the other threads. A panic within an operation leaves the object usable, because
/// operations change it only when they succeed.
pub(crate) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The key for vodozemac's pickles. libolm's take one of any length.
pub(crate) fn checked_key(key: &[u8]) -> Result<&[u8; 32]> {
    key.try_into().map_err(|_| {
        let length = key.len();
        Error::from(PickleException::new_err(format!(
            "The pickle key doesn't have the correct size, got {length}, expected 32 bytes"
        )))
    })
}

/// An account: the identity of a device, and the keys with which others begin sessions.
#[pyclass(frozen, module = "vodozemac")]
pub(crate) struct Account(Mutex<olm::Account>);

impl From<olm::Account> for Account {
    fn from(account: olm::Account) -> Self {
        Self(Mutex::new(account))
    }
}

#[pymethods]
impl Account {
    #[new]
    fn new() -> Self {
        olm::Account::new().into()
    }

    #[classmethod]
    fn from_pickle(_cls: &Bound<'_, PyType>, pickle: &str, pickle_key: &[u8]) -> Result<Self> {
        let key = checked_key(pickle_key)?;
        let pickle = olm::AccountPickle::from_encrypted(pickle, key)?;
        Ok(olm::Account::from_pickle(pickle).into())
    }

    #[classmethod]
    fn from_libolm_pickle(
        _cls: &Bound<'_, PyType>,
        pickle: &str,
        pickle_key: &[u8],
    ) -> Result<Self> {
        Ok(olm::Account::from_libolm_pickle(pickle, pickle_key)?.into())
    }

    fn pickle(&self, pickle_key: &[u8]) -> Result<String> {
        let key = checked_key(pickle_key)?;
        Ok(locked(&self.0).pickle().encrypt(key))
    }

    #[getter]
    fn ed25519_key(&self) -> Ed25519PublicKey {
        Ed25519PublicKey(locked(&self.0).ed25519_key())
    }

    #[getter]
    fn curve25519_key(&self) -> Curve25519PublicKey {
        Curve25519PublicKey(locked(&self.0).curve25519_key())
    }

    fn sign(&self, message: &[u8]) -> Ed25519Signature {
        Ed25519Signature(locked(&self.0).sign(message))
    }

    /// The one-time keys that are not published yet, by their ids.
    #[getter]
    fn one_time_keys(&self) -> HashMap<String, Curve25519PublicKey> {
        by_text(locked(&self.0).one_time_keys())
    }

    /// How many one-time keys a server should have.
    #[getter]
    fn max_number_of_one_time_keys(&self) -> usize {
        locked(&self.0).max_number_of_one_time_keys()
    }

    fn generate_one_time_keys(&self, count: usize) {
        locked(&self.0).generate_one_time_keys(count);
    }

    /// The fallback key if it is not published yet, by its id.
    #[getter]
    fn fallback_key(&self) -> HashMap<String, Curve25519PublicKey> {
        by_text(locked(&self.0).fallback_key())
    }

    /// Makes a new fallback key. Gives the one that is forgotten for it, if there is one.
    fn generate_fallback_key(&self) -> Option<Curve25519PublicKey> {
        locked(&self.0).generate_fallback_key().map(Curve25519PublicKey)
    }

    fn mark_keys_as_published(&self) {
        locked(&self.0).mark_keys_as_published();
    }

    fn create_outbound_session(
        &self,
        identity_key: &Curve25519PublicKey,
        one_time_key: &Curve25519PublicKey,
    ) -> Result<Session> {
        let config = olm::SessionConfig::version_1();
        let account = locked(&self.0);
        Ok(account.create_outbound_session(config, identity_key.0, one_time_key.0)?.into())
    }

    /// Begins the session of a message, and decrypts it.
    fn create_inbound_session<'py>(
        &self,
        py: Python<'py>,
        identity_key: &Curve25519PublicKey,
        message: &PreKeyMessage,
    ) -> Result<(Session, Bound<'py, PyBytes>)> {
        let config = olm::SessionConfig::version_1();
        let created = locked(&self.0).create_inbound_session(config, identity_key.0, &message.0)?;
        let plaintext = Zeroizing::new(created.plaintext);
        Ok((created.session.into(), PyBytes::new(py, &plaintext)))
    }
}

fn by_text(
    keys: HashMap<KeyId, vodozemac::Curve25519PublicKey>,
) -> HashMap<String, Curve25519PublicKey> {
    keys.into_iter().map(|(id, key)| (id.to_base64(), Curve25519PublicKey(key))).collect()
}

/// An Olm session between two devices.
#[pyclass(frozen, module = "vodozemac")]
pub(crate) struct Session(Mutex<olm::Session>);

impl From<olm::Session> for Session {
    fn from(session: olm::Session) -> Self {
        Self(Mutex::new(session))
    }
}

#[pymethods]
impl Session {
    #[classmethod]
    fn from_pickle(_cls: &Bound<'_, PyType>, pickle: &str, pickle_key: &[u8]) -> Result<Self> {
        let key = checked_key(pickle_key)?;
        let pickle = olm::SessionPickle::from_encrypted(pickle, key)?;
        Ok(olm::Session::from_pickle(pickle).into())
    }

    #[classmethod]
    fn from_libolm_pickle(
        _cls: &Bound<'_, PyType>,
        pickle: &str,
        pickle_key: &[u8],
    ) -> Result<Self> {
        Ok(olm::Session::from_libolm_pickle(pickle, pickle_key)?.into())
    }

    fn pickle(&self, pickle_key: &[u8]) -> Result<String> {
        let key = checked_key(pickle_key)?;
        Ok(locked(&self.0).pickle().encrypt(key))
    }

    #[getter]
    fn session_id(&self) -> String {
        locked(&self.0).session_id()
    }

    /// Whether the message begins this session.
    fn session_matches(&self, message: &PreKeyMessage) -> bool {
        locked(&self.0).session_keys() == message.0.session_keys()
    }

    fn encrypt(&self, plaintext: &[u8]) -> Result<AnyOlmMessage> {
        Ok(AnyOlmMessage(locked(&self.0).encrypt(plaintext)?))
    }

    fn decrypt<'py>(
        &self,
        py: Python<'py>,
        message: &AnyOlmMessage,
    ) -> Result<Bound<'py, PyBytes>> {
        let plaintext = Zeroizing::new(locked(&self.0).decrypt(&message.0)?);
        Ok(PyBytes::new(py, &plaintext))
    }
}
