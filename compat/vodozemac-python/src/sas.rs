//! Short authentication strings.

use std::sync::Mutex;

use pyo3::{prelude::*, types::PyBytes};
use vodozemac::sas;

use crate::{
    error::{Result, SasException},
    keys::Curve25519PublicKey,
    olm::locked,
};

/// One verification of another device.
#[pyclass(frozen, module = "vodozemac")]
pub(crate) struct Sas {
    public_key: Curve25519PublicKey,
    /// Until it is used.
    inner: Mutex<Option<sas::Sas>>,
}

#[pymethods]
impl Sas {
    #[new]
    fn new() -> Self {
        let inner = sas::Sas::new();
        let public_key = Curve25519PublicKey(inner.public_key());
        Self { public_key, inner: Mutex::new(Some(inner)) }
    }

    #[getter]
    fn public_key(&self) -> Curve25519PublicKey {
        self.public_key.clone()
    }

    /// Agrees on a secret with the other device. That works once, also if the key is refused.
    fn diffie_hellman(&self, key: &Curve25519PublicKey) -> Result<EstablishedSas> {
        let inner = locked(&self.inner)
            .take()
            .ok_or_else(|| SasException::new_err("The Sas object has already been used once."))?;
        Ok(EstablishedSas(inner.diffie_hellman(key.0)?))
    }
}

#[pyclass(frozen, module = "vodozemac")]
pub(crate) struct EstablishedSas(sas::EstablishedSas);

#[pymethods]
impl EstablishedSas {
    fn bytes(&self, info: &str) -> SasBytes {
        SasBytes(self.0.bytes(info))
    }

    fn calculate_mac(&self, input: &str, info: &str) -> String {
        self.0.calculate_mac(input, info).to_base64()
    }

    /// The MAC in the faulty encoding that libolm began with.
    fn calculate_mac_invalid_base64(&self, input: &str, info: &str) -> String {
        self.0.calculate_mac_invalid_base64(input, info)
    }

    fn verify_mac(&self, input: &str, info: &str, tag: &str) -> Result<()> {
        let tag =
            sas::Mac::from_base64(tag).map_err(|error| SasException::new_err(error.to_string()))?;
        Ok(self.0.verify_mac(input, info, &tag)?)
    }
}

/// What both users compare.
#[pyclass(frozen, module = "vodozemac")]
pub(crate) struct SasBytes(sas::SasBytes);

#[pymethods]
impl SasBytes {
    /// Seven numbers below 64.
    #[getter]
    fn emoji_indices<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.0.emoji_indices())
    }

    #[getter]
    fn decimals(&self) -> (u16, u16, u16) {
        self.0.decimals()
    }
}
