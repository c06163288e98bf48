//! Which error this library gives for a fault that the vectors attribute to a layer.

use moceril::{
    DecodeError, KeyError,
    megolm::{self, SessionKeyError},
    olm::{self, SessionCreationError},
};

use crate::common::vector_file::Layer;

/// A decoder's error names its layer exactly.
pub fn decode_layer(error: DecodeError) -> Layer {
    match error {
        DecodeError::Base64 => Layer::Base64,
        DecodeError::Version(_) => Layer::Version,
        DecodeError::Format => Layer::Format,
        DecodeError::Key(error) => key_layer(error),
        error => panic!("{error:?} has no layer"),
    }
}

/// The formats of a session key have nothing but a length.
pub fn session_key_layer(error: SessionKeyError) -> Layer {
    match error {
        SessionKeyError::Base64 => Layer::Base64,
        SessionKeyError::Version(_) => Layer::Version,
        SessionKeyError::Length => Layer::Format,
        SessionKeyError::Key(error) => key_layer(error),
        SessionKeyError::Signature => Layer::Signature,
        error => panic!("{error:?} has no layer"),
    }
}

fn key_layer(error: KeyError) -> Layer {
    match error {
        KeyError::NonCanonical | KeyError::LowOrder | KeyError::NotOnCurve => Layer::Key,
        error => panic!("{error:?} is not about the value of a key"),
    }
}

/// S-28: MAC and padding are one error, so that the difference tells a forger nothing.
pub fn is_olm_error(layer: Layer, error: olm::DecryptionError) -> bool {
    use olm::DecryptionError as Error;
    match layer {
        Layer::Version => error == Error::VersionMismatch,
        Layer::KeysMismatch => error == Error::SessionKeysMismatch,
        Layer::Replay => error == Error::AlreadyUsed,
        Layer::Index => matches!(error, Error::TooFarAhead { .. }),
        Layer::Mac | Layer::Padding => error == Error::Authentication,
        _ => false,
    }
}

pub fn is_creation_error(layer: Layer, error: SessionCreationError) -> bool {
    match (layer, error) {
        (Layer::KeysMismatch, error) => error == SessionCreationError::IdentityKeyMismatch,
        (Layer::UnknownKey, error) => error == SessionCreationError::UnknownOneTimeKey,
        (_, SessionCreationError::Decryption(error)) => is_olm_error(layer, error),
        _ => false,
    }
}

/// S-28: signature, MAC and padding are one error.
pub fn is_megolm_error(layer: Layer, error: megolm::DecryptionError) -> bool {
    use megolm::DecryptionError as Error;
    match layer {
        Layer::Version => error == Error::VersionMismatch,
        Layer::Index => matches!(error, Error::UnknownIndex { .. }),
        Layer::Signature | Layer::Mac | Layer::Padding => error == Error::Authentication,
        _ => false,
    }
}
