//! S-24: a text that is not a libolm pickle is refused with a typed error and never a panic (S-02),
//! whoever made it: these texts have the right key, and one fault inside.

use std::ops::Range;

use moceril::{
    Base64Error, KeyError, LibolmPickleError, MessageVersion,
    megolm::{GroupSession, GroupSessionConfig, InboundGroupSession, Provenance},
    olm::{Account, Session},
};
use moceril_testing::{
    converted::ToLibolm,
    libolm_pickle::{
        AccountLayout, CURVE25519_PUBLIC, ED25519_PUBLIC, ED25519_SECRET, KEY, SessionLayout, open,
        seal,
    },
    pickled::Pickled,
    rng::SeededRng,
    states,
};

const V3: MessageVersion = MessageVersion::V3;
const INVALID: Result<(), LibolmPickleError> = Err(LibolmPickleError::InvalidState);
const FORGED: Result<(), LibolmPickleError> = Err(LibolmPickleError::Authentication);

type Read = fn(&str, &[u8]) -> Result<(), LibolmPickleError>;

fn account(pickle: &str, key: &[u8]) -> Result<(), LibolmPickleError> {
    Account::from_libolm_pickle(pickle, key).map(drop)
}

fn session(pickle: &str, key: &[u8]) -> Result<(), LibolmPickleError> {
    Session::from_libolm_pickle(pickle, key).map(drop)
}

fn group_session(pickle: &str, key: &[u8]) -> Result<(), LibolmPickleError> {
    GroupSession::from_libolm_pickle(pickle, key).map(drop)
}

fn inbound_group_session(pickle: &str, key: &[u8]) -> Result<(), LibolmPickleError> {
    InboundGroupSession::from_libolm_pickle(pickle, key).map(drop)
}

fn read_state(read: Read, state: &[u8]) -> Result<(), LibolmPickleError> {
    read(&seal(state, KEY), KEY)
}

/// One good state of each object, and how it is read: an account with one-time and fallback keys, a
/// session with both kinds of chains and skipped keys, a sender and a receiver of a group.
fn good() -> [(&'static str, Read, Vec<u8>); 4] {
    let rng = &mut SeededRng::new(1);
    let mut used = states::account(3, rng);
    used.generate_fallback_key_with_rng(rng).unwrap();
    used.generate_fallback_key_with_rng(rng).unwrap();
    let mut both_chains = states::sessions(V3, rng).swap_remove(2).session;
    both_chains.encrypt_with_rng(b"begins a chain", rng).unwrap();
    let (_, sender) = states::group_sessions(V3, rng).swap_remove(1);
    let (_, receiver) = states::inbound_group_sessions(V3, rng).0.swap_remove(1);
    [
        ("account", account as Read, used.to_libolm(KEY)),
        ("session", session, both_chains.to_libolm(KEY)),
        ("group session", group_session, sender.to_libolm(KEY)),
        ("inbound group session", inbound_group_session, receiver.to_libolm(KEY)),
    ]
    .map(|(name, read, pickle)| (name, read, open(&pickle, KEY)))
}

#[test]
fn s_24_good_pickles_are_read() {
    for (name, read, state) in good() {
        assert_eq!(read_state(read, &state), Ok(()), "{name}");
    }
}

/// Another key, a changed character and every shorter text are one error; what is no base64 is
/// another.
#[test]
fn s_24_altered_pickles_are_refused() {
    for (name, read, state) in good() {
        let pickle = seal(&state, KEY);
        for key in [&b""[..], b"the pickle key of libol", b"the pickle key of libolm\0"] {
            assert_eq!(read(&pickle, key), FORGED, "{name}");
        }
        for length in 0..pickle.len() {
            let result = read(&pickle[..length], KEY);
            let base64 = Err(LibolmPickleError::Base64(Base64Error::Invalid));
            assert!(result == FORGED || result == base64, "{name}, {length}: {result:?}");
            assert!(length % 4 != 0 || result == FORGED, "{name}, {length}: {result:?}");
        }
        for place in (0..pickle.len()).step_by(7) {
            let mut altered = pickle.clone().into_bytes();
            altered[place] = if altered[place] == b'A' { b'B' } else { b'A' };
            let altered = String::from_utf8(altered).unwrap();
            assert!(read(&altered, KEY).is_err(), "{name}, {place}");
        }
        assert!(read(&format!("{pickle}AAAA"), KEY).is_err(), "{name}");
        for text in ["?", "é", " ", "AB=C"] {
            let result = read(&format!("{pickle}{text}"), KEY);
            assert_eq!(
                result,
                Err(LibolmPickleError::Base64(Base64Error::Invalid)),
                "{name}: {text:?}"
            );
        }
    }
}

/// The state ends where the object ends: cut off at any byte, or with bytes after it, it is
/// refused.
#[test]
fn s_24_states_of_another_length_are_refused() {
    for (name, read, state) in good() {
        for length in 0..state.len() {
            assert_eq!(read_state(read, &state[..length]), INVALID, "{name}, {length} bytes");
        }
        for extra in [1, 2, 3, 4, 16, 64, 69] {
            let longer = [&state[..], &vec![0; extra]].concat();
            assert_eq!(read_state(read, &longer), INVALID, "{name}, {extra} bytes more");
        }
    }
}

/// A version that libolm never wrote, or no longer reads, is named in the error. One that it reads
/// is read as such, so these states, which are of another version, are impossible.
#[test]
fn s_24_versions() {
    let known: [&[u32]; 4] = [&[2, 3, 4], &[1, 0x8000_0001], &[1], &[1, 2]];
    for ((name, read, state), known) in good().into_iter().zip(known) {
        let own = u32::from_be_bytes(state[..4].try_into().unwrap());
        for version in (0..=10).chain([0x8000_0000, 0x8000_0001, 0x8000_0002, u32::MAX]) {
            let other = [&version.to_be_bytes(), &state[4..]].concat();
            let result = read_state(read, &other);
            let unknown = Err(LibolmPickleError::Version(version));
            assert_eq!(result == Ok(()), version == own, "{name}, version {version}");
            assert_eq!(result != unknown, known.contains(&version), "{name}, version {version}");
        }
    }
}

/// A pickle of one object is not one of another.
#[test]
fn s_24_objects_are_not_taken_for_others() {
    let all = good();
    for (place, (_, read, _)) in all.iter().enumerate() {
        for (other, (name, _, state)) in all.iter().enumerate() {
            assert_eq!(read_state(*read, state).is_ok(), place == other, "{name} as {place}");
        }
    }
}

/// S-02: a count that the rest cannot hold is refused before anything is allocated for it.
#[test]
fn s_24_counts_are_checked() {
    let [(_, _, account_state), (_, _, session_state), ..] = good();
    let places = {
        let layout = SessionLayout::of(&session_state);
        let senders = layout.head.len();
        let receivers = senders + 4 + layout.senders.concat().len();
        let skipped = receivers + 4 + layout.receivers.concat().len();
        let one_time_keys = AccountLayout::of(&account_state).head.len();
        [
            (account as Read, account_state, one_time_keys),
            (session, session_state.clone(), senders),
            (session, session_state.clone(), receivers),
            (session, session_state, skipped),
        ]
    };
    for (read, state, place) in places {
        let count = u32::from_be_bytes(state[place..place + 4].try_into().unwrap());
        assert!(count > 0);
        for wrong in [count - 1, count + 1, 1_000_000, 1 << 31, u32::MAX - 1, u32::MAX] {
            let mut other = state.clone();
            other[place..place + 4].copy_from_slice(&wrong.to_be_bytes());
            assert!(read_state(read, &other).is_err(), "{wrong} at {place}");
        }
    }
}

#[test]
fn s_24_an_account_has_at_most_two_fallback_keys() {
    let [(_, _, state), ..] = good();
    let mut layout = AccountLayout::of(&state);
    layout.fallback_keys.push(layout.fallback_keys[0].clone());
    assert_eq!(read_state(account, &layout.bytes()), INVALID);
}

/// S-14: the public key in a signature is always derived from the private one, so a pickle whose
/// public key is another, which would make signatures that reveal the private key, is refused.
#[test]
fn s_14_an_altered_public_key_is_refused() {
    let [(_, _, account_state), _, (_, _, group_state), _] = good();
    let group_public = group_state.len() - 96;
    let other: [u8; 32] = *states::account(0, &mut SeededRng::new(2)).ed25519_key().as_bytes();
    for (read, state, place) in [
        (account as Read, &account_state, ED25519_PUBLIC),
        (group_session, &group_state, group_public),
    ] {
        let mut foreign = state.clone();
        foreign[place..place + 32].copy_from_slice(&other);
        assert_eq!(read_state(read, &foreign), INVALID);
        for bit in 0..256 {
            let mut altered = state.clone();
            altered[place + bit / 8] ^= 1 << (bit % 8);
            assert!(read_state(read, &altered).is_err(), "bit {bit}");
        }
        // The same from the other end: the scalar of another key.
        let mut altered = state.clone();
        altered[place + 32 + 5] ^= 1;
        assert_eq!(read_state(read, &altered), INVALID);
    }
}

/// The public half of the Curve25519 identity key must be that of its private half: with another
/// one, nobody could make a session with the account.
#[test]
fn s_24_another_curve25519_identity_key_is_refused() {
    let [(_, _, state), ..] = good();
    let other = states::account(0, &mut SeededRng::new(2)).curve25519_key();
    let mut foreign = state.clone();
    foreign[CURVE25519_PUBLIC..CURVE25519_PUBLIC + 32].copy_from_slice(other.as_bytes());
    assert_eq!(read_state(account, &foreign), INVALID);
    let mut altered = state;
    altered[CURVE25519_PUBLIC + 32 + 5] ^= 1;
    assert_eq!(read_state(account, &altered), INVALID);
}

/// S-37: a private key of which one half is the public key has overwritten itself.
#[test]
fn s_37_a_private_key_that_holds_the_public_key_is_refused() {
    let [(_, _, account_state), _, (_, _, group_state), _] = good();
    let group_public = group_state.len() - 96;
    for (read, mut state, place) in [
        (account as Read, account_state, ED25519_PUBLIC),
        (group_session, group_state, group_public),
    ] {
        let nonce_half = place + (ED25519_SECRET - ED25519_PUBLIC) + 32;
        state.copy_within(place..place + 32, nonce_half);
        let expected = Err(LibolmPickleError::Key(KeyError::PublicInSecret));
        assert_eq!(read_state(read, &state), expected);
    }
}

/// S-01: a Curve25519 key that no honest device has is refused wherever it stands.
#[test]
fn s_01_bad_curve25519_keys_are_refused() {
    let [(_, _, account_state), (_, _, session_state), ..] = good();
    let layout = AccountLayout::of(&account_state);
    let one_time_key = layout.head.len() + 4 + 5;
    let fallback_key = account_state.len() - 4 - 64;
    let session = (session as Read, &session_state);
    let account = (account as Read, &account_state);
    let layout = SessionLayout::of(&session_state);
    let sender = layout.head.len() + 4;
    let receiver = sender + 100 + 4;
    let mut high_bit = [9; 32];
    high_bit[31] |= 0x80;
    let mut p = [0xff; 32];
    (p[0], p[31]) = (0xed, 0x7f);
    for ((read, state), place) in [
        (account, CURVE25519_PUBLIC),
        (account, one_time_key),
        (account, fallback_key),
        (session, 5),
        (session, 5 + 32),
        (session, 5 + 64),
        (session, sender),
        (session, receiver),
    ] {
        for (key, error) in [
            ([0; 32], KeyError::LowOrder),
            (high_bit, KeyError::NonCanonical),
            (p, KeyError::NonCanonical),
        ] {
            let mut altered = state.clone();
            altered[place..place + 32].copy_from_slice(&key);
            let expected = Err(LibolmPickleError::Key(error));
            assert_eq!(read_state(read, &altered), expected, "{place}");
        }
    }
}

/// S-14: so is an Ed25519 key of a group's sender.
#[test]
fn s_14_bad_ed25519_keys_are_refused() {
    let [.., (_, _, state)] = good();
    let place = state.len() - 1 - 32;
    let mut identity = [0; 32];
    identity[0] = 1;
    for (key, error) in [
        (identity, KeyError::LowOrder),
        ([0; 32], KeyError::LowOrder),
        ([0xff; 32], KeyError::NonCanonical),
    ] {
        let mut altered = state.clone();
        altered[place..place + 32].copy_from_slice(&key);
        let expected = Err(LibolmPickleError::Key(error));
        assert_eq!(read_state(inbound_group_session, &altered), expected);
    }
    // That it is a point is checked with the first message, as in `s01_keys.rs`. Until then such a
    // session is stored and read like every other.
    let mut no_point = state.clone();
    no_point[place..place + 32].copy_from_slice(&[&[2], [0; 31].as_slice()].concat());
    assert_eq!(read_state(inbound_group_session, &no_point), Ok(()));
}

/// States that no libolm can be in: an id given twice, chains or keys that exist twice, an index of
/// a skipped key that its chain has not reached, a session that can neither send nor receive.
#[test]
fn s_24_impossible_states_are_refused() {
    let [(_, _, account_state), (_, _, session_state), _, (_, _, inbound_state)] = good();
    let of_account = |change: fn(&mut AccountLayout)| {
        let mut layout = AccountLayout::of(&account_state);
        change(&mut layout);
        read_state(account, &layout.bytes())
    };
    assert_eq!(of_account(|_| ()), Ok(()));
    let twice = |layout: &mut AccountLayout| {
        let id = layout.one_time_keys[0][..4].to_vec();
        layout.one_time_keys[1][..4].copy_from_slice(&id);
    };
    assert_eq!(of_account(twice), INVALID);
    // One key under two ids.
    let key_twice = |layout: &mut AccountLayout| {
        let key = layout.one_time_keys[0][5..].to_vec();
        layout.one_time_keys[2][5..].copy_from_slice(&key);
    };
    assert_eq!(of_account(key_twice), INVALID);
    let fallback_key_as_well = |layout: &mut AccountLayout| {
        let key = layout.one_time_keys[0][5..].to_vec();
        layout.fallback_keys[0][5..].copy_from_slice(&key);
    };
    assert_eq!(of_account(fallback_key_as_well), INVALID);
    let fallback_key_twice = |layout: &mut AccountLayout| {
        let key = layout.fallback_keys[0][5..].to_vec();
        layout.fallback_keys[1][5..].copy_from_slice(&key);
    };
    assert_eq!(of_account(fallback_key_twice), INVALID);
    // libolm reads such an account, too; we give out no id again that is in use.
    assert_eq!(of_account(|layout| layout.last_id = vec![0, 0, 0, 1]), Ok(()));

    let of_session = |change: fn(&mut SessionLayout)| {
        let mut layout = SessionLayout::of(&session_state);
        change(&mut layout);
        read_state(session, &layout.bytes())
    };
    assert_eq!(of_session(|_| ()), Ok(()));
    let second_sender = |layout: &mut SessionLayout| layout.senders.push(layout.senders[0].clone());
    assert_eq!(of_session(second_sender), INVALID);
    let chain_twice =
        |layout: &mut SessionLayout| layout.receivers[1] = layout.receivers[0].clone();
    assert_eq!(of_session(chain_twice), INVALID);
    let key_twice = |layout: &mut SessionLayout| layout.skipped[1] = layout.skipped[0].clone();
    assert_eq!(of_session(key_twice), INVALID);
    let ahead = |layout: &mut SessionLayout| layout.skipped[0][64..].fill(0xff);
    assert_eq!(of_session(ahead), INVALID);
    let nothing = |layout: &mut SessionLayout| {
        (layout.senders, layout.receivers) = (Vec::new(), Vec::new());
    };
    assert_eq!(of_session(nothing), INVALID);

    // A latest ratchet before the earliest one.
    let mut backwards = inbound_state.clone();
    backwards[4 + 128..4 + 132].fill(0xff);
    assert_eq!(read_state(inbound_group_session, &backwards), INVALID);
}

/// Where the two ratchets of an inbound group session stand in its state, without their indices.
const FIRST_RATCHET: Range<usize> = 4..132;
const LATEST_RATCHET: Range<usize> = 136..264;

/// The state of an inbound group session that begins at `first` and has decrypted the message at
/// `latest`, and what it was made of.
fn receiver_state(first: u32, latest: u32) -> (InboundGroupSession, Vec<u8>) {
    let mut room =
        GroupSession::with_rng(GroupSessionConfig::default(), &mut SeededRng::new(8)).unwrap();
    let mut receiver = InboundGroupSession::new(&room.session_key());
    receiver.advance_to(first);
    for index in 0..=latest {
        let message = room.encrypt(b"text").unwrap();
        if index == latest {
            receiver.decrypt(&message).unwrap();
        }
    }
    let (pickle, _) = receiver.to_libolm_pickle_lossy(KEY).unwrap();
    (receiver, open(&pickle, KEY))
}

/// S-43: of the two ratchets of an inbound group session, the later one must follow from the
/// earlier one, however many parts are replaced in between.
#[test]
fn s_43_a_later_ratchet_that_does_not_follow_is_refused() {
    for (first, latest) in [(0, 0), (0, 1), (3, 255), (0, 256), (250, 600)] {
        let (_, state) = receiver_state(first, latest);
        assert_eq!(read_state(inbound_group_session, &state), Ok(()), "{first}, {latest}");
        // The first and the last bit of each part of the later ratchet.
        for bit in (0..1_024).step_by(256).flat_map(|part| [part, part + 255]) {
            let mut altered = state.clone();
            altered[LATEST_RATCHET.start + bit / 8] ^= 1 << (bit % 8);
            assert_eq!(read_state(inbound_group_session, &altered), INVALID, "{latest}, {bit}");
        }
        // The later ratchet with another index.
        for index in [latest + 1, latest + 256, u32::MAX] {
            let mut altered = state.clone();
            altered[LATEST_RATCHET.end..][..4].copy_from_slice(&index.to_be_bytes());
            assert_eq!(read_state(inbound_group_session, &altered), INVALID, "{latest}, {index}");
        }
        // A part of the earlier ratchet is noticed if it is not replaced on the way, and part 0
        // always.
        let mut altered = state.clone();
        altered[FIRST_RATCHET.start] ^= 1;
        assert_eq!(read_state(inbound_group_session, &altered), INVALID, "{first}, {latest}");
    }
    // The longest way.
    let (receiver, mut state) = receiver_state(0, 0);
    let end = receiver.export_at(u32::MAX).unwrap().to_bytes();
    state[LATEST_RATCHET].copy_from_slice(&end[5..133]);
    state[LATEST_RATCHET.end..][..4].copy_from_slice(&[0xff; 4]);
    assert_eq!(read_state(inbound_group_session, &state), Ok(()));
    state[LATEST_RATCHET.end - 1] ^= 1;
    assert_eq!(read_state(inbound_group_session, &state), INVALID);
}

/// S-43: the attack. A pickle with a forged earlier ratchet and the genuine later one is connected
/// with a good session by the later one; merged, the forged part would be the whole session after
/// the next native pickle, which stores the earlier ratchet only. Such a pickle is refused. One
/// that is consistent can forge only what is replaced before the good session begins, and there it
/// raises no trust.
#[test]
fn s_43_a_forged_earlier_ratchet_takes_no_trust_from_a_good_session() {
    let (genuine, state) = receiver_state(0, 300);
    let mut good = genuine.copy();
    good.advance_to(256);
    for part in 0..4 {
        let mut forged = state.clone();
        forged[FIRST_RATCHET.start + 32 * part] ^= 1;
        // Part 3 of the earlier ratchet is replaced on the way, so that this is another session
        // which becomes the genuine one at 256. Nothing can tell who made it.
        let expected = if part == 3 { Ok(()) } else { INVALID };
        assert_eq!(read_state(inbound_group_session, &forged), expected, "part {part}");
    }
    let mut forged = state.clone();
    forged[FIRST_RATCHET.start + 96] ^= 1;
    let forged = InboundGroupSession::from_libolm_pickle(&seal(&forged, KEY), KEY).unwrap();
    assert!(!forged.connected(&genuine) && forged.connected(&good));
    let merged = forged.merge(&good).unwrap();
    for merged in [merged.copy(), merged] {
        assert_eq!(merged.provenance_at(255), Some(Provenance::Unknown));
        assert_eq!(merged.provenance_at(256), Some(Provenance::Signed));
        let [ours, theirs] =
            [&merged, &genuine].map(|session| session.export_at(256).unwrap().to_bytes());
        assert_eq!(ours, theirs, "what is signed is genuine");
    }
}

/// S-02: no state makes the library panic: each byte of each object replaced by one of a few
/// values.
#[test]
fn s_02_no_byte_of_a_state_causes_a_panic() {
    for (_, read, state) in good() {
        for place in 0..state.len() {
            let mut altered = state.clone();
            altered[place] = [0, 1, 2, 0x7f, 0x80, 0xff][place % 6];
            let _ = read_state(read, &altered);
        }
    }
}

/// A flag is true for every byte but 0, and is written as 1.
#[test]
fn s_24_flags_are_written_as_one() {
    let [_, (_, _, session_state), ..] = good();
    let mut other = session_state.clone();
    other[4] = 0x80;
    let moved = Session::from_libolm_pickle(&seal(&other, KEY), KEY).unwrap();
    assert_eq!(open(&moved.to_libolm(KEY), KEY), session_state);
}
