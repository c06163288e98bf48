//! libolm.

use olm_rs::{
    PicklingMode,
    account::OlmAccount,
    inbound_group_session::OlmInboundGroupSession,
    outbound_group_session::OlmOutboundGroupSession,
    session::{OlmMessage, OlmSession, PreKeyMessage},
};
use serde_json::Value;

use super::{OLD, PICKLE_KEY, TEXT_AS_STR};

pub fn pickling() -> PicklingMode {
    PicklingMode::Encrypted { key: PICKLE_KEY.to_vec() }
}

pub fn account(one_time_keys: usize) -> OlmAccount {
    let account = OlmAccount::new();
    account.generate_one_time_keys(one_time_keys);
    account
}

/// The Curve25519 identity key and a one-time key.
pub fn published(account: &OlmAccount) -> (String, String) {
    let identity: Value = serde_json::from_str(&account.identity_keys()).unwrap();
    let one_time: Value = serde_json::from_str(&account.one_time_keys()).unwrap();
    let one_time_key = one_time["curve25519"].as_object().unwrap().values().next().unwrap();
    (identity["curve25519"].as_str().unwrap().into(), one_time_key.as_str().unwrap().into())
}

pub fn first_message(alice: &OlmAccount, bob: &OlmAccount) -> (OlmSession, OlmMessage) {
    let (identity_key, one_time_key) = published(bob);
    let session = alice.create_outbound_session(&identity_key, &one_time_key).unwrap();
    let message = session.encrypt(TEXT_AS_STR);
    (session, message)
}

pub fn pre_key(message: &OlmMessage) -> PreKeyMessage {
    match message {
        OlmMessage::PreKey(message) => message.clone(),
        OlmMessage::Message(_) => panic!("the first message is a pre-key message"),
    }
}

/// Makes the inbound session, decrypts its first message and uses the one-time key up.
pub fn accept(bob: &OlmAccount, message: PreKeyMessage) -> (OlmSession, String) {
    let session = bob.create_inbound_session(message.clone()).unwrap();
    let plaintext = session.decrypt(OlmMessage::PreKey(message)).unwrap();
    bob.remove_one_time_keys(&session).unwrap();
    (session, plaintext)
}

/// Both ends of a session after a round trip. Our next message is in an established chain.
pub fn conversation() -> (OlmSession, OlmSession) {
    let (alice, bob) = (account(0), account(1));
    let (ours, message) = first_message(&alice, &bob);
    let (theirs, _) = accept(&bob, pre_key(&message));
    ping(&theirs, &ours);
    ping(&ours, &theirs);
    (ours, theirs)
}

pub fn ping(from: &OlmSession, to: &OlmSession) {
    to.decrypt(from.encrypt(TEXT_AS_STR)).unwrap();
}

/// One end of an old session, which has as many receiver chains as it keeps, and has read the
/// latest message.
pub fn old_session() -> OlmSession {
    let (ours, theirs) = conversation();
    for _ in 0..OLD {
        ping(&ours, &theirs);
        ping(&theirs, &ours);
    }
    ours
}

pub fn receiver(room: &OlmOutboundGroupSession) -> OlmInboundGroupSession {
    OlmInboundGroupSession::new(&room.session_key()).unwrap()
}
