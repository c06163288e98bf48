//! The operations of moceril.

use std::time::Duration;

use ::moceril::{
    PickleKey,
    megolm::{ExportedSessionKey, GroupSession, InboundGroupSession, MegolmMessage, SessionKey},
    olm::{Account, PreKeyBundle, Session},
};
use wasm_bindgen::prelude::wasm_bindgen;

use crate::{ONE_TIME_KEYS, PICKLE_KEY, TEXT, Work, repeated, with_each};

const CONTEXT: &[u8] = b"@alice:example.org/DEVICEID";

fn account() -> Account {
    let mut account = Account::new().unwrap();
    account.generate_one_time_keys(ONE_TIME_KEYS).unwrap();
    account
}

fn bundles(account: &Account) -> Vec<PreKeyBundle> {
    let identity = account.identity_keys();
    let keys = account.signed_one_time_keys();
    keys.iter().map(|(_, key)| PreKeyBundle::verify(identity, key).unwrap()).collect()
}

/// Both ends of a session after a round trip.
fn conversation() -> (Session, Session) {
    let (alice, mut bob) = (account(), account());
    let mut ours = alice.create_outbound_session(&bundles(&bob)[0]).unwrap();
    let message = ours.encrypt(TEXT).unwrap();
    let message = message.as_pre_key().unwrap();
    let mut theirs = bob.create_inbound_session(alice.curve25519_key(), message).unwrap().session;
    send(&mut theirs, &mut ours);
    send(&mut ours, &mut theirs);
    (ours, theirs)
}

fn send(from: &mut Session, to: &mut Session) {
    to.decrypt(&from.encrypt(TEXT).unwrap()).unwrap();
}

fn events(room: &mut GroupSession, count: usize) -> Vec<String> {
    (0..count).map(|_| room.encrypt(TEXT).unwrap().to_base64()).collect()
}

fn read(session: &mut InboundGroupSession, event: &str) {
    session.decrypt(&MegolmMessage::from_base64(event).unwrap()).unwrap();
}

/// An operation by its name in the table.
#[wasm_bindgen]
pub fn prepare(operation: &str, count: usize) -> Option<Work> {
    let key = PickleKey::from_bytes(PICKLE_KEY);
    let mut room = GroupSession::new(Duration::ZERO).unwrap();
    let mut receiver = InboundGroupSession::new(&room.session_key());
    Some(match operation {
        "account, new" => repeated(count, || Account::new().unwrap()),
        "50 one-time keys" => {
            with_each((0..count).map(|_| Account::new().unwrap()), |mut account| {
                account.generate_one_time_keys(ONE_TIME_KEYS).unwrap();
                account
            })
        }
        "outbound Olm session + first message" => {
            let (alice, bundle) = (account(), bundles(&account()).remove(0));
            repeated(count, move || {
                let mut session = alice.create_outbound_session(&bundle).unwrap();
                (session.encrypt(TEXT).unwrap(), session)
            })
        }
        "inbound Olm session from pre-key message" => {
            let (alice, mut bob) = (account(), account());
            let bundles = bundles(&bob).into_iter().take(count);
            let first =
                |bundle| alice.create_outbound_session(&bundle).unwrap().encrypt(TEXT).unwrap();
            let messages: Vec<_> = bundles.map(first).collect();
            with_each(messages, move |message| {
                let message = message.as_pre_key().unwrap();
                bob.create_inbound_session(alice.curve25519_key(), message).unwrap()
            })
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
            repeated(count, move || session.pickle(&key, CONTEXT).unwrap())
        }
        "Olm session unpickle" => {
            let pickle = conversation().0.pickle(&key, CONTEXT).unwrap();
            repeated(count, move || Session::from_pickle(&pickle, &key, CONTEXT).unwrap())
        }
        "account with 50 one-time keys, pickle" => {
            let account = account();
            repeated(count, move || account.pickle(&key, CONTEXT).unwrap())
        }
        "account with 50 one-time keys, unpickle" => {
            let pickle = account().pickle(&key, CONTEXT).unwrap();
            repeated(count, move || Account::from_pickle(&pickle, &key, CONTEXT).unwrap())
        }
        "group session, new" => repeated(count, || GroupSession::new(Duration::ZERO).unwrap()),
        "Megolm encrypt" => repeated(count, move || room.encrypt(TEXT).unwrap().to_base64()),
        "Megolm decrypt in order" => {
            with_each(events(&mut room, count), move |event| read(&mut receiver, &event))
        }
        "Megolm decrypt newest first, of 200" => {
            let events = events(&mut room, count);
            with_each(events.into_iter().rev(), move |event| read(&mut receiver, &event))
        }
        "Megolm decrypt, batch of 100" => {
            let events = events(&mut room, count);
            repeated(1, move || {
                let parse = |event: &String| MegolmMessage::from_base64(event).unwrap();
                let events: Vec<_> = events.iter().map(parse).collect();
                let decrypted = receiver.decrypt_batch(&events);
                assert!(decrypted.iter().all(Result::is_ok));
            })
        }
        "session key: parse, verify, new inbound" => {
            let key = room.session_key().to_base64();
            repeated(count, move || {
                InboundGroupSession::new(&SessionKey::from_base64(&key).unwrap())
            })
        }
        "exported key: parse, import, first event" => {
            let key = receiver.export_at_first_known_index().unwrap().to_base64();
            let event = room.encrypt(TEXT).unwrap().to_base64();
            repeated(count, move || {
                let key = ExportedSessionKey::from_base64(&key).unwrap();
                read(&mut InboundGroupSession::import(&key), &event);
            })
        }
        "inbound group session pickle" => {
            repeated(count, move || receiver.pickle(&key, CONTEXT).unwrap())
        }
        "inbound group session unpickle" => {
            let pickle = receiver.pickle(&key, CONTEXT).unwrap();
            repeated(count, move || {
                InboundGroupSession::from_pickle(&pickle, &key, CONTEXT).unwrap()
            })
        }
        _ => return None,
    })
}
