//! S-24: pickles move between our library and the real libolm, exactly and at any time.

mod moves;

use std::time::Duration;

use interop::{
    LIBOLM, SeededRng, for_each_seed,
    libolm_pickle::{SessionLayout, open, seal},
    moving::{Moves, libolm_mode},
    random_text,
};
use moceril::{
    megolm::{GroupSession, InboundGroupSession, MegolmMessage, Provenance},
    olm::{Account, Session},
};
use olm_rs::{
    PicklingMode,
    account::OlmAccount,
    inbound_group_session::OlmInboundGroupSession,
    outbound_group_session::OlmOutboundGroupSession,
    session::{OlmMessage, OlmSession},
};
use serde_json::Value;

const CONVERSATIONS: u64 = 1_000;
const PICKLES: u64 = 1_000;
const KEY: &[u8] = b"libolm wrote this";

fn mode() -> PicklingMode {
    PicklingMode::Encrypted { key: KEY.to_vec() }
}

#[test]
fn a_conversation_survives_moves_to_libolm_and_back() {
    moves::conversations(CONVERSATIONS, LIBOLM);
}

/// Every account that libolm can get into comes back byte for byte.
#[test]
fn accounts_come_back_byte_for_byte() {
    for_each_seed(PICKLES, |_, rng| {
        let account = OlmAccount::new();
        for _ in 0..rng.below(8) {
            match rng.below(6) {
                0..2 => account.generate_one_time_keys(rng.below(30)),
                2 => account.generate_fallback_key(),
                3 => account.mark_keys_as_published(),
                4 => use_a_key(&account, rng),
                _ => account.generate_one_time_keys(rng.below(120)),
            }
        }
        let pickle = account.pickle(mode());
        let ours = Account::from_libolm_pickle(&pickle, KEY).unwrap();
        assert_eq!(ours.to_libolm_pickle(KEY), Ok(pickle));
        let keys: Value = serde_json::from_str(&account.identity_keys()).unwrap();
        assert_eq!(keys["ed25519"], ours.ed25519_key().to_base64());
        assert_eq!(keys["curve25519"], ours.curve25519_key().to_base64());
        assert_eq!(account.sign("text"), ours.sign(b"text").to_base64());
        assert_eq!(
            published(&account.one_time_keys()).len(),
            ours.unpublished_one_time_keys().len()
        );
    });
}

/// The unpublished keys in libolm's JSON.
fn published(keys: &str) -> Vec<String> {
    let keys: Value = serde_json::from_str(keys).unwrap();
    let keys = keys["curve25519"].as_object().unwrap().values();
    keys.map(|key| key.as_str().unwrap().to_owned()).collect()
}

/// Another device uses one of the unpublished one-time keys, so that a hole is left in the list.
fn use_a_key(account: &OlmAccount, rng: &mut SeededRng) {
    let keys = published(&account.one_time_keys());
    if keys.is_empty() {
        return;
    }
    let identity: Value = serde_json::from_str(&account.identity_keys()).unwrap();
    let theirs = identity["curve25519"].as_str().unwrap();
    let key = &keys[rng.below(keys.len())];
    let session = OlmAccount::new().create_outbound_session(theirs, key).unwrap();
    let OlmMessage::PreKey(message) = session.encrypt("first") else {
        panic!("not a pre-key message")
    };
    let session = account.create_inbound_session(message).unwrap();
    account.remove_one_time_keys(&session).unwrap();
}

/// Two ends of libolm's, and what the first one has not yet received.
struct Ends {
    receiver: OlmSession,
    sender: OlmSession,
    under_way: Vec<OlmMessage>,
}

impl Ends {
    fn new(rng: &mut SeededRng) -> Self {
        let (alice, bob) = (OlmAccount::new(), OlmAccount::new());
        bob.generate_one_time_keys(1);
        let identity: Value = serde_json::from_str(&bob.identity_keys()).unwrap();
        let key = &published(&bob.one_time_keys())[0];
        let theirs = identity["curve25519"].as_str().unwrap();
        let initiator = alice.create_outbound_session(theirs, key).unwrap();
        let OlmMessage::PreKey(first) = initiator.encrypt("first") else {
            panic!("not a pre-key message")
        };
        let responder = bob.create_inbound_session(first.clone()).unwrap();
        responder.decrypt(OlmMessage::PreKey(first)).unwrap();
        let (receiver, sender) =
            if rng.below(2) == 0 { (initiator, responder) } else { (responder, initiator) };
        Self { receiver, sender, under_way: Vec::new() }
    }

    /// The sender writes some messages; some of them arrive, in any order, and sometimes there is
    /// an answer, after which the sender begins a new chain.
    fn turn(&mut self, rng: &mut SeededRng) {
        for _ in 0..rng.below(6) {
            let length = rng.below(40);
            let text = random_text(rng, length);
            self.under_way.push(self.sender.encrypt(&text));
        }
        for _ in 0..rng.below(3) {
            if !self.under_way.is_empty() {
                let message = self.under_way.swap_remove(rng.below(self.under_way.len()));
                // It may be of a chain that is gone.
                let _ = self.receiver.decrypt(message);
            }
        }
        if rng.below(2) == 0 {
            self.sender.decrypt(self.receiver.encrypt("answer")).unwrap();
        }
    }
}

/// Every session that libolm can get into comes back byte for byte, but for the keys of chains that
/// libolm has dropped, which nobody can use.
#[test]
fn sessions_come_back_byte_for_byte() {
    let (mut with_orphans, mut without, mut full, mut skipped) = (0, 0, 0, 0);
    for_each_seed(PICKLES, |_, rng| {
        let mut ends = Ends::new(rng);
        for _ in 0..rng.below(32) {
            ends.turn(rng);
        }
        for session in [&ends.receiver, &ends.sender] {
            let pickle = session.pickle(mode());
            let ours = Session::from_libolm_pickle(&pickle, KEY).unwrap();
            let written = ours.to_libolm_pickle(KEY).unwrap();
            let mut layout = SessionLayout::of(&open(&pickle, KEY));
            if layout.drop_orphans() == 0 {
                assert_eq!(written, pickle);
                without += 1;
            } else {
                assert_eq!(written, seal(&layout.bytes(), KEY));
                with_orphans += 1;
            }
            full += usize::from(layout.receivers.len() == 5);
            skipped += layout.skipped.len();
            let read_back = OlmSession::unpickle(written, mode()).unwrap();
            assert_eq!(read_back.session_id(), session.session_id());
        }
    });
    if interop::chosen_seed().is_none() {
        assert!(with_orphans > 50, "with keys of dropped chains: {with_orphans}");
        assert!(without > 1_000, "without: {without}");
        assert!(full > 50, "with all chains in use: {full}");
        assert!(skipped > 1_000, "skipped keys: {skipped}");
    }
}

/// Every end of a group session comes back byte for byte: after any number of messages, made from
/// session keys and from exports.
#[test]
fn group_sessions_come_back_byte_for_byte() {
    for_each_seed(PICKLES, |_, rng| {
        let sender = OlmOutboundGroupSession::new();
        (0..rng.below(20)).for_each(|_| drop(sender.encrypt("before the key was shared")));
        let receiver = OlmInboundGroupSession::new(&sender.session_key()).unwrap();
        let messages: Vec<_> = (0..1 + rng.below(20)).map(|_| sender.encrypt("text")).collect();
        let pickle = sender.pickle(mode());
        let ours = GroupSession::from_libolm_pickle(&pickle, KEY).unwrap();
        assert_eq!(ours.to_libolm_pickle(KEY), Ok(pickle));
        assert_eq!(ours.message_index(), sender.session_message_index());

        let first = receiver.first_known_index();
        let export = receiver.export(first + rng.below(messages.len()) as u32).unwrap();
        for receiver in [receiver, OlmInboundGroupSession::import(&export).unwrap()] {
            for _ in 0..rng.below(3) {
                // The message may be from before the export.
                let _ = receiver.decrypt(messages[rng.below(messages.len())].clone());
            }
            let pickle = receiver.pickle(mode());
            let ours = InboundGroupSession::from_libolm_pickle(&pickle, KEY).unwrap();
            assert_eq!(ours.to_libolm_pickle(KEY), Ok(pickle));
            assert_eq!(ours.first_known_index(), receiver.first_known_index());
            assert_eq!(ours.is_signing_key_verified(), receiver.session_is_verified());
        }
    });
}

/// Both ends of a group session move in the middle of it, and each reads what the other wrote
/// before and after.
#[test]
fn group_sessions_go_on_in_libolm_and_back() {
    for_each_seed(PICKLES, |_, rng| {
        let mut ours = GroupSession::new(Duration::ZERO).unwrap();
        let mut receiver = InboundGroupSession::new(&ours.session_key());
        for _ in 0..3 {
            let mut sent = vec![ours.encrypt(b"from us").unwrap().to_base64()];
            let known = (ours.created_at().is_some(), receiver.provenance() != Provenance::Unknown);
            let (theirs, loss) = ours.to_libolm();
            assert_eq!((loss.drops_keys(), loss.created_at), (false, known.0));
            sent.extend((0..rng.below(5)).map(|_| theirs.encrypt("from libolm")));
            ours = GroupSession::from_libolm(&theirs);
            sent.push(ours.encrypt(b"from us").unwrap().to_base64());

            let (their_receiver, loss) = receiver.to_libolm();
            assert_eq!((loss.drops_keys(), loss.provenance), (false, known.1));
            let place = rng.below(sent.len());
            their_receiver.decrypt(sent[place].clone()).unwrap();
            receiver = InboundGroupSession::from_libolm(&their_receiver);
            for message in &sent {
                let message = MegolmMessage::from_base64(message).unwrap();
                let decrypted = receiver.decrypt(&message).unwrap();
                assert!(decrypted.plaintext().starts_with(b"from "));
            }
        }
        assert_eq!(ours.session_id(), receiver.session_id());
    });
}

/// Other programs write accounts in this format too, with the keys in another order and with ids of
/// their own. libolm reads that; so do we, and every key is there.
#[test]
fn accounts_that_vodozemac_wrote_in_this_format_are_read() {
    let cases = [(0, 0), (1, 0), (2, 0), (50, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2), (50, 2)];
    let read = |(one_time_keys, fallback_keys)| {
        let mut theirs = vodozemac::olm::Account::new();
        theirs.generate_one_time_keys(one_time_keys);
        for _ in 0..fallback_keys {
            theirs.generate_fallback_key();
        }
        let pickle = theirs.to_libolm_pickle(KEY).unwrap();
        OlmAccount::unpickle(pickle.clone(), mode()).unwrap();
        let ours = Account::from_libolm_pickle(&pickle, KEY).ok()?;
        let known: Vec<_> = theirs.one_time_keys().values().map(|key| key.to_base64()).collect();
        let read = ours.unpublished_one_time_keys();
        assert!(read.iter().all(|(_, key)| known.contains(&key.to_base64())));
        assert_eq!((read.len(), ours.stored_one_time_key_count()), (known.len(), one_time_keys));
        assert_eq!(ours.unpublished_fallback_key().is_some(), fallback_keys > 0);
        Some(ours)
    };
    let refused: Vec<_> = cases.into_iter().filter(|case| read(*case).is_none()).collect();
    assert!(refused.is_empty(), "(one-time keys, fallback keys): {refused:?}");
}

/// An account that began in vodozemac, came to us and went on to libolm comes back: fallback keys
/// that were counted separately may have the ids of one-time keys.
#[test]
fn accounts_from_vodozemac_go_to_libolm_and_come_back() {
    for_each_seed(100, |_, rng| {
        let mut theirs = vodozemac::olm::Account::new();
        for _ in 0..rng.below(5) {
            match rng.below(3) {
                0 => {
                    theirs.generate_one_time_keys(rng.below(20));
                }
                1 => {
                    theirs.generate_fallback_key();
                }
                _ => theirs.mark_keys_as_published(),
            }
        }
        let form = interop::moving::Form::any(rng);
        let ours = Account::from_vodozemac(&theirs, form);
        let (libolm, loss) = ours.to_libolm();
        assert!(!loss.drops_keys(), "{loss}");
        let back =
            Account::from_libolm_pickle(&libolm.pickle(libolm_mode()), interop::moving::LIBOLM_KEY);
        let back = back.unwrap();
        assert_eq!(back.identity_keys(), ours.identity_keys());
        assert_eq!(back.stored_one_time_key_count(), ours.stored_one_time_key_count());
    });
}
