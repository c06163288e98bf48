//! S-15: decrypting many messages at once gives exactly what decrypting them one by one gives: the
//! same results, and the same session afterwards.

use curve25519_dalek::{EdwardsPoint, constants::EIGHT_TORSION, traits::Identity};
use moceril::{
    MessageVersion,
    megolm::{
        DecryptedMessage, DecryptionError, ExportedSessionKey, GroupSession, GroupSessionConfig,
        InboundGroupSession, MegolmMessage, Provenance,
    },
};
use moceril_testing::{
    fixtures::{VERSIONS, group, other},
    pickled::Pickled,
    rng::{RecordedRng, SeededRng},
    signer::{Signer, plus_group_order},
};
use proptest::{
    collection::vec,
    prelude::any,
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};

/// So many messages are verified with tables; fewer are verified one by one.
const LARGE: usize = 24;

/// What the dishonest owner of the session, or somebody else, makes of a message.
#[derive(Clone, Copy, Debug)]
enum How {
    Genuine,
    /// Signed again: the owner may choose any `R`.
    SignedAgain,
    BitFlipped(usize),
    SignedBySomebody,
    /// The owner signs, and the small-order part of `R` is this.
    Torsion(usize),
    SmallOrderR(usize),
    PlusGroupOrder,
    /// The owner signs a message with a wrong MAC.
    Mac,
    /// The owner signs another message under the same index.
    OtherVersion,
}

const KINDS: usize = 9;

impl How {
    fn new(kind: usize, detail: usize) -> Self {
        match kind % KINDS {
            0 => Self::Genuine,
            1 => Self::SignedAgain,
            2 => Self::BitFlipped(detail),
            3 => Self::SignedBySomebody,
            4 => Self::Torsion(1 + detail % 7),
            5 => Self::SmallOrderR(detail % 8),
            6 => Self::PlusGroupOrder,
            7 => Self::Mac,
            _ => Self::OtherVersion,
        }
    }
}

/// A sender whose private key the test knows, its first messages, and a receiver from the start.
struct Room {
    version: MessageVersion,
    owner: Signer,
    receiver: InboundGroupSession,
    messages: Vec<MegolmMessage>,
}

impl Room {
    fn new(version: MessageVersion, count: usize) -> Self {
        let rng = &mut SeededRng::new(15);
        let (ratchet, seed): ([u8; 128], [u8; 32]) = (rng.bytes(), rng.bytes());
        let draws = [&ratchet[..], &seed].concat();
        let config = GroupSessionConfig::default().with_version(version);
        let mut sender = GroupSession::with_rng(config, &mut RecordedRng::new(draws)).unwrap();
        let receiver = InboundGroupSession::with_version(&sender.session_key(), version);
        let owner = Signer::from_seed(&seed);
        assert_eq!(&owner.public(), receiver.signing_key().as_bytes());
        let text = |number: usize| number.to_be_bytes();
        let messages = (0..count).map(|number| sender.encrypt(text(number)).unwrap()).collect();
        Self { version, owner, receiver, messages }
    }

    fn message(&self, which: usize, how: How) -> MegolmMessage {
        let genuine = &self.messages[which % self.messages.len()];
        let mut bytes = genuine.as_bytes().to_vec();
        let end = bytes.len() - 64;
        let identity = EdwardsPoint::identity();
        let nonce = which as u64 + 1;
        let signature = match how {
            How::Genuine => return genuine.clone(),
            How::BitFlipped(bit) => {
                bytes[bit / 8 % (end + 64)] ^= 1 << (bit % 8);
                // What is no message any more does not get as far as a session.
                return MegolmMessage::from_bytes(&bytes).unwrap_or(genuine.clone());
            }
            How::SignedAgain => self.owner.sign(&bytes[..end], nonce, identity),
            How::SignedBySomebody => {
                Signer::from_seed(&[6; 32]).sign(&bytes[..end], nonce, identity)
            }
            How::Torsion(which) => self.owner.sign(&bytes[..end], nonce, EIGHT_TORSION[which]),
            How::SmallOrderR(which) => self.owner.sign(&bytes[..end], 0, EIGHT_TORSION[which]),
            How::PlusGroupOrder => plus_group_order(*genuine.signature().as_bytes()),
            How::Mac => {
                bytes[end - 1] ^= 1;
                self.owner.sign(&bytes[..end], nonce, identity)
            }
            How::OtherVersion => {
                bytes[0] = other(self.version).byte();
                let mac = self.version.mac_length();
                bytes.splice(end - mac..end, vec![0; other(self.version).mac_length()]);
                let end = bytes.len() - 64;
                self.owner.sign(&bytes[..end], nonce, identity)
            }
        };
        let end = bytes.len() - 64;
        bytes[end..].copy_from_slice(&signature);
        MegolmMessage::from_bytes(&bytes).unwrap()
    }

    /// The receiver in one of several states.
    fn receiver(&self, state: usize) -> InboundGroupSession {
        let mut receiver = self.receiver.copy();
        match state % 5 {
            0 => {}
            1 => drop(receiver.advance_to(7)),
            2 => receiver.close(),
            3 => {
                let exported = self.receiver.export_at(3).unwrap();
                receiver = InboundGroupSession::import_with_version(
                    &exported,
                    Provenance::Backup,
                    self.version,
                );
            }
            _ => {
                for place in [20, 9, 11] {
                    receiver.decrypt(&self.messages[place]).unwrap();
                }
            }
        }
        receiver
    }
}

type Results = Vec<Result<DecryptedMessage, DecryptionError>>;

/// The whole session. libolm's pickle also has the latest ratchet, but only in version 3.
fn whole(session: &InboundGroupSession) -> (String, Option<String>) {
    let libolm = session.to_libolm_pickle_lossy(b"key").ok();
    (session.snapshot(), libolm.map(|(pickle, _)| pickle))
}

/// Decrypts the messages at once in one of two equal sessions and one by one in the other, and
/// holds results and sessions to be equal.
fn both_ways(
    at_once: &mut InboundGroupSession,
    one_by_one: &mut InboundGroupSession,
    messages: &[MegolmMessage],
) -> Results {
    assert_eq!(whole(at_once), whole(one_by_one));
    let results = at_once.decrypt_batch(messages);
    let expected: Results = messages.iter().map(|message| one_by_one.decrypt(message)).collect();
    assert_eq!(results, expected);
    assert_eq!(whole(at_once), whole(one_by_one));
    results
}

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
