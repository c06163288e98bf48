//! What the Matrix specification adds around Olm and Megolm. Each part has a feature of its own.

#[cfg(feature = "key-export")]
pub mod key_export;
#[cfg(feature = "payload")]
pub mod payload;
