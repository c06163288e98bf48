#![doc = include_str!("../README.md")]
#![no_std]
#![forbid(unsafe_code)]
#![deny(missing_docs, rustdoc::broken_intra_doc_links)]
// S-02: no input may panic. Tests may.
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::unreachable,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects,
        clippy::std_instead_of_alloc,
        clippy::std_instead_of_core
    )
)]

extern crate alloc;
#[cfg(any(test, feature = "std"))]
extern crate std;

mod error;
mod keys;
mod pickle;
mod primitives;
mod ratchet;
mod wire;

#[cfg(feature = "hazmat")]
pub mod hazmat;
pub mod megolm;
pub mod olm;

pub use crate::{
    error::{
        Base64Error, DecodeError, KeyError, LibolmPickleError, PickleError, RandomError,
        SignatureError,
    },
    keys::{Curve25519PublicKey, Ed25519PublicKey, Ed25519Signature},
    pickle::native::PickleKey,
    primitives::secret::SecretString,
    wire::MessageVersion,
};
pub use rand::TryCryptoRng;
