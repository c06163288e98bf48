//! Layer 2: the two ratchets as pure state machines. The caller passes randomness in, and encodes
//! and decodes the messages.
//!
//! Every receive path follows this contract, *plan, open, commit* (S-04):
//!
//! 1. **Plan** takes `&self`, so it cannot change anything. It finds the message key and computes
//!    the next state.
//! 2. **Open** (`primitives::cbc_hmac::open`) checks the MAC with that key and returns the planned
//!    change as `Authenticated`.
//! 3. **Commit** takes only an `Authenticated` change and cannot fail.
//!
//! The files are `handshake` (3DH), `limits` (those of sessions and accounts), `chain` (C and M of
//! olm.md, and skipped keys), `double` (R and T of olm.md), `megolm` (R of megolm.md) and `ladder`
//! (a cache for reading a Megolm session backwards).

pub(crate) mod chain;
pub(crate) mod double;
pub(crate) mod handshake;
mod ladder;
pub(crate) mod limits;
pub(crate) mod megolm;
