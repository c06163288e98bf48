//! The only unsafe code of this crate: a library loaded at run time, and the memory that is lent to
//! it.

use std::{
    cell::Cell,
    ffi::{CStr, c_char},
    ptr,
};

use calling::Entry;
use libloading::os::unix::{Library as Handle, RTLD_LOCAL, RTLD_NOW};

use crate::functions::{Functions, Returns};

/// Bytes before and after what is lent to a library. They must never change, and are wide enough
/// that a library that forgets a length damages them and nothing else.
const GUARD: usize = 64;
const GUARD_BYTE: u8 = 0xc3;
const ALIGNMENT: usize = 16;

/// Memory lent to a library, with guards around it. `Cell`, because the library writes to it while
/// we only hold a shared reference.
pub struct Memory {
    cells: Box<[Cell<u8>]>,
    start: usize,
    length: usize,
}

impl Memory {
    /// `shift` is the distance from an address that is a multiple of 16.
    pub fn new(content: &[u8], shift: usize) -> Self {
        let length = content.len();
        let room = length + 2 * GUARD + ALIGNMENT + shift;
        let cells = vec![Cell::new(GUARD_BYTE); room].into_boxed_slice();
        let first = cells.as_ptr() as usize + GUARD;
        let start = GUARD + first.next_multiple_of(ALIGNMENT) - first + shift;
        for (cell, byte) in cells[start..].iter().zip(content) {
            cell.set(*byte);
        }
        Self { cells, start, length }
    }

    pub fn bytes(&self) -> Vec<u8> {
        self.cells[self.start..][..self.length].iter().map(Cell::get).collect()
    }

    pub fn guards_hold(&self) -> bool {
        let (before, rest) = self.cells.split_at(self.start);
        let guards = before.iter().chain(&rest[self.length..]);
        guards.into_iter().all(|cell| cell.get() == GUARD_BYTE)
    }

    pub const fn length(&self) -> usize {
        self.length
    }

    fn start(&self) -> calling::Word {
        self.cells[self.start..].as_ptr().cast_mut().cast()
    }

    pub fn address(&self) -> usize {
        self.start().addr()
    }
}

/// An argument as the C function takes it.
pub enum Word<'a> {
    Pointer(&'a Memory),
    Null,
    Number(u64),
}

/// What a function returned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    Number(u64),
    Text(String),
    Nothing,
}

/// A library with all functions of the table.
pub struct Library {
    entries: Vec<Entry>,
    /// Keeps the library mapped for as long as `entries` point into it.
    _handle: Handle,
}

impl Library {
    pub fn open(path: &str, functions: &Functions) -> Result<Self, String> {
        // SAFETY: the caller of this program names two builds of libolm; loading one runs no more
        // than the initialisers of the C++ runtime. RTLD_LOCAL keeps the two apart: neither may
        // resolve its symbols from the other.
        let handle = unsafe { Handle::open(Some(path), RTLD_NOW | RTLD_LOCAL) }
            .map_err(|error| format!("{path}: {error}"))?;
        let entry = |name: &str| {
            // SAFETY: the symbol is a C function of libolm's interface. It is only called through
            // `call`, which gives it the parameters that the table states for it.
            let symbol = unsafe { handle.get::<Entry>(name.as_bytes()) };
            symbol.map(|symbol| *symbol).map_err(|error| format!("{path}: {error}"))
        };
        let entries = functions.iter().map(|function| entry(&function.name));
        Ok(Self { entries: entries.collect::<Result<_, _>>()?, _handle: handle })
    }

    /// Calls function number `function` of the table. The words must be those of its parameters:
    /// the one caller (`call.rs`) builds them from the table.
    pub fn call(&self, function: usize, returns: Returns, words: &[Word<'_>]) -> Value {
        let words: Vec<calling::Word> = words
            .iter()
            .map(|word| match word {
                Word::Pointer(memory) => memory.start(),
                Word::Null => ptr::null_mut(),
                Word::Number(number) => {
                    ptr::without_provenance_mut(usize::try_from(*number).expect("64-bit platform"))
                }
            })
            .collect();
        // SAFETY: every parameter of libolm's functions is a pointer, a size_t, a uint32_t or an
        // enum, and every result is one of these, an int, or nothing. The pointers are those of
        // `Memory` that outlives the call, with its true length beside it.
        let result = unsafe { calling::call(self.entries[function], &words) };
        match returns {
            Returns::Result | Returns::Size | Returns::Pointer => {
                Value::Number(result.addr() as u64)
            }
            // The upper half is not defined.
            Returns::Int => Value::Number(u64::from(result.addr() as u32)),
            // SAFETY: the functions that return text return a static, NUL-terminated string.
            Returns::Text if !result.is_null() => Value::Text(
                unsafe { CStr::from_ptr(result.cast::<c_char>()) }.to_string_lossy().into_owned(),
            ),
            Returns::Text => Value::Text("(null)".into()),
            Returns::Nothing => Value::Nothing,
        }
    }
}
