//! Layer 4: what the Matrix specification and its proposals add around Olm and Megolm. Each part is
//! public under the name of its file, directly below the crate.

#[cfg(feature = "backup")]
pub mod backup;
#[cfg(feature = "matrix")]
pub mod backup_file;
#[cfg(feature = "payload")]
pub mod canonical_json;
pub(crate) mod channel;
#[cfg(feature = "matrix")]
pub mod cross_signing;
#[cfg(feature = "payload")]
pub mod device_keys;
#[cfg(feature = "matrix")]
pub mod events;
#[cfg(feature = "key-export")]
pub mod key_export;
#[cfg(feature = "payload")]
pub mod payload;
#[cfg(feature = "matrix")]
pub mod qr_code;
#[cfg(feature = "backup")]
pub mod recovery_key;
#[cfg(feature = "matrix")]
pub mod room_keys;
pub mod sas;
#[cfg(feature = "matrix")]
pub mod secret_storage;
#[cfg(feature = "payload")]
pub mod signed_json;
