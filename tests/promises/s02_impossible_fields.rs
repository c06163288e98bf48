//! S-02, S-13, S-14, S-23: whoever has the pickle key can seal any bytes. A value that no field can
//! have is refused in every field, and no byte causes a panic.

use moceril::{
    Ed25519PublicKey, KeyError, PickleError,
    megolm::{self, GroupSession, GroupSessionConfig, InboundGroupSession, ReplayGuard},
    olm::{Account, Session},
};
use moceril_testing::{
    fixtures::{VERSIONS, config},
    pickle_editor::{OpenPickle, edit},
    pickle_map::Kind,
    pickled::{Pickled, guarded},
    rng::SeededRng,
    states,
};
use sha2::{Digest, Sha512};

/// An account with one-time keys and two fallback keys, each used twice.
fn account() -> Account {
    states::accounts(&mut SeededRng::new(1)).pop().unwrap().1
}

/// Pickles that together have every field there is.
fn samples() -> Vec<(&'static str, String)> {
    let rng = &mut SeededRng::new(7);
    let mut samples = vec![("account", account().snapshot())];
    let session = states::sessions(VERSIONS[0], rng).remove(2).session;
    samples.push(("session", session.snapshot()));
    samples.push(("sender", states::pair(config(VERSIONS[1]), rng).0.snapshot()));
    samples.push(("group", states::group_sessions(VERSIONS[1], rng).remove(1).1.snapshot()));
    samples.push(("inbound", states::inbound_group_sessions(VERSIONS[1], rng).0[2].1.snapshot()));
    samples.push(("guard", states::replay_guards().pop().unwrap().1.snapshot()));
    samples
}

/// Opens the pickle as what it is. What opens is used, and has one encoding.
fn restore_and_use(pickle: &str) -> Option<PickleError> {
    match OpenPickle::open(pickle).kind {
        Account::TYPE => restored::<Account>(pickle, |account| {
            let _ = account.generate_one_time_keys_with_rng(2, &mut SeededRng::new(8));
            let _ = account.signed_one_time_keys();
            let _ = account.generate_fallback_key_with_rng(&mut SeededRng::new(9));
        }),
        Session::TYPE => restored::<Session>(pickle, |session| {
            let message = session.encrypt_with_rng(b"text", &mut SeededRng::new(8));
            let _ = message.map(|message| session.decrypt(&message));
            let _ = session.describe();
        }),
        GroupSession::TYPE => restored::<GroupSession>(pickle, |session| {
            let _ = session.session_key();
            let _ = session.encrypt(b"text");
        }),
        ReplayGuard::TYPE => restored::<ReplayGuard>(pickle, |guard| {
            let (mut sender, mut receiver) = guarded();
            for _ in 0..6 {
                let message = receiver.decrypt(&sender.encrypt(b"event").unwrap()).unwrap();
                let _ = guard.check(&message, "$event");
            }
        }),
        _ => restored::<InboundGroupSession>(pickle, |session| {
            let _ = session.export_at(u32::MAX);
            session.advance_to(session.first_known_index().saturating_add(2));
            session.close();
        }),
    }
}

fn restored<T: Pickled>(pickle: &str, exercise: fn(&mut T)) -> Option<PickleError> {
    let mut object = match T::restore(pickle) {
        Ok(object) => object,
        Err(error) => return Some(error),
    };
    assert_eq!(object.snapshot(), pickle, "a state with two encodings");
    exercise(&mut object);
    assert!(T::restore(&object.snapshot()).is_ok(), "the next pickle cannot be opened");
    None
}

/// S-02, S-13, S-23: a count that the rest cannot hold, a boolean or option that is neither 0 nor
/// 1, and a version or other choice that does not exist are refused, wherever they are.
#[test]
fn s_23_impossible_bytes_are_refused_in_every_field() {
    for (name, pickle) in samples() {
        for field in OpenPickle::open(&pickle).fields() {
            let bad: Vec<u64> = match field.kind {
                Kind::Count => vec![1 << 24, 1 << 31, u32::MAX.into()],
                Kind::Flag => vec![2, 3, 0x7f, 0x80, 0xfe, 0xff],
                Kind::Choice if field.name == "version" => {
                    (0..=255).filter(|version| ![3, 4].contains(version)).collect()
                }
                Kind::Choice if field.name == "provenance" => (4..=255).collect(),
                Kind::Choice => [0].into_iter().chain(4..=255).collect(),
                _ => continue,
            };
            for number in bad {
                let edited = edit(&pickle, |open| open.set_number(&field.name, number));
                let error = restore_and_use(&edited);
                let place = (name, &field.name, number);
                assert_eq!(error, Some(PickleError::InvalidState), "{place:?}");
            }
        }
    }
}

/// S-01, S-14, S-23: a public key of low order and a non-canonical one are refused, wherever they
/// are.
#[test]
fn s_14_bad_public_keys_are_refused_in_every_field() {
    let all_ones = [0xff; 32];
    let mut non_canonical = all_ones;
    non_canonical[31] = 0x7f;
    let (zero, mut one) = ([0; 32], [0; 32]);
    one[0] = 1;
    let mut keys = 0;
    for (name, pickle) in samples() {
        for field in OpenPickle::open(&pickle).fields() {
            if !matches!(field.kind, Kind::Curve25519Key | Kind::Ed25519Key) {
                continue;
            }
            keys += 1;
            // For Ed25519, zero is of order four.
            for key in [zero, one, non_canonical, all_ones] {
                let edited = edit(&pickle, |open| open.set(&field.name, &key));
                let error = restore_and_use(&edited);
                assert_eq!(error, Some(PickleError::InvalidState), "{name}, {}", field.name);
            }
        }
    }
    assert!(keys > 20);
}

/// S-14: a signing key that is no point of the curve is refused in an account and in the sender's
/// session, and verifies no message in a receiver's, where nobody looks before there is a message.
#[test]
fn s_14_a_key_that_is_no_point_verifies_nothing() {
    let mut no_point = [0; 32];
    no_point[0] = 2;
    assert_eq!(Ed25519PublicKey::from_bytes(no_point), Err(KeyError::NotOnCurve));
    for (name, pickle) in samples() {
        let (open, field) = (OpenPickle::open(&pickle), "signing_key.public");
        if open.fields().iter().any(|known| known.name == field) {
            let edited = edit(&pickle, |open| open.set(field, &no_point));
            assert_eq!(restore_and_use(&edited), Some(PickleError::InvalidState), "{name}");
        }
    }
    let mut group =
        GroupSession::with_rng(GroupSessionConfig::default(), &mut SeededRng::new(3)).unwrap();
    let session = InboundGroupSession::new(&group.session_key());
    let message = group.encrypt(b"text").unwrap();
    let pickle = session.snapshot();
    let mut session =
        InboundGroupSession::restore(&edit(&pickle, |open| open.set("signing_key", &no_point)))
            .unwrap();
    let before = session.snapshot();
    let refused = Err(megolm::DecryptionError::InvalidSigningKey);
    assert_eq!(session.decrypt(&message), refused);
    assert_eq!(session.decrypt_batch(&vec![message; 30]), vec![refused; 30]);
    assert_eq!(session.snapshot(), before);
}

/// S-14, S-37: an account whose signing key is stored expanded signs with the key derived from it;
/// one that has its public key for one half is refused.
#[test]
fn s_37_a_signing_key_that_holds_its_public_key_is_refused() {
    let account = account();
    let open = OpenPickle::open(&account.snapshot());
    let expanded = Sha512::digest(open.get("signing_key.seed"));
    let with_expanded = |expanded: &[u8]| {
        let mut open = open.clone();
        open.replace_group("signing_key", &[&[2], expanded].concat());
        Account::restore(&open.seal())
    };
    let same = with_expanded(&expanded).unwrap();
    assert_eq!(same.ed25519_key(), account.ed25519_key());
    assert_eq!(same.sign(b"text"), account.sign(b"text"));

    let public = account.ed25519_key();
    let second_half = [&expanded[..32], public.as_bytes()].concat();
    assert_eq!(with_expanded(&second_half).err(), Some(PickleError::InvalidState));
}

/// S-02, S-23: whatever a byte of the state is changed to, the result is refused, or is a state
/// with one encoding that can be used and pickled. One byte of each key and secret stands for all
/// of them.
#[test]
fn s_02_no_byte_of_a_state_makes_anything_panic() {
    for (name, pickle) in samples() {
        let mut opened = 0;
        for field in OpenPickle::open(&pickle).fields() {
            let number = matches!(field.kind, Kind::Number | Kind::Count);
            let bytes = if number { field.place.len() } else { 1 };
            for place in field.place.take(bytes) {
                for mask in [0x01, 0x80, 0xff] {
                    let edited = edit(&pickle, |open| open.state[place] ^= mask);
                    opened += usize::from(restore_and_use(&edited).is_none());
                }
            }
        }
        assert!(opened > 20, "{name}: too few edits were possible states");
    }
}

/// The most virtual memory that this process has had at a time, in KiB.
#[cfg(target_os = "linux")]
fn peak_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmPeak:")).unwrap();
    peak.trim().trim_end_matches(" kB").parse().unwrap()
}

/// S-02, S-23: a count is compared with what is left to read before memory is set aside for it. The
/// counts here would take between half a gigabyte and 300.
#[cfg(target_os = "linux")]
#[test]
fn s_02_a_count_sets_no_memory_aside() {
    let before = peak_memory();
    for (_, pickle) in samples() {
        for field in OpenPickle::open(&pickle).fields() {
            if field.kind == Kind::Count {
                for count in [1 << 24, u64::from(u32::MAX)] {
                    let edited = edit(&pickle, |open| open.set_number(&field.name, count));
                    assert_eq!(restore_and_use(&edited), Some(PickleError::InvalidState));
                }
            }
        }
    }
    // The other tests of this file run at the same time, with threads and heaps of their own.
    assert!(peak_memory() - before < 400_000, "memory was set aside for an impossible count");
}
