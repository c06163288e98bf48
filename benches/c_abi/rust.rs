//! What the rows of `c.rs` do, without the C interface: our Rust library with base64 and libolm's
//! pickles.

use std::time::Duration;

use moceril::{
    megolm::{ExportedSessionKey, GroupSession, InboundGroupSession, MegolmMessage, SessionKey},
    olm::{Account, OlmMessage, PreKeyBundle, Session},
};

use crate::{
    TEXT,
    object::PICKLE_KEY,
    run::{Run, prepared, repeated},
};

fn account(one_time_keys: usize) -> Account {
    let mut account = Account::new().unwrap();
    account.generate_one_time_keys(one_time_keys).unwrap();
    account
}

fn bundle(account: &Account) -> PreKeyBundle {
    let (_, one_time_key) = account.signed_one_time_keys().remove(0);
    PreKeyBundle::verify(account.identity_keys(), &one_time_key).unwrap()
}

fn first_message(alice: &Account, bob: &PreKeyBundle) -> (Session, (usize, String)) {
    let mut session = alice.create_outbound_session(bob).unwrap();
    let message = session.encrypt(TEXT).unwrap().to_parts();
    (session, message)
}

fn accept(alice: &Account, bob: &mut Account, (kind, body): &(usize, String)) -> Session {
    let message = OlmMessage::from_parts(*kind, body).unwrap();
    let message = message.as_pre_key().unwrap();
    bob.create_inbound_session(alice.curve25519_key(), message).unwrap().session
}

fn ping(from: &mut Session, to: &mut Session) -> Vec<u8> {
    let (kind, body) = from.encrypt(TEXT).unwrap().to_parts();
    to.decrypt(&OlmMessage::from_parts(kind, &body).unwrap()).unwrap().into_plaintext()
}

fn conversation() -> (Session, Session) {
    let (alice, mut bob) = (account(0), account(1));
    let (mut ours, message) = first_message(&alice, &bundle(&bob));
    let mut theirs = accept(&alice, &mut bob, &message);
    ping(&mut theirs, &mut ours);
    ping(&mut ours, &mut theirs);
    (ours, theirs)
}

pub fn new_account() -> Run {
    repeated(|| Account::new().unwrap())
}

pub fn one_time_keys(count: usize) -> Run {
    prepared(|| account(0), move |account| account.generate_one_time_keys(count).unwrap())
}

pub fn outbound() -> Run {
    let (alice, bob) = (account(0), bundle(&account(1)));
    repeated(move || first_message(&alice, &bob))
}

pub fn inbound() -> Run {
    let (alice, bob) = (account(0), account(50));
    let (_, message) = first_message(&alice, &bundle(&bob));
    let pickle = bob.to_libolm_pickle_lossy(PICKLE_KEY).unwrap().0;
    prepared(
        move || Account::from_libolm_pickle(&pickle, PICKLE_KEY).unwrap(),
        move |bob| accept(&alice, bob, &message),
    )
}

pub fn encrypt() -> Run {
    let (mut ours, _) = conversation();
    repeated(move || ours.encrypt(TEXT).unwrap().to_parts())
}

pub fn encrypt_and_decrypt() -> Run {
    let (mut ours, mut theirs) = conversation();
    repeated(move || ping(&mut ours, &mut theirs))
}

pub fn ping_pong() -> Run {
    let (mut ours, mut theirs) = conversation();
    repeated(move || (ping(&mut theirs, &mut ours), ping(&mut ours, &mut theirs)))
}

pub fn group_encrypt() -> Run {
    let mut room = GroupSession::new(Duration::ZERO).unwrap();
    repeated(move || room.encrypt(TEXT).unwrap().to_base64())
}

pub fn group_decrypt() -> Run {
    let mut room = GroupSession::new(Duration::ZERO).unwrap();
    let mut receiver = InboundGroupSession::new(&room.session_key());
    prepared(
        move || room.encrypt(TEXT).unwrap().to_base64(),
        move |event| receiver.decrypt(&MegolmMessage::from_base64(event).unwrap()).unwrap(),
    )
}

pub fn newest_first(count: usize) -> Run {
    let mut room = GroupSession::new(Duration::ZERO).unwrap();
    let key = room.session_key();
    let events: Vec<_> = (0..count).map(|_| room.encrypt(TEXT).unwrap().to_base64()).collect();
    prepared(
        move || InboundGroupSession::new(&key),
        move |receiver| {
            for event in events.iter().rev() {
                receiver.decrypt(&MegolmMessage::from_base64(event).unwrap()).unwrap();
            }
        },
    )
}

pub fn session_key() -> Run {
    let key = GroupSession::new(Duration::ZERO).unwrap().session_key().to_base64();
    repeated(move || InboundGroupSession::new(&SessionKey::from_base64(&key).unwrap()))
}

pub fn exported_key() -> Run {
    let receiver =
        InboundGroupSession::new(&GroupSession::new(Duration::ZERO).unwrap().session_key());
    let key = receiver.export_at_first_known_index().unwrap().to_base64();
    repeated(move || InboundGroupSession::import(&ExportedSessionKey::from_base64(&key).unwrap()))
}

pub fn pickle_account(count: usize) -> Run {
    let account = account(count);
    repeated(move || account.to_libolm_pickle_lossy(PICKLE_KEY).unwrap().0)
}

pub fn unpickle_account(count: usize) -> Run {
    let pickle = account(count).to_libolm_pickle_lossy(PICKLE_KEY).unwrap().0;
    repeated(move || Account::from_libolm_pickle(&pickle, PICKLE_KEY).unwrap())
}

pub fn pickle_session() -> Run {
    let (session, _) = conversation();
    repeated(move || session.to_libolm_pickle_lossy(PICKLE_KEY).unwrap().0)
}

pub fn unpickle_session() -> Run {
    let pickle = conversation().0.to_libolm_pickle_lossy(PICKLE_KEY).unwrap().0;
    repeated(move || Session::from_libolm_pickle(&pickle, PICKLE_KEY).unwrap())
}

fn receiver() -> InboundGroupSession {
    InboundGroupSession::new(&GroupSession::new(Duration::ZERO).unwrap().session_key())
}

pub fn pickle_receiver() -> Run {
    let receiver = receiver();
    repeated(move || receiver.to_libolm_pickle_lossy(PICKLE_KEY).unwrap())
}

pub fn unpickle_receiver() -> Run {
    let (pickle, _) = receiver().to_libolm_pickle_lossy(PICKLE_KEY).unwrap();
    repeated(move || InboundGroupSession::from_libolm_pickle(&pickle, PICKLE_KEY).unwrap())
}
