//! The exceptions, which are all `ValueError`s with the messages of vodozemac's errors but for a
//! system without randomness, and what a program gets to see of an error.

use pyo3::{
    PyErr, create_exception,
    exceptions::{PyOSError, PyValueError},
};

create_exception!(vodozemac, KeyException, PyValueError);
create_exception!(vodozemac, SignatureException, PyValueError);
create_exception!(vodozemac, DecodeException, PyValueError);
create_exception!(vodozemac, LibolmPickleException, PyValueError);
create_exception!(vodozemac, SessionKeyDecodeException, PyValueError);
create_exception!(vodozemac, PickleException, PyValueError);
create_exception!(vodozemac, SessionCreationException, PyValueError);
create_exception!(vodozemac, SasException, PyValueError);
create_exception!(vodozemac, OlmEncryptionException, PyValueError);
create_exception!(vodozemac, OlmDecryptionException, PyValueError);
create_exception!(vodozemac, MegolmDecryptionException, PyValueError);
create_exception!(vodozemac, PkInvalidKeySizeException, PyValueError);
create_exception!(vodozemac, PkDecodeException, PyValueError);

/// An error on its way to Python.
pub(crate) struct Error(PyErr);

pub(crate) type Result<T> = std::result::Result<T, Error>;

impl From<Error> for PyErr {
    fn from(Error(error): Error) -> Self {
        error
    }
}

impl From<PyErr> for Error {
    fn from(error: PyErr) -> Self {
        Self(error)
    }
}

macro_rules! becomes {
    ($($error:ty => $exception:ident),* $(,)?) => {$(
        impl From<$error> for Error {
            fn from(error: $error) -> Self {
                Self($exception::new_err(error.to_string()))
            }
        }
    )*};
}

becomes! {
    vodozemac::KeyError => KeyException,
    vodozemac::SignatureError => SignatureException,
    vodozemac::DecodeError => DecodeException,
    vodozemac::LibolmPickleError => LibolmPickleException,
    vodozemac::PickleError => PickleException,
    vodozemac::megolm::SessionKeyDecodeError => SessionKeyDecodeException,
    vodozemac::megolm::DecryptionError => MegolmDecryptionException,
    vodozemac::olm::SessionCreationError => SessionCreationException,
    vodozemac::olm::EncryptionError => OlmEncryptionException,
    vodozemac::olm::DecryptionError => OlmDecryptionException,
    moceril::RandomError => PyOSError,
    moceril::sas::SasError => SasException,
    vodozemac::pk_encryption::Error => PkDecodeException,
    vodozemac::pk_encryption::MessageDecodeError => PkDecodeException,
}
