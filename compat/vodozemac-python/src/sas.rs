//! Short authentication strings.

use std::sync::Mutex;

use moceril::sas::{self, MacMethod};
use pyo3::{prelude::*, types::PyBytes};
use vodozemac::KeyError;

use crate::{
    error::{Result, SasException},
    keys::Curve25519PublicKey,
    olm::locked,
};

/// One verification of another device. The crate `vodozemac` uses its object up also if a key is
/// refused, so this is moceril's.
#[pyclass(frozen, module = "vodozemac")]
pub(crate) struct Sas {
    public_key: Curve25519PublicKey,
    /// Until it is used.
    inner: Mutex<Option<sas::Sas>>,
}

#[pymethods]
impl Sas {
    #[new]
    fn new() -> Result<Self> {
        let inner = sas::Sas::new()?;
        let public_key = vodozemac::Curve25519PublicKey::from(*inner.public_key().as_bytes());
        Ok(Self { public_key: Curve25519PublicKey(public_key), inner: Mutex::new(Some(inner)) })
    }

    #[getter]
    fn public_key(&self) -> Curve25519PublicKey {
        self.public_key.clone()
    }

    /// Agrees on a secret with the other device. That works once. If the key is refused, the object
    /// is as it was.
    fn diffie_hellman(&self, key: &Curve25519PublicKey) -> Result<EstablishedSas> {
        let mut inner = locked(&self.inner);
        let sas = inner
            .take()
            .ok_or_else(|| SasException::new_err("The Sas object has already been used once."))?;
        let agreed = match moceril::Curve25519PublicKey::from_bytes(key.0.to_bytes()) {
            Ok(key) => sas.diffie_hellman(key).map_err(|refused| refused.unchanged),
            Err(_) => Err(sas),
        };
        agreed.map(EstablishedSas).map_err(|unchanged| {
            *inner = Some(unchanged);
            KeyError::NonContributoryKey.into()
        })
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
        self.0.calculate_mac(MacMethod::HkdfHmacSha256V2, input, info)
    }

    /// The MAC in the faulty encoding that libolm began with.
    fn calculate_mac_invalid_base64(&self, input: &str, info: &str) -> String {
        self.0.calculate_mac(MacMethod::HkdfHmacSha256, input, info)
    }

    fn verify_mac(&self, input: &str, info: &str, tag: &str) -> Result<()> {
        Ok(self.0.verify_mac(MacMethod::HkdfHmacSha256V2, input, info, tag)?)
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
        self.0.decimals().into()
    }
}
