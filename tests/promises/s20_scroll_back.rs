//! Reading a session backwards is fast because the session remembers a few ratchets on the way.
//! This must not be observable: it answers like a session that remembers nothing, and forgets like
//! one (S-20).

use moceril::megolm::{
    DecryptionError, GroupSession, GroupSessionConfig, InboundGroupSession, MegolmMessage,
};
use moceril_testing::{
    naive::megolm::naive_ratchet,
    pickle_editor::edit,
    pickled::Pickled,
    rng::{RecordedRng, SeededRng},
};

/// So many messages: two whole rounds of the ratchet's last part, and the beginning of a third.
const COUNT: u32 = 600;
/// The beginning, and places from which the messages cross the renewal of each part of the ratchet.
const STARTS: [u32; 4] = [0, 0xfe, 0xfe80, 0x00ff_fec0];

/// A receiver that knows nothing but the ratchet at its first index, and the messages from there
/// on.
struct Room {
    ratchet: [[u8; 32]; 4],
    receiver: InboundGroupSession,
    messages: Vec<MegolmMessage>,
}

impl Room {
    fn new(start: u32) -> Self {
        let mut rng = SeededRng::new(start.into());
        let ratchet: [[u8; 32]; 4] = std::array::from_fn(|_| rng.bytes());
        let draws = [ratchet.as_flattened(), &rng.bytes::<32>()].concat();
        let new =
            GroupSession::with_rng(GroupSessionConfig::default(), &mut RecordedRng::new(draws));
        let moved = edit(&new.unwrap().snapshot(), |open| open.set_number("index", start.into()));
        let mut sender = GroupSession::restore(&moved).unwrap();
        let receiver = InboundGroupSession::new(&sender.session_key());
        let messages = (0..COUNT).map(|_| sender.encrypt(b"to everybody").unwrap()).collect();
        Self { ratchet, receiver, messages }
    }

    /// The message so many after the first.
    fn message(&self, distance: u32) -> &MegolmMessage {
        &self.messages[distance as usize]
    }
}

/// Orders to read in: each visits some messages more than once.
fn orders() -> Vec<(&'static str, Vec<u32>)> {
    let rng = &mut SeededRng::new(20);
    let pages = (0..COUNT / 50).rev().flat_map(|page| page * 50..(page + 1) * 50);
    vec![
        ("newest first", (0..COUNT).rev().collect()),
        ("newest page first, each page forwards", pages.collect()),
        (
            "backwards in leaps, then forwards",
            (0..COUNT).rev().step_by(7).chain(0..COUNT).collect(),
        ),
        ("from both ends", (0..COUNT / 2).flat_map(|n| [COUNT - 1 - n, n]).collect()),
        ("at random", (0..COUNT).map(|_| rng.below(COUNT as usize) as u32).collect()),
    ]
}

/// In every order, a session gives for each message what a copy that has read nothing gives,
/// exports the ratchets of the specification's definition, and its pickle is that of the copy.
#[test]
fn every_order_gives_the_same() {
    for start in STARTS {
        let room = Room::new(start);
        for (name, order) in orders() {
            let mut session = room.receiver.copy();
            for distance in order {
                let message = room.message(distance);
                let decrypted = session.decrypt(message).unwrap();
                assert_eq!(decrypted.plaintext(), b"to everybody", "{name}, {distance}");
                assert_eq!(decrypted.message_index(), start + distance);
                if distance % 37 == 0 {
                    let exported = session.export_at(start + distance).unwrap().to_bytes();
                    let expected = naive_ratchet(room.ratchet, start, start + distance);
                    assert_eq!(exported[5..133], *expected.as_flattened(), "{name}, {distance}");
                    assert_eq!(room.receiver.copy().decrypt(message), Ok(decrypted));
                }
            }
            assert_eq!(session.snapshot(), room.receiver.snapshot(), "{name}");
        }
    }
}

/// S-20: after a session was read backwards, `advance_to` forgets as ever, and what is left is read
/// as ever, backwards too.
#[test]
fn s_20_forgetting_in_the_middle_of_scrolling_back() {
    for start in STARTS {
        let room = Room::new(start);
        for kept_from in [1, 2, 255, 256, 300, 511, 512] {
            let mut session = room.receiver.copy();
            for distance in (kept_from - 1..COUNT).rev() {
                session.decrypt(room.message(distance)).unwrap();
            }
            let mut remembers_nothing = room.receiver.copy();
            assert!(session.advance_to(start + kept_from));
            assert!(remembers_nothing.advance_to(start + kept_from));
            assert_eq!(session.snapshot(), remembers_nothing.snapshot());

            let index = start + kept_from - 1;
            let unknown = DecryptionError::UnknownIndex { index, first_known: index + 1 };
            assert_eq!(session.decrypt(room.message(kept_from - 1)), Err(unknown));
            for distance in (kept_from..COUNT).rev().step_by(11).chain([kept_from]) {
                assert!(session.decrypt(room.message(distance)).is_ok());
            }
            session.close();
            let closed = session.decrypt(room.message(COUNT - 1));
            assert_eq!(closed, Err(DecryptionError::Closed));
        }
    }
}
