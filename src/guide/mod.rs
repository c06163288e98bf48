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

// `modules.md` defines the links to modules that need the feature `matrix`. Without the feature,
// they lead to the page of the crate, which says what the features are.

#[doc = include_str!("accounts.md")]
pub mod accounts {}

#[cfg_attr(feature = "matrix", doc = include_str!("modules.md"))]
#[cfg_attr(not(feature = "matrix"), doc = "[`payload`]: crate\n")]
#[doc = include_str!("first_message.md")]
pub mod first_message {}

#[doc = include_str!("group_messages.md")]
pub mod group_messages {}

#[doc = include_str!("storing.md")]
pub mod storing {}

#[cfg_attr(feature = "matrix", doc = include_str!("modules.md"))]
#[cfg_attr(not(feature = "matrix"), doc = "[`qr_code`]: crate\n")]
#[doc = include_str!("verification.md")]
pub mod verification {}

#[cfg_attr(feature = "matrix", doc = include_str!("modules.md"))]
#[cfg_attr(not(feature = "matrix"), doc = "[`backup`]: crate\n[`backup_file`]: crate")]
#[cfg_attr(not(feature = "matrix"), doc = "[`canonical_json`]: crate\n[`cross_signing`]: crate")]
#[cfg_attr(not(feature = "matrix"), doc = "[`device_keys`]: crate\n[`events`]: crate")]
#[cfg_attr(not(feature = "matrix"), doc = "[`key_export`]: crate\n[`payload`]: crate")]
#[cfg_attr(not(feature = "matrix"), doc = "[`qr_code`]: crate\n[`recovery_key`]: crate")]
#[cfg_attr(not(feature = "matrix"), doc = "[`room_keys`]: crate\n[`secret_storage`]: crate")]
#[cfg_attr(not(feature = "matrix"), doc = "[`signed_json`]: crate\n")]
#[doc = include_str!("json.md")]
pub mod json {}

#[cfg_attr(feature = "matrix", doc = include_str!("modules.md"))]
#[cfg_attr(not(feature = "matrix"), doc = "[`backup`]: crate\n[`backup_file`]: crate")]
#[cfg_attr(not(feature = "matrix"), doc = "[`key_export`]: crate\n[`room_keys`]: crate\n")]
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
