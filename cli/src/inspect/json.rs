//! Objects of Matrix as JSON.

use moceril::{
    backup_file::{BackupReader, BackupVersion},
    cross_signing::MasterKey,
    device_keys::DeviceKeys,
    events::MegolmContent,
    room_keys::{self, ExportedRoomKey, RoomKey},
    secret_storage::{EncryptedSecret, KeyDescription},
    vodozemac::{AccountPickle, GroupSessionPickle, InboundGroupSessionPickle, SessionPickle},
};
use serde_json::Value;

use crate::{
    failure::{Failure, Result},
    keys::summary,
    pickle::object::version,
    report::{Report, counted},
};

/// What this JSON is. Texts with secrets are tried first, because a general JSON value would not be
/// wiped.
pub fn recognise(text: &str) -> Result<Report> {
    if room_keys::read_export(text).next().is_some_and(|key| key.is_ok()) {
        let report = Report::new("room keys in the clear (secret)");
        return Ok(summary(report, text));
    }
    if let Some(report) = room_key(text).or_else(|| pickle(text)) {
        return Ok(report);
    }
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<Value>();
    let first = match values.next() {
        Some(Ok(first)) => first,
        Some(Err(error)) => {
            return Err(Failure::input(format_args!("expected JSON: {error}")));
        }
        None => return Err(Failure::input("expected JSON, but found none")),
    };
    let more = values.count();
    let report = object(&first, text).ok_or_else(|| {
        let what = match first.as_object() {
            None => "it is a list".into(),
            Some(object) if object.is_empty() => "it has no members".into(),
            Some(object) => {
                let mut names: Vec<_> = object.keys().take(8).map(String::as_str).collect();
                names.sort_unstable();
                format!("its members are {}", names.join(", "))
            }
        };
        Failure::input(format_args!("this JSON is not a known Matrix encryption object: {what}"))
            .hint("give one event, key, backup or account data by itself")
    })?;
    Ok(if more > 0 { report.with("followed by", more) } else { report })
}

fn room_key(text: &str) -> Option<Report> {
    if let Ok(key) = ExportedRoomKey::from_json(text) {
        return Some(
            Report::new("exported room key, not signed (secret)")
                .with("room", key.room_id)
                .with("session id", key.session_key.session_id())
                .with("first index", key.session_key.index())
                .with_some("sender's key", key.sender_key.map(|key| key.to_base64()))
                .with("forwarded by", key.forwarding_chain),
        );
    }
    let key = RoomKey::from_json(text).ok()?;
    Some(
        Report::new("content of m.room_key, signed by its session (secret)")
            .with("room", key.room_id)
            .with("session id", key.session_key.session_id())
            .with("first index", key.session_key.index()),
    )
}

/// The form of vodozemac that is not encrypted.
pub fn pickle(text: &str) -> Option<Report> {
    let kind = if serde_json::from_str::<AccountPickle>(text).is_ok() {
        "account"
    } else if serde_json::from_str::<SessionPickle>(text).is_ok() {
        "Olm session"
    } else if serde_json::from_str::<InboundGroupSessionPickle>(text).is_ok() {
        "inbound group session"
    } else if serde_json::from_str::<GroupSessionPickle>(text).is_ok() {
        "outbound group session"
    } else {
        return None;
    };
    Some(Report::new("pickle of vodozemac in the clear (secret)").with("holds", kind))
}

fn text<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    value.get(name)?.as_str()
}

fn object(value: &Value, whole: &str) -> Option<Report> {
    let has = |name| value.get(name).is_some();
    if has("rooms") && BackupReader::new(whole).is_ok() {
        return Some(backup(whole));
    }
    if has("auth_data") {
        return Some(backup_version(whole));
    }
    if has("device_id") && has("keys") {
        return Some(device(value));
    }
    if has("usage") && has("keys") {
        return Some(cross_signing_key(value));
    }
    if text(value, "type") == Some("m.room.encrypted") {
        let report = encrypted(value.get("content")?)?;
        let report = report.with_some("event", text(value, "event_id"));
        return Some(report.with_some("room", text(value, "room_id")));
    }
    if has("ephemeral") && has("mac") {
        let report = Report::new("session_data of a backup: an encrypted room key");
        return Some(report.with("needs", "the recovery key of the backup"));
    }
    if let Ok(description) = KeyDescription::from_json(value) {
        return Some(storage_key(&description));
    }
    if let Some(secrets) = value.get("encrypted").and_then(Value::as_object) {
        let report = Report::new("secret in secret storage").with(
            "under keys",
            secrets.keys().map(|id| Value::from(id.as_str())).collect::<Vec<_>>(),
        );
        let refusal = secrets.values().find_map(|secret| EncryptedSecret::from_json(secret).err());
        return Some(match refusal {
            Some(error) => report.problem(error.to_string()),
            None => report,
        });
    }
    encrypted(value)
}

fn backup(whole: &str) -> Report {
    let report = Report::new("backup of room keys, encrypted to a recovery key");
    let Ok(reader) = BackupReader::new(whole) else { return report };
    let (mut rooms, mut sessions, mut refusals) = (std::collections::BTreeSet::new(), 0_u64, 0_u64);
    for key in reader {
        match key {
            Ok(key) => {
                rooms.insert(key.room_id);
                sessions += 1;
            }
            Err(_) => refusals += 1,
        }
    }
    let report = report.with("rooms", rooms.len()).with("sessions", sessions);
    match refusals {
        0 => report,
        count => report.problem(counted(count, "entry is malformed", "entries are malformed")),
    }
}

fn backup_version(whole: &str) -> Report {
    let report = Report::new("version of a backup");
    match BackupVersion::from_json(whole) {
        Ok(version) => report
            .with("public key", version.public_key.to_base64())
            .with_some("version", version.version)
            .with_some("keys", version.count),
        Err(error) => report.problem(error.to_string()),
    }
}

fn device(value: &Value) -> Report {
    let report = Report::new("keys of a device");
    let (Some(user), Some(device)) = (text(value, "user_id"), text(value, "device_id")) else {
        return report.problem("user_id or device_id is missing");
    };
    let report = report.with("user", user).with("device", device);
    match DeviceKeys::verify(value.clone(), user, device) {
        Ok(keys) => report
            .with("Ed25519 key", keys.identity_keys().ed25519.to_base64())
            .with("Curve25519 key", keys.identity_keys().curve25519.to_base64())
            .with("signature", "the device's own signature is valid"),
        Err(error) => report.problem(error.to_string()),
    }
}

fn cross_signing_key(value: &Value) -> Report {
    let usage: Vec<_> = value["usage"].as_array().into_iter().flatten().cloned().collect();
    let report = Report::new("cross-signing key").with("usage", usage);
    let Some(user) = text(value, "user_id") else { return report.problem("user_id is missing") };
    let report = report.with("user", user);
    // Only a master key stands for itself; another one is signed by it.
    match MasterKey::read(value.clone(), user) {
        Ok(key) => report.with("key", key.key().to_base64()),
        Err(_) => report.with("signature", "moceril verify checks it, with the master key"),
    }
}

fn storage_key(description: &KeyDescription) -> Report {
    let passphrase = description.passphrase.as_ref();
    Report::new("key of secret storage, as account data describes it")
        .with_some("name", description.name.clone())
        .with("passphrase", passphrase.is_some())
        .with_some("iterations", passphrase.map(|parameters| parameters.iterations))
        .with("checkable", description.check.is_some())
}

/// The content of an encrypted event.
fn encrypted(content: &Value) -> Option<Report> {
    match text(content, "algorithm")? {
        "m.megolm.v1.aes-sha2" => {
            let report = Report::new("encrypted event of a room");
            Some(match MegolmContent::from_json(content) {
                Ok(content) => report
                    .with("session id", content.session_id)
                    .with("version", version(content.message.version()))
                    .with("message index", content.message.message_index()),
                Err(error) => report.problem(error.to_string()),
            })
        }
        "m.olm.v1.curve25519-aes-sha2" => {
            let recipients = content.get("ciphertext").and_then(Value::as_object);
            let recipients = recipients.into_iter().flat_map(|messages| messages.keys());
            let recipients: Vec<_> = recipients.map(|key| Value::from(key.as_str())).collect();
            let report = Report::new("encrypted event between devices");
            let report = report.with_some("sender's key", text(content, "sender_key"));
            Some(report.with("to keys", recipients))
        }
        _ => None,
    }
}
