//! The files of `test-vectors/` through the public API: this library gives the published values and
//! those recorded from the peers. `test-vectors/README.md` describes each kind.
//!
//! Areas with a subject of their own run in the file of that subject, and the primitives inside the
//! crate, in `src/primitives/tests/vectors.rs`.

mod decoding;
mod ecies;
mod hpke;
mod index;
mod kinds;
mod megolm;
mod megolm_traces;
mod native;
mod olm;
mod parser;
mod pickles;
mod refusal;
mod stored;
mod traces;
mod vodozemac_releases;
