//! S-02: room keys as JSON in files, backups and events, including malformed ones.

use moceril::{
    Base64Error, KeyError,
    megolm::{ExportedSessionKey, GroupSession, InboundGroupSession, SessionKey, SessionKeyError},
    olm::IdentityKeys,
    room_keys::{self, ExportedRoomKey, RoomKey, RoomKeyError},
};
use moceril_testing::{
    fixtures::group,
    rng::SeededRng,
    states,
    vector_file::{Layer, VectorFile, assert_at_least, check_each, files},
    vector_layer::key_layer,
};
use serde_json::{Value, json};

pub const ROOM: &str = "!room:example.org";

fn sender() -> GroupSession {
    group(moceril::MessageVersion::V3, 1).0
}

pub fn exported() -> ExportedSessionKey {
    InboundGroupSession::new(&sender().session_key()).export_at(0).unwrap()
}

pub fn device() -> IdentityKeys {
    states::account(0, &mut SeededRng::new(1)).identity_keys()
}

/// An entry of a file, as the specification shows it.
pub fn entry() -> Value {
    let key = exported();
    json!({
        "algorithm": "m.megolm.v1.aes-sha2",
        "room_id": ROOM,
        "session_id": key.session_id(),
        "session_key": &*key.to_base64(),
        "sender_key": device().curve25519.to_base64(),
        "sender_claimed_keys": { "ed25519": "aj40p+aw64yPIdsxoog8jhPu9i7l7NcFRecuOQblE3Y" },
        "forwarding_curve25519_key_chain": ["hPQNcabIABgGnx3/ACv/jmMmiQHoeFfuLB17tzWp6Hw"],
        "org.matrix.msc3061.shared_history": true,
    })
}

pub fn value(json: &str) -> Value {
    serde_json::from_str(json).unwrap()
}

fn read(json: &Value) -> Result<ExportedRoomKey, RoomKeyError> {
    ExportedRoomKey::from_json(&json.to_string())
}

pub fn is_exported(key: &ExportedSessionKey) -> bool {
    *key.to_base64() == *exported().to_base64()
}

#[test]
fn entries_of_files_come_back_as_they_were() {
    let key = read(&entry()).unwrap();
    assert_eq!((key.room_id.as_str(), key.sender_key), (ROOM, Some(device().curve25519)));
    assert!(is_exported(&key.session_key));
    assert_eq!(key.sender_claimed_keys.len(), 1);
    assert_eq!(key.forwarding_chain.len(), 1);
    assert_eq!(
        Value::Object(key.other.clone()),
        json!({ "org.matrix.msc3061.shared_history": true })
    );
    assert_eq!(value(&key.to_json().unwrap()), entry());

    // Members that some programs leave out.
    let mut less = entry();
    less.as_object_mut()
        .unwrap()
        .retain(|name, _| !name.contains("claimed") && !name.contains("chain"));
    let key = read(&less).unwrap();
    assert!(key.sender_claimed_keys.is_empty() && key.forwarding_chain.is_empty());
    let made = ExportedRoomKey::new(ROOM, exported(), device());
    let claimed = json!({ "ed25519": device().ed25519.to_base64() });
    let empty = json!({ "sender_claimed_keys": claimed, "forwarding_curve25519_key_chain": [] });
    let mut expected = entry();
    for (name, value) in empty.as_object().unwrap() {
        expected[name] = value.clone();
    }
    expected.as_object_mut().unwrap().remove("org.matrix.msc3061.shared_history");
    assert_eq!(value(&made.to_json().unwrap()), expected);
}

#[test]
fn backups_have_no_ids() {
    let mut data = entry();
    let members = data.as_object_mut().unwrap();
    members.remove("room_id");
    members.remove("session_id");
    let (json, id) = (data.to_string(), exported().session_id());
    let key = ExportedRoomKey::from_backup_json(&json, ROOM, &id).unwrap();
    assert!(is_exported(&key.session_key));
    assert_eq!(key.room_id, ROOM);
    assert_eq!(value(&key.to_backup_json().unwrap()), data);
    let other = ExportedRoomKey::from_backup_json(&json, ROOM, "another").unwrap_err();
    assert_eq!(other, RoomKeyError::SessionId);
    // A caller that adds a member with the name of a field does not make an object with two of
    // them.
    let mut key = key;
    key.other.insert(String::from("session_key"), json!("another"));
    assert_eq!(value(&key.to_backup_json().unwrap()), data);
    assert_eq!(key.to_backup_json().unwrap().matches("session_key").count(), 1);
}

/// The three forms of an exported key, from the members of an entry.
fn forms(entry: &Value) -> [Result<ExportedRoomKey, RoomKeyError>; 3] {
    let (json, id) = (entry.to_string(), exported().session_id());
    let mut forwarded = entry.clone();
    forwarded["sender_claimed_ed25519_key"] = json!(device().ed25519.to_base64());
    [
        ExportedRoomKey::from_json(&json),
        ExportedRoomKey::from_backup_json(&json, ROOM, &id),
        ExportedRoomKey::from_forwarded_json(&forwarded.to_string()),
    ]
}

/// Some programs write `null` for an empty list. No key is lost by that.
#[test]
fn optional_members_that_are_null_are_missing() {
    for name in ["sender_claimed_keys", "forwarding_curve25519_key_chain"] {
        let mut entry = entry();
        entry[name] = Value::Null;
        for (form, key) in forms(&entry).into_iter().enumerate() {
            let key = key.unwrap();
            let claims = [1, 1, 2][form] - usize::from(name == "sender_claimed_keys");
            assert!(is_exported(&key.session_key));
            assert_eq!(key.sender_claimed_keys.len(), claims.min(1), "{name} {form}");
            assert_eq!(key.forwarding_chain.is_empty(), !name.contains("claimed"), "{name}");
        }
    }
    for name in ["room_id", "session_id", "session_key", "algorithm"] {
        let mut entry = entry();
        entry[name] = Value::Null;
        assert_eq!(read(&entry).err(), Some(RoomKeyError::Malformed(name)));
    }
}

/// The key of the sender proves nothing, and whoever does not know it leaves it out. It is written
/// as an empty text, because the forms require the member.
#[test]
fn a_key_without_a_sender_is_not_lost() {
    for sender in [None, Some(Value::Null), Some(json!(""))] {
        let mut entry = entry();
        entry.as_object_mut().unwrap().remove("sender_key");
        entry.as_object_mut().unwrap().extend(sender.map(|key| ("sender_key".to_owned(), key)));
        for key in forms(&entry) {
            let key = key.unwrap();
            assert!(is_exported(&key.session_key));
            assert_eq!(key.sender_key, None);
            let written = [key.to_json(), key.to_backup_json(), key.to_forwarded_json()];
            for json in written {
                assert_eq!(value(&json.unwrap())["sender_key"], json!(""));
            }
        }
    }
    let mut entry = entry();
    for (bad, error) in [
        (json!(7), RoomKeyError::Malformed("sender_key")),
        (json!("AA"), RoomKeyError::SenderKey(KeyError::Length(1))),
    ] {
        entry["sender_key"] = bad;
        for key in forms(&entry) {
            assert_eq!(key.err(), Some(error));
        }
    }
}

#[test]
fn a_key_that_is_made_names_both_keys_of_its_device() {
    let made = ExportedRoomKey::new(ROOM, exported(), device());
    let forwarded = value(&made.to_forwarded_json().unwrap());
    assert_eq!(forwarded["sender_key"], json!(device().curve25519.to_base64()));
    assert_eq!(forwarded["sender_claimed_ed25519_key"], json!(device().ed25519.to_base64()));
    let unknown = ExportedRoomKey::with_unknown_sender(ROOM, exported());
    assert_eq!((unknown.sender_key, unknown.sender_claimed_keys.len()), (None, 0));
    assert_eq!(read(&value(&unknown.to_json().unwrap())).unwrap().sender_key, None);
}

/// "Shareable encryption sessions": only `true` allows a key to be given to others.
#[test]
fn a_key_is_shared_only_if_it_says_so() {
    let mut content = value(&RoomKey::new(ROOM, sender().session_key()).to_json().unwrap());
    let mut entry = entry();
    for (flag, shared) in [(json!(true), true), (json!(false), false), (json!("true"), false)] {
        content["shared_history"] = flag.clone();
        entry["shared_history"] = flag;
        assert_eq!(RoomKey::from_json(&content.to_string()).unwrap().shared_history(), shared);
        for key in forms(&entry) {
            let key = key.unwrap();
            assert_eq!(key.shared_history(), shared);
            assert_eq!(read(&value(&key.to_json().unwrap())).unwrap().shared_history(), shared);
        }
    }
    assert!(!RoomKey::new(ROOM, sender().session_key()).shared_history());
    assert!(!ExportedRoomKey::new(ROOM, exported(), device()).shared_history());
}

#[test]
fn forwarded_keys_name_the_claimed_key() {
    let mut content = entry();
    let members = content.as_object_mut().unwrap();
    let claimed = members.remove("sender_claimed_keys").unwrap()["ed25519"].clone();
    members.insert(String::from("sender_claimed_ed25519_key"), claimed);
    let mut key = ExportedRoomKey::from_forwarded_json(&content.to_string()).unwrap();
    assert_eq!(value(&key.to_json().unwrap()), entry());
    assert_eq!(value(&key.to_forwarded_json().unwrap()), content);
    key.sender_claimed_keys.clear();
    let missing = RoomKeyError::Malformed("sender_claimed_ed25519_key");
    assert_eq!(key.to_forwarded_json().err(), Some(missing));
    let error = ExportedRoomKey::from_forwarded_json(&entry().to_string()).err();
    assert_eq!(error, Some(missing));
}

#[test]
fn room_keys_come_back_as_they_were() {
    let session_key = sender().session_key();
    let content = json!({
        "algorithm": "m.megolm.v1.aes-sha2",
        "room_id": ROOM,
        "session_id": session_key.session_id(),
        "session_key": &*session_key.to_base64(),
        "org.example.other": [1, { "a": null }],
    });
    let key = RoomKey::from_json(&content.to_string()).unwrap();
    assert_eq!((key.room_id.as_str(), key.other.len()), (ROOM, 1));
    assert_eq!(*key.session_key.to_base64(), *session_key.to_base64());
    assert_eq!(value(&key.to_json().unwrap()), content);
    let new = RoomKey::new(ROOM, SessionKey::from_base64(&session_key.to_base64()).unwrap());
    assert!(RoomKey::from_json(&new.to_json().unwrap()).unwrap().other.is_empty());
    let mut other = content;
    other["session_id"] = json!("another");
    assert_eq!(RoomKey::from_json(&other.to_string()).err(), Some(RoomKeyError::SessionId));
}

/// No signature covers the members that are not described, so they need no canonical form: a key is
/// not lost because one of them is a fraction. What no `f64` can hold is an error of its key alone.
#[test]
fn other_numbers_than_integers_are_kept() {
    let mut content = value(&RoomKey::new(ROOM, sender().session_key()).to_json().unwrap());
    let mut altered = entry();
    let other = json!([-0.5, 1.25, 9_007_199_254_740_993_u64, u64::MAX, i64::MIN]);
    content["org.example.other"] = other.clone();
    altered["org.example.other"] = other.clone();
    let key = RoomKey::from_json(&content.to_string()).unwrap();
    assert_eq!(key.other["org.example.other"], other);
    assert_eq!(value(&key.to_json().unwrap()), content);
    assert_eq!(value(&read(&altered).unwrap().to_json().unwrap()), altered);

    let too_large = |json: &Value| json.to_string().replace("1.25", "1e999");
    let refused = Err(RoomKeyError::Malformed("object"));
    assert_eq!(RoomKey::from_json(&too_large(&content)).map(drop), refused);
    let file = format!("[{},{}]", too_large(&altered), entry());
    let keys: Vec<_> = room_keys::read_export(&file).map(|key| key.map(drop)).collect();
    assert_eq!(keys, [refused, Ok(())]);
}

#[test]
fn malformed_keys_are_refused() {
    let refused = |name: &str, member: Value| {
        let mut altered = entry();
        altered[name] = member;
        read(&altered).unwrap_err()
    };
    let malformed = RoomKeyError::Malformed;
    assert_eq!(refused("algorithm", json!("m.megolm.v2")), RoomKeyError::Algorithm);
    assert_eq!(refused("session_id", json!("another")), RoomKeyError::SessionId);
    for name in ["room_id", "session_id", "session_key", "algorithm"] {
        assert_eq!(refused(name, json!(1)), malformed(name));
        let mut without = entry();
        without.as_object_mut().unwrap().remove(name);
        assert_eq!(read(&without).err(), Some(malformed(name)));
    }
    for name in ["sender_claimed_keys", "forwarding_curve25519_key_chain"] {
        assert_eq!(refused(name, json!("A")), malformed(name));
    }
    let base64 = RoomKeyError::SessionKey(SessionKeyError::Base64(Base64Error::Invalid));
    assert_eq!(refused("session_key", json!("A\n")), base64);
    assert_eq!(refused("session_key", json!("A\"")), base64);
    assert_eq!(refused("sender_key", json!("AA")), RoomKeyError::SenderKey(KeyError::Length(1)));
    for json in ["", "[]", "null", "{", "{\"a\":1}}", "{\"algorithm\":\"m.megolm.v1.aes-sha2\"} x"]
    {
        assert!(ExportedRoomKey::from_json(json).is_err(), "{json}");
        assert!(RoomKey::from_json(json).is_err(), "{json}");
    }
}

/// JSON allows a program to escape any character. Some escape the slash or the plus sign, which
/// base64 has.
#[test]
fn escaped_session_keys_are_read() {
    let (secret, text) = (exported().to_base64(), entry().to_string());
    assert!(secret.contains('/') && secret.contains('+'));
    let shared = sender().session_key();
    let event = RoomKey::new(ROOM, shared.clone()).to_json().unwrap();
    let lower = |letter: char| format!("\\u{:04x}", u32::from(letter));
    let upper = |letter: char| format!("\\u{:04X}", u32::from(letter));
    let slash = |letter: char| match letter {
        '/' => String::from("\\/"),
        _ => String::from(letter),
    };
    let plus = |letter: char| if letter == '+' { upper(letter) } else { slash(letter) };
    for escape in [&lower as &dyn Fn(char) -> String, &upper, &slash, &plus] {
        let escaped = |text: &str| text.chars().map(escape).collect::<String>();
        let entry = text.replace(&*secret, &escaped(&secret));
        assert_ne!(entry, text);
        let read = ExportedRoomKey::from_json(&entry).unwrap();
        assert!(is_exported(&read.session_key));
        let backup = ExportedRoomKey::from_backup_json(&entry, ROOM, &exported().session_id());
        assert!(is_exported(&backup.unwrap().session_key));
        let file = format!("[{entry}]");
        let read = room_keys::read_export(&file).next().unwrap().unwrap();
        assert!(is_exported(&read.session_key));
        let event = event.replace(&*shared.to_base64(), &escaped(&shared.to_base64()));
        let read = RoomKey::from_json(&event).unwrap();
        assert_eq!(read.session_key.session_id(), shared.session_id());
    }
    // No other escape stands for a letter of base64.
    let invalid = RoomKeyError::SessionKey(SessionKeyError::Base64(Base64Error::Invalid));
    for escape in ["\\n", "\\\\", "\\\"", "\\u0141", "\\u0100", "\\u00c1", "\\uff0b", "\\u0000"] {
        let altered = [&secret[..4], escape, &secret[5..]].concat();
        let entry = text.replace(&*secret, &altered);
        assert_eq!(ExportedRoomKey::from_json(&entry).err(), Some(invalid), "{escape}");
    }
}

#[test]
fn files_are_read_one_by_one() {
    let entries: Vec<_> = (0..5)
        .map(|number| {
            let mut key = read(&entry()).unwrap();
            key.room_id = format!("!{number}:example.org");
            key
        })
        .collect();
    let json = room_keys::write_export(&entries).unwrap();
    let rooms = |json: &str| -> Vec<_> {
        room_keys::read_export(json).map(|key| key.map(|key| key.room_id)).collect()
    };
    let expected: Vec<_> = entries.iter().map(|key| Ok(key.room_id.clone())).collect();
    assert_eq!(rooms(&json), expected);
    assert_eq!(rooms(&json.replace("},{", "}\t ,\r\n {").replace(']', " ] \n")), expected);
    assert_eq!(&*room_keys::write_export(&[]).unwrap(), "[]");
    for empty in ["[]", " [ ] ", "\n[\n]\n"] {
        assert_eq!(rooms(empty), []);
    }
    // One that is malformed does not keep the others from being read.
    let mut expected = expected;
    expected[2] = Err(RoomKeyError::Malformed("room_id"));
    assert_eq!(rooms(&json.replace("\"!2:example.org\"", "2")), expected);
    // Malformed JSON is an error, and the end.
    let array = RoomKeyError::Malformed("array");
    for wrong in ["", " ", "{}", "[", "[,]", "[1", "[}", "[]]", "[] x", "]", "null", "[\"", "[{]"] {
        assert_eq!(rooms(wrong).last(), Some(&Err(array)), "{wrong}");
        assert!(rooms(wrong).len() <= 2, "{wrong}");
    }
    for wrong in ["[{},]", "[{} {}]", "[{}}", "[{}", "[{},", "[{}]]"] {
        let expected = [Err(RoomKeyError::Malformed("algorithm")), Err(array)];
        assert_eq!(rooms(wrong), expected, "{wrong}");
    }
}

/// What a vector says of a key that is read and written again: its values and the JSON.
type Read = (Vec<(&'static str, String)>, Value);

fn read_vector(file: &VectorFile) -> Result<Read, RoomKeyError> {
    let json = String::from_utf8(file.bytes("json")).unwrap();
    let form = file.text("form");
    if form == "room-key" {
        let key = RoomKey::from_json(&json)?;
        let values = vec![
            ("session-id", key.session_key.session_id()),
            ("session-key", key.session_key.to_base64().to_string()),
            ("room-id", key.room_id.clone()),
        ];
        return Ok((values, value(&key.to_json()?)));
    }
    let key = match form {
        "export" => ExportedRoomKey::from_json(&json),
        "forwarded" => ExportedRoomKey::from_forwarded_json(&json),
        "backup" => {
            let (room_id, session_id) = (file.text("room-id"), file.text("session-id"));
            ExportedRoomKey::from_backup_json(&json, room_id, session_id)
        }
        _ => panic!("unknown form {form}"),
    }?;
    let written = match form {
        "export" => key.to_json(),
        "forwarded" => key.to_forwarded_json(),
        _ => key.to_backup_json(),
    }?;
    let values = vec![
        ("session-id", key.session_key.session_id()),
        ("session-key", key.session_key.to_base64().to_string()),
        ("sender-key", key.sender_key.map_or_else(String::new, |key| key.to_base64())),
        ("room-id", key.room_id),
    ];
    Ok((values, value(&written)))
}

fn layer(error: RoomKeyError) -> Layer {
    match error {
        RoomKeyError::SessionKey(SessionKeyError::Base64(_))
        | RoomKeyError::SenderKey(KeyError::Base64(_)) => Layer::Base64,
        RoomKeyError::SessionKey(SessionKeyError::Version(_)) => Layer::Version,
        RoomKeyError::SessionKey(SessionKeyError::Signature) => Layer::Signature,
        RoomKeyError::SessionKey(SessionKeyError::Length { .. })
        | RoomKeyError::SenderKey(KeyError::Length(_))
        | RoomKeyError::Malformed(_)
        | RoomKeyError::Algorithm
        | RoomKeyError::SessionId => Layer::Format,
        RoomKeyError::SessionKey(SessionKeyError::Key(error)) | RoomKeyError::SenderKey(error) => {
            key_layer(error)
        }
        error => panic!("{error:?} has no layer"),
    }
}

/// What other programs write, and what the specification allows, is read, and written again without
/// the loss of a member. What is malformed, repeated or nested too deeply is refused.
#[test]
fn vectors() {
    let files = files("room-key");
    check_each(&files, |file| {
        assert_eq!(file.kind, "room-key");
        let read = read_vector(file);
        if let Some(expected) = file.expect {
            return assert_eq!(layer(read.unwrap_err()), expected);
        }
        let (values, written) = read.unwrap();
        for (name, value) in values {
            assert_eq!(value, file.text(name), "{name}");
        }
        assert_eq!(written, serde_json::from_slice::<Value>(&file.bytes("written")).unwrap());
    });
    assert_at_least(&files, "room-key", 19, 42);
}

/// The files that other programs have written.
#[test]
fn the_vectors_of_key_exports_are_read() {
    let mut read = 0;
    for file in files("key-export") {
        let json = String::from_utf8(file.bytes("plaintext")).unwrap();
        for key in room_keys::read_export(&json) {
            let key = key.unwrap();
            assert_eq!(
                InboundGroupSession::import(&key.session_key).session_id(),
                key.session_key.session_id()
            );
            read += 1;
        }
    }
    assert!(read >= 20, "{read}");
}
