//! S-41: libolm and vodozemac do not store the peer's identity key of a session. Where the pickle
//! proves the key, the session knows it when it is read; otherwise the caller supplies it, and it
//! must not contradict what the session knows. Only then can payloads be verified (S-16).

use moceril::{
    Curve25519PublicKey, Loss,
    olm::{Account, IdentityKeysError, OlmMessage, Session, SessionConfig},
};
use moceril_testing::{
    converted::ToLibolm,
    fixtures::{pre_key, unchanged},
    libolm_pickle::{KEY, SessionLayout, open, seal},
    pickled::Pickled,
    rng::SeededRng,
    states,
};

/// Two devices and both ends of their session, which Alice began. Each has decrypted a message.
struct Talk {
    alice: Account,
    bob: Account,
    to_bob: Session,
    to_alice: Session,
    rng: SeededRng,
}

impl Talk {
    fn new(seed: u64) -> Self {
        let rng = &mut SeededRng::new(seed);
        let (alice, mut bob) = (states::account(0, rng), states::account(1, rng));
        let (bundle, config) = (states::bundle(&bob), SessionConfig::default());
        let mut to_bob = alice.create_outbound_session_with_rng(&bundle, config, rng).unwrap();
        let first = pre_key(&to_bob.encrypt_with_rng(b"first", rng).unwrap());
        let created = bob.create_inbound_session(alice.curve25519_key(), &first).unwrap();
        let mut talk =
            Self { alice, bob, to_bob, to_alice: created.session, rng: SeededRng::new(seed + 1) };
        let answer = talk.to_alice.encrypt_with_rng(b"answer", &mut talk.rng).unwrap();
        talk.to_bob.decrypt(&answer).unwrap();
        talk
    }

    fn keys(&self) -> [Curve25519PublicKey; 2] {
        [self.alice.curve25519_key(), self.bob.curve25519_key()]
    }
}

/// A way through another format, and which ends know their peer afterwards: the one that began the
/// session, the one that answered it.
struct Way {
    name: &'static str,
    go: fn(&Session) -> Session,
    known: [bool; 2],
}

fn ways() -> Vec<Way> {
    vec![
        Way {
            name: "libolm",
            go: |session| Session::from_libolm_pickle(&session.to_libolm(KEY), KEY).unwrap(),
            known: [false, false],
        },
        Way { name: "vodozemac", go: vodozemac::moved, known: [false, true] },
        Way { name: "vodozemac 0.6", go: vodozemac::moved_uncounted, known: [false, false] },
    ]
}

/// A third device, and its Curve25519 key.
fn carol() -> (Account, Curve25519PublicKey) {
    let carol = states::account(0, &mut SeededRng::new(99));
    let key = carol.curve25519_key();
    (carol, key)
}

/// Whoever moves both ends and gives each its keys goes on with verified payloads, in both
/// directions.
#[test]
fn s_41_payloads_verify_over_moved_sessions() {
    use moceril::payload::{Device, OlmPayload, PayloadError};

    for Way { name, go, known } in ways() {
        let talk = Talk::new(1);
        let [alice, bob] = [("@alice:a.example", &talk.alice), ("@bob:b.example", &talk.bob)]
            .map(|(user_id, account)| Device { user_id, keys: account.identity_keys() });
        let carol = Device { user_id: alice.user_id, keys: carol().0.identity_keys() };
        let mut ends = [(alice, go(&talk.to_bob)), (bob, go(&talk.to_alice))];
        for (sender, receiver) in [(0, 1), (1, 0), (0, 1)] {
            let [(from, sending), (to, receiving)] =
                ends.get_disjoint_mut([sender, receiver]).unwrap();
            let text = OlmPayload::encode("m.dummy", "{}", from, to).unwrap();
            let message = sending.encrypt(text.as_bytes()).unwrap();

            let verdict = |session: &mut Session| {
                let decrypted = session.decrypt(&message).unwrap();
                assert_eq!(decrypted.sender_key(), session.their_identity_key(), "{name}");
                assert_eq!(decrypted.session_keys(), session.session_keys(), "{name}");
                let verified = OlmPayload::verify(&decrypted, from, to).map(drop);
                let other = OlmPayload::verify(&decrypted, &carol, to).map(drop);
                (verified.err(), other.err())
            };
            if receiving.their_identity_key().is_none() {
                assert!(!known[receiver], "{name}");
                let unknown = Some(PayloadError::SenderKeyUnknown);
                assert_eq!(verdict(&mut receiving.copy()), (unknown, unknown), "{name}");
            }
            receiving.set_identity_keys(to.keys, from.keys.curve25519).unwrap();
            let mismatch = Some(PayloadError::SenderKeyMismatch);
            assert_eq!(verdict(receiving), (None, mismatch), "{name}");
        }
    }
}

/// What the pickle proves is known when it is read, and not counted as lost; the rest is named.
#[test]
fn s_41_what_a_pickle_proves_is_known() {
    let talk = Talk::new(3);
    let [alice, bob] = talk.keys();
    for Way { name, go, known } in ways() {
        for (end, session, peer) in [(0, &talk.to_bob, bob), (1, &talk.to_alice, alice)] {
            let found = known[end].then_some(peer);
            assert_eq!(session.their_identity_key(), Some(peer));
            assert_eq!(go(session).their_identity_key(), found, "{name}, end {end}");
        }
    }

    // A session that libolm made from a message and saved before it decrypted that message.
    for answered in [false, true] {
        let rng = &mut SeededRng::new(4);
        let (alice, mut bob) = (states::account(0, rng), states::account(1, rng));
        let (bundle, config) = (states::bundle(&bob), SessionConfig::default());
        let mut to_bob = alice.create_outbound_session_with_rng(&bundle, config, rng).unwrap();
        let first = pre_key(&to_bob.encrypt_with_rng(b"first", rng).unwrap());
        let created = bob.create_inbound_session(alice.curve25519_key(), &first).unwrap();
        let mut to_alice = created.session;
        if answered {
            to_alice.encrypt_with_rng(b"answer", rng).unwrap();
        }
        let mut layout = SessionLayout::of(&open(&to_alice.to_libolm(KEY), KEY));
        layout.head[4] = 0;
        let unread = Session::from_libolm_pickle(&seal(&layout.bytes(), KEY), KEY).unwrap();
        assert_eq!(unread.their_identity_key(), Some(alice.curve25519_key()));
        assert!(!unread.has_received_message());
        let (_, loss) = unread.to_libolm_pickle_lossy(KEY).unwrap();
        assert_eq!(loss, Loss::default(), "answered: {answered}");
        let mut read = unread.copy();
        read.decrypt(&to_bob.encrypt_with_rng(b"second", rng).unwrap()).unwrap();
        let (_, loss) = read.to_libolm_pickle_lossy(KEY).unwrap();
        assert!(loss.their_identity_key && loss.root_index && loss.generation);
    }
}

/// A call that must fail with this error, and then has changed nothing (S-04).
#[track_caller]
fn refused(
    session: &mut Session,
    ours: &Account,
    theirs: Curve25519PublicKey,
    expected: IdentityKeysError,
) {
    let call = |session: &mut Session| session.set_identity_keys(ours.identity_keys(), theirs);
    assert_eq!(unchanged(session, call), expected);
}

/// A call that must succeed. It counts as a change exactly if the key was not known.
#[track_caller]
fn accepted(session: &mut Session, ours: &Account, theirs: Curve25519PublicKey) {
    let (before, known) = (session.generation(), session.their_identity_key());
    session.set_identity_keys(ours.identity_keys(), theirs).unwrap();
    assert_eq!(session.their_identity_key(), Some(theirs));
    assert_eq!(session.generation(), before + u64::from(known.is_none()));
    assert_eq!(session.copy().their_identity_key(), Some(theirs), "and it is stored");
}

#[test]
fn s_41_contradicting_keys_are_refused() {
    use IdentityKeysError::{AnotherPeer, AnotherSession};

    let (carol, carol_key) = carol();
    for Way { name, go, known } in ways() {
        let talk = Talk::new(5);
        let (alice, bob, [alice_key, bob_key]) = (&talk.alice, &talk.bob, talk.keys());

        let mut initiator = go(&talk.to_bob);
        refused(&mut initiator, &carol, bob_key, AnotherSession);
        if name == "vodozemac" {
            // The counts of ratchet steps tell that the session began at this end.
            refused(&mut initiator, bob, alice_key, AnotherSession);
        }
        accepted(&mut initiator, alice, bob_key);
        accepted(&mut initiator, alice, bob_key);
        refused(&mut initiator, alice, carol_key, AnotherPeer);
        refused(&mut initiator, bob, alice_key, AnotherPeer);
        refused(&mut initiator, &carol, bob_key, AnotherSession);

        let mut responder = go(&talk.to_alice);
        let other = if known[1] { AnotherPeer } else { AnotherSession };
        refused(&mut responder, bob, carol_key, other);
        accepted(&mut responder, bob, alice_key);
        accepted(&mut responder, bob, alice_key);
        refused(&mut responder, bob, carol_key, AnotherPeer);
        refused(&mut responder, alice, bob_key, AnotherPeer);
    }
}

/// Sessions that never left, and those that nobody answered, know more.
#[test]
fn s_41_keys_that_the_session_knows_better_are_refused() {
    use IdentityKeysError::{AnotherPeer, AnotherSession};

    let mut talk = Talk::new(7);
    let (_, carol_key) = carol();
    let [alice_key, bob_key] = talk.keys();
    accepted(&mut talk.to_bob, &talk.alice, bob_key);
    accepted(&mut talk.to_alice, &talk.bob, alice_key);
    refused(&mut talk.to_bob, &talk.alice, carol_key, AnotherPeer);
    refused(&mut talk.to_alice, &talk.bob, carol_key, AnotherPeer);

    let rng = &mut talk.rng;
    talk.bob.generate_one_time_keys_with_rng(1, rng).unwrap();
    let (bundle, config) = (states::bundle(&talk.bob), SessionConfig::default());
    let mut unanswered = talk.alice.create_outbound_session_with_rng(&bundle, config, rng).unwrap();
    unanswered.encrypt_with_rng(b"first", rng).unwrap();
    for Way { go, .. } in ways() {
        let mut moved = go(&unanswered);
        assert_eq!(moved.their_identity_key(), None);
        // The device that began the session is the one whose session this is, not its peer.
        refused(&mut moved, &talk.bob, alice_key, AnotherSession);
        accepted(&mut moved, &talk.alice, bob_key);
    }
}

/// A device that talks to itself has one key at both ends.
#[test]
fn s_41_a_device_may_talk_to_itself() {
    let rng = &mut SeededRng::new(8);
    let mut own = states::account(1, rng);
    let (key, config) = (own.curve25519_key(), SessionConfig::default());
    let mut one = own.create_outbound_session_with_rng(&states::bundle(&own), config, rng).unwrap();
    let first = pre_key(&one.encrypt_with_rng(b"first", rng).unwrap());
    let mut other = own.create_inbound_session(key, &first).unwrap().session;
    one.decrypt(&other.encrypt_with_rng(b"answer", rng).unwrap()).unwrap();
    let (_, carol_key) = carol();
    for Way { go, .. } in ways() {
        for session in [&one, &other] {
            let mut moved = go(session);
            accepted(&mut moved, &own, key);
            refused(&mut moved, &own, carol_key, IdentityKeysError::AnotherPeer);
        }
    }
}

/// The peer's key that was given stays with the session through all that follows.
#[test]
fn s_41_a_given_key_is_with_every_later_message() {
    let mut talk = Talk::new(9);
    let [alice_key, bob_key] = talk.keys();
    for Way { name, go, .. } in ways() {
        let (mut to_bob, mut to_alice) = (go(&talk.to_bob), go(&talk.to_alice));
        to_bob.set_identity_keys(talk.alice.identity_keys(), bob_key).unwrap();
        to_alice.set_identity_keys(talk.bob.identity_keys(), alice_key).unwrap();
        for _ in 0..7 {
            let mut send = |from: &mut Session, to: &mut Session| -> Option<Curve25519PublicKey> {
                let message: OlmMessage = from.encrypt_with_rng(b"text", &mut talk.rng).unwrap();
                to.decrypt(&message).unwrap().sender_key()
            };
            assert_eq!(send(&mut to_alice, &mut to_bob), Some(bob_key), "{name}");
            assert_eq!(send(&mut to_bob, &mut to_alice), Some(alice_key), "{name}");
            (to_bob, to_alice) = (to_bob.copy(), to_alice.copy());
        }
    }
}

mod vodozemac {
    use moceril::{olm::Session, vodozemac::VodozemacPickleError};
    use serde_json::{Value, json};

    use super::{Talk, accepted, carol};
    use moceril_testing::{
        rng::SeededRng,
        states,
        vodozemac_pickle::{Refusal, ViaVodozemac},
    };

    pub fn moved(session: &Session) -> Session {
        Session::from_json(&session.to_json().unwrap()).unwrap()
    }

    /// As the releases before 0.7 wrote it.
    pub fn moved_uncounted(session: &Session) -> Session {
        Session::from_json(&uncounted(session.to_json().unwrap())).unwrap()
    }

    fn uncounted(mut session: Value) -> Value {
        let remove = |value: &mut Value| {
            value.as_object_mut().unwrap().remove("ratchet_count").unwrap();
        };
        remove(&mut session["sending_ratchet"]);
        session["receiving_chains"]["inner"].as_array_mut().unwrap().iter_mut().for_each(remove);
        session
    }

    /// The counts in a session's JSON: of the peer's chains, then of the sending ratchet.
    fn counts(session: &mut Value) -> Vec<&mut Value> {
        let Value::Object(members) = session else { panic!("an object") };
        let mut counts = Vec::new();
        let mut sending = None;
        for (name, member) in members {
            match name.as_str() {
                "receiving_chains" => {
                    let chains = member["inner"].as_array_mut().unwrap().iter_mut();
                    counts.extend(chains.map(|chain| &mut chain["ratchet_count"]));
                }
                "sending_ratchet" => sending = Some(&mut member["ratchet_count"]),
                _ => {}
            }
        }
        counts.extend(sending);
        counts
    }

    /// The chains are counted as vodozemac counts them: from 0, from both ends in turn, and the
    /// sending ratchet has the count of the newest chain of both.
    #[test]
    fn s_41_ratchet_steps_are_counted() {
        let mut talk = Talk::new(10);
        let known = |session: &Session| -> Vec<u64> {
            let mut json = session.to_json().unwrap();
            counts(&mut json).iter().map(|count| count["Known"].as_u64().unwrap()).collect()
        };
        assert_eq!((known(&talk.to_bob), known(&talk.to_alice)), (vec![1, 1], vec![0, 1]));
        let message = talk.to_bob.encrypt_with_rng(b"text", &mut talk.rng).unwrap();
        talk.to_alice.decrypt(&message).unwrap();
        assert_eq!((known(&talk.to_bob), known(&talk.to_alice)), (vec![1, 2], vec![0, 2, 2]));
        for _ in 0..4 {
            let answer = talk.to_alice.encrypt_with_rng(b"text", &mut talk.rng).unwrap();
            talk.to_bob.decrypt(&answer).unwrap();
            let message = talk.to_bob.encrypt_with_rng(b"text", &mut talk.rng).unwrap();
            talk.to_alice.decrypt(&message).unwrap();
        }
        assert_eq!(known(&talk.to_bob), [1, 3, 5, 7, 9, 10]);
        assert_eq!(known(&talk.to_alice), [2, 4, 6, 8, 10, 10]);
        for session in [&talk.to_bob, &talk.to_alice] {
            assert_eq!(known(&moved(session)), known(session));
        }
    }

    /// Counts that do not fit together are no possible state; those that are missing do no harm.
    #[test]
    fn s_41_counts_that_contradict_each_other_are_refused() {
        let invalid = Refusal::State(VodozemacPickleError::InvalidState);
        let rng = &mut SeededRng::new(11);
        let mut session = states::sessions(moceril::MessageVersion::V3, rng).swap_remove(2).session;
        let waiting = session.to_json().unwrap();
        session.encrypt_with_rng(b"begins a chain", rng).unwrap();
        let sending = session.to_json().unwrap();
        let unanswered = states::pair(Default::default(), rng).0.to_json().unwrap();
        for (name, json, genuine) in [
            ("waiting", waiting, vec![1, 3, 5, 5]),
            ("sending", sending, vec![1, 3, 5, 6]),
            ("unanswered", unanswered, vec![0]),
        ] {
            let read = |changes: &dyn Fn(Vec<&mut Value>)| {
                let mut json = json.clone();
                changes(counts(&mut json));
                Session::from_json(&json)
            };
            for (place, right) in genuine.into_iter().enumerate() {
                for count in [0, 1, 2, 3, 4, 5, 6, 7, u64::MAX - 1, u64::MAX] {
                    let changed = read(&|counts| {
                        *counts.into_iter().nth(place).unwrap() = json!({ "Known": count })
                    });
                    let expected = (count != right).then_some(&invalid);
                    assert_eq!(changed.as_ref().err(), expected, "{name}, {place}: {count}");
                }
                // One that is not known is found from the others.
                let missing = read(&|counts| {
                    *counts.into_iter().nth(place).unwrap() = json!({ "Unknown": null })
                });
                assert_eq!(missing.unwrap().to_json().unwrap(), json, "{name}, {place}");
            }
            // All counts two steps later: earlier chains are gone, and we began the session. One
            // step later: the peer began it.
            let later = |steps: u64| {
                read(&|counts| {
                    for count in counts {
                        *count = json!({ "Known": count["Known"].as_u64().unwrap() + steps });
                    }
                })
            };
            if name == "unanswered" {
                assert_eq!(later(2).err().as_ref(), Some(&invalid));
                continue;
            }
            assert_eq!(later(2).unwrap().their_identity_key(), None, "{name}");
            let answered = later(1).unwrap();
            let initiator = answered.session_keys().identity_key;
            assert_eq!(answered.their_identity_key(), Some(initiator), "{name}");
        }
    }

    /// Also without counts, what a chain of ours shows is known: nobody has answered it.
    #[test]
    fn s_41_an_unanswered_session_is_ours() {
        let talk = Talk::new(12);
        let rng = &mut SeededRng::new(13);
        let mut bob = talk.bob;
        bob.generate_one_time_keys_with_rng(1, rng).unwrap();
        let bundle = states::bundle(&bob);
        let session =
            talk.alice.create_outbound_session_with_rng(&bundle, Default::default(), rng).unwrap();
        let mut moved = moved_uncounted(&session);
        assert_eq!(moved.to_json().unwrap(), session.to_json().unwrap());
        let (_, carol_key) = carol();
        let (ours, theirs) = (bob.identity_keys(), talk.alice.curve25519_key());
        assert!(moved.set_identity_keys(ours, theirs).is_err());
        // Nothing in the session confirms the caller's word.
        accepted(&mut moved, &talk.alice, carol_key);
    }
}
