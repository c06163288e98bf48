//! Olm, each operation beside its floor.

mod floor;

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use floor::{BATCH, Message, TEXT, beside_floor, draw};
use moceril::{
    PickleKey,
    olm::{Account, OlmMessage, PreKeyBundle, Session},
};

/// What a client generates at a time.
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
    // Our next message begins a chain; all that follow are in it.
    theirs.decrypt(&ours.encrypt(TEXT).unwrap()).unwrap();
    (ours, theirs)
}

fn keys(c: &mut Criterion) {
    beside_floor(
        c,
        "account, new",
        1,
        |b| b.iter(|| Account::new().unwrap()),
        |b| b.iter(|| (floor::ed25519_public(&draw()), floor::x25519_public(&draw()))),
    );
    beside_floor(
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
            b.iter(|| {
                for _ in 0..ONE_TIME_KEYS {
                    black_box(floor::x25519_public(&draw()));
                }
            });
        },
    );
}

fn sessions(c: &mut Criterion) {
    let alice = Account::new().unwrap();
    let bob = account_with_one_time_keys();
    let bundle = bundle(&bob);
    let (secret, their_identity, their_one_time) =
        ([3; 32], *bundle.identity_key().as_bytes(), *bundle.one_time_key().as_bytes());

    beside_floor(
        c,
        "outbound session and first message",
        1,
        |b| {
            b.iter(|| {
                let mut session = alice.create_outbound_session(&bundle).unwrap();
                session.encrypt(TEXT).unwrap()
            });
        },
        |b| {
            let mut message = Message::olm();
            b.iter(|| {
                let base = draw();
                let keys = (floor::x25519_public(&base), floor::x25519_public(&draw()));
                let with_one_time = floor::x25519_with(black_box(their_one_time));
                let mut chain_key = root_and_chain([
                    with_one_time(&secret),
                    floor::x25519_with(black_box(their_identity))(&base),
                    with_one_time(&base),
                ]);
                (keys, message.seal(&floor::chain_step(&mut chain_key)))
            });
        },
    );

    let (_, message) = first_message(&alice, &bob);
    let pre_key = message.as_pre_key().unwrap();
    let pickle_key = PickleKey::new([7; 32]);
    let pickle = bob.pickle(&pickle_key, b"").unwrap();
    beside_floor(
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
            b.iter_batched_ref(
                || sealed.clone(),
                |(message, key)| {
                    let with_base = floor::x25519_with(black_box(their_one_time));
                    let mut chain_key = root_and_chain([
                        floor::x25519_with(black_box(their_identity))(&secret),
                        with_base(&[4; 32]),
                        with_base(&secret),
                    ]);
                    black_box(floor::chain_step(&mut chain_key));
                    message.open(key)
                },
                BATCH,
            );
        },
    );
}

/// `HKDF(0, S, "OLM_ROOT", 64)`; returns the chain key.
fn root_and_chain(agreements: [[u8; 32]; 3]) -> [u8; 32] {
    let okm = floor::hkdf::<64>(None, agreements.as_flattened(), b"OLM_ROOT");
    *okm.last_chunk().unwrap()
}

fn sealed_message() -> (Message, [u8; 32]) {
    let (mut message, key) = (Message::olm(), [5; 32]);
    message.seal(&key);
    (message, key)
}

fn messages(c: &mut Criterion) {
    beside_floor(
        c,
        "encrypt, established chain",
        1,
        |b| {
            let (mut ours, _) = conversation();
            b.iter(|| ours.encrypt(TEXT).unwrap());
        },
        |b| {
            let (mut chain_key, mut message) = ([5; 32], Message::olm());
            b.iter(|| message.seal(&floor::chain_step(&mut chain_key)));
        },
    );
    beside_floor(
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
            let (mut ours, mut theirs, mut message) = ([5; 32], [5; 32], Message::olm());
            b.iter(|| send_and_receive(&mut ours, &mut theirs, &mut message));
        },
    );
    beside_floor(
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
            let mut floor = FloorPingPong::new();
            b.iter(|| {
                floor.receive_and_reply();
                floor.receive_and_reply();
            });
        },
    );
}

/// The double ratchet when each message is a reply, without anything that can be left out. It is a
/// real one: a message that one end did not derive the key of would not decrypt.
struct FloorPingPong {
    root: [u8; 32],
    receiver: [u8; 32],
    sender: [u8; 32],
    sender_public: [u8; 32],
    message: Message,
}

impl FloorPingPong {
    fn new() -> Self {
        let (receiver, sender, mut root) = ([6; 32], [8; 32], [5; 32]);
        let agree = floor::x25519_with(floor::x25519_public(&receiver));
        let mut message = Message::olm();
        message.seal(&floor::chain_step(&mut ratchet_step(&mut root, &agree(&sender))));
        let sender_public = floor::x25519_public(&sender);
        Self { root: [5; 32], receiver, sender, sender_public, message }
    }

    /// One conversion of the peer's key serves the receipt of the message and the reply.
    fn receive_and_reply(&mut self) {
        let agree = floor::x25519_with(self.sender_public);
        let mut received = ratchet_step(&mut self.root, &agree(&self.receiver));
        self.message.open(&floor::chain_step(&mut received));

        let ratchet_key = draw();
        self.receiver = self.sender;
        self.sender = ratchet_key;
        self.sender_public = floor::x25519_public(&ratchet_key);
        let mut root = self.root;
        let mut sent = ratchet_step(&mut root, &agree(&ratchet_key));
        self.message.seal(&floor::chain_step(&mut sent));
    }
}

/// `HKDF(R, ECDH, "OLM_RATCHET", 64)`: the root key in place, the chain key returned.
fn ratchet_step(root: &mut [u8; 32], agreement: &[u8; 32]) -> [u8; 32] {
    let okm = floor::hkdf::<64>(Some(root), agreement, b"OLM_RATCHET");
    *root = *okm.first_chunk().unwrap();
    *okm.last_chunk().unwrap()
}

fn send_and_receive(ours: &mut [u8; 32], theirs: &mut [u8; 32], message: &mut Message) -> bool {
    let sent = message.seal(&floor::chain_step(ours));
    sent == message.open(&floor::chain_step(theirs))
}

criterion_group! { name = benches; config = floor::criterion(); targets = keys, sessions, messages }
criterion_main!(benches);
