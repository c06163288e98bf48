//! S-04: a call that fails leaves the object as it was, bit for bit.
//!
//! Otherwise a forged or damaged message could break a session, or make a client lose a key. Each
//! test provokes every error of an operation (`unchanged` compares the whole serialized state) and
//! then shows that the object still works.

use moceril::{
    MessageVersion, PickleError, PickleKey,
    megolm::{self, ExportError, InboundGroupSession, MegolmMessage},
    olm::{
        Account, DecryptionError, EncryptionError, KeyGenerationError, Message, OlmMessage,
        PreKeyMessage, Session, SessionCreationError,
    },
};
use moceril_testing::{
    batches::{How, Room},
    fixtures::{Devices, VERSIONS, config, group, other, pre_key, unchanged},
    forge::{self, Forger, Kind, Refusal},
    pickled::Pickled,
    rng::{RecordedRng, SeededRng},
};

/// The message with its last byte, a part of its MAC or signature, changed.
fn with_bad_end(bytes: &[u8]) -> Vec<u8> {
    let mut altered = bytes.to_vec();
    *altered.last_mut().unwrap() ^= 1;
    altered
}

fn forged(message: &OlmMessage) -> OlmMessage {
    let bytes = with_bad_end(message.as_bytes());
    match message {
        OlmMessage::PreKey(_) => OlmMessage::PreKey(PreKeyMessage::from_bytes(&bytes).unwrap()),
        OlmMessage::Normal(_) => OlmMessage::Normal(Message::from_bytes(&bytes).unwrap()),
    }
}

#[track_caller]
fn refuses(session: &mut Session, message: &OlmMessage, expected: DecryptionError) {
    let error = unchanged(session, |session| session.decrypt(message));
    assert_eq!(error, expected);
}

/// S-04: every error of `Session::decrypt` within a chain.
#[test]
fn a_message_that_a_chain_refuses_changes_nothing() {
    for version in VERSIONS {
        let mut devices = Devices::new(1);
        let (mut alice, mut bob) = devices.sessions(version);
        let rng = &mut devices.rng;
        let messages: Vec<OlmMessage> =
            (0..2_100).map(|_| alice.encrypt_with_rng(b"message", rng).unwrap()).collect();

        // Index 0 created the session; `messages` begin at 1.
        let too_far = DecryptionError::TooFarAhead { index: 2_002, maximum: 2_001 };
        refuses(&mut bob, &messages[2_001], too_far);
        for place in [0, 1, 39, 2_000] {
            refuses(&mut bob, &forged(&messages[place]), DecryptionError::Authentication);
        }
        bob.decrypt(&messages[100]).unwrap();
        refuses(&mut bob, &messages[100], DecryptionError::AlreadyUsed);
        refuses(&mut bob, &messages[0], DecryptionError::Evicted);
        refuses(&mut bob, &messages[59], DecryptionError::Evicted);
        refuses(&mut bob, &forged(&messages[60]), DecryptionError::Authentication);
        bob.decrypt(&messages[60]).unwrap();
        refuses(&mut bob, &messages[60], DecryptionError::AlreadyUsed);
        refuses(&mut bob, &forged(&messages[101]), DecryptionError::Authentication);
        bob.decrypt(&messages[101]).unwrap();
    }
}

/// S-04: every error of `Session::decrypt` for a message that begins a chain, or whose chain is
/// gone.
#[test]
fn a_new_chain_that_is_refused_changes_nothing() {
    for version in VERSIONS {
        let mut devices = Devices::new(2);
        let (mut alice, mut bob) = devices.sessions(version);
        let rng = &mut devices.rng;
        let first_of_alice = alice.encrypt_with_rng(b"late", rng).unwrap();
        let reply = bob.encrypt_with_rng(b"reply", rng).unwrap();

        // In Alice's view Bob begins a chain, in answer to hers.
        refuses(&mut alice, &forged(&reply), DecryptionError::Authentication);
        alice.decrypt(&reply).unwrap();
        // Nobody begins two chains in a row: she has no chain of her own to derive another from.
        let from_elsewhere = reply_of_another_session(version);
        refuses(&mut alice, &from_elsewhere, DecryptionError::Authentication);

        for _ in 0..5 {
            let question = alice.encrypt_with_rng(b"question", rng).unwrap();
            refuses(&mut bob, &forged(&question), DecryptionError::Authentication);
            bob.decrypt(&question).unwrap();
            let answer = bob.encrypt_with_rng(b"answer", rng).unwrap();
            alice.decrypt(&answer).unwrap();
        }
        refuses(&mut bob, &first_of_alice, DecryptionError::Evicted);
        let last = alice.encrypt_with_rng(b"last", rng).unwrap();
        assert_eq!(bob.decrypt(&last).unwrap().plaintext(), b"last");
    }
}

fn reply_of_another_session(version: MessageVersion) -> OlmMessage {
    let mut devices = Devices::new(3);
    let (_, mut bob) = devices.sessions(version);
    bob.encrypt_with_rng(b"elsewhere", &mut devices.rng).unwrap()
}

/// S-04: a message of another version or session, and a bad padding under a good MAC.
#[test]
fn a_message_of_another_kind_changes_nothing() {
    for version in VERSIONS {
        let mut devices = Devices::new(4);
        let (mut alice, mut bob) = devices.sessions(version);
        let (mut other_alice, _) = devices.sessions(other(version));
        let rng = &mut devices.rng;

        let foreign = other_alice.encrypt_with_rng(b"foreign", rng).unwrap();
        refuses(&mut bob, &foreign, DecryptionError::SessionKeysMismatch);
        let inner = OlmMessage::Normal(pre_key(&foreign).message().clone());
        refuses(&mut bob, &inner, DecryptionError::VersionMismatch);
        refuses(&mut alice, &inner, DecryptionError::VersionMismatch);

        // `deliver` compares the states.
        let forger = Forger::new(version, 4);
        for kind in [Kind::Normal, Kind::Inner, Kind::Megolm] {
            let mut fields = forger.fields(kind);
            for length in [0, 1, 15, 16, 17, 32] {
                let last = fields.len() - 1;
                fields[last].1 = forge::Value::String(vec![0x33; length]);
                let payload = forge::encode_all(&fields);
                let message = forger.seal(kind, version.byte(), &payload);
                let authentication = match kind {
                    Kind::Megolm => Refusal::Group(megolm::DecryptionError::Authentication),
                    _ => Refusal::Decryption(DecryptionError::Authentication),
                };
                assert_eq!(forger.deliver(kind, &message), Err(authentication));
            }
        }
    }
}

/// S-04, S-03: an RNG that fails where a new ratchet key is needed, at every byte.
#[test]
fn a_failed_encrypt_changes_nothing() {
    for version in VERSIONS {
        let mut devices = Devices::new(5);
        let (mut alice, mut bob) = devices.sessions(version);
        for available in [0, 1, 31] {
            let rng = &mut RecordedRng::new(vec![7; available]);
            let error = unchanged(&mut bob, |bob| bob.encrypt_with_rng(b"reply", rng));
            assert_eq!(error, EncryptionError::Random);
        }
        let reply = bob.encrypt_with_rng(b"reply", &mut RecordedRng::new([7; 32])).unwrap();
        alice.decrypt(&reply).unwrap();
        // Within a chain no randomness is needed.
        bob.encrypt_with_rng(b"more", &mut RecordedRng::new([])).unwrap();
    }
}

/// S-04: every error of `Account::create_inbound_session` but an exhausted fallback key (see
/// `s08_replays.rs`).
#[test]
fn a_session_that_is_not_created_changes_nothing() {
    for version in VERSIONS {
        let mut devices = Devices::new(6);
        let sender = devices.alice.curve25519_key();
        let somebody_else = Account::with_rng(&mut SeededRng::new(60)).unwrap().curve25519_key();
        for bundle in [devices.one_time_bundle(), devices.fallback_bundle()] {
            let (mut session, genuine) = devices.outbound(&bundle, version);
            let ahead: Vec<OlmMessage> = (0..2_001)
                .map(|_| session.encrypt_with_rng(b"", &mut devices.rng).unwrap())
                .collect();
            let too_far = DecryptionError::TooFarAhead { index: 2_001, maximum: 2_000 };
            let bad_mac = PreKeyMessage::from_bytes(&with_bad_end(genuine.as_bytes())).unwrap();
            for (sender, message, expected_version, expected) in [
                (somebody_else, &genuine, version, SessionCreationError::IdentityKeyMismatch),
                (sender, &genuine, other(version), DecryptionError::VersionMismatch.into()),
                (sender, &bad_mac, version, DecryptionError::Authentication.into()),
                (sender, &pre_key(&ahead[2_000]), version, too_far.into()),
            ] {
                let error = unchanged(&mut devices.bob, |bob| {
                    bob.create_inbound_session_with_config(
                        sender,
                        message,
                        config(expected_version),
                    )
                });
                assert_eq!(error, expected);
            }

            let create = |bob: &mut Account| {
                bob.create_inbound_session_with_config(sender, &genuine, config(version))
            };
            assert_eq!(create(&mut devices.bob).unwrap().message.plaintext(), b"first");
            let used = unchanged(&mut devices.bob, create);
            let fallback = bundle == devices.fallback_bundle();
            let expected = if fallback {
                SessionCreationError::Replayed
            } else {
                SessionCreationError::UnknownOneTimeKey
            };
            assert_eq!(used, expected);
        }
    }
}

/// S-04, S-03: keys are generated all or none, and a session is not created, when the RNG fails.
#[test]
fn a_failed_generation_changes_nothing() {
    let mut devices = Devices::new(7);
    let bob = &mut devices.bob;
    for available in [0, 1, 32, 33, 95, 159] {
        let rng = &mut RecordedRng::new(vec![7; available]);
        let error = unchanged(bob, |bob| bob.generate_one_time_keys_with_rng(5, rng));
        assert_eq!(error, KeyGenerationError::Random);
    }
    let maximum = Account::MAX_STORED_ONE_TIME_KEYS;
    for requested in [maximum + 1, usize::MAX] {
        let rng = &mut SeededRng::new(0);
        let error = unchanged(bob, |bob| bob.generate_one_time_keys_with_rng(requested, rng));
        assert_eq!(error, KeyGenerationError::TooMany { requested, maximum });
    }
    for available in [0, 31] {
        let rng = &mut RecordedRng::new(vec![7; available]);
        let error = unchanged(bob, |bob| bob.generate_fallback_key_with_rng(rng));
        assert_eq!(error, KeyGenerationError::Random);
    }
    let bundle = devices.one_time_bundle();
    for available in [0, 31, 32, 63] {
        let rng = &mut RecordedRng::new(vec![7; available]);
        let error = unchanged(&mut devices.alice, |alice| {
            alice.create_outbound_session_with_rng(&bundle, config(MessageVersion::V3), rng)
        });
        assert_eq!(error, SessionCreationError::Random);
    }
}

/// S-04: calls that find nothing to do are not counted as a change.
#[test]
fn calls_without_effect_change_nothing() {
    let mut devices = Devices::new(8);
    let bob = &mut devices.bob;
    let (id, _) = bob.unpublished_one_time_keys()[0];
    assert!(bob.remove_one_time_key(id));
    unchanged(bob, |bob| if bob.remove_one_time_key(id) { Ok(()) } else { Err(()) });
    unchanged(bob, |bob| if bob.mark_as_published([id]) > 0 { Ok(()) } else { Err(()) });
    unchanged(bob, |bob| if bob.forget_previous_fallback_key() { Ok(()) } else { Err(()) });
    let (_, mut receiver) = group(MessageVersion::V3, 8);
    unchanged(&mut receiver, |receiver| if receiver.advance_to(0) { Ok(()) } else { Err(()) });
}

/// S-04: every error of `InboundGroupSession`.
#[test]
fn a_refused_group_message_changes_nothing() {
    for version in VERSIONS {
        let (mut sender, full) = group(version, 9);
        let messages: Vec<MegolmMessage> =
            (0..20).map(|_| sender.encrypt(b"to everybody").unwrap()).collect();
        let exported = full.export_at(10).unwrap();
        let provenance = megolm::Provenance::Exported;
        let mut receiver = InboundGroupSession::import_with_version(&exported, provenance, version);
        let (mut stranger, _) = group(version, 10);
        let (mut of_other_version, _) = group(other(version), 9);
        let forged = MegolmMessage::from_bytes(&with_bad_end(messages[15].as_bytes())).unwrap();

        let unknown = megolm::DecryptionError::UnknownIndex { index: 9, first_known: 10 };
        for (message, expected) in [
            (&messages[9], unknown),
            (&forged, megolm::DecryptionError::Authentication),
            (&stranger.encrypt(b"").unwrap(), megolm::DecryptionError::Authentication),
            (&of_other_version.encrypt(b"").unwrap(), megolm::DecryptionError::VersionMismatch),
        ] {
            let error = unchanged(&mut receiver, |receiver| receiver.decrypt(message));
            assert_eq!(error, expected);
            assert!(!receiver.is_signing_key_verified(), "nothing was verified");
        }
        let error = unchanged(&mut receiver, |receiver| receiver.export_at(9));
        assert_eq!(error, ExportError::UnknownIndex { index: 9, first_known: 10 });
        let unconnected = InboundGroupSession::with_version(&stranger.session_key(), version);
        unchanged(&mut receiver, |receiver| receiver.merge(&unconnected));

        assert_eq!(receiver.decrypt(&messages[15]).unwrap().plaintext(), b"to everybody");
        receiver.close();
        let error = unchanged(&mut receiver, |receiver| receiver.decrypt(&messages[15]));
        assert_eq!(error, megolm::DecryptionError::Closed);
        let error = unchanged(&mut receiver, |receiver| receiver.export_at(15));
        assert_eq!(error, ExportError::Closed);
    }
}

/// S-04: a message that the owner of the session signed, with a MAC that is wrong.
#[test]
fn a_signed_group_message_with_a_wrong_mac_changes_nothing() {
    for version in VERSIONS {
        let room = Room::new(version, 4);
        let forged = room.message(2, How::Mac);
        let mut receiver = room.receiver.copy();
        let error = unchanged(&mut receiver, |receiver| receiver.decrypt(&forged));
        assert_eq!(error, megolm::DecryptionError::Authentication);
    }
}

/// S-04, S-03: a pickle is written whole or not at all.
#[test]
fn a_failed_pickle_changes_nothing() {
    let key = PickleKey::from_bytes([1; 32]);
    let mut devices = Devices::new(11);
    let error = unchanged(&mut devices.bob, |bob| {
        bob.pickle_with_rng(&key, b"", &mut RecordedRng::new([7; 23]))
    });
    assert_eq!(error, PickleError::Random);
}
