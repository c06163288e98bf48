//! The layer of the vectors that a decoder's error belongs to.

use moceril::{DecodeError, KeyError};

use super::vector_file::Layer;

/// A decoder's error names its layer exactly.
pub fn decode_layer(error: DecodeError) -> Layer {
    match error {
        DecodeError::Base64(_) => Layer::Base64,
        DecodeError::Version(_) => Layer::Version,
        DecodeError::Format | DecodeError::Length { .. } => Layer::Format,
        DecodeError::Key(error) => key_layer(error),
        error => panic!("{error:?} has no layer"),
    }
}

pub fn key_layer(error: KeyError) -> Layer {
    match error {
        KeyError::NonCanonical | KeyError::LowOrder | KeyError::NotOnCurve => Layer::Key,
        error => panic!("{error:?} is not about the value of a key"),
    }
}
