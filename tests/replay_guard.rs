//! S-19: a replay guard accepts an event again and refuses another event with the same message index,
//! with bounded memory.
//!
//! The guard sees what was decrypted, nothing else, so the messages here are made by hand.

mod common;

use common::{fixtures::group, rng::SeededRng};
use moceril::{
    Ed25519PublicKey, MessageVersion, PickleError,
    megolm::{DecryptedMessage, Provenance, ReplayError, ReplayGuard},
};

/// A message with this index. `which` tells messages of the same index apart.
fn message(index: u32, which: u8) -> DecryptedMessage {
    // The public key of RFC 8032, 7.1, test 1.
    let signing_key = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo";
    let mut fingerprint = [which; 32];
    fingerprint[..4].copy_from_slice(&index.to_be_bytes());
    DecryptedMessage {
        plaintext: Vec::new(),
        message_index: index,
        fingerprint,
        signing_key: Ed25519PublicKey::from_base64(signing_key).unwrap(),
        provenance: Provenance::Signed,
    }
}

fn forgotten(index: u32, first_remembered: u32) -> Result<(), ReplayError> {
    Err(ReplayError::Forgotten { index, first_remembered })
}

/// S-19: the same event is accepted as often as it comes; another event or message at its index is not.
#[test]
fn an_index_belongs_to_one_event() {
    let mut guard = ReplayGuard::default();
    for index in [0, 1, 7, u32::MAX] {
        let replayed = Err(ReplayError::Replayed { index });
        assert_eq!(guard.check(&message(index, 1), "$first"), Ok(()));
        let before = guard.to_bytes();
        assert_eq!(guard.check(&message(index, 1), "$first"), Ok(()));
        assert_eq!(guard.check(&message(index, 1), "$second"), replayed);
        assert_eq!(guard.check(&message(index, 1), "$firs"), replayed);
        assert_eq!(guard.check(&message(index, 1), ""), replayed);
        assert_eq!(guard.check(&message(index, 2), "$first"), replayed);
        assert_eq!(guard.check(&message(index, 2), "$second"), replayed);
        assert_eq!(guard.check(&message(index, 1), "$first"), Ok(()));
        assert_eq!(guard.to_bytes(), before, "S-04: a refused event changes nothing");
    }
}

/// S-19: the same with what a session decrypted.
#[test]
fn a_decrypted_message_is_recognized() {
    let (mut sender, mut receiver) = group(MessageVersion::V3, 19);
    let event = sender.encrypt(b"to everybody").unwrap();
    let mut guard = ReplayGuard::default();
    let first = receiver.decrypt(&event).unwrap();
    let again = receiver.decrypt(&event).unwrap();
    assert_eq!(guard.check(&first, "$event"), Ok(()));
    assert_eq!(guard.check(&again, "$event"), Ok(()));
    assert_eq!(guard.check(&again, "$replay"), Err(ReplayError::Replayed { index: 0 }));
    let next = receiver.decrypt(&sender.encrypt(b"to everybody").unwrap()).unwrap();
    assert_eq!(guard.check(&next, "$replay"), Ok(()));
}

/// S-19: a guard remembers the highest indices, and says when it cannot know.
#[test]
fn a_full_guard_forgets_the_lowest_indices() {
    let mut guard = ReplayGuard::with_capacity(3);
    for index in [10, 30, 20] {
        assert_eq!(guard.check(&message(index, 1), "$event"), Ok(()));
    }
    let before = guard.to_bytes();
    assert_eq!(guard.check(&message(40, 1), "$event"), Ok(()));
    assert_ne!(guard.to_bytes(), before);

    let before = guard.to_bytes();
    assert_eq!(guard.check(&message(10, 1), "$event"), forgotten(10, 11));
    assert_eq!(guard.check(&message(0, 1), "$event"), forgotten(0, 11));
    assert_eq!(guard.check(&message(20, 1), "$replay"), Err(ReplayError::Replayed { index: 20 }));
    assert_eq!(guard.to_bytes(), before);
    // Index 15 was never seen; the guard has no room to remember that it was now.
    assert_eq!(guard.check(&message(15, 1), "$event"), Ok(()));
    assert_eq!(guard.check(&message(15, 1), "$replay"), forgotten(15, 16));
    for index in [20, 30, 40] {
        assert_eq!(guard.check(&message(index, 1), "$event"), Ok(()));
    }
}

/// S-19: at no time does an index have two events, whatever the order of arrival.
#[test]
fn no_index_is_ever_accepted_for_two_events() {
    let mut total = 0;
    for seed in 0..20 {
        let mut rng = SeededRng::new(seed);
        let mut guard = ReplayGuard::with_capacity(1 + rng.below(20) as u32);
        let mut accepted = std::collections::BTreeMap::new();
        for _ in 0..1_000 {
            let (index, event) = (rng.below(60) as u32, ["$a", "$b"][rng.below(2)]);
            if guard.check(&message(index, 1), event).is_ok() {
                let first = *accepted.entry(index).or_insert(event);
                assert_eq!(first, event, "seed {seed}, index {index}");
            }
            guard = ReplayGuard::from_bytes(&guard.to_bytes()).unwrap();
        }
        total += accepted.len();
    }
    assert!(total > 500, "only {total} indices were accepted");
}

/// S-19: a million messages in 80 KiB.
#[test]
fn memory_is_bounded() {
    let mut guard = ReplayGuard::default();
    let mut message = message(0, 1);
    for index in 0..1_000_000_u32 {
        message.message_index = index;
        assert_eq!(guard.check(&message, "$event"), Ok(()));
        if index.is_multiple_of(50_000) {
            assert!(guard.to_bytes().len() <= 9 + 20 * ReplayGuard::DEFAULT_CAPACITY as usize);
        }
    }
    assert_eq!(guard.to_bytes().len(), 9 + 20 * ReplayGuard::DEFAULT_CAPACITY as usize);
    let first_remembered = 1_000_000 - ReplayGuard::DEFAULT_CAPACITY;
    message.message_index = first_remembered;
    assert_eq!(
        guard.check(&message, "$replay"),
        Err(ReplayError::Replayed { index: first_remembered })
    );
    message.message_index -= 1;
    assert_eq!(guard.check(&message, "$event"), forgotten(first_remembered - 1, first_remembered));
}

/// A full guard of capacity 3, which has forgotten what is below index 11.
fn full_guard() -> ReplayGuard {
    let mut guard = ReplayGuard::with_capacity(3);
    for index in [10, 20, 30, u32::MAX] {
        guard.check(&message(index, 1), "$event").unwrap();
    }
    guard
}

/// S-19: a guard survives being stored.
#[test]
fn a_guard_round_trips() {
    for mut guard in [ReplayGuard::default(), ReplayGuard::with_capacity(1), full_guard()] {
        let bytes = guard.to_bytes();
        let mut read = ReplayGuard::from_bytes(&bytes).unwrap();
        assert_eq!(read, guard);
        assert_eq!(read.to_bytes(), bytes);
        for index in [0, 10, 15, 20, u32::MAX] {
            for event in ["$event", "$replay"] {
                let message = message(index, 1);
                assert_eq!(read.check(&message, event), guard.check(&message, event));
            }
        }
    }
    assert_eq!(ReplayGuard::with_capacity(0), ReplayGuard::with_capacity(1));
}

/// S-19, S-07: bytes that no guard wrote are refused. The format: version, capacity, floor, then the
/// entries, each an index and 16 bytes, in ascending order.
#[test]
fn malformed_guards_are_refused() {
    let good = full_guard().to_bytes();
    assert_eq!(good[..9], [1, 0, 0, 0, 3, 0, 0, 0, 11]);
    assert_eq!(good.len(), 9 + 3 * 20);
    let entry = |place: usize| good[9 + 20 * place..29 + 20 * place].to_vec();
    let invalid = |bytes: &[u8], what: &str| {
        assert_eq!(ReplayGuard::from_bytes(bytes), Err(PickleError::InvalidState), "{what}");
    };

    for end in (0..good.len()).filter(|end| ![9, 29, 49].contains(end)) {
        invalid(&good[..end], "cut off within the header or an entry");
    }
    for extra in (1..=64).filter(|extra| extra % 20 != 0) {
        invalid(&[good.clone(), vec![0xff; extra]].concat(), "followed by something");
    }
    let unordered = [good[..9].to_vec(), entry(1), entry(0), entry(2)].concat();
    invalid(&unordered, "entries out of order");
    let repeated = [good[..9].to_vec(), entry(0), entry(0), entry(2)].concat();
    invalid(&repeated, "an index twice");
    for (place, byte, what) in [
        (4, 0, "capacity 0"),
        (4, 2, "more entries than the capacity"),
        (8, 21, "an index below the floor"),
        (8, 255, "several indices below the floor"),
    ] {
        let mut bytes = good.clone();
        bytes[place] = byte;
        invalid(&bytes, what);
    }
    invalid(&[1, 0, 0, 0, 0, 0, 0, 0, 0], "empty, with capacity 0");
    for version in (0..=255).filter(|version| *version != 1) {
        let bytes = [&[version], &good[1..]].concat();
        assert_eq!(ReplayGuard::from_bytes(&bytes), Err(PickleError::Version(version)));
    }
}
