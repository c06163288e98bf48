//! The naive textbook oracle: both ratchets, written slowly and obviously from the specification.
//!
//! A fast implementation keeps as little as it can: five chains, forty skipped keys, one ratchet value. Whether it
//! still computes what `olm.md` and `megolm.md` define is hard to see by looking at it. This module keeps everything
//! and optimizes nothing, so that it can be checked by reading it next to the specification, and then the fast
//! implementation is checked against it. It does not use the library under test in any way.
//!
//! It decides by the specification alone, with the strictest reading of the message formats (see [`codec`]), and so
//! says what an implementation may *at most* decrypt. Three refusals that the specification does not speak of are left
//! to the caller to predict: limits on stored keys and chains (see the queries of [`olm::NaiveSession`]), Curve25519
//! keys that are low-order or not canonical, and pre-key messages of another session (see [`olm::NaiveSession::keys`]).
//!
//! The letters are those of the specification: `R` root key or Megolm ratchet, `C` chain key, `M` message key,
//! `T` ratchet key, `I` identity key, `E` one-time or base key, `i` the round, `j` the index within it.

#![allow(
    dead_code,
    reason = "every integration test that includes this module uses a different part of it"
)]

pub mod codec;
pub mod crypto;
pub mod megolm;
pub mod olm;
pub mod round;
