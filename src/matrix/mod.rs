//! Layer 4: what the Matrix specification and its proposals add around Olm and Megolm. Each part is
//! public under the name of its file, directly below the crate.

#[cfg(feature = "backup")]
pub mod backup;
pub(crate) mod channel;
#[cfg(feature = "key-export")]
pub mod key_export;
#[cfg(feature = "payload")]
pub mod payload;
#[cfg(feature = "backup")]
pub mod recovery_key;
pub mod sas;
