//! vodozemac's pickles: a serde form, in whose JSON a secret is an array of decimal digits, and the
//! encrypted JSON.

use moceril::{
    MessageVersion,
    megolm::{GroupSession, InboundGroupSession},
    olm::{Account, Session},
    vodozemac::{
        AccountPickle, Ed25519KeyPair, GroupSessionPickle, InboundGroupSessionPickle, SessionPickle,
    },
};

use super::{keys::published_account, megolm, olm::Devices};
use crate::{
    memcheck,
    secrets::{
        Disclosed::{Pickle, PublicKey, Signature},
        SecretRng, declassify, must_be_secret,
    },
};

fn account() -> Account {
    published_account(&mut SecretRng::new(60))
}

/// A session with a chain of its own.
fn session(devices: &mut Devices) -> Session {
    let (mut alice, _) = devices.sessions();
    devices.send(&mut alice);
    alice
}

fn group_sessions() -> (GroupSession, InboundGroupSession) {
    let session = megolm::new_session(&mut SecretRng::new(62));
    let inbound = megolm::receiver(&session);
    (session, inbound)
}

/// From an object to its serde form and back, without JSON.
pub fn convert() {
    let mut devices = Devices::new(61, MessageVersion::V3);
    let pickle = account().to_vodozemac_pickle_lossy().unwrap().0;
    let account = Account::from_vodozemac_pickle(pickle).unwrap();
    must_be_secret(account.sign(b"still secret").as_bytes());
    let (pickle, _) = session(&mut devices).to_vodozemac_pickle_lossy().unwrap();
    let mut alice = Session::from_vodozemac_pickle(pickle).unwrap();
    must_be_secret(alice.encrypt_with_rng(b"text", &mut devices.rng).unwrap().as_bytes());
    let (group_session, inbound) = group_sessions();
    let pickle = group_session.to_vodozemac_pickle_lossy().unwrap().0;
    let mut group_session = GroupSession::from_vodozemac_pickle(pickle).unwrap();
    must_be_secret(group_session.encrypt(b"text").unwrap().as_bytes());
    let (pickle, _) = inbound.to_vodozemac_pickle_lossy().unwrap();
    let inbound = InboundGroupSession::from_vodozemac_pickle(pickle).unwrap();
    must_be_secret(&inbound.export_at_first_known_index().unwrap().to_bytes());
}

/// The cipher of the encrypted form, with a secret key: of an object whose secrets are known here,
/// because JSON is not written or read in constant time.
pub fn encrypted() {
    let mut rng = SecretRng::new(63);
    let [right, wrong]: [[u8; 32]; 2] = [rng.bytes(), rng.bytes()];
    let account = Account::new().unwrap();
    let pickle = account.to_vodozemac_pickle_lossy().unwrap().0.encrypt(&right).unwrap();
    declassify(Pickle, pickle.as_bytes());
    assert!(AccountPickle::from_encrypted(&pickle, &wrong).is_err());
    assert!(SessionPickle::from_encrypted(&pickle, &wrong).is_err());
    assert!(GroupSessionPickle::from_encrypted(&pickle, &wrong).is_err());
    assert!(InboundGroupSessionPickle::from_encrypted(&pickle, &wrong).is_err());
}

pub fn key_pair() {
    let pair = Ed25519KeyPair::with_rng(&mut SecretRng::new(65)).unwrap();
    declassify(PublicKey, pair.public_key().as_bytes());
    declassify(Signature, pair.sign(b"public").as_bytes());
}

pub fn write_json() {
    let (group_session, inbound) = group_sessions();
    let session = session(&mut Devices::new(64, MessageVersion::V3));
    let pair = Ed25519KeyPair::with_rng(&mut SecretRng::new(65)).unwrap();
    let texts = [
        serde_json::to_string(&account().to_vodozemac_pickle_lossy().unwrap().0),
        serde_json::to_string(&session.to_vodozemac_pickle_lossy().unwrap().0),
        serde_json::to_string(&group_session.to_vodozemac_pickle_lossy().unwrap().0),
        serde_json::to_string(&inbound.to_vodozemac_pickle_lossy().unwrap().0),
        serde_json::to_string(&pair),
    ];
    for text in texts {
        must_be_secret(text.unwrap().as_bytes());
    }
}

/// The JSON, in which these digits are secret from now on.
fn hidden(json: String) -> String {
    for (place, digits) in json.match_indices("100") {
        memcheck::make_undefined(&json.as_bytes()[place..place + digits.len()]);
    }
    json
}

pub fn read_json() {
    let seed = [100; 32];
    let signing_key = serde_json::json!({ "Normal": seed });
    let account = serde_json::json!({
        "signing_key": signing_key,
        "diffie_hellman_key": seed,
        "one_time_keys": { "next_key_id": 0, "public_keys": {}, "private_keys": {} },
        "fallback_keys": { "key_id": 0, "fallback_key": null, "previous_fallback_key": null },
    });
    let pickle: AccountPickle = serde_json::from_str(&hidden(account.to_string())).unwrap();
    Account::from_vodozemac_pickle(pickle).unwrap();
    let pair: Ed25519KeyPair = serde_json::from_str(&hidden(signing_key.to_string())).unwrap();
    must_be_secret(pair.sign(b"still secret").as_bytes());
}
