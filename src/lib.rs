#![cfg_attr(feature = "std", doc = include_str!("../README.md"))]
//! # Source layers
//!
//! The source has five layers. A file imports only from its own folder and from lower layers, never
//! from higher ones; `tests/floors.rs` enforces this. Read the layers in this order.
//!
//! | layer | files | content |
//! |---|---|---|
//! | | `error/` | every public error |
//! | 0 | `primitives/` | the only folder that calls cryptography crates: secrets that wipe themselves, X25519, Ed25519, HKDF, `seal` and `open` |
//! | 1 | `keys.rs`, `wire/`, `check_code.rs` | public keys that passed every check; decoding and encoding of messages |
//! | 2 | `ratchet/` | both ratchets as pure state machines: plan, open, commit |
//! | 3 | [`olm`], [`megolm`] | what every client uses: accounts, sessions, group sessions |
//! | 3 | [`sas`], `backup.rs`, [`ecies`], `hpke.rs` | what clients also use: verification, key backup, secure channels |
//! | 4 | `pickle/`, `matrix/` | stored forms of the objects of layer 3; Matrix formats around Olm and Megolm |
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

mod check_code;
mod error;
#[cfg(any(feature = "payload", feature = "vodozemac"))]
mod json;
mod keys;
mod pickle;
mod primitives;
mod ratchet;
mod wire;

#[cfg(feature = "backup")]
pub mod backup;
pub mod ecies;
#[cfg(feature = "hazmat")]
pub mod hazmat;
#[cfg(feature = "hpke")]
pub mod hpke;
#[cfg(any(feature = "key-export", feature = "payload"))]
pub mod matrix;
pub mod megolm;
pub mod olm;
pub mod sas;
/// vodozemac's pickles in their serde form. Only with the feature `vodozemac`.
#[cfg(feature = "vodozemac")]
pub mod vodozemac {
    pub use crate::{
        error::VodozemacPickleError,
        pickle::vodozemac::{
            AccountPickle, Ed25519KeyPair, GroupSessionPickle, InboundGroupSessionPickle,
            SessionPickle,
        },
    };
}

#[cfg(feature = "passphrase")]
pub use crate::{
    error::PassphraseError,
    pickle::passphrase::{PassphraseCost, PassphraseKey},
};
pub use crate::{
    error::{
        Base64Error, DecodeError, KeyError, LibolmPickleError, PickleError, RandomError,
        SignatureError,
    },
    keys::{Curve25519PublicKey, Ed25519PublicKey, Ed25519SecretKey, Ed25519Signature},
    pickle::{
        dehydrated::{DehydratedDevice, DehydratedDeviceError},
        loss::{ConversionError, Loss},
        native::PickleKey,
    },
    primitives::secret::SecretString,
    wire::MessageVersion,
};
pub use rand::TryCryptoRng;
