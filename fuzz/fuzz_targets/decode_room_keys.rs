//! S-02: room keys, backups and encrypted events as JSON. The first byte chooses the form.
#![no_main]

use libfuzzer_sys::fuzz_target;
use moceril::{
    Curve25519PublicKey, SecretString,
    backup_file::{self, BackedUpKey, BackupReader, BackupVersion},
    events::{MegolmContent, OlmContent},
    room_keys::{self, ExportParser, ExportedRoomKey, RoomKey, RoomKeyError},
};
use serde_json::{Value, value::RawValue};

const ROOM: &str = "!room:example.org";
/// The device of the vectors to which events are encrypted.
const RECIPIENT: &str = "6LXOTI3Vws+auMQauHPd0lge1rDv3r2lMcR22/1gLxk";

fuzz_target!(|data: &[u8]| {
    let Some((kind, rest)) = data.split_first() else { return };
    let Ok(text) = str::from_utf8(rest) else { return };
    match kind % 9 {
        0 => {
            file(text);
            bundle(text);
        }
        1 => room_key(text),
        2 => exported(text, ExportedRoomKey::from_json, ExportedRoomKey::to_json),
        3 => {
            exported(text, ExportedRoomKey::from_forwarded_json, ExportedRoomKey::to_forwarded_json)
        }
        4 => {
            // The id comes from outside: that of the key itself.
            let id = session_id(text).unwrap_or_default();
            let read = |text: &str| ExportedRoomKey::from_backup_json(text, "!room", &id);
            exported(text, read, ExportedRoomKey::to_backup_json);
        }
        5 => event(text),
        6 => backup(text),
        7 => backup_of_room(text),
        _ => backup_version(text),
    }
});

/// A backup that was read as a whole is written so that it is read as the same.
fn backup(text: &str) {
    let Ok(reader) = BackupReader::new(text) else { return };
    let keys: Result<Vec<_>, _> = reader.collect();
    if let Ok(keys) = keys {
        let written = backup_file::write(&keys);
        let again: Result<Vec<_>, _> = BackupReader::new(&written).unwrap().collect();
        assert_eq!(again, Ok(keys));
    }
}

/// A room, and a key, are read by themselves as in a backup.
fn backup_of_room(text: &str) {
    if let Ok(reader) = BackupReader::of_room(text, String::from("!a")) {
        let whole = format!(r#"{{"rooms":{{"!a":{text}}}}}"#);
        let whole: Vec<_> = BackupReader::new(&whole).unwrap().collect();
        assert_eq!(reader.collect::<Vec<_>>(), whole);
    }
    let key = BackedUpKey::from_json(text, String::from("!a"), String::from("b"));
    if let Ok(key) = key {
        let room = format!(r#"{{"sessions":{{"b":{text}}}}}"#);
        let in_room = BackupReader::of_room(&room, String::from("!a")).unwrap();
        assert_eq!(in_room.collect::<Vec<_>>(), [Ok(key)]);
    }
}

fn backup_version(text: &str) {
    if let Ok(version) = BackupVersion::from_json(text) {
        let again = BackupVersion::from_json(&version.to_json().to_string()).unwrap();
        assert_eq!(again.public_key, version.public_key);
    }
}

/// The reader of a file gives the entries that a reader of the whole file gives, and an error at
/// the end exactly if the text is not an array.
fn file(text: &str) {
    let read: Vec<_> = room_keys::read_export(text).map(|key| key.map(|key| debug(&key))).collect();
    match serde_json::from_str::<Vec<&RawValue>>(text) {
        Ok(entries) => {
            let expected: Vec<_> = entries
                .iter()
                .map(|entry| ExportedRoomKey::from_json(entry.get()).map(|key| debug(&key)))
                .collect();
            assert_eq!(read, expected);
        }
        Err(_) => assert_eq!(read.last(), Some(&Err(RoomKeyError::Malformed("array")))),
    }
    // In pieces it is the same, except that the end of a number shows only in what follows it.
    let text = format!("{text} ");
    let (mut parser, mut keys) = (ExportParser::new(), Vec::new());
    for piece in text.as_bytes().chunks(text.len() % 100 + 1) {
        parser.update(piece);
        while let Some(key) = parser.next_key() {
            keys.push(key.map(|key| debug(&key)));
        }
    }
    keys.extend(parser.finish().err().map(Err));
    assert_eq!(keys, read);
}

/// The keys of a bundle are of its room, and are given in turn.
fn bundle(text: &str) {
    let Ok(read) = room_keys::read_bundle(text, ROOM) else { return };
    let keys: Vec<_> = read.room_keys.into_iter().filter_map(Result::ok).collect();
    assert!(keys.iter().all(|key| key.room_id == ROOM && key.shared_history()));
    if let Ok(written) = room_keys::write_bundle(&keys, &read.withheld) {
        let again = room_keys::read_bundle(&written, ROOM).unwrap();
        assert_eq!(again.withheld, read.withheld);
        let ids = |key: &ExportedRoomKey| key.session_key.session_id();
        let again = again.room_keys.iter().map(|key| ids(key.as_ref().unwrap()));
        assert!(again.eq(keys.iter().map(ids)));
    }
}

/// All that a key is.
fn debug(key: &ExportedRoomKey) -> String {
    key.to_json().unwrap().to_string()
}

fn session_id(text: &str) -> Option<String> {
    let value: Value = serde_json::from_str(text).ok()?;
    let key = value.get("session_key")?.as_str()?;
    Some(key.parse::<moceril::megolm::ExportedSessionKey>().ok()?.session_id())
}

/// What was read is written so that it is read as the same.
fn exported(
    text: &str,
    read: impl Fn(&str) -> Result<ExportedRoomKey, RoomKeyError>,
    write: impl Fn(&ExportedRoomKey) -> Result<SecretString, RoomKeyError>,
) {
    if let Ok(key) = read(text)
        && key.other.values().all(is_exact)
    {
        let written = write(&key).unwrap();
        let again = read(&written).unwrap();
        assert_eq!(*write(&again).unwrap(), *written);
        assert_eq!(again.room_id, key.room_id);
        assert_eq!(again.session_key.session_id(), key.session_key.session_id());
        assert_eq!(again.sender_key, key.sender_key);
        let written: Value = serde_json::from_str(&written).unwrap();
        for (name, value) in &key.other {
            assert!(written.get(name) == Some(value) || FIELDS.contains(&name.as_str()), "{name}");
        }
    }
}

/// Whether numbers are integers. Others serde_json may round when it reads them.
fn is_exact(value: &Value) -> bool {
    match value {
        Value::Number(number) => !number.is_f64(),
        Value::Array(items) => items.iter().all(is_exact),
        Value::Object(members) => members.values().all(is_exact),
        _ => true,
    }
}

/// Members of another form, which the form that is written has not, or has otherwise.
const FIELDS: [&str; 3] = ["room_id", "session_id", "sender_claimed_ed25519_key"];

fn room_key(text: &str) {
    if let Ok(key) = RoomKey::from_json(text)
        && key.other.values().all(is_exact)
    {
        let written = key.to_json().unwrap();
        let again = RoomKey::from_json(&written).unwrap();
        assert_eq!(*again.to_json().unwrap(), *written);
        assert_eq!((&again.room_id, &again.other), (&key.room_id, &key.other));
    }
}

fn event(text: &str) {
    let Ok(content) = serde_json::from_str::<Value>(text) else { return };
    let recipient: Curve25519PublicKey = RECIPIENT.parse().unwrap();
    if let Ok(read) = OlmContent::from_json(&content, &recipient) {
        assert_eq!(OlmContent::from_json(&read.to_json(&recipient), &recipient), Ok(read));
    }
    if let Ok(read) = MegolmContent::from_json(&content) {
        let written = read.to_json();
        assert_eq!(MegolmContent::from_json(&written).as_ref(), Ok(&read));
        for (name, value) in &read.other {
            assert_eq!(written.get(name), Some(value));
        }
    }
}
