//! What is lent to the library, and the call itself: the unsafe code.

use std::{
    cell::Cell,
    ffi::{CStr, c_char, c_void},
    mem::transmute,
    ptr,
};

/// A block of the heap that ends where the buffer ends, so that AddressSanitizer sees every byte beyond it.
/// `Cell`, because the library writes to it while we only hold a shared reference.
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

/// What C passes in one register or one place of the stack: a pointer, or a number in its place.
pub type Word = *mut c_void;

pub fn number(number: u64) -> Word {
    ptr::without_provenance_mut(usize::try_from(number).expect("a 64-bit platform"))
}

pub type Entry = unsafe extern "C" fn();
type W = Word;

/// Calls a function with the words of its parameters.
pub fn call(entry: Entry, words: &[Word]) -> Word {
    // SAFETY: every parameter and every result of these functions is a pointer or an integer of at most 64 bits. On
    // 64-bit platforms the C calling convention passes each in one register or one 8-byte place of the stack, so
    // that a function of as many words is called in the same way. The pointers are null, or lead to a `Lent` that
    // outlives the call and is as long as the word beside it says, or has the length that the object's `_size` says.
    // The lengths that are wrong are more than any buffer can have: the library promises to refuse those.
    unsafe {
        match *words {
            [] => transmute::<Entry, extern "C" fn() -> W>(entry)(),
            [a] => transmute::<Entry, extern "C" fn(W) -> W>(entry)(a),
            [a, b] => transmute::<Entry, extern "C" fn(W, W) -> W>(entry)(a, b),
            [a, b, c] => transmute::<Entry, extern "C" fn(W, W, W) -> W>(entry)(a, b, c),
            [a, b, c, d] => transmute::<Entry, extern "C" fn(W, W, W, W) -> W>(entry)(a, b, c, d),
            [a, b, c, d, e] => {
                transmute::<Entry, extern "C" fn(W, W, W, W, W) -> W>(entry)(a, b, c, d, e)
            }
            [a, b, c, d, e, f] => {
                transmute::<Entry, extern "C" fn(W, W, W, W, W, W) -> W>(entry)(a, b, c, d, e, f)
            }
            [a, b, c, d, e, f, g] => {
                type F = extern "C" fn(W, W, W, W, W, W, W) -> W;
                transmute::<Entry, F>(entry)(a, b, c, d, e, f, g)
            }
            [a, b, c, d, e, f, g, h] => {
                type F = extern "C" fn(W, W, W, W, W, W, W, W) -> W;
                transmute::<Entry, F>(entry)(a, b, c, d, e, f, g, h)
            }
            [a, b, c, d, e, f, g, h, i] => {
                type F = extern "C" fn(W, W, W, W, W, W, W, W, W) -> W;
                transmute::<Entry, F>(entry)(a, b, c, d, e, f, g, h, i)
            }
            [a, b, c, d, e, f, g, h, i, j, k] => {
                type F = extern "C" fn(W, W, W, W, W, W, W, W, W, W, W) -> W;
                transmute::<Entry, F>(entry)(a, b, c, d, e, f, g, h, i, j, k)
            }
            _ => panic!("no function has {} parameters", words.len()),
        }
    }
}

/// The length of a text that the library returned.
pub fn text_length(text: Word) -> usize {
    assert!(!text.is_null(), "a text is never null");
    // SAFETY: not null, and the library's texts are C strings that live as long as the program.
    unsafe { CStr::from_ptr(text.cast::<c_char>()) }.count_bytes()
}
