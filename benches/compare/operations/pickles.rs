//! Pickles, encrypted, in each library's own format; and how long they are.

use std::{iter, time::Duration};

use ::vodozemac::{megolm as vodozemac_megolm, olm as vodozemac_olm};
use moceril::{
    megolm::{GroupSession, InboundGroupSession, MegolmMessage},
    olm::{Account, Session},
};
use olm_rs::{
    account::OlmAccount, inbound_group_session::OlmInboundGroupSession,
    outbound_group_session::OlmOutboundGroupSession, session::OlmSession,
};

use crate::{
    contender::{Who, prepared, repeated},
    ends::{
        PICKLE_KEY, TEXT_AS_STR, libolm,
        ours::{self, CONTEXT, pickle_key},
        vodozemac,
    },
    lower_bound::{
        TEXT,
        pickle::{Pickle, restore_nothing, restore_signing_key},
    },
    measure::{Contenders, Row},
};

const ONE_TIME_KEYS: usize = 100;

pub fn rows() -> Vec<Row> {
    vec![
        Row::new("Olm session pickle", 1, || old_session().pickle),
        Row::new("Olm session unpickle", 1, || old_session().unpickle),
        Row::new("young Olm session pickle", 1, || young_session().pickle),
        Row::new("young Olm session unpickle", 1, || young_session().unpickle),
        Row::new("account with 100 one-time keys, pickle", 1, || account().pickle),
        Row::new("account with 100 one-time keys, unpickle", 1, || account().unpickle),
        Row::new("group session pickle", 1, || room().pickle),
        Row::new("group session unpickle", 1, || room().unpickle),
        Row::new("inbound group session pickle", 1, || inbound().pickle),
        Row::new("inbound group session unpickle", 1, || inbound().unpickle),
        Row::new("inbound group session: unpickle, decrypt, pickle", 1, inbound_in_use),
    ]
}

/// How many characters the pickles of one object have.
pub struct Size {
    pub object: &'static str,
    pub ours: usize,
    pub vodozemac: usize,
    pub libolm: usize,
}

pub fn sizes() -> Vec<Size> {
    let size = |object, Pickled { lengths: [ours, vodozemac, libolm], .. }| Size {
        object,
        ours,
        vodozemac,
        libolm,
    };
    vec![
        size("Olm session", old_session()),
        size("young Olm session", young_session()),
        size("account with 100 one-time keys", account()),
        size("group session", room()),
        size("inbound group session", inbound()),
    ]
}

struct Pickled {
    pickle: Contenders,
    unpickle: Contenders,
    lengths: [usize; 3],
}

/// Both directions for one kind of object. `restore` is what the lower bound computes from a
/// decrypted state.
macro_rules! pickled {
    (
        ours: $ours:ident, $our_object:expr;
        vodozemac: $module:ident $pickle:ident, $object:expr;
        libolm: $libolm:ident, $libolm_object:expr;
        restore: $restore:expr;
    ) => {{
        let our_object = $our_object;
        let our_pickle = our_object.pickle(&pickle_key(), CONTEXT).unwrap();
        let object = $object;
        let pickle = object.pickle().encrypt(PICKLE_KEY);
        let libolm_object = $libolm_object;
        let libolm_pickle = libolm_object.pickle(libolm::pickling());
        let lengths = [our_pickle.len(), pickle.len(), libolm_pickle.len()];
        let (mut sealing, mut opening) = (Pickle::new(lengths[0]), Pickle::new(lengths[0]));
        let (our_key, restore, mut buffer) = (pickle_key(), $restore, Vec::new());
        Pickled {
            pickle: vec![
                (Who::Ours, {
                    let key = pickle_key();
                    repeated(move || our_object.pickle(&key, CONTEXT).unwrap())
                }),
                (Who::Vodozemac, repeated(move || object.pickle().encrypt(PICKLE_KEY))),
                (Who::Libolm, repeated(move || libolm_object.pickle(libolm::pickling()))),
                (Who::LowerBound, repeated(move || sealing.seal())),
            ],
            unpickle: vec![
                (
                    Who::Ours,
                    repeated(move || $ours::from_pickle(&our_pickle, &our_key, CONTEXT).unwrap()),
                ),
                (
                    Who::Vodozemac,
                    repeated(move || {
                        let pickle = $module::$pickle::from_encrypted(&pickle, PICKLE_KEY);
                        $module::$ours::from_pickle(pickle.unwrap())
                    }),
                ),
                (
                    Who::Libolm,
                    repeated(move || {
                        $libolm::unpickle(libolm_pickle.clone(), libolm::pickling()).unwrap()
                    }),
                ),
                (
                    Who::LowerBound,
                    repeated(move || {
                        opening.open(&mut buffer);
                        restore()
                    }),
                ),
            ],
            lengths,
        }
    }};
}

/// With five receiver chains.
fn old_session() -> Pickled {
    pickled! {
        ours: Session, ours::old_session();
        vodozemac: vodozemac_olm SessionPickle, vodozemac::old_session();
        libolm: OlmSession, libolm::old_session();
        restore: restore_nothing;
    }
}

/// After one round trip.
fn young_session() -> Pickled {
    pickled! {
        ours: Session, ours::conversation().0;
        vodozemac: vodozemac_olm SessionPickle, vodozemac::conversation().0;
        libolm: OlmSession, libolm::conversation().0;
        restore: restore_nothing;
    }
}

fn account() -> Pickled {
    pickled! {
        ours: Account, ours::account(ONE_TIME_KEYS);
        vodozemac: vodozemac_olm AccountPickle, vodozemac::account(ONE_TIME_KEYS);
        libolm: OlmAccount, libolm::account(ONE_TIME_KEYS);
        restore: restore_signing_key();
    }
}

fn room() -> Pickled {
    pickled! {
        ours: GroupSession, GroupSession::new(Duration::ZERO).unwrap();
        vodozemac: vodozemac_megolm GroupSessionPickle, vodozemac::room();
        libolm: OlmOutboundGroupSession, OlmOutboundGroupSession::new();
        restore: restore_signing_key();
    }
}

/// The events of a session, in a circle. By default a room's session is replaced after 100 messages
/// (`m.room.encryption`). The later the event, the longer the way from the first ratchet, where an
/// unpickled session begins; only libolm's pickles hold a later one.
fn in_a_circle(event: impl FnMut() -> String) -> impl FnMut() -> String {
    let mut events = iter::repeat_with(event).take(100).collect::<Vec<_>>().into_iter().cycle();
    move || events.next().unwrap()
}

/// A client that keeps no session in memory: each event takes its session from the store and puts
/// it back.
fn inbound_in_use() -> Contenders {
    let mut our_room = GroupSession::new(Duration::ZERO).unwrap();
    let our_key = pickle_key();
    let mut our_pickle = ours::receiver(&our_room).pickle(&our_key, CONTEXT).unwrap();
    let mut room = vodozemac::room();
    let mut pickle = vodozemac::receiver(&room).pickle().encrypt(PICKLE_KEY);
    let libolm_room = OlmOutboundGroupSession::new();
    let mut libolm_pickle = libolm::receiver(&libolm_room).pickle(libolm::pickling());
    vec![
        (
            Who::Ours,
            prepared(
                in_a_circle(move || our_room.encrypt(TEXT).unwrap().to_base64()),
                move |event| {
                    let session = InboundGroupSession::from_pickle(&our_pickle, &our_key, CONTEXT);
                    let mut session = session.unwrap();
                    let decrypted =
                        session.decrypt(&MegolmMessage::from_base64(event).unwrap()).unwrap();
                    our_pickle = session.pickle(&our_key, CONTEXT).unwrap();
                    decrypted
                },
            ),
        ),
        (
            Who::Vodozemac,
            prepared(in_a_circle(move || room.encrypt(TEXT).to_base64()), move |event| {
                let stored = vodozemac_megolm::InboundGroupSessionPickle::from_encrypted(
                    &pickle, PICKLE_KEY,
                );
                let mut session =
                    vodozemac_megolm::InboundGroupSession::from_pickle(stored.unwrap());
                let event = vodozemac_megolm::MegolmMessage::from_base64(event).unwrap();
                let decrypted = session.decrypt(&event).unwrap();
                pickle = session.pickle().encrypt(PICKLE_KEY);
                decrypted
            }),
        ),
        (
            Who::Libolm,
            prepared(
                move || libolm_room.encrypt(TEXT_AS_STR),
                move |event| {
                    let stored = std::mem::take(&mut libolm_pickle);
                    let session =
                        OlmInboundGroupSession::unpickle(stored, libolm::pickling()).unwrap();
                    let decrypted = session.decrypt(std::mem::take(event)).unwrap();
                    libolm_pickle = session.pickle(libolm::pickling());
                    decrypted
                },
            ),
        ),
    ]
}

fn inbound() -> Pickled {
    pickled! {
        ours: InboundGroupSession, ours::receiver(&GroupSession::new(Duration::ZERO).unwrap());
        vodozemac: vodozemac_megolm InboundGroupSessionPickle, vodozemac::receiver(&vodozemac::room());
        libolm: OlmInboundGroupSession, libolm::receiver(&OlmOutboundGroupSession::new());
        restore: restore_nothing;
    }
}
