//! Messages and session keys that are refused when they are read.

use moceril::megolm::SessionKeyError;

use crate::{
    DecodeError, KeyError, ProtoBufDecodeError, SignatureError, base64_text::base64_error,
    megolm::SessionKeyDecodeError,
};

/// The input as the caller gave it.
pub(crate) enum Input<'a> {
    Bytes(&'a [u8]),
    Text(&'a str),
}

impl Input<'_> {
    /// Its length in bytes, once decoded.
    fn length(&self) -> usize {
        match self {
            Self::Bytes(bytes) => bytes.len(),
            Self::Text(text) => text.trim_end_matches('=').len().saturating_mul(3) / 4,
        }
    }

    fn base64_error(&self) -> base64::DecodeError {
        match self {
            Self::Bytes(_) => base64::DecodeError::InvalidPadding,
            Self::Text(text) => base64_error(text),
        }
    }
}

impl<'a> From<&'a [u8]> for Input<'a> {
    fn from(bytes: &'a [u8]) -> Self {
        Self::Bytes(bytes)
    }
}

impl<'a> From<&'a str> for Input<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(text)
    }
}

/// Why a message was refused that has at least `shortest` bytes, and `version` as its highest known
/// version.
pub(crate) fn decode_error<'a>(
    error: moceril::DecodeError,
    input: impl Into<Input<'a>>,
    shortest: usize,
    version: u8,
) -> DecodeError {
    let input = input.into();
    match error {
        moceril::DecodeError::Base64(_) => DecodeError::Base64(input.base64_error()),
        moceril::DecodeError::MessageType(found) => DecodeError::MessageType(found),
        moceril::DecodeError::Version(found) => DecodeError::InvalidVersion(version, found),
        moceril::DecodeError::Key(_) => DecodeError::InvalidKey(KeyError::NonContributoryKey),
        // `Format`, and what may come.
        _ => match input.length() {
            0 => DecodeError::MissingVersion,
            length if length < shortest => DecodeError::MessageTooShort(length),
            _ => DecodeError::ProtoBufError(malformed()),
        },
    }
}

/// prost's error has no constructor, but it never accepts half an integer.
fn malformed() -> ProtoBufDecodeError {
    let half_an_integer: &[u8] = &[0xff];
    match <() as prost::Message>::decode(half_an_integer) {
        Err(error) => error,
        Ok(()) => unreachable!("half an integer was decoded"),
    }
}

/// Why a session key was refused, whose format has `version`.
pub(crate) fn session_key_error(error: SessionKeyError, version: u8) -> SessionKeyDecodeError {
    match error {
        SessionKeyError::Base64(_) => {
            SessionKeyDecodeError::Base64(base64ct::Error::InvalidEncoding)
        }
        SessionKeyError::Version(found) => SessionKeyDecodeError::Version(version, found),
        SessionKeyError::Key(_) => {
            SessionKeyDecodeError::PublicKey(SignatureError::invalid().into())
        }
        SessionKeyError::Signature => SessionKeyDecodeError::Signature(SignatureError::invalid()),
        // `Length`, and what may come.
        error => SessionKeyDecodeError::Read(std::io::Error::other(error)),
    }
}
