//! Reads the text of a file of exported keys piece by piece: finds the content between header and
//! trailer, and decodes it.

use alloc::{string::String, vec::Vec};
use core::mem;

use super::{HEADER, KeyExportError, TRAILER};
use crate::{error::Base64Error, primitives::base64};

/// How many letters are decoded together.
const TOGETHER: usize = 65_536;
/// Stands for a character that is neither white space nor a letter of base64.
const NO_LETTER: &str = "!";

/// Finds the letters between header and trailer, without white space.
///
/// The header begins a line, so that text before it can mention it. Base64 cannot contain the
/// trailer, so the first one ends the content, wherever it is.
pub(super) struct Frame {
    state: State,
    /// The first bytes of an incomplete character.
    character: Vec<u8>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// In a line that does not begin with the header.
    Outside,
    /// How many bytes of the header were found at the beginning of a line.
    Header(usize),
    /// How many bytes of the trailer were found.
    Content(usize),
    After,
}

impl Frame {
    pub(super) const fn new() -> Self {
        Self { state: State::Header(0), character: Vec::new() }
    }

    /// Reads the next piece, and gives the letters in it to `letters`.
    pub(super) fn read(&mut self, mut piece: &[u8], letters: &mut impl FnMut(&str)) {
        while self.state != State::After {
            // Most of a file is lines of letters.
            if self.state == State::Content(0) && self.character.is_empty() {
                let is_plain = |byte: &&u8| byte.is_ascii() && **byte != b'-';
                let length = piece.iter().take_while(is_plain).count();
                let (plain, rest) = piece.split_at_checked(length).unwrap_or_default();
                put(plain, letters);
                piece = rest;
            }
            let Some((byte, rest)) = piece.split_first() else { return };
            piece = rest;
            if byte.is_ascii() {
                if !mem::take(&mut self.character).is_empty() {
                    self.not_ascii(false, letters);
                }
                self.ascii(*byte, letters);
            } else {
                self.part_of_character(*byte, letters);
            }
        }
    }

    /// Whether there was a header and a trailer.
    pub(super) const fn finish(&self) -> Result<(), KeyExportError> {
        match self.state {
            State::Outside | State::Header(_) => Err(KeyExportError::NoHeader),
            State::Content(_) => Err(KeyExportError::CutOff),
            State::After => Ok(()),
        }
    }

    fn ascii(&mut self, byte: u8, letters: &mut impl FnMut(&str)) {
        let continues = |frame: &str, found: usize| frame.as_bytes().get(found) == Some(&byte);
        self.state = match self.state {
            State::Header(found) if continues(HEADER, found) => {
                let found = found.saturating_add(1);
                if found == HEADER.len() { State::Content(0) } else { State::Header(found) }
            }
            State::Header(_) | State::Outside if matches!(byte, b'\n' | b'\r') => State::Header(0),
            State::Header(0) if is_ascii_blank(byte) => State::Header(0),
            State::Header(_) | State::Outside => State::Outside,
            State::Content(found) if continues(TRAILER, found) => {
                let found = found.saturating_add(1);
                if found == TRAILER.len() { State::After } else { State::Content(found) }
            }
            // The trailer begins with five dashes; these may be the last five of six.
            State::Content(5) if byte == b'-' => {
                letters("-");
                State::Content(5)
            }
            State::Content(found) => {
                no_trailer(found, letters);
                if byte == b'-' {
                    State::Content(1)
                } else {
                    put(&[byte], letters);
                    State::Content(0)
                }
            }
            State::After => State::After,
        };
    }

    fn part_of_character(&mut self, byte: u8, letters: &mut impl FnMut(&str)) {
        self.character.push(byte);
        let is_blank = match str::from_utf8(&self.character) {
            Ok(character) => character.chars().all(is_blank),
            Err(error) if error.error_len().is_none() => return,
            Err(_) => false,
        };
        self.character.clear();
        self.not_ascii(is_blank, letters);
    }

    /// A character that is not ASCII, or bytes that are no character.
    fn not_ascii(&mut self, is_blank: bool, letters: &mut impl FnMut(&str)) {
        self.state = match self.state {
            State::Header(0) if is_blank => State::Header(0),
            State::Header(_) | State::Outside => State::Outside,
            State::Content(found) => {
                no_trailer(found, letters);
                if !is_blank {
                    letters(NO_LETTER);
                }
                State::Content(0)
            }
            State::After => State::After,
        };
    }
}

/// What looked like the beginning of the trailer belongs to the content.
fn no_trailer(found: usize, letters: &mut impl FnMut(&str)) {
    put(TRAILER.as_bytes().get(..found).unwrap_or_default(), letters);
}

/// Gives the letters in ASCII text to `letters`.
fn put(ascii: &[u8], letters: &mut impl FnMut(&str)) {
    for line in ascii.split(|byte| is_ascii_blank(*byte)) {
        letters(str::from_utf8(line).unwrap_or(NO_LETTER));
    }
}

const fn is_ascii_blank(byte: u8) -> bool {
    matches!(byte, b'\t'..=b'\r' | b' ')
}

/// White space of Unicode, and the byte order mark, which is also a space without width.
const fn is_blank(character: char) -> bool {
    character.is_whitespace() || character == '\u{feff}'
}

/// Decodes base64 piece by piece, with the result that [`base64::decode`] has for the whole text.
pub(super) struct Letters {
    /// What was not decoded yet.
    waiting: String,
    /// What was wrong in the text so far.
    refusal: Option<Base64Error>,
    /// Whether a good part of the text had letters that the URL-safe alphabet does not have.
    is_standard: bool,
}

impl Letters {
    pub(super) const fn new() -> Self {
        Self { waiting: String::new(), refusal: None, is_standard: false }
    }

    /// Takes the next letters. From time to time many are decoded, and `bytes` gets the result.
    pub(super) fn push(&mut self, letters: &str, bytes: &mut impl FnMut(&[u8])) {
        self.waiting.push_str(letters);
        if self.waiting.len() >= TOGETHER {
            // Only the last group of four can have padding.
            let length = (self.waiting.len().saturating_sub(1) / 4).saturating_mul(4);
            let rest = self.waiting.split_off(length);
            let whole = mem::replace(&mut self.waiting, rest);
            if whole.ends_with('=') {
                self.refusal = Some(Base64Error::Invalid);
            }
            self.decode(&whole, bytes);
        }
    }

    /// Decodes the end of the text.
    pub(super) fn finish(&mut self, bytes: &mut impl FnMut(&[u8])) -> Result<(), KeyExportError> {
        let last = mem::take(&mut self.waiting);
        self.decode(&last, bytes);
        match self.refusal {
            None => Ok(()),
            // Text with letters of both alphabets is base64 in neither.
            Some(_) if self.is_standard => Err(Base64Error::Invalid.into()),
            Some(refusal) => Err(refusal.into()),
        }
    }

    fn decode(&mut self, letters: &str, bytes: &mut impl FnMut(&[u8])) {
        match base64::decode(letters) {
            Ok(decoded) => {
                self.is_standard |= letters.contains(['+', '/']);
                bytes(&decoded);
            }
            Err(Base64Error::UrlSafe) => {
                self.refusal.get_or_insert(Base64Error::UrlSafe);
            }
            Err(refusal) => self.refusal = Some(refusal),
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use super::*;

    /// Bytes that are no character are not kept, however many there are.
    #[test]
    fn no_character_is_kept_that_cannot_end() {
        let mut frame = Frame::new();
        for length in 1..100 {
            frame.read(&[0xff], &mut |_| ());
            assert!(frame.character.is_empty(), "{length} bytes");
        }
        frame.read("€".as_bytes().get(..2).unwrap(), &mut |_| ());
        assert_eq!(frame.character.len(), 2);
    }

    /// Letters do not wait for the end of the file, however large it is.
    #[test]
    fn many_letters_are_decoded_at_once() {
        for pieces in [1, 3] {
            let (mut letters, mut decoded) = (Letters::new(), 0);
            for _ in 0..pieces {
                letters.push(&"A".repeat(TOGETHER), &mut |bytes| decoded += bytes.len());
                assert!(letters.waiting.len() <= 4);
            }
            assert_eq!(decoded, (pieces * TOGETHER - letters.waiting.len()) / 4 * 3);
        }
    }

    /// As [`base64::decode`] says of the whole text, though the alphabets are far apart.
    #[test]
    fn letters_of_both_alphabets_are_of_neither() {
        let long = "A".repeat(TOGETHER);
        for (text, refusal) in [
            (format!("+{long}___"), Base64Error::Invalid),
            (format!("___{long}+"), Base64Error::Invalid),
            (format!("__{long}A"), Base64Error::UrlSafe),
        ] {
            assert_eq!(base64::decode(&text).unwrap_err(), refusal);
            let mut letters = Letters::new();
            letters.push(&text[..TOGETHER], &mut |_| ());
            letters.push(&text[TOGETHER..], &mut |_| ());
            assert_eq!(letters.finish(&mut |_| ()), Err(refusal.into()));
        }
    }
}
