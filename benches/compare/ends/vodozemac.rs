//! `vodozemac`.

use vodozemac::{
    megolm::{self, GroupSession, InboundGroupSession},
    olm::{self, Account, OlmMessage, Session},
};

use super::OLD;
use crate::lower_bound::TEXT;

pub fn olm_config() -> olm::SessionConfig {
    olm::SessionConfig::version_1()
}

pub fn megolm_config() -> megolm::SessionConfig {
    megolm::SessionConfig::version_1()
}

pub fn account(one_time_keys: usize) -> Account {
    let mut account = Account::new();
    account.generate_one_time_keys(one_time_keys);
    account
}

pub fn first_message(alice: &Account, bob: &Account) -> (Session, OlmMessage) {
    let one_time_key = *bob.one_time_keys().values().next().unwrap();
    let mut session =
        alice.create_outbound_session(olm_config(), bob.curve25519_key(), one_time_key).unwrap();
    let message = session.encrypt(TEXT).unwrap();
    (session, message)
}

/// Makes the inbound session and decrypts its first message.
pub fn accept(alice: &Account, bob: &mut Account, message: &OlmMessage) -> Session {
    let OlmMessage::PreKey(message) = message else {
        panic!("the first message is a pre-key message")
    };
    bob.create_inbound_session(olm_config(), alice.curve25519_key(), message).unwrap().session
}

/// Both ends of a session after a round trip. Our next message is in an established chain.
pub fn conversation() -> (Session, Session) {
    let (alice, mut bob) = (account(0), account(1));
    let (mut ours, message) = first_message(&alice, &bob);
    let mut theirs = accept(&alice, &mut bob, &message);
    ping(&mut theirs, &mut ours);
    ping(&mut ours, &mut theirs);
    (ours, theirs)
}

pub fn ping(from: &mut Session, to: &mut Session) {
    let message = from.encrypt(TEXT).unwrap();
    to.decrypt(&message).unwrap();
}

/// One end of an old session, which has as many receiver chains as it keeps, and has read the
/// latest message.
pub fn old_session() -> Session {
    let (mut ours, mut theirs) = conversation();
    for _ in 0..OLD {
        ping(&mut ours, &mut theirs);
        ping(&mut theirs, &mut ours);
    }
    ours
}

pub fn room() -> GroupSession {
    GroupSession::new(megolm_config())
}

pub fn receiver(room: &GroupSession) -> InboundGroupSession {
    InboundGroupSession::new(&room.session_key(), megolm_config())
}
