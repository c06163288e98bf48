//! Base64 as in libolm: no padding, and decoding that checks only the length.
//!
//! Where a text may be secret, nothing branches on a character or looks one up in a table (S-26).
//! Public texts are decoded with a table: messages, public keys, signatures, and pickles, which are
//! ciphertext.

use base64ct::{Base64Unpadded, Encoding};
use zeroize::Zeroizing;

use crate::error::{Code, Result};

/// Characters of a Curve25519 or Ed25519 public key, and of a SHA-256 hash.
pub(crate) const KEY_LENGTH: usize = encoded_length(32);
/// Characters of an Ed25519 signature.
pub(crate) const SIGNATURE_LENGTH: usize = encoded_length(64);
/// 32 zero bytes: what a blank object has for a key.
pub(crate) const BLANK_KEY: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Characters of so many bytes.
pub(crate) const fn encoded_length(length: usize) -> usize {
    let rest = match length % 3 {
        0 => 0,
        rest => rest.saturating_add(1),
    };
    (length / 3).saturating_mul(4).saturating_add(rest)
}

/// Bytes of so many characters. Only one length is impossible.
pub(crate) const fn decoded_length(length: usize) -> Result<usize> {
    let rest = match length % 4 {
        0 => 0,
        1 => return Err(Code::InvalidBase64),
        rest => rest.saturating_sub(1),
    };
    Ok((length / 4).saturating_mul(3).saturating_add(rest))
}

pub(crate) fn encode(bytes: &[u8]) -> String {
    Base64Unpadded::encode_string(bytes)
}

/// The text without its padding, if that is correct: one or two `=` that fill the last group of
/// four. Other endings are for `decode`, which takes every character for a digit.
pub(crate) fn without_padding(text: &[u8]) -> &[u8] {
    match text {
        _ if !text.len().is_multiple_of(4) => text,
        [.., b'=', b'=', b'='] => text,
        [digits @ .., b'=', b'='] | [digits @ .., b'='] => digits,
        _ => text,
    }
}

/// Decodes anything, in libolm's way: the high bit of a character is dropped, and a character that
/// is not in the alphabet counts as 255, two bits of which spill over into the digit before it. Not
/// for a text that holds a secret.
pub(crate) fn decode(text: &[u8]) -> Result<Vec<u8>> {
    decode_with(text, |character| DIGITS.get(usize::from(character)).copied().unwrap_or_default())
}

/// As `decode`, for a text that holds a secret.
pub(crate) fn decode_secret(text: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
    decode_with(text, digit).map(Zeroizing::new)
}

fn decode_with(text: &[u8], digit: impl Fn(u8) -> u8) -> Result<Vec<u8>> {
    let joined = |characters: &[u8]| {
        characters.iter().fold(0, |value, character| value << 6 | u32::from(digit(*character)))
    };
    let mut bytes = vec![0; decoded_length(text.len())?];
    let (groups, last) = text.as_chunks::<4>();
    let (places, last_places) = bytes.as_chunks_mut::<3>();
    for (place, group) in places.iter_mut().zip(groups) {
        let [_, bytes @ ..] = joined(group).to_be_bytes();
        *place = bytes;
    }
    match (last, last_places) {
        (last @ [_, _, _], [a, b]) => [*a, *b] = low_bytes(joined(last) >> 2),
        (last @ [_, _], [a]) => [_, *a] = low_bytes(joined(last) >> 4),
        _ => {}
    }
    Ok(bytes)
}

/// The first 32 bytes of what a key's text decodes to; the text must have the length of a key.
pub(crate) fn decode_key(text: &[u8]) -> Result<[u8; 32]> {
    if text.len() != KEY_LENGTH {
        return Err(Code::InvalidBase64);
    }
    first_chunk(&decode(text)?)
}

/// The first `N` bytes; too few are what a wrong length leads to.
pub(crate) fn first_chunk<const N: usize>(bytes: &[u8]) -> Result<[u8; N]> {
    bytes.first_chunk().copied().ok_or(Code::InvalidBase64)
}

const fn low_bytes(value: u32) -> [u8; 2] {
    let [.., high, low] = value.to_be_bytes();
    [high, low]
}

/// Whether a character is in the alphabet. Not for a text that holds a secret.
pub(crate) const fn is_digit(character: u8) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, b'+' | b'/')
}

/// The value of each character.
#[expect(clippy::indexing_slicing, reason = "the compiler runs it")]
const DIGITS: [u8; 256] = {
    let mut digits = [0; 256];
    let mut character = 0;
    while character < digits.len() {
        digits[character] = digit(character as u8);
        character += 1;
    }
    digits
};

/// The value of a character, without a branch.
const fn digit(character: u8) -> u8 {
    let c = character & 0x7f;
    let (upper, lower) = (within(c, b'A', b'Z'), within(c, b'a', b'z'));
    let (number, plus, slash) =
        (within(c, b'0', b'9'), within(c, b'+', b'+'), within(c, b'/', b'/'));
    upper & c.wrapping_sub(b'A')
        | lower & c.wrapping_sub(b'a').wrapping_add(26)
        | number & c.wrapping_sub(b'0').wrapping_add(52)
        | plus & 62
        | slash & 63
        | !(upper | lower | number | plus | slash)
}

/// All ones if `low <= c <= high`, else zeros. All three are below 128, so a difference is negative
/// exactly if its highest bit is set.
const fn within(c: u8, low: u8, high: u8) -> u8 {
    let outside = (c.wrapping_sub(low) | high.wrapping_sub(c)) >> 7;
    outside.wrapping_sub(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What libolm does, digit by digit, with a table.
    fn naive(text: &[u8]) -> Option<Vec<u8>> {
        const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let digit =
            |c: &u8| ALPHABET.iter().position(|known| *known == c & 0x7f).unwrap_or(255) as u32;
        let mut bytes = Vec::new();
        for group in text.chunks(4) {
            let value = group.iter().fold(0, |value, c| value << 6 | digit(c));
            match group.len() {
                4 => bytes.extend_from_slice(&value.to_be_bytes()[1..]),
                3 => bytes.extend_from_slice(&(value >> 2).to_be_bytes()[2..]),
                2 => bytes.extend_from_slice(&(value >> 4).to_be_bytes()[3..]),
                _ => return None,
            }
        }
        Some(bytes)
    }

    /// S-44: one or two characters of padding, and only where they fill a group of four.
    #[test]
    fn only_correct_padding_is_taken_off() {
        for (text, digits) in [
            ("", ""),
            ("AAAA", "AAAA"),
            ("AAA=", "AAA"),
            ("AA==", "AA"),
            ("AAAAAA==", "AAAAAA"),
            ("A===", "A==="),
            ("====", "===="),
            ("AAAA====", "AAAA===="),
            ("AAAA=", "AAAA="),
            ("AAAA==", "AAAA=="),
            ("AA=", "AA="),
            ("AA=\0", "AA=\0"),
            ("AA=A", "AA=A"),
        ] {
            assert_eq!(without_padding(text.as_bytes()), digits.as_bytes(), "{text:?}");
        }
    }

    /// With the table and without it.
    #[test]
    fn decodes_every_character_at_every_place_as_libolm_does() {
        let secret = |text: &[u8]| decode_secret(text).ok().map(|bytes| bytes.to_vec());
        for length in 0..=9 {
            for place in 0..length {
                for character in 0..=255 {
                    let mut text = b"Qx7/+a09Z"[..length].to_vec();
                    text[place] = character;
                    assert_eq!(decode(&text).ok(), naive(&text), "{text:?}");
                    assert_eq!(secret(&text), naive(&text), "{text:?}");
                }
            }
            let text = vec![0xff; length];
            assert_eq!(decode(&text).ok(), naive(&text), "{length}");
            assert_eq!(secret(&text), naive(&text), "{length}");
        }
    }

    #[test]
    fn encodes_what_it_decodes_and_knows_the_lengths() {
        for length in 0..100 {
            let bytes: Vec<u8> = (0..length).map(|place| (place * 151 + 7) as u8).collect();
            let text = encode(&bytes);
            assert_eq!(text.len(), encoded_length(length));
            assert_eq!(decoded_length(text.len()), Ok(length));
            assert_eq!(decode(text.as_bytes()), Ok(bytes));
            assert_eq!(decoded_length(4 * length + 1), Err(Code::InvalidBase64));
        }
        assert_eq!(BLANK_KEY, encode(&[0; 32]));
    }

    /// A padded key is one byte too long, and that byte is not part of the key.
    #[test]
    fn padding_is_garbage_at_the_end() {
        let text = encode(&[7; 32]) + "=";
        let bytes = decode(text.as_bytes()).unwrap();
        assert_eq!((bytes.len(), first_chunk(&bytes)), (33, Ok([7; 32])));
    }
}
