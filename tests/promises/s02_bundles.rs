//! S-02: bundles of room keys for users who join a room, also malformed ones.

use moceril::{
    megolm::Provenance,
    room_keys::{self, ExportedRoomKey, RoomKeyError, WithheldRoomKey},
};
use serde_json::json;

use crate::s02_room_keys::{ROOM, device, entry, exported, is_exported, value};

/// "Sharing keys between users": only keys that allow it are given, and only those of the room that
/// a bundle is for are read. They may be given to others in turn.
#[test]
fn bundles_have_the_shared_keys_of_one_room() {
    let mut key = ExportedRoomKey::new(ROOM, exported(), device());
    assert_eq!(room_keys::write_bundle(&[key.clone()], &[]).err(), Some(RoomKeyError::NotShared));
    key.other.insert(String::from("shared_history"), json!(true));
    let id = exported().session_id();
    let (curve25519, code) = (device().curve25519, WithheldRoomKey::HISTORY_NOT_SHARED);
    let same = WithheldRoomKey::new(ROOM, &id, curve25519, code);
    let both = room_keys::write_bundle(&[key.clone()], &[same]);
    assert_eq!(both.err(), Some(RoomKeyError::Withheld));
    let mut withheld = WithheldRoomKey::new(ROOM, "another", curve25519, code);
    withheld.reason = Some(String::from("It was before"));
    let of_another_room = WithheldRoomKey::new("!b:x", "another", curve25519, code);
    let bundle = room_keys::write_bundle(&[key], &[withheld.clone(), of_another_room]).unwrap();
    let json = value(&bundle);
    let mut expected = entry();
    expected["sender_claimed_keys"] = json!({ "ed25519": device().ed25519.to_base64() });
    for name in ["forwarding_curve25519_key_chain", "org.matrix.msc3061.shared_history"] {
        expected.as_object_mut().unwrap().remove(name);
    }
    assert_eq!(json["room_keys"], json!([expected]));
    assert_eq!(
        json["withheld"][0],
        json!({
            "algorithm": "m.megolm.v1.aes-sha2",
            "code": "m.history_not_shared",
            "reason": "It was before",
            "room_id": ROOM,
            "sender_key": curve25519.to_base64(),
            "session_id": "another",
        })
    );
    let read = room_keys::read_bundle(&bundle, ROOM).unwrap();
    let [Ok(key)] = &*read.room_keys else { panic!("{read:?}") };
    assert!(is_exported(&key.session_key) && key.shared_history());
    assert_eq!((key.provenance(), key.sender_key), (Provenance::Exported, Some(curve25519)));
    assert_eq!(read.withheld, [withheld]);
    let read = room_keys::read_bundle(&bundle, "!b:x").unwrap();
    assert_eq!((read.room_keys.len(), read.withheld.len()), (0, 1));
}

#[test]
fn what_is_malformed_in_a_bundle_keeps_nothing_else_from_being_read() {
    let bundle = json!({ "room_keys": [7, entry(), {}], "withheld": [7, { "code": 1 }] });
    let read = room_keys::read_bundle(&bundle.to_string(), ROOM).unwrap();
    let keys: Vec<_> = read.room_keys.into_iter().map(|key| key.map(drop)).collect();
    let malformed = |name| Err(RoomKeyError::Malformed(name));
    assert_eq!(keys, [malformed("object"), Ok(()), malformed("algorithm")]);
    assert_eq!(read.withheld, []);
    for empty in ["{}", r#"{"room_keys":null,"withheld":null}"#] {
        let read = room_keys::read_bundle(empty, ROOM).unwrap();
        assert!(read.room_keys.is_empty() && read.withheld.is_empty());
    }
    let twice = r#"{"room_keys":[],"room_keys":[]}"#;
    for bad in ["", "7", r#"{"room_keys":{}}"#, r#"{"withheld":7}"#, "{} {}", twice] {
        let refused = room_keys::read_bundle(bad, ROOM).unwrap_err();
        assert_eq!(refused, RoomKeyError::Malformed("object"), "{bad}");
    }
}
