//! Base58 of 35 secret bytes as 48 letters, in constant time (S-26). Matrix writes recovery keys in
//! it.
//!
//! The bytes are the base-256 digits of a number, and the text is this number in base 58. Both
//! lengths are fixed, because the first byte of a recovery key is 0x8b: the number is at least
//! 58^47, which has 48 digits. So no branch or index needs to depend on a digit.

use alloc::string::String;

use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};

use super::{
    secret::{Secret, SecretString},
    verdict::if_equal,
};

pub(crate) const LENGTH: usize = 35;
pub(crate) const LETTERS: usize = 48;
/// The letters are written in groups of four.
const GROUP: usize = 4;
const BASE: u8 = 58;
const WHITE_SPACE: &[u8; 6] = b" \t\n\r\x0b\x0c";

/// Writes the letters in groups of four, with a space between the groups.
pub(crate) fn encode(bytes: &Secret<LENGTH>) -> SecretString {
    // The last digit comes first.
    let mut digits = Secret::<LETTERS>::default();
    for byte in bytes.as_bytes() {
        let mut carry = *byte;
        for digit in digits.as_mut_bytes() {
            (carry, *digit) = divide(u16::from(*digit) << 8 | u16::from(carry));
        }
    }
    let mut text = String::with_capacity(LETTERS.saturating_add(LETTERS / GROUP));
    for (place, digit) in digits.as_bytes().iter().rev().enumerate() {
        if place % GROUP == 0 && place > 0 {
            text.push(' ');
        }
        text.push(char::from(letter(*digit)));
    }
    SecretString::new(text)
}

/// Quotient and remainder of a division by 58, for a dividend below 58 * 256.
///
/// Why not `/`: a processor may need more time for larger numbers. 18,079 is 2^20 / 58, rounded up;
/// the error of the product, 6 / 2^20 of the dividend, is less than 1.
fn divide(dividend: u16) -> (u8, u8) {
    let quotient = (u32::from(dividend).wrapping_mul(18_079) >> 20) as u16;
    let remainder = dividend.wrapping_sub(quotient.wrapping_mul(u16::from(BASE)));
    (quotient as u8, remainder as u8)
}

/// The letter of a digit: digits, upper case and lower case in their order, without `0`, `I`, `O`
/// and `l`.
fn letter(digit: u8) -> u8 {
    // The shift gives all ones if the digit is greater than the last one before the gap.
    let after = |last: i16, gap: i16| last.wrapping_sub(i16::from(digit)) >> 8 & gap;
    let gaps = [(8, b'A' - b'9' - 1), (16, 1), (21, 1), (32, b'a' - b'Z' - 1), (43, 1)];
    let gaps = gaps.map(|(last, gap)| after(last, i16::from(gap)) as u8);
    // The mask shows the compiler that it is ASCII, so that writing it needs no branch.
    gaps.into_iter().fold(b'1'.wrapping_add(digit), u8::wrapping_add) & 0x7f
}

/// The digit of a letter, and whether the byte is a letter.
fn digit(byte: u8) -> (u8, Choice) {
    let (mut digit, mut known) = (0, Choice::from(0));
    for candidate in 0..BASE {
        let same = letter(candidate).ct_eq(&byte);
        digit.conditional_assign(&candidate, same);
        known |= same;
    }
    (digit, known)
}

/// The text does not encode 35 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Base58Error {
    /// A character is neither a letter of base58 nor ASCII white space.
    Alphabet,
    /// The number of letters is not 48.
    Length(usize),
    /// The number is 2^280 or more.
    TooLarge,
}

/// Reads the bytes, however the letters are grouped: ASCII white space is ignored. The time depends
/// only on the length of the text.
pub(crate) fn decode(text: &str) -> Result<Secret<LENGTH>, Base58Error> {
    let mut bytes = Secret::<LENGTH>::default();
    let (mut known, mut fits) = (Choice::from(1), Choice::from(1));
    let mut letters = 0_u64;
    for letter in text.as_bytes() {
        let spaces = WHITE_SPACE.iter().map(|space| space.ct_eq(letter));
        let is_space = spaces.fold(Choice::from(0), |any, this| any | this);
        let (mut carry, is_letter) = digit(*letter);
        known &= is_letter | is_space;
        letters = letters.wrapping_add(u64::from((!is_space).unwrap_u8()));
        for byte in bytes.as_mut_bytes().iter_mut().rev() {
            let sum = u16::from(*byte).wrapping_mul(u16::from(BASE)).wrapping_add(carry.into());
            byte.conditional_assign(&(sum as u8), !is_space);
            carry = (sum >> 8) as u8;
        }
        fits &= carry.ct_eq(&0) | is_space;
    }
    if_equal(known, Base58Error::Alphabet, || {
        let length = usize::try_from(letters).unwrap_or(usize::MAX);
        if_equal(letters.ct_eq(&(LETTERS as u64)), Base58Error::Length(length), || {
            if_equal(fits, Base58Error::TooLarge, || Ok(bytes))
        })
    })
}

#[cfg(test)]
mod tests {
    use std::{iter, string::ToString, vec::Vec};

    use super::*;

    #[test]
    fn the_alphabet_is_that_of_bitcoin() {
        let letters: Vec<u8> = (0..BASE).map(letter).collect();
        let expected = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
        assert_eq!(letters, expected);
        for byte in 0..=u8::MAX {
            let place = expected.iter().position(|letter| *letter == byte);
            let (digit, known) = digit(byte);
            assert_eq!(bool::from(known).then_some(usize::from(digit)), place, "{byte}");
        }
    }

    #[test]
    fn the_division_is_exact() {
        for dividend in 0..u16::from(BASE) << 8 {
            let (quotient, remainder) = divide(dividend);
            assert_eq!((u16::from(quotient), u16::from(remainder)), (dividend / 58, dividend % 58));
        }
    }

    /// The largest number of 35 bytes, and the one after it.
    #[test]
    fn a_number_that_is_too_large_is_refused() {
        let largest = encode(&Secret::new([0xff; LENGTH]));
        assert_eq!(decode(&largest).unwrap().as_bytes(), &[0xff; LENGTH]);
        let all: Vec<u8> = (0..BASE).map(letter).collect();
        let (rest, last) = largest.split_at(largest.len() - 1);
        let next = all.iter().position(|letter| *letter == last.as_bytes()[0]).unwrap() + 1;
        let larger = rest.to_string() + core::str::from_utf8(&all[next..=next]).unwrap();
        assert_eq!(decode(&larger).err(), Some(Base58Error::TooLarge));
        let most: String = iter::repeat_n('z', LETTERS).collect();
        assert_eq!(decode(&most).err(), Some(Base58Error::TooLarge));
        let more = most + "z";
        assert_eq!(decode(&more).err(), Some(Base58Error::Length(LETTERS + 1)));
    }
}
