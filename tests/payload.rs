//! S-16: the plaintext of a Matrix Olm event names both ends, and the receiver compares all of it.
#![cfg(feature = "payload")]

use moceril::{
    matrix::payload::{Device, OlmPayload, PayloadError},
    olm::{Account, DecryptedMessage, PreKeyBundle},
};

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
    let (id, one_time_key) = to.account.signed_one_time_keys()[0];
    let bundle = PreKeyBundle::verify(to.account.identity_keys(), &one_time_key).unwrap();
    to.account.mark_as_published([id]);
    let mut session = from.account.create_outbound_session(&bundle).unwrap();
    let message = session.encrypt(plaintext).unwrap();
    let sender_key = from.account.curve25519_key();
    to.account.create_inbound_session(sender_key, message.as_pre_key().unwrap()).unwrap().message
}

const CONTENT: &str = r#"{"algorithm":"m.megolm.v1.aes-sha2","room_id":"!cave:example.org"}"#;

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

#[test]
fn the_session_must_be_with_the_senders_device() {
    let (alice, mut bob) = (User::new("@alice:a.example"), User::new("@bob:b.example"));
    let carol = User::new("@carol:c.example");
    let text = OlmPayload::encode("m.dummy", "{}", &alice.device(), &bob.device()).unwrap();
    let mut message = carry(text.as_bytes(), &carol, &mut bob);
    let verdict = OlmPayload::verify(&message, &alice.device(), &bob.device());
    assert_eq!(verdict.unwrap_err(), PayloadError::SenderKeyMismatch);
    // Of an imported session whose peer is not known, nothing can be verified.
    message.sender_key = None;
    let verdict = OlmPayload::verify(&message, &carol.device(), &bob.device());
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
