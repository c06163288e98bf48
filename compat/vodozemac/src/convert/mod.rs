//! `moceril`'s errors as vodozemac's: the variant that says most of the same.
//!
//! vodozemac tells more about a refused input than `moceril` (which character is not base64, which
//! length a MAC has). Where that can be found out from public data afterwards, it is.

mod decode;
mod megolm;
mod olm;
mod pickle;

use std::fmt::Display;

#[cfg(feature = "libolm-compat")]
pub(crate) use self::pickle::{libolm_pickle_error, libolm_write_error};
pub(crate) use self::{
    decode::{decode_error, session_key_error},
    megolm::group_decryption_error,
    olm::{decryption_error, encryption_error, mac_lengths, session_creation_error},
    pickle::{dehydrated_device_error, pickle_error},
};

/// The result of a call that vodozemac's signature says cannot fail. It fails when the operating
/// system has no randomness, or a counter has come to its end.
///
/// # Panics
///
/// Then.
#[track_caller]
pub(crate) fn drawn<T, E: Display>(result: Result<T, E>) -> T {
    match result {
        Ok(value) => value,
        Err(error) => panic!("{error}"),
    }
}
