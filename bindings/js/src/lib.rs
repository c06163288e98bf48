//! The module behind the npm package `moceril`. Its TypeScript, in `ts/`, checks the types of all
//! arguments before it calls; here the library's own types check the content.
//!
//! Nothing in here panics: a panic would abort, and the module could not go on.
#![forbid(unsafe_code)]
#![deny(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::unreachable,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]

mod account;
mod backup;
mod events;
mod group;
#[cfg(feature = "inspect")]
mod inspect;
mod json;
mod olm;
mod room_keys;
mod sas;
mod values;
