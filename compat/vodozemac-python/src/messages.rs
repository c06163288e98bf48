//! Messages of Olm and Megolm.

use pyo3::{
    prelude::*,
    types::{PyBytes, PyType},
};
use vodozemac::{
    megolm,
    olm::{self, OlmMessage},
};

use crate::{error::Result, keys::Ed25519Signature};

#[pyclass(frozen, module = "vodozemac")]
pub(crate) struct AnyOlmMessage(pub(crate) OlmMessage);

#[pymethods]
impl AnyOlmMessage {
    #[classmethod]
    fn pre_key(_cls: &Bound<'_, PyType>, message: &[u8]) -> Result<Self> {
        Ok(Self(olm::PreKeyMessage::from_bytes(message)?.into()))
    }

    #[classmethod]
    fn normal(_cls: &Bound<'_, PyType>, message: &[u8]) -> Result<Self> {
        Ok(Self(olm::Message::from_bytes(message)?.into()))
    }

    #[classmethod]
    fn from_parts(
        _cls: &Bound<'_, PyType>,
        message_type: usize,
        ciphertext: &[u8],
    ) -> Result<Self> {
        Ok(Self(OlmMessage::from_parts(message_type, ciphertext)?))
    }

    /// The message, if it can begin a session.
    fn to_pre_key(&self) -> Option<PreKeyMessage> {
        match &self.0 {
            OlmMessage::PreKey(message) => Some(PreKeyMessage(message.clone())),
            OlmMessage::Normal(_) => None,
        }
    }

    fn to_parts<'py>(&self, py: Python<'py>) -> (usize, Bound<'py, PyBytes>) {
        let (message_type, ciphertext) = self.0.to_parts();
        (message_type, PyBytes::new(py, &ciphertext))
    }
}

/// A message that can begin a session.
#[pyclass(frozen, module = "vodozemac")]
pub(crate) struct PreKeyMessage(pub(crate) olm::PreKeyMessage);

#[pymethods]
impl PreKeyMessage {
    #[classmethod]
    fn from_base64(_cls: &Bound<'_, PyType>, message: &str) -> Result<Self> {
        Ok(Self(olm::PreKeyMessage::from_base64(message)?))
    }

    fn to_any(&self) -> AnyOlmMessage {
        AnyOlmMessage(self.0.clone().into())
    }

    /// The id of the session that the message begins.
    fn session_id(&self) -> String {
        self.0.session_id()
    }
}

#[pyclass(frozen, module = "vodozemac")]
pub(crate) struct MegolmMessage(pub(crate) megolm::MegolmMessage);

#[pymethods]
impl MegolmMessage {
    #[classmethod]
    fn from_base64(_cls: &Bound<'_, PyType>, message: &str) -> Result<Self> {
        Ok(Self(megolm::MegolmMessage::from_base64(message)?))
    }

    #[classmethod]
    fn from_bytes(_cls: &Bound<'_, PyType>, message: &[u8]) -> Result<Self> {
        Ok(Self(megolm::MegolmMessage::from_bytes(message)?))
    }

    fn to_base64(&self) -> String {
        self.0.to_base64()
    }

    fn to_bytes<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.0.to_bytes())
    }

    fn message_index(&self) -> u32 {
        self.0.message_index()
    }

    fn signature(&self) -> Ed25519Signature {
        Ed25519Signature(*self.0.signature())
    }
}
