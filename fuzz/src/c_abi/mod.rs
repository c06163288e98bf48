//! Calls of the C interface as data: the fuzzer writes them, `seeds` writes good ones, the target `c_abi` makes them.

pub mod calls;
#[allow(dead_code, reason = "the differential test uses more of it")]
#[path = "../../../compat/libolm/differential/src/functions.rs"]
pub mod functions;
pub mod scenario;
