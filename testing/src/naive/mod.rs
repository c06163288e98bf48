//! The naive textbook oracle: a slow and simple implementation of both ratchets, which follows the
//! specification closely.
//!
//! The library stores as little as it can: five chains, forty skipped keys, one ratchet value. It
//! is hard to see by reading it that it computes what `olm.md` and `megolm.md` define. This module
//! stores everything and optimizes nothing, so it can be checked by reading it next to the
//! specification. Then the library is compared with it. It does not use the library under test in
//! any way.
//!
//! It follows only the specification, with the strictest reading of the message formats (see
//! [`codec`]). So it defines what an implementation may decrypt *at most*. The caller must predict
//! three refusals that the specification does not mention: limits on stored keys and chains (see
//! the queries of [`olm::NaiveSession`]), Curve25519 keys that are low-order or not canonical, and
//! pre-key messages of another session (see [`olm::NaiveSession::keys`]).
//!
//! The letters are those of the specification: `R` root key or Megolm ratchet, `C` chain key, `M`
//! message key, `T` ratchet key, `I` identity key, `E` one-time or base key, `i` the round, `j` the
//! index within it.

pub mod codec;
pub mod crypto;
pub mod megolm;
pub mod olm;
pub mod round;
