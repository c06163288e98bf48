//! Tests through the functions behind the C names. Those of the C library itself are in `tests/`.

mod blank;
mod endings;
mod held;
mod keys;
mod memory;
mod page;
mod pickles;
mod sessions;
mod small;
mod surface;
mod transcripts;
#[allow(dead_code, reason = "shared with the tests of moceril, which use all of it")]
#[path = "../../../../tests/common/vector_file.rs"]
mod vector_file;
