//! Text in base64 and base58, and the same values as bytes.

use moceril::{
    Ed25519Signature, PickleError, PickleKey,
    backup::BackupDecryptionKey,
    megolm::{ExportedSessionKey, GroupSession, InboundGroupSession, MegolmMessage, SessionKey},
    olm::{Account, Message, PreKeyMessage, Session},
    recovery_key::RecoveryKeyError,
};

use crate::{
    failure::{Failure, Result},
    pickle::object::version,
    report::Report,
};

type Attempt = std::result::Result<Report, String>;
/// A name with its article, and how such a text is read.
type Form = (&'static str, fn(&str) -> Attempt);

/// What a text can be, and how each is read.
const FORMS: [Form; 9] = [
    ("a recovery key", recovery_key),
    ("a Megolm session key", |text| read(SessionKey::from_base64(text), session_key)),
    ("an exported Megolm session key", |text| {
        read(ExportedSessionKey::from_base64(text), exported_key)
    }),
    ("a Megolm message", |text| read(MegolmMessage::from_base64(text), megolm_message)),
    ("an Olm pre-key message", |text| read(PreKeyMessage::from_base64(text), pre_key_message)),
    ("an Olm message", |text| read(Message::from_base64(text), olm_message)),
    ("a pickle of moceril", native_pickle),
    ("a signature", signature),
    ("a key", key),
];

fn read<T, E: ToString>(read: std::result::Result<T, E>, report: fn(T) -> Report) -> Attempt {
    read.map(report).map_err(|error| error.to_string())
}

/// What this text is; otherwise, what it is not and why.
pub fn recognise(text: &str) -> Result<Report> {
    let mut refusals = Vec::new();
    for (name, form) in FORMS {
        match form(text) {
            Ok(report) => return Ok(report),
            Err(why) => refusals.push(format!("not {name}: {why}")),
        }
    }
    if let Some((place, character)) = outside_base64(text) {
        let text =
            format!("this is not a text of Matrix's encryption: byte {place} is {character:?}");
        return Err(Failure::input(text).hint(
            "give the text alone: base64, JSON, a recovery key, or a file of exported keys",
        ));
    }
    if let Some(length) = ciphertext_length(text) {
        return Ok(Report::new("base64 of an unknown form")
            .with("bytes", length)
            .with("perhaps", "a pickle of libolm or vodozemac: --pickle-key SOURCE opens it"));
    }
    let failure = Failure::input("base64 of an unknown form")
        .hint("check that it is complete: a text that is cut off is not recognised");
    Err(refusals.iter().fold(failure, Failure::detail))
}

/// Messages and keys as bytes, not as base64.
pub fn binary(bytes: &[u8]) -> Option<Report> {
    let text = std::str::from_utf8(bytes).is_ok();
    let report = if let Ok(message) = MegolmMessage::from_bytes(bytes) {
        megolm_message(message)
    } else if let Ok(message) = PreKeyMessage::from_bytes(bytes) {
        pre_key_message(message)
    } else if let Ok(message) = Message::from_bytes(bytes) {
        olm_message(message)
    } else {
        return None;
    };
    (!text).then(|| report.with("form", "bytes, not base64"))
}

fn recovery_key(text: &str) -> Attempt {
    match BackupDecryptionKey::from_recovery_key(text) {
        Ok(key) => Ok(Report::new("recovery key (secret)")
            .with("public key", key.public_key().to_base64())
            .with("meaning", "if it is a backup's, the backup names this public key")),
        Err(error @ (RecoveryKeyError::Parity | RecoveryKeyError::Prefix))
            if text.starts_with("Es") =>
        {
            Ok(Report::new("recovery key (secret)").problem(error.to_string()))
        }
        Err(error) => Err(error.to_string()),
    }
}

fn session_key(key: SessionKey) -> Report {
    Report::new("Megolm session key, signed by its session (secret)")
        .with("session id", key.session_id())
        .with("first index", key.index())
}

fn exported_key(key: ExportedSessionKey) -> Report {
    Report::new("exported Megolm session key, not signed (secret)")
        .with("session id", key.session_id())
        .with("first index", key.index())
}

fn megolm_message(message: MegolmMessage) -> Report {
    Report::new("Megolm message: an encrypted event of a room")
        .with("version", version(message.version()))
        .with("message index", message.message_index())
        .with("ciphertext", bytes(message.ciphertext().len()))
        .with("needs", "the session that its event names, from this index or an earlier one")
}

fn pre_key_message(message: PreKeyMessage) -> Report {
    let keys = *message.session_keys();
    let report = Report::new("Olm pre-key message: it begins a conversation between two devices")
        .with("session id", message.session_id())
        .with("sender's key", keys.identity_key.to_base64())
        .with("base key", keys.base_key.to_base64())
        .with("one-time key", keys.one_time_key.to_base64());
    inner(report, message.message())
}

fn olm_message(message: Message) -> Report {
    inner(Report::new("Olm message: between two devices"), &message)
}

fn inner(report: Report, message: &Message) -> Report {
    report
        .with("version", version(message.version()))
        .with("ratchet key", message.ratchet_key().to_base64())
        .with("chain index", message.chain_index())
        .with("ciphertext", bytes(message.ciphertext().len()))
}

fn bytes(length: usize) -> String {
    format!("{length} bytes")
}

/// A native pickle shows its kind before it is opened: with a wrong key, only the right kind is
/// refused for its authentication.
pub fn native_pickle(text: &str) -> Attempt {
    let (pickle, passphrase) = match text.rsplit_once('.') {
        Some((header, pickle)) if header.starts_with("2.argon2id.") => (pickle, Some(header)),
        _ => (text, None),
    };
    let key = PickleKey::from_bytes([0; 32]);
    let refusals = [
        ("account", Account::from_pickle(pickle, &key, "").err()),
        ("Olm session", Session::from_pickle(pickle, &key, "").err()),
        ("outbound group session", GroupSession::from_pickle(pickle, &key, "").err()),
        ("inbound group session", InboundGroupSession::from_pickle(pickle, &key, "").err()),
    ];
    let fits = |(_, refusal): &&(&str, _)| *refusal == Some(PickleError::Authentication);
    let fitting: Vec<_> = refusals.iter().filter(fits).collect();
    match (fitting[..].first(), fitting.len()) {
        (Some((kind, _)), 1) => {
            let report = Report::new("pickle of moceril (encrypted)").with("holds", *kind);
            Ok(report.with(
                "opened by",
                if passphrase.is_some() { "a passphrase" } else { "a key of 32 bytes" },
            ))
        }
        _ => {
            let refusal = refusals.iter().find_map(|(_, refusal)| *refusal);
            Err(refusal.map_or(String::from("too short"), |refusal| refusal.to_string()))
        }
    }
}

fn signature(text: &str) -> Attempt {
    Ed25519Signature::from_base64(text).map_err(|_| "a signature has 64 bytes in base64")?;
    Ok(Report::new("64 bytes in base64: perhaps an Ed25519 signature")
        .with("meaning", "only the signed object and the signer's key can show more"))
}

/// Nothing in 32 bytes says whether they are secret, so they are not shown.
fn key(text: &str) -> Attempt {
    moceril::Ed25519SecretKey::from_base64(text).map_err(|error| error.to_string())?;
    Ok(Report::new("32 bytes in base64: a key, perhaps a secret one")
        .with("meaning", "nothing in it says which, so it is not repeated here"))
}

/// The first character that base64 does not have.
pub fn outside_base64(text: &str) -> Option<(usize, char)> {
    let known = |character: char| character.is_ascii_alphanumeric() || "+/=".contains(character);
    text.char_indices().find(|(_, character)| !known(*character))
}

/// The number of bytes, if they can be blocks of AES and a MAC of 8 bytes, as in pickles of libolm.
pub fn ciphertext_length(text: &str) -> Option<usize> {
    let length = text.trim_end_matches('=').len() * 3 / 4;
    (length > 8 + 32 && length % 16 == 8).then_some(length)
}

#[cfg(test)]
mod tests {
    use moceril::MessageVersion;

    use super::*;

    /// Other versions than these would need another line here.
    #[test]
    fn the_versions_have_numbers() {
        assert_eq!([MessageVersion::V3, MessageVersion::V4].map(version), [3, 4]);
    }

    #[test]
    fn what_is_not_base64_is_named_by_its_byte() {
        assert_eq!(outside_base64("AwgA"), None);
        assert_eq!(outside_base64("Aw-A"), Some((2, '-')));
        let error = recognise("Aw-A").unwrap_err().to_string();
        assert!(error.contains("byte 2 is '-'"), "{error}");
    }

    #[test]
    fn each_pickle_of_moceril_says_its_kind() {
        let pickle =
            Account::new().unwrap().pickle(&PickleKey::from_bytes([1; 32]), "place").unwrap();
        let report = recognise(&pickle).unwrap();
        assert_eq!(report.to_json()["holds"], "account");
    }

    #[test]
    fn a_key_is_not_repeated() {
        let key = "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc";
        let report = recognise(key).unwrap().to_json().to_string();
        assert!(report.contains("32 bytes") && !report.contains(key));
    }
}
