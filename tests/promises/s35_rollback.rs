//! S-35: a store that went back to an older copy. This can be detected, told apart from an attack,
//! and repaired in one round trip.

use std::time::Duration;

use moceril::{
    MessageVersion,
    megolm::{GroupSession, InboundGroupSession},
    olm::{Account, DecryptionError, Limits, OlmMessage, PreKeyBundle, Session},
};
use moceril_testing::fixtures::{State, VERSIONS, config};

/// Both ends of a session, after a message in each direction.
fn pair(version: MessageVersion, alice: &Account, bob: &mut Account) -> (Session, Session) {
    bob.generate_one_time_keys(1).unwrap();
    let (id, one_time_key) = bob.signed_one_time_keys()[0];
    bob.mark_as_published([id]);
    let bundle = PreKeyBundle::verify(bob.identity_keys(), &one_time_key).unwrap();
    let rng = &mut moceril_testing::rng::SeededRng::new(35);
    let mut ours = alice.create_outbound_session_with_rng(&bundle, config(version), rng).unwrap();
    let first = ours.encrypt(b"first").unwrap();
    let pre_key = first.as_pre_key().unwrap();
    let inbound = bob
        .create_inbound_session_with_config(alice.curve25519_key(), pre_key, config(version))
        .unwrap();
    let mut theirs = inbound.session;
    let reply = theirs.encrypt(b"reply").unwrap();
    ours.decrypt(&reply).unwrap();
    (ours, theirs)
}

/// Every change makes the number grow, and it comes back with the state.
#[test]
fn s_35_the_generation_shows_a_rollback() {
    let (alice, mut bob) = (Account::new().unwrap(), Account::new().unwrap());
    let (mut ours, mut theirs) = pair(VERSIONS[0], &alice, &mut bob);
    let mut last = ours.generation();
    let old = ours.snapshot();
    let mut grew = |session: &Session| {
        let grew = session.generation() > last;
        last = session.generation();
        grew
    };
    for _ in 0..3 {
        let message = ours.encrypt(b"").unwrap();
        assert!(grew(&ours), "encrypting");
        theirs.decrypt(&message).unwrap();
        let reply = theirs.encrypt(b"").unwrap();
        ours.decrypt(&reply).unwrap();
        assert!(grew(&ours), "decrypting");
    }
    ours.set_limits(Limits::default());
    assert!(grew(&ours), "new limits");
    assert!(Session::restored(&old).generation() < ours.generation());
    assert_eq!(Session::restored(&ours.snapshot()).generation(), ours.generation());

    let before = bob.generation();
    pair(VERSIONS[0], &alice, &mut bob);
    assert_eq!(bob.generation(), before + 3, "a key made, marked, and used up by a session");

    let mut generations = vec![bob.generation()];
    let mut step = |account: &Account| generations.push(account.generation());
    let ids: Vec<_> =
        bob.generate_one_time_keys(2).unwrap().created.into_iter().map(|(id, _)| id).collect();
    step(&bob);
    bob.generate_fallback_key().unwrap();
    step(&bob);
    bob.mark_as_published(ids.clone());
    step(&bob);
    bob.remove_one_time_key(ids[0]);
    step(&bob);
    bob.generate_fallback_key().unwrap();
    step(&bob);
    bob.forget_previous_fallback_key();
    step(&bob);
    assert!(generations.is_sorted_by(|a, b| a < b), "{generations:?}");
    // What changes nothing does not count.
    bob.mark_as_published(ids);
    bob.forget_previous_fallback_key();
    assert_eq!(bob.generation(), *generations.last().unwrap());

    let mut room = GroupSession::new(Duration::ZERO).unwrap();
    let mut reader = InboundGroupSession::import(
        &InboundGroupSession::new(&room.session_key()).export_at(0).unwrap(),
    );
    assert_eq!(room.generation(), 0);
    let event = room.encrypt(b"").unwrap();
    assert_eq!(room.generation(), 1);
    reader.decrypt(&event).unwrap();
    assert_eq!(reader.generation(), 1, "now the signing key is verified");
    reader.decrypt(&event).unwrap();
    assert_eq!(reader.generation(), 1);
    reader.advance_to(1);
    assert_eq!(reader.generation(), 2);
    // Two copies of one session in one are younger than either.
    let merged = InboundGroupSession::new(&room.session_key()).merge(&reader).unwrap();
    assert_eq!(merged.generation(), 3);
    reader.close();
    assert_eq!(reader.generation(), 3);

    // The number is part of the pickle.
    assert_eq!(Account::restored(&bob.snapshot()).generation(), bob.generation());
    assert_eq!(GroupSession::restored(&room.snapshot()).generation(), 1);
    assert_eq!(InboundGroupSession::restored(&reader.snapshot()).generation(), 3);
}

/// What two ends say about themselves, to be compared by who looks for what parted them.
#[test]
fn s_35_a_session_describes_where_it_is() {
    let (alice, mut bob) = (Account::new().unwrap(), Account::new().unwrap());
    let (mut ours, mut theirs) = pair(MessageVersion::V3, &alice, &mut bob);
    let id = ours.session_id()[..8].to_owned();
    let ratchet_key = |message: &OlmMessage| {
        let OlmMessage::Normal(message) = message else { panic!("a pre-key message") };
        message.ratchet_key().to_base64()[..8].to_owned()
    };
    let generation = theirs.generation();
    let before = theirs.describe();
    let (start, first_chain) = before.split_once(", receiving ").unwrap();
    let reply_key = ratchet_key(&theirs.encrypt(b"another reply").unwrap());
    assert_eq!(
        start,
        format!(
            "session {id}, version 3, received true, generation {generation}, sending {reply_key} at 1"
        )
    );
    assert!(first_chain.ends_with(" at 1, evicted 0 keys"), "{before}");
    let first_chain = first_chain.strip_suffix(", evicted 0 keys").unwrap();

    // Of 43 messages before this one, 40 keys are kept.
    let lost = (0..43).map(|_| ours.encrypt(b"lost").unwrap()).last().unwrap();
    theirs.decrypt(&ours.encrypt(b"not lost").unwrap()).unwrap();
    let (key, generation) = (ratchet_key(&lost), theirs.generation());
    assert_eq!(
        theirs.describe(),
        format!(
            "session {id}, version 3, received true, generation {generation}, next message begins a \
             chain, receiving {key} at 44 missing 40 evicted below 3, receiving {first_chain}, \
             evicted 3 keys"
        )
    );
    assert_eq!(format!("{theirs:?}"), format!("Session({})", theirs.describe()));
}

/// Alice's store goes back: she uses a message key again. Bob sees that it was used, which a forger
/// could not make him see with a key of his own.
#[test]
fn s_35_a_rolled_back_sender_is_told_from_a_forger() {
    for version in VERSIONS {
        let (alice, mut bob) = (Account::new().unwrap(), Account::new().unwrap());
        let (mut ours, mut theirs) = pair(version, &alice, &mut bob);
        // A message of a chain that Alice has begun already.
        let begun = ours.encrypt(b"begun").unwrap();
        theirs.decrypt(&begun).unwrap();
        let old = ours.snapshot();
        let sent = ours.encrypt(b"sent before the store went back").unwrap();
        theirs.decrypt(&sent).unwrap();

        let mut ours = Session::restored(&old);
        let again = ours.encrypt(b"sent after it").unwrap();
        assert_eq!(theirs.decrypt(&again).unwrap_err(), DecryptionError::AlreadyUsed);
        let forged = forge(&ours.encrypt(b"another").unwrap());
        assert_eq!(theirs.decrypt(&forged).unwrap_err(), DecryptionError::Authentication);
        assert!(theirs.describe().contains("at 2"), "{}", theirs.describe());

        // A new session heals it: one message there, one back.
        let (mut ours, mut theirs) = pair(version, &alice, &mut bob);
        let message = ours.encrypt(b"as good as new").unwrap();
        assert_eq!(theirs.decrypt(&message).unwrap().plaintext(), b"as good as new");
    }
}

fn forge(message: &OlmMessage) -> OlmMessage {
    let mut bytes = message.as_bytes().to_vec();
    *bytes.last_mut().unwrap() ^= 1;
    OlmMessage::Normal(moceril::olm::Message::from_bytes(&bytes).unwrap())
}
