//! Olm: each operation and its lower bound.

use benches::{
    beside::{self, BATCH, beside_lower_bound},
    lower_bound::{
        self, TEXT,
        olm::{Chain, Handshake, PingPong, sealed_message},
    },
};
use criterion::{Criterion, criterion_group, criterion_main};
use moceril::{
    PickleKey,
    olm::{Account, OlmMessage, PreKeyBundle, Session},
};

/// The number of keys that a client generates at a time.
const ONE_TIME_KEYS: usize = 50;

fn account_with_one_time_keys() -> Account {
    let mut account = Account::new().unwrap();
    account.generate_one_time_keys(ONE_TIME_KEYS).unwrap();
    account
}

fn bundle(account: &Account) -> PreKeyBundle {
    let (_, one_time_key) = account.signed_one_time_keys().remove(0);
    PreKeyBundle::verify(account.identity_keys(), &one_time_key).unwrap()
}

fn first_message(alice: &Account, bob: &Account) -> (Session, OlmMessage) {
    let mut session = alice.create_outbound_session(&bundle(bob)).unwrap();
    let message = session.encrypt(TEXT).unwrap();
    (session, message)
}

/// Both ends of a session, after a message in each direction.
fn conversation() -> (Session, Session) {
    let (alice, mut bob) = (Account::new().unwrap(), account_with_one_time_keys());
    let (mut ours, message) = first_message(&alice, &bob);
    let pre_key = message.as_pre_key().unwrap();
    let mut theirs = bob.create_inbound_session(alice.curve25519_key(), pre_key).unwrap().session;
    ours.decrypt(&theirs.encrypt(TEXT).unwrap()).unwrap();
    // Our next message begins a chain, and all later ones belong to it.
    theirs.decrypt(&ours.encrypt(TEXT).unwrap()).unwrap();
    (ours, theirs)
}

fn keys(c: &mut Criterion) {
    beside_lower_bound(
        c,
        "account, new",
        1,
        |b| b.iter(|| Account::new().unwrap()),
        |b| b.iter(lower_bound::olm::account),
    );
    beside_lower_bound(
        c,
        "50 one-time keys",
        ONE_TIME_KEYS as u64,
        |b| {
            b.iter_batched_ref(
                || Account::new().unwrap(),
                |account| account.generate_one_time_keys(ONE_TIME_KEYS).unwrap(),
                BATCH,
            );
        },
        |b| {
            b.iter(|| lower_bound::olm::one_time_keys(ONE_TIME_KEYS));
        },
    );
}

fn sessions(c: &mut Criterion) {
    let alice = Account::new().unwrap();
    let bob = account_with_one_time_keys();
    let bundle = bundle(&bob);
    let mut handshake = Handshake::new();

    beside_lower_bound(
        c,
        "outbound session and first message",
        1,
        |b| {
            b.iter(|| {
                let mut session = alice.create_outbound_session(&bundle).unwrap();
                session.encrypt(TEXT).unwrap()
            });
        },
        |b| b.iter(|| handshake.outbound()),
    );

    let (_, message) = first_message(&alice, &bob);
    let pre_key = message.as_pre_key().unwrap();
    let pickle_key = PickleKey::from_bytes([7; 32]);
    let pickle = bob.pickle(&pickle_key, b"").unwrap();
    beside_lower_bound(
        c,
        "inbound session from pre-key message",
        1,
        |b| {
            b.iter_batched_ref(
                || Account::from_pickle(&pickle, &pickle_key, b"").unwrap(),
                |bob| bob.create_inbound_session(alice.curve25519_key(), pre_key).unwrap(),
                BATCH,
            );
        },
        |b| {
            let sealed = sealed_message();
            b.iter_batched_ref(|| sealed.clone(), |sealed| handshake.inbound(sealed), BATCH);
        },
    );
}

fn messages(c: &mut Criterion) {
    beside_lower_bound(
        c,
        "encrypt, established chain",
        1,
        |b| {
            let (mut ours, _) = conversation();
            b.iter(|| ours.encrypt(TEXT).unwrap());
        },
        |b| {
            let mut chain = Chain::new();
            b.iter(|| chain.send());
        },
    );
    beside_lower_bound(
        c,
        "encrypt and decrypt in order",
        1,
        |b| {
            let (mut ours, mut theirs) = conversation();
            b.iter(|| {
                let message = ours.encrypt(TEXT).unwrap();
                theirs.decrypt(&message).unwrap()
            });
        },
        |b| {
            let mut chain = Chain::new();
            b.iter(|| chain.send_and_receive());
        },
    );
    beside_lower_bound(
        c,
        "ping-pong: two messages, each with a ratchet step",
        1,
        |b| {
            let (mut ours, mut theirs) = conversation();
            let ping = |from: &mut Session, to: &mut Session| {
                let message = from.encrypt(TEXT).unwrap();
                to.decrypt(&message).unwrap()
            };
            b.iter(|| (ping(&mut theirs, &mut ours), ping(&mut ours, &mut theirs)));
        },
        |b| {
            let mut lower_bound = PingPong::new();
            b.iter(|| {
                lower_bound.receive_and_reply();
                lower_bound.receive_and_reply();
            });
        },
    );
}

criterion_group! { name = benches; config = beside::criterion(); targets = keys, sessions, messages }
criterion_main!(benches);
