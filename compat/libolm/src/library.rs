//! The functions that have no object.

use std::ffi::c_char;

use crate::{
    error::{self, FAILED},
    memory::{Memory, Out},
};

/// `olm_get_library_version`: the libolm whose place this library takes. Each pointer may be null.
pub(crate) fn version(major: Out, minor: Out, patch: Out) {
    let mut memory = Memory::of_this_call();
    for (place, number) in [(major, 3), (minor, 2), (patch, 16)] {
        memory.write_number(place, [number]);
    }
}

/// `olm_error`: what the functions return that fail.
pub(crate) fn failed() -> usize {
    FAILED
}

/// `_olm_error_to_string`
pub(crate) fn error_text(code: u32) -> *const c_char {
    error::text(code)
}
