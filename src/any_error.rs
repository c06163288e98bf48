//! One error type for callers who do not distinguish operations. Functions return the precise
//! errors.

use core::fmt;

#[cfg(feature = "key-export")]
use crate::matrix::key_export::KeyExportError;
#[cfg(feature = "backup")]
use crate::matrix::{backup::BackupError, recovery_key::RecoveryKeyError};
#[cfg(feature = "matrix")]
use crate::matrix::{
    backup_file::BackupFileError, events::EventError, qr_code::QrCodeError,
    room_keys::RoomKeyError, secret_storage::SecretStorageError,
};
#[cfg(feature = "payload")]
use crate::matrix::{
    canonical_json::CanonicalJsonError, payload::PayloadError, signed_json::SignedJsonError,
};
#[cfg(feature = "passphrase")]
use crate::pickle::native::passphrase::PassphraseError;
#[cfg(feature = "vodozemac")]
use crate::pickle::vodozemac::VodozemacPickleError;
use crate::{
    error::{
        Base64Error, DecodeError, DecryptionError, EncryptionError, IdentityKeysError, KeyError,
        PickleError, RandomError, SessionCreationError, SignatureError,
    },
    matrix::{
        channel::{ChannelError, Refused},
        sas::SasError,
    },
    megolm::{self, CreationTimeError, ExportError, MergeError, ProvenanceError, ReplayError},
    olm::{BundleError, KeyGenerationError},
    pickle::{dehydrated::DehydratedDeviceError, libolm::LibolmPickleError, loss::ConversionError},
    wire::megolm::SessionKeyError,
};

/// Generates, for each error, a variant, its conversion, its text and its source.
macro_rules! errors {
    ($($(#[$cfg:meta])? $variant:ident($error:ty): $operation:literal,)+) => {
        /// Any error of this library.
        ///
        /// Every function returns the error type of its operation, which names the reasons on which
        /// a caller can act. This enum is for functions that call several operations: `?` converts
        /// each error into it. Its text says what failed, and its
        /// [`source`](core::error::Error::source) is the precise error, which says why.
        ///
        /// ```
        /// use std::time::Duration;
        ///
        /// use moceril::{Curve25519PublicKey, megolm::GroupSession};
        ///
        /// fn start(key: &str, now: Duration) -> Result<GroupSession, moceril::Error> {
        ///     let _key: Curve25519PublicKey = key.parse()?; // a KeyError
        ///     let mut session = GroupSession::new(now)?; // a RandomError
        ///     session.encrypt("hello")?; // a megolm::EncryptionError
        ///     Ok(session)
        /// }
        ///
        /// let error = start("not a key", Duration::ZERO).unwrap_err();
        /// assert_eq!(error.to_string(), "reading a key failed");
        /// # use std::error::Error;
        /// assert_eq!(error.source().unwrap().to_string(), "the key is not valid base64");
        /// ```
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum Error {
            $($(#[$cfg])?
            #[doc = concat!("Why ", $operation, " failed.")]
            $variant($error),)+
        }

        impl fmt::Display for Error {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self {
                    $($(#[$cfg])? Self::$variant(_) => concat!($operation, " failed"),)+
                })
            }
        }

        impl core::error::Error for Error {
            fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
                Some(match self {
                    $($(#[$cfg])? Self::$variant(error) => error,)+
                })
            }
        }

        $($(#[$cfg])?
        impl From<$error> for Error {
            fn from(error: $error) -> Self {
                Self::$variant(error)
            }
        })+
    };
}

errors! {
    Random(RandomError): "drawing randomness",
    Base64(Base64Error): "decoding base64",
    Key(KeyError): "reading a key",
    Signature(SignatureError): "verifying a signature",
    Decode(DecodeError): "decoding a message",
    SessionKey(SessionKeyError): "reading a session key",
    KeyGeneration(KeyGenerationError): "generating keys",
    Bundle(BundleError): "verifying a key bundle",
    SessionCreation(SessionCreationError): "creating an Olm session",
    IdentityKeys(IdentityKeysError): "stating the identity keys of an Olm session",
    OlmEncryption(EncryptionError): "encrypting an Olm message",
    OlmDecryption(DecryptionError): "decrypting an Olm message",
    MegolmEncryption(megolm::EncryptionError): "encrypting a Megolm message",
    MegolmDecryption(megolm::DecryptionError): "decrypting a Megolm message",
    Export(ExportError): "exporting a session key",
    Merge(MergeError): "merging two group sessions",
    CreationTime(CreationTimeError): "stating the creation time of a group session",
    Provenance(ProvenanceError): "stating the provenance of a group session",
    Replay(ReplayError): "checking a message for a replay",
    Pickle(PickleError): "writing or reading a pickle",
    LibolmPickle(LibolmPickleError): "reading a libolm pickle",
    Conversion(ConversionError): "converting to another format",
    DehydratedDevice(DehydratedDeviceError): "writing or reading a dehydrated device",
    Channel(ChannelError): "a step of a secure channel",
    Sas(SasError): "a step of a verification by short strings",
    #[cfg(feature = "backup")]
    Backup(BackupError): "encrypting or decrypting a backed-up key",
    #[cfg(feature = "backup")]
    RecoveryKey(RecoveryKeyError): "reading a recovery key",
    #[cfg(feature = "payload")]
    CanonicalJson(CanonicalJsonError): "writing canonical JSON",
    #[cfg(feature = "payload")]
    SignedJson(SignedJsonError): "signing or verifying an object",
    #[cfg(feature = "matrix")]
    SecretStorage(SecretStorageError): "storing or reading a secret",
    #[cfg(feature = "matrix")]
    RoomKey(RoomKeyError): "reading a room key",
    #[cfg(feature = "matrix")]
    Event(EventError): "reading an encrypted event",
    #[cfg(feature = "matrix")]
    QrCode(QrCodeError): "reading or making a QR code",
    #[cfg(feature = "matrix")]
    BackupFile(BackupFileError): "reading a backup",
    #[cfg(feature = "key-export")]
    KeyExport(KeyExportError): "writing or reading a file of exported keys",
    #[cfg(feature = "payload")]
    Payload(PayloadError): "checking the content of an Olm event",
    #[cfg(feature = "passphrase")]
    Passphrase(PassphraseError): "deriving a key from a passphrase",
    #[cfg(feature = "vodozemac")]
    VodozemacPickle(VodozemacPickleError): "reading a vodozemac pickle",
}

impl<T, E: Into<Self>> From<Refused<T, E>> for Error {
    fn from(refused: Refused<T, E>) -> Self {
        refused.error.into()
    }
}
