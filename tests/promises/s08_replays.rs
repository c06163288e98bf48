//! S-08 and S-09: a pre-key message creates one session, and only that session decrypts it.
//!
//! A one-time key is gone after its first use, so an exact replay finds no key. A fallback key
//! stays, so it remembers the sessions that were made with it; `s08_fallback_memory.rs` has the
//! bounds of that memory.

use moceril::{
    MessageVersion,
    olm::{
        Account, DecryptionError, OlmMessage, PreKeyBundle, PreKeyMessage, SessionCreationError,
    },
};
use moceril_testing::fixtures::{Devices, State, VERSIONS, config, pre_key, unchanged};

const VERSION: MessageVersion = MessageVersion::V3;

/// Bob's devices, a message made with his fallback key, and what creating a session of it says.
struct Replay {
    devices: Devices,
    message: PreKeyMessage,
}

impl Replay {
    /// The message has created a session already.
    fn of_fallback_key(seed: u64) -> Self {
        let mut devices = Devices::new(seed);
        let (_, message) = devices.outbound(&devices.fallback_bundle(), VERSION);
        let sender = devices.alice.curve25519_key();
        devices.bob.create_inbound_session(sender, &message).unwrap();
        Self { devices, message }
    }

    #[track_caller]
    fn refused(&mut self) -> SessionCreationError {
        let sender = self.devices.alice.curve25519_key();
        let message = &self.message;
        unchanged(&mut self.devices.bob, |bob| bob.create_inbound_session(sender, message))
    }

    fn rotate(&mut self) {
        let Devices { bob, rng, .. } = &mut self.devices;
        bob.generate_fallback_key_with_rng(rng).unwrap();
    }
}

/// S-08: a message with a fallback key is accepted once, for as long as the key lives: also after
/// the account was stored, and after the key was replaced.
#[test]
fn a_fallback_key_recognizes_a_replay_until_it_is_forgotten() {
    let mut replay = Replay::of_fallback_key(1);
    assert_eq!(replay.refused(), SessionCreationError::Replayed);

    replay.devices.bob = Account::restored(&replay.devices.bob.snapshot());
    assert_eq!(replay.refused(), SessionCreationError::Replayed);

    replay.rotate();
    assert_eq!(replay.refused(), SessionCreationError::Replayed);
    replay.devices.bob = Account::restored(&replay.devices.bob.snapshot());
    assert_eq!(replay.refused(), SessionCreationError::Replayed);

    // The key after next pushes it out, and with it goes the memory.
    replay.rotate();
    assert_eq!(replay.refused(), SessionCreationError::UnknownOneTimeKey);
}

/// S-08: forgetting a replaced fallback key by hand forgets its memory, too.
#[test]
fn a_forgotten_fallback_key_leaves_no_memory() {
    let mut unused = Devices::new(2);
    unused.bob.generate_fallback_key_with_rng(&mut unused.rng).unwrap();
    unused.bob.forget_previous_fallback_key();

    let mut replay = Replay::of_fallback_key(2);
    replay.rotate();
    assert!(replay.devices.bob.forget_previous_fallback_key());
    assert_eq!(replay.refused(), SessionCreationError::UnknownOneTimeKey);
    assert_eq!(replay.devices.bob.snapshot().len(), unused.bob.snapshot().len());
}

/// S-08: a replaced fallback key remembers sessions that are made with it afterwards.
#[test]
fn a_previous_fallback_key_remembers_new_sessions() {
    let mut devices = Devices::new(3);
    let (_, message) = devices.outbound(&devices.fallback_bundle(), VERSION);
    let mut replay = Replay { devices, message };
    replay.rotate();
    let sender = replay.devices.alice.curve25519_key();
    replay.devices.bob.create_inbound_session(sender, &replay.message).unwrap();
    assert_eq!(replay.refused(), SessionCreationError::Replayed);
}

/// S-08: a later message of the session, with the same base key, is a replay of the session's
/// creation, too: it belongs into the session that there is.
#[test]
fn a_later_message_of_the_session_creates_no_second_one() {
    for version in VERSIONS {
        let mut devices = Devices::new(4);
        let (mut alice, first) = devices.outbound(&devices.fallback_bundle(), version);
        let second = pre_key(&alice.encrypt_with_rng(b"second", &mut devices.rng).unwrap());
        let sender = devices.alice.curve25519_key();
        let inbound =
            devices.bob.create_inbound_session_with_config(sender, &first, config(version));
        let error = unchanged(&mut devices.bob, |bob| {
            bob.create_inbound_session_with_config(sender, &second, config(version))
        });
        assert_eq!(error, SessionCreationError::Replayed);
        let mut session = inbound.unwrap().session;
        let decrypted = session.decrypt(&OlmMessage::PreKey(second)).unwrap();
        assert_eq!(decrypted.plaintext(), b"second");
    }
}

/// S-08: different sessions may be made with one fallback key; that is what it is for.
#[test]
fn sessions_with_other_base_keys_are_no_replays() {
    let mut devices = Devices::new(5);
    let bundle = devices.fallback_bundle();
    let sender = devices.alice.curve25519_key();
    let messages: Vec<_> = (0..3).map(|_| devices.outbound(&bundle, VERSION).1).collect();
    for message in &messages {
        devices.bob.create_inbound_session(sender, message).unwrap();
    }
    for message in &messages {
        let error = unchanged(&mut devices.bob, |bob| bob.create_inbound_session(sender, message));
        assert_eq!(error, SessionCreationError::Replayed);
    }
}

/// S-08: an exact replay of a message with a one-time key finds the key gone.
#[test]
fn a_one_time_key_is_used_once() {
    let mut devices = Devices::new(7);
    let bundle = devices.one_time_bundle();
    let sender = devices.alice.curve25519_key();
    let (_, message) = devices.outbound(&bundle, VERSION);
    let (_, of_another_session) = devices.outbound(&bundle, VERSION);
    devices.bob.create_inbound_session(sender, &message).unwrap();
    for message in [&message, &of_another_session] {
        let error = unchanged(&mut devices.bob, |bob| bob.create_inbound_session(sender, message));
        assert_eq!(error, SessionCreationError::UnknownOneTimeKey);
    }
}

/// S-09: a pre-key message is decrypted by a session only if all three of its outer keys are the
/// session's. They are not covered by the MAC, and a client may act on them.
#[test]
fn the_outer_keys_of_a_pre_key_message_are_the_sessions() {
    for version in VERSIONS {
        let mut devices = Devices::new(9);
        let (mut alice, mut bob) = devices.sessions(version);
        let message = alice.encrypt_with_rng(b"second", &mut devices.rng).unwrap();
        // Version, then three times tag, length and key: the keys begin at 3, 37 and 71.
        for start in [3, 37, 71] {
            for bit in 0..8 * 32 {
                let mut altered = message.as_bytes().to_vec();
                altered[start + bit / 8] ^= 1 << (bit % 8);
                // The highest bit of a key is always zero: such a message does not even parse.
                let Ok(altered) = PreKeyMessage::from_bytes(&altered) else {
                    assert_eq!(bit, 255);
                    continue;
                };
                assert!(!bob.matches(&altered));
                let altered = OlmMessage::PreKey(altered);
                let error = unchanged(&mut bob, |bob| bob.decrypt(&altered));
                assert_eq!(error, DecryptionError::SessionKeysMismatch);
            }
        }
        assert!(bob.matches(&pre_key(&message)));
        assert_eq!(bob.decrypt(&message).unwrap().plaintext(), b"second");
    }
}

/// S-09: a message of one session is no message of another session of the same two devices.
#[test]
fn sessions_of_the_same_devices_are_told_apart() {
    let mut devices = Devices::new(10);
    let (_, mut bob) = devices.sessions(VERSION);
    let bundles: [PreKeyBundle; 2] = [devices.one_time_bundle(), devices.fallback_bundle()];
    for bundle in bundles {
        let (_, message) = devices.outbound(&bundle, VERSION);
        let message = OlmMessage::PreKey(message);
        let error = unchanged(&mut bob, |bob| bob.decrypt(&message));
        assert_eq!(error, DecryptionError::SessionKeysMismatch);
    }
}
