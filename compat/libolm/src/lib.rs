//! The C API of libolm 3.2.16 over moceril.
//!
//! # The source files
//!
//! | file | what it is |
//! |---|---|
//! | `exports.rs` | every C function: its name, its arguments, and the function here that it calls |
//! | `export.rs` | the macro that makes the C function from a line of `exports.rs` |
//! | `memory.rs` | the caller's memory: the only file with `unsafe` blocks |
//! | `object.rs` | objects as bytes in the caller's memory: last error, content, blank objects |
//! | `error.rs`, `base64.rs`, `random.rs`, `messages.rs` | error codes; what libolm reads as base64; the caller's random bytes; received Olm messages |
//! | `pickle.rs` | pickles of every object |
//! | `rungs.rs` | earlier ratchets in an inbound group session, for reading backwards |
//! | `library.rs`, `account.rs`, `session.rs`, `describe.rs`, `outbound.rs`, `inbound.rs`, `utility.rs`, `pk/`, `sas.rs` | the functions of each object |
//!
//! Each function reads its object from the caller's bytes, lets moceril do the work, and writes the
//! new object back only if all went well. `README.md` lists what libolm allows and moceril refuses,
//! and the reverse.
#![deny(unsafe_code)]
#![deny(missing_docs, clippy::undocumented_unsafe_blocks, clippy::multiple_unsafe_ops_per_block)]
// A panic must not reach the C program: nothing here can panic. Tests may.
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::unreachable,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects
    )
)]

mod account;
mod base64;
mod describe;
mod error;
mod export;
mod exports;
mod inbound;
mod library;
mod memory;
mod messages;
mod object;
mod outbound;
mod pickle;
mod pk;
mod random;
mod rungs;
mod sas;
mod session;
#[cfg(test)]
mod tests;
mod utility;
