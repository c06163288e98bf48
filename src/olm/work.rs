//! S-45: what the first message of a session costs before its MAC is checked, and what a turn of a
//! conversation costs.

use alloc::vec::Vec;

use super::{Account, Limits, OlmMessage, PreKeyBundle, PreKeyMessage, SessionConfig};
use crate::{
    error::{DecryptionError, SessionCreationError},
    primitives::work::{self, Counting, Work},
    wire::MessageVersion,
};

/// Where the base key stands: after the version and the whole field of the one-time key, and the
/// tag and the length of its own field.
const BASE_KEY: core::ops::Range<usize> = 37..69;

/// S-45: a forged pre-key message costs three agreements, whether its base key lies on the curve or
/// on the twist, and the hashes to its own key: 3 of the handshake, one for each message ahead and
/// 2 for itself, 4 of the cipher and 1 of the MAC.
#[test]
fn s_45_a_forged_pre_key_message_costs_three_agreements() {
    let rng = &mut Counting(0);
    let limits = Limits::default().with_message_gap(Limits::MAX_MESSAGE_GAP);
    let config = SessionConfig { limits, ..SessionConfig::default() };
    let alice = Account::with_rng(rng).unwrap();
    let mut bob = Account::with_rng(rng).unwrap();
    bob.generate_one_time_keys_with_rng(1, rng).unwrap();
    let (_, one_time_key) = bob.signed_one_time_keys().remove(0);
    let bundle = PreKeyBundle::verify(bob.identity_keys(), &one_time_key).unwrap();
    let mut session = alice.create_outbound_session_with_rng(&bundle, config, rng).unwrap();
    for gap in 0..300 {
        let message = session.encrypt_with_rng(b"message", rng).unwrap();
        let mut bytes = message.as_pre_key().unwrap().as_bytes().to_vec();
        let base_key = message.as_pre_key().unwrap().session_keys().base_key;
        assert_eq!(bytes[BASE_KEY], *base_key.as_bytes());
        match gap {
            0..100 => *bytes.last_mut().unwrap() ^= 1,
            _ => bytes[BASE_KEY].fill(2 + gap as u8 % 100),
        }
        let forged = PreKeyMessage::from_bytes(&bytes).unwrap();
        let (refused, work) = work::of(|| {
            bob.create_inbound_session_with_config(alice.curve25519_key(), &forged, config)
                .map(drop)
        });
        let forgery = SessionCreationError::Decryption(DecryptionError::Authentication);
        assert_eq!(refused, Err(forgery));
        assert_eq!(work.multiplications, 3);
        assert_eq!(work.hmacs, 3 + gap + 2 + 4 + 1);
    }
}

/// S-45: a forged first message to a fallback key costs 4 hashes besides, which look for its
/// session among those that the key remembers; their number makes no difference.
#[test]
fn s_45_a_forged_message_to_a_fallback_key_costs_four_more_hashes() {
    let rng = &mut Counting(0);
    let config = SessionConfig::default();
    let alice = Account::with_rng(rng).unwrap();
    let mut bob = Account::with_rng(rng).unwrap();
    bob.generate_fallback_key_with_rng(rng).unwrap();
    let (_, key) = bob.signed_fallback_key().unwrap();
    let bundle = PreKeyBundle::verify(bob.identity_keys(), &key).unwrap();
    for _ in 0..10 {
        let mut session = alice.create_outbound_session_with_rng(&bundle, config, rng).unwrap();
        let message = session.encrypt_with_rng(b"message", rng).unwrap();
        let message = message.as_pre_key().unwrap();
        let mut bytes = message.as_bytes().to_vec();
        *bytes.last_mut().unwrap() ^= 1;
        let forged = PreKeyMessage::from_bytes(&bytes).unwrap();
        let mut create = |message: &PreKeyMessage| {
            work::of(|| bob.create_inbound_session(alice.curve25519_key(), message).map(drop))
        };
        let (refused, work) = create(&forged);
        let forgery = SessionCreationError::Decryption(DecryptionError::Authentication);
        assert_eq!(refused, Err(forgery));
        assert_eq!((work.multiplications, work.hmacs), (3, 4 + 3 + 2 + 4 + 1));
        assert_eq!(create(message).0, Ok(()));
        // A replay costs these 4 and no agreement.
        let (replayed, work) = create(message);
        assert_eq!(replayed, Err(SessionCreationError::Replayed));
        assert_eq!(work, Work { hmacs: 4, ..Work::default() });
    }
}

/// S-45: a first message that is too far ahead or of another version costs nothing. The one at the
/// limit creates a session.
#[test]
fn s_45_first_messages_that_are_refused_without_a_key_cost_nothing() {
    let rng = &mut Counting(0);
    let config = SessionConfig::default();
    let other = config.with_version(MessageVersion::V4);
    let gap = config.limits.message_gap();
    let alice = Account::with_rng(rng).unwrap();
    let mut bob = Account::with_rng(rng).unwrap();
    bob.generate_one_time_keys_with_rng(1, rng).unwrap();
    let (_, one_time_key) = bob.signed_one_time_keys().remove(0);
    let bundle = PreKeyBundle::verify(bob.identity_keys(), &one_time_key).unwrap();
    let mut session = alice.create_outbound_session_with_rng(&bundle, config, rng).unwrap();
    let mut messages: Vec<_> =
        (0..gap + 2).map(|_| session.encrypt_with_rng(b"message", rng).unwrap()).collect();
    let too_far = DecryptionError::TooFarAhead { index: gap + 1, maximum: gap };
    let ahead = messages.pop().unwrap();
    let last = messages.pop().unwrap();
    let create = |bob: &mut Account, message: &OlmMessage, config: SessionConfig| {
        let message = message.as_pre_key().unwrap();
        work::of(|| {
            bob.create_inbound_session_with_config(alice.curve25519_key(), message, config)
                .map(drop)
        })
    };
    let refused = |error: DecryptionError| (Err(error.into()), Work::default());
    assert_eq!(create(&mut bob, &ahead, config), refused(too_far));
    assert_eq!(create(&mut bob, &last, other), refused(DecryptionError::VersionMismatch));
    let (created, work) = create(&mut bob, &last, config);
    assert_eq!((created, work.multiplications), (Ok(()), 3));
}

/// The first message of a turn converts the peer's new ratchet key, and the answer uses that
/// conversion.
#[test]
fn a_turn_converts_one_key() {
    let rng = &mut Counting(0);
    let alice = Account::with_rng(rng).unwrap();
    let mut bob = Account::with_rng(rng).unwrap();
    bob.generate_one_time_keys_with_rng(1, rng).unwrap();
    let (_, one_time_key) = bob.signed_one_time_keys().remove(0);
    let bundle = PreKeyBundle::verify(bob.identity_keys(), &one_time_key).unwrap();
    let config = SessionConfig::default();
    let mut to_bob = alice.create_outbound_session_with_rng(&bundle, config, rng).unwrap();
    let first = to_bob.encrypt_with_rng(b"message", rng).unwrap();
    let first = first.as_pre_key().unwrap();
    let mut to_alice = bob.create_inbound_session(alice.curve25519_key(), first).unwrap().session;
    let mut message = to_alice.encrypt_with_rng(b"message", rng).unwrap();
    for _ in 0..3 {
        for end in [&mut to_bob, &mut to_alice] {
            let (decrypted, work) = work::of(|| end.decrypt(&message));
            assert!(decrypted.is_ok());
            assert_eq!((work.conversions, work.multiplications), (1, 1));
            let (encrypted, work) = work::of(|| end.encrypt_with_rng(b"message", rng));
            assert_eq!((work.conversions, work.multiplications), (0, 2));
            message = encrypted.unwrap();
        }
    }
}
