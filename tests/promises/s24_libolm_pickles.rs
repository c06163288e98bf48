//! S-24: libolm's pickles, read and written: what is read is written back byte for byte, and an
//! object continues as if it had never been stored. `s24_conversion_losses.rs` tests what the
//! format cannot hold, `s24_libolm_pickles_refused.rs` what is refused.

use moceril::{
    ConversionError, LibolmPickleError, MessageVersion,
    megolm::{GroupSession, InboundGroupSession, Provenance},
    olm::{Account, Session},
};
use moceril_testing::{
    converted::ToLibolm,
    libolm_pickle::{AccountLayout, KEY, SessionLayout, open, seal},
    pickle_editor::edit,
    pickled::Pickled,
    rng::{RecordedRng, SeededRng},
    states,
    vector_file::files,
};

const V3: MessageVersion = MessageVersion::V3;

type Read<T> = fn(&str, &[u8]) -> Result<T, LibolmPickleError>;
type Write<T> = fn(&T, &[u8]) -> Result<String, ConversionError>;

macro_rules! both {
    ($object:ident) => {
        (
            |pickle, key| $object::from_libolm_pickle(pickle, key),
            |object, key| object.to_libolm_pickle(key),
        )
    };
}

const ACCOUNT: (Read<Account>, Write<Account>) = both!(Account);
const SESSION: (Read<Session>, Write<Session>) = both!(Session);
const GROUP_SESSION: (Read<GroupSession>, Write<GroupSession>) = both!(GroupSession);
const INBOUND_GROUP_SESSION: (Read<InboundGroupSession>, Write<InboundGroupSession>) =
    both!(InboundGroupSession);

/// The object after a round trip, if the format can hold all its keys. It must be written as it was
/// read, under keys of any length, and without a loss.
fn moved<T: ToLibolm>(name: &str, object: &T, (read, write): (Read<T>, Write<T>)) -> Option<T> {
    let pickle = object.with_all_keys(KEY).ok()?;
    let moved = read(&pickle, KEY).unwrap_or_else(|error| panic!("{name}: {error}"));
    assert_eq!(write(&moved, KEY).as_ref(), Ok(&pickle), "{name}");
    for key in [&[][..], &[0], &[7; 32], &[8; 200]] {
        let again = write(&moved, key).unwrap();
        assert_ne!(again, pickle, "{name}");
        assert_eq!(open(&again, key), open(&pickle, KEY), "{name}");
        assert!(read(&again, key).is_ok(), "{name}");
    }
    Some(moved)
}

/// The texts that do not hold the generation, the peer's identity key and the like: all that libolm
/// does not know stands in native pickles only, so two objects are compared by what they do.
#[test]
fn s_24_accounts_come_back() {
    let mut names = Vec::new();
    for (name, mut account) in states::accounts(&mut SeededRng::new(1)) {
        let Some(mut moved) = moved(name, &account, ACCOUNT) else { continue };
        names.push(name);
        assert_eq!(moved.identity_keys(), account.identity_keys(), "{name}");
        assert_eq!(moved.sign(b"text"), account.sign(b"text"), "{name}");
        assert_eq!(moved.stored_one_time_key_count(), account.stored_one_time_key_count());
        assert_eq!(moved.signed_one_time_keys(), account.signed_one_time_keys(), "{name}");
        assert_eq!(moved.signed_fallback_key(), account.signed_fallback_key(), "{name}");
        let generate = |account: &mut Account| {
            let rng = &mut SeededRng::new(2);
            let fallback = account.generate_fallback_key_with_rng(rng).unwrap();
            (account.generate_one_time_keys_with_rng(3, rng).unwrap(), fallback)
        };
        assert_eq!(generate(&mut moved), generate(&mut account), "{name}");
    }
    assert_eq!(names, ["fresh", "with one-time keys", "with a fallback key"]);
}

/// S-10, S-24: also with fallback keys that count their ids separately, as those of accounts
/// from vodozemac do, what we write in libolm's format we can read.
#[test]
fn s_24_accounts_with_fallback_ids_of_their_own_come_back() {
    let (_, account) = states::accounts(&mut SeededRng::new(1))
        .into_iter()
        .find(|(name, _)| *name == "with fallback keys that count their ids")
        .unwrap();
    let (pickle, _) = account.to_libolm_pickle_lossy(KEY).unwrap();
    let mut moved = Account::from_libolm_pickle(&pickle, KEY).unwrap();
    assert_eq!(moved.stored_one_time_key_count(), account.stored_one_time_key_count());
    let known = account.unpublished_one_time_keys().into_iter().map(|(id, _)| id);
    let new = moved.generate_one_time_keys_with_rng(1, &mut SeededRng::new(2)).unwrap().created;
    assert!(known.into_iter().all(|id| id < new[0].0));
}

/// S-10: whatever the id of a fallback key is beside the last id, the next fallback key has another
/// one.
#[test]
fn s_10_the_next_fallback_key_has_a_new_id() {
    let rng = &mut SeededRng::new(4);
    let mut account = states::account(3, rng);
    account.generate_fallback_key_with_rng(rng).unwrap();
    let layout = AccountLayout::of(&open(&account.to_libolm(KEY), KEY));
    let last_id = u32::from_be_bytes(layout.last_id[..].try_into().unwrap());
    for fallback_id in last_id - 3..last_id + 4 {
        let mut layout = AccountLayout::of(&layout.bytes());
        layout.fallback_keys[0][..4].copy_from_slice(&fallback_id.to_be_bytes());
        let mut moved = Account::from_libolm_pickle(&seal(&layout.bytes(), KEY), KEY).unwrap();
        let (before, _) = moved.fallback_key().unwrap();
        moved.generate_fallback_key_with_rng(rng).unwrap();
        let (after, _) = moved.fallback_key().unwrap();
        assert!(before < after, "{fallback_id}");
    }
}

/// A moved session writes the same next message, and reads the same messages of its peer. Only why
/// it refuses one may differ: libolm does not store which keys were evicted.
#[test]
fn s_24_sessions_come_back() {
    let mut names = Vec::new();
    for mut state in states::sessions(V3, &mut SeededRng::new(3)) {
        let name = state.name;
        let Some(mut moved) = moved(name, &state.session, SESSION) else { continue };
        names.push(name);
        assert_eq!(moved.session_id(), state.session.session_id(), "{name}");
        assert_eq!(moved.has_received_message(), state.session.has_received_message(), "{name}");
        assert_eq!(moved.their_identity_key(), None, "{name}");
        let mut reads = |message| {
            let ours = state.session.decrypt(message).map(|message| message.into_plaintext());
            let theirs = moved.decrypt(message).map(|message| message.into_plaintext());
            assert_eq!(ours.as_ref().ok(), theirs.as_ref().ok(), "{name}");
            ours.is_ok()
        };
        state.incoming.iter().rev().for_each(|message| assert!(reads(message), "{name}"));
        state.incoming.iter().for_each(|message| assert!(!reads(message), "{name}: twice"));
        let rng = || RecordedRng::new([5; 32]);
        let ours = state.session.encrypt_with_rng(b"text", &mut rng()).unwrap();
        let theirs = moved.encrypt_with_rng(b"text", &mut rng()).unwrap();
        assert_eq!(ours.to_parts(), theirs.to_parts(), "{name}");
    }
    assert_eq!(
        names,
        [
            "outbound without a reply",
            "inbound without a reply",
            "several chains with skipped keys",
            "with a sender chain in use",
        ]
    );
}

#[test]
fn s_24_group_sessions_come_back() {
    let mut names = Vec::new();
    for (name, mut session) in states::group_sessions(V3, &mut SeededRng::new(4)) {
        let Some(mut moved) = moved(name, &session, GROUP_SESSION) else { continue };
        names.push(name);
        assert_eq!(moved.created_at(), None, "{name}");
        assert_eq!(&*moved.session_key().to_base64(), &*session.session_key().to_base64());
        for _ in 0..3 {
            let (ours, theirs) = (session.encrypt(b"text"), moved.encrypt(b"text"));
            assert_eq!(ours.unwrap().to_base64(), theirs.unwrap().to_base64(), "{name}");
        }
    }
    assert_eq!(names, ["fresh", "used"]);
}

/// S-21, S-41: the pickle does not say where the session's key came from, so that is unknown, but
/// whether its signing key was verified is known.
#[test]
fn s_24_inbound_group_sessions_come_back() {
    let (sessions, messages) = states::inbound_group_sessions(V3, &mut SeededRng::new(5));
    let mut names = Vec::new();
    for (name, mut session) in sessions {
        let Some(mut moved) = moved(name, &session, INBOUND_GROUP_SESSION) else { continue };
        names.push(name);
        let first = session.first_known_index();
        assert_eq!(moved.first_known_index(), first, "{name}");
        assert_eq!(moved.provenance(), Provenance::Unknown, "{name}");
        assert_eq!(moved.is_signing_key_verified(), session.is_signing_key_verified(), "{name}");
        assert!(moved.connected(&session), "{name}");
        for message in &messages {
            let ours = session.decrypt(message).map(|message| message.into_plaintext());
            let theirs = moved.decrypt(message).map(|message| message.into_plaintext());
            assert_eq!(ours, theirs, "{name}");
            assert_eq!(ours.is_ok(), message.message_index() >= first, "{name}");
        }
    }
    assert_eq!(names.len(), 7, "all but the closed one: {names:?}");
}

/// Version 1 of an inbound group session is without the flag, and counts as verified.
#[test]
fn s_24_old_inbound_group_sessions_are_read() {
    let (sessions, _) = states::inbound_group_sessions(V3, &mut SeededRng::new(6));
    let (_, imported) = &sessions[2];
    assert!(!imported.is_signing_key_verified());
    let mut state = open(&imported.to_libolm(KEY), KEY);
    assert_eq!((state.pop(), &state[..4]), (Some(0), &[0, 0, 0, 2][..]));
    state[3] = 1;
    let old = InboundGroupSession::from_libolm_pickle(&seal(&state, KEY), KEY).unwrap();
    assert!(old.is_signing_key_verified());
    assert!(old.connected(imported));
}

/// Version 2 of an account has no fallback keys; version 3 always has two places for them, of which
/// those that were never filled are not looked at.
#[test]
fn s_24_old_accounts_are_read() {
    let mut account = states::account(3, &mut SeededRng::new(7));
    let rng = &mut SeededRng::new(8);
    account.generate_fallback_key_with_rng(rng).unwrap();
    account.generate_fallback_key_with_rng(rng).unwrap();
    let pickle = account.to_libolm(KEY);
    let new = AccountLayout::of(&open(&pickle, KEY));
    let [current, previous] = [0, 1].map(|place| {
        let mut key = new.fallback_keys[place].clone();
        key[4] = 1; // published
        key
    });
    let empty = vec![0; current.len()];
    let version = |version: u8, slots: &[&Vec<u8>]| {
        let layout = AccountLayout { fallback_keys: Vec::new(), ..AccountLayout::of(&new.bytes()) };
        let mut state = layout.bytes();
        state[3] = version;
        state.truncate(state.len() - 5); // the count of fallback keys, and the last id
        slots.iter().for_each(|slot| state.extend(*slot));
        state.extend(&new.last_id);
        Account::from_libolm_pickle(&seal(&state, KEY), KEY).unwrap()
    };
    for (old, fallback_keys) in [
        (version(2, &[]), vec![]),
        (version(3, &[&empty, &empty]), vec![]),
        (version(3, &[&current, &empty]), vec![current.clone()]),
        (version(3, &[&current, &previous]), vec![current.clone(), previous]),
    ] {
        let written = AccountLayout::of(&open(&old.to_libolm_pickle(KEY).unwrap(), KEY));
        assert_eq!(written.head, new.head);
        assert_eq!(written.one_time_keys, new.one_time_keys);
        assert_eq!(written.fallback_keys, fallback_keys);
        assert_eq!(written.last_id, new.last_id);
    }
}

/// A debug build of libolm wrote sessions with one number more, which nobody needs.
#[test]
fn s_24_sessions_of_version_0x80000001_are_read() {
    let session = &states::sessions(V3, &mut SeededRng::new(9))[2].session;
    let pickle = session.to_libolm(KEY);
    let mut state = open(&pickle, KEY);
    state[0] = 0x80;
    state.extend([0, 0, 0, 9]);
    let moved = Session::from_libolm_pickle(&seal(&state, KEY), KEY).unwrap();
    assert_eq!(moved.to_libolm_pickle(KEY).unwrap(), pickle);
}

/// Keys of chains that are gone cannot be used by anybody; they are dropped when read, the others
/// stay in their order.
#[test]
fn s_24_keys_of_dropped_chains_are_dropped() {
    let session = &states::sessions(V3, &mut SeededRng::new(10))[2].session;
    let pickle = session.to_libolm(KEY);
    let mut layout = SessionLayout::of(&open(&pickle, KEY));
    let mut orphan = layout.skipped[0].clone();
    orphan[0] ^= 1;
    for place in [0, 3, layout.skipped.len()] {
        layout.skipped.insert(place, orphan.clone());
    }
    let moved = Session::from_libolm_pickle(&seal(&layout.bytes(), KEY), KEY).unwrap();
    assert_eq!(layout.drop_orphans(), 3);
    assert_eq!(moved.to_libolm_pickle(KEY).unwrap(), seal(&layout.bytes(), KEY));
    assert_eq!(moved.to_libolm_pickle(KEY).unwrap(), pickle);
}

/// Id, a flag, and both halves.
const FALLBACK_KEY: usize = 4 + 1 + 64;

/// Every recorded session pickle comes back byte for byte, but for the older version, which is
/// written as the newer one, without its last number.
#[test]
fn s_24_recorded_session_pickles_come_back() {
    let mut older = 0;
    for file in files("libolm-session-pickle").iter().filter(|file| file.expect.is_none()) {
        let (pickle, key) = (file.text("pickle"), file.bytes("pickle-key"));
        let session = Session::from_libolm_pickle(pickle, &key).unwrap();
        let written = session.to_libolm_pickle(&key).unwrap();
        let mut state = open(pickle, &key);
        if state[0] == 0x80 {
            older += 1;
            state[0] = 0;
            state.truncate(state.len() - 4);
            assert_eq!(open(&written, &key), state, "{}", file.name);
        } else {
            assert_eq!(written, pickle, "{}", file.name);
        }
    }
    assert_eq!(older, 2);
}

/// The accounts too, but for the version: libolm writes an account of version 2 or 3 as one of
/// version 4. Version 3 has room for two fallback keys whether there are any or not, version 2 for
/// none.
#[test]
fn s_24_recorded_account_pickles_come_back() {
    for file in files("libolm-account-pickle").iter().filter(|file| file.expect.is_none()) {
        let (pickle, key) = (file.text("pickle"), file.bytes("pickle-key"));
        let account = Account::from_libolm_pickle(pickle, &key).unwrap();
        let written = account.to_libolm_pickle(&key).unwrap();
        let mut state = open(pickle, &key);
        let version = core::mem::replace(&mut state[3], 4);
        let slots = match version {
            2 => 0,
            3 => 2,
            _ => {
                assert_eq!(written, pickle, "{}", file.name);
                continue;
            }
        };
        let written = AccountLayout::of(&open(&written, &key));
        let slots = state.len() - slots * FALLBACK_KEY - 4;
        assert_eq!(written.head, state[..written.head.len()], "{}", file.name);
        assert_eq!(written.one_time_keys.concat(), state[written.head.len() + 4..slots]);
        assert!(state[slots..].starts_with(&written.fallback_keys.concat()), "{}", file.name);
        assert!(state.ends_with(&written.last_id), "{}", file.name);
    }
}

/// A session from libolm has its defaults: raised limits, the version and the rest are not stored.
#[test]
fn s_24_a_session_that_fits_forgets_only_what_no_message_needs() {
    let session = &states::sessions(V3, &mut SeededRng::new(11))[2].session;
    let raised = edit(&session.snapshot(), |open| open.set_number("limits.skipped_keys", 1_000));
    let raised = Session::restore(&raised).unwrap();
    let pickle = raised.to_libolm(KEY);
    assert_eq!(pickle, session.to_libolm(KEY));
    let moved = Session::from_libolm_pickle(&pickle, KEY).unwrap();
    assert_eq!((moved.limits().skipped_keys(), moved.version()), (40, V3));
    assert_eq!(moved.generation(), 0);
}
