//! Errors of stored forms.

use std::io;

use digest::MacError;
use moceril::vodozemac::VodozemacPickleError;
use serde::de::Error as _;

use crate::{
    DehydratedDeviceError, LibolmPickleError, PickleError,
    base64_text::{base64_decode, base64_error},
    cipher::DecryptionError,
};

/// Why the encrypted pickle was refused.
pub(crate) fn pickle_error(error: VodozemacPickleError, pickle: &str) -> PickleError {
    match error {
        VodozemacPickleError::Base64(_) => PickleError::Base64(base64_error(pickle)),
        VodozemacPickleError::Authentication => PickleError::Decryption(not_authentic(pickle)),
        // `InvalidState`, `Key`, and what may come.
        error => PickleError::Serialization(serde_json::Error::custom(error)),
    }
}

fn not_authentic(pickle: &str) -> DecryptionError {
    match base64_decode(pickle) {
        Ok(bytes) if bytes.len() > 8 => DecryptionError::Mac(MacError),
        _ => DecryptionError::MacMissing,
    }
}

/// Why the pickle of libolm was refused, which has `version` if it is the newest.
#[cfg(feature = "libolm-compat")]
pub(crate) fn libolm_pickle_error(
    error: moceril::LibolmPickleError,
    pickle: &str,
    version: u32,
) -> LibolmPickleError {
    use crate::{KeyError, SignatureError};

    match error {
        moceril::LibolmPickleError::Base64(_) => LibolmPickleError::Base64(base64_error(pickle)),
        moceril::LibolmPickleError::Authentication => {
            LibolmPickleError::Decryption(not_authentic(pickle))
        }
        moceril::LibolmPickleError::Version(found) => LibolmPickleError::Version(version, found),
        moceril::LibolmPickleError::Key(error) => LibolmPickleError::PublicKey(match error {
            moceril::KeyError::PublicInSecret | moceril::KeyError::NotOnCurve => {
                SignatureError::invalid().into()
            }
            _ => KeyError::NonContributoryKey,
        }),
        // `InvalidState`, and what may come.
        error => LibolmPickleError::Decode(io::Error::other(error).into()),
    }
}

/// Why an object has no form in libolm's format.
#[cfg(feature = "libolm-compat")]
pub(crate) fn libolm_write_error(error: moceril::ConversionError) -> LibolmPickleError {
    LibolmPickleError::Encode(io::Error::other(error).into())
}

/// Why the dehydrated device was refused, or could not be made.
pub(crate) fn dehydrated_device_error(
    error: moceril::DehydratedDeviceError,
    ciphertext: &str,
    nonce: &str,
) -> DehydratedDeviceError {
    match error {
        moceril::DehydratedDeviceError::Base64(_) => {
            let error = base64_decode(ciphertext).err();
            DehydratedDeviceError::Base64(error.unwrap_or_else(|| base64_error(nonce)))
        }
        moceril::DehydratedDeviceError::Nonce(_) => DehydratedDeviceError::InvalidNonce,
        moceril::DehydratedDeviceError::Authentication => {
            DehydratedDeviceError::Decryption(aead::Error)
        }
        moceril::DehydratedDeviceError::Version(found) => DehydratedDeviceError::Version(1, found),
        moceril::DehydratedDeviceError::Unrepresentable => DehydratedDeviceError::InvalidAccount,
        // `InvalidState`, `Random`, and what may come.
        error => LibolmPickleError::Decode(io::Error::other(error).into()).into(),
    }
}
