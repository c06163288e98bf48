//! A guide for client developers, in short pages whose code is compiled and run as tests.
//!
//! | page | question |
//! |---|---|
//! | [`accounts`] | How do I make a device, and publish its keys? |
//! | [`first_message`] | How do two devices begin to talk? How does the Olm ratchet work? |
//! | [`group_messages`] | How do I encrypt for a room? How does the Megolm ratchet work? |
//! | [`storing`] | What must I save, and when? |
//! | [`verification`] | How do people verify each other's devices? |
//! | [`json`] | Who writes the objects of the Matrix specification? |
//! | [`recovery`] | How does a new device get old room keys? |
//! | [`migrating`] | How do I move a whole store from libolm or vodozemac? |
//! | [`many_cores`] | How do I use all cores? |
//! | [`diagnosing`] | Why could a message not be decrypted, and what should I do? |
//! | [`deterministic`] | How do I make my tests repeatable? |
//!
//! The crate does no HTTP and reads no clock. In the repository, `docs/matrix.md` lists what else
//! the Matrix specification asks of a client, and `examples/matrix_chat` is a client that does it.

#[doc = include_str!("accounts.md")]
pub mod accounts {}

#[doc = include_str!("first_message.md")]
pub mod first_message {}

#[doc = include_str!("group_messages.md")]
pub mod group_messages {}

#[doc = include_str!("storing.md")]
pub mod storing {}

#[doc = include_str!("verification.md")]
pub mod verification {}

#[doc = include_str!("json.md")]
pub mod json {}

#[doc = include_str!("recovery.md")]
pub mod recovery {}

#[doc = include_str!("migrating.md")]
pub mod migrating {}

#[doc = include_str!("many_cores.md")]
pub mod many_cores {}

#[doc = include_str!("diagnosing.md")]
pub mod diagnosing {}

#[doc = include_str!("deterministic.md")]
pub mod deterministic {}
