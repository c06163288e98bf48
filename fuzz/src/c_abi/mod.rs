//! Calls of the C interface as data: the fuzzer writes them, `seeds` writes good ones, the target `c_abi` makes them.
//!
//! Not in the library of the targets, which brings the real libolm with it: its functions have the same names.

pub mod calls;
#[allow(dead_code, reason = "the differential test uses more of it")]
#[path = "../../../compat/libolm/differential/src/functions.rs"]
pub mod functions;
pub mod scenario;
