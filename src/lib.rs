#![cfg_attr(feature = "std", doc = include_str!("../README.md"))]
//! # The map of the house
//!
//! Five floors; a file imports its own floor's siblings and lower floors, never higher ones. Read
//! them in this order.
//!
//! | floor | files | what it is |
//! |---|---|---|
//! | | `error/` | every public error |
//! | 0 | `primitives/` | the only folder that talks to cryptography crates: secrets that wipe themselves, X25519, Ed25519, HKDF, `seal` and `open` |
//! | 1 | `keys.rs`, `wire/` | public keys that passed every check; bytes to typed messages and back |
//! | 2 | `ratchet/` | both ratchets as pure state machines: plan, open, commit |
//! | 3 | [`olm`], [`megolm`] | what a client uses: accounts, sessions, group sessions |
//! | 3 | [`sas`], `backup.rs`, [`ecies`], `hpke.rs` | what a client uses besides: verification, key backup, secure channels |
//! | 4 | `pickle/`, `matrix/` | stored forms of the objects of floor 3; what the Matrix specification puts around them |
//!
//! What the whole crate promises, and which test proves it, stands in `SECURITY.md` under the numbers
//! S-01 to S-40, which the code cites where it keeps them.
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
        Base64Error, DecodeError, DehydratedDeviceError, KeyError, LibolmPickleError, PickleError,
        RandomError, SignatureError,
    },
    keys::{Curve25519PublicKey, Ed25519PublicKey, Ed25519SecretKey, Ed25519Signature},
    pickle::{
        dehydrated::DehydratedDevice,
        loss::{ConversionError, Loss},
        native::PickleKey,
    },
    primitives::secret::SecretString,
    wire::MessageVersion,
};
pub use rand::TryCryptoRng;
