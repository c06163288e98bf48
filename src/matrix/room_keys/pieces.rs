//! Reads a file of exported keys that need not fit into memory.

use alloc::vec::Vec;
use core::fmt;

use serde_json::value::RawValue;
use zeroize::{Zeroize, Zeroizing};

use super::{ExportedRoomKey, RoomKeyError};

const MALFORMED: RoomKeyError = RoomKeyError::Malformed("array");

/// Reads the content of a file of exported keys piece by piece, as
/// [`Decryptor`](crate::key_export::Decryptor) returns it. It finds what
/// [`read_export`](super::read_export) finds in the whole text.
///
/// It keeps the last piece and the entry that is being read, which may have
/// [`MAX_ENTRY_LENGTH`](Self::MAX_ENTRY_LENGTH) bytes, in a buffer of up to twice their length.
///
/// ```
/// use moceril::room_keys::ExportParser;
///
/// # let (json, mut read) = (br#"[{"algorithm":"m.megolm.v1.aes-sha2"}, 7]"#, 0);
/// let mut parser = ExportParser::new();
/// for piece in json.chunks(5) {
///     parser.update(piece);
///     while let Some(key) = parser.next_key() {
///         assert!(key.is_err(), "these entries are malformed");
/// #       read += 1;
///     }
/// }
/// parser.finish()?;
/// # assert_eq!(read, 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct ExportParser {
    /// The text may hold keys, so it is wiped when it is moved.
    text: Zeroizing<Vec<u8>>,
    /// The start, in the text, of the unread part.
    start: usize,
    /// How many bytes from there on were examined.
    seen: usize,
    state: State,
    /// In a string; whether a backslash precedes the next byte.
    string: Option<bool>,
    /// How many brackets of the entry are open.
    depth: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Before the array.
    Before,
    /// After the beginning of the array, which can be empty.
    First,
    /// In an entry, or before it.
    Entry,
    /// After an entry.
    Between,
    /// After the array.
    After,
    /// Something is wrong that was not reported yet.
    Failed,
    Reported,
}

impl ExportParser {
    /// The longest entry that is read. Honest ones have less than a thousandth of it.
    pub const MAX_ENTRY_LENGTH: usize = 1 << 20;

    /// Before the first piece.
    #[must_use]
    pub fn new() -> Self {
        let text = Zeroizing::new(Vec::new());
        Self { text, start: 0, seen: 0, state: State::Before, string: None, depth: 0 }
    }

    /// Takes the next piece. Read all keys in it before the next one.
    pub fn update(&mut self, piece: impl AsRef<[u8]>) {
        let piece = piece.as_ref();
        self.forget_read();
        let needed = self.text.len().saturating_add(piece.len());
        if needed > self.text.capacity() {
            let mut larger = Zeroizing::new(Vec::with_capacity(needed.saturating_mul(2)));
            larger.extend_from_slice(&self.text);
            self.text = larger;
        }
        self.text.extend_from_slice(piece);
    }

    /// Moves what was not read yet to the beginning. The bytes of an entry are moved at most once,
    /// however small its pieces are: nothing is read before its end.
    fn forget_read(&mut self) {
        if self.start == 0 {
            return;
        }
        let left = self.text.len().saturating_sub(self.start);
        self.text.copy_within(self.start.., 0);
        self.text.get_mut(left..).unwrap_or_default().zeroize();
        self.text.truncate(left);
        self.start = 0;
    }

    /// The next key; `None` if the pieces so far have no other complete one. A malformed entry is
    /// an error, and the others follow; malformed JSON is an error that ends them.
    pub fn next_key(&mut self) -> Option<Result<ExportedRoomKey, RoomKeyError>> {
        loop {
            let state = self.state;
            match state {
                State::Failed => {
                    self.state = State::Reported;
                    return Some(Err(MALFORMED));
                }
                State::Reported => {
                    self.take(usize::MAX);
                    return None;
                }
                _ => {}
            }
            let next = self.skip()?;
            self.state = match (state, next) {
                (State::Before, b'[') => State::First,
                (State::First | State::Between, b']') => State::After,
                (State::Between, b',') => State::Entry,
                (State::First | State::Entry, _) => {
                    let end = self.end();
                    if end.unwrap_or(self.seen) > Self::MAX_ENTRY_LENGTH {
                        self.state = State::Failed;
                        continue;
                    }
                    let end = end?;
                    let key = read(self.unread().get(..end).unwrap_or_default());
                    self.take(end);
                    self.state = if key.is_some() { State::Between } else { State::Failed };
                    if key.is_some() {
                        return key;
                    }
                    continue;
                }
                _ => State::Failed,
            };
            self.take(1);
        }
    }

    /// After the last piece, when [`next_key`](Self::next_key) has returned `None`.
    ///
    /// # Errors
    ///
    /// [`RoomKeyError::Malformed`] if the array is not complete. If `next_key` has reported that
    /// the JSON is malformed, it is not reported again. [`RoomKeyError::Unread`] if `next_key` has
    /// not returned all entries: keys would be lost.
    pub fn finish(mut self) -> Result<(), RoomKeyError> {
        let another = self.next_key().is_some();
        match self.state {
            State::After | State::Reported if !another => Ok(()),
            State::Between if another => Err(RoomKeyError::Unread),
            _ => Err(MALFORMED),
        }
    }

    /// The first byte that is not white space.
    fn skip(&mut self) -> Option<u8> {
        let blank = self.unread().iter().take_while(|byte| is_blank(**byte)).count();
        if blank > 0 {
            self.take(blank);
        }
        self.unread().first().copied()
    }

    /// The end of the value at the start of the unread part, which is not white space.
    fn end(&mut self) -> Option<usize> {
        let unread = self.text.get(self.start..).unwrap_or_default();
        let first = unread.first().copied()?;
        for byte in unread.get(self.seen..).unwrap_or_default() {
            let is_first = self.seen == 0;
            match (self.string, byte) {
                (Some(true), _) => self.string = Some(false),
                (Some(false), b'\\') => self.string = Some(true),
                (Some(false), b'"') => self.string = None,
                (Some(false), _) => {}
                (None, b'"') if is_first || self.depth > 0 => self.string = Some(false),
                (None, b'{' | b'[') if is_first || self.depth > 0 => {
                    self.depth = self.depth.saturating_add(1);
                }
                (None, b'}' | b']') if self.depth > 0 => self.depth = self.depth.saturating_sub(1),
                // A number or a word ends before the first byte that cannot be part of it.
                (None, _) if self.depth == 0 && is_delimiter(*byte) => return Some(self.seen),
                (None, _) => {}
            }
            self.seen = self.seen.saturating_add(1);
            let has_end = matches!(first, b'"' | b'{' | b'[');
            if has_end && self.depth == 0 && self.string.is_none() {
                return Some(self.seen);
            }
        }
        None
    }

    fn unread(&self) -> &[u8] {
        self.text.get(self.start..).unwrap_or_default()
    }

    /// Counts more bytes as read.
    fn take(&mut self, count: usize) {
        self.start = self.start.saturating_add(count).min(self.text.len());
        self.seen = 0;
    }
}

/// The key of an entry, unless its JSON is malformed.
fn read(text: &[u8]) -> Option<Result<ExportedRoomKey, RoomKeyError>> {
    let text = str::from_utf8(text).ok()?;
    let value = serde_json::from_str::<&RawValue>(text).ok()?;
    Some(ExportedRoomKey::from_json(value.get()))
}

/// Whether neither a number nor a word can have this byte.
const fn is_delimiter(byte: u8) -> bool {
    is_blank(byte) || matches!(byte, b',' | b':' | b'"' | b'[' | b']' | b'{' | b'}')
}

/// The white space of JSON.
const fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

impl Default for ExportParser {
    fn default() -> Self {
        Self::new()
    }
}

/// It holds the text of keys.
impl fmt::Debug for ExportParser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExportParser").finish_non_exhaustive()
    }
}
