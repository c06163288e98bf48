// The first definition of a link counts. These come before those of README.md, which are relative
// to the repository, and which rustdoc could not follow.
#![cfg_attr(feature = "std", doc = concat!(
    "[assurance]: ", env!("CARGO_PKG_REPOSITORY"), "/blob/HEAD/assurance/README.md\n",
    "[audit-pack]: ", env!("CARGO_PKG_REPOSITORY"), "/blob/HEAD/docs/audit-pack.md\n",
    "[auditing]: ", env!("CARGO_PKG_REPOSITORY"), "/blob/HEAD/docs/auditing.md\n",
    "[bare]: ", env!("CARGO_PKG_REPOSITORY"), "/tree/HEAD/assurance/platforms/bare/src\n",
    "[benches]: ", env!("CARGO_PKG_REPOSITORY"), "/blob/HEAD/benches/README.md\n",
    "[bindings-js]: ", env!("CARGO_PKG_REPOSITORY"), "/blob/HEAD/bindings/js/README.md\n",
    "[browser]: ", env!("CARGO_PKG_REPOSITORY"), "/blob/HEAD/examples/browser/README.md\n",
    "[cli]: ", env!("CARGO_PKG_REPOSITORY"), "/blob/HEAD/cli/README.md\n",
    "[comparison]: ", env!("CARGO_PKG_REPOSITORY"), "/blob/HEAD/benches/results/comparison.md\n",
    "[compat-libolm]: ", env!("CARGO_PKG_REPOSITORY"), "/blob/HEAD/compat/libolm/README.md\n",
    "[compat-olm-js]: ", env!("CARGO_PKG_REPOSITORY"), "/blob/HEAD/compat/olm-js/README.md\n",
    "[compat-python-olm]: ", env!("CARGO_PKG_REPOSITORY"), "/blob/HEAD/compat/python-olm/README.md\n",
    "[compat-vodozemac]: ", env!("CARGO_PKG_REPOSITORY"), "/blob/HEAD/compat/vodozemac/README.md\n",
    "[contributing]: ", env!("CARGO_PKG_REPOSITORY"), "/blob/HEAD/CONTRIBUTING.md\n",
    "[examples]: ", env!("CARGO_PKG_REPOSITORY"), "/blob/HEAD/examples/README.md\n",
    "[fuzz]: ", env!("CARGO_PKG_REPOSITORY"), "/blob/HEAD/fuzz/README.md\n",
    "[guide]: crate::guide\n",
    "[interop]: ", env!("CARGO_PKG_REPOSITORY"), "/blob/HEAD/interop/README.md\n",
    "[matrix]: ", env!("CARGO_PKG_REPOSITORY"), "/blob/HEAD/docs/matrix.md\n",
    "[matrix_chat]: ", env!("CARGO_PKG_REPOSITORY"), "/blob/HEAD/examples/matrix_chat/README.md\n",
    "[models]: ", env!("CARGO_PKG_REPOSITORY"), "/blob/HEAD/docs/models.md\n",
    "[packaging]: ", env!("CARGO_PKG_REPOSITORY"), "/blob/HEAD/packaging/README.md\n",
    "[ratchets]: ", env!("CARGO_PKG_REPOSITORY"), "/raw/HEAD/docs/ratchets.png\n",
    "[security]: ", env!("CARGO_PKG_REPOSITORY"), "/blob/HEAD/SECURITY.md\n",
    "[stack-residue]: ", env!("CARGO_PKG_REPOSITORY"), "/blob/HEAD/assurance/stack-residue/README.md\n",
    "[swap]: ", env!("CARGO_PKG_REPOSITORY"), "/blob/HEAD/docs/swap.md\n",
    "[test-vectors]: ", env!("CARGO_PKG_REPOSITORY"), "/blob/HEAD/test-vectors/README.md\n",
    "[two-servers]: ", env!("CARGO_PKG_REPOSITORY"), "/raw/HEAD/docs/two-servers.svg\n",
    "[vodozemac-python]: ", env!("CARGO_PKG_REPOSITORY"), "/blob/HEAD/compat/vodozemac-python/README.md\n",
    "[wasm]: ", env!("CARGO_PKG_REPOSITORY"), "/blob/HEAD/benches/results/wasm.md\n",
    "\n", include_str!("../README.md"),
))]
//! # Source layers
//!
//! The source has five layers. A file imports only from its own folder and from what stands before
//! it in this table, never from what stands after it; `tests/pages/layers.rs` enforces this. Read
//! the modules in this order.
//!
//! | layer | modules | content |
//! |---|---|---|
//! | 0 | `error` | the errors that several layers share |
//! | 0 | `primitives/` | the only folder that calls cryptography crates |
//! | | `secret`, `stack`, `rng`, `base64`, `base58` | secrets that wipe themselves, and what is left of them on the stack; randomness; text |
//! | | `backend`, `x25519`, `edwards`, `ed25519`, `kdf`, `verdict` | key agreement, signatures, key derivation, and how a comparison becomes a decision |
//! | | `cbc_hmac`, `ctr_hmac`, `chacha20poly1305`, `argon2`, `hpke` | each under the name of its standard; `cbc_hmac` has `unauthenticated`, for backups |
//! | 1 | `keys/`: `curve25519`, `ed25519`, `id` | public keys that passed every check |
//! | 1 | `wire/`: `fields`, `olm`, `megolm`, `json` | decoding and encoding of messages |
//! | 2 | `ratchet/`: `limits`, `handshake`, `chain`, `double`, `ladder`, `megolm` | both ratchets as pure state machines: plan, open, commit |
//! | 3 | [`olm`]: `one_time_keys`, `fallback`, `bundle`, `account`, `establish`, `session`, `decrypted` | accounts and Olm sessions |
//! | 3 | [`megolm`]: `outbound`, `inbound`, `merge`, `trust`, `decrypted`, `batch`, `replay` | group sessions |
//! | 4 | `matrix/` | what Matrix adds to Olm and Megolm |
//! | | [`sas`]: `emoji`, `info`; `qr_code` | verification by short authentication strings and by QR codes |
//! | | `backup`, `recovery_key`, `payload`, `key_export`: `text`, `pieces` | key backup and its key as text, the content of Olm events, key files |
//! | | `canonical_json`, `signed_json`, `device_keys`, `cross_signing`, `secret_storage` | the JSON of Matrix: signed objects, and secrets that the server keeps |
//! | | `events`, `room_keys`: `reader`, `pieces`, `bundle`, `writer`, `backup_file`: `version` | encrypted events, the keys of rooms, and their backups, as JSON |
//! | | `channel`: `message`, `check_code`, [`ecies`], `hpke` | secure channels |
//! | 4 | `pickle/` | stored forms of the objects of layer 3 |
//! | | `native`: `encode`, `passphrase` | the native format |
//! | | `loss`, `envelope` | what other formats cannot hold, and how they are encrypted |
//! | | `libolm`: `read`, `write`, `content`, `backup` | libolm's format |
//! | | `vodozemac`: `shape` (`values`, `account`, `session`, `group`), `convert`, `key_pair` | vodozemac's format |
//! | | `dehydrated` | dehydrated devices |
//! | | `any_error` | one error that every other one converts into |
//! | | `forms` | the standard traits of what has a form as text or as bytes |
//! | | `guide` | short pages for client developers; no code |
//! | | `hazmat` | the list of what the feature `hazmat` adds; the files of this name in the folders define it |
//!
//! `SECURITY.md` lists the guarantees of the crate under the numbers S-01, S-02 and so on, with the
//! tests that prove them. The code cites a number where it implements the guarantee.
#![no_std]
#![cfg_attr(docsrs, feature(doc_cfg))]
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

mod any_error;
mod error;
mod forms;
mod keys;
// S-31: the backup scheme is absent by default.
#[cfg_attr(
    not(feature = "backup"),
    doc = "
```compile_fail,E0432
use moceril::backup::BackupDecryptionKey; // only with the feature `backup`
```
"
)]
mod matrix;
mod pickle;
mod primitives;
mod ratchet;
mod wire;

#[cfg(feature = "std")]
pub mod guide;
#[cfg(feature = "hazmat")]
pub mod hazmat;
pub mod megolm;
pub mod olm;

#[cfg(feature = "hpke")]
pub use crate::matrix::channel::hpke;
#[cfg(feature = "key-export")]
pub use crate::matrix::key_export;
#[cfg(feature = "backup")]
pub use crate::matrix::{backup, recovery_key};
#[cfg(feature = "matrix")]
pub use crate::matrix::{backup_file, cross_signing, events, qr_code, room_keys, secret_storage};
#[cfg(feature = "payload")]
pub use crate::matrix::{canonical_json, device_keys, payload, signed_json};
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
    any_error::Error,
    error::{Base64Error, DecodeError, KeyError, PickleError, RandomError, SignatureError},
    keys::{Curve25519PublicKey, Ed25519PublicKey, Ed25519SecretKey, Ed25519Signature},
    pickle::{
        dehydrated::{DehydratedDevice, DehydratedDeviceError},
        libolm::LibolmPickleError,
        loss::{ConversionError, Loss},
        native::PickleKey,
    },
    primitives::secret::{SecretBytes, SecretString},
    wire::MessageVersion,
};
pub use rand::{TryCryptoRng, TryRng};
