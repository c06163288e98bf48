#![cfg_attr(feature = "std", doc = include_str!("../README.md"))]
//! # Source layers
//!
//! The source has five layers. A file imports only from its own folder and from lower layers, never
//! from higher ones; `tests/floors.rs` enforces this. Read the layers in this order.
//!
//! | layer | files | content |
//! |---|---|---|
//! | | `error/` | every public error |
//! | 0 | `primitives/` | the only folder that calls cryptography crates: secrets that wipe themselves, X25519, Ed25519, HKDF, and the ciphers, each under the name of its standard |
//! | 1 | `keys/`, `wire/` | public keys that passed every check; decoding and encoding of messages |
//! | 2 | `ratchet/` | both ratchets as pure state machines: plan, open, commit |
//! | 3 | [`olm`], [`megolm`] | what every client uses: accounts, sessions, group sessions |
//! | 4 | `matrix/` | what Matrix adds: verification ([`sas`]), key backup, secure channels ([`ecies`] and HPKE), payloads, key files |
//! | 4 | `pickle/` | stored forms of the objects of layer 3 |
//! | | `hazmat.rs` | what the feature `hazmat` adds, in one list |
//!
//! `SECURITY.md` lists the guarantees of the crate under the numbers S-01, S-02 and so on, with the
//! tests that prove them. The code cites a number where it implements the guarantee.
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
mod matrix;
mod pickle;
mod primitives;
mod ratchet;
mod wire;

#[cfg(feature = "hazmat")]
pub mod hazmat;
pub mod megolm;
pub mod olm;

#[cfg(feature = "backup")]
pub use crate::matrix::backup;
#[cfg(feature = "hpke")]
pub use crate::matrix::channel::hpke;
#[cfg(feature = "key-export")]
pub use crate::matrix::key_export;
#[cfg(feature = "payload")]
pub use crate::matrix::payload;
pub use crate::matrix::{channel::ecies, sas};
/// vodozemac's pickles in their serde form. Only with the feature `vodozemac`.
#[cfg(feature = "vodozemac")]
pub mod vodozemac {
    pub use crate::pickle::vodozemac::{
        AccountPickle, Ed25519KeyPair, GroupSessionPickle, InboundGroupSessionPickle,
        SessionPickle, VodozemacPickleError,
    };
}

#[cfg(feature = "passphrase")]
pub use crate::pickle::native::passphrase::{PassphraseCost, PassphraseError, PassphraseKey};
pub use crate::{
    error::{Base64Error, DecodeError, KeyError, PickleError, RandomError, SignatureError},
    keys::{Curve25519PublicKey, Ed25519PublicKey, Ed25519SecretKey, Ed25519Signature},
    pickle::{
        dehydrated::{DehydratedDevice, DehydratedDeviceError},
        libolm::LibolmPickleError,
        loss::{ConversionError, Loss},
        native::PickleKey,
    },
    primitives::secret::SecretString,
    wire::MessageVersion,
};
pub use rand::TryCryptoRng;
