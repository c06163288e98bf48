//! The four objects in all kinds of states, each with a name that a failing test can print.

use std::time::Duration;

use moceril::{
    MessageVersion,
    megolm::{GroupSession, GroupSessionConfig, InboundGroupSession, MegolmMessage, ReplayGuard},
    olm::{Account, Limits, OlmMessage, PreKeyBundle, Session, SessionConfig},
};

use super::{
    fixtures::config,
    pickle_editor::edit,
    pickled::{Pickled, guarded},
    rng::SeededRng,
};

/// An account with `count` one-time keys.
pub fn account(count: usize, rng: &mut SeededRng) -> Account {
    let mut account = Account::with_rng(rng).unwrap();
    account.generate_one_time_keys_with_rng(count, rng).unwrap();
    account
}

/// A bundle of the account's first one-time key.
pub fn bundle(account: &Account) -> PreKeyBundle {
    PreKeyBundle::verify(account.identity_keys(), &account.signed_one_time_keys()[0].1).unwrap()
}

/// Alice's session with Bob, and Bob's with Alice, who got her first message.
pub fn pair(config: SessionConfig, rng: &mut SeededRng) -> (Session, Session) {
    let (alice, mut bob) = (account(0, rng), account(1, rng));
    let mut to_bob = alice.create_outbound_session_with_rng(&bundle(&bob), config, rng).unwrap();
    let first = to_bob.encrypt_with_rng(b"first", rng).unwrap();
    let inbound = bob.create_inbound_session_with_config(
        alice.curve25519_key(),
        first.as_pre_key().unwrap(),
        config,
    );
    (to_bob, inbound.unwrap().session)
}

/// `sender` writes messages; `receiver` gets the last one. Returns those that are still on the way.
pub fn turn(
    sender: &mut Session,
    receiver: &mut Session,
    messages: usize,
    rng: &mut SeededRng,
) -> Vec<OlmMessage> {
    let write = |number: usize| sender.encrypt_with_rng(number.to_be_bytes(), rng).unwrap();
    let mut written: Vec<_> = (0..messages).map(write).collect();
    receiver.decrypt(&written.pop().unwrap()).unwrap();
    written
}

/// A session in some state, and messages that the peer has written to it.
pub struct NamedSession {
    pub name: &'static str,
    pub session: Session,
    pub incoming: Vec<OlmMessage>,
}

pub fn sessions(version: MessageVersion, rng: &mut SeededRng) -> Vec<NamedSession> {
    let mut states = Vec::new();
    let mut add = |name, session: &Session, incoming: &[OlmMessage]| {
        states.push(NamedSession { name, session: session.copy(), incoming: incoming.to_vec() });
    };
    let (mut alice, mut bob) = pair(config(version), rng);
    add("outbound without a reply", &alice, &[]);
    let second = alice.encrypt_with_rng(b"second", rng).unwrap();
    add("inbound without a reply", &bob, &[second]);

    let mut on_the_way = Vec::new();
    for _ in 0..3 {
        turn(&mut alice, &mut bob, 2, rng);
        on_the_way.extend(turn(&mut bob, &mut alice, 4, rng));
    }
    add("several chains with skipped keys", &alice, &on_the_way);
    add("with a sender chain in use", &bob, &[]);
    for _ in 0..7 {
        turn(&mut alice, &mut bob, 1, rng);
        on_the_way.extend(turn(&mut bob, &mut alice, 50, rng));
    }
    add("evicted keys and chains", &alice, &on_the_way);
    let exhausted = edit(&bob.snapshot(), |open| open.set_number("sender.index", 1 << 32));
    add("exhausted", &Session::restore(&exhausted).unwrap(), &[]);

    let limits =
        Limits::default().with_skipped_keys(300).with_message_gap(3_000).with_receiver_chains(9);
    let (mut alice, mut bob) =
        pair(SessionConfig::default().with_version(version).with_limits(limits), rng);
    let on_the_way = turn(&mut alice, &mut bob, 200, rng);
    add("raised limits", &bob, &on_the_way);
    states
}

pub fn accounts(rng: &mut SeededRng) -> Vec<(&'static str, Account)> {
    let fresh = account(0, rng);
    let mut keys = account(6, rng);
    let ids: Vec<_> = keys.unpublished_one_time_keys().iter().map(|(id, _)| *id).collect();
    keys.mark_as_published([ids[1], ids[4]]);
    keys.remove_one_time_key(ids[2]);
    let mut fallback = keys.copy();
    fallback.generate_fallback_key_with_rng(rng).unwrap();
    let mut used = fallback.copy();
    for round in 0..3 {
        let (_, key) = used.signed_fallback_key().unwrap();
        let bundle = PreKeyBundle::verify(used.identity_keys(), &key).unwrap();
        for _ in 0..2 {
            let config = SessionConfig::default();
            let mut session = fresh.create_outbound_session_with_rng(&bundle, config, rng).unwrap();
            let message = session.encrypt_with_rng(b"first", rng).unwrap();
            let message = message.as_pre_key().unwrap();
            used.create_inbound_session(fresh.curve25519_key(), message).unwrap();
        }
        if round < 2 {
            used.generate_fallback_key_with_rng(rng).unwrap();
        }
    }
    let (id, _) = used.unpublished_fallback_key().unwrap();
    used.mark_as_published([id]);
    // The fallback keys begin with the ids of one-time keys, and have a counter of their own.
    let own_ids = edit(&used.snapshot(), |open| {
        open.set_number("previous_fallback.id", 1);
        open.set_number("fallback.id", 2);
        open.replace_group("next_fallback_id", &[&[1][..], &3_u64.to_be_bytes()].concat());
    });
    vec![
        ("fresh", fresh),
        ("with one-time keys", keys),
        ("with a fallback key", fallback),
        ("with fallback keys that count their ids", Account::restore(&own_ids).unwrap()),
        ("with two fallback keys that were used", used),
    ]
}

pub fn group_sessions(
    version: MessageVersion,
    rng: &mut SeededRng,
) -> Vec<(&'static str, GroupSession)> {
    let config = GroupSessionConfig::default().with_version(version);
    let fresh = GroupSession::with_rng(config, rng).unwrap();
    let config = GroupSessionConfig::default()
        .with_version(version)
        .with_created_at(Duration::from_secs(1_700_000_000));
    let mut used = GroupSession::with_rng(config, rng).unwrap();
    for _ in 0..300 {
        used.encrypt(b"to everybody").unwrap();
    }
    let exhausted = edit(&used.snapshot(), |open| {
        open.set_number("index", u32::MAX.into());
        open.set_number("exhausted", 1);
    });
    let exhausted = GroupSession::restore(&exhausted).unwrap();
    vec![("fresh", fresh), ("used", used), ("exhausted", exhausted)]
}

/// Inbound sessions, and 40 messages with the indices 250 to 289 of the session that all of them
/// are copies of.
pub fn inbound_group_sessions(
    version: MessageVersion,
    rng: &mut SeededRng,
) -> (Vec<(&'static str, InboundGroupSession)>, Vec<MegolmMessage>) {
    let config = GroupSessionConfig::default().with_version(version);
    let mut room = GroupSession::with_rng(config, rng).unwrap();
    let new = |room: &GroupSession| InboundGroupSession::with_version(&room.session_key(), version);
    let first = new(&room);
    for _ in 0..250 {
        room.encrypt(b"nobody keeps this").unwrap();
    }
    let late = new(&room);
    let messages: Vec<_> = (0..40_u8).map(|number| room.encrypt([number]).unwrap()).collect();

    let exported = late.export_at(260).unwrap();
    let import =
        |provenance| InboundGroupSession::import_with_version(&exported, provenance, version);
    let mut verified = import(moceril::megolm::Provenance::Exported);
    verified.decrypt(&messages[39]).unwrap();
    // Signed from index 256 on.
    let backup = moceril::megolm::Provenance::Backup;
    let from_the_start = first.export_at(0).unwrap();
    let merged = InboundGroupSession::import_with_version(&from_the_start, backup, version);
    let mut signed = late.copy();
    signed.advance_to(260);
    let merged = merged.merge(&signed).unwrap();
    let mut advanced = first.copy();
    advanced.advance_to(270);
    let mut closed = late.copy();
    closed.close();
    let sessions = vec![
        ("from the start", first),
        ("from a later index", late),
        ("imported", import(moceril::megolm::Provenance::Exported)),
        ("imported, then verified by a message", verified),
        ("imported from a backup", import(moceril::megolm::Provenance::Backup)),
        ("from a backup, and signed from a later index", merged),
        ("advanced", advanced),
        ("closed", closed),
    ];
    (sessions, messages)
}

/// Replay guards of the session that tests have for that.
pub fn replay_guards() -> Vec<(&'static str, ReplayGuard)> {
    let (mut sender, mut receiver) = guarded();
    let events: Vec<_> = (0..5).map(|_| sender.encrypt(b"event").unwrap()).collect();
    let mut guard = |capacity, order: &[usize]| {
        let mut guard = ReplayGuard::with_capacity(&receiver, capacity);
        for place in order {
            _ = guard.check(&receiver.decrypt(&events[*place]).unwrap(), "$event").unwrap();
        }
        guard
    };
    vec![
        ("new", guard(1, &[])),
        ("with room", guard(10, &[3, 0])),
        ("full", guard(3, &[0, 1, 4])),
        ("full and forgetful", guard(3, &[0, 1, 2, 3, 4])),
    ]
}
