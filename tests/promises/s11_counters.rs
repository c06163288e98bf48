//! S-11: counters are checked. A session ends at its last index with an error and is unchanged by
//! it; nothing wraps around.

use moceril::{
    MessageVersion,
    megolm::{self, GroupSession, GroupSessionConfig, InboundGroupSession},
    olm::{Account, DecryptionError, EncryptionError, KeyGenerationError, OlmMessage, Session},
};
use moceril_testing::{
    fixtures::{VERSIONS, config},
    pickle_editor::{OpenPickle, edit},
    pickled::Pickled,
    rng::{RecordedRng, SeededRng},
    states,
};

const LAST: u32 = u32::MAX;
/// What an Olm chain's index is when the last one was used.
const EXHAUSTED: u64 = 1 << 32;

fn with_number<T: Pickled>(object: &T, name: &str, number: u64) -> T {
    T::restore(&edit(&object.snapshot(), |open| open.set_number(name, number))).unwrap()
}

fn number<T: Pickled>(object: &T, name: &str) -> u64 {
    OpenPickle::open(&object.snapshot()).number(name)
}

/// Alice's session with Bob and Bob's with Alice, where Alice's chain has come to `index` at both
/// ends.
fn pair_at(index: u32, version: MessageVersion, rng: &mut SeededRng) -> (Session, Session) {
    let (alice, bob) = states::pair(config(version), rng);
    let index = index.into();
    (with_number(&alice, "sender.index", index), with_number(&bob, "receivers[0].index", index))
}

fn chain_index(message: &OlmMessage) -> u32 {
    match message {
        OlmMessage::PreKey(message) => message.message().chain_index(),
        OlmMessage::Normal(message) => message.chain_index(),
    }
}

/// Encrypts the last two messages, and tries a third. A failing RNG shows that nothing is drawn.
fn last_two(session: &mut Session) -> [OlmMessage; 2] {
    let mut write = || session.encrypt_with_rng(b"last", &mut RecordedRng::new([]));
    let messages = [write().unwrap(), write().unwrap()];
    assert_eq!(messages.each_ref().map(chain_index), [LAST - 1, LAST]);
    let exhausted = session.snapshot();
    for _ in 0..2 {
        let third = session.encrypt_with_rng(b"too many", &mut SeededRng::new(0));
        assert_eq!(third, Err(EncryptionError::SessionExhausted));
        assert_eq!(session.snapshot(), exhausted);
    }
    assert_eq!(number(session, "sender.index"), EXHAUSTED);
    messages
}

/// The last two indices of an Olm chain are used, the third message is refused, and the receiver
/// reads both, in either order, once.
#[test]
fn s_11_an_olm_chain_ends_at_the_last_index() {
    for version in VERSIONS {
        let (mut alice, bob) = pair_at(LAST - 1, version, &mut SeededRng::new(1));
        let messages = last_two(&mut alice);
        for order in [[0, 1], [1, 0]] {
            let mut bob = bob.copy();
            for place in order {
                assert_eq!(bob.decrypt(&messages[place]).unwrap().plaintext(), b"last");
            }
            assert_eq!(number(&bob, "receivers[0].index"), EXHAUSTED);
            for message in &messages {
                assert_eq!(bob.decrypt(message), Err(DecryptionError::AlreadyUsed));
                assert_eq!(bob.copy().decrypt(message), Err(DecryptionError::AlreadyUsed));
            }
        }
    }
}

/// A receiver close to the end names the last index as the highest acceptable, not one beyond it.
#[test]
fn s_11_the_gap_does_not_reach_beyond_the_last_index() {
    for (index, expected) in [
        (LAST - 2_001, Err(DecryptionError::TooFarAhead { index: LAST, maximum: LAST - 1 })),
        (LAST - 2_000, Ok(())),
        (LAST - 1, Ok(())),
        (LAST, Ok(())),
    ] {
        let (alice, mut bob) = states::pair(config(VERSIONS[0]), &mut SeededRng::new(2));
        let mut alice = with_number(&alice, "sender.index", index.into());
        bob = with_number(&bob, "receivers[0].index", index.into());
        for _ in index..LAST {
            alice.encrypt_with_rng(b"lost", &mut RecordedRng::new([])).unwrap();
        }
        let message = alice.encrypt_with_rng(b"last", &mut RecordedRng::new([])).unwrap();
        assert_eq!(chain_index(&message), LAST);
        assert_eq!(bob.decrypt(&message).map(drop), expected, "from {index}");
    }
}

/// An exhausted Olm session stays so when it is pickled, still decrypts, and writes again in a new
/// chain once the peer has replied.
#[test]
fn s_11_an_exhausted_olm_session_recovers_with_a_reply() {
    for version in VERSIONS {
        let rng = &mut SeededRng::new(3);
        let (mut alice, mut bob) = pair_at(LAST - 1, version, rng);
        let messages = last_two(&mut alice);
        let mut alice = alice.copy();
        assert_eq!(alice.encrypt_with_rng(b"no", rng), Err(EncryptionError::SessionExhausted));

        bob.decrypt(&messages[1]).unwrap();
        let mut bob = bob.copy();
        let reply = bob.encrypt_with_rng(b"reply", rng).unwrap();
        assert_eq!(alice.decrypt(&reply).unwrap().plaintext(), b"reply");
        let next = alice.encrypt_with_rng(b"next", rng).unwrap();
        assert_eq!(chain_index(&next), 0);
        assert_eq!(bob.decrypt(&next).unwrap().plaintext(), b"next");
        // The exhausted chain still gives out what it had skipped.
        assert_eq!(bob.decrypt(&messages[0]).unwrap().plaintext(), b"last");
    }
}

/// Skipped keys are numbered across chains; near the end of the numbers they are still found.
#[test]
fn s_11_serial_numbers_of_skipped_keys_do_not_run_out() {
    let rng = &mut SeededRng::new(4);
    let (mut alice, bob) = states::pair(config(VERSIONS[0]), rng);
    let messages: Vec<_> =
        (0..4_u8).map(|number| alice.encrypt_with_rng([number], rng).unwrap()).collect();
    for left in 0..4 {
        let pickle = edit(&bob.snapshot(), |open| {
            open.set_number("next_serial", u64::MAX - left);
        });
        // To refuse a number that no session can come to is as good.
        let Ok(mut bob) = Session::restore(&pickle) else { continue };
        for number in [3, 0, 1, 2] {
            let decrypted = bob.decrypt(&messages[number]).map(|message| message.into_plaintext());
            assert_eq!(decrypted, Ok(vec![number as u8]), "{left} numbers left");
            assert!(Session::restore(&bob.snapshot()).is_ok(), "{left} numbers left");
        }
    }
}

/// A group session at `index`, and a receiver who knows it from there.
fn group_at(index: u32, version: MessageVersion) -> (GroupSession, InboundGroupSession) {
    let config = GroupSessionConfig::default().with_version(version);
    let session = GroupSession::with_rng(config, &mut SeededRng::new(5)).unwrap();
    let session = with_number(&session, "index", index.into());
    let receiver = InboundGroupSession::with_version(&session.session_key(), version);
    assert_eq!(receiver.first_known_index(), index);
    (session, receiver)
}

/// The last two indices of a Megolm session are used, the third message is refused, and the
/// receiver reads both, in either order.
#[test]
fn s_11_a_group_session_ends_at_the_last_index() {
    for version in VERSIONS {
        let (mut session, receiver) = group_at(LAST - 1, version);
        let messages = [session.encrypt(b"last").unwrap(), session.encrypt(b"last").unwrap()];
        let indices = messages.each_ref().map(megolm::MegolmMessage::message_index);
        assert_eq!(indices, [LAST - 1, LAST]);
        let exhausted = session.snapshot();
        let mut copy = session.copy();
        for session in [&mut session, &mut copy] {
            assert!(session.is_exhausted());
            assert_eq!(session.message_index(), LAST);
            assert_eq!(
                session.encrypt(b"too many"),
                Err(megolm::EncryptionError::SessionExhausted)
            );
            assert_eq!(session.snapshot(), exhausted);
        }
        for order in [[0, 1], [1, 0]] {
            let mut receiver = receiver.copy();
            for place in order {
                let decrypted = receiver.decrypt(&messages[place]).unwrap();
                assert_eq!(decrypted.message_index(), indices[place]);
                assert_eq!(decrypted.plaintext(), b"last");
            }
        }
    }
}

/// A Megolm ratchet is not turned back, also not by way of the end: an earlier index is unknown.
#[test]
fn s_11_a_megolm_ratchet_never_goes_back() {
    let (mut session, receiver) = group_at(LAST - 1, VERSIONS[0]);
    let messages = [session.encrypt(b"last").unwrap(), session.encrypt(b"last").unwrap()];
    let mut last = receiver.copy();
    assert!(last.advance_to(LAST));
    for index in [0, 1, LAST - 2, LAST - 1] {
        let unknown = megolm::ExportError::UnknownIndex { index, first_known: LAST };
        assert_eq!(last.export_at(index).err(), Some(unknown));
        let before = last.snapshot();
        assert!(!last.advance_to(index));
        assert_eq!(last.snapshot(), before);
    }
    let unknown = megolm::DecryptionError::UnknownIndex { index: LAST - 1, first_known: LAST };
    assert_eq!(last.decrypt(&messages[0]), Err(unknown));
    assert_eq!(last.decrypt(&messages[1]).unwrap().message_index(), LAST);

    let exported = last.export_at(LAST).unwrap();
    assert_eq!(exported.to_bytes(), receiver.export_at(LAST).unwrap().to_bytes());
    assert_eq!(InboundGroupSession::import(&exported).first_known_index(), LAST);
}

/// S-10, S-11: when the ids of one-time keys run out, no key is made and nothing changes.
#[test]
fn s_11_key_ids_run_out() {
    let rng = &mut SeededRng::new(6);
    let mut account = states::account(1, rng);
    account.generate_fallback_key_with_rng(rng).unwrap();
    let mut account = with_number(&account, "next_id", u64::MAX - 2);

    let exhausted = Err(KeyGenerationError::IdsExhausted);
    for count in [3, 4, Account::MAX_STORED_ONE_TIME_KEYS] {
        let before = account.snapshot();
        let generated = account.generate_one_time_keys_with_rng(count, rng);
        assert_eq!(generated, exhausted, "{count}");
        assert_eq!(account.snapshot(), before);
    }
    let created = account.generate_one_time_keys_with_rng(2, rng).unwrap().created;
    let ids: Vec<_> = created.iter().map(|(id, _)| id.to_base64()).collect();
    // The numbers 2^64 - 3 and 2^64 - 2.
    assert_eq!(ids, ["//////////0", "//////////4"]);

    let before = account.snapshot();
    assert_eq!(account.generate_one_time_keys_with_rng(1, rng), exhausted);
    let fallback = account.generate_fallback_key_with_rng(rng);
    assert_eq!(fallback, Err(KeyGenerationError::IdsExhausted));
    assert_eq!(account.snapshot(), before);
    assert_eq!(account.copy().generate_one_time_keys_with_rng(1, rng), exhausted);
}

/// The same for accounts whose fallback keys count their ids separately: one-time keys go on.
#[test]
fn s_11_fallback_key_ids_run_out() {
    let rng = &mut SeededRng::new(8);
    let account = states::account(1, rng);
    let next = [&[1][..], &(u64::MAX - 1).to_be_bytes()].concat();
    let edited = edit(&account.snapshot(), |open| open.replace_group("next_fallback_id", &next));
    let mut account = Account::restore(&edited).unwrap();
    assert_eq!(account.generate_fallback_key_with_rng(rng).unwrap().forgotten, None);
    let before = account.snapshot();
    let exhausted = account.generate_fallback_key_with_rng(rng);
    assert_eq!(exhausted, Err(KeyGenerationError::IdsExhausted));
    assert_eq!(account.snapshot(), before);
    assert!(account.generate_one_time_keys_with_rng(1, rng).is_ok());
}

/// S-11, S-35: the generation number stays at its highest value, and everything else goes on.
#[test]
fn s_11_the_generation_number_does_not_wrap() {
    let rng = &mut SeededRng::new(7);
    let mut account = with_number(&states::account(1, rng), "generation", u64::MAX);
    account.generate_one_time_keys_with_rng(1, rng).unwrap();
    assert_eq!((account.generation(), account.stored_one_time_key_count()), (u64::MAX, 2));

    let (alice, _) = states::pair(config(VERSIONS[0]), rng);
    let mut alice = with_number(&alice, "generation", u64::MAX);
    alice.encrypt_with_rng(b"text", rng).unwrap();
    assert_eq!((alice.generation(), number(&alice, "sender.index")), (u64::MAX, 2));

    let (session, receiver) = group_at(0, VERSIONS[0]);
    let mut session = with_number(&session, "generation", u64::MAX);
    session.encrypt(b"text").unwrap();
    assert_eq!((session.generation(), session.message_index()), (u64::MAX, 1));
    let mut receiver = with_number(&receiver, "generation", u64::MAX);
    assert!(receiver.advance_to(1));
    assert_eq!(receiver.generation(), u64::MAX);
}
