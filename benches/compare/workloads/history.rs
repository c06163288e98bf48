//! Opening a room: many events of several sessions, newest first, all of them known.

use std::{rc::Rc, time::Duration};

use interop::{Library, MessageVersion::V3, peer::GroupReceiver};
use moceril::megolm::{GroupSession, InboundGroupSession, MegolmMessage, SessionKey};

use super::grouped;
use crate::{
    contender::{Contender, Who, prepared},
    lower_bound::TEXT,
    measure::Row,
};

/// The text of an event, and which session it belongs to.
type Event = (usize, String);

/// What there is when the client starts.
struct Room {
    keys: Vec<String>,
    newest_first: Vec<Event>,
}

impl Room {
    /// The members take turns.
    fn new(sessions: usize, events_of_each: usize) -> Self {
        let mut rooms: Vec<_> =
            (0..sessions).map(|_| GroupSession::new(Duration::ZERO).unwrap()).collect();
        let keys =
            rooms.iter().map(|room| String::from(&*room.session_key().to_base64())).collect();
        let mut newest_first = Vec::new();
        for _ in 0..events_of_each {
            for (session, room) in rooms.iter_mut().enumerate() {
                newest_first.push((session, room.encrypt(TEXT).unwrap().to_base64()));
            }
        }
        newest_first.reverse();
        Self { keys, newest_first }
    }
}

/// Event by event; and with all events of a session at once, where the library can.
pub fn rows(sessions: usize, events_of_each: usize) -> [Row; 2] {
    let events = grouped(sessions * events_of_each);
    let name =
        format!("open a room: {events} events of {} sessions, newest first", grouped(sessions));
    let others = |room: &Rc<Room>| {
        [(Who::Vodozemac, Library::Vodozemac), (Who::Libolm, Library::Libolm)]
            .map(|(who, library)| (who, one_by_one(room, library)))
    };
    let single = Row::new(name.clone(), 1, move || {
        let room = Rc::new(Room::new(sessions, events_of_each));
        [
            [(Who::Ours, one_by_one(&room, Library::Ours))].into_iter().collect::<Vec<_>>(),
            others(&room).into(),
        ]
        .into_iter()
        .flatten()
        .collect()
    });
    let batch = Row::new(format!("{name}, a batch for each session"), 1, move || {
        let room = Rc::new(Room::new(sessions, events_of_each));
        [vec![(Who::Ours, in_batches(&room))], others(&room).into()].into_iter().flatten().collect()
    });
    [single, batch]
}

fn one_by_one(room: &Rc<Room>, library: Library) -> Box<dyn Contender> {
    let (for_keys, room) = (room.clone(), room.clone());
    prepared(
        move || {
            let receiver = |key: &String| library.group_receiver(V3, key).unwrap();
            for_keys.keys.iter().map(receiver).collect::<Vec<Box<dyn GroupReceiver>>>()
        },
        move |sessions| {
            let decrypt = |(session, event): &Event| sessions[*session].decrypt(event).unwrap();
            room.newest_first.iter().map(decrypt).collect::<Vec<_>>()
        },
    )
}

fn in_batches(room: &Rc<Room>) -> Box<dyn Contender> {
    let (for_keys, room) = (room.clone(), room.clone());
    prepared(
        move || {
            let receiver =
                |key: &String| InboundGroupSession::new(&SessionKey::from_base64(key).unwrap());
            for_keys.keys.iter().map(receiver).collect::<Vec<_>>()
        },
        move |sessions| {
            let mut events: Vec<Vec<_>> = sessions.iter().map(|_| Vec::new()).collect();
            for (session, event) in &room.newest_first {
                events[*session].push(MegolmMessage::from_base64(event).unwrap());
            }
            let decrypted: Vec<_> = sessions
                .iter_mut()
                .zip(&events)
                .map(|(session, events)| session.decrypt_batch(events))
                .collect();
            assert!(decrypted.iter().flatten().all(Result::is_ok));
            decrypted
        },
    )
}
