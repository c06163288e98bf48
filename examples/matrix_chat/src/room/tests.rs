use moceril::olm::{Account, PreKeyBundle};

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
    let mut session = GroupSession::new(now()).unwrap();
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
    let owner = Owner { user_id: Some("@them:there"), curve25519: "", ed25519: "" };
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
