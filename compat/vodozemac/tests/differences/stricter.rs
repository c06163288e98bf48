//! README.md, "Stricter": keys, sessions, merging, pickles.

use vodozemac::{
    Curve25519PublicKey, DecodeError, Ed25519PublicKey, Ed25519Signature, KeyError, PickleError,
    SignatureError,
    ecies::{self, Ecies},
    hpke::{self, HpkeRecipientChannel, HpkeSenderChannel},
    megolm::{
        self, ExportedSessionKey, GroupSession, InboundGroupSession, SessionKey,
        SessionKeyDecodeError,
    },
    olm::{self, Account, OlmMessage, PreKeyMessage, SessionConfig, SessionCreationError},
    sas::Sas,
};

use super::{bad_keys, edited, outbound, pair};

/// S-01: no bad Curve25519 key takes part in anything.
#[test]
fn s_01_bad_keys_are_refused_where_they_are_used() {
    let (alice, mut bob, _, message) = pair();
    let config = SessionConfig::version_1();
    let good = bob.curve25519_key();
    for bytes in bad_keys() {
        let bad = Curve25519PublicKey::from_bytes(bytes);
        for (identity_key, one_time_key) in [(bad, good), (good, bad)] {
            let refused = alice.create_outbound_session(config, identity_key, one_time_key);
            assert!(matches!(refused, Err(SessionCreationError::NonContributoryKey)));
        }
        let sas = Sas::new().diffie_hellman(bad);
        assert!(matches!(sas, Err(KeyError::NonContributoryKey)));
        let secret = vodozemac::Curve25519SecretKey::new();
        assert!(secret.diffie_hellman(&bad).is_none());
        let channel = Ecies::new().establish_outbound_channel(bad, b"");
        assert!(matches!(channel, Err(ecies::Error::NonContributoryKey)));
        let message = ecies::InitialMessage { public_key: bad, ciphertext: vec![0; 16] };
        let channel = Ecies::new().establish_inbound_channel(&message);
        assert!(matches!(channel, Err(ecies::Error::NonContributoryKey)));
        let channel = HpkeSenderChannel::new().establish_channel(bad, b"", b"");
        assert!(matches!(channel, Err(hpke::Error::Encapsulation(_))));
        let message = hpke::InitialMessage { encapsulated_key: bad, ciphertext: vec![0; 16] };
        let channel = HpkeRecipientChannel::new().establish_channel(&message, b"");
        assert!(matches!(channel, Err(hpke::Error::Decryption)));
    }
    // In a message: the keys are the fields 1 to 3, each 32 bytes behind a tag and a length.
    for (field, bytes) in (0..3).zip(bad_keys()) {
        let mut message = message.to_bytes();
        let start = 1 + field * 34 + 2;
        message[start..start + 32].copy_from_slice(&bytes);
        let refused = PreKeyMessage::from_bytes(&message).unwrap_err();
        assert!(matches!(refused, DecodeError::InvalidKey(KeyError::NonContributoryKey)));
    }
    // The genuine message still works.
    bob.create_inbound_session(config, alice.curve25519_key(), &message).unwrap();
}

/// S-14: an Ed25519 key of small order verifies nothing and makes no session; one that is not
/// canonically encoded is no key.
#[test]
fn s_14_weak_signing_keys_are_refused() {
    // For the neutral element as the key, this is a signature of everything: of the base point, and
    // 1.
    let mut signature = [[0x66; 32], [0; 32]].concat();
    (signature[0], signature[32]) = (0x58, 1);
    let signature = Ed25519Signature::from_slice(&signature).unwrap();
    let receiver = InboundGroupSession::from(&GroupSession::default());
    let exported = receiver.export_at_first_known_index();
    for bytes in [[0; 32], bad_keys()[1], bad_keys()[2]] {
        let key = Ed25519PublicKey::from_slice(&bytes).unwrap();
        assert_eq!(key.as_bytes(), &bytes);
        let again = serde_json::from_value(serde_json::to_value(key).unwrap()).unwrap();
        assert_eq!((key, key), (again, Ed25519PublicKey::from_base64(&key.to_base64()).unwrap()));
        assert!(key.verify(b"text", &signature).is_err());
        let session_key = [&exported.to_bytes()[..133], &bytes].concat();
        let refused = ExportedSessionKey::from_bytes(&session_key).err();
        assert!(matches!(refused, Some(SessionKeyDecodeError::PublicKey(_))));
        let mut pickle = serde_json::to_value(receiver.pickle()).unwrap();
        pickle["signing_key"] = bytes.to_vec().into();
        assert!(serde_json::from_value::<megolm::InboundGroupSessionPickle>(pickle).is_err());
    }
    // 1, written as p + 1.
    let mut bytes = bad_keys()[3];
    bytes[0] += 1;
    let refused = Ed25519PublicKey::from_slice(&bytes).unwrap_err();
    assert!(matches!(refused, KeyError::Signature(SignatureError::Signature(_))));
}

/// S-17: a one-time key that is the identity key is none.
#[test]
fn s_17_one_key_is_not_two() {
    let (alice, bob, ..) = pair();
    let key = bob.curve25519_key();
    let refused = alice.create_outbound_session(SessionConfig::version_1(), key, key);
    assert!(matches!(refused, Err(SessionCreationError::NonContributoryKey)));
}

/// S-09: a pre-key message of another session does not decrypt in this one.
#[test]
fn s_09_outer_keys_are_the_sessions() {
    let (alice, mut bob, _, message) = pair();
    let config = SessionConfig::version_1();
    let created = bob.create_inbound_session(config, alice.curve25519_key(), &message).unwrap();
    let mut session = created.session;
    let key = bob.generate_one_time_keys(1).created[0];
    let (_, other) = outbound(&alice, bob.curve25519_key(), key);
    let refused = session.decrypt(&other.into()).unwrap_err();
    assert!(matches!(refused, olm::DecryptionError::InvalidMAC(_)));
}

/// S-08: a first message to a fallback key makes one session.
#[test]
fn s_08_a_first_message_works_once() {
    let (alice, mut bob, ..) = pair();
    bob.generate_fallback_key();
    let key = *bob.fallback_key().values().next().unwrap();
    let (_, message) = outbound(&alice, bob.curve25519_key(), key);
    let config = SessionConfig::version_1();
    bob.create_inbound_session(config, alice.curve25519_key(), &message).unwrap();
    let again = bob.create_inbound_session(config, alice.curve25519_key(), &message);
    assert!(matches!(again, Err(SessionCreationError::MissingOneTimeKey(found)) if found == key));
    // No pickle of vodozemac remembers it.
    let mut bob = Account::from(bob.pickle());
    bob.create_inbound_session(config, alice.curve25519_key(), &message).unwrap();
}

/// S-42: as with vodozemac, a fallback key serves as many sessions as there are senders, and so
/// many of one sender: nothing is refused because the key remembers no more.
#[test]
fn s_42_a_fallback_key_serves_1500_sessions() {
    let (greedy, mut bob, ..) = pair();
    bob.generate_fallback_key();
    let key = *bob.fallback_key().values().next().unwrap();
    let config = SessionConfig::version_1();
    let mut receive = |alice: &Account| {
        let (_, message) = outbound(alice, bob.curve25519_key(), key);
        let created = bob.create_inbound_session(config, alice.curve25519_key(), &message);
        assert_eq!(created.unwrap().plaintext, b"hello");
    };
    for _ in 0..1_500 {
        receive(&greedy);
        receive(&Account::new());
    }
}

/// S-04: a call that fails changes nothing, to the byte.
#[test]
fn s_04_failures_change_nothing() {
    let (alice, mut bob, mut session, message) = pair();
    let config = SessionConfig::version_1();
    let mut inbound =
        bob.create_inbound_session(config, alice.curve25519_key(), &message).unwrap().session;
    let reply = inbound.encrypt("reply").unwrap();
    let (message_type, mut bytes) = reply.to_parts();
    *bytes.last_mut().unwrap() ^= 1;
    let forged = OlmMessage::from_parts(message_type, &bytes).unwrap();
    let before = serde_json::to_string(&session.pickle()).unwrap();
    let refused = session.decrypt(&forged).unwrap_err();
    assert!(matches!(refused, olm::DecryptionError::InvalidMAC(_)));
    assert_eq!(serde_json::to_string(&session.pickle()).unwrap(), before);
    assert_eq!(session.decrypt(&reply).unwrap(), b"reply");
    let again = session.decrypt(&reply).unwrap_err();
    assert!(matches!(again, olm::DecryptionError::MissingMessageKey(0)));
}

/// Which of the two a Megolm message fails: its signature, or after that its MAC.
#[test]
fn s_28_forged_megolm_messages() {
    let mut sender = GroupSession::default();
    let mut receiver = InboundGroupSession::from(&sender);
    let mut bytes = sender.encrypt("text").to_bytes();
    let at = bytes.len() - 70;
    bytes[at] ^= 1;
    let forged = megolm::MegolmMessage::from_bytes(&bytes).unwrap();
    let refused = receiver.decrypt(&forged).unwrap_err();
    assert!(matches!(refused, megolm::DecryptionError::Signature(_)));
    // Of the same signing key, but another ratchet.
    let mut other = edited(&sender, |json| json["ratchet"]["inner"] = vec![7; 128].into());
    let other = other.encrypt("text");
    let refused = receiver.decrypt(&other).unwrap_err();
    assert!(matches!(refused, megolm::DecryptionError::InvalidMAC(_)));
}

/// A pickle is checked when it is read, so that `from_pickle` cannot fail.
#[test]
fn s_24_impossible_pickles_are_refused() {
    let key = [7; 32];
    let account = Account::new();
    let encrypted = account.pickle().encrypt(&key);
    let wrong_key = olm::AccountPickle::from_encrypted(&encrypted, &[8; 32]);
    assert!(matches!(wrong_key, Err(PickleError::Decryption(_))));
    let no_base64 = olm::AccountPickle::from_encrypted("*", &key);
    assert!(matches!(no_base64, Err(PickleError::Base64(_))));
    let session = GroupSession::default().pickle().encrypt(&key);
    let another_type = olm::AccountPickle::from_encrypted(&session, &key);
    assert!(matches!(another_type, Err(PickleError::Serialization(_))));
    let mut json = serde_json::to_value(account.pickle()).unwrap();
    json["one_time_keys"]["public_keys"]["5"] = vec![9; 32].into();
    assert!(serde_json::from_value::<olm::AccountPickle>(json).is_err());
}

/// Neither shorter nor longer.
#[test]
fn s_24_session_keys_have_exactly_their_length() {
    let sender = GroupSession::default();
    let exported = InboundGroupSession::from(&sender).export_at_first_known_index();
    let (signed, exported) = (sender.session_key().to_bytes(), exported.to_bytes());
    SessionKey::from_bytes(&signed).unwrap();
    ExportedSessionKey::from_bytes(&exported).unwrap();
    for longer in [false, true] {
        let resized = |mut bytes: Vec<u8>| {
            bytes.resize(if longer { bytes.len() + 1 } else { bytes.len() - 1 }, 0);
            bytes
        };
        let refused = SessionKey::from_bytes(&resized(signed.clone())).err();
        assert!(matches!(refused, Some(SessionKeyDecodeError::Read(_))));
        let refused = ExportedSessionKey::from_bytes(&resized(exported.clone())).err();
        assert!(matches!(refused, Some(SessionKeyDecodeError::Read(_))));
    }
}

/// S-21: a merged session counts as signed if the signed one vouches for the whole of the earlier
/// one.
#[test]
fn s_21_merging() {
    // First index of the signed copy, of the exported copy, and whether the merged one is signed.
    let cases =
        [(0, 0, true), (0, 9, true), (0, 600, true), (9, 0, true), (255, 0, true), (256, 0, false)];
    for (signed, exported, expected) in cases {
        let mut sender = GroupSession::default();
        let mut whole = InboundGroupSession::from(&sender);
        for _ in 0..signed {
            sender.encrypt("");
        }
        let config = megolm::SessionConfig::version_1();
        let mut one = InboundGroupSession::from(&sender);
        let mut other = InboundGroupSession::import(&whole.export_at(exported).unwrap(), config);
        for merged in [one.merge(&mut other), other.merge(&mut one)] {
            let merged = merged.unwrap();
            assert_eq!(merged.first_known_index(), signed.min(exported));
            let json = serde_json::to_value(merged.pickle()).unwrap();
            assert_eq!(json["signing_key_verified"], expected, "{signed} {exported}");
        }
    }
    let [mut one, mut other] =
        [(); 2].map(|()| InboundGroupSession::from(&GroupSession::default()));
    assert!(one.merge(&mut other).is_none());
}

/// What a pickle in libolm's format says about its version can be told from everything else, in the
/// words that matrix-nio looks for.
#[cfg(all(feature = "libolm-compat", feature = "low-level-api"))]
#[test]
fn s_24_pickles_of_libolm() {
    use vodozemac::{LibolmPickleError, base64_decode, base64_encode, hazmat::Cipher};

    let cipher = Cipher::new_pickle(b"key");
    let account = Account::new();
    let pickle = account.to_libolm_pickle(b"key").unwrap();
    let content = cipher.decrypt_pickle(&base64_decode(pickle).unwrap()).unwrap();
    let read = |content: &[u8]| {
        let pickle = base64_encode(cipher.encrypt_pickle(content));
        Account::from_libolm_pickle(&pickle, b"key")
    };
    assert_eq!(read(&content).unwrap().identity_keys(), account.identity_keys());
    let refused = read(&[&content[..], &[0]].concat()).err().unwrap();
    assert!(matches!(refused, LibolmPickleError::Decode(_)), "{refused}");
    // Versions 2 to 4 are read; libolm's first one had a broken key generation.
    for version in [1_u8, 5] {
        let refused = read(&[&[0, 0, 0, version], &content[4..]].concat()).err().unwrap();
        assert!(
            matches!(refused, LibolmPickleError::Version(4, found) if found == u32::from(version)),
            "{refused}"
        );
        assert!(refused.to_string().contains("unsupported version"));
    }
}
