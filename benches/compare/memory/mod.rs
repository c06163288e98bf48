//! The heap memory of objects and operations.

pub mod allocator;

use std::time::Duration;

use ::vodozemac::megolm as vodozemac_megolm;
use moceril::megolm::{GroupSession, InboundGroupSession, MegolmMessage};
use olm_rs::{
    inbound_group_session::OlmInboundGroupSession, outbound_group_session::OlmOutboundGroupSession,
};

use self::allocator::{LibolmObject, Usage, watch};
use crate::{
    contender::Who,
    ends::{libolm, ours, vodozemac},
    lower_bound::TEXT,
    measure::Row,
    workloads::restore::{exported_keys, import_libolm, import_ours, import_vodozemac},
};

/// So many small objects of each kind are made; their mean is reported.
const OBJECTS: usize = 100;

/// Heap usage of each of the three libraries, per object.
pub struct Live {
    pub object: String,
    pub count: usize,
    pub ours: Usage,
    pub vodozemac: Usage,
    pub libolm: Usage,
}

/// Live objects in a list, themselves included, and of many inbound group sessions all together.
pub fn live(inbound_sessions: usize) -> Vec<Live> {
    let keys = exported_keys(inbound_sessions);
    let import = |place: usize| keys[place].as_str();
    vec![
        Live {
            object: "account without one-time keys".into(),
            count: OBJECTS,
            ours: list(OBJECTS, |_| ours::account(0)),
            vodozemac: list(OBJECTS, |_| vodozemac::account(0)),
            libolm: list_of_libolm(LibolmObject::Account, OBJECTS, |_| libolm::account(0)),
        },
        Live {
            object: "account with 50 one-time keys".into(),
            count: OBJECTS,
            ours: list(OBJECTS, |_| ours::account(50)),
            vodozemac: list(OBJECTS, |_| vodozemac::account(50)),
            libolm: list_of_libolm(LibolmObject::Account, OBJECTS, |_| libolm::account(50)),
        },
        Live {
            object: "Olm session after a round trip".into(),
            count: OBJECTS,
            ours: list(OBJECTS, |_| ours::conversation().0),
            vodozemac: list(OBJECTS, |_| vodozemac::conversation().0),
            libolm: list_of_libolm(LibolmObject::Session, OBJECTS, |_| libolm::conversation().0),
        },
        Live {
            object: "Olm session with five receiver chains".into(),
            count: OBJECTS,
            ours: list(OBJECTS, |_| ours::old_session()),
            vodozemac: list(OBJECTS, |_| vodozemac::old_session()),
            libolm: list_of_libolm(LibolmObject::Session, OBJECTS, |_| libolm::old_session()),
        },
        Live {
            object: "group session (the sender's)".into(),
            count: OBJECTS,
            ours: list(OBJECTS, |_| GroupSession::new(Duration::ZERO).unwrap()),
            vodozemac: list(OBJECTS, |_| {
                vodozemac_megolm::GroupSession::new(vodozemac::megolm_config())
            }),
            libolm: list_of_libolm(LibolmObject::GroupSession, OBJECTS, |_| {
                OlmOutboundGroupSession::new()
            }),
        },
        Live {
            object: "inbound group session, as imported".into(),
            count: inbound_sessions,
            ours: list(inbound_sessions, |place| import_ours(import(place))),
            vodozemac: list(inbound_sessions, |place| import_vodozemac(import(place))),
            libolm: list_of_libolm(LibolmObject::InboundGroupSession, inbound_sessions, |place| {
                import_libolm(import(place))
            }),
        },
        inbound("inbound group session after two events", &[0, 1]),
        inbound("inbound group session that is read backwards", &[299, 298]),
    ]
}

/// After events of these indices.
fn inbound(object: &str, indices: &[usize]) -> Live {
    let mut room = GroupSession::new(Duration::ZERO).unwrap();
    let key = room.session_key();
    let events: Vec<_> = (0..300).map(|_| room.encrypt(TEXT).unwrap().to_base64()).collect();
    let events = || indices.iter().map(|index| events[*index].as_str());
    let text = key.to_base64();
    Live {
        object: object.into(),
        count: OBJECTS,
        ours: list(OBJECTS, |_| {
            let mut session = InboundGroupSession::new(&key);
            for event in events() {
                session.decrypt(&MegolmMessage::from_base64(event).unwrap()).unwrap();
            }
            session
        }),
        vodozemac: list(OBJECTS, |_| {
            let key = vodozemac_megolm::SessionKey::from_base64(&text).unwrap();
            let config = vodozemac::megolm_config();
            let mut session = vodozemac_megolm::InboundGroupSession::new(&key, config);
            for event in events() {
                let event = vodozemac_megolm::MegolmMessage::from_base64(event).unwrap();
                session.decrypt(&event).unwrap();
            }
            session
        }),
        libolm: list_of_libolm(LibolmObject::InboundGroupSession, OBJECTS, |_| {
            OlmInboundGroupSession::new(&text).unwrap()
        }),
    }
}

fn list<T>(count: usize, make: impl Fn(usize) -> T) -> Usage {
    watch(|| {
        let mut list = Vec::with_capacity(count);
        list.extend((0..count).map(make));
        list
    })
}

fn list_of_libolm<T>(object: LibolmObject, count: usize, make: impl Fn(usize) -> T) -> Usage {
    let usage = list(count, make);
    let (size, count) = (object.size() as i64, count as i64);
    Usage { bytes: usage.bytes + size * count, blocks: usage.blocks + count, ..usage }
}

/// What one run of an operation takes, for each who can do it.
pub struct Operation {
    pub name: String,
    pub usage: Vec<(Who, Usage)>,
}

impl Operation {
    pub fn of(&self, who: Who) -> Option<Usage> {
        self.usage.iter().find(|(name, _)| *name == who).map(|(_, usage)| *usage)
    }
}

pub fn operations(rows: &[Row]) -> Vec<Operation> {
    rows.iter()
        .map(|row| {
            let mut contenders = (row.contenders)();
            let usage = contenders
                .iter_mut()
                .map(|(who, contender)| {
                    // What is made only once, at the first time, is not the operation's.
                    contender.allocate();
                    (*who, contender.allocate())
                })
                .collect();
            Operation { name: row.name.clone(), usage }
        })
        .collect()
}
