use super::*;
use crate::{store::Directory, terminal::explained};

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
