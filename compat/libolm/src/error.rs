//! Error codes and their texts, which programs compare.

use std::ffi::{CStr, c_char};

/// `enum OlmErrorCode`, but for 0, `OLM_SUCCESS`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Code {
    NotEnoughRandom = 1,
    OutputBufferTooSmall,
    BadMessageVersion,
    BadMessageFormat,
    BadMessageMac,
    BadMessageKeyId,
    InvalidBase64,
    BadAccountKey,
    UnknownPickleVersion,
    CorruptedPickle,
    BadSessionKey,
    UnknownMessageIndex,
    BadLegacyAccountPickle,
    BadSignature,
    InputBufferTooSmall,
    SasTheirKeyNotSet,
    PickleExtraData,
}

pub(crate) type Result<T> = std::result::Result<T, Code>;

/// In the order of the codes. Three texts begin with `OLM_`, the others do not.
const TEXTS: [&CStr; 18] = [
    c"SUCCESS",
    c"NOT_ENOUGH_RANDOM",
    c"OUTPUT_BUFFER_TOO_SMALL",
    c"BAD_MESSAGE_VERSION",
    c"BAD_MESSAGE_FORMAT",
    c"BAD_MESSAGE_MAC",
    c"BAD_MESSAGE_KEY_ID",
    c"INVALID_BASE64",
    c"BAD_ACCOUNT_KEY",
    c"UNKNOWN_PICKLE_VERSION",
    c"CORRUPTED_PICKLE",
    c"BAD_SESSION_KEY",
    c"UNKNOWN_MESSAGE_INDEX",
    c"BAD_LEGACY_ACCOUNT_PICKLE",
    c"BAD_SIGNATURE",
    c"OLM_INPUT_BUFFER_TOO_SMALL",
    c"OLM_SAS_THEIR_KEY_NOT_SET",
    c"OLM_PICKLE_EXTRA_DATA",
];

/// The text of a code; it lives as long as the program.
pub(crate) fn text(code: u32) -> *const c_char {
    let text = usize::try_from(code).ok().and_then(|code| TEXTS.get(code));
    text.unwrap_or(&c"UNKNOWN_ERROR").as_ptr()
}

/// `olm_error()`: what a function returns that failed.
pub(crate) const FAILED: usize = usize::MAX;
