//! Megolm sessions and their keys.

use std::sync::Mutex;

use pyo3::{
    exceptions::PyValueError,
    prelude::*,
    types::{PyBytes, PyString, PyType},
};
use vodozemac::megolm::{self, SessionConfig};
use zeroize::Zeroizing;

use crate::{
    error::{PickleException, Result},
    messages::MegolmMessage,
    olm::{checked_key, locked},
};

/// The key of a session, which its sender shares. It is signed.
#[pyclass(frozen, module = "vodozemac")]
pub(crate) struct SessionKey(megolm::SessionKey);

#[pymethods]
impl SessionKey {
    #[new]
    fn new(session_key: &str) -> Result<Self> {
        Ok(Self(megolm::SessionKey::from_base64(session_key)?))
    }

    fn to_base64<'py>(&self, py: Python<'py>) -> Bound<'py, PyString> {
        PyString::new(py, &Zeroizing::new(self.0.to_base64()))
    }
}

/// The key of a session, as a receiver exports it. Nothing proves whose session it is.
#[pyclass(frozen, module = "vodozemac")]
pub(crate) struct ExportedSessionKey(megolm::ExportedSessionKey);

#[pymethods]
impl ExportedSessionKey {
    #[new]
    fn new(session_key: &str) -> Result<Self> {
        Ok(Self(megolm::ExportedSessionKey::from_base64(session_key)?))
    }

    fn to_base64<'py>(&self, py: Python<'py>) -> Bound<'py, PyString> {
        PyString::new(py, &Zeroizing::new(self.0.to_base64()))
    }
}

/// The session of a sender.
#[pyclass(frozen, module = "vodozemac")]
pub(crate) struct GroupSession(Mutex<Sender>);

struct Sender {
    session: megolm::GroupSession,
    /// Whether the last index was used. Then the crate `vodozemac` can only panic. No such session
    /// comes from a pickle.
    exhausted: bool,
}

impl From<megolm::GroupSession> for GroupSession {
    fn from(session: megolm::GroupSession) -> Self {
        Self(Mutex::new(Sender { session, exhausted: false }))
    }
}

const EXHAUSTED: &str = "The session has used its last message index.";

#[pymethods]
impl GroupSession {
    #[new]
    fn new() -> Self {
        megolm::GroupSession::new(SessionConfig::version_1()).into()
    }

    #[classmethod]
    fn from_pickle(_cls: &Bound<'_, PyType>, pickle: &str, pickle_key: &[u8]) -> Result<Self> {
        let key = checked_key(pickle_key)?;
        let pickle = megolm::GroupSessionPickle::from_encrypted(pickle, key)?;
        Ok(megolm::GroupSession::from_pickle(pickle).into())
    }

    fn pickle(&self, pickle_key: &[u8]) -> Result<String> {
        let key = checked_key(pickle_key)?;
        let sender = locked(&self.0);
        if sender.exhausted {
            return Err(PickleException::new_err(EXHAUSTED).into());
        }
        Ok(sender.session.pickle().encrypt(key))
    }

    #[getter]
    fn session_id(&self) -> String {
        locked(&self.0).session.session_id()
    }

    /// The index of the next message.
    #[getter]
    fn message_index(&self) -> u32 {
        locked(&self.0).session.message_index()
    }

    /// The key to share with receivers. They can decrypt from the next message on.
    #[getter]
    fn session_key(&self) -> SessionKey {
        SessionKey(locked(&self.0).session.session_key())
    }

    fn encrypt(&self, plaintext: &[u8]) -> Result<MegolmMessage> {
        let mut sender = locked(&self.0);
        if sender.exhausted {
            return Err(PyValueError::new_err(EXHAUSTED).into());
        }
        sender.exhausted = sender.session.message_index() == u32::MAX;
        Ok(MegolmMessage(sender.session.encrypt(plaintext)))
    }
}

/// The plaintext of a message and its index in the session. The receiver must reject an index that
/// it has seen for another message.
#[pyclass(frozen, module = "vodozemac")]
pub(crate) struct DecryptedMessage {
    plaintext: Py<PyBytes>,
    #[pyo3(get)]
    message_index: u32,
}

#[pymethods]
impl DecryptedMessage {
    #[getter]
    fn plaintext(&self, py: Python<'_>) -> Py<PyBytes> {
        self.plaintext.clone_ref(py)
    }
}

/// The session of a receiver.
#[pyclass(frozen, module = "vodozemac")]
pub(crate) struct InboundGroupSession(Mutex<megolm::InboundGroupSession>);

impl From<megolm::InboundGroupSession> for InboundGroupSession {
    fn from(session: megolm::InboundGroupSession) -> Self {
        Self(Mutex::new(session))
    }
}

#[pymethods]
impl InboundGroupSession {
    #[new]
    fn new(session_key: &SessionKey) -> Self {
        megolm::InboundGroupSession::new(&session_key.0, SessionConfig::version_1()).into()
    }

    #[classmethod]
    fn import_session(_cls: &Bound<'_, PyType>, session_key: &ExportedSessionKey) -> Self {
        megolm::InboundGroupSession::import(&session_key.0, SessionConfig::version_1()).into()
    }

    #[classmethod]
    fn from_pickle(_cls: &Bound<'_, PyType>, pickle: &str, pickle_key: &[u8]) -> Result<Self> {
        let key = checked_key(pickle_key)?;
        let pickle = megolm::InboundGroupSessionPickle::from_encrypted(pickle, key)?;
        Ok(megolm::InboundGroupSession::from_pickle(pickle).into())
    }

    #[classmethod]
    fn from_libolm_pickle(
        _cls: &Bound<'_, PyType>,
        pickle: &str,
        pickle_key: &[u8],
    ) -> Result<Self> {
        Ok(megolm::InboundGroupSession::from_libolm_pickle(pickle, pickle_key)?.into())
    }

    fn pickle(&self, pickle_key: &[u8]) -> Result<String> {
        let key = checked_key(pickle_key)?;
        Ok(locked(&self.0).pickle().encrypt(key))
    }

    #[getter]
    fn session_id(&self) -> String {
        locked(&self.0).session_id()
    }

    /// The index of the first message that can be decrypted.
    #[getter]
    fn first_known_index(&self) -> u32 {
        locked(&self.0).first_known_index()
    }

    /// The key from this index on, or None if the session begins later.
    fn export_at(&self, index: u32) -> Option<ExportedSessionKey> {
        locked(&self.0).export_at(index).map(ExportedSessionKey)
    }

    fn decrypt(&self, py: Python<'_>, message: &MegolmMessage) -> Result<DecryptedMessage> {
        let decrypted = locked(&self.0).decrypt(&message.0)?;
        let plaintext = Zeroizing::new(decrypted.plaintext);
        let message_index = decrypted.message_index;
        Ok(DecryptedMessage { plaintext: PyBytes::new(py, &plaintext).unbind(), message_index })
    }
}
