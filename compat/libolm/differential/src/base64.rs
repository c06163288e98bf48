//! Base64 as libolm reads it: anything is a digit.

const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Length of so many bytes as text.
pub const fn encoded_length(bytes: usize) -> usize {
    (bytes * 4).div_ceil(3)
}

/// Without padding.
pub fn encode(bytes: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity(bytes.len() * 4 / 3 + 3);
    for group in bytes.chunks(3) {
        let value = group.iter().fold(0_u32, |value, byte| value << 8 | u32::from(*byte));
        let value = value << (8 * (3 - group.len()));
        let digit = |place: u32| DIGITS[(value >> (18 - 6 * place)) as usize & 63];
        text.extend((0..=group.len() as u32).map(digit));
    }
    text
}

/// A text without one or two `=` that fill its last group of four.
pub fn without_padding(text: &[u8]) -> &[u8] {
    let padding = text.iter().rev().take_while(|digit| **digit == b'=').count();
    let is_correct = text.len().is_multiple_of(4) && matches!(padding, 1 | 2);
    if is_correct { &text[..text.len() - padding] } else { text }
}

/// Whether a text is padded, and correctly so.
pub fn is_padded(text: &[u8]) -> bool {
    without_padding(text).len() < text.len()
}

/// `None` only for an impossible length.
pub fn decode(text: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() * 3 / 4);
    for group in text.chunks(4) {
        let value = group.iter().fold(0_u32, |value, digit| value << 6 | decode_digit(*digit));
        match group.len() {
            4 => bytes.extend_from_slice(&value.to_be_bytes()[1..]),
            3 => bytes.extend_from_slice(&(value >> 2).to_be_bytes()[2..]),
            2 => bytes.extend_from_slice(&(value >> 4).to_be_bytes()[3..]),
            _ => return None,
        }
    }
    Some(bytes)
}

/// The high bit is dropped; what is not a digit counts as 255.
fn decode_digit(digit: u8) -> u32 {
    const VALUES: [u8; 128] = {
        let mut values = [255; 128];
        let mut value = 0;
        while value < 64 {
            values[DIGITS[value] as usize] = value as u8;
            value += 1;
        }
        values
    };
    VALUES[usize::from(digit & 0x7f)].into()
}
