use std::convert::Infallible;

use moceril::{
    TryCryptoRng,
    megolm::{ExportedSessionKey, GroupSessionConfig},
    olm::{Account, PreKeyBundle},
};
use rand::TryRng;

use super::*;
use crate::{fake_server::FakeServer, store::Directory, terminal::explained};

const ROOM: &str = "!room:here";
const TEXT: &str = "a secret text";

fn say(session: &mut GroupSession, room_id: &str, event_id: &str) -> Value {
    let content = json!({ "body": TEXT });
    let payload = json!({ "type": "m.room.message", "room_id": room_id, "content": content });
    let message = session.encrypt(payload.to_string()).unwrap();
    let content = MegolmContent::new(&session.session_id(), message).to_json();
    json!({ "event_id": event_id, "sender": "@them:there", "content": content })
}

#[test]
fn what_cannot_be_read_is_explained_without_secrets() {
    let directory = Directory::new();
    let store = Store::create(&directory).unwrap();
    let mut session = GroupSession::new(Duration::from_secs(now())).unwrap();
    let early = say(&mut session, ROOM, "$early\u{1b}[31m");
    let key = session.session_key();
    let said = say(&mut session, ROOM, "$said");

    let check = |event: &Value, expected: &str, index: &str| {
        let mut reason = String::new();
        let told = explained(|| match read(&store, ROOM, event).unwrap() {
            Read::NoKey(why) | Read::Bad(why) => reason = why,
            Read::Text { text, .. } => panic!("read {text:?}"),
        });
        assert!(reason.contains(expected), "{reason}");
        let event_id = event["event_id"].as_str().unwrap().split('\u{1b}').next().unwrap();
        for part in [&reason, index, ROOM, event_id] {
            assert!(told.contains(part), "{part}: {told}");
        }
        for secret in [TEXT, &*key.to_base64(), "\u{1b}"] {
            assert!(!told.contains(secret), "{secret:?}: {told}");
        }
    };
    check(&early, "the session is unknown", "index=0");
    let owner =
        Owner { user_id: Some("@them:there"), curve25519: "", ed25519: "", shared_history: false };
    keep(&store, ROOM, InboundGroupSession::new(&key), &owner).unwrap();
    check(&early, "message index 0 is before 1", "index=0");

    assert!(matches!(read(&store, ROOM, &said).unwrap(), Read::Text { text, .. } if text == TEXT));
    let mut again = said.clone();
    again["event_id"] = json!("$again");
    check(&again, "another event used message index 1", "index=1");

    let mut forged = say(&mut session, ROOM, "$forged");
    let mut ciphertext = said["content"]["ciphertext"].as_str().unwrap().to_owned();
    let place = ciphertext.len() / 2;
    let letter = if ciphertext.as_bytes()[place] == b'A' { "B" } else { "A" };
    ciphertext.replace_range(place..=place, letter);
    forged["content"]["ciphertext"] = json!(ciphertext);
    check(&forged, "not authentic", "index=1");

    check(&say(&mut session, "!other:here", "$moved"), "another room", "index=3");
    let mut stolen = say(&mut session, ROOM, "$stolen");
    stolen["sender"] = json!("@mallory:there");
    check(&stolen, "its key belongs to somebody else", "index=4");

    let mut removed = said.clone();
    removed["content"] = json!({});
    check(&removed, "it was removed", "");
    removed["content"] = json!({ "algorithm": "m.olm.v1.curve25519-aes-sha2" });
    check(&removed, "another algorithm", "");
}

/// Another ratchet under the id of this session, as anybody can write it into a file.
fn forged(session: &InboundGroupSession) -> ExportedSessionKey {
    let mut text = session.export_at_first_known_index().unwrap().to_base64().to_string();
    let letter = if text.as_bytes()[20] == b'A' { "B" } else { "A" };
    text.replace_range(20..=20, letter);
    ExportedSessionKey::from_base64(&text).unwrap()
}

#[test]
fn a_signed_key_replaces_a_forged_one() {
    let mut theirs = GroupSession::new(Duration::from_secs(now())).unwrap();
    let key = theirs.session_key();
    let signed = InboundGroupSession::new(&key);
    let event = say(&mut theirs, ROOM, "$event");
    let exported = signed.export_at_first_known_index().unwrap();
    let (of_signed, of_forged) = ("their key", "a forged key");
    for import in [InboundGroupSession::import, InboundGroupSession::import_from_backup] {
        let directory = Directory::new();
        let store = Store::create(&directory).unwrap();
        let keep = |session, curve25519| {
            let owner = Owner {
                user_id: Some("@them:there"),
                curve25519,
                ed25519: "",
                shared_history: false,
            };
            keep(&store, ROOM, session, &owner).map_err(|error| error.to_string())
        };
        let owner = || store.one::<String>("SELECT sender_key FROM inbound", []).unwrap().unwrap();
        let forged = || import(&forged(&signed));
        let refused = Err("it has the id of another session that we know".to_owned());
        assert_eq!(keep(forged(), of_forged), Ok(true));
        assert!(matches!(read(&store, ROOM, &event).unwrap(), Read::Bad(_)));
        // Nobody has signed this one, either.
        assert_eq!(keep(import(&exported), of_signed), refused);
        store.run("UPDATE inbound SET backed_up = 1", []).unwrap();
        assert_eq!(keep(InboundGroupSession::new(&key), of_signed), Ok(true));
        assert_eq!(store.one("SELECT backed_up FROM inbound", []).unwrap(), Some(false));
        assert!(matches!(read(&store, ROOM, &event).unwrap(), Read::Text { .. }));
        // What is signed stays.
        assert_eq!(keep(forged(), of_forged), refused);
        assert_eq!(owner(), of_signed);
        assert!(matches!(read(&store, ROOM, &event).unwrap(), Read::Text { .. }));
    }
}

/// What a session draws: a ratchet of this byte, and always the same signing key.
struct Ratchet(u8);

impl TryRng for Ratchet {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        unreachable!("a session draws bytes")
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        unreachable!("a session draws bytes")
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        bytes[..128].fill(self.0);
        bytes[128..].fill(0);
        Ok(())
    }
}

impl TryCryptoRng for Ratchet {}

/// Whoever signs two ratchets under one id gives up the second one.
#[test]
fn a_signed_key_replaces_no_signed_one() {
    let directory = Directory::new();
    let store = Store::create(&directory).unwrap();
    let keep = |ratchet, first| {
        let config = GroupSessionConfig::default();
        let mut session = GroupSession::with_rng(config, &mut Ratchet(ratchet)).unwrap();
        for _ in 0..first {
            session.encrypt("earlier").unwrap();
        }
        let owner = Owner { user_id: None, curve25519: "", ed25519: "", shared_history: false };
        keep(&store, ROOM, InboundGroupSession::new(&session.session_key()), &owner)
    };
    assert!(keep(1, 1).unwrap());
    for first in 0..3 {
        assert!(keep(2, first).is_err());
    }
    assert!(keep(1, 0).unwrap());
}

/// What the sender says of those who join later is kept, and goes into exports and backups. Our own
/// sessions say what the room says, and end when that changes.
#[test]
fn who_may_have_a_key_later_is_remembered() {
    let directory = Directory::new();
    let store = Store::create(&directory).unwrap();
    store.save_account(&Account::new().unwrap()).unwrap();
    let keys = Account::new().unwrap().identity_keys();
    let (user_id, device_id) = ("@them:there".to_owned(), "DEVICE".to_owned());
    let row = "INSERT INTO devices (user_id, device_id, ed25519, curve25519) VALUES (?, ?, ?, ?)";
    let texts = [&user_id, &device_id, &keys.ed25519.to_base64(), &keys.curve25519.to_base64()];
    store.run(row, texts).unwrap();
    let them = Device::find(&store, &user_id, &device_id).unwrap().unwrap();
    let exported = |session_id: &str| {
        let mut keys = room_key::select(&store, "1").unwrap();
        keys.retain(|key| key.session_id == session_id);
        let [key] = &keys[..] else { panic!("one key") };
        let in_backup: Value = serde_json::from_str(&key.key.to_backup_json().unwrap()).unwrap();
        let in_file: Value = serde_json::from_str(&key.key.to_json().unwrap()).unwrap();
        assert_eq!(in_backup["shared_history"], in_file["shared_history"]);
        in_file["shared_history"].as_bool().unwrap()
    };
    for (name, value, expected) in [
        ("shared_history", json!(true), true),
        ("shared_history", json!(false), false),
        ("shared_history", json!("true"), false),
        ("m.shared_history", json!(true), true),
        ("org.matrix.msc3061.shared_history", json!(true), true),
        ("other", json!(true), false),
    ] {
        let session = GroupSession::new(Duration::from_secs(now())).unwrap();
        let mut key = RoomKey::new(ROOM, session.session_key());
        key.other.insert(name.to_owned(), value);
        receive_key(&store, &them, &key.to_json().unwrap()).unwrap();
        assert_eq!(exported(&session.session_id()), expected, "{name}");
    }

    let row = "INSERT INTO rooms (room_id, membership, encrypted) VALUES (?, 'join', 1)";
    store.run(row, [ROOM]).unwrap();
    let server = FakeServer::new(|_| (200, "X: y".to_owned(), json!({})));
    let client = server.alice(store);
    let mut sessions = BTreeSet::new();
    for (visibility, expected) in [
        ("joined", false),
        ("invited", false),
        ("shared", true),
        ("world_readable", true),
        ("joined", false),
    ] {
        let content = json!({ "history_visibility": visibility });
        let event = json!({ "type": "m.room.history_visibility", "state_key": "",
            "content": content });
        crate::sync::state(&client.store, ROOM, &event).unwrap();
        send(&client, ROOM, TEXT, false).unwrap();
        let id = client.store.outbound(ROOM).unwrap().unwrap().session_id();
        let sql = "SELECT shared_history FROM inbound WHERE session_id = ?";
        assert_eq!(client.store.one(sql, [&id]).unwrap(), Some(expected), "{visibility}");
        sessions.insert(id);
    }
    assert_eq!(sessions.len(), 3, "one for each change");
}

/// Bob leaves, or his device, while we ask the server for a session with Carol: he gets no key.
#[test]
fn who_leaves_while_we_ask_the_server_gets_no_key() {
    for (leaves, then) in [
        (false, ""),
        (true, "UPDATE members SET membership = 'leave' WHERE user_id = '@bob:there'"),
        (true, "UPDATE devices SET gone = 1 WHERE user_id = '@bob:there'"),
    ] {
        let directory = Directory::new();
        let store = Store::create(&directory).unwrap();
        store.save_account(&Account::new().unwrap()).unwrap();
        let row = "INSERT INTO rooms (room_id, membership, encrypted) VALUES (?, 'join', 1)";
        store.run(row, [ROOM]).unwrap();
        for user_id in ["@alice:here", "@bob:there", "@carol:there"] {
            let row = "INSERT INTO members (room_id, user_id, membership) VALUES (?, ?, 'join')";
            store.run(row, [ROOM, user_id]).unwrap();
            let row = "INSERT INTO users (user_id, changes, known) VALUES (?, 1, 1)";
            store.run(row, [user_id]).unwrap();
        }
        for user_id in ["@bob:there", "@carol:there"] {
            let mut account = Account::new().unwrap();
            account.generate_one_time_keys(1).unwrap();
            let keys = account.identity_keys();
            let curve25519 = keys.curve25519.to_base64();
            let row = "INSERT INTO devices (user_id, device_id, ed25519, curve25519) \
                       VALUES (?, 'DEVICE', ?, ?)";
            store.run(row, [user_id, &keys.ed25519.to_base64(), &curve25519]).unwrap();
            if user_id == "@bob:there" {
                let (_, key) = account.signed_one_time_keys()[0];
                let bundle = PreKeyBundle::verify(keys, &key).unwrap();
                let session = store.account().unwrap().create_outbound_session(&bundle).unwrap();
                store.save_olm_session(&curve25519, &session, false).unwrap();
            }
        }
        let path = directory.to_path_buf();
        let server = FakeServer::new(move |request| {
            if request.contains("/keys/claim") {
                Store::open(&path).unwrap().db.execute_batch(then).unwrap();
            }
            (200, "X: y".to_owned(), json!({}))
        });
        let client = server.alice(store);
        send(&client, ROOM, TEXT, false).unwrap();
        let have: Vec<String> = client.store.all("SELECT user_id FROM shared", []).unwrap();
        let to_devices =
            server.requests().iter().any(|request| request.contains(olm::SEND_ENCRYPTED));
        assert_eq!((have.is_empty(), to_devices), (leaves, !leaves), "{then}: {have:?}");
        assert!(server.requests().iter().any(|request| request.contains("/send/")));
    }
}
