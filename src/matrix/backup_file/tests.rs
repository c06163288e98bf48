use std::{format, vec::Vec};

use super::*;
use crate::{
    keys::{Curve25519PublicKey, Ed25519SecretKey, IdentityKeys},
    wire::megolm::ExportedSessionKey,
};

fn room_key(room_id: &str, index: u32) -> ExportedRoomKey {
    let signing_key = Ed25519SecretKey::new().unwrap().public_key();
    let (version, ratchet) = ([1], [7; 128]);
    let index = index.to_be_bytes();
    let bytes = [&version[..], &index, &ratchet, signing_key.as_bytes()].concat();
    let session_key = ExportedSessionKey::from_bytes(&bytes).unwrap();
    let curve25519 = Curve25519PublicKey::from_bytes([9; 32]).unwrap();
    let sender = IdentityKeys { ed25519: signing_key, curve25519 };
    let mut key = ExportedRoomKey::new(room_id, session_key, sender);
    key.forwarding_chain.push(curve25519.to_base64());
    key
}

fn backed_up(key: &ExportedRoomKey, to: &BackupDecryptionKey) -> BackedUpKey {
    BackedUpKey::encrypt(key, &to.encryption_key()).unwrap()
}

#[test]
fn what_is_written_is_read_and_decrypted() {
    let key = BackupDecryptionKey::new().unwrap();
    let room_keys = [room_key("!b", 3), room_key("!a", 0), room_key("!b", 0)];
    let written = room_keys.each_ref().map(|room_key| backed_up(room_key, &key));
    assert_eq!(written[0].first_message_index, 3);
    assert_eq!((written[0].forwarded_count, written[0].is_verified), (1, false));
    let json = write(&written);
    let read: Result<Vec<_>, _> = BackupReader::new(&json).unwrap().collect();
    let read = read.unwrap();
    assert_eq!(read.len(), 3);
    for (room_key, written) in room_keys.iter().zip(&written) {
        assert!(read.contains(written));
        let opened = written.decrypt(&key).unwrap();
        assert_eq!(opened.room_id, room_key.room_id);
        assert_eq!(opened.session_key.to_bytes(), room_key.session_key.to_bytes());
    }
}

/// What a server answers about one room or one key is a part of the whole.
#[test]
fn a_room_and_a_key_are_read_by_themselves() {
    let key = BackupDecryptionKey::from_bytes([1; 32]);
    let (room_key, other) = (room_key("!a", 3), room_key("!a", 4));
    let entries = [backed_up(&room_key, &key), backed_up(&other, &key)];
    let backup: Value = serde_json::from_str(&write(&entries)).unwrap();
    let room = &backup["rooms"]["!a"];
    let text = room.to_string();
    let read: Result<Vec<_>, _> = BackupReader::of_room(&text, "!a".into()).unwrap().collect();
    let read = read.unwrap();
    assert!(read.len() == 2 && entries.iter().all(|entry| read.contains(entry)));
    let entry = room["sessions"][&entries[0].session_id].to_string();
    let id = entries[0].session_id.clone();
    assert_eq!(BackedUpKey::from_json(&entry, "!a".into(), id).as_ref(), Ok(&entries[0]));
    assert_eq!(entries[0].to_json().to_string(), entry);
    let refusal = BackupReader::of_room("{}", "!a".into()).unwrap_err();
    assert_eq!(refusal, BackupFileError::Malformed("sessions"));
}

#[test]
fn a_key_has_the_rank_of_its_entry() {
    let mut room_key = room_key("!a", 3);
    room_key.forwarding_chain.push("another".into());
    let entry = backed_up(&room_key, &BackupDecryptionKey::from_bytes([1; 32]));
    assert_eq!((entry.first_message_index, entry.forwarded_count), (3, 2));
    assert_eq!(rank_of(&room_key), entry.rank());
}

#[test]
fn an_error_names_the_member_that_causes_it() {
    let entry = backed_up(&room_key("!a", 3), &BackupDecryptionKey::from_bytes([1; 32]));
    let refused = |entry: &Value| {
        let read = BackedUpKey::from_json(&entry.to_string(), "!a".into(), String::new());
        read.unwrap_err()
    };
    for name in ["first_message_index", "forwarded_count", "is_verified", "session_data"] {
        let mut json = entry.to_json();
        json[name] = json!("A");
        assert_eq!(refused(&json), BackupFileError::Malformed(name));
    }
    for name in ["ciphertext", "mac", "ephemeral"] {
        let mut json = entry.to_json();
        json["session_data"][name] = json!(7);
        assert_eq!(refused(&json), BackupFileError::Malformed(name));
    }
    assert_eq!(refused(&json!([])), BackupFileError::Malformed("object"));
}

#[test]
fn a_session_that_is_there_twice_is_malformed() {
    let key = BackupDecryptionKey::from_bytes([1; 32]);
    let json = write(&[backed_up(&room_key("!a", 0), &key)]);
    let (before, sessions) = json.split_once(r#""sessions":{"#).unwrap();
    let entry = sessions.strip_suffix("}}}}").unwrap();
    let twice = format!(r#"{before}"sessions":{{{entry},{entry}}}}}}}}}"#);
    let read: Vec<_> = BackupReader::new(&twice).unwrap().collect();
    assert_eq!(read, [Err(BackupFileError::Malformed("sessions"))]);
}

#[test]
fn of_several_keys_of_a_session_the_one_that_a_server_keeps_is_written() {
    let key = BackupDecryptionKey::from_bytes([1; 32]);
    let room_key = room_key("!a", 5);
    // The ciphertexts differ.
    let [first, second] = [1, 2].map(|_| backed_up(&room_key, &key));
    let read = BackupReader::new(&write(&[first.clone(), second])).unwrap().next();
    assert_eq!(read, Some(Ok(first.clone())));
    let worst = BackedUpKey { forwarded_count: 2, ..first };
    let once = BackedUpKey { forwarded_count: 1, ..worst.clone() };
    let earlier = BackedUpKey { first_message_index: 3, ..worst.clone() };
    let verified = BackedUpKey { is_verified: true, ..worst.clone() };
    for (better, than) in [(&once, &worst), (&earlier, &once), (&verified, &earlier)] {
        for keys in [[better, than], [than, better]] {
            let json = write(&keys.map(Clone::clone));
            let read: Vec<_> = BackupReader::new(&json).unwrap().collect();
            assert_eq!(read, [Ok(better.clone())]);
        }
    }
}

#[test]
fn an_entry_under_another_id_and_one_to_another_key_are_refused() {
    let [key, other] = [1, 2].map(|byte| BackupDecryptionKey::from_bytes([byte; 32]));
    let mut entry = backed_up(&room_key("!a", 0), &key);
    let refusal = BackupFileError::Backup(BackupError::Decryption);
    assert_eq!(entry.decrypt(&other).unwrap_err(), refusal);
    entry.session_id = room_key("!a", 0).session_key.session_id();
    let refusal = BackupFileError::RoomKey(RoomKeyError::SessionId);
    assert_eq!(entry.decrypt(&key).unwrap_err(), refusal);
}

#[test]
fn what_is_malformed_does_not_keep_the_rest_from_being_read() {
    let key = BackupDecryptionKey::from_bytes([1; 32]);
    let (first, second) = (room_key("!a", 0), room_key("!c", 0));
    let json = write(&[backed_up(&first, &key), backed_up(&second, &key)]);
    let mut value: Value = serde_json::from_str(&json).unwrap();
    let id = first.session_key.session_id();
    value["rooms"]["!a"]["sessions"][&id]["session_data"]["mac"] = json!("AA");
    value["rooms"]["!b"] = json!({ "sessions": 7 });
    let json = value.to_string();
    let read: Vec<_> = BackupReader::new(&json).unwrap().collect();
    let length = DecodeError::Length { expected: 8, found: 1 };
    assert_eq!(read[0], Err(BackupFileError::Message(length)));
    assert_eq!(read[1], Err(BackupFileError::Malformed("sessions")));
    assert_eq!(read[2].as_ref().unwrap().room_id, "!c");
    assert_eq!(read.len(), 3);
    let twice = r#"{"rooms":{"!a":{"sessions":{}},"!a":{"sessions":{}}}}"#;
    for json in ["", "[]", "{}", "{\"rooms\":[]}", twice] {
        let refusal = BackupReader::new(json).unwrap_err();
        assert_eq!(refusal, BackupFileError::Malformed("rooms"));
    }
}
