//! S-15: decrypting many messages at once gives exactly what decrypting them one by one gives: the
//! same results, and the same session afterwards.

use curve25519_dalek::constants::EIGHT_TORSION;
use moceril::megolm::{DecryptionError, ExportedSessionKey, InboundGroupSession, MegolmMessage};
use moceril_testing::{
    batches::{How, KINDS, Room, both_ways},
    fixtures::{VERSIONS, group},
    pickled::Pickled,
    signer::Signer,
};
use proptest::{
    collection::vec,
    prelude::any,
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};

/// So many messages are verified with tables; fewer are verified one by one.
const LARGE: usize = 24;

/// S-15: whatever the messages are, and whatever happened to the session before.
#[test]
fn s_15_random_batches_equal_single_decrypts() {
    let rooms = VERSIONS.map(|version| Room::new(version, 40));
    let config = Config { cases: 60, failure_persistence: None, ..Config::default() };
    let seed = [15; 32];
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &seed);
    // Half of the messages are genuine.
    let message = (0..40_usize, 0..2 * KINDS, any::<usize>());
    let batches = vec(vec(message, 0..60), 1..3);
    TestRunner::new_with_rng(config, rng)
        .run(&(0..2_usize, 0..5_usize, batches), |(room, state, batches)| {
            let room = &rooms[room];
            let (mut at_once, mut one_by_one) = (room.receiver(state), room.receiver(state));
            for batch in batches {
                let message = |(which, kind, detail): (usize, usize, usize)| {
                    room.message(which, How::new(kind.saturating_sub(KINDS), detail))
                };
                let messages: Vec<_> = batch.into_iter().map(message).collect();
                both_ways(&mut at_once, &mut one_by_one, &messages);
            }
            Ok(())
        })
        .unwrap_or_else(|error| panic!("with seed {seed:?}: {error}"));
}

/// S-15: one bad message, at each place in turn and bad in each way, is named, and hides no other.
#[test]
fn s_15_a_bad_message_is_named() {
    let room = Room::new(VERSIONS[0], LARGE + 1);
    let bad = [
        How::BitFlipped(83),
        How::SignedBySomebody,
        How::Torsion(4),
        How::Torsion(1),
        How::SmallOrderR(0),
        How::PlusGroupOrder,
        How::Mac,
    ];
    for place in 0..room.messages.len() {
        for how in bad {
            let mut messages = room.messages.clone();
            messages[place] = room.message(place, how);
            for (other, result) in room.receiver.copy().decrypt_batch(&messages).iter().enumerate()
            {
                let error = (other == place).then_some(DecryptionError::Authentication);
                assert_eq!(result.as_ref().err(), error.as_ref(), "{how:?} at {place}, {other}");
            }
        }
    }
}

/// S-15: a small-order part of `R` is seen whatever the other signatures are: when all have the
/// same one, so that their sum has none, and when each has another.
#[test]
fn s_15_torsion_does_not_cancel_out() {
    let room = Room::new(VERSIONS[0], 64);
    for count in [2, LARGE - 1, LARGE, 64] {
        let all_of = |torsion: fn(usize) -> usize| {
            let message = |place| room.message(place, How::Torsion(torsion(place)));
            (0..count).map(message).collect::<Vec<_>>()
        };
        for messages in [all_of(|_| 4), all_of(|_| 2), all_of(|place| 1 + place % 7)] {
            let results = room.receiver.copy().decrypt_batch(&messages);
            let refused = Err(DecryptionError::Authentication);
            assert!(results.iter().all(|result| *result == refused), "{count} messages");
        }
        // The same owner may choose any `R` without such a part.
        let messages: Vec<_> =
            (0..count).map(|place| room.message(place, How::SignedAgain)).collect();
        assert!(room.receiver.copy().decrypt_batch(&messages).iter().all(Result::is_ok));
    }
}

/// S-15: a signing key may have a small-order part, though no honest one does. Then about one in
/// eight signatures is good by chance, and a batch takes the same ones.
#[test]
fn s_15_a_key_with_a_small_order_part() {
    let room = Room::new(VERSIONS[0], 64);
    let mut exported = room.receiver.export_at_first_known_index().unwrap().to_bytes();
    let seed = [8; 32];
    for torsion in &EIGHT_TORSION[1..] {
        let owner = Signer::from_seed(&seed).plus(*torsion);
        exported[133..].copy_from_slice(&owner.public());
        let key = ExportedSessionKey::from_bytes(&exported).unwrap();
        let messages: Vec<_> = room
            .messages
            .iter()
            .enumerate()
            .map(|(place, message)| {
                let (signed, _) = message.as_bytes().split_last_chunk::<64>().unwrap();
                let r_torsion = EIGHT_TORSION[place % 8];
                let signature = owner.sign(signed, place as u64 + 1, r_torsion);
                MegolmMessage::from_bytes(&[signed, &signature].concat()).unwrap()
            })
            .collect();
        let import = || InboundGroupSession::import(&key);
        let results = both_ways(&mut import(), &mut import(), &messages);
        let good = results.iter().filter(|result| result.is_ok()).count();
        assert!((1..=48).contains(&good), "{good} of {}", messages.len());
    }
}

/// S-15: 1,000 messages newest first, each twice, and with forgeries in between.
#[test]
fn s_15_a_thousand_messages() {
    let room = Room::new(VERSIONS[0], 500);
    let mut messages: Vec<_> = [&room.messages[..], &room.messages].concat();
    messages.reverse();
    for place in (0..messages.len()).step_by(97) {
        messages[place] = room.message(499 - place % 500, How::new(2 + place % 6, place));
    }
    let (mut at_once, mut one_by_one) = (room.receiver(1), room.receiver(1));
    let results = both_ways(&mut at_once, &mut one_by_one, &messages);
    let unknown =
        |result: &&Result<_, _>| matches!(result, Err(DecryptionError::UnknownIndex { .. }));
    assert!(results.iter().filter(unknown).count() >= 13);
    assert!(results.iter().filter(|result| result.is_ok()).count() > 970);
}

/// S-15: the smallest batches. An empty one changes nothing, and one message is what it is alone.
#[test]
fn s_15_none_and_one() {
    for version in VERSIONS {
        let (mut sender, receiver) = group(version, 1);
        let message = sender.encrypt(b"text").unwrap();
        let (mut at_once, mut one_by_one) = (receiver.copy(), receiver.copy());
        assert_eq!(at_once.decrypt_batch([]), []);
        let results = both_ways(&mut at_once, &mut one_by_one, std::slice::from_ref(&message));
        assert_eq!(results[0].as_ref().unwrap().plaintext(), b"text");
        // By reference, from anything that can be iterated.
        assert_eq!(at_once.decrypt_batch(Some(&message)), results);
    }
}
