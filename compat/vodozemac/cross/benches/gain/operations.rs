//! The operations that are measured, written once in terms of vodozemac's API. The modules that
//! this file is a part of say which crate that is.

use super::vodozemac::{
    megolm::{
        self, ExportedSessionKey, GroupSession, InboundGroupSession, InboundGroupSessionPickle,
        MegolmMessage, SessionKey,
    },
    olm::{self, Account, AccountPickle, OlmMessage, PreKeyMessage, Session, SessionPickle},
};
use crate::{
    measure::Row,
    run::{Run, prepared, repeated},
};

/// A short Matrix event.
const TEXT: &[u8] = &[b'm'; 200];
const PICKLE_KEY: &[u8; 32] = &[7; 32];
/// What a client generates at a time.
const ONE_TIME_KEYS: usize = 50;
/// A page of history, as a client that scrolls back decrypts it.
const HISTORY: usize = 1_000;

pub const ROWS: [Row; 24] = [
    ("account, new", 1, || repeated(Account::new)),
    ("one-time key, each", ONE_TIME_KEYS, one_time_keys),
    ("outbound Olm session + first message", 1, outbound),
    ("inbound Olm session from pre-key message", 1, inbound),
    ("Olm encrypt, established chain", 1, encrypt),
    ("Olm encrypt + decrypt in order", 1, encrypt_and_decrypt),
    ("Olm ping-pong, two messages, DH ratchet each", 1, ping_pong),
    ("Megolm encrypt (+ base64)", 1, megolm_encrypt),
    ("Megolm decrypt in order, parse included", 1, megolm_in_order),
    ("Megolm decrypt of 1,000 events newest first, each", HISTORY, megolm_newest_first),
    ("session key: parse, verify, new inbound", 1, session_key),
    ("exported key: parse, import", 1, exported_key),
    ("Olm session pickle", 1, || pickle(old_session())),
    ("Olm session unpickle", 1, || unpickle(&old_session())),
    ("account with 100 one-time keys, pickle", 1, || pickle(account(100))),
    ("account with 100 one-time keys, unpickle", 1, || unpickle(&account(100))),
    ("inbound group session pickle", 1, || pickle(receiver(&room()))),
    ("inbound group session unpickle", 1, || unpickle(&receiver(&room()))),
    ("Olm session to MessagePack", 1, || pack(old_session())),
    ("Olm session from MessagePack", 1, || unpack(&old_session())),
    ("account with 100 one-time keys to MessagePack", 1, || pack(account(100))),
    ("account with 100 one-time keys from MessagePack", 1, || unpack(&account(100))),
    ("inbound group session to MessagePack", 1, || pack(receiver(&room()))),
    ("inbound group session from MessagePack", 1, || unpack(&receiver(&room()))),
];

fn account(one_time_keys: usize) -> Account {
    let mut account = Account::new();
    account.generate_one_time_keys(one_time_keys);
    account
}

fn one_time_keys() -> Run {
    prepared(Account::new, |account| account.generate_one_time_keys(ONE_TIME_KEYS))
}

fn outbound() -> Run {
    let (alice, bob) = (account(0), account(1));
    repeated(move || first_message(&alice, &bob))
}

fn first_message(alice: &Account, bob: &Account) -> (Session, PreKeyMessage) {
    let one_time_key = *bob.one_time_keys().values().next().unwrap();
    let config = olm::SessionConfig::version_1();
    let mut session =
        alice.create_outbound_session(config, bob.curve25519_key(), one_time_key).unwrap();
    let OlmMessage::PreKey(message) = session.encrypt(TEXT).unwrap() else {
        panic!("the first message is a pre-key message")
    };
    (session, message)
}

/// Each time with an account of 50 one-time keys, one of which is used up.
fn inbound() -> Run {
    let (alice, bob) = (account(0), account(ONE_TIME_KEYS));
    let (_, message) = first_message(&alice, &bob);
    let pickle = serde_json::to_string(&bob.pickle()).unwrap();
    prepared(
        move || Account::from_pickle(serde_json::from_str(&pickle).unwrap()),
        move |bob| accept(&alice, bob, &message),
    )
}

fn accept(alice: &Account, bob: &mut Account, message: &PreKeyMessage) -> Session {
    let config = olm::SessionConfig::version_1();
    bob.create_inbound_session(config, alice.curve25519_key(), message).unwrap().session
}

/// Both ends of a session after a round trip. The first one's next message is in an established
/// chain.
fn conversation() -> (Session, Session) {
    let (alice, mut bob) = (account(0), account(1));
    let (mut one, message) = first_message(&alice, &bob);
    let mut other = accept(&alice, &mut bob, &message);
    ping(&mut other, &mut one);
    ping(&mut one, &mut other);
    (one, other)
}

fn ping(from: &mut Session, to: &mut Session) {
    let message = from.encrypt(TEXT).unwrap();
    to.decrypt(&message).unwrap();
}

/// One end of a session with as many receiver chains as it keeps.
fn old_session() -> Session {
    let (mut one, mut other) = conversation();
    for _ in 0..5 {
        ping(&mut one, &mut other);
        ping(&mut other, &mut one);
    }
    one
}

fn encrypt() -> Run {
    let (mut session, _) = conversation();
    repeated(move || session.encrypt(TEXT).unwrap())
}

fn encrypt_and_decrypt() -> Run {
    let (mut one, mut other) = conversation();
    repeated(move || ping(&mut one, &mut other))
}

fn ping_pong() -> Run {
    let (mut one, mut other) = conversation();
    repeated(move || {
        ping(&mut other, &mut one);
        ping(&mut one, &mut other);
    })
}

fn room() -> GroupSession {
    GroupSession::new(megolm::SessionConfig::version_1())
}

fn receiver(room: &GroupSession) -> InboundGroupSession {
    InboundGroupSession::new(&room.session_key(), megolm::SessionConfig::version_1())
}

fn megolm_encrypt() -> Run {
    let mut room = room();
    repeated(move || room.encrypt(TEXT).to_base64())
}

fn decrypt(session: &mut InboundGroupSession, event: &str) -> megolm::DecryptedMessage {
    session.decrypt(&MegolmMessage::from_base64(event).unwrap()).unwrap()
}

fn megolm_in_order() -> Run {
    let mut room = room();
    let mut session = receiver(&room);
    prepared(move || room.encrypt(TEXT).to_base64(), move |event| decrypt(&mut session, event))
}

fn megolm_newest_first() -> Run {
    let mut room = room();
    let key = room.session_key();
    let events: Vec<_> = (0..HISTORY).map(|_| room.encrypt(TEXT).to_base64()).collect();
    prepared(
        move || InboundGroupSession::new(&key, megolm::SessionConfig::version_1()),
        move |session| events.iter().rev().map(|event| decrypt(session, event)).collect::<Vec<_>>(),
    )
}

fn session_key() -> Run {
    let key = room().session_key().to_base64();
    repeated(move || {
        let config = megolm::SessionConfig::version_1();
        InboundGroupSession::new(&SessionKey::from_base64(&key).unwrap(), config)
    })
}

fn exported_key() -> Run {
    let key = receiver(&room()).export_at_first_known_index().to_base64();
    repeated(move || {
        let config = megolm::SessionConfig::version_1();
        InboundGroupSession::import(&ExportedSessionKey::from_base64(&key).unwrap(), config)
    })
}

/// What is stored encrypted, or as matrix-sdk's store has it: MessagePack with the names of the
/// fields.
trait Stored: Sized + 'static {
    fn pickle(&self) -> String;
    fn unpickle(pickle: &str) -> Self;
    fn pack(&self) -> Vec<u8>;
    fn unpack(bytes: &[u8]) -> Self;
}

macro_rules! stored {
    ($($object:ident $pickle:ident;)+) => {$(
        impl Stored for $object {
            fn pickle(&self) -> String {
                self.pickle().encrypt(PICKLE_KEY)
            }

            fn unpickle(pickle: &str) -> Self {
                Self::from_pickle($pickle::from_encrypted(pickle, PICKLE_KEY).unwrap())
            }

            fn pack(&self) -> Vec<u8> {
                rmp_serde::to_vec_named(&self.pickle()).unwrap()
            }

            fn unpack(bytes: &[u8]) -> Self {
                Self::from_pickle(rmp_serde::from_slice(bytes).unwrap())
            }
        }
    )+};
}

stored! {
    Account AccountPickle;
    Session SessionPickle;
    InboundGroupSession InboundGroupSessionPickle;
}

fn pickle(object: impl Stored) -> Run {
    repeated(move || object.pickle())
}

fn unpickle<T: Stored>(object: &T) -> Run {
    let pickle = object.pickle();
    repeated(move || T::unpickle(&pickle))
}

fn pack(object: impl Stored) -> Run {
    repeated(move || object.pack())
}

fn unpack<T: Stored>(object: &T) -> Run {
    let bytes = object.pack();
    repeated(move || T::unpack(&bytes))
}
