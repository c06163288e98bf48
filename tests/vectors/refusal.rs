//! Which error this library gives for a fault that the vectors attribute to a layer.

use moceril::{
    megolm::{self, SessionKeyError},
    olm::{self, SessionCreationError},
};

pub use moceril_testing::vector_layer::decode_layer;
use moceril_testing::{vector_file::Layer, vector_layer::key_layer};

/// The formats of a session key have nothing but a length.
pub fn session_key_layer(error: SessionKeyError) -> Layer {
    match error {
        SessionKeyError::Base64(_) => Layer::Base64,
        SessionKeyError::Version(_) => Layer::Version,
        SessionKeyError::Length { .. } => Layer::Format,
        SessionKeyError::Key(error) => key_layer(error),
        SessionKeyError::Signature => Layer::Signature,
        error => panic!("{error:?} has no layer"),
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
