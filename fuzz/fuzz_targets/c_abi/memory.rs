//! The memory that is passed to the library, and the call itself. This is the unsafe code.

use std::{
    cell::Cell,
    ffi::{CStr, c_char},
    ptr,
};

use calling::{Entry, Word};

/// A block of the heap that ends where the buffer ends, so that AddressSanitizer sees every byte
/// beyond it. `Cell`, because the library writes to it while we only hold a shared reference.
pub struct Lent {
    cells: Box<[Cell<u8>]>,
    shift: usize,
}

impl Lent {
    /// The buffer begins `shift` bytes after the block, whose address is aligned.
    pub fn new(content: &[u8], shift: usize) -> Self {
        let shifted = vec![0; shift];
        let cells = shifted.into_iter().chain(content.iter().copied()).map(Cell::new);
        Self { cells: cells.collect(), shift }
    }

    pub fn bytes(&self) -> Vec<u8> {
        self.cells[self.shift..].iter().map(Cell::get).collect()
    }

    pub fn start(&self) -> Word {
        self.cells[self.shift..].as_ptr().cast_mut().cast()
    }
}

pub fn number(number: u64) -> Word {
    ptr::without_provenance_mut(usize::try_from(number).expect("a 64-bit platform"))
}

/// Calls a function with the words of its parameters.
pub fn call(entry: Entry, words: &[Word]) -> Word {
    // SAFETY: the words are built from the table, which states the parameters of each function; all
    // are pointers or integers of at most 64 bits. The pointers are null, or lead to a `Lent` that
    // outlives the call and is as long as the word beside it says, or has the length that the
    // object's `_size` says. The lengths that are wrong are more than any buffer can have: the
    // library promises to refuse those.
    unsafe { calling::call(entry, words) }
}

/// The length of a text that the library returned.
pub fn text_length(text: Word) -> usize {
    assert!(!text.is_null(), "a text is never null");
    // SAFETY: not null, and the library's texts are C strings that live as long as the program.
    unsafe { CStr::from_ptr(text.cast::<c_char>()) }.count_bytes()
}
