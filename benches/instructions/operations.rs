//! The operations that are counted. Each makes [`MOST_RUNS`] inputs, and uses as many of them as
//! it has runs.

use std::hint::black_box;

use moceril::{
    PickleKey,
    megolm::{GroupSession, GroupSessionConfig, InboundGroupSession, MegolmMessage, SessionKey},
    olm::{Account, OlmMessage, PreKeyBundle, Session, SessionConfig},
};

use crate::{MOST_RUNS, seeded::Seeded};

type Operation = (&'static str, fn(usize));

pub const OPERATIONS: [Operation; 12] = [
    ("outbound_session", outbound_session),
    ("inbound_session", inbound_session),
    ("olm_encrypt", olm_encrypt),
    ("olm_decrypt", olm_decrypt),
    ("olm_ping_pong", olm_ping_pong),
    ("session_unpickle_and_pickle", session_unpickle_and_pickle),
    ("group_session_unpickle_and_pickle", group_session_unpickle_and_pickle),
    ("megolm_encrypt", megolm_encrypt),
    ("megolm_decrypt", megolm_decrypt),
    ("megolm_decrypt_newest_first", megolm_decrypt_newest_first),
    ("megolm_decrypt_batch_of_100", megolm_decrypt_batch),
    ("session_key", session_key),
];

/// The length of a short Matrix event.
const TEXT: &[u8] = &[b'm'; 200];

fn each<T>(count: usize, make: impl FnMut(usize) -> T) -> Vec<T> {
    (0..count).map(make).collect()
}

/// Alice, and Bob with 50 one-time keys.
fn accounts(rng: &mut Seeded) -> (Account, Account) {
    let alice = Account::with_rng(rng).unwrap();
    let mut bob = Account::with_rng(rng).unwrap();
    bob.generate_one_time_keys_with_rng(50, rng).unwrap();
    (alice, bob)
}

fn bundle(account: &Account) -> PreKeyBundle {
    let (_, one_time_key) = account.signed_one_time_keys().remove(0);
    PreKeyBundle::verify(account.identity_keys(), &one_time_key).unwrap()
}

fn first_message(
    alice: &Account,
    bundle: &PreKeyBundle,
    rng: &mut Seeded,
) -> (Session, OlmMessage) {
    let config = SessionConfig::default();
    let mut session = alice.create_outbound_session_with_rng(bundle, config, rng).unwrap();
    let message = session.encrypt_with_rng(TEXT, rng).unwrap();
    (session, message)
}

fn ping(from: &mut Session, to: &mut Session, rng: &mut Seeded) {
    let message = from.encrypt_with_rng(TEXT, rng).unwrap();
    to.decrypt(&message).unwrap();
}

/// Both ends after a round trip: Alice's next message is in an established chain.
fn conversation(rng: &mut Seeded) -> (Session, Session) {
    let (alice, mut bob) = accounts(rng);
    let (mut ours, message) = first_message(&alice, &bundle(&bob), rng);
    let message = message.as_pre_key().unwrap();
    let mut theirs = bob.create_inbound_session(alice.curve25519_key(), message).unwrap().session;
    ping(&mut theirs, &mut ours, rng);
    ping(&mut ours, &mut theirs, rng);
    (ours, theirs)
}

fn outbound_session(runs: usize) {
    let mut rng = Seeded(1);
    let (alice, bob) = accounts(&mut rng);
    let bundle = bundle(&bob);
    for _ in 0..runs {
        black_box(first_message(&alice, &bundle, &mut rng));
    }
}

fn inbound_session(runs: usize) {
    let mut rng = Seeded(2);
    let (alice, bob) = accounts(&mut rng);
    let key = PickleKey::from_bytes([7; 32]);
    let pickle = bob.pickle_with_rng(&key, b"", &mut rng).unwrap();
    let bundle = bundle(&bob);
    let mut inputs = each(MOST_RUNS, |_| {
        let bob = Account::from_pickle(&pickle, &key, b"").unwrap();
        (bob, first_message(&alice, &bundle, &mut rng).1)
    });
    for (bob, message) in &mut inputs[..runs] {
        let message = message.as_pre_key().unwrap();
        black_box(bob.create_inbound_session(alice.curve25519_key(), message).unwrap());
    }
}

fn olm_encrypt(runs: usize) {
    let mut rng = Seeded(3);
    let (mut ours, _) = conversation(&mut rng);
    for _ in 0..runs {
        black_box(ours.encrypt_with_rng(TEXT, &mut rng).unwrap());
    }
}

fn olm_decrypt(runs: usize) {
    let mut rng = Seeded(4);
    let (mut ours, mut theirs) = conversation(&mut rng);
    let messages = each(MOST_RUNS, |_| ours.encrypt_with_rng(TEXT, &mut rng).unwrap());
    for message in &messages[..runs] {
        black_box(theirs.decrypt(message).unwrap());
    }
}

fn olm_ping_pong(runs: usize) {
    let mut rng = Seeded(5);
    let (mut ours, mut theirs) = conversation(&mut rng);
    for _ in 0..runs {
        ping(&mut theirs, &mut ours, &mut rng);
        ping(&mut ours, &mut theirs, &mut rng);
    }
}

fn session_unpickle_and_pickle(runs: usize) {
    let mut rng = Seeded(6);
    let (ours, _) = conversation(&mut rng);
    let key = PickleKey::from_bytes([7; 32]);
    let pickle = ours.pickle_with_rng(&key, b"", &mut rng).unwrap();
    for _ in 0..runs {
        let session = Session::from_pickle(&pickle, &key, b"").unwrap();
        black_box(session.pickle_with_rng(&key, b"", &mut rng).unwrap());
    }
}

fn group_session_unpickle_and_pickle(runs: usize) {
    let mut rng = Seeded(30);
    let key = PickleKey::from_bytes([7; 32]);
    let pickle = room(31).pickle_with_rng(&key, b"", &mut rng).unwrap();
    for _ in 0..runs {
        let room = GroupSession::from_pickle(&pickle, &key, b"").unwrap();
        black_box(room.pickle_with_rng(&key, b"", &mut rng).unwrap());
    }
}

fn room(seed: u64) -> GroupSession {
    GroupSession::with_rng(GroupSessionConfig::default(), &mut Seeded(seed)).unwrap()
}

fn megolm_encrypt(runs: usize) {
    let mut room = room(7);
    for _ in 0..runs {
        black_box(room.encrypt(TEXT).unwrap().to_base64());
    }
}

fn megolm_decrypt(runs: usize) {
    let mut room = room(8);
    let mut theirs = InboundGroupSession::new(&room.session_key());
    let events = each(MOST_RUNS, |_| room.encrypt(TEXT).unwrap().to_base64());
    for event in &events[..runs] {
        black_box(theirs.decrypt(&MegolmMessage::from_base64(event).unwrap()).unwrap());
    }
}

/// While the room goes on: after each older event comes a new one.
fn megolm_decrypt_newest_first(runs: usize) {
    let mut room = room(32);
    let mut theirs = InboundGroupSession::new(&room.session_key());
    let events = each(200, |_| room.encrypt(TEXT).unwrap());
    for place in 0..runs {
        theirs.decrypt(&events[120 + place]).unwrap();
        black_box(theirs.decrypt(&events[119 - place]).unwrap());
    }
}

fn megolm_decrypt_batch(runs: usize) {
    let mut room = room(9);
    let key = room.session_key();
    let events = each(100, |_| room.encrypt(TEXT).unwrap());
    let mut receivers = each(MOST_RUNS, |_| InboundGroupSession::new(&key));
    for theirs in &mut receivers[..runs] {
        black_box(theirs.decrypt_batch(&events));
    }
}

fn session_key(runs: usize) {
    let keys = each(MOST_RUNS, |place| room(10 + place as u64).session_key().to_base64());
    for key in &keys[..runs] {
        black_box(InboundGroupSession::new(&SessionKey::from_base64(key).unwrap()));
    }
}
