#![doc = include_str!("../README.md")]
//!
//! # The source files
//!
//! Each module has the name and the content of vodozemac's module: a type there is a struct around
//! the type of `moceril` that does the work. What is not a conversion or a new name is in
//! `convert/` (errors from `moceril`'s to vodozemac's) and `pickled.rs` (when a stored object is
//! checked).
#![forbid(unsafe_code)]

mod base64_text;
mod cipher;
mod convert;
mod error;
mod message_impls;
mod pickled;
mod session_config;
mod types;

pub mod ecies;
#[cfg(feature = "low-level-api")]
pub mod hazmat;
pub mod hpke;
pub mod megolm;
pub mod olm;
#[cfg(feature = "insecure-pk-encryption")]
pub mod pk_encryption;
pub mod sas;

pub use base64::DecodeError as Base64DecodeError;
pub use prost::DecodeError as ProtoBufDecodeError;

pub use crate::{
    base64_text::{base64_decode, base64_encode},
    error::{DecodeError, DehydratedDeviceError, LibolmPickleError, PickleError},
    types::{
        Curve25519PublicKey, Curve25519SecretKey, Ed25519Keypair, Ed25519PublicKey,
        Ed25519SecretKey, Ed25519Signature, KeyError, KeyId, SharedSecret, SignatureError,
    },
};

/// The version of vodozemac whose API this is.
pub static VERSION: &str = env!("CARGO_PKG_VERSION");
