//! Keys and signatures.

use base64ct::{Base64Unpadded, Encoding};
use pyo3::{
    prelude::*,
    types::{PyBytes, PyString, PyType},
};
use vodozemac as vz;
use zeroize::{Zeroize, Zeroizing};

use crate::error::{KeyException, Result};

#[pyclass(frozen, eq, module = "vodozemac")]
#[derive(Clone, PartialEq)]
pub(crate) struct Curve25519PublicKey(pub(crate) vz::Curve25519PublicKey);

#[pymethods]
impl Curve25519PublicKey {
    #[classmethod]
    fn from_base64(_cls: &Bound<'_, PyType>, key: &str) -> Result<Self> {
        Ok(Self(vz::Curve25519PublicKey::from_base64(key)?))
    }

    #[classmethod]
    fn from_bytes(_cls: &Bound<'_, PyType>, bytes: &[u8]) -> Result<Self> {
        let bytes = bytes.try_into().map_err(|_| wrong_length("Curve25519PublicKey", bytes))?;
        Ok(Self(vz::Curve25519PublicKey::from_bytes(bytes)))
    }

    fn to_base64(&self) -> String {
        self.0.to_base64()
    }

    fn to_bytes<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, self.0.as_bytes())
    }
}

/// A Curve25519 secret key.
#[pyclass(frozen, module = "vodozemac")]
#[derive(Clone)]
pub(crate) struct Curve25519SecretKey(pub(crate) vz::Curve25519SecretKey);

#[pymethods]
impl Curve25519SecretKey {
    #[new]
    fn new() -> Self {
        Self(vz::Curve25519SecretKey::new())
    }

    #[classmethod]
    fn from_base64(_cls: &Bound<'_, PyType>, key: &str) -> Result<Self> {
        // In constant time (S-26), and with no word about what the text is (S-29). The padding of
        // 32 bytes is one character (S-30).
        let digits = if key.len() == 44 { key.strip_suffix('=').unwrap_or(key) } else { key };
        let bytes = Base64Unpadded::decode_vec(digits)
            .map(Zeroizing::new)
            .map_err(|_| KeyException::new_err("Failed to decode a secret key from Base64"))?;
        Self::from_slice(&bytes)
    }

    #[classmethod]
    fn from_bytes(_cls: &Bound<'_, PyType>, bytes: &[u8]) -> Result<Self> {
        Self::from_slice(bytes)
    }

    fn to_base64<'py>(&self, py: Python<'py>) -> Bound<'py, PyString> {
        self.with_bytes(|bytes| {
            PyString::new(py, &Zeroizing::new(Base64Unpadded::encode_string(bytes)))
        })
    }

    fn to_bytes<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        self.with_bytes(|bytes| PyBytes::new(py, bytes))
    }

    fn public_key(&self) -> Curve25519PublicKey {
        Curve25519PublicKey((&self.0).into())
    }
}

impl Curve25519SecretKey {
    fn from_slice(bytes: &[u8]) -> Result<Self> {
        let bytes = bytes.try_into().map_err(|_| wrong_length("Curve25519SecretKey", bytes))?;
        Ok(Self(vz::Curve25519SecretKey::from_slice(bytes)))
    }

    /// Lends the bytes, and wipes them.
    fn with_bytes<T>(&self, work: impl FnOnce(&[u8]) -> T) -> T {
        let mut bytes = self.0.to_bytes();
        let result = work(bytes.as_slice());
        bytes.zeroize();
        result
    }
}

fn wrong_length(key_type: &'static str, bytes: &[u8]) -> vz::KeyError {
    vz::KeyError::InvalidKeyLength { key_type, expected_length: 32, length: bytes.len() }
}

#[pyclass(frozen, eq, module = "vodozemac")]
#[derive(PartialEq)]
pub(crate) struct Ed25519PublicKey(pub(crate) vz::Ed25519PublicKey);

#[pymethods]
impl Ed25519PublicKey {
    #[classmethod]
    fn from_base64(_cls: &Bound<'_, PyType>, key: &str) -> Result<Self> {
        Ok(Self(vz::Ed25519PublicKey::from_base64(key)?))
    }

    fn to_base64(&self) -> String {
        self.0.to_base64()
    }

    fn verify_signature(&self, message: &[u8], signature: &Ed25519Signature) -> Result<()> {
        Ok(self.0.verify(message, &signature.0)?)
    }
}

#[pyclass(frozen, module = "vodozemac")]
pub(crate) struct Ed25519Signature(pub(crate) vz::Ed25519Signature);

#[pymethods]
impl Ed25519Signature {
    #[classmethod]
    fn from_base64(_cls: &Bound<'_, PyType>, session_key: &str) -> Result<Self> {
        Ok(Self(vz::Ed25519Signature::from_base64(session_key)?))
    }

    fn to_base64(&self) -> String {
        self.0.to_base64()
    }
}
