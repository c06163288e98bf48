//! S-20: a receiver can permanently forget what it no longer needs to read; a sender is told when
//! to begin a new session.

use std::time::Duration;

use moceril::{
    ConversionError,
    megolm::{
        CreationTimeError, DecryptionError, ExportError, GroupSession, GroupSessionConfig,
        InboundGroupSession, MegolmMessage, MergeError, RotationPolicy, SessionOrdering,
    },
};
use moceril_testing::{
    fixtures::VERSIONS,
    libolm_pickle::KEY,
    pickle_editor::{OpenPickle, edit},
    pickled::Pickled,
    rng::SeededRng,
    states,
};

/// A room, its receiver from the start, its first 600 messages, and the ratchet of each: 128 bytes.
struct Room {
    receiver: InboundGroupSession,
    messages: Vec<MegolmMessage>,
    ratchets: Vec<Vec<u8>>,
}

fn room(version: moceril::MessageVersion) -> Room {
    let config = GroupSessionConfig::default().with_version(version);
    let mut sender = GroupSession::with_rng(config, &mut SeededRng::new(1)).unwrap();
    let receiver = InboundGroupSession::with_version(&sender.session_key(), version);
    let (mut messages, mut ratchets) = (Vec::new(), Vec::new());
    for _ in 0..600 {
        ratchets.push(sender.session_key().to_bytes()[5..133].to_vec());
        messages.push(sender.encrypt(b"to everybody").unwrap());
    }
    Room { receiver, messages, ratchets }
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

/// What is left after forgetting everything before `index` is the ratchet there, and no part of an
/// earlier one that is not also part of it.
fn holds_nothing_before(session: &InboundGroupSession, index: u32, ratchets: &[Vec<u8>]) {
    let state = OpenPickle::open(&session.snapshot());
    let kept = &ratchets[index as usize];
    assert_eq!(state.get("ratchet"), kept);
    assert_eq!(state.number("index"), u64::from(index));
    for ratchet in &ratchets[..index as usize] {
        let forgotten = ratchet.chunks_exact(32).filter(|part| !contains(kept, part));
        // The last of the four parts is new at every index.
        assert!(forgotten.clone().count() > 0);
        assert!(forgotten.clone().all(|part| !contains(&state.state, part)));
    }
}

/// After `advance_to(n)` neither the session nor its pickle can read or give away anything before
/// `n`; everything from `n` on is as before. The places are around those where parts of the ratchet
/// are renewed, and with and without a later message decrypted before.
#[test]
fn s_20_advance_to_forgets_for_good() {
    for version in VERSIONS {
        let Room { receiver, messages, ratchets } = room(version);
        for index in [1, 2, 255, 256, 257, 511, 512, 513, 599] {
            for decrypted_before in [None, Some(0), Some(index - 1), Some(index), Some(599)] {
                let mut session = receiver.copy();
                if let Some(place) = decrypted_before {
                    session.decrypt(&messages[place as usize]).unwrap();
                }
                let generation = session.generation();
                assert!(session.advance_to(index));
                assert_eq!(session.first_known_index(), index);
                assert_eq!(session.generation(), generation + 1);
                holds_nothing_before(&session, index, &ratchets);

                let restored = session.copy();
                for mut session in [session, restored] {
                    for earlier in [0, index / 2, index - 1] {
                        let unknown =
                            ExportError::UnknownIndex { index: earlier, first_known: index };
                        assert_eq!(session.export_at(earlier).err(), Some(unknown));
                        let unknown =
                            DecryptionError::UnknownIndex { index: earlier, first_known: index };
                        let decrypted = session.decrypt(&messages[earlier as usize]);
                        assert_eq!(decrypted, Err(unknown));
                    }
                    for later in [599, index] {
                        let decrypted = session.decrypt(&messages[later as usize]).unwrap();
                        assert_eq!(decrypted.message_index(), later);
                    }
                    let exported = session.export_at_first_known_index().unwrap();
                    assert_eq!(exported.to_bytes()[5..133], ratchets[index as usize]);
                }
            }
        }
    }
}

/// There is nothing to forget at or before the first index: no change, and the caller is told.
#[test]
fn s_20_advance_to_an_earlier_index_does_nothing() {
    let Room { mut receiver, .. } = room(VERSIONS[0]);
    assert!(receiver.advance_to(300));
    let before = receiver.snapshot();
    for index in [0, 299, 300] {
        assert!(!receiver.advance_to(index));
        assert_eq!(receiver.snapshot(), before);
    }
}

/// To forget ahead of the messages is possible, up to the last index.
#[test]
fn s_20_advance_to_a_future_index() {
    let Room { mut receiver, messages, .. } = room(VERSIONS[0]);
    let expected = receiver.export_at(u32::MAX).unwrap();
    assert!(receiver.advance_to(u32::MAX));
    assert!(receiver.decrypt(&messages[599]).is_err());
    let exported = receiver.export_at(u32::MAX).unwrap();
    assert_eq!(exported.to_bytes(), expected.to_bytes());
}

/// `export_at` gives the ratchet of the index asked for, past or yet to come, and changes nothing.
#[test]
fn s_20_export_at_any_known_index() {
    let Room { mut receiver, messages, ratchets } = room(VERSIONS[0]);
    receiver.decrypt(&messages[300]).unwrap();
    let before = receiver.snapshot();
    for index in [0, 1, 255, 256, 299, 300, 301, 511, 512, 599] {
        let exported = receiver.export_at(index).unwrap();
        assert_eq!((exported.index(), exported.session_id()), (index, receiver.session_id()));
        assert_eq!(exported.to_bytes()[5..133], ratchets[index as usize]);
        let mut imported = InboundGroupSession::import(&exported);
        assert!(imported.decrypt(&messages[index as usize]).is_ok());
        if index > 0 {
            assert!(imported.decrypt(&messages[index as usize - 1]).is_err());
        }
    }
    assert_eq!(receiver.snapshot(), before);
}

/// A closed session answers everything with `Closed`, is connected to nothing, and holds no key;
/// all of it survives pickling.
#[test]
fn s_20_a_closed_session_holds_nothing() {
    for version in VERSIONS {
        let Room { receiver, messages, ratchets } = room(version);
        let mut closed = receiver.copy();
        closed.advance_to(256);
        closed.decrypt(&messages[300]).unwrap();
        let open = closed.copy();
        let generation = closed.generation();
        closed.close();
        assert_eq!(closed.generation(), generation + 1);
        let state = OpenPickle::open(&closed.snapshot());
        assert_eq!(state.get("ratchet"), [0; 128]);
        for ratchet in &ratchets {
            assert!(ratchet.chunks_exact(32).all(|part| !contains(&state.state, part)));
        }

        let restored = closed.copy();
        for mut closed in [closed, restored] {
            assert!(closed.is_closed());
            assert_eq!(closed.session_id(), open.session_id());
            assert_eq!(closed.first_known_index(), 256);
            let before = closed.snapshot();
            for index in [0, 256, 300, 599] {
                let decrypted = closed.decrypt(&messages[index]);
                assert_eq!(decrypted, Err(DecryptionError::Closed));
                assert_eq!(closed.export_at(index as u32).err(), Some(ExportError::Closed));
            }
            assert_eq!(closed.export_at_first_known_index().err(), Some(ExportError::Closed));
            assert!(!closed.advance_to(400));
            closed.close();
            for other in [&open, &closed.copy()] {
                assert_eq!(closed.compare(other), SessionOrdering::Unconnected);
                for refused in [closed.merge(other), other.merge(&closed)] {
                    assert_eq!(refused.err(), Some(MergeError::Closed));
                }
            }
            assert_eq!(closed.snapshot(), before);
        }
    }
}

/// What a sender shares does not decrypt what was sent before.
#[test]
fn s_20_a_sender_forgets_too() {
    let mut rng = SeededRng::new(2);
    let mut sender = GroupSession::with_rng(GroupSessionConfig::default(), &mut rng).unwrap();
    let first = OpenPickle::open(&sender.snapshot()).get("ratchet").to_vec();
    let message = sender.encrypt(b"before").unwrap();
    let state = OpenPickle::open(&sender.snapshot());
    assert!(!contains(&state.state, &first[96..]));
    let mut late = InboundGroupSession::new(&sender.session_key());
    let unknown = DecryptionError::UnknownIndex { index: 0, first_known: 1 };
    assert_eq!(late.decrypt(&message), Err(unknown));
}

/// Rotation is due after so many messages or so much time, or when the session is exhausted.
#[test]
fn s_20_rotation_is_due_by_count_or_age() {
    let default = RotationPolicy::default();
    assert_eq!((default.messages, default.age), (100, Duration::from_secs(604_800)));
    let policy = RotationPolicy::new(3, Duration::from_secs(60));
    let made = Some(1_000);
    let second = Duration::from_secs;
    for (messages, created_at, now, expected) in [
        (0, made, 1_000, false),
        (0, made, 1_059, false),
        (0, made, 1_060, true),
        (2, made, 1_059, false),
        (3, made, 1_000, true),
        (4, made, 1_000, true),
        // Made in the future: a clock was wrong, so the age is not known.
        (0, made, 999, true),
        (0, made, 0, true),
        (0, Some(u64::MAX), u64::MAX - 1, true),
        (0, Some(u64::MAX), u64::MAX, false),
        (0, made, u64::MAX, true),
        // The age is not known.
        (0, None, 0, true),
        (0, None, u64::MAX, true),
        (3, None, 0, true),
    ] {
        let mut config = GroupSessionConfig::default();
        let created_at = created_at.map(second);
        config.created_at = created_at;
        let mut session = GroupSession::with_rng(config, &mut SeededRng::new(3)).unwrap();
        for _ in 0..messages {
            session.encrypt(b"text").unwrap();
        }
        assert_eq!((session.message_index(), session.created_at()), (messages, created_at));
        let case = (messages, created_at, now);
        for session in [session.copy(), session] {
            assert_eq!(session.rotation_due(&policy, second(now)), expected, "{case:?}");
        }
    }

    // An exhausted session is due under any policy.
    let never = RotationPolicy::new(u32::MAX, Duration::MAX);
    let (_, session) = states::group_sessions(VERSIONS[0], &mut SeededRng::new(4)).remove(0);
    let almost = edit(&session.snapshot(), |open| open.set_number("index", (u32::MAX - 1).into()));
    let mut session = GroupSession::restore(&almost).unwrap();
    session.set_created_at(Duration::ZERO).unwrap();
    assert!(!session.rotation_due(&never, Duration::ZERO));
    session.encrypt(b"text").unwrap();
    session.encrypt(b"text").unwrap();
    assert!(session.is_exhausted() && session.rotation_due(&never, Duration::ZERO));
}

/// The default way to make a session leads to rotation by age, and so does a clock that was wrong.
#[test]
fn s_20_a_new_session_knows_its_age() {
    let policy = RotationPolicy::default();
    let (now, millisecond) = (Duration::from_millis(1_700_000_000_999), Duration::from_millis(1));
    let session = GroupSession::new(now).unwrap();
    // The rest of the second is dropped, so that the object is the same before and after storing.
    let made = Duration::from_secs(1_700_000_000);
    for session in [session.copy(), session] {
        assert_eq!(session.created_at(), Some(made));
        assert!(!session.rotation_due(&policy, now));
        assert!(!session.rotation_due(&policy, made));
        assert!(!session.rotation_due(&policy, made + policy.age - millisecond));
        assert!(session.rotation_due(&policy, made + policy.age));
        assert!(session.rotation_due(&policy, made - millisecond));
    }
}

/// A policy of no messages or no time does not make each new session due at its beginning, which
/// would be for ever: it counts as one message, and as one second.
#[test]
fn s_20_no_policy_makes_a_new_session_due() {
    let (made, second) = (Duration::from_secs(1_000), Duration::from_secs(1));
    let (none, tiny) = (Duration::ZERO, Duration::from_millis(999));
    for (messages, age) in
        [(0, second * 60), (3, none), (3, tiny), (0, none), (0, Duration::MAX), (u32::MAX, none)]
    {
        let policy = RotationPolicy::new(messages, age);
        let mut session = GroupSession::new(made).unwrap();
        assert!(!session.rotation_due(&policy, made), "{policy:?}");
        assert!(!session.rotation_due(&policy, made + tiny), "{policy:?}");
        assert_eq!(session.rotation_due(&policy, made + second), age < second, "{policy:?}");
        session.encrypt(b"text").unwrap();
        assert_eq!(session.rotation_due(&policy, made), messages == 0, "{policy:?}");
    }
}

/// The session as the other formats bring it back, which do not say when it was made.
fn moved(session: &GroupSession) -> Vec<GroupSession> {
    let (pickle, _) = session.to_libolm_pickle_lossy(KEY).unwrap();
    let through_libolm = GroupSession::from_libolm_pickle(&pickle, KEY).unwrap();
    let (pickle, _) = session.to_vodozemac_pickle_lossy().unwrap();
    vec![through_libolm, GroupSession::from_vodozemac_pickle(pickle).unwrap()]
}

/// S-20, S-41: the time of creation is named when a format cannot hold it, the session is due for
/// rotation without it, and the caller can state it once.
#[test]
fn s_41_an_unknown_creation_time_can_be_stated_once() {
    let (policy, made) = (RotationPolicy::default(), Duration::from_secs(1_700_000_000));
    let (second, millisecond) = (Duration::from_secs(1), Duration::from_millis(1));
    let original = GroupSession::new(made).unwrap();
    let exact = original.to_libolm_pickle(KEY).err();
    assert!(matches!(exact, Some(ConversionError::Lossy(loss)) if loss.created_at));
    let exact = original.to_vodozemac_pickle().err();
    assert!(matches!(exact, Some(ConversionError::Lossy(loss)) if loss.created_at));
    for mut session in moved(&original) {
        assert!(!session.to_libolm_pickle_lossy(KEY).unwrap().1.created_at);
        assert_eq!(session.created_at(), None);
        assert!(session.rotation_due(&policy, made));
        let generation = session.generation();
        assert_eq!(session.set_created_at(made + millisecond), Ok(()));
        assert_eq!(session.generation(), generation + 1);
        assert!(!session.rotation_due(&policy, made));
        assert!(session.rotation_due(&policy, made + policy.age));
        let before = session.snapshot();
        for mut session in [session.copy(), session] {
            assert_eq!(session.created_at(), Some(made));
            assert_eq!(session.set_created_at(made), Ok(()));
            assert_eq!(session.set_created_at(made + millisecond), Ok(()));
            for other in [Duration::ZERO, made - millisecond, made + second, Duration::MAX] {
                let refused: CreationTimeError = session.set_created_at(other).unwrap_err();
                assert_eq!(refused.known, made);
            }
            assert_eq!(session.snapshot(), before, "S-04: an error changes nothing");
        }
    }
    // A session whose maker knew the time does not take another.
    let mut original = original;
    assert!(original.set_created_at(Duration::ZERO).is_err());
    assert_eq!(original.set_created_at(made), Ok(()));
}
