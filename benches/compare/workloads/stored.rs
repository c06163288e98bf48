//! What a client reads from its store when it starts.

use std::rc::Rc;

use ::vodozemac::{megolm as vodozemac_megolm, olm as vodozemac_olm};
use moceril::{megolm::InboundGroupSession, olm::Account};
use olm_rs::inbound_group_session::OlmInboundGroupSession;

use super::{
    grouped,
    restore::{exported_keys, import_libolm, import_ours, import_vodozemac, read_all},
};
use crate::{
    contender::{Who, repeated},
    ends::{
        PICKLE_KEY, libolm,
        ours::{self, CONTEXT, pickle_key},
        vodozemac,
    },
    measure::Row,
};

pub fn rows(sessions: usize, one_time_keys: usize) -> Vec<Row> {
    vec![group_sessions(sessions), account(one_time_keys)]
}

fn group_sessions(count: usize) -> Row {
    let name = format!("unpickle {} inbound group sessions", grouped(count));
    Row::new(name, 1, move || {
        let keys = exported_keys(count);
        let pickles = |pickle: fn(&str) -> String| -> Rc<[String]> {
            keys.iter().map(|key| pickle(key)).collect()
        };
        let ours = pickles(|key| import_ours(key).pickle(&pickle_key(), CONTEXT).unwrap());
        let vodozemac = pickles(|key| import_vodozemac(key).pickle().encrypt(PICKLE_KEY));
        let libolm = pickles(|key| import_libolm(key).pickle(libolm::pickling()));
        vec![
            (Who::Ours, read_all(ours, unpickle_ours)),
            (Who::Vodozemac, read_all(vodozemac, unpickle_vodozemac)),
            (Who::Libolm, read_all(libolm, unpickle_libolm)),
        ]
    })
}

fn unpickle_ours(pickle: &str) -> InboundGroupSession {
    InboundGroupSession::from_pickle(pickle, &pickle_key(), CONTEXT).unwrap()
}

fn unpickle_vodozemac(pickle: &str) -> vodozemac_megolm::InboundGroupSession {
    let pickle = vodozemac_megolm::InboundGroupSessionPickle::from_encrypted(pickle, PICKLE_KEY);
    vodozemac_megolm::InboundGroupSession::from_pickle(pickle.unwrap())
}

fn unpickle_libolm(pickle: &str) -> OlmInboundGroupSession {
    OlmInboundGroupSession::unpickle(pickle.to_owned(), libolm::pickling()).unwrap()
}

/// More one-time keys than libolm keeps.
fn account(one_time_keys: usize) -> Row {
    let name = format!("unpickle an account with {} one-time keys", grouped(one_time_keys));
    Row::new(name, 1, move || {
        let key = pickle_key();
        let ours = ours::account(one_time_keys).pickle(&key, CONTEXT).unwrap();
        let vodozemac = vodozemac::account(one_time_keys).pickle().encrypt(PICKLE_KEY);
        vec![
            (Who::Ours, repeated(move || Account::from_pickle(&ours, &key, CONTEXT).unwrap())),
            (
                Who::Vodozemac,
                repeated(move || {
                    let pickle =
                        vodozemac_olm::AccountPickle::from_encrypted(&vodozemac, PICKLE_KEY);
                    vodozemac_olm::Account::from_pickle(pickle.unwrap())
                }),
            ),
        ]
    })
}
