//! What the crate `compat/vodozemac` uses besides pickles: key pairs in vodozemac's serde form, and
//! session keys that were not checked.

use moceril::{
    Ed25519SecretKey, RandomError,
    hazmat::{Cipher, RawSessionKeys},
    megolm::MegolmMessage,
    olm::{PreKeyMessage, Session},
    vodozemac::Ed25519KeyPair,
};
use moceril_testing::{
    fixtures::{Devices, VERSIONS},
    pickle_editor::{OpenPickle, edit},
    pickled::Pickled,
    rng::{RecordedRng, SeededRng},
    states,
};

/// S-03, S-14: a key pair draws exactly its seed, signs as RFC 8032 says, and comes back from its
/// form.
#[test]
fn s_14_a_key_pair_is_its_seed() {
    let seed = [0x5a; 32];
    let mut rng = RecordedRng::new(seed);
    let pair = Ed25519KeyPair::with_rng(&mut rng).unwrap();
    assert_eq!(rng.left(), 0);
    let key = Ed25519SecretKey::from_bytes(seed);
    assert_eq!(key.to_bytes(), seed);
    assert_eq!(pair.public_key(), key.public_key());
    assert_eq!(pair.sign(b"text"), key.sign(b"text"));
    let form = serde_json::to_value(&pair).unwrap();
    assert_eq!(form, serde_json::json!({ "Normal": seed }));
    let again: Ed25519KeyPair = serde_json::from_value(form).unwrap();
    assert_eq!(again.clone().sign(b"text"), key.sign(b"text"));
    for less in 0..32 {
        let failed = Ed25519KeyPair::with_rng(&mut RecordedRng::new(&seed[..less]));
        assert!(matches!(failed, Err(RandomError { .. })));
    }
    let new = || Ed25519KeyPair::new().unwrap().public_key();
    assert_ne!(new(), new());
}

/// S-14, S-37: a pair without a seed derives its public key, and is refused if that is in the
/// secret.
#[test]
fn s_37_a_key_pair_of_libolms_form() {
    let pair: Ed25519KeyPair =
        serde_json::from_value(serde_json::json!({ "Expanded": vec![9; 64] })).unwrap();
    let signature = pair.sign(b"text");
    pair.public_key().verify(b"text", &signature).unwrap();
    let form = serde_json::to_value(&pair).unwrap();
    assert_eq!(form, serde_json::json!({ "Expanded": vec![9; 64] }));
    let public_in_secret = [[9; 32], *pair.public_key().as_bytes()].concat();
    for bad in [
        serde_json::json!({ "Expanded": public_in_secret }),
        serde_json::json!({ "Expanded": vec![9; 63] }),
        serde_json::json!({ "Normal": vec![9; 33] }),
        serde_json::json!({ "Other": vec![9; 32] }),
    ] {
        assert!(serde_json::from_value::<Ed25519KeyPair>(bad).is_err());
    }
}

/// What the holder of a signing key signs is what the key itself would have.
#[test]
fn a_message_may_be_signed_elsewhere() {
    for version in VERSIONS {
        let (cipher, key) = (Cipher::megolm(&[3; 128]), Ed25519SecretKey::from_bytes([7; 32]));
        let whole = MegolmMessage::encrypt(version, 5, &cipher, &key, b"text");
        let sign = |bytes: &[u8]| key.sign(bytes);
        let elsewhere = MegolmMessage::encrypt_signed_by(version, 5, &cipher, sign, b"text");
        assert_eq!(whole, elsewhere);
    }
}

/// S-01: unchecked keys name a session and wrap a message as checked ones do; with a bad key among
/// them the message is refused when it is parsed.
#[test]
fn s_01_raw_session_keys() {
    for version in VERSIONS {
        let mut devices = Devices::new(1);
        let (to_bob, message) = devices.outbound(&devices.one_time_bundle(), version);
        let keys = to_bob.session_keys();
        let raw = RawSessionKeys {
            identity_key: *keys.identity_key.as_bytes(),
            base_key: *keys.base_key.as_bytes(),
            one_time_key: *keys.one_time_key.as_bytes(),
        };
        assert_eq!(raw.session_id(), to_bob.session_id());
        assert_eq!(raw.wrap(message.message()), message.as_bytes());
        let bad = RawSessionKeys { base_key: [0; 32], ..raw };
        assert_ne!(bad.session_id(), to_bob.session_id());
        assert!(PreKeyMessage::from_bytes(&bad.wrap(message.message())).is_err());
    }
}

/// S-11, S-24: a chain of the peer that has used its last index has a form; one of ours has none.
#[test]
fn s_24_an_exhausted_chain_of_the_peer() {
    let mut found = 0;
    for version in VERSIONS {
        for state in states::sessions(version, &mut SeededRng::new(2)) {
            let open = OpenPickle::open(&state.session.snapshot());
            if !open.fields().iter().any(|field| field.name == "receivers[0].index") {
                continue;
            }
            found += 1;
            let exhausted = edit(&state.session.snapshot(), |open| {
                open.set_number("receivers[0].index", 1 << 32);
            });
            let session = Session::restore(&exhausted).unwrap();
            if state.name != "exhausted" {
                let (pickle, _) = session.to_vodozemac_pickle_lossy().unwrap();
                let read = Session::from_vodozemac_pickle(pickle).unwrap();
                let read = OpenPickle::open(&read.snapshot());
                assert_eq!(read.number("receivers[0].index"), 1 << 32, "{}", state.name);
            }
        }
    }
    assert!(found >= 8, "{found} sessions have received something");
}
