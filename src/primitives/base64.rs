//! Base64 (RFC 4648, section 4). Secrets are encoded and decoded in constant time (S-26). Public
//! text is decoded with tables: messages, public keys and pickles, which are ciphertext.
//!
//! S-30: encodes without padding; decodes without padding or with the correct padding; refuses
//! other alphabets, white space, wrong padding and non-zero trailing bits. So each value has
//! exactly two texts, one without and one with padding; they are equal if no padding is needed.

use alloc::{string::String, vec, vec::Vec};

use base64ct::{Base64, Base64Unpadded, Base64Url, Base64UrlUnpadded, Encoding};
use zeroize::Zeroize;

use super::secret::{Secret, SecretString};
use crate::error::Base64Error;

pub(crate) fn encode(bytes: &[u8]) -> String {
    Base64Unpadded::encode_string(bytes)
}

pub(crate) fn encode_secret(bytes: &[u8]) -> SecretString {
    SecretString::new(encode(bytes))
}

/// Encodes with padding, for key exports, the only format that requires it.
#[cfg(feature = "key-export")]
pub(crate) fn encode_padded(bytes: &[u8]) -> String {
    Base64::encode_string(bytes)
}

/// Decodes public text, four times as fast as secret text.
pub(crate) fn decode(text: &str) -> Result<Vec<u8>, Base64Error> {
    decode_by_tables(text).ok_or_else(|| refusal(text.as_bytes(), &mut vec![0; text.len()]))
}

fn decode_by_tables(text: &str) -> Option<Vec<u8>> {
    // The tables decode whole groups of four characters. base64ct decodes the last one to four,
    // because only these can have padding or trailing bits.
    let whole = (text.len().saturating_sub(1) / 4).saturating_mul(4);
    let (whole, last) = text.as_bytes().split_at(whole);
    let groups = whole.as_chunks().0;
    let mut bytes = vec![0; groups.len().saturating_add(1).saturating_mul(3)];
    let mut all_values = 0;
    let (triples, _) = bytes.as_chunks_mut();
    for (group, triple) in groups.iter().zip(triples) {
        let [a, b, c, d]: &[u8; 4] = group;
        let value = value::<0>(*a) | value::<1>(*b) | value::<2>(*c) | value::<3>(*d);
        all_values |= value;
        let [bytes @ .., _] = value.to_be_bytes();
        *triple = bytes;
    }
    if all_values & NO_VALUE != 0 {
        return None;
    }
    let decoded = groups.len().saturating_mul(3);
    let length = decode_into(last, bytes.get_mut(decoded..)?)?;
    bytes.truncate(decoded.saturating_add(length));
    Some(bytes)
}

/// The value of bytes outside the alphabet, in the byte that the values of letters leave empty.
const NO_VALUE: u32 = 0xff;

/// A table for each place in a group of four: the letter's six bits at their place in the upper 24
/// bits. So the values of a group need no shifts, and an OR combines them into its three bytes.
#[expect(clippy::indexing_slicing, reason = "the compiler runs it")]
const VALUES: [[u32; 256]; 4] = {
    let letters = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut values = [[NO_VALUE; 256]; 4];
    let mut value = 0;
    while value < letters.len() {
        let letter = letters[value] as usize;
        values[0][letter] = (value as u32) << 26;
        values[1][letter] = (value as u32) << 20;
        values[2][letter] = (value as u32) << 14;
        values[3][letter] = (value as u32) << 8;
        value += 1;
    }
    values
};

fn value<const PLACE: usize>(letter: u8) -> u32 {
    let values = VALUES.get(PLACE).and_then(|values| values.get(usize::from(letter)));
    values.copied().unwrap_or(NO_VALUE)
}

/// Decodes a secret of exactly `N` bytes; `None` if the text is valid but has another length.
pub(crate) fn decode_secret<const N: usize>(text: &str) -> Result<Option<Secret<N>>, Base64Error> {
    let mut secret = Secret::default();
    if decode_into(text.as_bytes(), secret.as_mut_bytes()) == Some(N) {
        return Ok(Some(secret));
    }
    // The text is not base64, or has another length. In both cases the decoded bytes may be part of
    // a secret, so they are wiped.
    let mut bytes = vec![0; text.len()];
    let result = match decode_into(text.as_bytes(), &mut bytes) {
        Some(_) => Ok(None),
        None => Err(refusal(text.as_bytes(), &mut bytes)),
    };
    bytes.zeroize();
    result
}

/// How many bytes a valid text has: three for each four characters before the padding.
pub(crate) fn decoded_length(text: &str) -> usize {
    text.trim_end_matches('=').len().saturating_mul(3) / 4
}

/// Decodes in a time that depends only on the length. Returns the number of bytes.
fn decode_into(text: &[u8], bytes: &mut [u8]) -> Option<usize> {
    let decoded = if text.ends_with(b"=") {
        Base64::decode(text, bytes)
    } else {
        Base64Unpadded::decode(text, bytes)
    };
    decoded.ok().map(<[u8]>::len)
}

/// What is wrong with a text that is not base64. As with `decode_into`, the time depends only on
/// the length, and `bytes` may be overwritten with the decoded text.
fn refusal(text: &[u8], bytes: &mut [u8]) -> Base64Error {
    let decoded = if text.ends_with(b"=") {
        Base64Url::decode(text, bytes)
    } else {
        Base64UrlUnpadded::decode(text, bytes)
    };
    if decoded.is_ok() { Base64Error::UrlSafe } else { Base64Error::Invalid }
}

#[cfg(test)]
mod tests {
    use std::format;

    use super::*;

    /// S-30: decoding with the tables accepts the same texts as base64ct, and gives the same bytes:
    /// for every letter at every position, with every type of ending.
    #[test]
    fn the_table_decodes_as_base64ct_does() {
        let mut accepted = 0;
        for length in 0..14 {
            for place in 0..=length {
                for letter in '\0'..='\u{1ff}' {
                    for ending in ["", "=", "==", "===", "A=", "AA==", "\n"] {
                        let rest = length - place;
                        let text = format!("{:z<place$}{letter}{:Q>rest$}{ending}", "", "");
                        let mut expected = vec![0; text.len()];
                        let length = decode_into(text.as_bytes(), &mut expected);
                        expected.truncate(length.unwrap_or(0));
                        assert_eq!(decode(&text).ok(), length.map(|_| expected), "{text:?}");
                        accepted += usize::from(length.is_some());
                    }
                }
            }
        }
        assert!(accepted > 1_000, "{accepted} texts were base64");
        assert_eq!(decode(""), Ok(vec![]));
    }

    /// A text in the URL-safe alphabet is distinguished from other bad text, whether it is secret
    /// or not: if it is base64 in that alphabet, and only then.
    #[test]
    fn the_url_safe_alphabet_is_recognized() {
        use Base64Error::{Invalid, UrlSafe};
        for (text, error) in [
            ("__8", UrlSafe),
            ("__8=", UrlSafe),
            ("AA-A", UrlSafe),
            ("AAAA_-==", Invalid), // its trailing bits are not zero
            ("AAAA_w==", UrlSafe),
            ("_w=", Invalid),
            ("-", Invalid),
            ("A", Invalid),
            ("+_8", Invalid), // both alphabets
            ("AA-A\n", Invalid),
            ("AA.A", Invalid),
        ] {
            assert_eq!(decode(text), Err(error), "{text}");
            assert_eq!(decode_secret::<2>(text).err(), Some(error), "{text}");
        }
    }

    /// A secret must have its exact length: a shorter one is not filled up, and a longer one is not
    /// cut.
    #[test]
    fn a_secret_has_its_length() {
        for length in 0..12 {
            let bytes = &[7; 12][..length];
            for text in [encode(bytes), Base64::encode_string(bytes)] {
                let secret = decode_secret::<6>(&text).unwrap();
                assert_eq!(
                    secret.map(|secret| *secret.as_bytes()),
                    (length == 6).then_some([7; 6])
                );
                assert!(decode_secret::<6>(&format!("{text}!")).is_err());
            }
        }
    }
}
