//! A room whose dishonest owner signs what the test wants, and batches of its messages (S-15).
//! Decrypting many at once must give exactly what decrypting them one by one gives: the same
//! results, and the same session afterwards.
//!
//! A test or a fuzzer calls [`run`] with any bytes.

use curve25519_dalek::{EdwardsPoint, constants::EIGHT_TORSION, traits::Identity};
use moceril::{
    MessageVersion,
    megolm::{
        DecryptedMessage, DecryptionError, GroupSession, GroupSessionConfig, InboundGroupSession,
        MegolmMessage, Provenance,
    },
};

use crate::fixtures::other;
use crate::pickled::Pickled;
use crate::rng::{RecordedRng, SeededRng};
use crate::signer::{Signer, plus_group_order};

/// How the dishonest owner of the session, or somebody else, changes a message.
#[derive(Clone, Copy, Debug)]
pub enum How {
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

pub const KINDS: usize = 9;

impl How {
    pub fn new(kind: usize, detail: usize) -> Self {
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
pub struct Room {
    version: MessageVersion,
    owner: Signer,
    pub receiver: InboundGroupSession,
    pub messages: Vec<MegolmMessage>,
}

impl Room {
    pub fn new(version: MessageVersion, count: usize) -> Self {
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

    pub fn message(&self, which: usize, how: How) -> MegolmMessage {
        let genuine = &self.messages[which % self.messages.len()];
        let mut bytes = genuine.as_bytes().to_vec();
        let end = bytes.len() - 64;
        let identity = EdwardsPoint::identity();
        let nonce = which as u64 + 1;
        let signature = match how {
            How::Genuine => return genuine.clone(),
            How::BitFlipped(bit) => {
                bytes[bit / 8 % (end + 64)] ^= 1 << (bit % 8);
                // Bytes that are no longer a message do not reach a session.
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
    pub fn receiver(&self, state: usize) -> InboundGroupSession {
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

pub type Results = Vec<Result<DecryptedMessage, DecryptionError>>;

/// The whole session. libolm's pickle also has the latest ratchet, but only in version 3.
fn whole(session: &InboundGroupSession) -> (String, Option<String>) {
    let libolm = session.to_libolm_pickle_lossy(b"key").ok();
    (session.snapshot(), libolm.map(|(pickle, _)| pickle))
}

/// Decrypts the messages together in one of two equal sessions and one by one in the other, and
/// checks that the results and the sessions are equal.
pub fn both_ways(
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

/// Bytes as batches: one for the version and the state of the receiver, then three for each
/// message: which one it is, or the end of a batch, and how it is changed.
pub fn run(rooms: &[Room; 2], data: &[u8]) {
    let Some((setup, data)) = data.split_first() else { return };
    let room = &rooms[usize::from(setup % 2)];
    let state = usize::from(setup / 2);
    let (mut at_once, mut one_by_one) = (room.receiver(state), room.receiver(state));
    for batch in data.as_chunks().0.split(|[which, _, _]: &[u8; 3]| *which == u8::MAX) {
        let message = |[which, kind, detail]: &[u8; 3]| {
            // Half of them are genuine.
            let kind = usize::from(*kind) % (2 * KINDS);
            room.message((*which).into(), How::new(kind.saturating_sub(KINDS), (*detail).into()))
        };
        let messages: Vec<_> = batch.iter().map(message).collect();
        both_ways(&mut at_once, &mut one_by_one, &messages);
    }
}
