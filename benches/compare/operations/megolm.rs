//! Megolm sessions. Events and keys are base64, as they travel.

use std::rc::Rc;

use ::vodozemac::megolm as vodozemac_megolm;
use moceril::megolm::{
    ExportedSessionKey, GroupSession, InboundGroupSession, MegolmMessage, SessionKey,
};
use olm_rs::{
    inbound_group_session::OlmInboundGroupSession, outbound_group_session::OlmOutboundGroupSession,
};

use super::batch_lower_bound::receive_together;
use crate::{
    contender::{Who, prepared, repeated},
    ends::{TEXT_AS_STR, libolm, ours, vodozemac},
    lower_bound::{self, TEXT, megolm::Key},
    measure::{Contenders, Row},
    workloads::grouped,
};

/// A page of history, as a client that scrolls back decrypts it.
const HISTORY: usize = 1_000;

pub fn rows() -> Vec<Row> {
    let batch = |events: usize, target: f64| {
        let name = format!("Megolm batch decrypt of {} events, each", grouped(events));
        Row::new(name, events, target, move || batch(events))
    };
    vec![
        Row::new("Megolm encrypt (+ base64)", 1, 1.08, encrypt),
        Row::new("Megolm decrypt in order, parse included", 1, 1.25, in_order),
        Row::new("Megolm decrypt of 1,000 events newest first, each", HISTORY, 1.9, newest_first),
        batch(100, 3.5),
        batch(1_000, 4.0),
        Row::new("session key: parse, verify, new inbound", 1, 1.25, session_key),
        Row::new("exported key: parse, import", 1, 1.05, exported_key),
    ]
}

fn encrypt() -> Contenders {
    let mut our_room = GroupSession::new(0).unwrap();
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
    let mut our_room = GroupSession::new(0).unwrap();
    let mut our_end = ours::receiver(&our_room);
    let mut room = vodozemac::room();
    let mut end = vodozemac::receiver(&room);
    let libolm_room = OlmOutboundGroupSession::new();
    let libolm_end = libolm::receiver(&libolm_room);
    let (mut sender, mut receiver) = lower_bound::megolm::ends();
    vec![
        (
            Who::Ours,
            prepared(
                move || our_room.encrypt(TEXT).unwrap().to_base64(),
                move |event| decrypt_ours(&mut our_end, event),
            ),
        ),
        (
            Who::Vodozemac,
            prepared(
                move || room.encrypt(TEXT).to_base64(),
                move |event| decrypt_vodozemac(&mut end, event),
            ),
        ),
        (
            Who::Libolm,
            prepared(
                move || libolm_room.encrypt(TEXT_AS_STR),
                move |event| libolm_end.decrypt(std::mem::take(event)).unwrap(),
            ),
        ),
        (Who::LowerBound, prepared(move || sender.send(), move |event| receiver.receive(event))),
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
    let mut room = GroupSession::new(0).unwrap();
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
    let room = GroupSession::new(0).unwrap();
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
    let session = ours::receiver(&GroupSession::new(0).unwrap());
    let export = session.export_at_first_known_index().unwrap();
    let key: Rc<str> = Rc::from(&*export.to_base64());
    let (ours, vodozemac, libolm) = (key.clone(), key.clone(), key);
    let mut lower_bound = Key::exported();
    vec![
        (
            Who::Ours,
            repeated(move || {
                InboundGroupSession::import(&ExportedSessionKey::from_base64(&ours).unwrap())
            }),
        ),
        (
            Who::Vodozemac,
            repeated(move || {
                let key = vodozemac_megolm::ExportedSessionKey::from_base64(&vodozemac).unwrap();
                let config = vodozemac::megolm_config();
                vodozemac_megolm::InboundGroupSession::import(&key, config)
            }),
        ),
        (Who::Libolm, repeated(move || OlmInboundGroupSession::import(&libolm).unwrap())),
        (Who::LowerBound, repeated(move || lower_bound.read())),
    ]
}
