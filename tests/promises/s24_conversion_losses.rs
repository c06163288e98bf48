//! S-24, S-41: what libolm's and vodozemac's formats cannot hold is an error with the exact numbers
//! and facts. The lossy variant of the call drops that and nothing else: of keys always the oldest,
//! as the peer would have.

use moceril::{
    ConversionError, Loss, MessageVersion,
    megolm::{GroupSession, InboundGroupSession},
    olm::{
        Account, DecryptionError, Limits, OlmMessage, PreKeyBundle, PreKeyMessage, Session,
        SessionConfig, SessionCreationError,
    },
};
use moceril_testing::{
    fixtures::{VERSIONS, config, pre_key},
    libolm_pickle::{KEY, SessionLayout, open, seal},
    pickle_editor::{OpenPickle, edit},
    pickled::Pickled,
    rng::SeededRng,
    states,
};

const V3: MessageVersion = MessageVersion::V3;
const UNREPRESENTABLE: ConversionError = ConversionError::Unrepresentable;

/// What the exact call says, and what the lossy one gives: the object as the peer would have it.
type Converted<T> = (Result<(), ConversionError>, Result<(T, Loss), ConversionError>);
type Convert<T> = fn(&T) -> Converted<T>;

macro_rules! through_libolm {
    ($object:ident) => {
        |object: &$object| {
            let back = |pickle: String| $object::from_libolm_pickle(&pickle, KEY).unwrap();
            let lossy = object.to_libolm_pickle_lossy(KEY).map(|(text, loss)| (back(text), loss));
            (object.to_libolm_pickle(KEY).map(drop), lossy)
        }
    };
}

macro_rules! through_vodozemac {
    ($object:ident) => {
        |object: &$object| {
            let back = |pickle| $object::from_vodozemac_pickle(pickle).unwrap();
            let lossy = object.to_vodozemac_pickle_lossy().map(|(form, loss)| (back(form), loss));
            (object.to_vodozemac_pickle().map(drop), lossy)
        }
    };
}

/// The conversions there are, with the name of the format.
macro_rules! formats {
    ($object:ident) => {
        vec![
            ("libolm", through_libolm!($object) as Convert<$object>),
            ("vodozemac", through_vodozemac!($object)),
        ]
    };
}

/// Converts with a loss, which must be exactly this one, and which the exact call must refuse.
#[track_caller]
fn lossy<T>(object: &T, convert: Convert<T>, expected: Loss) -> T {
    let (exact, lossy) = convert(object);
    let (converted, loss) = lossy.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(loss, expected);
    let expected = if loss.is_none() { Ok(()) } else { Err(ConversionError::Lossy(loss)) };
    assert_eq!(exact, expected);
    converted
}

/// A loss, made as a client reads one: field by field.
fn loss(change: impl FnOnce(&mut Loss)) -> Loss {
    let mut loss = Loss::default();
    change(&mut loss);
    loss
}

/// What the conversion of an account that was used loses in any case, and these facts.
fn account_loss(format: &str, change: impl FnOnce(&mut Loss)) -> Loss {
    loss(|loss| {
        loss.generation = true;
        loss.ed25519_seed = format == "libolm";
        change(loss);
    })
}

/// The same of a session that the peer began: vodozemac's format shows who the peer is.
fn session_loss(format: &str, change: impl FnOnce(&mut Loss)) -> Loss {
    loss(|loss| {
        loss.generation = true;
        (loss.their_identity_key, loss.root_index) = (format == "libolm", format == "libolm");
        change(loss);
    })
}

/// An end's first message to each one-time key of an account, oldest key first.
fn first_messages(to: &Account, from: &Account, rng: &mut SeededRng) -> Vec<PreKeyMessage> {
    let signed = to.signed_one_time_keys();
    let mut first = |key| {
        let bundle = PreKeyBundle::verify(to.identity_keys(), key).unwrap();
        let config = SessionConfig::default();
        let mut session = from.create_outbound_session_with_rng(&bundle, config, rng).unwrap();
        pre_key(&session.encrypt_with_rng(b"first", rng).unwrap())
    };
    signed.iter().map(|(_, key)| first(key)).collect()
}

/// libolm holds 100 one-time keys: the newest stay, published or not. vodozemac holds as many as
/// we.
#[test]
fn s_24_one_time_keys() {
    let rng = &mut SeededRng::new(1);
    let alice = states::account(0, rng);
    for count in [100, 101, 130] {
        let mut bob = states::account(count, rng);
        let messages = first_messages(&bob, &alice, rng);
        let ids: Vec<_> = bob.one_time_keys().iter().map(|(id, _)| *id).collect();
        bob.mark_as_published(ids.iter().step_by(2).copied());
        for (format, convert) in formats!(Account) {
            let dropped = if format == "libolm" { count - 100 } else { 0 };
            let mut moved =
                lossy(&bob, convert, account_loss(format, |loss| loss.one_time_keys = dropped));
            assert_eq!(moved.stored_one_time_key_count(), count - dropped);
            for (place, message) in messages.iter().enumerate() {
                let created = moved.create_inbound_session(alice.curve25519_key(), message);
                let expected = (place < dropped).then_some(SessionCreationError::UnknownOneTimeKey);
                assert_eq!(created.err(), expected, "{format}: key {place} of {count}");
            }
        }
    }
}

/// Neither format remembers which sessions used a fallback key: their first messages can be
/// replayed once more afterwards, and the caller is told how many.
#[test]
fn s_24_what_fallback_keys_remember() {
    let rng = &mut SeededRng::new(2);
    let alice = states::account(0, rng);
    let mut bob = states::account(0, rng);
    let mut messages = Vec::new();
    for sessions in [2, 1] {
        bob.generate_fallback_key_with_rng(rng).unwrap();
        let (_, key) = bob.signed_fallback_key().unwrap();
        let bundle = moceril::olm::PreKeyBundle::verify(bob.identity_keys(), &key).unwrap();
        for _ in 0..sessions {
            let config = SessionConfig::default();
            let mut session = alice.create_outbound_session_with_rng(&bundle, config, rng).unwrap();
            let first = pre_key(&session.encrypt_with_rng(b"first", rng).unwrap());
            bob.create_inbound_session(alice.curve25519_key(), &first).unwrap();
            messages.push(first);
        }
    }
    for (format, convert) in formats!(Account) {
        let mut moved =
            lossy(&bob, convert, account_loss(format, |loss| loss.fallback_sessions = 3));
        for message in &messages {
            let create = |account: &mut Account| {
                account.create_inbound_session(alice.curve25519_key(), message).err()
            };
            assert_eq!(create(&mut bob), Some(SessionCreationError::Replayed), "{format}");
            assert_eq!(create(&mut moved), None, "{format}");
            assert_eq!(create(&mut moved), Some(SessionCreationError::Replayed), "{format}");
        }
    }
}

/// `count` messages, of which none is delivered yet.
fn write(session: &mut Session, count: usize, rng: &mut SeededRng) -> Vec<OlmMessage> {
    (0..count).map(|place| session.encrypt_with_rng([place as u8], rng).unwrap()).collect()
}

/// Delivers each of `late`, and expects success exactly where `readable` says so.
fn deliver(
    name: &str,
    session: &mut Session,
    late: &[OlmMessage],
    readable: impl Fn(usize) -> bool,
) {
    for (place, message) in late.iter().enumerate() {
        let result = session.decrypt(message).map(|decrypted| decrypted.into_plaintext());
        if readable(place) {
            assert_eq!(result, Ok(vec![place as u8]), "{name}, {place}");
        } else {
            let gone = [DecryptionError::AlreadyUsed, DecryptionError::Authentication];
            assert!(gone.contains(&result.clone().unwrap_err()), "{name}, {place}: {result:?}");
        }
    }
}

/// libolm holds 40 skipped keys for the whole session, and the oldest are those skipped first, in
/// whichever chain: here the oldest chain has both the oldest keys and some of the newest.
/// vodozemac holds 40 in each chain, as we do.
#[test]
fn s_24_skipped_keys_of_several_chains() {
    let rng = &mut SeededRng::new(3);
    let (mut alice, mut bob) = states::pair(config(V3), rng);
    let answer = |bob: &mut Session, alice: &mut Session, rng: &mut SeededRng| {
        let answer = bob.encrypt_with_rng(b"answer", rng).unwrap();
        alice.decrypt(&answer).unwrap();
    };
    // The first chain: 20 keys are skipped now, 15 more after those of the second chain.
    let first = write(&mut alice, 37, rng);
    bob.decrypt(&first[20]).unwrap();
    answer(&mut bob, &mut alice, rng);
    let second = write(&mut alice, 21, rng);
    bob.decrypt(&second[20]).unwrap();
    bob.decrypt(&first[36]).unwrap();
    answer(&mut bob, &mut alice, rng);
    let third = write(&mut alice, 16, rng);
    bob.decrypt(&third[15]).unwrap();
    for (format, convert) in formats!(Session) {
        let dropped = if format == "libolm" { 30 } else { 0 };
        let expected = session_loss(format, |loss| loss.skipped_keys = dropped);
        let mut moved = lossy(&bob, convert, expected);
        let all = dropped == 0;
        deliver(format, &mut moved, &first, |place| {
            place != 20 && place != 36 && (all || place > 20)
        });
        deliver(format, &mut moved, &second, |place| place != 20 && (all || place >= 10));
        deliver(format, &mut moved, &third, |place| place != 15);
    }
}

/// Exactly 40 skipped keys are no loss, one more is.
#[test]
fn s_24_the_limit_of_skipped_keys() {
    let rng = &mut SeededRng::new(4);
    let limits = Limits::default().with_skipped_keys(100);
    for skipped in [39, 40, 41, 90] {
        let (mut alice, mut bob) =
            states::pair(SessionConfig::default().with_version(V3).with_limits(limits), rng);
        let late = write(&mut alice, skipped + 1, rng);
        bob.decrypt(&late[skipped]).unwrap();
        for (format, convert) in formats!(Session) {
            let dropped = skipped.saturating_sub(40);
            let expected = session_loss(format, |loss| {
                (loss.skipped_keys, loss.limits) = (dropped, true);
            });
            let mut moved = lossy(&bob, convert, expected);
            deliver(format, &mut moved, &late, |place| (dropped..skipped).contains(&place));
        }
    }
}

/// Both formats hold five chains of the peer: the oldest go, with the keys that were skipped in
/// them.
#[test]
fn s_24_chains() {
    let rng = &mut SeededRng::new(5);
    let limits = Limits::default().with_receiver_chains(20);
    for chains in [5, 6, 9] {
        let (mut alice, mut bob) =
            states::pair(SessionConfig::default().with_version(V3).with_limits(limits), rng);
        let mut late = Vec::new();
        for chain in 0..chains {
            if chain > 0 {
                let answer = bob.encrypt_with_rng(b"answer", rng).unwrap();
                alice.decrypt(&answer).unwrap();
            }
            late.push(write(&mut alice, 3, rng));
            bob.decrypt(&late[chain][2]).unwrap();
        }
        for (format, convert) in formats!(Session) {
            let dropped = chains - 5;
            let expected = session_loss(format, |loss| {
                (loss.receiver_chains, loss.skipped_keys) = (dropped, 2 * dropped);
                loss.limits = true;
            });
            let mut moved = lossy(&bob, convert, expected);
            for (chain, messages) in late.iter().enumerate() {
                deliver(format, &mut moved, messages, |place| chain >= dropped && place != 2);
            }
            // And the conversation goes on.
            let answer = moved.encrypt_with_rng(b"still here", rng).unwrap();
            assert_eq!(
                alice.copy().decrypt(&answer).unwrap().plaintext(),
                b"still here",
                "{format}"
            );
        }
    }
}

/// What no peer could go on from has no form there at all, lossy or not: exhausted chains and
/// sessions, closed sessions, and for libolm version 4 and ids that do not fit into 32 bits.
#[test]
fn s_24_what_has_no_form() {
    fn none<T>(name: &str, object: &T, formats: Vec<(&str, Convert<T>)>) -> usize {
        for (format, convert) in &formats {
            let (exact, lossy) = convert(object);
            assert_eq!(exact, Err(UNREPRESENTABLE), "{name}, {format}");
            assert_eq!(lossy.err(), Some(UNREPRESENTABLE), "{name}, {format}");
        }
        formats.len()
    }
    /// Only the first of the formats: libolm's.
    fn libolm<T>(formats: Vec<(&str, Convert<T>)>) -> Vec<(&str, Convert<T>)> {
        formats.into_iter().take(1).collect()
    }
    let rng = &mut SeededRng::new(6);
    let mut checked = 0;
    for version in VERSIONS {
        let v4 = version == MessageVersion::V4;
        for state in states::sessions(version, rng) {
            let (name, session) = (state.name, &state.session);
            if name == "exhausted" {
                checked += none(name, session, formats!(Session));
            } else if v4 {
                checked += none(name, session, libolm(formats!(Session)));
            }
        }
        for (name, session) in &states::group_sessions(version, rng) {
            if *name == "exhausted" {
                checked += none(name, session, formats!(GroupSession));
            } else if v4 {
                checked += none(name, session, libolm(formats!(GroupSession)));
            }
        }
        for (name, session) in &states::inbound_group_sessions(version, rng).0 {
            if *name == "closed" {
                checked += none(name, session, formats!(InboundGroupSession));
            } else if v4 {
                checked += none(name, session, libolm(formats!(InboundGroupSession)));
            }
        }
    }
    assert!(checked >= 18);

    // libolm's ids have 32 bits: 2^32 - 1 is the last one.
    let account = states::account(1, rng);
    let with_id = |id: u64| {
        let account = edit(&account.snapshot(), |open| {
            open.set_number("keys[0].id", id);
            open.set_number("next_id", id + 1);
        });
        Account::restore(&account).unwrap()
    };
    none("id 2^32", &with_id(1 << 32), libolm(formats!(Account)));
    lossy(&with_id(u32::MAX.into()), through_libolm!(Account), account_loss("libolm", |_| {}));
}

/// A receiver chain means to vodozemac that a message arrived. libolm has sessions that were made
/// from a message and have not decrypted it yet; those vodozemac could not go on from.
#[test]
fn s_24_a_session_before_its_first_message_has_no_form_in_vodozemac() {
    let (_, bob) = states::pair(config(V3), &mut SeededRng::new(7));
    let mut layout = SessionLayout::of(&open(&bob.to_libolm_pickle_lossy(KEY).unwrap().0, KEY));
    layout.head[4] = 0;
    let fresh = Session::from_libolm_pickle(&seal(&layout.bytes(), KEY), KEY).unwrap();
    assert!(!fresh.has_received_message());
    assert_eq!(fresh.to_vodozemac_pickle().err(), Some(UNREPRESENTABLE));
    lossy(&fresh, through_libolm!(Session), Loss::default());
}

/// Each fact alone, set in an object that has nothing to lose, is named, and nothing else with it.
/// An object that came from the format has nothing to lose.
#[test]
fn s_41_each_fact_is_named() {
    type Set = fn(&mut OpenPickle);
    type Name = fn(&mut Loss);
    /// For each format, the facts that must be named when the object's pickle is edited so.
    fn check<T: Pickled>(
        object: &T,
        formats: Vec<(&str, Convert<T>)>,
        facts: &[(&str, Set, [Option<Name>; 2])],
    ) {
        for (place, (format, convert)) in formats.into_iter().enumerate() {
            lossy(object, convert, Loss::default());
            for (fact, set, named) in facts {
                let changed = T::restore(&edit(&object.snapshot(), set)).unwrap();
                let expected = loss(|loss| named[place].iter().for_each(|name| name(loss)));
                let moved = lossy(&changed, convert, expected);
                assert!(!expected.drops_keys(), "{format}: {fact}");
                lossy(&moved, convert, Loss::default());
            }
        }
    }
    let both = |name: Name| [Some(name), Some(name)];
    let generation: (&str, Set, _) = (
        "generation",
        |open| open.set_number("generation", 1),
        both(|loss| loss.generation = true),
    );
    let limits = both(|loss| loss.limits = true);
    let evictions = both(|loss| loss.evictions = true);

    let rng = &mut SeededRng::new(8);
    let account = states::account(2, rng);
    let from_libolm = |account: &Account| {
        let (pickle, _) = account.to_libolm_pickle_lossy(KEY).unwrap();
        Account::from_libolm_pickle(&pickle, KEY).unwrap()
    };
    check(&from_libolm(&account), formats!(Account), &[generation]);

    let session = states::sessions(V3, rng).swap_remove(2).session;
    let bare = edit(&session.snapshot(), |open| {
        open.set_number("generation", 0);
        open.replace_group("their_identity_key", &[0]);
        open.replace_group("root_index", &[0]);
    });
    check(
        &Session::restore(&bare).unwrap(),
        formats!(Session),
        &[
            generation,
            (
                "the peer's identity key",
                |open| {
                    let key = open.group("keys.base_key");
                    open.replace_group("their_identity_key", &[&[1][..], &key].concat());
                },
                both(|loss| loss.their_identity_key = true),
            ),
            (
                "index of the root key",
                |open| {
                    open.replace_group("root_index", &[&[1][..], &5_u64.to_be_bytes()].concat());
                },
                [Some(|loss| loss.root_index = true), None],
            ),
            ("limit", |open| open.set_number("limits.skipped_keys", 41), limits),
            ("limit of the gap", |open| open.set_number("limits.message_gap", 2_001), limits),
            ("limit of chains", |open| open.set_number("limits.receiver_chains", 6), limits),
            ("evicted keys", |open| open.set_number("evicted_keys", 1), evictions),
            (
                "an evicted chain",
                |open| {
                    let key = open.group("keys.base_key");
                    open.prepend("evicted", [key.as_slice()]);
                },
                evictions,
            ),
            (
                "a chain with evicted keys",
                |open| {
                    open.clear("receivers[0].skipped");
                    open.set_number("receivers[0].evicted_below", 1);
                },
                evictions,
            ),
        ],
    );

    let (pickle, _) =
        states::group_sessions(V3, rng).remove(0).1.to_libolm_pickle_lossy(KEY).unwrap();
    let sender = GroupSession::from_libolm_pickle(&pickle, KEY).unwrap();
    check(&sender, formats!(GroupSession), &[generation]);

    let (_, receiver) = states::inbound_group_sessions(V3, rng).0.swap_remove(2);
    let (pickle, _) = receiver.to_libolm_pickle_lossy(KEY).unwrap();
    let receiver = InboundGroupSession::from_libolm_pickle(&pickle, KEY).unwrap();
    check(&receiver, formats!(InboundGroupSession), &[generation]);
}

/// S-14, S-41: libolm's form has no seed of a signing key, so an account that came through it
/// cannot be dehydrated. vodozemac's has it.
#[test]
fn s_41_the_seed_of_a_signing_key_is_named() {
    let rng = &mut SeededRng::new(9);
    let account = Account::with_rng(rng).unwrap();
    let sender = GroupSession::with_rng(Default::default(), rng).unwrap();
    for (format, convert) in formats!(Account) {
        let seed = format == "libolm";
        let moved = lossy(&account, convert, loss(|loss| loss.ed25519_seed = seed));
        let key = moceril::PickleKey::new([1; 32]);
        assert_eq!(moved.dehydrate_with_rng(&key, rng).is_err(), seed, "{format}");
    }
    for (format, convert) in formats!(GroupSession) {
        lossy(&sender, convert, loss(|loss| loss.ed25519_seed = format == "libolm"));
    }
}

/// The error says in words what would be lost.
#[test]
fn s_24_losses_are_told() {
    let told = loss(|loss| {
        (loss.one_time_keys, loss.skipped_keys) = (1, 2);
        (loss.receiver_chains, loss.fallback_sessions) = (3, 4);
    });
    let text = ConversionError::Lossy(told).to_string();
    for words in ["1 one-time", "2 skipped", "3 receiver chains", "4 remembered"] {
        assert!(text.contains(words), "{text}");
    }
    assert!(!told.is_none() && Loss::default().is_none());
    for (words, name) in [
        ("peer's identity key", (|loss| loss.their_identity_key = true) as fn(&mut Loss)),
        ("seed of the signing key", |loss| loss.ed25519_seed = true),
        ("provenance", |loss| loss.provenance = true),
        ("time of creation", |loss| loss.created_at = true),
        ("limits", |loss| loss.limits = true),
        ("evicted", |loss| loss.evictions = true),
        ("index of the root key", |loss| loss.root_index = true),
        ("generation", |loss| loss.generation = true),
    ] {
        let fact = loss(name);
        assert!(fact.to_string().contains(words), "{fact}");
        assert!(!fact.is_none() && !fact.drops_keys(), "{fact}");
    }
    assert!(UNREPRESENTABLE.to_string().contains("no form"));
}
