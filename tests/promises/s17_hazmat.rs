//! The functions of the feature `hazmat` do what they say: the parts of an operation, called one by
//! one, give the same result as the operation.

use base64ct::{Base64Unpadded, Encoding};
use moceril::{
    Curve25519PublicKey, Ed25519SecretKey, MessageVersion,
    hazmat::{Cipher, MessageKey},
    megolm::{GroupSession, GroupSessionConfig, InboundGroupSession, MegolmMessage},
    olm::{
        Account, BundleError, Limits, OlmMessage, PreKeyBundle, PreKeyMessage, Session,
        SessionConfig, SessionKeys,
    },
};
use moceril_testing::{
    converted::ToLibolm,
    fixtures::{VERSIONS, config},
    libolm_pickle,
    rng::{RecordedRng, SeededRng},
};

/// A session from unverified keys, its peer's account, and the one-time key's id.
fn session(version: MessageVersion) -> (Session, Account, Account) {
    let mut rng = SeededRng::new(1);
    let alice = Account::with_rng(&mut rng).unwrap();
    let mut bob = Account::with_rng(&mut rng).unwrap();
    bob.generate_one_time_keys_with_rng(1, &mut rng).unwrap();
    let (_, one_time_key) = bob.unpublished_one_time_keys()[0];
    let bundle = PreKeyBundle::from_unverified_keys(bob.curve25519_key(), one_time_key).unwrap();
    let session =
        alice.create_outbound_session_with_rng(&bundle, config(version), &mut rng).unwrap();
    (session, alice, bob)
}

/// S-17: also here a one-time key is not the identity key.
#[test]
fn an_unverified_bundle_makes_a_session_but_not_of_one_key() {
    let (mut session, alice, mut bob) = session(VERSIONS[0]);
    let message = session.encrypt(b"unverified").unwrap();
    let inbound = bob.create_inbound_session(alice.curve25519_key(), message.as_pre_key().unwrap());
    assert_eq!(inbound.unwrap().message.plaintext(), b"unverified");
    let same = bob.curve25519_key();
    let refused = PreKeyBundle::from_unverified_keys(same, same).unwrap_err();
    assert_eq!(refused, BundleError::OneTimeKeyIsIdentityKey);
}

#[test]
fn a_message_key_encrypts_the_message_that_the_session_would_have_sent() {
    for version in VERSIONS {
        let (mut whole, _, _) = session(version);
        let (mut parts, _, _) = session(version);
        for text in [b"one".as_slice(), b"two", b""] {
            let expected = whole.encrypt(text).unwrap();
            let nothing = &mut RecordedRng::new([]);
            let key = parts.next_message_key_with_rng(nothing).unwrap();
            let again = MessageKey::new(*key.key(), key.ratchet_key(), key.index());
            let message = again.encrypt(version, text);
            let wrapped = PreKeyMessage::from_parts(*parts.session_keys(), message);
            assert_eq!(OlmMessage::PreKey(wrapped), expected);
        }
        assert_eq!(parts.generation(), whole.generation());
    }
}

#[test]
fn a_session_from_raw_keys_is_the_session_they_came_from() {
    for version in VERSIONS {
        let (mut whole, alice, mut bob) = session(version);
        let state = whole.sending_state().unwrap();
        assert_eq!(state.chain_index(), 0);
        let mut parts = Session::from_root_key_material(
            config(version),
            *whole.session_keys(),
            *state.root_key(),
            *state.chain_key(),
            *state.ratchet_key(),
        );
        let message = parts.encrypt(b"hello").unwrap();
        assert_eq!(message, whole.encrypt(b"hello").unwrap());
        assert_eq!(parts.sending_state().unwrap().chain_index(), 1);
        let pre_key = message.as_pre_key().unwrap();
        let sender = alice.curve25519_key();
        let inbound =
            bob.create_inbound_session_with_config(sender, pre_key, config(version)).unwrap();
        let mut theirs = inbound.session;
        assert!(theirs.sending_state().is_none(), "the next message begins a chain");
        // The root key is right, too: the ratchet turns.
        let reply = theirs.encrypt(b"hello, parts").unwrap();
        let decrypted = parts.decrypt(&reply).unwrap();
        assert_eq!(decrypted.plaintext(), b"hello, parts");
        assert_eq!(decrypted.sender_key(), None, "nobody told the session who its peer is");
    }
}

#[test]
fn the_private_half_of_a_one_time_key_can_be_taken_once() {
    let mut account = Account::new().unwrap();
    account.generate_one_time_keys(1).unwrap();
    let (id, public) = account.unpublished_one_time_keys()[0];
    let secret = account.take_one_time_key(id).unwrap();
    let expected = x25519_dalek::PublicKey::from(&x25519_dalek::StaticSecret::from(secret));
    assert_eq!(Curve25519PublicKey::from_bytes(expected.to_bytes()), Ok(public));
    assert_eq!(account.generation(), 2, "S-35");
    assert_eq!(account.take_one_time_key(id), None);
    assert_eq!(account.stored_one_time_key_count(), 0);
}

#[test]
fn the_cipher_at_an_index_is_the_sessions() {
    for version in VERSIONS {
        let config = GroupSessionConfig::default().with_version(version);
        let seed = [7; 32];
        let mut rng = RecordedRng::new([vec![3; 128], seed.to_vec()].concat());
        let mut sender = GroupSession::with_rng(config, &mut rng).unwrap();
        let receiver = InboundGroupSession::with_version(&sender.session_key(), version);
        let signing_key = Ed25519SecretKey::from_bytes(seed);
        for index in 0..3 {
            let expected = sender.encrypt(b"to everybody").unwrap();
            let cipher = receiver.cipher_at(index).unwrap();
            let message =
                MegolmMessage::encrypt(version, index, &cipher, &signing_key, b"to everybody");
            assert_eq!(message, expected);
            let decrypted = cipher.decrypt(message.ciphertext());
            assert_eq!(decrypted.as_deref(), Some(b"to everybody".as_slice()));
        }
        let mut later = InboundGroupSession::import(&receiver.export_at(2).unwrap());
        assert!(later.cipher_at(1).is_err());
        later.close();
        assert!(later.cipher_at(2).is_err());
    }
}

/// Each key has its own cipher: the one of a message's key opens that message, and the one of a
/// pickle's key that pickle.
#[test]
fn raw_ciphers_are_those_of_messages_and_pickles() {
    for version in VERSIONS {
        let (mut whole, _, _) = session(version);
        let (mut parts, _, _) = session(version);
        let key = parts.next_message_key_with_rng(&mut RecordedRng::new([])).unwrap();
        let message = whole.encrypt(b"hello").unwrap();
        let message = message.as_pre_key().unwrap().message();
        let mac_length = if version == MessageVersion::V3 { 8 } else { 32 };
        let bytes = message.as_bytes();
        let (authenticated, mac) = bytes.split_at(bytes.len() - mac_length);
        let cipher = Cipher::olm(key.key());
        assert!(cipher.verify_mac(authenticated, mac));
        assert_eq!(cipher.decrypt(message.ciphertext()).unwrap(), b"hello");
    }
    let pickle = Account::new().unwrap().to_libolm(libolm_pickle::KEY);
    let bytes = Base64Unpadded::decode_vec(&pickle).unwrap();
    let (ciphertext, mac) = bytes.split_at(bytes.len() - 8);
    let cipher = Cipher::pickle(libolm_pickle::KEY);
    assert!(cipher.verify_mac(ciphertext, mac));
    assert_eq!(cipher.decrypt(ciphertext), Some(libolm_pickle::open(&pickle, libolm_pickle::KEY)));
}

#[test]
fn the_raw_cipher_takes_macs_of_two_lengths_only() {
    for cipher in [Cipher::olm(&[1; 32]), Cipher::megolm(&[2; 128]), Cipher::pickle(b"any length")]
    {
        let mac = cipher.mac(b"message");
        for length in 0..=32 {
            let accepted = cipher.verify_mac(b"message", &mac[..length]);
            assert_eq!(accepted, [8, 32].contains(&length), "{length}");
        }
        assert!(!cipher.verify_mac(b"massage", mac));
        let ciphertext = cipher.encrypt(b"message");
        assert_eq!(ciphertext.len(), 16);
        assert_eq!(cipher.decrypt(&ciphertext).unwrap(), b"message");
        assert_eq!(cipher.decrypt(&ciphertext[..15]), None);
        assert_eq!(cipher.decrypt([]), None);
        assert!(!format!("{cipher:?}").contains('['), "S-29");
    }
}

#[test]
fn session_keys_of_raw_sessions_are_only_named() {
    let (whole, _, _) = session(VERSIONS[0]);
    let SessionKeys { identity_key, .. } = *whole.session_keys();
    let keys = SessionKeys { identity_key, base_key: identity_key, one_time_key: identity_key };
    let limits = Limits::default().with_skipped_keys(50).with_receiver_chains(20);
    assert_ne!(limits, Limits::default());
    let config = SessionConfig::default().with_version(VERSIONS[1]).with_limits(limits);
    let raw = Session::from_root_key_material(config, keys, [1; 32], [2; 32], [3; 32]);
    assert_eq!(raw.session_id(), keys.session_id());
    assert_eq!((raw.version(), *raw.limits()), (VERSIONS[1], limits));
}
