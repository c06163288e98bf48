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
