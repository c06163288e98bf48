//! S-02, S-16: the contents of encrypted events. An event and its message name the same sender.

use std::time::Duration;

use moceril::{
    Base64Error, Curve25519PublicKey, DecodeError, KeyError, MessageVersion,
    events::{EventError, MegolmContent, OlmContent},
    megolm::{MegolmMessage, RotationPolicy},
    olm::OlmMessage,
};
use moceril_testing::{
    fixtures::{Devices, group},
    vector_file::{Layer, VectorFile, assert_at_least, check_each, files},
    vector_layer::{decode_layer, key_layer},
};
use serde_json::{Value, json};

/// A pre-key message from Alice to Bob, and both of their keys.
fn olm() -> (OlmMessage, [Curve25519PublicKey; 2]) {
    let mut devices = Devices::new(1);
    let (_, pre_key) = devices.outbound(&devices.one_time_bundle(), MessageVersion::V3);
    let keys = [&devices.alice, &devices.bob].map(|account| account.curve25519_key());
    (OlmMessage::PreKey(pre_key), keys)
}

fn megolm() -> (String, MegolmMessage) {
    let (mut sender, _) = group(MessageVersion::V3, 1);
    (sender.session_id(), sender.encrypt(b"text").unwrap())
}

/// What a vector says of a content that is read and written again: its values and the JSON.
type Read = (Vec<(&'static str, String)>, Value);

fn read_vector(file: &VectorFile) -> Result<Read, EventError> {
    let content = serde_json::from_slice(&file.bytes("content")).unwrap();
    if let Some(recipient) = file.optional("recipient-key") {
        let recipient = recipient.parse().unwrap();
        let read = OlmContent::from_json(&content, &recipient)?;
        let (message_type, body) = read.message.to_parts();
        let values = vec![
            ("sender-key", read.sender_key.to_base64()),
            ("type", message_type.to_string()),
            ("body", body),
        ];
        return Ok((values, read.to_json(&recipient)));
    }
    let read = MegolmContent::from_json(&content)?;
    let values =
        vec![("session-id", read.session_id.clone()), ("ciphertext", read.message.to_base64())];
    Ok((values, read.to_json()))
}

fn layer(error: EventError) -> Layer {
    match error {
        EventError::Key(KeyError::Base64(_)) => Layer::Base64,
        EventError::Malformed(_)
        | EventError::Algorithm
        | EventError::Key(KeyError::Length(_))
        | EventError::Message(DecodeError::MessageType(_)) => Layer::Format,
        EventError::Key(error) => key_layer(error),
        EventError::Message(error) => decode_layer(error),
        EventError::SenderKey => Layer::KeysMismatch,
        EventError::NotForUs => Layer::UnknownKey,
        error => panic!("{error:?} has no layer"),
    }
}

/// What other programs write, and what the specification allows, is read, and written again with
/// the members of the specification, and for a room with all others. What is malformed is refused.
#[test]
fn vectors() {
    let files = files("encrypted-event");
    check_each(&files, |file| {
        assert_eq!(file.kind, "encrypted-event");
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
    assert_at_least(&files, "encrypted-event", 7, 36);
}

#[test]
fn olm_contents_come_back_as_they_were() {
    let (message, [alice, bob]) = olm();
    let (_, body) = message.to_parts();
    let content = OlmContent { sender_key: alice, message };
    let json = content.to_json(&bob);
    assert_eq!(
        json,
        json!({
            "algorithm": "m.olm.v1.curve25519-aes-sha2",
            "sender_key": alice.to_base64(),
            "ciphertext": { bob.to_base64(): { "type": 0, "body": body } },
        })
    );
    assert_eq!(OlmContent::from_json(&json, &bob), Ok(content));
    assert_eq!(OlmContent::from_json(&json, &alice), Err(EventError::NotForUs));
}

#[test]
fn other_olm_contents_are_refused() {
    let (message, [alice, bob]) = olm();
    let good = OlmContent { sender_key: alice, message }.to_json(&bob);
    let refused = |change: &dyn Fn(&mut Value)| {
        let mut content = good.clone();
        change(&mut content);
        OlmContent::from_json(&content, &bob).unwrap_err()
    };
    let malformed = EventError::Malformed;
    let ours = bob.to_base64();
    let short = EventError::Key(KeyError::Length(1));
    assert_eq!(refused(&|content| *content = json!([])), malformed("algorithm"));
    assert_eq!(refused(&|content| content["algorithm"] = json!("m.other")), EventError::Algorithm);
    assert_eq!(refused(&|content| content["sender_key"] = json!("AA")), short);
    assert_eq!(refused(&|content| content["sender_key"] = json!(1)), malformed("sender_key"));
    assert_eq!(refused(&|content| content["ciphertext"] = json!("text")), malformed("ciphertext"));
    for number in [json!(-1), json!("0"), json!(0.5), json!(null)] {
        let error = refused(&|content| content["ciphertext"][&ours]["type"] = number.clone());
        assert_eq!(error, malformed("type"));
    }
    let error = refused(&|content| content["ciphertext"][&ours]["type"] = json!(2));
    assert_eq!(error, EventError::Message(DecodeError::MessageType(2)));
    let error = refused(&|content| content["ciphertext"][&ours]["body"] = json!("-"));
    assert_eq!(error, EventError::Message(DecodeError::Base64(Base64Error::Invalid)));
    let error = refused(&|content| content["ciphertext"][&ours]["body"] = json!(1));
    assert_eq!(error, malformed("body"));
    // S-16: the pre-key message names Alice.
    let error = refused(&|content| content["sender_key"] = json!(ours));
    assert_eq!(error, EventError::SenderKey);
}

#[test]
fn megolm_contents_come_back_as_they_were() {
    let (id, message) = megolm();
    let ciphertext = message.to_base64();
    let mut content = MegolmContent::new(&id, message);
    let mut json = json!({
        "algorithm": "m.megolm.v1.aes-sha2",
        "session_id": id,
        "ciphertext": ciphertext,
    });
    assert_eq!(content.to_json(), json);
    assert_eq!(MegolmContent::from_json(&json).as_ref(), Ok(&content));
    json["m.relates_to"] = json!({ "rel_type": "m.thread" });
    json["sender_key"] = json!("of an older client");
    content = MegolmContent::from_json(&json).unwrap();
    assert_eq!((content.other.len(), content.to_json()), (2, json));
    // A field goes before a member of its name.
    content.other.insert(String::from("ciphertext"), json!("another"));
    assert_eq!(content.to_json()["ciphertext"], json!(ciphertext));
}

#[test]
fn other_megolm_contents_are_refused() {
    let (id, message) = megolm();
    let good = MegolmContent::new(&id, message).to_json();
    let refused = |name: &str, member: Value| {
        let mut content = good.clone();
        content[name] = member;
        MegolmContent::from_json(&content).unwrap_err()
    };
    for name in ["algorithm", "session_id", "ciphertext"] {
        assert_eq!(refused(name, json!(1)), EventError::Malformed(name));
    }
    assert_eq!(refused("algorithm", json!("m.olm.v1.curve25519-aes-sha2")), EventError::Algorithm);
    let error = EventError::Message(DecodeError::Base64(Base64Error::Invalid));
    assert_eq!(refused("ciphertext", json!("-")), error);
    assert_eq!(MegolmContent::from_json(&json!(1)), Err(EventError::Malformed("algorithm")));
}

/// S-20: a room's policy has the specification's units and defaults. No number is cut off, so that
/// a large one never becomes a small one or the other way round.
#[test]
fn s_20_a_rooms_rotation_policy_is_read() {
    const WEEK: u64 = 604_800_000;
    for (content, messages, age) in [
        (json!({ "rotation_period_msgs": 5, "rotation_period_ms": 1_500 }), 5, 1_500),
        (json!({}), 100, WEEK),
        (json!(null), 100, WEEK),
        (json!({ "rotation_period_msgs": 0, "rotation_period_ms": 0 }), 0, 0),
        (
            json!({ "rotation_period_msgs": u32::MAX, "rotation_period_ms": u64::MAX }),
            u32::MAX,
            u64::MAX,
        ),
        (json!({ "rotation_period_msgs": 1_u64 << 32, "rotation_period_ms": 1 }), 100, 1),
        (json!({ "rotation_period_msgs": -1, "rotation_period_ms": -1 }), 100, WEEK),
        (json!({ "rotation_period_msgs": 1.5, "rotation_period_ms": 1.5 }), 100, WEEK),
        (json!({ "rotation_period_msgs": "5", "rotation_period_ms": null }), 100, WEEK),
    ] {
        let expected = RotationPolicy::new(messages, Duration::from_millis(age));
        assert_eq!(RotationPolicy::from_json(&content), expected, "{content}");
    }
}
