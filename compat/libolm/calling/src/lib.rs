//! How a C function is called whose parameters are only known when the program runs, and the table
//! of libolm's functions. The programs that compare, time and fuzz the library share this crate.

pub mod functions;

use std::{ffi::c_void, mem::transmute};

/// What C passes in one register or one place of the stack: a pointer, or a number in its place.
pub type Word = *mut c_void;
type W = Word;

/// A function whose type is not known.
pub type Entry = unsafe extern "C" fn();

/// Calls a function with the words of its parameters. Of a result of 32 bits, the upper half is not
/// defined.
///
/// # Safety
///
/// The function has so many parameters; each of them and its result is a pointer, an integer or an
/// enum of at most 64 bits, or there is no result. The pointers are what the function asks for.
pub unsafe fn call(entry: Entry, words: &[Word]) -> Word {
    // SAFETY: on 64-bit platforms the C calling convention passes each such parameter in one
    // integer register or one 8-byte place of the stack, so that a function of as many words is
    // called in the same way. The rest is what the caller promises.
    unsafe {
        match *words {
            [] => transmute::<Entry, extern "C" fn() -> W>(entry)(),
            [a] => transmute::<Entry, F1>(entry)(a),
            [a, b] => transmute::<Entry, F2>(entry)(a, b),
            [a, b, c] => transmute::<Entry, F3>(entry)(a, b, c),
            [a, b, c, d] => transmute::<Entry, F4>(entry)(a, b, c, d),
            [a, b, c, d, e] => transmute::<Entry, F5>(entry)(a, b, c, d, e),
            [a, b, c, d, e, f] => transmute::<Entry, F6>(entry)(a, b, c, d, e, f),
            [a, b, c, d, e, f, g] => transmute::<Entry, F7>(entry)(a, b, c, d, e, f, g),
            [a, b, c, d, e, f, g, h] => transmute::<Entry, F8>(entry)(a, b, c, d, e, f, g, h),
            [a, b, c, d, e, f, g, h, i] => transmute::<Entry, F9>(entry)(a, b, c, d, e, f, g, h, i),
            [a, b, c, d, e, f, g, h, i, j, k] => {
                transmute::<Entry, F11>(entry)(a, b, c, d, e, f, g, h, i, j, k)
            }
            _ => panic!("no function of libolm has {} parameters", words.len()),
        }
    }
}

type F1 = extern "C" fn(W) -> W;
type F2 = extern "C" fn(W, W) -> W;
type F3 = extern "C" fn(W, W, W) -> W;
type F4 = extern "C" fn(W, W, W, W) -> W;
type F5 = extern "C" fn(W, W, W, W, W) -> W;
type F6 = extern "C" fn(W, W, W, W, W, W) -> W;
type F7 = extern "C" fn(W, W, W, W, W, W, W) -> W;
type F8 = extern "C" fn(W, W, W, W, W, W, W, W) -> W;
type F9 = extern "C" fn(W, W, W, W, W, W, W, W, W) -> W;
type F11 = extern "C" fn(W, W, W, W, W, W, W, W, W, W, W) -> W;
