//! S-05: an inbound session is created in one transaction. The call returns the session and the
//! plaintext of the first message and uses up the one-time key, or does none of these.
//!
//! Otherwise somebody between the two could damage a message and so destroy the one-time key that
//! the genuine message needs.

use moceril::olm::{Account, PreKeyMessage, SessionCreationError};
use moceril_testing::fixtures::{Devices, State, VERSIONS, config};

/// S-05: each byte of a genuine message, damaged in several ways, creates nothing and uses nothing
/// up; the genuine message creates the session afterwards.
#[test]
fn a_damaged_message_does_not_cost_the_genuine_one() {
    for version in VERSIONS {
        for fallback in [false, true] {
            let mut devices = Devices::new(5);
            let bundle =
                if fallback { devices.fallback_bundle() } else { devices.one_time_bundle() };
            let (mut alice, genuine) = devices.outbound(&bundle, version);
            let sender = devices.alice.curve25519_key();
            let bob = &mut devices.bob;
            let before = bob.snapshot();

            for place in 0..genuine.as_bytes().len() {
                for change in [0x01, 0x80, 0xff] {
                    let mut damaged = genuine.as_bytes().to_vec();
                    damaged[place] ^= change;
                    let Ok(damaged) = PreKeyMessage::from_bytes(&damaged) else { continue };
                    // A caller may even believe what the message says about its sender.
                    let claimed = damaged.identity_key();
                    let result =
                        bob.create_inbound_session_with_config(claimed, &damaged, config(version));
                    assert!(result.is_err(), "byte {place} changed by {change:#x}");
                    assert!(bob.snapshot() == before, "byte {place} changed by {change:#x}");
                }
            }

            let keys = bob.stored_one_time_key_count();
            let inbound = bob.create_inbound_session_with_config(sender, &genuine, config(version));
            let mut inbound = inbound.unwrap();
            assert_eq!(inbound.message.plaintext(), b"first");
            assert_eq!(inbound.message.sender_key(), Some(sender));
            assert_eq!(bob.stored_one_time_key_count(), keys - usize::from(!fallback));
            assert!(bob.snapshot() != before, "the key was used");
            let reply = inbound.session.encrypt_with_rng(b"reply", &mut devices.rng).unwrap();
            assert_eq!(alice.decrypt(&reply).unwrap().plaintext(), b"reply");
        }
    }
}

/// S-05: the transaction is the same when the account was stored and loaded on the way, and
/// creating a session uses up that one key and no other.
#[test]
fn a_restored_account_creates_the_same_session() {
    for version in VERSIONS {
        let mut devices = Devices::new(6);
        let (alice, genuine) = devices.outbound(&devices.one_time_bundle(), version);
        let sender = devices.alice.curve25519_key();
        let others: Vec<_> = devices.bob.unpublished_one_time_keys().split_off(1);
        let before = devices.bob.snapshot();
        assert_eq!(genuine.session_id(), alice.session_id());

        let create = |bob: &mut Account| {
            bob.create_inbound_session_with_config(sender, &genuine, config(version)).unwrap()
        };
        let mut restored = Account::restored(&before);
        let (first, second) = (create(&mut devices.bob), create(&mut restored));
        assert!(first.session.snapshot() == second.session.snapshot());
        assert!(devices.bob.snapshot() == restored.snapshot());
        assert_eq!(restored.unpublished_one_time_keys(), others);

        let again = restored.create_inbound_session_with_config(sender, &genuine, config(version));
        assert_eq!(again.unwrap_err(), SessionCreationError::UnknownOneTimeKey);
    }
}
