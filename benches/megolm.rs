//! Megolm: each operation and its lower bound.

use std::{hint::black_box, time::Duration};

use benches::{
    beside::{self, BATCH, beside_lower_bound},
    lower_bound::{
        TEXT,
        megolm::{Key, MegolmRatchet, Outbound, ends},
    },
};
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use moceril::megolm::{
    DecryptedMessage, ExportedSessionKey, GroupSession, InboundGroupSession, MegolmMessage,
    SessionKey,
};

/// A page of history, which a client decrypts when the user scrolls back.
const HISTORY: usize = 1_000;
/// Three parts of the ratchet make 255 steps each to get there. This is the longest jump, except
/// for the 255 steps of part 0.
const FAR: u32 = (1 << 24) - 1;

fn messages(c: &mut Criterion) {
    beside_lower_bound(
        c,
        "encrypt, with base64",
        1,
        |b| {
            let mut room = GroupSession::new(Duration::ZERO).unwrap();
            b.iter(|| room.encrypt(TEXT).unwrap().to_base64());
        },
        |b| {
            let mut lower_bound = Outbound::new();
            b.iter(|| lower_bound.encrypt());
        },
    );
    beside_lower_bound(
        c,
        "parse and decrypt in order",
        1,
        |b| {
            let mut room = GroupSession::new(Duration::ZERO).unwrap();
            let mut theirs = InboundGroupSession::new(&room.session_key());
            b.iter_batched_ref(
                || room.encrypt(TEXT).unwrap().to_base64(),
                |event| decrypt(&mut theirs, event),
                BATCH,
            );
        },
        |b| {
            let (mut sender, mut receiver) = ends();
            b.iter_batched_ref(|| sender.send(), |event| receiver.receive(event), BATCH);
        },
    );
}

/// Events that are decrypted as one batch. The lower bound takes them one by one, in order, so a
/// batch can be faster than it.
fn histories(c: &mut Criterion) {
    history(c, "parse and decrypt 1,000 events newest first", HISTORY, |theirs, events| {
        for event in events.iter().rev() {
            black_box(decrypt(theirs, event));
        }
    });
    let batch = |theirs: &mut InboundGroupSession, events: &[String]| {
        let messages: Vec<_> =
            events.iter().map(|event| MegolmMessage::from_base64(event).unwrap()).collect();
        black_box(theirs.decrypt_batch(&messages));
    };
    history(c, "parse and decrypt a batch of 100 events", 100, batch);
    history(c, "parse and decrypt a batch of 1,000 events", HISTORY, batch);
}

fn history(
    c: &mut Criterion,
    operation: &str,
    count: usize,
    read: impl Fn(&mut InboundGroupSession, &[String]),
) {
    beside_lower_bound(
        c,
        operation,
        count as u64,
        |b| {
            let mut room = GroupSession::new(Duration::ZERO).unwrap();
            let key = room.session_key();
            let events: Vec<_> =
                (0..count).map(|_| room.encrypt(TEXT).unwrap().to_base64()).collect();
            b.iter_batched_ref(
                || InboundGroupSession::new(&key),
                |theirs| read(theirs, &events),
                BatchSize::PerIteration,
            );
        },
        |b| {
            let (mut sender, mut receiver) = ends();
            let events: Vec<_> = (0..count).map(|_| sender.send()).collect();
            b.iter_batched_ref(
                || events.clone(),
                |events| {
                    for event in events {
                        receiver.receive(event);
                    }
                },
                BatchSize::PerIteration,
            );
        },
    );
}

fn decrypt(session: &mut InboundGroupSession, event: &str) -> DecryptedMessage {
    session.decrypt(&MegolmMessage::from_base64(event).unwrap()).unwrap()
}

fn advancing(c: &mut Criterion) {
    let key = ExportedSessionKey::from_bytes(&export()).unwrap();
    let ratchet = || MegolmRatchet([[5; 32]; 4]);
    beside_lower_bound(
        c,
        "advance by one",
        1,
        |b| {
            let (mut session, mut index) = (InboundGroupSession::import(&key), 0);
            b.iter(|| {
                index += 1;
                session.advance_to(index)
            });
        },
        |b| {
            let mut ratchet = ratchet();
            b.iter(|| ratchet.advance_by_one());
        },
    );
    beside_lower_bound(
        c,
        "advance from 0 to 2^24 - 1",
        1,
        |b| {
            b.iter_batched_ref(
                || InboundGroupSession::import(&key),
                |session| session.advance_to(FAR),
                BATCH,
            );
        },
        |b| {
            let mut ratchet = ratchet();
            b.iter(|| ratchet.advance_far());
        },
    );
}

fn export() -> [u8; 165] {
    let session =
        InboundGroupSession::new(&GroupSession::new(Duration::ZERO).unwrap().session_key());
    session.export_at_first_known_index().unwrap().to_bytes()
}

fn session_keys(c: &mut Criterion) {
    let shared = GroupSession::new(Duration::ZERO).unwrap().session_key().to_base64();
    beside_lower_bound(
        c,
        "session key: parse, verify, new inbound session",
        1,
        |b| b.iter(|| InboundGroupSession::new(&SessionKey::from_base64(&shared).unwrap())),
        |b| {
            let mut key = Key::shared();
            b.iter(|| key.read_and_verify());
        },
    );
    let exported = ExportedSessionKey::from_bytes(&export()).unwrap().to_base64();
    beside_lower_bound(
        c,
        "exported key: parse, import",
        1,
        |b| {
            b.iter(|| {
                InboundGroupSession::import(&ExportedSessionKey::from_base64(&exported).unwrap())
            });
        },
        |b| {
            let mut key = Key::exported();
            b.iter(|| key.read());
        },
    );
}

criterion_group! {
    name = benches;
    config = beside::criterion();
    targets = messages, histories, advancing, session_keys
}
criterion_main!(benches);
