//! Calls of the C interface as data. The fuzzer writes them, `seeds` writes valid ones, and the
//! target `c_abi` makes them.
//!
//! This module is not in the library of the other targets, because that links the real libolm,
//! whose functions have the same names.

pub mod calls;
#[allow(dead_code, reason = "the differential test uses more of it")]
#[path = "../../../compat/libolm/differential/src/functions.rs"]
pub mod functions;
pub mod scenario;
