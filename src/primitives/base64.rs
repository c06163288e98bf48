//! Base64 (RFC 4648, section 4), in constant time for secrets and for everything else too.
//!
//! S-30: encodes without padding; decodes without padding or with the correct padding; refuses other
//! alphabets, white space, wrong padding and non-zero trailing bits, so that one value has one text
//! (two if padding counts).

use alloc::{string::String, vec, vec::Vec};

use base64ct::{Base64, Base64Unpadded, Encoding};
use zeroize::Zeroize;

use super::secret::{Secret, SecretString};
use crate::error::Base64Error;

pub(crate) fn encode(bytes: &[u8]) -> String {
    Base64Unpadded::encode_string(bytes)
}

pub(crate) fn encode_secret(bytes: &[u8]) -> SecretString {
    SecretString::new(encode(bytes))
}

/// For the one format that wants padding.
#[cfg(feature = "key-export")]
pub(crate) fn encode_padded(bytes: &[u8]) -> String {
    Base64::encode_string(bytes)
}

pub(crate) fn decode(text: &str) -> Result<Vec<u8>, Base64Error> {
    // Three bytes for every four characters begun: never less than what the text decodes to.
    let mut bytes = vec![0; text.len().div_ceil(4).saturating_mul(3)];
    match decode_into(text, &mut bytes) {
        Ok(length) => {
            bytes.truncate(length);
            Ok(bytes)
        }
        Err(error) => {
            // The text may have been most of a secret.
            bytes.zeroize();
            Err(error)
        }
    }
}

/// Decodes a secret of exactly `N` bytes; `None` when the text is good but of another length.
pub(crate) fn decode_secret<const N: usize>(text: &str) -> Result<Option<Secret<N>>, Base64Error> {
    let mut bytes = decode(text)?;
    let secret = <[u8; N]>::try_from(bytes.as_slice()).ok().map(Secret::new);
    bytes.zeroize();
    Ok(secret)
}

fn decode_into(text: &str, bytes: &mut [u8]) -> Result<usize, Base64Error> {
    let decoded = if text.ends_with('=') {
        Base64::decode(text, bytes)
    } else {
        Base64Unpadded::decode(text, bytes)
    };
    decoded.map(<[u8]>::len).map_err(|_| Base64Error)
}
