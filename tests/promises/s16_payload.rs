//! S-16: the plaintext of a Matrix Olm event names both ends, and the receiver compares all of it.

use moceril::{
    device_keys::DeviceKeys,
    megolm::{GroupSession, GroupSessionConfig, InboundGroupSession},
    olm::{Account, DecryptedMessage, PreKeyBundle},
    payload::{Device, OlmPayload, PayloadError, RoomPayload},
    signed_json::{self, SignedJsonError},
};
use serde_json::{Value, json};

/// An account with the user it belongs to.
struct User {
    id: &'static str,
    account: Account,
}

impl User {
    fn new(id: &'static str) -> Self {
        let mut account = Account::new().unwrap();
        account.generate_one_time_keys(4).unwrap();
        Self { id, account }
    }

    fn device(&self) -> Device<'static> {
        Device { user_id: self.id, keys: self.account.identity_keys() }
    }
}

/// Carries a plaintext from one account to the other over Olm.
fn carry(plaintext: &[u8], from: &User, to: &mut User) -> DecryptedMessage {
    line(from, to)(plaintext)
}

/// A session between two accounts, for many plaintexts.
fn line(from: &User, to: &mut User) -> impl FnMut(&[u8]) -> DecryptedMessage {
    let (id, one_time_key) = to.account.signed_one_time_keys()[0];
    let bundle = PreKeyBundle::verify(to.account.identity_keys(), &one_time_key).unwrap();
    to.account.mark_as_published([id]);
    let mut sender = from.account.create_outbound_session(&bundle).unwrap();
    let first = sender.encrypt(b"").unwrap();
    let sender_key = from.account.curve25519_key();
    let created = to.account.create_inbound_session(sender_key, first.as_pre_key().unwrap());
    let mut receiver = created.unwrap().session;
    move |plaintext| receiver.decrypt(&sender.encrypt(plaintext).unwrap()).unwrap()
}

/// An event whose members hold these texts as they are: of the sender, then of the recipient.
fn event(users: [&str; 2], keys: [&str; 2], more: &str) -> String {
    let ([sender, recipient], [keys, recipient_keys]) = (users, keys);
    format!(
        r#"{{"type":"m.dummy","content":{{}},"sender":"{sender}","recipient":"{recipient}",
        "keys":{{"ed25519":"{keys}"}},"recipient_keys":{{"ed25519":"{recipient_keys}"}}{more}}}"#
    )
}

/// Nothing of this is in the form that a JSON library would write: the content's hash or signature
/// may depend on its bytes.
const CONTENT: &str = r#"{ "room_id": "\u0021cave:example.org", "algorithm":"m.megolm.v1.aes-sha2",
    "index": 1.0e2, "a\/b":12345678901234567890123, "a\/b": [ ] }"#;

#[test]
fn an_honest_event_is_accepted_with_its_content_unchanged() {
    let (alice, mut bob) = (User::new("@alice:a.example"), User::new("@bob:b.example"));
    let text = OlmPayload::encode("m.room_key", CONTENT, &alice.device(), &bob.device()).unwrap();
    let message = carry(text.as_bytes(), &alice, &mut bob);
    let payload = OlmPayload::verify(&message, &alice.device(), &bob.device()).unwrap();
    assert_eq!(payload.event_type, "m.room_key");
    assert_eq!(&*payload.content, CONTENT);
    assert!(!format!("{payload:?}").contains("megolm"), "S-29");
}

/// Mallory publishes Bob's keys as her own. Alice, who writes to Mallory, uses Bob's keys; Mallory
/// hands the message on, and Bob can decrypt it. He must see that it was not meant for him.
#[test]
fn a_message_for_somebody_who_claimed_our_keys_is_refused() {
    let (alice, mut bob) = (User::new("@alice:a.example"), User::new("@bob:b.example"));
    let mallory = Device { user_id: "@mallory:m.example", keys: bob.account.identity_keys() };
    let text = OlmPayload::encode("m.room_key", CONTENT, &alice.device(), &mallory).unwrap();
    let message = carry(text.as_bytes(), &alice, &mut bob);
    let verdict = OlmPayload::verify(&message, &alice.device(), &bob.device());
    assert_eq!(verdict.unwrap_err(), PayloadError::RecipientMismatch);
}

/// Mallory claims Alice's keys, so that Bob takes Alice's message for Mallory's.
#[test]
fn a_message_of_somebody_whose_keys_were_claimed_is_refused() {
    let (alice, mut bob) = (User::new("@alice:a.example"), User::new("@bob:b.example"));
    let mallory = Device { user_id: "@mallory:m.example", keys: alice.account.identity_keys() };
    let text = OlmPayload::encode("m.room_key", CONTENT, &alice.device(), &bob.device()).unwrap();
    let message = carry(text.as_bytes(), &alice, &mut bob);
    let verdict = OlmPayload::verify(&message, &mallory, &bob.device());
    assert_eq!(verdict.unwrap_err(), PayloadError::SenderMismatch);
}

#[test]
fn each_member_is_compared() {
    let (alice, mut bob) = (User::new("@alice:a.example"), User::new("@bob:b.example"));
    let carol = User::new("@carol:c.example");
    let (a, b, c) = (alice.device(), bob.device(), carol.device());
    let swap = |user_id, keys| Device { user_id, keys };
    let cases = [
        (c.user_id, a.keys, b, PayloadError::SenderMismatch),
        (a.user_id, c.keys, b, PayloadError::SenderKeyMismatch),
        (a.user_id, a.keys, swap(c.user_id, b.keys), PayloadError::RecipientMismatch),
        (a.user_id, a.keys, swap(b.user_id, c.keys), PayloadError::RecipientKeyMismatch),
    ];
    for (sender, sender_keys, recipient, expected) in cases {
        let text = OlmPayload::encode("m.dummy", "{}", &swap(sender, sender_keys), &recipient);
        let message = carry(text.unwrap().as_bytes(), &alice, &mut bob);
        assert_eq!(OlmPayload::verify(&message, &a, &b).unwrap_err(), expected);
    }
}

/// S-16: users and keys that look alike are not the same.
#[test]
fn members_are_compared_to_the_letter() {
    let (alice, mut bob) = (User::new("@alice:a.example"), User::new("@bob:b.example"));
    let (a, b) = (alice.device(), bob.device());
    let mut carry = line(&alice, &mut bob);
    let mut verdict = |users: [&str; 2], keys: [&str; 2]| {
        let message = carry(event(users, keys, "").as_bytes());
        OlmPayload::verify(&message, &a, &b).map(|_| ()).err()
    };
    let (users, keys) = ([a.user_id, b.user_id], [a, b].map(|device| device.keys.ed25519));
    let keys = keys.map(|key| key.to_base64());
    let keys = [keys[0].as_str(), &keys[1]];
    assert_eq!(verdict(users, keys), None);
    for end in 0..2 {
        let user = users[end];
        let cyrillic = user.replace('e', "е");
        let [upper, longer, spaced] =
            [user.to_uppercase(), format!("{user}.org"), format!("{user} ")];
        let expected = [PayloadError::SenderMismatch, PayloadError::RecipientMismatch][end];
        for near in ["", &user[1..], &user[..user.len() - 1], &upper, &longer, &spaced, &cyrillic] {
            let mut users = users;
            users[end] = near;
            assert_eq!(verdict(users, keys), Some(expected), "{near:?}");
        }
        let expected = [PayloadError::SenderKeyMismatch, PayloadError::RecipientKeyMismatch][end];
        let key = keys[end];
        for bad in ["", "_", &key[1..], &format!("{key}A"), &format!("{key}=="), &"/".repeat(43)] {
            let mut keys = keys;
            keys[end] = bad;
            assert_eq!(verdict(users, keys), Some(expected), "{bad:?}");
        }
    }
}

/// What other clients may write, with the same meaning: padded keys, escaped names, members that
/// are nobody's business here.
#[test]
fn other_forms_of_the_same_event_are_accepted() {
    let (alice, mut bob) = (User::new("@alice:a.example"), User::new("@bob:b.example"));
    let (a, b) = (alice.device(), bob.device());
    let mut carry = line(&alice, &mut bob);
    let padded = [a, b].map(|device| format!("{}=", device.keys.ed25519.to_base64()));
    let users = [r"\u0040alice:a.example", r"@b\u006fb:b.example"];
    let more = r#","sender_device_key":{"keys":{"ed25519:X":"sender"}},"recipient_":7"#;
    let text = event(users, [&padded[0], &padded[1]], more);
    let payload = OlmPayload::verify(&carry(text.as_bytes()), &a, &b).unwrap();
    assert_eq!((payload.event_type.as_str(), &*payload.content), ("m.dummy", "{}"));
    // But no bytes that are no text: not in the content, and not in a member that nobody reads.
    for place in ["{}", "7"] {
        let (before, after) = text.rsplit_once(place).unwrap();
        for (value, good) in [(b"{\"a\":\"\xc3\xa9\"}", true), (b"{\"a\":\"\xc3\xff\"}", false)] {
            let text = [before.as_bytes(), value, after.as_bytes()].concat();
            let verdict = OlmPayload::verify(&carry(&text), &a, &b);
            assert_eq!(verdict.err(), (!good).then_some(PayloadError::Malformed));
        }
    }
}

/// Whoever chooses a name cannot write other members with it.
#[test]
fn names_cannot_break_out_of_their_member() {
    let (mut alice, mut bob) = (User::new("@alice:a.example"), User::new("@bob:b.example"));
    alice.id = r#"@x","sender":"@alice:a.example"#;
    let kind = "m.\"},{\\\u{0}\n";
    let text = OlmPayload::encode(kind, "{}", &alice.device(), &bob.device()).unwrap();
    let message = carry(text.as_bytes(), &alice, &mut bob);
    let payload = OlmPayload::verify(&message, &alice.device(), &bob.device()).unwrap();
    assert_eq!(payload.event_type, kind);
    let honest = Device { user_id: "@alice:a.example", ..alice.device() };
    let verdict = OlmPayload::verify(&message, &honest, &bob.device());
    assert_eq!(verdict.unwrap_err(), PayloadError::SenderMismatch);
}

#[test]
fn the_session_must_be_with_the_senders_device() {
    let (alice, mut bob) = (User::new("@alice:a.example"), User::new("@bob:b.example"));
    let carol = User::new("@carol:c.example");
    let text = OlmPayload::encode("m.dummy", "{}", &alice.device(), &bob.device()).unwrap();
    let message = carry(text.as_bytes(), &carol, &mut bob);
    let verdict = OlmPayload::verify(&message, &alice.device(), &bob.device());
    assert_eq!(verdict.unwrap_err(), PayloadError::SenderKeyMismatch);
}

#[test]
fn each_member_must_be_there_once_and_well_formed() {
    let (alice, mut bob) = (User::new("@alice:a.example"), User::new("@bob:b.example"));
    let (a, b) = (alice.device(), bob.device());
    let whole = [
        ("type", r#""m.dummy""#.to_owned()),
        ("content", "{}".to_owned()),
        ("sender", format!("{:?}", a.user_id)),
        ("recipient", format!("{:?}", b.user_id)),
        ("recipient_keys", format!(r#"{{"ed25519":"{}"}}"#, b.keys.ed25519)),
        ("keys", format!(r#"{{"ed25519":"{}"}}"#, a.keys.ed25519)),
    ];
    let object = |members: &[(&str, String)]| {
        let members: Vec<_> =
            members.iter().map(|(name, value)| format!("{name:?}:{value}")).collect();
        format!("{{{}}}", members.join(","))
    };
    let mut verdict = |text: &str| {
        let message = carry(text.as_bytes(), &alice, &mut bob);
        bob.account.generate_one_time_keys(1).unwrap();
        OlmPayload::verify(&message, &a, &b).map(|payload| payload.event_type)
    };
    assert_eq!(verdict(&object(&whole)).as_deref(), Ok("m.dummy"));
    for (missing, (name, value)) in whole.iter().enumerate() {
        let mut members = whole.to_vec();
        members.remove(missing);
        assert_eq!(verdict(&object(&members)), Err(PayloadError::MissingMember(name)));
        members = whole.to_vec();
        members.push((name, value.clone()));
        assert_eq!(verdict(&object(&members)), Err(PayloadError::Malformed), "{name} twice");
        members = whole.to_vec();
        members[missing].1 = "7".to_owned();
        assert_eq!(verdict(&object(&members)), Err(PayloadError::Malformed), "{name} is a number");
    }
    for keys in [4, 5] {
        let mut members = whole.to_vec();
        members[keys].1 = "{}".to_owned();
        assert_eq!(verdict(&object(&members)), Err(PayloadError::MissingMember("ed25519")));
    }
    for text in ["", "{", "null", "[]", "{} {}"] {
        assert_eq!(verdict(text), Err(PayloadError::Malformed), "{text:?}");
    }
}

#[test]
fn only_an_object_can_be_sent_as_content() {
    let (alice, bob) = (User::new("@alice:a.example"), User::new("@bob:b.example"));
    for content in ["", "7", "[]", "\"x\"", "{", "{} {}", "{}}"] {
        let result = OlmPayload::encode("m.dummy", content, &alice.device(), &bob.device());
        assert_eq!(result.unwrap_err(), PayloadError::Malformed, "{content:?}");
    }
}

/// Device keys in the event are given to the caller with all that the device signed.
#[test]
fn device_keys_in_the_event_are_those_of_the_sender() {
    let (alice, mut bob) = (User::new("@alice:a.example"), User::new("@bob:b.example"));
    let (a, b) = (alice.device(), bob.device());
    let keys = DeviceKeys::new(&alice.account, alice.id, "PHONE").unwrap();
    let text = OlmPayload::encode_with_device_keys("m.dummy", CONTENT, &keys, &b).unwrap();
    let mut carry = line(&alice, &mut bob);
    let payload = OlmPayload::verify(&carry(text.as_bytes()), &a, &b).unwrap();
    assert_eq!((&*payload.content, payload.sender_device_keys), (CONTENT, Some(keys)));
    let text = OlmPayload::encode("m.dummy", CONTENT, &a, &b).unwrap();
    assert!(!text.contains("sender_device_keys"));
    let without =
        [text.to_string(), text.replace("{\"type", "{\"sender_device_keys\":null,\"type")];
    for text in without {
        let payload = OlmPayload::verify(&carry(text.as_bytes()), &a, &b).unwrap();
        assert_eq!(payload.sender_device_keys, None);
    }
}

/// "Validation of incoming decrypted events", step 5. Whoever believes them would take another
/// device, or another user, for the one that the session is with.
#[test]
fn device_keys_of_somebody_else_are_refused() {
    let (alice, mut bob) = (User::new("@alice:a.example"), User::new("@bob:b.example"));
    let carol = User::new("@carol:c.example");
    let (a, b) = (alice.device(), bob.device());
    let mut carry = line(&alice, &mut bob);
    let keys = [a, b].map(|device| device.keys.ed25519.to_base64());
    let mut verdict = |device_keys: &str| {
        let more = format!(",{device_keys}");
        let text = event([a.user_id, b.user_id], [&keys[0], &keys[1]], &more);
        OlmPayload::verify(&carry(text.as_bytes()), &a, &b).map(|_| ()).err()
    };
    let of = |object: &Value| format!(r#""sender_device_keys":{object}"#);
    let refused = PayloadError::SenderDeviceKeys;
    let device = |user: &User, id: &str| DeviceKeys::new(&user.account, id, "PHONE").unwrap();
    let genuine = device(&alice, alice.id).to_json();
    assert_eq!(verdict(&of(&genuine)), None);
    // Another user: with our keys, or with its own.
    for object in [device(&alice, carol.id), device(&carol, carol.id)] {
        let expected = refused(SignedJsonError::Mismatch("user_id"));
        assert_eq!(verdict(&of(&object.to_json())), Some(expected));
    }
    // Each of the keys is another, which the device itself has signed.
    let carols = device(&carol, carol.id).to_json();
    for (kind, signer) in [("curve25519", &alice), ("ed25519", &carol)] {
        let name = format!("{kind}:PHONE");
        let mut object = genuine.clone();
        object["keys"][&name] = carols["keys"][&name].clone();
        let unsigned = refused(SignedJsonError::Signature);
        assert_eq!(verdict(&of(&object)), Some(unsigned));
        signed_json::sign(&mut object, alice.id, "PHONE", &signer.account).unwrap();
        assert_eq!(verdict(&of(&object)), Some(refused(SignedJsonError::Mismatch("keys"))));
    }
    let mut object = genuine.clone();
    object["algorithms"] = json!([]);
    assert_eq!(verdict(&of(&object)), Some(refused(SignedJsonError::Signature)));
    object["signatures"] = json!({});
    assert_eq!(verdict(&of(&object)), Some(refused(SignedJsonError::MissingSignature)));
    let twice = format!("{},{}", of(&genuine), of(&genuine));
    for twice in [twice, format!(r#"{},"sender_device_keys":null"#, of(&genuine))] {
        assert_eq!(verdict(&twice), Some(PayloadError::Malformed));
    }
    for object in [json!(7), json!({}), json!([])] {
        let expected = refused(SignedJsonError::Malformed("device_id"));
        assert_eq!(verdict(&of(&object)), Some(expected));
    }
}

/// A key can be meant for one room and be used by a server in another: the plaintext says for which
/// room an event was written.
#[test]
fn an_event_of_another_room_is_refused() {
    let mut session = GroupSession::with_config(GroupSessionConfig::default()).unwrap();
    let mut inbound = InboundGroupSession::new(&session.session_key());
    let mut verdict = |text: &str| {
        let message = session.encrypt(text).unwrap();
        let payload = RoomPayload::verify(&inbound.decrypt(&message).unwrap(), "!a:x")?;
        assert!(!format!("{payload:?}").contains("megolm"), "S-29");
        Ok((payload.event_type, payload.content.to_string()))
    };
    let whole = RoomPayload::encode("m.room.message", CONTENT, "!a:x").unwrap();
    assert_eq!(verdict(&whole), Ok(("m.room.message".to_owned(), CONTENT.to_owned())));
    for other in ["!b:x", "!a:x ", "!A:x", ""] {
        let text = RoomPayload::encode("m.room.message", CONTENT, other).unwrap();
        assert_eq!(verdict(&text), Err(PayloadError::RoomMismatch));
    }
    let event = json!({ "type": "m", "content": {}, "room_id": "!a:x" });
    for name in ["type", "content", "room_id"] {
        let mut missing = event.clone();
        missing.as_object_mut().unwrap().remove(name);
        assert_eq!(verdict(&missing.to_string()), Err(PayloadError::MissingMember(name)));
        let mut wrong = event.clone();
        wrong[name] = json!(7);
        assert_eq!(verdict(&wrong.to_string()), Err(PayloadError::Malformed));
        let twice = event.to_string().replacen('{', &format!("{{{name:?}:{},", event[name]), 1);
        assert_eq!(verdict(&twice), Err(PayloadError::Malformed));
    }
    let quoted = RoomPayload::encode("m", "{}", r#"!a:x","room_id":"!b:x"#).unwrap();
    assert_eq!(verdict(&quoted), Err(PayloadError::RoomMismatch));
    for content in ["", "7", "[]", "{", "{}}"] {
        let refused = RoomPayload::encode("m", content, "!a:x").unwrap_err();
        assert_eq!(refused, PayloadError::Malformed);
    }
}
