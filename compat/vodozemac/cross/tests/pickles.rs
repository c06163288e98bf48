//! S-24: what one crate pickled the other one reads as the same object, in every form, and writes
//! it as the same pickle.

use cross::{
    Account, Either, Form, GroupSession, InboundGroupSession, Session, Stored, account, either,
    group_session, inbound, pair, trials,
};
use rand::{RngExt, rngs::StdRng};

fn json<O: Stored, R: Stored>(object: &Either<O, R>) -> serde_json::Value {
    serde_json::from_slice(&object.store(Form::Json)).unwrap()
}

/// Both ways from an object, in every form.
fn check<O: Stored, R: Stored>(object: &Either<O, R>, same: impl Fn(&Either<O, R>, &Either<O, R>)) {
    for form in Form::ALL {
        let crossed = object.cross(form);
        assert_eq!(json(object), json(&crossed), "{form:?}");
        same(object, &crossed);
        let back = crossed.cross(form);
        // Byte for byte, so that byte strings are byte strings and lists are lists.
        for form in [Form::Json, Form::MessagePack] {
            assert_eq!(back.store(form), crossed.store(form), "{form:?}");
        }
        assert_eq!(back.store(Form::Encrypted), crossed.store(Form::Encrypted));
    }
}

fn same_account(one: &Account, other: &Account) {
    let public = |account: &Account| {
        either!(account, account => {
            let mut keys: Vec<_> = account
                .one_time_keys()
                .into_iter()
                .chain(account.fallback_key())
                .map(|(id, key)| (id.to_base64(), key.to_base64()))
                .collect();
            keys.sort();
            let ids = (account.ed25519_key().to_base64(), account.curve25519_key().to_base64());
            let signature = account.sign("signed by both").to_base64();
            (keys, ids, signature, account.stored_one_time_key_count())
        })
    };
    assert_eq!(public(one), public(other));
}

fn accounts(ours: bool) {
    trials(|rng| check(&account(rng, ours), same_account));
}

#[test]
fn s_24_accounts_from_here_to_there() {
    accounts(true);
}

#[test]
fn s_24_accounts_from_there_to_here() {
    accounts(false);
}

fn same_session(one: &Session, other: &Session) {
    let public = |session: &Session| {
        either!(session, session => {
            let received = session.has_received_message();
            (session.session_id(), received, session.session_config().version())
        })
    };
    assert_eq!(public(one), public(other));
}

fn sessions(ours: bool) {
    trials(|rng| {
        let (alice, mut bob) = (account(rng, ours), account(rng, ours));
        let mut conversation = pair(rng, &alice, &mut bob);
        let events = rng.random_range(0..40);
        conversation.live(rng, events);
        for session in &conversation.ends {
            check(session, same_session);
        }
    });
}

#[test]
fn s_24_sessions_from_here_to_there() {
    sessions(true);
}

#[test]
fn s_24_sessions_from_there_to_here() {
    sessions(false);
}

fn same_group_session(one: &GroupSession, other: &GroupSession) {
    let public = |session: &GroupSession| {
        either!(session, session => (
            session.session_id(),
            session.message_index(),
            session.session_config().version(),
            session.session_key().to_base64(),
        ))
    };
    assert_eq!(public(one), public(other));
}

fn same_inbound(one: &InboundGroupSession, other: &InboundGroupSession) {
    let public = |session: &InboundGroupSession| {
        either!(session, session => (
            session.session_id(),
            session.first_known_index(),
            session.export_at_first_known_index().to_base64(),
        ))
    };
    assert_eq!(public(one), public(other));
}

fn group_sessions(ours: bool) {
    trials(|rng: &mut StdRng| {
        let sender = group_session(rng, ours);
        check(&sender, same_group_session);
        check(&inbound(rng, &sender, ours), same_inbound);
    });
}

#[test]
fn s_24_group_sessions_from_here_to_there() {
    group_sessions(true);
}

#[test]
fn s_24_group_sessions_from_there_to_here() {
    group_sessions(false);
}
