//! Megolm, each operation beside its floor.

mod floor;

use std::hint::black_box;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use ed25519_dalek::{Signature, VerifyingKey};
use floor::{BATCH, Base64, MegolmRatchet, Message, Signer, TEXT, beside_floor};
use moceril::megolm::{
    DecryptedMessage, ExportedSessionKey, GroupSession, InboundGroupSession, MegolmMessage,
    SessionKey,
};

/// A page of history, as a client that scrolls back decrypts it.
const HISTORY: usize = 1_000;
/// Three parts of the ratchet make 255 steps each on the way there: the longest jump but for the
/// 255 steps of part 0.
const FAR: u32 = (1 << 24) - 1;

fn messages(c: &mut Criterion) {
    beside_floor(
        c,
        "encrypt, with base64",
        1,
        |b| {
            let mut room = GroupSession::new().unwrap();
            b.iter(|| room.encrypt(TEXT).unwrap().to_base64());
        },
        |b| {
            let (signer, mut ratchet) = (Signer::new(), MegolmRatchet([[5; 32]; 4]));
            let mut message = Message::megolm();
            let mut text = Base64::new(&vec![0; message.bytes().len() + 8 + 64]);
            b.iter(|| {
                let tag = message.seal(ratchet.0.as_flattened());
                let signature = signer.sign(message.bytes());
                ratchet.advance_by_one();
                text.encode();
                (tag, signature)
            });
        },
    );
    beside_floor(
        c,
        "parse and decrypt in order",
        1,
        |b| {
            let mut room = GroupSession::new().unwrap();
            let mut theirs = InboundGroupSession::new(&room.session_key());
            b.iter_batched_ref(
                || room.encrypt(TEXT).unwrap().to_base64(),
                |event| decrypt(&mut theirs, event),
                BATCH,
            );
        },
        |b| {
            let (mut sender, mut receiver) = floor_ends();
            b.iter_batched_ref(|| sender.send(), |event| receiver.receive(event), BATCH);
        },
    );
    beside_floor(
        c,
        "parse and decrypt 1,000 events newest first",
        HISTORY as u64,
        |b| {
            let mut room = GroupSession::new().unwrap();
            let key = room.session_key();
            let events: Vec<_> =
                (0..HISTORY).map(|_| room.encrypt(TEXT).unwrap().to_base64()).collect();
            b.iter_batched_ref(
                || InboundGroupSession::new(&key),
                |theirs| {
                    for event in events.iter().rev() {
                        black_box(decrypt(theirs, event));
                    }
                },
                BatchSize::PerIteration,
            );
        },
        |b| {
            let (mut sender, mut receiver) = floor_ends();
            let events: Vec<_> = (0..HISTORY).map(|_| sender.send()).collect();
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

#[derive(Clone)]
struct FloorEvent {
    key: [u8; 128],
    message: Message,
    signature: Signature,
}

/// Makes events that all differ: a verification that is repeated trains the branch predictor and
/// is then a tenth faster than a real one.
struct FloorSender {
    signer: Signer,
    sent: u8,
}

impl FloorSender {
    fn send(&mut self) -> FloorEvent {
        self.sent = self.sent.wrapping_add(1);
        let (key, mut message) = ([self.sent; 128], Message::megolm());
        message.seal(&key);
        let signature = self.signer.sign(message.bytes());
        FloorEvent { key, message, signature }
    }
}

/// What a receiver of one message after the other cannot avoid.
struct FloorReceiver {
    key: VerifyingKey,
    ratchet: MegolmRatchet,
    text: Base64,
}

impl FloorReceiver {
    fn receive(&mut self, event: &mut FloorEvent) {
        self.text.decode();
        floor::verify(&self.key, event.message.bytes(), &event.signature);
        self.ratchet.advance_by_one();
        black_box(floor::sha256(self.text.bytes()));
        black_box(event.message.open(&event.key));
    }
}

fn floor_ends() -> (FloorSender, FloorReceiver) {
    let signer = Signer::new();
    let receiver = FloorReceiver {
        key: signer.public,
        ratchet: MegolmRatchet([[5; 32]; 4]),
        text: Base64::new(&vec![0; Message::megolm().bytes().len() + 8 + 64]),
    };
    (FloorSender { signer, sent: 0 }, receiver)
}

fn advancing(c: &mut Criterion) {
    let key = ExportedSessionKey::from_bytes(&export()).unwrap();
    let ratchet = || MegolmRatchet([[5; 32]; 4]);
    beside_floor(
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
    beside_floor(
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
    let session = InboundGroupSession::new(&GroupSession::new().unwrap().session_key());
    session.export_at_first_known_index().unwrap().to_bytes()
}

fn session_keys(c: &mut Criterion) {
    let shared = GroupSession::new().unwrap().session_key().to_base64();
    let signer = Signer::new();
    let public = signer.public.to_bytes();
    let signed = [5; 165];
    let signature = signer.sign(&signed);
    beside_floor(
        c,
        "session key: parse, verify, new inbound session",
        1,
        |b| b.iter(|| InboundGroupSession::new(&SessionKey::from_base64(&shared).unwrap())),
        |b| {
            let mut text = Base64::new(&[0; 229]);
            b.iter(|| {
                text.decode();
                let key = VerifyingKey::from_bytes(black_box(&public)).unwrap();
                floor::verify(&key, black_box(&signed), &signature);
            });
        },
    );
    let exported = ExportedSessionKey::from_bytes(&export()).unwrap().to_base64();
    beside_floor(
        c,
        "exported key: parse, import",
        1,
        |b| {
            b.iter(|| {
                InboundGroupSession::import(&ExportedSessionKey::from_base64(&exported).unwrap())
            });
        },
        |b| {
            let mut text = Base64::new(&[0; 165]);
            b.iter(|| {
                text.decode();
                VerifyingKey::from_bytes(black_box(&public)).unwrap()
            });
        },
    );
}

criterion_group! {
    name = benches;
    config = floor::criterion();
    targets = messages, advancing, session_keys
}
criterion_main!(benches);
