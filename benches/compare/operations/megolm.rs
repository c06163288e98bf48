//! Megolm sessions. Events and keys are base64, as they travel.

use std::{rc::Rc, time::Duration};

use ::vodozemac::megolm as vodozemac_megolm;
use moceril::megolm::{GroupSession, InboundGroupSession, MegolmMessage, SessionKey};
use olm_rs::{
    inbound_group_session::OlmInboundGroupSession, outbound_group_session::OlmOutboundGroupSession,
};

use super::batch_lower_bound::receive_together;
use crate::{
    contender::{Who, prepared, repeated},
    ends::{TEXT_AS_STR, libolm, ours, vodozemac},
    lower_bound::{self, TEXT, megolm::Key},
    measure::{Contenders, Row},
    workloads::{
        grouped,
        restore::{import_libolm, import_ours, import_vodozemac},
    },
};

/// A page of history, as a client that scrolls back decrypts it.
const HISTORY: usize = 1_000;

pub fn rows() -> Vec<Row> {
    let batch = |events: usize| {
        let name = format!("Megolm batch decrypt of {} events, each", grouped(events));
        Row::new(name, events, move || batch(events))
    };
    vec![
        Row::new("Megolm encrypt (+ base64)", 1, encrypt),
        Row::new("Megolm decrypt in order, parse included", 1, in_order),
        Row::new("the same, events of 10 kB", 1, || in_order_of(&"m".repeat(10_000))),
        Row::new("the same, events of 1 MB", 1, || in_order_of(&"m".repeat(1_000_000))),
        Row::new("Megolm decrypt of 1,000 events newest first, each", HISTORY, newest_first),
        batch(10),
        batch(100),
        batch(1_000),
        Row::new("session key: parse, verify, new inbound", 1, session_key),
        Row::new("exported key: parse, import", 1, exported_key),
        Row::new("exported key: parse, import, decrypt the first event", 1, first_event),
    ]
}

fn encrypt() -> Contenders {
    let mut our_room = GroupSession::new(Duration::ZERO).unwrap();
    let mut room = vodozemac::room();
    let libolm_room = OlmOutboundGroupSession::new();
    let mut lower_bound = lower_bound::megolm::Outbound::new();
    vec![
        (Who::Ours, repeated(move || our_room.encrypt(TEXT).unwrap().to_base64())),
        (Who::Vodozemac, repeated(move || room.encrypt(TEXT).to_base64())),
        (Who::Libolm, repeated(move || libolm_room.encrypt(TEXT_AS_STR))),
        (Who::LowerBound, repeated(move || lower_bound.encrypt())),
    ]
}

fn in_order() -> Contenders {
    let mut contenders = in_order_of(TEXT_AS_STR);
    let (mut sender, mut receiver) = lower_bound::megolm::ends();
    contenders.push((
        Who::LowerBound,
        prepared(move || sender.send(), move |event| receiver.receive(event)),
    ));
    contenders
}

fn in_order_of(text: &str) -> Contenders {
    let text: Rc<str> = text.into();
    let (vodozemac_text, libolm_text) = (text.clone(), text.clone());
    let mut our_room = GroupSession::new(Duration::ZERO).unwrap();
    let mut our_end = ours::receiver(&our_room);
    let mut room = vodozemac::room();
    let mut end = vodozemac::receiver(&room);
    let libolm_room = OlmOutboundGroupSession::new();
    let libolm_end = libolm::receiver(&libolm_room);
    vec![
        (
            Who::Ours,
            prepared(
                move || our_room.encrypt(text.as_bytes()).unwrap().to_base64(),
                move |event| decrypt_ours(&mut our_end, event),
            ),
        ),
        (
            Who::Vodozemac,
            prepared(
                move || room.encrypt(&*vodozemac_text).to_base64(),
                move |event| decrypt_vodozemac(&mut end, event),
            ),
        ),
        (
            Who::Libolm,
            prepared(
                move || libolm_room.encrypt(&libolm_text),
                move |event| libolm_end.decrypt(std::mem::take(event)).unwrap(),
            ),
        ),
    ]
}

fn decrypt_ours(
    session: &mut InboundGroupSession,
    event: &str,
) -> moceril::megolm::DecryptedMessage {
    session.decrypt(&MegolmMessage::from_base64(event).unwrap()).unwrap()
}

fn decrypt_vodozemac(
    session: &mut vodozemac_megolm::InboundGroupSession,
    event: &str,
) -> vodozemac_megolm::DecryptedMessage {
    session.decrypt(&vodozemac_megolm::MegolmMessage::from_base64(event).unwrap()).unwrap()
}

/// The same events for all, from the library that is fastest to make them.
fn history(length: usize) -> (Rc<str>, Rc<[String]>) {
    let mut room = GroupSession::new(Duration::ZERO).unwrap();
    let key = Rc::from(&*room.session_key().to_base64());
    (key, (0..length).map(|_| room.encrypt(TEXT).unwrap().to_base64()).collect())
}

fn our_receiver(key: &str) -> InboundGroupSession {
    InboundGroupSession::new(&SessionKey::from_base64(key).unwrap())
}

fn vodozemac_receiver(key: &str) -> vodozemac_megolm::InboundGroupSession {
    let key = vodozemac_megolm::SessionKey::from_base64(key).unwrap();
    vodozemac_megolm::InboundGroupSession::new(&key, vodozemac::megolm_config())
}

/// Those who take one event after the other.
fn vodozemac_and_libolm(
    key: &Rc<str>,
    events: &Rc<[String]>,
    order: fn(&[String]) -> Vec<&String>,
) -> Contenders {
    let (vodozemac_key, vodozemac_events) = (key.clone(), events.clone());
    let (libolm_key, libolm_events) = (key.clone(), events.clone());
    vec![
        (
            Who::Vodozemac,
            prepared(
                move || vodozemac_receiver(&vodozemac_key),
                move |session| {
                    let events = order(&vodozemac_events);
                    events
                        .into_iter()
                        .map(|event| decrypt_vodozemac(session, event))
                        .collect::<Vec<_>>()
                },
            ),
        ),
        (
            Who::Libolm,
            prepared(
                move || OlmInboundGroupSession::new(&libolm_key).unwrap(),
                move |session| {
                    let events = order(&libolm_events);
                    events
                        .into_iter()
                        .map(|event| session.decrypt(event.clone()).unwrap())
                        .collect::<Vec<_>>()
                },
            ),
        ),
    ]
}

fn newest_first() -> Contenders {
    let (key, events) = history(HISTORY);
    let mut contenders =
        vodozemac_and_libolm(&key, &events, |events| events.iter().rev().collect());
    let (mut sender, mut receiver) = lower_bound::megolm::ends();
    contenders.insert(
        0,
        (
            Who::Ours,
            prepared(
                move || our_receiver(&key),
                move |session| {
                    events
                        .iter()
                        .rev()
                        .map(|event| decrypt_ours(session, event))
                        .collect::<Vec<_>>()
                },
            ),
        ),
    );
    contenders.push((
        Who::LowerBound,
        prepared(
            move || (0..HISTORY).map(|_| sender.send()).collect::<Vec<_>>(),
            move |events| {
                for event in events {
                    receiver.receive(event);
                }
            },
        ),
    ));
    contenders
}

fn batch(length: usize) -> Contenders {
    let (key, events) = history(length);
    let mut contenders = vodozemac_and_libolm(&key, &events, |events| events.iter().collect());
    contenders.insert(
        0,
        (
            Who::Ours,
            prepared(
                move || our_receiver(&key),
                move |session| {
                    let parse = |event: &String| MegolmMessage::from_base64(event).unwrap();
                    let events: Vec<_> = events.iter().map(parse).collect();
                    let decrypted = session.decrypt_batch(&events);
                    assert!(decrypted.iter().all(Result::is_ok));
                    decrypted
                },
            ),
        ),
    );
    let (mut sender, mut receiver) = lower_bound::megolm::ends();
    contenders.push((
        Who::LowerBound,
        prepared(
            move || (0..length).map(|_| sender.send()).collect::<Vec<_>>(),
            move |events| receive_together(&mut receiver, events),
        ),
    ));
    contenders
}

fn session_key() -> Contenders {
    let room = GroupSession::new(Duration::ZERO).unwrap();
    let key: Rc<str> = Rc::from(&*room.session_key().to_base64());
    let (ours, vodozemac, libolm) = (key.clone(), key.clone(), key);
    let mut lower_bound = Key::shared();
    vec![
        (Who::Ours, repeated(move || our_receiver(&ours))),
        (Who::Vodozemac, repeated(move || vodozemac_receiver(&vodozemac))),
        (Who::Libolm, repeated(move || OlmInboundGroupSession::new(&libolm).unwrap())),
        (Who::LowerBound, repeated(move || lower_bound.read_and_verify())),
    ]
}

fn exported_key() -> Contenders {
    let session = ours::receiver(&GroupSession::new(Duration::ZERO).unwrap());
    let export = session.export_at_first_known_index().unwrap();
    let key: Rc<str> = Rc::from(&*export.to_base64());
    let (ours, vodozemac, libolm) = (key.clone(), key.clone(), key);
    let mut lower_bound = Key::exported();
    vec![
        (Who::Ours, repeated(move || import_ours(&ours))),
        (Who::Vodozemac, repeated(move || import_vodozemac(&vodozemac))),
        (Who::Libolm, repeated(move || import_libolm(&libolm))),
        (Who::LowerBound, repeated(move || lower_bound.read())),
    ]
}

/// moceril checks with the first event what the others check in the key.
fn first_event() -> Contenders {
    let mut room = GroupSession::new(Duration::ZERO).unwrap();
    let export = ours::receiver(&room).export_at_first_known_index().unwrap();
    let (key, event) = (export.to_base64(), room.encrypt(TEXT).unwrap().to_base64());
    let key_and_event: Rc<(String, String)> = Rc::new((String::from(&*key), event));
    let (ours, vodozemac, libolm) = (key_and_event.clone(), key_and_event.clone(), key_and_event);
    vec![
        (Who::Ours, repeated(move || decrypt_ours(&mut import_ours(&ours.0), &ours.1))),
        (
            Who::Vodozemac,
            repeated(move || decrypt_vodozemac(&mut import_vodozemac(&vodozemac.0), &vodozemac.1)),
        ),
        (
            Who::Libolm,
            repeated(move || import_libolm(&libolm.0).decrypt(libolm.1.clone()).unwrap()),
        ),
    ]
}
