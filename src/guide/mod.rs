//! A guide for client developers, in short pages. The code on them is compiled and run as tests.
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
//! The crate does no HTTP and reads no clock. What the Matrix specification asks of a client beside
//! encryption is listed in `docs/matrix.md` of the repository, and `examples/matrix_chat` there is
//! a client that does it.

/// The definitions of links to modules, which exist only with their features. Without them, the
/// links lead to the page of the crate, which says what the features are.
#[cfg(feature = "matrix")]
macro_rules! links {
    ($($module:literal)*) => { concat!($("[`", $module, "`]: crate::", $module, "\n",)* "\n") };
}
#[cfg(not(feature = "matrix"))]
macro_rules! links {
    ($($module:literal)*) => { concat!($("[`", $module, "`]: crate\n",)* "\n") };
}

#[doc = include_str!("accounts.md")]
pub mod accounts {}

#[doc = links!("payload")]
#[doc = include_str!("first_message.md")]
pub mod first_message {}

#[doc = include_str!("group_messages.md")]
pub mod group_messages {}

#[doc = include_str!("storing.md")]
pub mod storing {}

#[doc = include_str!("verification.md")]
pub mod verification {}

#[doc = links!(
    "backup" "backup_file" "canonical_json" "cross_signing" "device_keys" "events" "key_export"
    "payload" "recovery_key" "room_keys" "secret_storage" "signed_json"
)]
#[doc = include_str!("json.md")]
pub mod json {}

#[doc = links!("backup" "key_export" "room_keys")]
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
