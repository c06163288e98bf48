//! Base64 of what is not secret. Secret text goes through `moceril`, which decodes in constant
//! time.

use base64::{
    DecodeError, Engine,
    alphabet::STANDARD,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_encode_padding(false)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The bytes of a base64 text, padded or not.
///
/// # Errors
///
/// [`DecodeError`], which says where the text is not base64.
pub fn base64_decode(input: impl AsRef<[u8]>) -> Result<Vec<u8>, DecodeError> {
    BASE64.decode(input)
}

/// The bytes as base64 without padding.
pub fn base64_encode(input: impl AsRef<[u8]>) -> String {
    BASE64.encode(input)
}

/// Where a text that `moceril` refused is not base64.
pub(crate) fn base64_error(text: &str) -> DecodeError {
    // What only `moceril` refuses is padding of the wrong length.
    base64_decode(text).err().unwrap_or(DecodeError::InvalidPadding)
}
