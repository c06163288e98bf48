//! `moceril`.

use moceril::{
    PickleKey,
    megolm::{GroupSession, InboundGroupSession},
    olm::{Account, OlmMessage, PreKeyBundle, Session},
};

use super::{OLD, PICKLE_KEY};
use crate::lower_bound::TEXT;

pub const CONTEXT: &[u8] = b"@alice:example.org/DEVICEID";

pub fn pickle_key() -> PickleKey {
    PickleKey::from_bytes(*PICKLE_KEY)
}

pub fn account(one_time_keys: usize) -> Account {
    let mut account = Account::new().unwrap();
    account.generate_one_time_keys(one_time_keys).unwrap();
    account
}

pub fn bundle(account: &Account) -> PreKeyBundle {
    let (_, one_time_key) = account.signed_one_time_keys().remove(0);
    PreKeyBundle::verify(account.identity_keys(), &one_time_key).unwrap()
}

pub fn first_message(alice: &Account, bob: &Account) -> (Session, OlmMessage) {
    let mut session = alice.create_outbound_session(&bundle(bob)).unwrap();
    let message = session.encrypt(TEXT).unwrap();
    (session, message)
}

/// Both ends of a session after a round trip. Our next message is in an established chain.
pub fn conversation() -> (Session, Session) {
    let (alice, mut bob) = (account(0), account(1));
    let (mut ours, message) = first_message(&alice, &bob);
    let pre_key = message.as_pre_key().unwrap();
    let mut theirs = bob.create_inbound_session(alice.curve25519_key(), pre_key).unwrap().session;
    ping(&mut theirs, &mut ours);
    ping(&mut ours, &mut theirs);
    (ours, theirs)
}

pub fn ping(from: &mut Session, to: &mut Session) {
    let message = from.encrypt(TEXT).unwrap();
    to.decrypt(&message).unwrap();
}

/// Both ends of an old session. The second has as many receiver chains as it keeps, and has read
/// the latest message, as the first's next message is in the same chain.
pub fn old_conversation() -> (Session, Session) {
    let (mut ours, mut theirs) = conversation();
    for _ in 0..OLD {
        ping(&mut theirs, &mut ours);
        ping(&mut ours, &mut theirs);
    }
    (ours, theirs)
}

pub fn old_session() -> Session {
    old_conversation().1
}

pub fn receiver(room: &GroupSession) -> InboundGroupSession {
    InboundGroupSession::new(&room.session_key())
}
