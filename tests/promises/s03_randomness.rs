//! S-03: each key is drawn when it is made, from the operating system or from the caller's source;
//! a source that fails is an error, and nothing is made or changed.

use std::{collections::HashSet, process::Command, time::Duration};

use moceril::{
    Ed25519SecretKey, PickleKey,
    ecies::Ecies,
    megolm::{GroupSession, GroupSessionConfig},
    olm::{
        Account, EncryptionError, KeyGenerationError, OlmMessage, PreKeyBundle, Session,
        SessionConfig, SessionCreationError,
    },
    sas::Sas,
};
use moceril_testing::{
    fixtures::{VERSIONS, config},
    pickle_editor::{CONTEXT, KEY, OpenPickle, decode},
    pickled::Pickled,
    rng::{RecordedRng, SeededRng},
    states,
};

/// Something that draws: its name, how many bytes it is documented to draw, and what it makes of
/// them, as text. An error of another kind than a failing source panics.
type Draw = (&'static str, usize, fn(&mut RecordedRng) -> Result<String, ()>);

/// An account with a one-time key, always the same.
fn account() -> Account {
    states::account(1, &mut SeededRng::new(1))
}

fn bundle() -> PreKeyBundle {
    states::bundle(&account())
}

/// Runs a call that changes an object, which a failing source must not do (S-04).
fn changing<T: Pickled, V, E>(
    mut object: T,
    call: impl FnOnce(&mut T) -> Result<V, E>,
    random: impl FnOnce(E),
) -> Result<String, ()> {
    let before = object.snapshot();
    match call(&mut object) {
        Ok(_) => Ok(object.snapshot()),
        Err(error) => {
            random(error);
            assert_eq!(object.snapshot(), before);
            Err(())
        }
    }
}

fn generation_failed(error: KeyGenerationError) {
    assert_eq!(error, KeyGenerationError::Random);
}

fn encryption_failed(error: EncryptionError) {
    assert_eq!(error, EncryptionError::Random);
}

/// Bob, whose next message begins a new chain, and Alice, who is in the middle of one.
fn bob() -> Session {
    states::pair(config(VERSIONS[0]), &mut SeededRng::new(2)).1
}

fn alice() -> Session {
    states::pair(config(VERSIONS[0]), &mut SeededRng::new(2)).0
}

const DRAWS: [Draw; 14] = [
    ("Account::with_rng", 64, |rng| Ok(Account::with_rng(rng).map_err(|_| ())?.snapshot())),
    ("no one-time keys", 0, |rng| {
        let generate = |account: &mut Account| account.generate_one_time_keys_with_rng(0, rng);
        changing(account(), generate, generation_failed)
    }),
    ("three one-time keys", 96, |rng| {
        let generate = |account: &mut Account| account.generate_one_time_keys_with_rng(3, rng);
        changing(account(), generate, generation_failed)
    }),
    ("a fallback key", 32, |rng| {
        let generate = |account: &mut Account| account.generate_fallback_key_with_rng(rng);
        changing(account(), generate, generation_failed)
    }),
    ("an outbound session", 64, |rng| {
        let session =
            account().create_outbound_session_with_rng(&bundle(), SessionConfig::default(), rng);
        match session {
            Ok(session) => Ok(session.snapshot()),
            Err(error) => {
                assert_eq!(error, SessionCreationError::Random);
                Err(())
            }
        }
    }),
    ("the first message of a chain", 32, |rng| {
        let write = |session: &mut Session| session.encrypt_with_rng(b"text", rng);
        changing(bob(), write, encryption_failed)
    }),
    ("another message of the chain", 0, |rng| {
        let write = |session: &mut Session| session.encrypt_with_rng(b"text", rng);
        changing(alice(), write, encryption_failed)
    }),
    ("GroupSession::with_rng", 160, |rng| {
        let session = GroupSession::with_rng(GroupSessionConfig::default(), rng);
        Ok(session.map_err(|_| ())?.snapshot())
    }),
    ("a pickle", 24, |rng| {
        account().pickle_with_rng(&PickleKey::from_bytes(KEY), CONTEXT, rng).map_err(|error| {
            assert_eq!(error, moceril::PickleError::Random);
        })
    }),
    ("a dehydrated device", 12, |rng| {
        match account().dehydrate_with_rng(&PickleKey::from_bytes(KEY), rng) {
            Ok(device) => Ok(device.nonce + &device.ciphertext),
            Err(error) => {
                assert_eq!(error, moceril::DehydratedDeviceError::Random);
                Err(())
            }
        }
    }),
    ("Ed25519SecretKey::with_rng", 32, |rng| {
        Ok(Ed25519SecretKey::with_rng(rng).map_err(|_| ())?.to_base64().to_string())
    }),
    ("PickleKey::with_rng", 32, |rng| {
        Ok(PickleKey::with_rng(rng).map_err(|_| ())?.to_base64().to_string())
    }),
    ("Sas::with_rng", 32, |rng| Ok(Sas::with_rng(rng).map_err(|_| ())?.public_key().to_base64())),
    ("Ecies::with_rng", 32, |rng| {
        Ok(Ecies::with_rng(rng).map_err(|_| ())?.public_key().to_base64())
    }),
];

/// Each operation draws exactly the documented bytes: with as many it works, and leaves none; with
/// any number less it fails and changes nothing.
#[test]
fn s_03_exactly_the_documented_bytes_are_drawn() {
    for (name, length, draw) in DRAWS {
        let bytes: Vec<u8> = (0..length).map(|place| place as u8 + 1).collect();
        let mut rng = RecordedRng::new(bytes.clone());
        let made = draw(&mut rng).unwrap_or_else(|()| panic!("{name} draws more"));
        assert_eq!(rng.left(), 0, "{name}");
        let with_more = &mut RecordedRng::new([bytes.as_slice(), &[0xee; 7]].concat());
        assert_eq!(draw(with_more), Ok(made), "{name}");
        assert_eq!(with_more.left(), 7, "{name}");
        for less in 0..length {
            let failed = draw(&mut RecordedRng::new(&bytes[..less]));
            assert_eq!(failed, Err(()), "{name} with {less} bytes");
        }
    }
}

/// Every byte that is drawn counts: one bit less of randomness would show here. (The five bits that
/// X25519 clamps are stored as they were drawn, so they count in the pickle but not in a public
/// key.)
#[test]
fn s_03_every_drawn_byte_is_used() {
    for (name, length, draw) in DRAWS {
        let made = |bytes: Vec<u8>| draw(&mut RecordedRng::new(bytes)).unwrap();
        // No two keys are the same: that would be an error.
        let drawn: Vec<u8> = (0..length).map(|place| 7 + 16 * (place / 32) as u8).collect();
        let unchanged = made(drawn.clone());
        for place in 0..length {
            let mut bytes = drawn.clone();
            bytes[place] ^= 0x08;
            assert_ne!(made(bytes), unchanged, "{name}, byte {place}");
        }
    }
}

/// The bytes become the keys that they are documented to become.
#[test]
fn s_03_the_drawn_bytes_are_the_keys() {
    let drawn: [u8; 160] = SeededRng::new(3).bytes();
    let rng = || RecordedRng::new(drawn);
    let account = Account::with_rng(&mut rng()).unwrap();
    let state = OpenPickle::open(&account.snapshot());
    assert_eq!(state.get("signing_key.seed"), &drawn[..32]);
    assert_eq!(state.get("identity_key.secret"), &drawn[32..64]);

    let mut account = self::account();
    account.generate_one_time_keys_with_rng(2, &mut rng()).unwrap();
    let state = OpenPickle::open(&account.snapshot());
    assert_eq!(state.get("keys[1].secret"), &drawn[..32]);
    assert_eq!(state.get("keys[2].secret"), &drawn[32..64]);

    let config = SessionConfig::default();
    let session = account.create_outbound_session_with_rng(&bundle(), config, &mut rng()).unwrap();
    let state = OpenPickle::open(&session.snapshot());
    assert_eq!(state.get("sender.ratchet_key.secret"), &drawn[32..64]);
    let base_key = x25519_dalek::StaticSecret::from(*drawn.first_chunk::<32>().unwrap());
    let base_key = x25519_dalek::PublicKey::from(&base_key);
    assert_eq!(session.session_keys().base_key.as_bytes(), base_key.as_bytes());

    let session = GroupSession::with_rng(GroupSessionConfig::default(), &mut rng()).unwrap();
    let state = OpenPickle::open(&session.snapshot());
    assert_eq!(state.get("ratchet"), &drawn[..128]);
    assert_eq!(state.get("signing_key.seed"), &drawn[128..]);

    let pickle = session.pickle_with_rng(&PickleKey::from_bytes(KEY), CONTEXT, &mut rng()).unwrap();
    assert_eq!(decode(&pickle)[2..26], drawn[..24]);
}

/// A session that could not write for lack of randomness writes as soon as there is some.
#[test]
fn s_03_a_failing_source_can_be_retried() {
    let mut bob = bob();
    let failed = bob.encrypt_with_rng(b"text", &mut RecordedRng::new([]));
    assert_eq!(failed, Err(EncryptionError::Random));
    let written = bob.encrypt_with_rng(b"text", &mut SeededRng::new(4)).unwrap();
    assert!(matches!(written, OlmMessage::Normal(_)));
    assert_eq!(alice().decrypt(&written).unwrap().plaintext(), b"text");
}

/// What a process that was started by the test below is asked for.
const CHILD: &str = "MOCERIL_TEST_CHILD";

/// The public keys of a new account and the id of a new group session.
fn fresh_keys() -> [String; 3] {
    let account = Account::new().unwrap();
    let session = GroupSession::new(Duration::ZERO).unwrap();
    let (ed25519, curve25519) = (account.ed25519_key(), account.curve25519_key());
    [ed25519.to_base64(), curve25519.to_base64(), session.session_id()]
}

/// Four processes that were started anew make different keys, and so does one process each time.
/// `tests/s49_fork.rs` forks a process that has drawn before.
#[test]
fn s_03_processes_do_not_share_keys() {
    let mut keys: Vec<String> = fresh_keys().into();
    if std::env::var_os(CHILD).is_some() {
        println!("keys {}", keys.join(" "));
        return;
    }
    keys.extend(fresh_keys());
    for _ in 0..3 {
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "s03_randomness::s_03_processes_do_not_share_keys", "--nocapture"])
            .env(CHILD, "1")
            .output()
            .unwrap();
        let output = String::from_utf8(child.stdout).unwrap();
        let line = output.lines().find_map(|line| line.split_once("keys ")).unwrap().1;
        keys.extend(line.split(' ').map(str::to_owned));
    }
    assert_eq!(keys.len(), 5 * 3);
    assert!(keys.iter().all(|key| key.len() == 43));
    assert_eq!(keys.iter().collect::<HashSet<_>>().len(), keys.len());
}
