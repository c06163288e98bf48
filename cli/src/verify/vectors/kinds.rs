//! What must be true of the vectors of each kind.

use std::time::Duration;

use moceril::{
    DecodeError, Ed25519PublicKey, Ed25519SecretKey, Ed25519Signature, Error, KeyError,
    LibolmPickleError, MessageVersion, PickleError, PickleKey,
    backup::{BackupDecryptionKey, BackupMessage},
    canonical_json,
    megolm::{
        self, ExportedSessionKey, GroupSession, InboundGroupSession, MegolmMessage, Provenance,
        SessionKey, SessionKeyError,
    },
    olm::{Message, OlmMessage, PreKeyMessage},
    room_keys::{ExportedRoomKey, RoomKey, RoomKeyError},
    secret_storage::{EncryptedSecret, SecretStorageError, SecretStorageKey},
    signed_json::{self, SignedJsonError},
    vodozemac::VodozemacPickleError,
};
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::reader::{Checked, Vector, item, same};
use crate::pickle::object::{Key, Kind, Object, version};

/// Kinds with values in which a program of the library's own tests has to look, and which its
/// public functions do not give.
const NOT_RECOMPUTED: [&str; 19] = [
    "aes-256-cbc",
    "dehydrated-device",
    "ecies",
    "encrypted-event",
    "hkdf-sha256",
    "hmac-sha256",
    "hpke",
    "key-export",
    "key-export-refused",
    "megolm-trace",
    "megolm-transcript",
    "moceril-replay-guard-pickle",
    "olm-handshake",
    "olm-trace",
    "olm-transcript",
    "sas",
    "secret-storage-passphrase",
    "x25519",
    "x25519-iterated",
];

/// Checks a vector. The answer is no if its kind is not recomputed here.
pub fn check(vector: &Vector<'_>) -> Checked<bool> {
    match vector.kind {
        "olm-message" => olm_message(vector),
        "pre-key-message" => pre_key_message(vector),
        "megolm-message" => megolm_message(vector),
        "session-key" => {
            let key = SessionKey::from_base64(vector.text("key")?);
            let Some(key) = vector.outcome(key, layers)? else { return Ok(true) };
            session_key(vector, key.index(), &key.to_bytes(), *key.signing_key())
        }
        "exported-session-key" => exported_session_key(vector),
        // The library does not let an index wrap around.
        "megolm-ratchet" if vector.number("target")? < vector.number("start")? => {
            return Ok(false);
        }
        "megolm-ratchet" => megolm_ratchet(vector),
        "megolm-decrypt" => megolm_decrypt(vector),
        "ed25519" => ed25519(vector),
        "ed25519-verify" => ed25519_verify(vector),
        "backup" => backup(vector),
        "libolm-backup-pickle" => backup_pickle(vector),
        "recovery-key" => recovery_key(vector),
        "secret-storage" => secret_storage(vector),
        "canonical-json" => canonical(vector),
        "signed-json" => signed(vector),
        "room-key" => room_key(vector),
        kind if NOT_RECOMPUTED.contains(&kind) => return Ok(false),
        _ => return pickle(vector),
    }
    .map(|()| true)
}

/// The layers to which an error of the library can belong: a wrong MAC and a wrong padding are one
/// error, for example.
fn layers<E: Clone + Into<Error>>(error: &E) -> &'static [&'static str] {
    const BASE64: &[&str] = &["base64"];
    const VERSION: &[&str] = &["version"];
    const FORMAT: &[&str] = &["format"];
    const MAC: &[&str] = &["mac", "padding"];
    const SIGNATURE: &[&str] = &["signature"];
    const KEY: &[&str] = &["key"];
    let key = |error: &KeyError| match error {
        KeyError::Base64(_) => BASE64,
        KeyError::Length(_) => FORMAT,
        _ => KEY,
    };
    let session_key = |error: &SessionKeyError| match error {
        SessionKeyError::Base64(_) => BASE64,
        SessionKeyError::Version(_) => VERSION,
        SessionKeyError::Length { .. } => FORMAT,
        SessionKeyError::Key(error) => key(error),
        SessionKeyError::Signature => SIGNATURE,
        _ => &[],
    };
    match error.clone().into() {
        Error::Decode(DecodeError::Base64(_)) => BASE64,
        Error::Decode(DecodeError::Version(_)) => VERSION,
        Error::Decode(DecodeError::Format | DecodeError::Length { .. }) => FORMAT,
        Error::Decode(DecodeError::Key(error)) | Error::Key(error) => key(&error),
        // That a key is a point of the curve is checked with a signature.
        Error::Signature(_) => &["signature", "key"],
        Error::SessionKey(error) => session_key(&error),
        Error::Pickle(PickleError::Base64(_)) => BASE64,
        Error::Pickle(PickleError::Version(_)) => VERSION,
        Error::Pickle(PickleError::Authentication) => MAC,
        Error::Pickle(PickleError::ObjectType | PickleError::InvalidState) => FORMAT,
        Error::LibolmPickle(LibolmPickleError::Base64(_)) => BASE64,
        Error::LibolmPickle(LibolmPickleError::Version(_)) => VERSION,
        Error::LibolmPickle(LibolmPickleError::Authentication) => MAC,
        Error::LibolmPickle(LibolmPickleError::InvalidState) => FORMAT,
        Error::LibolmPickle(LibolmPickleError::Key(error)) => key(&error),
        Error::VodozemacPickle(VodozemacPickleError::Base64(_)) => BASE64,
        Error::VodozemacPickle(VodozemacPickleError::Authentication) => MAC,
        // A bad key is a bad value of the JSON.
        Error::VodozemacPickle(VodozemacPickleError::InvalidState) => &["format", "key"],
        Error::Backup(_) => MAC,
        Error::RecoveryKey(_) | Error::CanonicalJson(_) => FORMAT,
        Error::SecretStorage(SecretStorageError::Base64(_)) => BASE64,
        Error::SecretStorage(SecretStorageError::Authentication) => MAC,
        Error::SecretStorage(SecretStorageError::Length { .. } | SecretStorageError::NotText) => {
            FORMAT
        }
        Error::SignedJson(SignedJsonError::MissingSignature | SignedJsonError::Signature) => {
            SIGNATURE
        }
        Error::SignedJson(SignedJsonError::Malformed(_) | SignedJsonError::Canonical(_)) => FORMAT,
        Error::RoomKey(RoomKeyError::SessionKey(error)) => session_key(&error),
        Error::RoomKey(RoomKeyError::SenderKey(error)) => key(&error),
        Error::RoomKey(_) => FORMAT,
        _ => &[],
    }
}

fn olm_message(vector: &Vector<'_>) -> Checked<()> {
    let message = Message::from_base64(vector.text("message")?);
    let Some(message) = vector.outcome(message, layers)? else { return Ok(()) };
    vector.is("version", version(message.version()))?;
    vector.is("ratchet-key", message.ratchet_key().to_base64())?;
    vector.is("index", message.chain_index())?;
    vector.is_bytes("ciphertext", message.ciphertext())?;
    mac(vector, message.version(), message.as_bytes())
}

/// The MAC is the end of what is authenticated.
fn mac(vector: &Vector<'_>, version: MessageVersion, message: &[u8]) -> Checked<()> {
    let start = message.len().saturating_sub(version.mac_length());
    vector.is_bytes("mac", &message[start..])
}

fn pre_key_message(vector: &Vector<'_>) -> Checked<()> {
    let message = PreKeyMessage::from_base64(vector.text("message")?);
    let Some(message) = vector.outcome(message, layers)? else { return Ok(()) };
    let keys = message.session_keys();
    vector.is("one-time-key", keys.one_time_key.to_base64())?;
    vector.is("base-key", keys.base_key.to_base64())?;
    vector.is("identity-key", keys.identity_key.to_base64())?;
    vector.is("inner", message.message().to_base64())
}

fn megolm_message(vector: &Vector<'_>) -> Checked<()> {
    let message = MegolmMessage::from_base64(vector.text("message")?);
    let Some(message) = vector.outcome(message, layers)? else { return Ok(()) };
    vector.is("version", version(message.version()))?;
    vector.is("index", message.message_index())?;
    vector.is_bytes("ciphertext", message.ciphertext())?;
    vector.is("signature", message.signature().to_base64())?;
    let signed = message.as_bytes().len() - message.signature().as_bytes().len();
    mac(vector, message.version(), &message.as_bytes()[..signed])
}

/// The fields of both formats: a version, the index (4), the ratchet (128), the key.
fn session_key(
    vector: &Vector<'_>,
    index: u32,
    bytes: &[u8],
    signing_key: Ed25519PublicKey,
) -> Checked<()> {
    vector.is("index", index)?;
    vector.is_bytes("ratchet", bytes.get(5..133).unwrap_or_default())?;
    vector.is("signing-key", signing_key.to_base64())
}

/// That the signing key is a point of the curve is checked with the first message.
fn with_a_point(session: InboundGroupSession) -> Result<(), Error> {
    let message = GroupSession::new(Duration::ZERO)?.encrypt("of another session")?;
    let mut session = session;
    match session.decrypt(&message) {
        Err(megolm::DecryptionError::InvalidSigningKey) => Err(KeyError::NotOnCurve.into()),
        _ => Ok(()),
    }
}

fn exported_session_key(vector: &Vector<'_>) -> Checked<()> {
    let key = ExportedSessionKey::from_base64(vector.text("key")?).map_err(Error::from);
    let key = key.and_then(|key| with_a_point(InboundGroupSession::import(&key)).map(|()| key));
    let Some(key) = vector.outcome(key, layers)? else { return Ok(()) };
    session_key(vector, key.index(), &key.to_bytes(), *key.signing_key())
}

fn exported(index: u32, ratchet: &[u8]) -> Checked<ExportedSessionKey> {
    let signing_key = Ed25519SecretKey::from_bytes([1; 32]).public_key();
    let bytes = [&[1][..], &index.to_be_bytes(), ratchet, signing_key.as_bytes()].concat();
    ExportedSessionKey::from_bytes(&Zeroizing::new(bytes)).map_err(|error| error.to_string())
}

/// The ratchet is set by an import and read by an export.
fn megolm_ratchet(vector: &Vector<'_>) -> Checked<()> {
    let (start, target) = (vector.number("start")?, vector.number("target")?);
    let session = InboundGroupSession::import(&exported(start, &vector.bytes("initial")?)?);
    let key = session.export_at(target).map_err(|error| format!("target: {error}"))?;
    vector.is_bytes("output", key.to_bytes().get(5..133).unwrap_or_default())
}

fn megolm_decrypt(vector: &Vector<'_>) -> Checked<()> {
    let version =
        if vector.number("version")? == 3 { MessageVersion::V3 } else { MessageVersion::V4 };
    let said = |error: SessionKeyError| format!("the session key: {error}");
    let mut session = match vector.optional("session-key") {
        Some(key) => {
            let key = SessionKey::from_base64(key).map_err(said)?;
            InboundGroupSession::with_version(&key, version)
        }
        None => {
            let key = vector.text("exported-session-key")?;
            let key = ExportedSessionKey::from_base64(key).map_err(said)?;
            InboundGroupSession::import_with_version(&key, Provenance::Exported, version)
        }
    };
    let message = MegolmMessage::from_base64(vector.text("message")?);
    let message = match message {
        Ok(message) => message,
        Err(error) => return vector.outcome(Err::<(), _>(error), layers).map(drop),
    };
    let decrypted = vector.outcome(session.decrypt(&message), |error| match error {
        megolm::DecryptionError::VersionMismatch => &["version"],
        megolm::DecryptionError::UnknownIndex { .. } => &["index"],
        megolm::DecryptionError::Authentication => &["signature", "mac", "padding"],
        _ => &[],
    })?;
    let Some(decrypted) = decrypted else { return Ok(()) };
    vector.is_bytes("plaintext", decrypted.plaintext())?;
    vector.is("index", decrypted.message_index())
}

fn ed25519(vector: &Vector<'_>) -> Checked<()> {
    let key = Ed25519SecretKey::from_bytes(vector.array("seed")?);
    vector.is_bytes("public", key.public_key().as_bytes())?;
    vector.is_bytes("signature", key.sign(vector.bytes("message")?).as_bytes())
}

fn ed25519_verify(vector: &Vector<'_>) -> Checked<()> {
    let signature = Ed25519Signature::from_bytes(vector.array("signature")?);
    let message = vector.bytes("message")?;
    let verified = Ed25519PublicKey::from_bytes(vector.array("public")?)
        .map_err(Error::from)
        .and_then(|key| Ok(key.verify(&message, &signature)?));
    vector.outcome(verified, layers).map(drop)
}

fn backup(vector: &Vector<'_>) -> Checked<()> {
    let key = BackupDecryptionKey::from_bytes(vector.array("private-key")?);
    vector.is("public-key", key.public_key().to_base64())?;
    let message = BackupMessage::from_base64(
        vector.text("ciphertext")?,
        vector.text("mac")?,
        vector.text("ephemeral-key")?,
    );
    let decrypted = message
        .map_err(Error::from)
        .and_then(|message| key.decrypt_unauthenticated(&message).map_err(Error::from));
    let Some(plaintext) = vector.outcome(decrypted, layers)? else { return Ok(()) };
    vector.is_bytes("plaintext", &plaintext)
}

fn backup_pickle(vector: &Vector<'_>) -> Checked<()> {
    let (pickle, key) = (vector.text("pickle")?, vector.bytes("pickle-key")?);
    let backup = BackupDecryptionKey::from_libolm_pickle(pickle, &key);
    let Some(backup) = vector.outcome(backup, layers)? else { return Ok(()) };
    vector.is_bytes("private-key", &backup.to_bytes())?;
    vector.is("public-key", backup.public_key().to_base64())?;
    vector.is("pickle", backup.to_libolm_pickle(&key))
}

fn recovery_key(vector: &Vector<'_>) -> Checked<()> {
    let key = BackupDecryptionKey::from_recovery_key(vector.text("text")?);
    let Some(key) = vector.outcome(key, layers)? else { return Ok(()) };
    vector.is_bytes("key", &key.to_bytes())
}

fn secret_storage(vector: &Vector<'_>) -> Checked<()> {
    let key = SecretStorageKey::from_bytes(vector.array("key")?);
    let member = |name| vector.text(name);
    let secret = json!({
        "iv": member("iv")?,
        "ciphertext": member("ciphertext")?,
        "mac": member("mac")?,
    });
    let name = vector.text("name")?;
    let secret = EncryptedSecret::from_json(&secret).and_then(|secret| key.decrypt(name, &secret));
    let Some(plaintext) = vector.outcome(secret, layers)? else { return Ok(()) };
    vector.is_bytes("plaintext", plaintext.as_bytes())
}

fn value(vector: &Vector<'_>, key: &str) -> Checked<Value> {
    serde_json::from_slice(&vector.bytes(key)?).map_err(|error| format!("{key}: {error}"))
}

fn canonical(vector: &Vector<'_>) -> Checked<()> {
    let text = canonical_json::to_string(&value(vector, "json")?);
    let Some(text) = vector.outcome(text, layers)? else { return Ok(()) };
    vector.is_bytes("canonical", text.as_bytes())
}

fn signed(vector: &Vector<'_>) -> Checked<()> {
    let (mut object, user) = (value(vector, "object")?, vector.text("user-id")?);
    let key = Ed25519PublicKey::from_base64(vector.text("public-key")?);
    let key = key.map_err(|error| format!("public-key: {error}"))?;
    let name = vector.text("key-name")?;
    let verified = signed_json::verify(&object, user, name, &key);
    if vector.outcome(verified, layers)?.is_none() {
        return Ok(());
    }
    let signed = signed_json::signed_part(&object).map_err(|error| error.to_string())?;
    vector.is_bytes("signed", signed.as_bytes())?;
    if vector.optional("seed").is_some() {
        let signer = Ed25519SecretKey::from_bytes(vector.array("seed")?);
        let before = object.clone();
        signed_json::sign(&mut object, user, name, &signer).map_err(|error| error.to_string())?;
        same("seed", &before.to_string(), &object.to_string())?;
    }
    Ok(())
}

fn room_key(vector: &Vector<'_>) -> Checked<()> {
    let json = vector.string("json")?;
    let form = vector.text("form")?;
    if form == "room-key" {
        let Some(key) = vector.outcome(RoomKey::from_json(&json), layers)? else { return Ok(()) };
        vector.is("room-id", &key.room_id)?;
        vector.is("session-id", key.session_key.session_id())?;
        vector.is("session-key", &*key.session_key.to_base64())?;
        return written(vector, &key.to_json());
    }
    let key = match form {
        "export" => ExportedRoomKey::from_json(&json),
        "forwarded" => ExportedRoomKey::from_forwarded_json(&json),
        _ => {
            let ids = (vector.text("room-id")?, vector.text("session-id")?);
            ExportedRoomKey::from_backup_json(&json, ids.0, ids.1)
        }
    };
    let Some(key) = vector.outcome(key, layers)? else { return Ok(()) };
    vector.is("room-id", &key.room_id)?;
    vector.is("session-id", key.session_key.session_id())?;
    vector.is("session-key", &*key.session_key.to_base64())?;
    let sender_key = key.sender_key.map_or_else(String::new, |key| key.to_base64());
    vector.is("sender-key", sender_key)?;
    written(
        vector,
        &match form {
            "export" => key.to_json(),
            "forwarded" => key.to_forwarded_json(),
            _ => key.to_backup_json(),
        },
    )
}

/// The members are the same; their order is free.
fn written(vector: &Vector<'_>, json: &Result<moceril::SecretString, RoomKeyError>) -> Checked<()> {
    let json = json.as_ref().map_err(|error| format!("written: {error}"))?;
    let found: Value = serde_json::from_str(json).map_err(|error| error.to_string())?;
    same("written", &value(vector, "written")?.to_string(), &found.to_string())
}

/// An account or a session, and what it can do. The answer is no for a pickle that does not say the
/// version of its messages, which the command does not guess (S-13).
fn pickle(vector: &Vector<'_>) -> Checked<bool> {
    let unknown = || format!("the kind {} is not known", vector.kind);
    let refused = vector.kind == "vodozemac-pickle-refused";
    let (writer, object) = vector.kind.split_once('-').ok_or_else(unknown)?;
    let object = match object.strip_suffix("-pickle") {
        Some(object) => object,
        None if refused => vector.text("object")?,
        None => return Err(unknown()),
    };
    let kind = match object {
        "account" => Kind::Account,
        "session" => Kind::Session,
        "group-session" => Kind::GroupSession,
        "inbound-group-session" => Kind::InboundGroupSession,
        _ => return Err(unknown()),
    };
    let key = match writer {
        "libolm" => Key::Libolm(vector.bytes("pickle-key")?.into()),
        "vodozemac" => Key::Vodozemac(vector.array("pickle-key")?.into()),
        "moceril" => Key::Native(
            PickleKey::from_bytes(vector.array("pickle-key")?),
            vector.string("context")?,
        ),
        _ => return Err(unknown()),
    };
    let object = Object::open_typed(kind, vector.text("pickle")?, &key);
    let object = object.and_then(|mut object| match &mut object {
        Object::InboundGroupSession(session) => {
            // A pickle from an export has the same gap as an exported key.
            let key = session.export_at_first_known_index()?;
            with_a_point(InboundGroupSession::import(&key)).map(|()| object)
        }
        _ => Ok(object),
    });
    let missing = Error::VodozemacPickle(VodozemacPickleError::MissingVersion);
    if object.as_ref().err() == Some(&missing) && vector.expect.is_none() {
        return Ok(false);
    }
    let Some(mut object) = vector.outcome(object, layers)? else { return Ok(true) };
    for (number, items) in &vector.steps {
        step(&mut object, items).map_err(|why| format!("line {number}: {why}"))?;
    }
    Ok(true)
}

fn olm(kind: &str, body: &str) -> Checked<OlmMessage> {
    let kind = kind.parse().map_err(|_| format!("{kind} is not a number"))?;
    OlmMessage::from_parts(kind, body).map_err(|error| error.to_string())
}

fn step(object: &mut Object, items: &[&str]) -> Checked<()> {
    let said = |error: &dyn std::error::Error| error.to_string();
    let is = |found: &[u8], plaintext| {
        if *found == item(plaintext)? { Ok(()) } else { Err("another plaintext".to_owned()) }
    };
    match (object, items) {
        (Object::Account(account), [step @ ("receive" | "replayed"), kind, body, rest @ ..]) => {
            let message = olm(kind, body)?;
            let message = message.as_pre_key().ok_or("not a pre-key message")?;
            let made = account.create_inbound_session(message.identity_key(), message);
            match (*step, made, rest) {
                ("receive", Ok(made), [plaintext]) => is(made.message.plaintext(), plaintext),
                ("receive", Err(error), _) => Err(error.to_string()),
                ("replayed", Err(moceril::olm::SessionCreationError::Replayed), []) => Ok(()),
                _ => Err("it is no replay".into()),
            }
        }
        (Object::Session(session), ["receive", kind, body, plaintext]) => {
            let message = session.decrypt(&olm(kind, body)?).map_err(|error| said(&error))?;
            is(message.plaintext(), plaintext)
        }
        (Object::Session(session), ["send", plaintext, kind, body]) => {
            let message = session.encrypt(item(plaintext)?).map_err(|error| said(&error))?;
            same("the type", kind, &message.message_type().to_string())?;
            same("the message", body, &message.to_base64())
        }
        (Object::GroupSession(session), ["send", plaintext, message]) => {
            let sent = session.encrypt(item(plaintext)?).map_err(|error| said(&error))?;
            same("the message", message, &sent.to_base64())
        }
        (Object::InboundGroupSession(session), ["receive", index, message, plaintext]) => {
            let message = MegolmMessage::from_base64(message).map_err(|error| said(&error))?;
            let decrypted = session.decrypt(&message).map_err(|error| said(&error))?;
            same("the index", index, &decrypted.message_index().to_string())?;
            is(decrypted.plaintext(), plaintext)
        }
        _ => Err("an unknown step".into()),
    }
}
