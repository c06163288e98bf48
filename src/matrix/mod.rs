//! Layer 4: formats of the Matrix specification around Olm and Megolm. Each has its own Cargo
//! feature.

#[cfg(feature = "key-export")]
pub mod key_export;
#[cfg(feature = "payload")]
pub mod payload;
