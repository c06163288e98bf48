//! Floor 2: the two ratchets as pure state machines. Randomness is passed in; bytes of messages are
//! not their business.
//!
//! The contract of every receive path, *plan, open, commit* (S-04):
//!
//! 1. **Plan** takes `&self`. It finds the message key and computes the state to come; it cannot
//!    change anything.
//! 2. **Open** (`primitives::seal::open`) checks the MAC with that key and hands the planned change
//!    back as `Authenticated`.
//! 3. **Commit** takes only an `Authenticated` change and cannot fail.
//!
//! An auditor who reads this folder knows both ratchets:
//! `handshake` (3DH), `chain` (C and M of olm.md, skipped keys and limits), `double` (R and T), and
//! `megolm` (megolm.md's R).

pub(crate) mod chain;
pub(crate) mod double;
pub(crate) mod handshake;
pub(crate) mod megolm;
