//! Conversations that were recorded from libolm: the same random bytes give the same messages.
//!
//! Each is played twice: straight through, and with every object pickled and unpickled before each
//! step.

use moceril::{
    megolm::{GroupSession, InboundGroupSession},
    olm::{Account, Session},
};

use super::held::{Held, input, written, written_bytes};
use crate::{
    account,
    error::{Code, FAILED},
    inbound,
    memory::{Out, Output},
    outbound, pickle, session,
};
use moceril_testing::vector_file::{
    Layer, VectorFile, assert_at_least, check_each, files, item_bytes, number,
};

/// Every step of an object goes through a pickle and another object.
fn restored<T: pickle::Pickled>(held: &mut Held<T>) {
    let key = b"key";
    let text = written(|pickled| pickle::write(held.object(), input(key), pickled));
    assert_eq!(text.len(), pickle::length(held.object()));
    let mut other = Held::blank();
    assert_eq!(pickle::read(other.object(), input(key), input(&text)), text.len());
    assert!(held.state() == other.state());
    *held = other;
}

#[test]
fn olm_messages_are_those_that_libolm_made() {
    let files = recorded("olm-transcript");
    check_each(&files, |file| {
        play_olm(file, false);
        play_olm(file, true);
    });
    assert_at_least(&files, "olm-transcript", 19, 0);
}

#[test]
fn group_messages_and_keys_are_those_that_libolm_made() {
    let files = recorded("megolm-transcript");
    check_each(&files, |file| {
        play_group(file, false);
        play_group(file, true);
    });
    assert_at_least(&files, "megolm-transcript", 9, 0);
}

fn recorded(area: &str) -> Vec<VectorFile> {
    let mut files = files(area);
    files.retain(|file| file.name.contains("/libolm-"));
    files
}

struct Sent<'a> {
    kind: usize,
    body: &'a str,
    plaintext: Vec<u8>,
}

struct Pair {
    alice: Held<Account>,
    bob: Held<Account>,
    sessions: [Held<Session>; 2],
    bob_has_session: bool,
}

fn play_olm(file: &VectorFile, restoring: bool) {
    assert_eq!(file.number("version"), 3);
    let mut pair = begin(file);
    let mut sent = Vec::new();
    for step in file.steps() {
        if restoring {
            restored(&mut pair.alice);
            restored(&mut pair.bob);
            pair.sessions.iter_mut().for_each(restored);
        }
        match *step.as_slice() {
            [who, "send", random, plaintext, kind, body] => {
                let plaintext = item_bytes(plaintext);
                let message = Sent { kind: number(kind) as usize, body, plaintext };
                pair.send(who, item_bytes(random), &message);
                sent.push(message);
            }
            [who, "receive", n] => pair.receive(who, &sent[number(n) as usize]),
            [who, "refuse", layer, kind, body] => {
                pair.refuse(who, Layer::parse(layer).unwrap(), number(kind) as usize, body);
            }
            _ => panic!("unknown step {step:?}"),
        }
    }
}

fn begin(file: &VectorFile) -> Pair {
    let mut alice = Held::account(&file.bytes("alice-random"));
    let mut bob = Held::account(&file.bytes("bob-random"));
    bob.generate_one_time_keys(&file.bytes("bob-one-time-random"));
    if file.optional("bob-fallback-random").is_some() {
        let mut random = file.bytes("bob-fallback-random");
        assert_eq!(account::generate_fallback_key(bob.object(), Output::over(&mut random)), 1);
    }
    // The newest key is the first.
    let key = match file.text("uses") {
        "fallback-key" => {
            let key = written(|key| account::fallback_key(bob.object(), key));
            super::held::entries(&key).remove(0).1
        }
        one_time_key => {
            let n = one_time_key.strip_prefix("one-time-key ").unwrap();
            bob.one_time_keys().into_iter().rev().nth(number(n) as usize).unwrap().1
        }
    };
    let identity_key = bob.identity_key("curve25519");
    let mut session = Held::blank();
    let mut random = file.bytes("session-random");
    let created = session::create_outbound(
        session.object(),
        alice.object(),
        input(&identity_key),
        input(&key),
        Output::over(&mut random),
    );
    assert_eq!((created, random), (0, vec![0; 64]));
    let id = written(|id| session::id(session.object(), id));
    assert_eq!(id, file.text("session-id"));
    Pair { alice, bob, sessions: [session, Held::blank()], bob_has_session: false }
}

impl Pair {
    fn session(&mut self, who: &str) -> &mut Held<Session> {
        let [alice, bob] = &mut self.sessions;
        if who == "alice" { alice } else { bob }
    }

    fn send(&mut self, who: &str, mut random: Vec<u8>, message: &Sent<'_>) {
        let session = self.session(who);
        assert_eq!(session::encrypt_message_type(session.object()), message.kind);
        assert_eq!(session::encrypt_random_length(session.object()), random.len());
        let length = session::encrypt_message_length(session.object(), message.plaintext.len());
        assert_eq!(length, message.body.len());
        let body = written(|body| {
            let random = Output::over(&mut random);
            session::encrypt(session.object(), input(&message.plaintext), random, body)
        });
        assert_eq!(body, message.body);
        assert!(random.iter().all(|byte| *byte == 0), "random bytes are wiped");
    }

    fn receive(&mut self, who: &str, message: &Sent<'_>) {
        let Sent { kind, body, plaintext } = message;
        if who == "bob" && !self.bob_has_session {
            self.create(body);
        }
        let session = self.session(who);
        let length = session::decrypt_max_plaintext_length(session.object(), *kind, input(body));
        assert_eq!(length, plaintext.len() / 16 * 16 + 16);
        let decrypted = written_bytes(|plaintext| {
            session::decrypt(session.object(), *kind, input(body), plaintext)
        });
        assert_eq!(decrypted, *plaintext);
        assert_eq!(session::has_received_message(session.object()), 1);
        if *kind == 0 {
            assert_eq!(session::matches(session.object(), input(body)), 1);
        }
    }

    /// Bob makes his session, and removes the key it was made with.
    fn create(&mut self, body: &str) {
        let mut session = Held::blank();
        assert_eq!(self.attempt(&mut session, body), 0);
        let removed = account::remove_one_time_keys(self.bob.object(), session.object());
        assert_ne!(removed, FAILED);
        self.sessions[1] = session;
        self.bob_has_session = true;
    }

    fn refuse(&mut self, who: &str, layer: Layer, kind: usize, body: &str) {
        let code = match layer {
            Layer::Version => Code::BadMessageVersion,
            Layer::Format => Code::BadMessageFormat,
            _ => Code::BadMessageMac,
        };
        let mut attempt = Held::blank();
        let session = if who == "alice" || self.bob_has_session {
            self.session(who)
        } else {
            // Making a session says nothing about what is within the message.
            let made = self.attempt(&mut attempt, body);
            if matches!(layer, Layer::Version | Layer::Mac) {
                assert_eq!(made, 0);
            } else {
                assert_eq!(made, FAILED);
                let code = match layer {
                    Layer::UnknownKey | Layer::KeysMismatch => Code::BadMessageKeyId,
                    _ => code,
                };
                assert_eq!(attempt.error(), code as u32);
                return;
            }
            &mut attempt
        };
        let mut plaintext = vec![0; body.len()];
        session.refuses(code, |session| {
            session::decrypt(session, kind, input(body), Output::over(&mut plaintext))
        });
        assert!(plaintext.iter().all(|byte| *byte == 0));
    }

    fn attempt(&mut self, session: &mut Held<Session>, body: &str) -> usize {
        let sender = self.alice.identity_key("curve25519");
        let (sender, body) = (input(&sender), input(body));
        session::create_inbound_from(session.object(), self.bob.object(), sender, body)
    }
}

fn play_group(file: &VectorFile, restoring: bool) {
    assert_eq!(file.number("version"), 3);
    let mut sender = Held::<GroupSession>::blank();
    let mut random = file.bytes("group-random");
    assert_eq!(outbound::init(sender.object(), Output::over(&mut random)), 0);
    assert_eq!(random, [0; 160]);
    let mut receiver = Held::<InboundGroupSession>::blank();
    let key = file.text("session-key");
    assert_eq!(written(|key| outbound::key(sender.object(), key)), key);
    assert_eq!(inbound::init(receiver.object(), input(key)), 0);
    for session_id in [
        written(|id| outbound::id(sender.object(), id)),
        written(|id| inbound::id(receiver.object(), id)),
    ] {
        assert_eq!(session_id, file.text("session-id"));
    }
    let mut sent = Vec::new();
    for step in file.steps() {
        if restoring {
            restored(&mut sender);
            restored(&mut receiver);
        }
        match *step.as_slice() {
            ["send", plaintext, body] => {
                let (index, plaintext) =
                    (outbound::message_index(sender.object()), item_bytes(plaintext));
                let length = outbound::encrypt_message_length(sender.object(), plaintext.len());
                let made = written(|message| {
                    outbound::encrypt(sender.object(), input(&plaintext), message)
                });
                assert_eq!((&*made, length), (body, body.len()));
                sent.push((index, plaintext, body));
            }
            ["advance", count] => {
                for _ in 0..number(count) {
                    written(|message| outbound::encrypt(sender.object(), input(""), message));
                }
            }
            ["session-key", key] => {
                assert_eq!(written(|key| outbound::key(sender.object(), key)), key);
            }
            ["export", index, key] => {
                let index = number(index);
                let made = written(|key| inbound::export(receiver.object(), key, index));
                assert_eq!(made, key);
                let mut imported = Held::<InboundGroupSession>::blank();
                assert_eq!(inbound::import(imported.object(), input(key)), 0);
                assert_eq!(inbound::first_known_index(imported.object()), index);
                assert_eq!(inbound::is_verified(imported.object()), 0);
            }
            ["receive", n] => receive_group(&mut receiver, &sent[number(n) as usize]),
            ["refuse", layer, body] => {
                let code = match Layer::parse(layer).unwrap() {
                    Layer::Version => Code::BadMessageVersion,
                    Layer::Signature => Code::BadSignature,
                    Layer::Mac | Layer::Padding => Code::BadMessageMac,
                    other => panic!("not recorded: {other:?}"),
                };
                let mut plaintext = vec![0; body.len()];
                receiver.refuses(code, |receiver| {
                    let plaintext = Output::over(&mut plaintext);
                    inbound::decrypt(receiver, input(body), plaintext, Out::null())
                });
            }
            _ => panic!("unknown step {step:?}"),
        }
    }
}

fn receive_group(
    receiver: &mut Held<InboundGroupSession>,
    (index, plaintext, body): &(u32, Vec<u8>, &str),
) {
    let length = inbound::decrypt_max_plaintext_length(receiver.object(), input(body));
    assert_eq!(length, plaintext.len() / 16 * 16 + 16);
    let mut found = [0; 4];
    let decrypted = written_bytes(|plaintext| {
        inbound::decrypt(receiver.object(), input(body), plaintext, Out::over(&mut found))
    });
    assert_eq!((decrypted, u32::from_ne_bytes(found)), (plaintext.clone(), *index));
    assert_eq!(inbound::is_verified(receiver.object()), 1);
}
