//! Calls of the C interface as data. The fuzzer writes them, `seeds` writes valid ones, and the
//! target `c_abi` makes them.
//!
//! A crate of its own, because the library of the other targets links the real libolm, whose
//! functions have the same names as ours.

#![forbid(unsafe_code)]

pub mod calls;
pub mod scenario;
