//! The same operations of vodozemac, as `moceril.rs` has them.

use ::vodozemac::{
    Curve25519PublicKey,
    megolm::{
        self, ExportedSessionKey, GroupSession, InboundGroupSession, InboundGroupSessionPickle,
        MegolmMessage, SessionKey,
    },
    olm::{self, Account, AccountPickle, OlmMessage, Session, SessionPickle},
};
use wasm_bindgen::prelude::wasm_bindgen;

use crate::{ONE_TIME_KEYS, PICKLE_KEY, TEXT, Work, repeated, with_each};

const OLM: olm::SessionConfig = olm::SessionConfig::version_1();
const MEGOLM: megolm::SessionConfig = megolm::SessionConfig::version_1();

fn account() -> Account {
    let mut account = Account::new();
    account.generate_one_time_keys(ONE_TIME_KEYS);
    account
}

fn one_time_keys(account: &Account) -> Vec<Curve25519PublicKey> {
    account.one_time_keys().into_values().collect()
}

fn accept(alice: &Account, bob: &mut Account, message: &OlmMessage) -> Session {
    let OlmMessage::PreKey(message) = message else { panic!("a first message") };
    bob.create_inbound_session(OLM, alice.curve25519_key(), message).unwrap().session
}

/// Both ends of a session after a round trip.
fn conversation() -> (Session, Session) {
    let (alice, mut bob) = (account(), account());
    let key = one_time_keys(&bob).remove(0);
    let mut ours = alice.create_outbound_session(OLM, bob.curve25519_key(), key).unwrap();
    let mut theirs = accept(&alice, &mut bob, &ours.encrypt(TEXT).unwrap());
    send(&mut theirs, &mut ours);
    send(&mut ours, &mut theirs);
    (ours, theirs)
}

fn send(from: &mut Session, to: &mut Session) {
    to.decrypt(&from.encrypt(TEXT).unwrap()).unwrap();
}

fn events(room: &mut GroupSession, count: usize) -> Vec<String> {
    (0..count).map(|_| room.encrypt(TEXT).to_base64()).collect()
}

fn read(session: &mut InboundGroupSession, event: &str) {
    session.decrypt(&MegolmMessage::from_base64(event).unwrap()).unwrap();
}

/// An operation by its name in the table.
#[wasm_bindgen]
pub fn prepare(operation: &str, count: usize) -> Option<Work> {
    let mut room = GroupSession::new(MEGOLM);
    let mut receiver = InboundGroupSession::new(&room.session_key(), MEGOLM);
    Some(match operation {
        "account, new" => repeated(count, Account::new),
        "50 one-time keys" => with_each((0..count).map(|_| Account::new()), |mut account| {
            account.generate_one_time_keys(ONE_TIME_KEYS);
            account
        }),
        "outbound Olm session + first message" => {
            let (alice, bob) = (account(), account());
            let (identity, key) = (bob.curve25519_key(), one_time_keys(&bob).remove(0));
            repeated(count, move || {
                let mut session = alice.create_outbound_session(OLM, identity, key).unwrap();
                (session.encrypt(TEXT).unwrap(), session)
            })
        }
        "inbound Olm session from pre-key message" => {
            let (alice, mut bob) = (account(), account());
            let identity = bob.curve25519_key();
            let keys = one_time_keys(&bob).into_iter().take(count);
            let session = |key| alice.create_outbound_session(OLM, identity, key).unwrap();
            let messages: Vec<_> = keys.map(|key| session(key).encrypt(TEXT).unwrap()).collect();
            with_each(messages, move |message| accept(&alice, &mut bob, &message))
        }
        "Olm encrypt, established chain" => {
            let (mut session, _) = conversation();
            repeated(count, move || session.encrypt(TEXT).unwrap())
        }
        "Olm encrypt + decrypt in order" => {
            let (mut ours, mut theirs) = conversation();
            repeated(count, move || send(&mut ours, &mut theirs))
        }
        "Olm ping-pong, two messages" => {
            let (mut ours, mut theirs) = conversation();
            repeated(count, move || {
                send(&mut theirs, &mut ours);
                send(&mut ours, &mut theirs);
            })
        }
        "Olm session pickle" => {
            let (session, _) = conversation();
            repeated(count, move || session.pickle().encrypt(&PICKLE_KEY))
        }
        "Olm session unpickle" => {
            let pickle = conversation().0.pickle().encrypt(&PICKLE_KEY);
            repeated(count, move || {
                Session::from_pickle(SessionPickle::from_encrypted(&pickle, &PICKLE_KEY).unwrap())
            })
        }
        "account with 50 one-time keys, pickle" => {
            let account = account();
            repeated(count, move || account.pickle().encrypt(&PICKLE_KEY))
        }
        "account with 50 one-time keys, unpickle" => {
            let pickle = account().pickle().encrypt(&PICKLE_KEY);
            repeated(count, move || {
                Account::from_pickle(AccountPickle::from_encrypted(&pickle, &PICKLE_KEY).unwrap())
            })
        }
        "group session, new" => repeated(count, || GroupSession::new(MEGOLM)),
        "Megolm encrypt" => repeated(count, move || room.encrypt(TEXT).to_base64()),
        "Megolm decrypt in order" | "Megolm decrypt, batch of 100" => {
            with_each(events(&mut room, count), move |event| read(&mut receiver, &event))
        }
        "Megolm decrypt newest first, of 200" => {
            let events = events(&mut room, count);
            with_each(events.into_iter().rev(), move |event| read(&mut receiver, &event))
        }
        "session key: parse, verify, new inbound" => {
            let key = room.session_key().to_base64();
            repeated(count, move || {
                InboundGroupSession::new(&SessionKey::from_base64(&key).unwrap(), MEGOLM)
            })
        }
        "exported key: parse, import, first event" => {
            let key = receiver.export_at_first_known_index().to_base64();
            let event = room.encrypt(TEXT).to_base64();
            repeated(count, move || {
                let key = ExportedSessionKey::from_base64(&key).unwrap();
                read(&mut InboundGroupSession::import(&key, MEGOLM), &event);
            })
        }
        "inbound group session pickle" => {
            repeated(count, move || receiver.pickle().encrypt(&PICKLE_KEY))
        }
        "inbound group session unpickle" => {
            let pickle = receiver.pickle().encrypt(&PICKLE_KEY);
            repeated(count, move || {
                let pickle = InboundGroupSessionPickle::from_encrypted(&pickle, &PICKLE_KEY);
                InboundGroupSession::from_pickle(pickle.unwrap())
            })
        }
        _ => return None,
    })
}
