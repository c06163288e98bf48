//! S-24: pickles move between our library and the real vodozemac, exactly and at any time:
//! encrypted, in JSON and in MessagePack.

mod moves;

use interop::{
    Library, SeededRng, VODOZEMAC, VODOZEMAC_V4, for_each_seed,
    moving::{Form, Moves},
    peer::OlmPeer,
    traffic::{Arrival, Direction},
    vodozemac::VodozemacDevice,
};
use moceril::{
    MessageVersion,
    megolm::{GroupSession, InboundGroupSession, MegolmMessage, Provenance},
    olm::{Account, Session},
    vodozemac as shapes,
};
use vodozemac::{megolm, olm};

const CONVERSATIONS: u64 = 1_000;
const PICKLES: u64 = 1_000;
const GROUP_SESSIONS: u64 = 300;

#[test]
fn a_conversation_survives_moves_to_vodozemac_and_back() {
    moves::conversations(CONVERSATIONS, VODOZEMAC);
}

#[test]
fn a_conversation_of_version_4_survives_moves_to_vodozemac_and_back() {
    moves::conversations(CONVERSATIONS / 2, VODOZEMAC_V4);
}

/// Every account that vodozemac can get into comes back, as JSON and as MessagePack.
#[test]
fn accounts_come_back() {
    for_each_seed(PICKLES, |_, rng| {
        let mut theirs = olm::Account::new();
        for _ in 0..rng.below(8) {
            match rng.below(5) {
                0..2 => {
                    theirs.generate_one_time_keys(rng.below(30));
                }
                2 => {
                    theirs.generate_fallback_key();
                }
                3 => theirs.mark_keys_as_published(),
                _ => use_a_key(&mut theirs),
            }
        }
        let json = serde_json::to_string(&theirs.pickle()).unwrap();
        let read: shapes::AccountPickle = serde_json::from_str(&json).unwrap();
        let ours = Account::from_vodozemac_pickle(read).unwrap();
        assert_eq!(serde_json::to_string(&ours.to_vodozemac_pickle().unwrap()).unwrap(), json);

        let packed = rmp_serde::to_vec_named(&theirs.pickle()).unwrap();
        let read: shapes::AccountPickle = rmp_serde::from_slice(&packed).unwrap();
        let ours = Account::from_vodozemac_pickle(read).unwrap();
        assert_eq!(rmp_serde::to_vec_named(&ours.to_vodozemac_pickle().unwrap()).unwrap(), packed);

        assert_eq!(ours.ed25519_key().to_base64(), theirs.ed25519_key().to_base64());
        assert_eq!(ours.sign(b"text").to_base64(), theirs.sign("text").to_base64());
        assert_eq!(ours.stored_one_time_key_count(), theirs.stored_one_time_key_count());
    });
}

fn use_a_key(account: &mut olm::Account) {
    let Some(key) = account.one_time_keys().into_values().next() else { return };
    let (alice, config) = (olm::Account::new(), olm::SessionConfig::version_1());
    let session = alice.create_outbound_session(config, account.curve25519_key(), key);
    let olm::OlmMessage::PreKey(message) = session.unwrap().encrypt("first").unwrap() else {
        panic!("not a pre-key message")
    };
    account.create_inbound_session(config, alice.curve25519_key(), &message).unwrap();
}

/// Every session that vodozemac can get into comes back.
#[test]
fn sessions_come_back() {
    let (mut full, mut inactive) = (0, 0);
    for_each_seed(PICKLES, |seed, rng| {
        let version = [MessageVersion::V3, MessageVersion::V4][rng.below(2)];
        for theirs in sessions(version, rng) {
            let json = serde_json::to_value(theirs.pickle()).unwrap();
            let read: shapes::SessionPickle = serde_json::from_value(json.clone()).unwrap();
            let ours = Session::from_vodozemac_pickle(read).unwrap();
            let written = serde_json::to_value(ours.to_vodozemac_pickle().unwrap()).unwrap();
            assert!(written == json, "seed {seed}");
            full += usize::from(json["receiving_chains"]["inner"].as_array().unwrap().len() == 5);
            inactive += usize::from(json["sending_ratchet"]["type"] == "inactive");

            let packed = rmp_serde::to_vec_named(&theirs.pickle()).unwrap();
            let read: shapes::SessionPickle = rmp_serde::from_slice(&packed).unwrap();
            let ours = Session::from_vodozemac_pickle(read).unwrap();
            let written = serde_json::to_value(ours.to_vodozemac_pickle().unwrap()).unwrap();
            assert!(written == json, "seed {seed}");
            assert_eq!(ours.session_id(), theirs.session_id());
        }
    });
    if interop::chosen_seed().is_none() {
        assert!(full > 50, "with all chains in use: {full}");
        assert!(inactive > 200, "that begin a chain next: {inactive}");
    }
}

/// Both ends of a conversation within vodozemac, with late messages in several chains.
fn sessions(version: MessageVersion, rng: &mut SeededRng) -> Vec<olm::Session> {
    let mut parties = [0, 1].map(|_| VodozemacDevice::new(version));
    let [alice, bob] = &mut parties;
    let key = bob.publish(rng.below(2) == 0);
    alice.start(&key);
    let first = alice.encrypt("first");
    bob.accept(&alice.identity_key(), &first).unwrap();
    let mut directions: [Direction; 2] = Default::default();
    directions[1].begin_chain_with_next_message();
    for _ in 0..rng.below(60) {
        let sender = rng.below(2);
        for _ in 0..rng.below(4) {
            let message = parties[sender].encrypt("text");
            directions[sender].send(message, "text".to_owned());
        }
        if let Some((sent, arrival)) = directions[sender].take_any(rng) {
            parties[1 - sender].decrypt(&sent.message).unwrap();
            directions[sender].arrived(sent, arrival);
            if arrival == Arrival::NewChain {
                directions[1 - sender].begin_chain_with_next_message();
            }
        }
    }
    parties.iter().filter_map(|party| Some(copy(party.parts().1?))).collect()
}

fn copy(session: &olm::Session) -> olm::Session {
    session.pickle().into()
}

fn configs(rng: &mut SeededRng) -> (MessageVersion, megolm::SessionConfig) {
    match rng.below(2) {
        0 => (MessageVersion::V3, megolm::SessionConfig::version_1()),
        _ => (MessageVersion::V4, megolm::SessionConfig::version_2()),
    }
}

/// Every end of a group session comes back, as JSON and as MessagePack: after any number of
/// messages, made from session keys and from exports.
#[test]
fn group_sessions_come_back() {
    for_each_seed(PICKLES, |_, rng| {
        let (version, config) = configs(rng);
        let mut sender = megolm::GroupSession::new(config);
        (0..rng.below(20)).for_each(|_| drop(sender.encrypt("before the key was shared")));
        let mut receiver = megolm::InboundGroupSession::new(&sender.session_key(), config);
        let messages: Vec<_> = (0..1 + rng.below(20)).map(|_| sender.encrypt("text")).collect();
        let first = receiver.first_known_index();
        let export = receiver.export_at(first + rng.below(messages.len()) as u32).unwrap();
        let import = megolm::InboundGroupSession::import(&export, config);

        let json = serde_json::to_string(&sender.pickle()).unwrap();
        let ours =
            GroupSession::from_vodozemac_pickle(serde_json::from_str(&json).unwrap()).unwrap();
        assert_eq!(serde_json::to_string(&ours.to_vodozemac_pickle().unwrap()).unwrap(), json);
        let packed = rmp_serde::to_vec_named(&sender.pickle()).unwrap();
        let ours =
            GroupSession::from_vodozemac_pickle(rmp_serde::from_slice(&packed).unwrap()).unwrap();
        assert_eq!(rmp_serde::to_vec_named(&ours.to_vodozemac_pickle().unwrap()).unwrap(), packed);
        assert_eq!((ours.message_index(), ours.version()), (sender.message_index(), version));

        for mut receiver in [receiver, import] {
            for _ in 0..rng.below(3) {
                // The message may be from before the export.
                let _ = receiver.decrypt(&messages[rng.below(messages.len())]);
            }
            let json = serde_json::to_string(&receiver.pickle()).unwrap();
            let read = serde_json::from_str(&json).unwrap();
            let ours = InboundGroupSession::from_vodozemac_pickle(read).unwrap();
            let pickle = ours.to_vodozemac_pickle().unwrap();
            assert_eq!(serde_json::to_string(&pickle).unwrap(), json);
            let packed = rmp_serde::to_vec_named(&receiver.pickle()).unwrap();
            assert_eq!(rmp_serde::to_vec_named(&pickle).unwrap(), packed);
            let read = rmp_serde::from_slice(&packed).unwrap();
            let ours = InboundGroupSession::from_vodozemac_pickle(read).unwrap();
            assert_eq!(ours.first_known_index(), receiver.first_known_index());
            assert_eq!(ours.version(), version);
        }
    });
}

/// Both ends of a group session move in the middle of it, and each reads what the other wrote
/// before and after.
#[test]
fn group_sessions_go_on_in_vodozemac_and_back() {
    for_each_seed(GROUP_SESSIONS, |_, rng| {
        let (version, _) = configs(rng);
        let config = moceril::megolm::GroupSessionConfig::default().with_version(version);
        let mut ours = GroupSession::with_rng(config, rng).unwrap();
        let mut receiver = InboundGroupSession::with_version(&ours.session_key(), version);
        for _ in 0..3 {
            let mut sent = vec![ours.encrypt(b"from us").unwrap().to_base64()];
            let known = receiver.provenance() != Provenance::Unknown;
            let (mut theirs, loss) = ours.to_vodozemac(Form::any(rng));
            assert_eq!((loss.drops_keys(), loss.created_at), (false, false));
            sent.extend((0..rng.below(5)).map(|_| theirs.encrypt("from them").to_base64()));
            ours = GroupSession::from_vodozemac(&theirs, Form::any(rng));
            sent.push(ours.encrypt(b"from us").unwrap().to_base64());

            let (mut theirs, loss) = receiver.to_vodozemac(Form::any(rng));
            assert_eq!((loss.drops_keys(), loss.provenance), (false, known));
            let message = &sent[rng.below(sent.len())];
            theirs.decrypt(&megolm::MegolmMessage::from_base64(message).unwrap()).unwrap();
            receiver = InboundGroupSession::from_vodozemac(&theirs, Form::any(rng));
            for message in &sent {
                let message = MegolmMessage::from_base64(message).unwrap();
                let decrypted = receiver.decrypt(&message).unwrap();
                assert!(decrypted.plaintext().starts_with(b"from "));
            }
        }
        assert_eq!(ours.session_id(), receiver.session_id());
    });
}

/// A store that keeps JSON as values sorts the members of an object as text, "10" before "9".
/// vodozemac reads that, and so do we.
#[test]
fn json_that_a_store_has_sorted_is_read() {
    let mut theirs = olm::Account::new();
    theirs.generate_one_time_keys(30);
    let sorted = serde_json::to_value(theirs.pickle()).unwrap();
    assert!(serde_json::from_value::<olm::AccountPickle>(sorted.clone()).is_ok());
    let read: shapes::AccountPickle = serde_json::from_value(sorted.clone()).unwrap();
    let ours = Account::from_vodozemac_pickle(read).unwrap();
    assert_eq!(serde_json::to_value(ours.to_vodozemac_pickle().unwrap()).unwrap(), sorted);
}

/// Ours are read in turn, by a vodozemac that has never seen the session before.
#[test]
fn our_sessions_are_read_in_every_form() {
    for version in [MessageVersion::V3, MessageVersion::V4] {
        let mut ours = Library::Ours.device(version);
        let mut theirs =
            interop::moving::MovingDevice::new(version, Library::Vodozemac, &mut SeededRng::new(1));
        ours.start(&theirs.publish(false));
        let first = ours.encrypt("first");
        theirs.accept(&ours.identity_key(), &first).unwrap();
        for _ in 0..30 {
            theirs.move_on();
            let answer = theirs.encrypt("answer");
            assert_eq!(ours.decrypt(&answer).unwrap(), "answer");
            assert_eq!(theirs.decrypt(&ours.encrypt("text")).unwrap(), "text");
        }
    }
}
