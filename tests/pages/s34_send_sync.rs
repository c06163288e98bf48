//! S-34: every public type can be sent to and shared between threads, and the library has no global
//! state.

use moceril::{
    Base64Error, ConversionError, Curve25519PublicKey, DecodeError, DehydratedDevice,
    DehydratedDeviceError, Ed25519PublicKey, Ed25519SecretKey, Ed25519Signature, Error, KeyError,
    LibolmPickleError, Loss, MessageVersion, PickleError, PickleKey, RandomError, SecretBytes,
    SecretString, SignatureError,
    ecies::{
        self, ChannelError, CheckCode, DigitMode, Ecies, EstablishedEcies, Incoming, Outgoing,
        Refused,
    },
    megolm::{self, DecryptionError as GroupDecryptionError, *},
    olm::{self, *},
    sas::{Emoji, EstablishedSas, InfoStrings, MacMethod, Party, Sas, SasBytes, SasError},
};
use moceril_testing::sources::{names, public_types, sources};

/// Compiles for types that no thread has to keep for itself.
const fn shared<T: Send + Sync + 'static>() {}

macro_rules! shared {
    ($($type:ty),+ $(,)?) => {
        const _: () = { $(shared::<$type>();)+ };
    };
}

shared!(
    // Keys and what belongs to all of the library.
    Curve25519PublicKey,
    DehydratedDevice,
    Ed25519PublicKey,
    Ed25519SecretKey,
    Ed25519Signature,
    IdentityKeys,
    KeyId,
    Loss,
    MessageVersion,
    PickleKey,
    SecretBytes,
    SecretString,
    // Olm.
    Account,
    olm::FallbackKeyGeneration,
    olm::InboundCreation,
    Limits,
    olm::Message,
    olm::DecryptedMessage,
    olm::DecryptedMessageParts,
    OlmMessage,
    OneTimeKeyGeneration,
    PreKeyBundle,
    PreKeyMessage,
    Session,
    SessionConfig,
    SessionKeys,
    SignedOneTimeKey,
    // Megolm.
    ExportedSessionKey,
    GroupSession,
    GroupSessionConfig,
    InboundGroupSession,
    megolm::DecryptedMessage,
    megolm::DecryptedMessageParts,
    MegolmMessage,
    Provenance,
    ReplayGuard,
    ReplayVerdict,
    RotationPolicy,
    SessionKey,
    SessionOrdering,
    // Short authentication strings.
    Emoji,
    EstablishedSas,
    InfoStrings<'static>,
    Party<'static>,
    MacMethod,
    Sas,
    SasBytes,
    // Secure channels.
    CheckCode,
    DigitMode,
    Ecies,
    ecies::InitialMessage,
    ecies::Message,
    EstablishedEcies,
    Incoming<EstablishedEcies>,
    Outgoing<EstablishedEcies, ecies::InitialMessage>,
    Refused<Ecies>,
    Refused<Sas, SasError>,
    // Errors.
    Base64Error,
    BundleError,
    ChannelError,
    ConversionError,
    CreationTimeError,
    DecodeError,
    DehydratedDeviceError,
    olm::DecryptionError,
    olm::EncryptionError,
    megolm::EncryptionError,
    Error,
    ExportError,
    GroupDecryptionError,
    IdentityKeysError,
    KeyError,
    KeyGenerationError,
    LibolmPickleError,
    MergeError,
    PickleError,
    ProvenanceError,
    RandomError,
    ReplayError,
    SasError,
    SessionCreationError,
    SessionKeyError,
    SignatureError,
);

mod backup {
    use super::shared;
    use moceril::backup::{
        BackupDecryptionKey, BackupEncryptionKey, BackupError, BackupMessage, BackupMessageBase64,
    };
    use moceril::recovery_key::RecoveryKeyError;

    shared!(
        BackupDecryptionKey,
        BackupEncryptionKey,
        BackupError,
        BackupMessage,
        BackupMessageBase64,
        RecoveryKeyError,
    );
}

mod matrix {
    use super::shared;
    use moceril::{
        backup_file::{BackedUpKey, BackupFileError, BackupRank, BackupReader, BackupVersion},
        canonical_json::CanonicalJsonError,
        cross_signing::{CrossSigningKeys, MasterKey, PublicKeys, SelfSigningKey, UserSigningKey},
        device_keys::DeviceKeys,
        events::{EventError, MegolmContent, OlmContent},
        qr_code::{QrCode, QrCodeError, QrCodeMode},
        room_keys::{
            ExportParser, ExportReader, ExportedRoomKey, RoomKey, RoomKeyBundle, RoomKeyError,
            WithheldRoomKey,
        },
        secret_storage::{
            EncryptedSecret, KeyDescription, PassphraseParameters, SecretStorageError,
            SecretStorageKey,
        },
        signed_json::SignedJsonError,
    };

    shared!(
        BackedUpKey,
        BackupFileError,
        BackupRank,
        BackupReader<'static>,
        BackupVersion,
        CanonicalJsonError,
        CrossSigningKeys,
        DeviceKeys,
        EncryptedSecret,
        EventError,
        ExportParser,
        ExportReader<'static>,
        ExportedRoomKey,
        KeyDescription,
        MasterKey,
        MegolmContent,
        OlmContent,
        PassphraseParameters,
        PublicKeys,
        QrCode,
        QrCodeError,
        QrCodeMode,
        RoomKey,
        RoomKeyBundle,
        RoomKeyError,
        SecretStorageError,
        SecretStorageKey,
        SelfSigningKey,
        SignedJsonError,
        UserSigningKey,
        WithheldRoomKey,
    );
}

mod vodozemac {
    use super::shared;
    use moceril::vodozemac::{
        AccountPickle, Ed25519KeyPair, GroupSessionPickle, InboundGroupSessionPickle,
        SessionPickle, VodozemacPickleError,
    };

    shared!(
        AccountPickle,
        Ed25519KeyPair,
        GroupSessionPickle,
        InboundGroupSessionPickle,
        SessionPickle,
        VodozemacPickleError,
    );
}

mod hpke {
    use super::shared;
    use moceril::hpke::{
        EstablishedHpkeChannel, HpkeRecipientChannel, HpkeSenderChannel, InitialMessage,
        InitialResponse, Message, UnidirectionalRecipientChannel, UnidirectionalSenderChannel,
    };

    shared!(
        EstablishedHpkeChannel,
        HpkeRecipientChannel,
        HpkeSenderChannel,
        InitialMessage,
        InitialResponse,
        Message,
        UnidirectionalRecipientChannel,
        UnidirectionalSenderChannel,
    );
}

mod payload {
    use super::shared;
    use moceril::payload::{Device, OlmPayload, PayloadError, RoomPayload};

    shared!(Device<'static>, OlmPayload, PayloadError, RoomPayload);
}

mod key_export {
    use super::shared;
    use moceril::key_export::{Decryptor, Encryptor, KeyExportError, Scanner, Verifier};

    shared!(Decryptor, Encryptor, KeyExportError, Scanner, Verifier);
}

mod passphrase {
    use super::shared;
    use moceril::{PassphraseCost, PassphraseError, PassphraseKey};

    shared!(PassphraseCost, PassphraseError, PassphraseKey);
}

mod hazmat {
    use super::shared;
    use moceril::hazmat::{ChainIndices, Cipher, MessageKey, RawSessionKeys, SendingState};

    shared!(ChainIndices, Cipher, MessageKey, RawSessionKeys, SendingState);
}

/// The list above is complete: it names every public type there is.
#[test]
fn s_34_every_public_type_is_shared() {
    for name in public_types() {
        assert!(names(include_str!("s34_send_sync.rs"), &name), "{name} is missing");
    }
    assert!(!names(include_str!("s34_send_sync.rs"), &["Nothing", "OfThisName"].concat()));
}

/// Counts operations in the library's own tests, and is compiled for nothing else.
const FOR_TESTS: &str = "primitives/work.rs";

/// No file has a variable that outlives its caller.
#[test]
fn s_34_there_is_no_global_state() {
    let declaration = "#[cfg(test)]\npub(crate) mod work;";
    assert!(include_str!("../../src/primitives/mod.rs").contains(declaration));
    for source in sources().into_iter().filter(|source| source.path != FOR_TESTS) {
        for global in ["thread_local", "OnceLock", "OnceCell", "LazyLock", "LazyCell", "Once"] {
            assert!(!names(&source.code, global), "{}: {global}", source.path);
        }
        let item = |line: &str| {
            let line = line.trim_start();
            let line = line.strip_prefix("pub").unwrap_or(line);
            let line = line
                .strip_prefix('(')
                .and_then(|rest| rest.split_once(')'))
                .map_or(line, |(_, rest)| rest);
            line.trim_start().starts_with("static ")
        };
        assert!(!source.code.lines().any(item), "{}: static", source.path);
    }
}
