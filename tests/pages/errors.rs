//! Every error of the library converts into `moceril::Error`, and is the source of the result.

use std::{collections::BTreeSet, error::Error as _, time::Duration};

use moceril::{
    Base64Error, ConversionError, DecodeError, DehydratedDeviceError, Ed25519Signature, Error,
    KeyError, LibolmPickleError, PassphraseError, PickleError,
    backup::BackupError,
    backup_file::BackupFileError,
    canonical_json::CanonicalJsonError,
    ecies::{ChannelError, Refused},
    events::EventError,
    key_export::KeyExportError,
    megolm::{
        self, CreationTimeError, ExportError, GroupSession, GroupSessionConfig, MergeError,
        ProvenanceError, ReplayError, SessionKeyError,
    },
    olm::{
        self, Account, BundleError, EncryptionError, IdentityKeysError, KeyGenerationError,
        SessionCreationError,
    },
    payload::PayloadError,
    qr_code::QrCodeError,
    recovery_key::RecoveryKeyError,
    room_keys::RoomKeyError,
    sas::SasError,
    secret_storage::SecretStorageError,
    signed_json::SignedJsonError,
    vodozemac::VodozemacPickleError,
};
use moceril_testing::{
    rng::{RecordedRng, SeededRng},
    sources::{identifier, sources},
};

/// The precise error, found again behind the general one.
fn is_source<E: std::error::Error + PartialEq + Copy + 'static>(error: E)
where
    Error: From<E>,
{
    let general = Error::from(error);
    let source = general.source().expect("an error has a source");
    assert_eq!(source.downcast_ref(), Some(&error), "{error}");
    let text = general.to_string();
    assert!(text.ends_with(" failed") && !text.contains(&error.to_string()), "{text}");
}

/// The error that another one holds is its source, and the text of one does not repeat that of the
/// other: who prints the chain of sources reads each text once.
macro_rules! nested {
    ($($error:ident::$variant:ident($inner:expr)),+ $(,)?) => {{
        $({
            let (error, inner) = ($error::$variant($inner), $inner);
            let source = error.source().expect("an error that holds another has a source");
            assert_eq!(source.downcast_ref(), Some(&inner), "{error}");
            assert!(!error.to_string().contains(&inner.to_string()), "{error}");
        })+
        [$(concat!(stringify!($error), "::", stringify!($variant))),+].map(str::to_owned)
    }};
}

#[test]
fn the_error_that_an_error_holds_is_its_source() {
    let (base64, key) = (Base64Error::UrlSafe, KeyError::LowOrder);
    let listed = nested![
        KeyError::Base64(base64),
        DecodeError::Base64(base64),
        DecodeError::Key(key),
        SessionKeyError::Base64(base64),
        SessionKeyError::Key(key),
        PickleError::Base64(base64),
        LibolmPickleError::Base64(base64),
        LibolmPickleError::Key(key),
        VodozemacPickleError::Base64(base64),
        VodozemacPickleError::Key(key),
        DehydratedDeviceError::Base64(base64),
        SessionCreationError::Decryption(olm::DecryptionError::Evicted),
        SignedJsonError::Canonical(CanonicalJsonError::Number),
        SignedJsonError::Key(key),
        SecretStorageError::Base64(base64),
        RoomKeyError::SessionKey(SessionKeyError::Signature),
        RoomKeyError::SenderKey(key),
        QrCodeError::Key(key),
        EventError::Key(key),
        EventError::Message(DecodeError::Format),
        KeyExportError::Base64(base64),
        PayloadError::SenderDeviceKeys(SignedJsonError::Signature),
        BackupFileError::Key(key),
        BackupFileError::Message(DecodeError::Format),
        BackupFileError::Backup(BackupError::Decryption),
        BackupFileError::RoomKey(RoomKeyError::SenderKey(key)),
    ];
    let mut declared = BTreeSet::new();
    for source in sources() {
        let mut error = "";
        for line in source.code.lines() {
            error = line.strip_prefix("pub enum ").map_or(error, identifier);
            let variant = line.strip_prefix("    ").and_then(|line| line.strip_suffix("Error),"));
            if let Some((variant, _)) = variant.and_then(|variant| variant.split_once('(')) {
                declared.insert(format!("{error}::{variant}"));
            }
        }
    }
    assert_eq!(BTreeSet::from(listed), declared);
    // An error that holds none has no source.
    assert!(KeyError::LowOrder.source().is_none() && DecodeError::Format.source().is_none());
}

/// Checks one error for each type, and returns the names of the types.
macro_rules! each {
    ($($error:expr => $name:literal),+ $(,)?) => {{
        $(is_source($error);)+
        [$($name),+].map(str::to_owned)
    }};
}

#[test]
fn every_error_has_its_variant() {
    let created_at = GroupSessionConfig::default().with_created_at(Duration::from_secs(7));
    let mut session = GroupSession::with_rng(created_at, &mut SeededRng::new(1)).unwrap();
    let known: CreationTimeError = session.set_created_at(Duration::from_secs(8)).unwrap_err();
    let random = Account::with_rng(&mut RecordedRng::new([])).unwrap_err();
    let key = Account::with_rng(&mut SeededRng::new(2)).unwrap().ed25519_key();
    let signature = key.verify(b"text", &Ed25519Signature::from_bytes([0; 64])).unwrap_err();
    let listed = each![
        random => "RandomError",
        Base64Error::UrlSafe => "Base64Error",
        KeyError::LowOrder => "KeyError",
        signature => "SignatureError",
        DecodeError::Format => "DecodeError",
        SessionKeyError::Signature => "SessionKeyError",
        KeyGenerationError::Random => "KeyGenerationError",
        BundleError::Signature => "BundleError",
        SessionCreationError::Replayed => "SessionCreationError",
        IdentityKeysError::AnotherPeer => "IdentityKeysError",
        EncryptionError::Random => "EncryptionError",
        olm::DecryptionError::Evicted => "DecryptionError",
        megolm::EncryptionError::SessionExhausted => "megolm EncryptionError",
        megolm::DecryptionError::Closed => "megolm DecryptionError",
        ExportError::Closed => "ExportError",
        MergeError::Closed => "MergeError",
        known => "CreationTimeError",
        ProvenanceError::Known => "ProvenanceError",
        ReplayError::OtherSession => "ReplayError",
        PickleError::Random => "PickleError",
        LibolmPickleError::InvalidState => "LibolmPickleError",
        ConversionError::Unrepresentable => "ConversionError",
        DehydratedDeviceError::Version(9) => "DehydratedDeviceError",
        ChannelError::OwnKey => "ChannelError",
        SasError::NonContributoryKey => "SasError",
        BackupError::Decryption => "BackupError",
        BackupFileError::Algorithm => "BackupFileError",
        RecoveryKeyError::Parity => "RecoveryKeyError",
        CanonicalJsonError::Number => "CanonicalJsonError",
        SignedJsonError::Signature => "SignedJsonError",
        SecretStorageError::Authentication => "SecretStorageError",
        RoomKeyError::SessionId => "RoomKeyError",
        QrCodeError::CutOff => "QrCodeError",
        EventError::NotForUs => "EventError",
        KeyExportError::Random => "KeyExportError",
        PayloadError::Malformed => "PayloadError",
        PassphraseError::Format => "PassphraseError",
        VodozemacPickleError::InvalidState => "VodozemacPickleError",
    ];
    let refused = Refused { unchanged: (), error: ChannelError::OwnKey };
    assert_eq!(Error::from(refused), Error::Channel(ChannelError::OwnKey));
    let refused = Refused { unchanged: (), error: SasError::OwnKey };
    assert_eq!(Error::from(refused), Error::Sas(SasError::OwnKey));

    // Of the two that have one name, the sources show one in `megolm`.
    let declared = sources().into_iter().flat_map(|source| {
        let found = source.code.lines().filter_map(|line| {
            let kinds = ["pub struct ", "pub enum "];
            let item = kinds.iter().find_map(|kind| line.strip_prefix(kind))?;
            let name = identifier(item);
            let of_both = ["DecryptionError", "EncryptionError"].contains(&name);
            let prefix = if of_both && source.path.starts_with("megolm/") { "megolm " } else { "" };
            name.ends_with("Error").then(|| format!("{prefix}{name}"))
        });
        found.collect::<Vec<_>>()
    });
    assert_eq!(BTreeSet::from(listed), declared.collect::<BTreeSet<_>>());
}
