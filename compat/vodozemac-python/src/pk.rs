//! Encryption to a public key, as the first version of Matrix's key backup uses it. It does not
//! authenticate.

use pyo3::{
    prelude::*,
    types::{PyBytes, PyType},
};
use vodozemac::{self as vz, pk_encryption};
use zeroize::Zeroizing;

use crate::{
    error::{PkDecodeException, PkInvalidKeySizeException, Result},
    keys::{Curve25519PublicKey, Curve25519SecretKey},
};

/// A message of PkEncryption: three byte strings.
#[pyclass(frozen, module = "vodozemac")]
pub(crate) struct Message {
    ciphertext: Vec<u8>,
    mac: Vec<u8>,
    ephemeral_key: Vec<u8>,
}

#[pymethods]
impl Message {
    #[new]
    fn new(ciphertext: Vec<u8>, mac: Vec<u8>, ephemeral_key: Vec<u8>) -> Self {
        Self { ciphertext, mac, ephemeral_key }
    }

    #[classmethod]
    fn from_base64(
        _cls: &Bound<'_, PyType>,
        ciphertext: &str,
        mac: &str,
        ephemeral_key: &str,
    ) -> Result<Self> {
        let decode = |text| {
            vz::base64_decode(text).map_err(|error| PkDecodeException::new_err(error.to_string()))
        };
        let (ciphertext, mac) = (decode(ciphertext)?, decode(mac)?);
        Ok(Self { ciphertext, mac, ephemeral_key: decode(ephemeral_key)? })
    }

    fn to_base64(&self) -> (String, String, String) {
        let [ciphertext, mac, key] =
            [&self.ciphertext, &self.mac, &self.ephemeral_key].map(vz::base64_encode);
        (ciphertext, mac, key)
    }

    #[getter]
    fn ciphertext<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.ciphertext)
    }

    #[getter]
    fn mac<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.mac)
    }

    #[getter]
    fn ephemeral_key<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.ephemeral_key)
    }
}

/// Decrypts what was encrypted to its public key.
#[pyclass(frozen, module = "vodozemac")]
pub(crate) struct PkDecryption(pk_encryption::PkDecryption);

#[pymethods]
impl PkDecryption {
    #[new]
    fn new() -> Self {
        Self(pk_encryption::PkDecryption::new())
    }

    #[classmethod]
    fn from_key(_cls: &Bound<'_, PyType>, key: &Curve25519SecretKey) -> Self {
        Self(pk_encryption::PkDecryption::from_key(key.0.clone()))
    }

    #[getter]
    fn key(&self) -> Curve25519SecretKey {
        Curve25519SecretKey(self.0.secret_key().clone())
    }

    #[getter]
    fn public_key(&self) -> Curve25519PublicKey {
        Curve25519PublicKey(self.0.public_key())
    }

    fn decrypt<'py>(&self, py: Python<'py>, message: &Message) -> Result<Bound<'py, PyBytes>> {
        let key: [u8; 32] = message.ephemeral_key.as_slice().try_into().map_err(|_| {
            let length = message.ephemeral_key.len();
            PkInvalidKeySizeException::new_err(format!(
                "The key doesn't have the correct size, got {length}, expected 32 bytes"
            ))
        })?;
        let message = pk_encryption::Message {
            ciphertext: message.ciphertext.clone(),
            mac: message.mac.clone(),
            ephemeral_key: key.into(),
        };
        Ok(PyBytes::new(py, &Zeroizing::new(self.0.decrypt(&message)?)))
    }
}

/// Encrypts to a public key.
#[pyclass(frozen, module = "vodozemac")]
pub(crate) struct PkEncryption(pk_encryption::PkEncryption);

#[pymethods]
impl PkEncryption {
    #[classmethod]
    fn from_key(_cls: &Bound<'_, PyType>, key: &Curve25519PublicKey) -> Self {
        Self(pk_encryption::PkEncryption::from_key(key.0))
    }

    fn encrypt(&self, message: &[u8]) -> Result<Message> {
        let pk_encryption::Message { ciphertext, mac, ephemeral_key } = self.0.encrypt(message)?;
        Ok(Message { ciphertext, mac, ephemeral_key: ephemeral_key.to_vec() })
    }
}
