//! What README.md promises beyond vodozemac, section by section: stricter where it matters, an
//! error instead of a panic wherever the signature has room for one.

#[cfg(all(feature = "insecure-pk-encryption", feature = "low-level-api"))]
mod by_hand;
mod failures;
mod messages;
mod one_time_keys;
mod stored_forms;
mod stricter;

use vodozemac::{
    Curve25519PublicKey,
    megolm::{GroupSession, GroupSessionPickle},
    olm::{self, Account, OlmMessage, PreKeyMessage, SessionConfig},
};

/// Of low order: 0, 1, and p - 1. Not canonical: p, and a stray top bit.
fn bad_keys() -> Vec<[u8; 32]> {
    let with = |first: u8, middle: u8, last: u8| {
        let mut bytes = [middle; 32];
        (bytes[0], bytes[31]) = (first, last);
        bytes
    };
    vec![[0; 32], with(1, 0, 0), with(0xec, 0xff, 0x7f), with(0xed, 0xff, 0x7f), with(9, 0, 0x80)]
}

/// Alice, Bob, Alice's session to Bob, and its first message.
fn pair() -> (Account, Account, olm::Session, PreKeyMessage) {
    let (alice, mut bob) = (Account::new(), Account::new());
    let one_time_key = bob.generate_one_time_keys(1).created[0];
    let (session, message) = outbound(&alice, bob.curve25519_key(), one_time_key);
    (alice, bob, session, message)
}

fn outbound(
    alice: &Account,
    identity_key: Curve25519PublicKey,
    key: Curve25519PublicKey,
) -> (olm::Session, PreKeyMessage) {
    let config = SessionConfig::version_1();
    let mut session = alice.create_outbound_session(config, identity_key, key).unwrap();
    let OlmMessage::PreKey(message) = session.encrypt("hello").unwrap() else { panic!() };
    (session, message)
}

/// Both ends of a session, of which Alice's sends only.
fn sessions() -> (olm::Session, olm::Session) {
    let (alice, mut bob, outbound, message) = pair();
    let config = SessionConfig::version_1();
    let inbound = bob.create_inbound_session(config, alice.curve25519_key(), &message).unwrap();
    (outbound, inbound.session)
}

/// The session, with its pickle changed.
fn edited(session: &GroupSession, edit: impl FnOnce(&mut serde_json::Value)) -> GroupSession {
    let mut json = serde_json::to_value(session.pickle()).unwrap();
    edit(&mut json);
    GroupSession::from(serde_json::from_value::<GroupSessionPickle>(json).unwrap())
}
