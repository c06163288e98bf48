//! S-23: whoever has the pickle key can seal any state. A state that the library could not have
//! reached is refused, with a case for each rule. `s02_impossible_fields.rs` tests the single
//! fields.

use moceril::{
    PickleError,
    megolm::{GroupSession, InboundGroupSession},
    olm::{Account, Limits, Session},
};
use moceril_testing::{
    fixtures::{VERSIONS, config},
    pickle_editor::{OpenPickle, edit},
    pickled::Pickled,
    rng::SeededRng,
    states,
};

type Edit = fn(&mut OpenPickle);

/// Each edit makes a state that is refused. The pickle without it opens.
fn refuses<T: Pickled>(pickle: &str, edits: &[(&str, Edit)]) {
    assert!(T::restore(&edit(pickle, |_| {})).is_ok());
    for (name, change) in edits {
        let edited = edit(pickle, change);
        assert!(edited != pickle, "{name}: the edit does nothing");
        assert_eq!(T::restore(&edited).err(), Some(PickleError::InvalidState), "{name}");
    }
}

/// Each edit makes a state at the edge of what is possible.
fn accepts<T: Pickled>(pickle: &str, edits: &[(&str, Edit)]) {
    for (name, change) in edits {
        assert_eq!(T::restore(&edit(pickle, change)).err(), None, "{name}");
    }
}

/// With one-time keys of the ids 1, 2, 4, 5 and 6 and two fallback keys, each used twice.
fn account() -> String {
    states::accounts(&mut SeededRng::new(1)).pop().unwrap().1.snapshot()
}

/// With three receiver chains, each with three skipped keys, and no sender chain.
fn session() -> String {
    let session = states::sessions(VERSIONS[0], &mut SeededRng::new(2)).remove(2).session;
    let pickle = session.snapshot();
    let open = OpenPickle::open(&pickle);
    assert_eq!((open.number("receivers"), open.number("sender")), (3, 0));
    assert_eq!(open.number("receivers[0].skipped"), 3);
    pickle
}

/// Puts `count` one-time keys before those that there are: the first one under other ids and with
/// other public halves.
fn stored_keys(open: &mut OpenPickle, count: usize) {
    let (secret, published) = (open.group("keys[0].secret"), open.group("keys[0].published"));
    let key = |number: u64| {
        // Nine is the base point; the numbers after it are keys like any other.
        let public = [&(9 + number).to_le_bytes()[..], &[0; 24]].concat();
        [&number.to_be_bytes()[..], &secret, &public, &published].concat()
    };
    let keys: Vec<_> = (1..=count as u64).map(key).collect();
    // Make room for their ids below those that are there.
    let first = count as u64 + 1;
    for (place, id) in (0..open.number("keys")).zip(first..) {
        open.set_number(&format!("keys[{place}].id"), id);
    }
    for (name, id) in [("previous_fallback.id", 9_998), ("fallback.id", 9_999), ("next_id", 10_000)]
    {
        open.set_number(name, id);
    }
    open.prepend("keys", keys.iter().map(Vec::as_slice));
}

/// Puts `count` different sessions, of no more than 16 for each sender, before those that the key
/// remembers.
fn remembered_sessions(open: &mut OpenPickle, key: &str, count: u32) {
    let tag = |number: u32| [&(number / 16).to_be_bytes()[2..], &number.to_be_bytes()].concat();
    let tags: Vec<_> = (0..count).map(tag).collect();
    open.prepend(&format!("{key}.sessions"), tags.iter().map(Vec::as_slice));
}

/// Puts `count` sessions of the sender of the key's two sessions before these.
fn sessions_of_one_sender(open: &mut OpenPickle, key: &str, count: u32) {
    let template = open.group(&format!("{key}.sessions[0]"));
    assert_eq!(template[..2], open.group(&format!("{key}.sessions[1]"))[..2]);
    let tag = |number: u32| [&template[..2], &number.to_be_bytes()].concat();
    let tags: Vec<_> = (0..count).map(tag).collect();
    open.prepend(&format!("{key}.sessions"), tags.iter().map(Vec::as_slice));
}

/// S-10, S-23: an account's book-keeping holds together.
#[test]
fn s_23_impossible_accounts_are_refused() {
    let pickle = account();
    let stored = OpenPickle::open(&pickle).number("keys") as usize;
    assert_eq!((stored, Account::MAX_STORED_ONE_TIME_KEYS), (5, 5_000));
    refuses::<Account>(
        &pickle,
        &[
            ("ids not ascending", |open| open.swap("keys[0]", "keys[1]")),
            ("an id twice", |open| open.set_number("keys[1].id", open.number("keys[0].id"))),
            ("next id used by a one-time key", |open| {
                open.set_number("keys[4].id", open.number("next_id"));
            }),
            ("next id used by the fallback key", |open| {
                open.set_number("next_id", open.number("fallback.id"));
            }),
            ("next id 0", |open| open.set_number("next_id", 0)),
            ("fallback key older than the previous one", |open| {
                open.swap("fallback.id", "previous_fallback.id");
            }),
            ("fallback keys with one id", |open| {
                open.set_number("previous_fallback.id", open.number("fallback.id"));
            }),
            ("fallback key with the id of a one-time key", |open| {
                open.set_number("fallback.id", open.number("keys[4].id"));
                open.replace_group("previous_fallback", &[0]);
            }),
            ("previous fallback key with the id of a one-time key", |open| {
                open.set_number("previous_fallback.id", open.number("keys[4].id"));
            }),
            ("previous fallback key without a present one", |open| {
                open.replace_group("fallback", &[0]);
            }),
            ("next fallback id used by the fallback key", |open| {
                let next = open.group("fallback.id");
                open.replace_group("next_fallback_id", &[&[1][..], &next].concat());
            }),
            ("more one-time keys than fit", |open| stored_keys(open, 4_996)),
            ("a one-time key twice", |open| {
                open.set("keys[3].public", &open.group("keys[0].public"));
            }),
            ("fallback key that is a one-time key", |open| {
                open.set("fallback.public", &open.group("keys[4].public"));
            }),
            ("previous fallback key that is a one-time key", |open| {
                open.set("previous_fallback.public", &open.group("keys[0].public"));
            }),
            ("a one-time key that is the identity key", |open| {
                open.set("keys[3].public", &open.group("identity_key.public"));
            }),
            ("fallback key that is the identity key", |open| {
                open.set("fallback.public", &open.group("identity_key.public"));
            }),
            ("previous fallback key that is the identity key", |open| {
                open.set("previous_fallback.public", &open.group("identity_key.public"));
            }),
            ("one fallback key twice", |open| {
                open.set("previous_fallback.public", &open.group("fallback.public"));
            }),
            ("fallback key with too much to remember", |open| {
                remembered_sessions(open, "fallback", 65_535);
            }),
            ("previous fallback key with too much to remember", |open| {
                remembered_sessions(open, "previous_fallback", 65_535);
            }),
            ("fallback key that remembers a session twice", |open| {
                let session = open.group("fallback.sessions[1]");
                open.prepend("fallback.sessions", [session.as_slice()]);
            }),
            ("fallback key with more sessions of a sender than its share", |open| {
                sessions_of_one_sender(open, "fallback", 31);
            }),
            ("previous fallback key with more sessions of a sender than its share", |open| {
                sessions_of_one_sender(open, "previous_fallback", 31);
            }),
            ("less memory than by default", |open| open.set_number("fallback_memory", 1_023)),
            ("no memory", |open| open.set_number("fallback_memory", 0)),
            ("more memory than there can be", |open| open.set_number("fallback_memory", 65_537)),
        ],
    );
    accepts::<Account>(
        &pickle,
        &[
            ("as many one-time keys as fit", |open| stored_keys(open, 4_995)),
            ("fallback keys that count their ids separately", |open| {
                open.set_number("previous_fallback.id", 5);
                open.set_number("fallback.id", 6);
                open.replace_group("next_fallback_id", &[1, 0, 0, 0, 0, 0, 0, 0, 7]);
            }),
            ("no previous fallback key", |open| open.replace_group("previous_fallback", &[0])),
            ("a fallback key that remembers all it can", |open| {
                remembered_sessions(open, "fallback", 65_534);
            }),
            ("fallback keys with the share of a sender", |open| {
                sessions_of_one_sender(open, "fallback", 30);
                sessions_of_one_sender(open, "previous_fallback", 30);
            }),
            ("as much memory as there can be", |open| open.set_number("fallback_memory", 65_536)),
        ],
    );
}

/// Gives the first chain `count` skipped keys, and an index above them.
fn skipped_keys(open: &mut OpenPickle, count: u32) {
    let key =
        |index: u32| [&index.to_be_bytes()[..], &u64::from(index).to_be_bytes(), &[7; 32]].concat();
    let keys: Vec<_> = (0..count).map(key).collect();
    open.set_number("receivers[0].index", count.into());
    open.set_number("next_serial", 1_000);
    open.clear("receivers[0].skipped");
    open.prepend("receivers[0].skipped", keys.iter().map(Vec::as_slice));
}

/// Puts `count` chains with ratchet keys of their own before those that are there.
fn chains(open: &mut OpenPickle, count: u8) {
    let template = open.group("receivers[0]");
    // Nine is the base point; the numbers after it are keys like any other.
    let key = |number: u8| [&[10 + number], &[0; 31][..], &template[32..]].concat();
    let chains: Vec<_> = (0..count).map(key).collect();
    open.prepend("receivers", chains.iter().map(Vec::as_slice));
    let before = open.number("root_index.number");
    open.set_number("root_index.number", before + 2 * count as u64);
}

/// S-22, S-23: a session's chains hold together and keep to the limits.
#[test]
fn s_23_impossible_sessions_are_refused() {
    refuses::<Session>(
        &session(),
        &[
            ("neither a sender nor a receiver", |open| {
                open.clear("receivers");
            }),
            ("two chains with one ratchet key", |open| {
                open.set("receivers[2].ratchet_key", &open.group("receivers[0].ratchet_key"));
            }),
            ("more chains than the limit", |open| chains(open, 3)),
            ("more skipped keys than the limit", |open| skipped_keys(open, 41)),
            ("skipped indices not ascending", |open| {
                open.swap("receivers[0].skipped[0].index", "receivers[0].skipped[1].index");
            }),
            ("a skipped index twice", |open| {
                open.set(
                    "receivers[0].skipped[1].index",
                    &open.group("receivers[0].skipped[0].index"),
                );
            }),
            ("skipped serial numbers not ascending", |open| {
                open.swap("receivers[0].skipped[0].serial", "receivers[0].skipped[1].serial");
            }),
            ("a serial number that is still to come", |open| {
                open.set_number("receivers[2].skipped[2].serial", open.number("next_serial"));
            }),
            ("a skipped index that is still to come", |open| {
                open.set_number("receivers[1].skipped[2].index", open.number("receivers[1].index"));
            }),
            ("a skipped key below the evicted ones", |open| {
                let second = open.number("receivers[0].skipped[1].index");
                open.set_number("receivers[0].evicted_below", second);
            }),
            ("evicted keys that are still to come", |open| {
                skipped_keys(open, 0);
                open.set_number(
                    "receivers[0].evicted_below",
                    open.number("receivers[0].index") + 1,
                );
            }),
            ("a chain index beyond exhaustion", |open| {
                open.set_number("receivers[2].index", (1 << 32) + 1);
            }),
            ("a root key from before the chains", |open| {
                let index = open.number("root_index.number");
                open.set_number("root_index.number", index - 2);
            }),
            ("three chains of the peer without a message", |open| open.set_number("received", 0)),
            ("two chains of the peer without a message", |open| {
                let newest = [open.group("receivers[1]"), open.group("receivers[2]")];
                open.set_number("received", 0);
                open.clear("receivers");
                open.prepend("receivers", newest.iter().map(Vec::as_slice));
            }),
            ("a session that the peer began, with another peer", |open| {
                open.set_number("root_index.number", open.number("root_index.number") + 1);
            }),
            ("more evicted chains than are remembered", |open| {
                let key = open.group("receivers[0].ratchet_key");
                open.prepend("evicted", [key.as_slice(); 17]);
            }),
        ],
    );
    accepts::<Session>(
        &session(),
        &[
            ("as many chains as the limit", |open| chains(open, 2)),
            ("as many skipped keys as the limit", |open| skipped_keys(open, 40)),
            ("a root key of unknown index", |open| open.replace_group("root_index", &[0])),
            ("a root key of a chain that is gone", |open| {
                open.set_number("root_index.number", open.number("root_index.number") + 2);
            }),
            ("a session that the peer began", |open| {
                open.set_number("root_index.number", open.number("root_index.number") + 1);
                let initiator = open.group("keys.identity_key");
                open.set("their_identity_key.key", &initiator);
            }),
            ("an exhausted chain", |open| open.set_number("receivers[2].index", 1 << 32)),
            ("the first chain all evicted", |open| {
                skipped_keys(open, 0);
                open.set_number("receivers[0].index", 1);
                open.set_number("receivers[0].evicted_below", 1);
            }),
        ],
    );

    let with_sender = states::pair(config(VERSIONS[0]), &mut SeededRng::new(3)).0.snapshot();
    refuses::<Session>(
        &with_sender,
        &[
            ("a sender index beyond exhaustion", |open| {
                open.set_number("sender.index", (1 << 32) + 1);
            }),
            ("neither a sender nor a receiver", |open| open.replace_group("sender", &[0])),
            ("a second root key before any answer", |open| {
                open.set_number("root_index.number", 2);
            }),
            ("a root key of unknown index before any answer", |open| {
                open.replace_group("root_index", &[0]);
            }),
        ],
    );

    // Made from a message of the peer that it has not decrypted.
    let (_, inbound) = states::pair(config(VERSIONS[0]), &mut SeededRng::new(3));
    let unread = edit(&inbound.snapshot(), |open| open.set_number("received", 0));
    refuses::<Session>(
        &unread,
        &[
            ("begun by us", |open| open.set_number("root_index.number", 1)),
            ("a root key of unknown index", |open| open.replace_group("root_index", &[0])),
            ("made from a message of somebody else", |open| {
                let other = open.group("keys.base_key");
                open.set("their_identity_key.key", &other);
            }),
        ],
    );
    accepts::<Session>(
        &unread,
        &[("the peer is not known", |open| open.replace_group("their_identity_key", &[0]))],
    );
}

/// S-22, S-23: limits that a caller could not have chosen are refused.
#[test]
fn s_22_impossible_limits_are_refused() {
    let pickle = states::pair(config(VERSIONS[0]), &mut SeededRng::new(4)).0.snapshot();
    for (name, minimum, maximum) in [
        ("limits.skipped_keys", Limits::DEFAULT_SKIPPED_KEYS, Limits::MAX_SKIPPED_KEYS),
        ("limits.message_gap", Limits::DEFAULT_MESSAGE_GAP, Limits::MAX_MESSAGE_GAP),
        ("limits.receiver_chains", Limits::DEFAULT_RECEIVER_CHAINS, Limits::MAX_RECEIVER_CHAINS),
    ] {
        let restored = |value: u32| {
            let edited = edit(&pickle, |open| open.set_number(name, value.into()));
            Session::restore(&edited).err()
        };
        for value in [0, minimum - 1, maximum + 1, u32::MAX] {
            assert_eq!(restored(value), Some(PickleError::InvalidState), "{name} {value}");
        }
        for value in [minimum, minimum + 1, maximum] {
            assert_eq!(restored(value), None, "{name} {value}");
        }
    }
}

/// S-11, S-21, S-23: a group session is exhausted only at its last index, and a key that counts as
/// signed was verified.
#[test]
fn s_23_impossible_group_sessions_are_refused() {
    let (_, session) = states::group_sessions(VERSIONS[0], &mut SeededRng::new(5)).remove(1);
    refuses::<GroupSession>(
        &session.snapshot(),
        &[
            ("exhausted early", |open| open.set_number("exhausted", 1)),
            ("exhausted one early", |open| {
                open.set_number("index", u64::from(u32::MAX) - 1);
                open.set_number("exhausted", 1);
            }),
        ],
    );
    accepts::<GroupSession>(
        &session.snapshot(),
        &[
            ("the last index not used", |open| open.set_number("index", u32::MAX.into())),
            ("the last index used", |open| {
                open.set_number("index", u32::MAX.into());
                open.set_number("exhausted", 1);
            }),
        ],
    );
    let (sessions, _) = states::inbound_group_sessions(VERSIONS[0], &mut SeededRng::new(6));
    refuses::<InboundGroupSession>(
        &sessions[0].1.snapshot(),
        &[("signed but not verified", |open| open.set_number("signing_key_verified", 0))],
    );
    // S-43: a level of trust starts at the first known index, which is 250, or at a multiple of 256
    // after it, and not before a lower level.
    let (_, late) = &sessions[1];
    assert_eq!(late.first_known_index(), 250);
    refuses::<InboundGroupSession>(
        &late.snapshot(),
        &[
            ("signed before the first index", |open| open.set_number("starts[3]", 249)),
            ("signed from the middle of a block", |open| open.set_number("starts[3]", 257)),
            ("signed from 0", |open| open.set_number("starts[3]", 0)),
            ("exported later than signed", |open| open.set_number("starts[2]", 256)),
            ("from a backup later than signed", |open| open.set_number("starts[1]", 256)),
            ("from a backup after exported", |open| {
                open.set_number("starts[1]", 512);
                open.set_number("starts[2]", 256);
                open.set_number("starts[3]", 512);
            }),
        ],
    );
    accepts::<InboundGroupSession>(
        &late.snapshot(),
        &[
            ("signed later, and not verified yet", |open| {
                open.set_number("starts[3]", 256);
                open.set_number("signing_key_verified", 0);
            }),
            ("each level later than the one below", |open| {
                open.set_number("starts[2]", 256);
                open.set_number("starts[3]", 0xffff_ff00);
            }),
        ],
    );
}
