//! The native module of the Python package `vodozemac`: its classes over the crate of that name in
//! `compat/vodozemac`, and so over moceril.

mod error;
mod keys;
mod megolm;
mod messages;
mod olm;
mod pk;
mod sas;

#[pyo3::pymodule]
mod vodozemac {
    #[pymodule_export]
    use crate::{
        error::{
            DecodeException, KeyException, LibolmPickleException, MegolmDecryptionException,
            OlmDecryptionException, OlmEncryptionException, PickleException, PkDecodeException,
            PkInvalidKeySizeException, SasException, SessionCreationException,
            SessionKeyDecodeException, SignatureException,
        },
        keys::{Curve25519PublicKey, Curve25519SecretKey, Ed25519PublicKey, Ed25519Signature},
        megolm::{ExportedSessionKey, GroupSession, InboundGroupSession, SessionKey},
        messages::{AnyOlmMessage, MegolmMessage, PreKeyMessage},
        olm::{Account, Session},
        pk::{Message, PkDecryption, PkEncryption},
        sas::{EstablishedSas, Sas},
    };
}
