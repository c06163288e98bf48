//! S-19, S-42, S-46: a replay guard accepts an event again and refuses another event with the same
//! message index. It has bounded memory, refuses no honest event, and belongs to one session, also
//! in a store. Tests beside its code check that its verdicts agree with an oracle, and that a
//! million messages take no more memory than some thousand.

use moceril::{
    MessageVersion, PickleError, PickleKey,
    megolm::{
        DecryptedMessage, InboundGroupSession, ReplayError, ReplayGuard,
        ReplayVerdict::{self, Again, First, FirstNotRemembered, Unknown},
    },
};
use moceril_testing::{
    fixtures::group,
    pickle_editor::{KEY, OpenPickle, edit},
    pickled::{Pickled, guarded},
    rng::SeededRng,
};

/// The session of the guards, and its messages, decrypted, each at the place of its index.
fn messages(count: usize) -> (InboundGroupSession, Vec<DecryptedMessage>) {
    let (mut sender, mut receiver) = guarded();
    let events: Vec<_> = (0..count).map(|_| sender.encrypt(b"event").unwrap()).collect();
    let decrypted = events.iter().map(|event| receiver.decrypt(event).unwrap()).collect();
    (receiver, decrypted)
}

fn replayed(index: u32) -> Result<ReplayVerdict, ReplayError> {
    Err(ReplayError::Replayed { index })
}

/// S-19: the same event is accepted as often as it comes; another event or message at its index is
/// not.
#[test]
fn an_index_belongs_to_one_event() {
    let (session, messages) = messages(8);
    let mut guard = ReplayGuard::new(&session);
    for index in [0, 1, 7] {
        let message = &messages[index];
        let replayed = replayed(index as u32);
        assert_eq!(guard.check(message, "$first"), Ok(First));
        let before = guard.snapshot();
        assert_eq!(guard.check(message, "$first"), Ok(Again));
        assert_eq!(guard.check(message, "$second"), replayed);
        assert_eq!(guard.check(message, "$firs"), replayed);
        assert_eq!(guard.check(message, ""), replayed);
        assert_eq!(guard.check(message, "$first"), Ok(Again));
        assert_eq!(guard.snapshot(), before, "S-04: a refused event changes nothing");
    }
}

/// S-19: another message of the same index, which only the sender can make, is another event,
/// whatever id the server gives it.
#[test]
fn an_index_belongs_to_one_message() {
    let (sender, mut receiver) = guarded();
    let [one, other] = ["one", "other"].map(|text| {
        let message = sender.copy().encrypt(text.as_bytes()).unwrap();
        receiver.decrypt(&message).unwrap()
    });
    let mut guard = ReplayGuard::new(&receiver);
    assert_eq!(guard.check(&one, "$event"), Ok(First));
    assert_eq!(guard.check(&other, "$event"), replayed(0));
    assert_eq!(guard.check(&one, "$event"), Ok(Again));
}

/// S-19: the same with a message that is decrypted anew.
#[test]
fn a_decrypted_message_is_recognized() {
    let (mut sender, mut receiver) = guarded();
    let event = sender.encrypt(b"to everybody").unwrap();
    let mut guard = ReplayGuard::new(&receiver);
    assert_eq!(guard.check(&receiver.decrypt(&event).unwrap(), "$event"), Ok(First));
    assert_eq!(guard.check(&receiver.decrypt(&event).unwrap(), "$event"), Ok(Again));
    assert_eq!(guard.check(&receiver.decrypt(&event).unwrap(), "$replay"), replayed(0));
    let next = receiver.decrypt(&sender.encrypt(b"to everybody").unwrap()).unwrap();
    assert_eq!(guard.check(&next, "$replay"), Ok(First));
}

/// S-46: a guard has nothing to say about another session, whose indices it does not know.
#[test]
fn a_guard_belongs_to_one_session() {
    let (session, messages) = messages(1);
    let (mut sender, mut receiver) = group(MessageVersion::V3, 78);
    let foreign = receiver.decrypt(&sender.encrypt(b"event").unwrap()).unwrap();
    let mut guard = ReplayGuard::new(&session);
    assert_eq!(guard.session_id(), session.session_id());
    let before = guard.snapshot();
    assert_eq!(guard.check(&foreign, "$event"), Err(ReplayError::OtherSession));
    assert_eq!(guard.snapshot(), before, "S-04");
    assert_eq!(guard.check(&messages[0], "$event"), Ok(First));
    assert_eq!(guard.check(&foreign, "$event"), Err(ReplayError::OtherSession));
}

/// S-42: a full guard remembers the highest indices, refuses nothing for the sake of its memory,
/// and says when it cannot know.
#[test]
fn a_full_guard_forgets_the_lowest_indices() {
    let (session, messages) = messages(50);
    let mut guard = ReplayGuard::with_capacity(&session, 3);
    let check = |guard: &mut ReplayGuard, index: usize| guard.check(&messages[index], "$event");
    for index in [10, 30, 20] {
        assert_eq!(check(&mut guard, index), Ok(First));
        assert_eq!(guard.forgotten(), 0..0);
    }
    assert_eq!(check(&mut guard, 40), Ok(First));
    assert_eq!(guard.forgotten(), 10..11);

    let before = guard.snapshot();
    assert_eq!(check(&mut guard, 10), Ok(Unknown));
    assert_eq!(guard.check(&messages[10], "$replay"), Ok(Unknown));
    assert_eq!(guard.check(&messages[20], "$replay"), replayed(20));
    assert_eq!(guard.snapshot(), before);
    // Index 15 was never seen, nor 0; the guard has no room to remember that they were now.
    for (index, forgotten) in [(15, 10..16), (0, 0..16)] {
        assert_eq!(check(&mut guard, index), Ok(FirstNotRemembered));
        assert_eq!(guard.forgotten(), forgotten);
        assert_eq!(check(&mut guard, index), Ok(Unknown));
        assert_eq!(guard.check(&messages[index], "$replay"), Ok(Unknown));
    }
    for index in [20, 30, 40] {
        assert_eq!(check(&mut guard, index), Ok(Again));
    }
    assert_eq!(check(&mut guard, 19), Ok(FirstNotRemembered));
    assert_eq!(check(&mut guard, 21), Ok(First));
    assert_eq!(guard.forgotten(), 0..21);
}

/// S-42: a room that is read newest first gives each event its true verdict, also when the guard is
/// full of newer ones; with a capacity of the session's length it remembers all.
#[test]
fn a_session_can_be_read_newest_first() {
    let (session, messages) = messages(40);
    for capacity in [1, 10, 39, 40, 41] {
        let mut guard = ReplayGuard::with_capacity(&session, capacity);
        for (place, message) in messages.iter().rev().enumerate() {
            let (first, then) = match place < capacity as usize {
                true => (First, Again),
                false => (FirstNotRemembered, Unknown),
            };
            assert_eq!(guard.check(message, "$event"), Ok(first));
            assert_eq!(guard.check(message, "$event"), Ok(then));
        }
        let forgotten = 0..40_u32.saturating_sub(capacity);
        assert_eq!(guard.forgotten(), forgotten);
    }
}

/// S-42: the bound can be raised, and never lowered.
#[test]
fn the_capacity_can_be_raised() {
    let (session, messages) = messages(6);
    let mut guard = ReplayGuard::with_capacity(&session, 2);
    for index in [1, 2, 3] {
        assert_eq!(guard.check(&messages[index], "$event"), Ok(First));
    }
    let generation = guard.generation();
    guard.raise_capacity(1);
    guard.raise_capacity(2);
    assert_eq!((guard.capacity(), guard.generation()), (2, generation));
    guard.raise_capacity(4);
    assert_eq!((guard.capacity(), guard.generation()), (4, generation + 1));
    // What was forgotten stays forgotten; everything else is remembered, also from before it.
    assert_eq!(guard.check(&messages[1], "$event"), Ok(Unknown));
    assert_eq!(guard.check(&messages[0], "$event"), Ok(First));
    assert_eq!(guard.check(&messages[4], "$event"), Ok(First));
    assert_eq!(guard.check(&messages[0], "$replay"), replayed(0));
    assert_eq!(guard.copy(), guard);
    assert_eq!(guard.check(&messages[5], "$event"), Ok(First));
    assert_eq!(guard.check(&messages[0], "$replay"), Ok(Unknown));
    assert_eq!(guard.forgotten(), 0..2);
    assert_eq!(ReplayGuard::with_capacity(&session, 0).capacity(), 1);
}

/// S-19: at no time does an index have two events, whatever the order of arrival, through pickles.
#[test]
fn no_index_is_ever_accepted_for_two_events() {
    let (session, messages) = messages(60);
    let mut total = 0;
    for seed in 0..5 {
        let mut rng = SeededRng::new(seed);
        let mut guard = ReplayGuard::with_capacity(&session, 1 + rng.below(20) as u32);
        let mut accepted = std::collections::BTreeMap::new();
        for _ in 0..500 {
            let (index, event) = (rng.below(60), ["$a", "$b"][rng.below(2)]);
            let verdict = guard.check(&messages[index], event);
            if matches!(verdict, Ok(First | FirstNotRemembered)) {
                assert_eq!(accepted.insert(index, event), None, "seed {seed}, index {index}");
            } else if verdict == Ok(Again) {
                assert_eq!(accepted[&index], event, "seed {seed}, index {index}");
            } else if verdict != Ok(Unknown) {
                assert_ne!(accepted[&index], event, "seed {seed}, index {index}");
            }
            guard = guard.copy();
        }
        total += accepted.len();
    }
    assert!(total > 100, "only {total} indices were accepted");
}

/// A full guard of capacity 3, which has forgotten indices 10 and 15.
fn full_guard() -> ReplayGuard {
    let (session, messages) = messages(31);
    let mut guard = ReplayGuard::with_capacity(&session, 3);
    for index in [10, 15, 20, 25, 30] {
        assert_eq!(guard.check(&messages[index], "$event"), Ok(First));
    }
    guard
}

/// S-46: a store cannot exchange the guard of a session for that of another one, nor for one that
/// saw nothing: without the key nobody can make one.
#[test]
fn s_46_a_stored_guard_cannot_be_exchanged() {
    let key = PickleKey::from_bytes(KEY);
    let (session, _) = messages(0);
    let (_, other) = group(MessageVersion::V3, 78);
    let pickle = |guard: &ReplayGuard| guard.pickle(&key, b"here").unwrap();
    let (ours, theirs) = (pickle(&full_guard()), pickle(&ReplayGuard::new(&other)));
    let open = |pickle: &str, key: &PickleKey, context: &[u8], session: &InboundGroupSession| {
        ReplayGuard::from_pickle(pickle, key, context, session)
    };
    assert_eq!(open(&ours, &key, b"here", &session), Ok(full_guard()));
    assert_eq!(open(&theirs, &key, b"here", &session), Err(PickleError::OtherSession));
    assert_eq!(open(&ours, &key, b"here", &other), Err(PickleError::OtherSession));
    assert_eq!(open(&ours, &key, b"there", &session), Err(PickleError::Authentication));
    let wrong = PickleKey::from_bytes([1; 32]);
    let empty = ReplayGuard::new(&session).pickle(&wrong, b"here").unwrap();
    assert_eq!(open(&empty, &key, b"here", &session), Err(PickleError::Authentication));
    let inbound = session.pickle(&key, b"here").unwrap();
    assert_eq!(open(&inbound, &key, b"here", &session), Err(PickleError::ObjectType));
}

/// S-35: an older pickle of the same guard can be told by its generation.
#[test]
fn s_46_a_rolled_back_guard_shows() {
    let (session, messages) = messages(2);
    let mut guard = ReplayGuard::new(&session);
    assert_eq!(guard.generation(), 0);
    let old = guard.snapshot();
    assert_eq!(guard.check(&messages[0], "$event"), Ok(First));
    assert_eq!(guard.check(&messages[0], "$event"), Ok(Again));
    assert_eq!(guard.check(&messages[1], "$event"), Ok(First));
    assert_eq!(guard.copy().generation(), 2);
    assert!(ReplayGuard::restore(&old).unwrap().generation() < guard.generation());
}

/// S-46, S-07: states that no guard is in are refused, also under the right key; each state has one
/// encoding.
#[test]
fn malformed_guards_are_refused() {
    let good = full_guard().snapshot();
    let open = OpenPickle::open(&good);
    assert_eq!(open.kind, 5);
    assert_eq!(open.state.len(), 32 + 12 + 4 + 3 * 36 + 8);
    for (field, number) in
        [("capacity", 3), ("forgotten.start", 10), ("forgotten.end", 16), ("generation", 5)]
    {
        assert_eq!(open.number(field), number, "{field}");
    }
    let verdict = |change: &dyn Fn(&mut OpenPickle)| ReplayGuard::restore(&edit(&good, change));
    assert!(verdict(&|_| ()).is_ok());
    type Change<'a> = &'a dyn Fn(&mut OpenPickle);
    let faults: [(&str, Change<'_>); 10] = [
        ("capacity 0", &|open| open.set_number("capacity", 0)),
        ("more than the capacity", &|open| open.set_number("capacity", 2)),
        ("out of order", &|open| open.swap("seen[0].index", "seen[1].index")),
        ("an index twice", &|open| open.set_number("seen[1].index", 20)),
        ("an empty range", &|open| open.set_number("forgotten.end", 10)),
        ("a range backwards", &|open| open.set_number("forgotten.end", 9)),
        ("a range to a remembered index", &|open| open.set_number("forgotten.end", 21)),
        ("a range from a remembered index", &|open| {
            open.set_number("forgotten.start", 20);
            open.set_number("forgotten.end", 22);
        }),
        ("more entries than there are", &|open| open.set_number("seen", 4)),
        ("2^32 - 1 entries", &|open| open.set_number("seen", u64::from(u32::MAX))),
    ];
    for (what, change) in faults {
        assert_eq!(verdict(change), Err(PickleError::InvalidState), "{what}");
    }
    for index in [0, 1, 2] {
        let none = edit(&good, |open| {
            open.clear("seen");
            open.set_number("forgotten.start", index);
            open.set_number("forgotten.end", 0);
        });
        assert_eq!(ReplayGuard::restore(&none).is_ok(), index == 0, "a range {index}..0");
    }
}
