//! README.md, "Failures": what shares an error, and all that panics.

use std::panic::{AssertUnwindSafe, catch_unwind};

use serde::de::DeserializeOwned;
use vodozemac::{
    Curve25519SecretKey, Ed25519Keypair, Ed25519SecretKey, base64_encode,
    ecies::{self, Ecies, EstablishedEcies},
    hpke::{HpkeRecipientChannel, HpkeSenderChannel},
    megolm::{GroupSession, InboundGroupSession, SessionConfig},
    olm::{self, DecryptionError, EncryptionError, SessionPickle},
};
use zeroize::Zeroize;

use super::{edited, pair, sessions};

fn panics<T>(run: impl FnOnce() -> T) -> bool {
    catch_unwind(AssertUnwindSafe(run)).is_err()
}

fn channel() -> (EstablishedEcies, EstablishedEcies) {
    let (showing, scanning) = (Ecies::new(), Ecies::new());
    let scanning = scanning.establish_outbound_channel(showing.public_key(), b"hello").unwrap();
    let showing = showing.establish_inbound_channel(&scanning.message).unwrap();
    (showing.ecies, scanning.ecies)
}

/// S-11: a session that has used its last index says so with the one error it has.
#[test]
fn s_11_the_last_index_of_an_olm_session() {
    let (session, _) = sessions();
    let mut json = serde_json::to_value(session.pickle()).unwrap();
    json["sending_ratchet"]["symmetric_key_ratchet"]["index"] = u32::MAX.into();
    let pickle: SessionPickle = serde_json::from_value(json).unwrap();
    let mut session = olm::Session::from(pickle);
    session.encrypt("the last one").unwrap();
    let refused = session.encrypt("one more").unwrap_err();
    assert!(matches!(refused, EncryptionError::NonContributoryKey));
    assert!(panics(|| session.pickle()));
}

#[test]
fn s_11_the_last_index_of_a_group_session() {
    let mut session =
        edited(&GroupSession::default(), |json| json["ratchet"]["counter"] = u32::MAX.into());
    let mut receiver = InboundGroupSession::from(&session);
    let message = session.encrypt("the last one");
    assert_eq!(receiver.decrypt(&message).unwrap().plaintext, b"the last one");
    assert!(panics(|| session.encrypt("one more")));
    assert!(panics(|| session.pickle()));
}

/// S-22: a key that was used and a key that was dropped are both missing.
#[test]
fn s_22_missing_message_keys() {
    let (mut sender, mut receiver) = sessions();
    let messages: Vec<_> = (0..42).map(|_| sender.encrypt("text").unwrap()).collect();
    // Forty keys are kept for those that are late, and one of these 41 is not.
    receiver.decrypt(&messages[41]).unwrap();
    let dropped = receiver.decrypt(&messages[0]).unwrap_err();
    assert!(matches!(dropped, DecryptionError::MissingMessageKey(1)));
    receiver.decrypt(&messages[1]).unwrap();
    let used = receiver.decrypt(&messages[1]).unwrap_err();
    assert!(matches!(used, DecryptionError::MissingMessageKey(2)));
}

/// S-25: a wiped session key is the same but for zeros where it was secret, which make no session;
/// a wiped channel sends nothing.
#[test]
fn s_25_after_zeroize() {
    let sender = GroupSession::default();
    let mut exported = InboundGroupSession::from(&sender).export_at_first_known_index();
    let mut key = sender.session_key();
    let wiped = |mut bytes: Vec<u8>| {
        assert!(bytes[5..133].iter().any(|byte| *byte != 0));
        bytes[1..133].fill(0);
        bytes
    };
    let (wiped_key, wiped_exported) = (wiped(key.to_bytes()), wiped(exported.to_bytes()));
    // Twice is not too often.
    for _ in 0..2 {
        key.zeroize();
        exported.zeroize();
    }
    for (bytes, base64, json, wiped) in [
        (key.to_bytes(), key.to_base64(), serde_json::to_value(&key), wiped_key),
        (
            exported.to_bytes(),
            exported.to_base64(),
            serde_json::to_value(&exported),
            wiped_exported,
        ),
    ] {
        assert_eq!(bytes, wiped);
        assert_eq!(base64, base64_encode(&wiped));
        assert_eq!(json.unwrap(), base64);
    }
    let config = SessionConfig::version_1();
    assert!(panics(|| InboundGroupSession::new(&key, config)));
    assert!(panics(|| InboundGroupSession::import(&exported, config)));

    let (mut showing, mut scanning) = channel();
    let message = scanning.encrypt(b"text");
    showing.zeroize();
    assert!(panics(|| showing.encrypt(b"text")));
    assert!(matches!(showing.decrypt(&message), Err(ecies::Error::Decryption)));
}

/// S-01: keys that no honest peer has, where there is no room for an error.
#[cfg(feature = "low-level-api")]
#[test]
fn s_01_bad_keys_in_the_low_level_api() {
    use vodozemac::{
        Curve25519PublicKey,
        hazmat::olm::MessageKey,
        olm::{Account, RatchetPublicKey, Session, SessionKeys},
    };

    let good = Account::new().curve25519_key();
    let from_root = |keys: [Curve25519PublicKey; 3]| {
        let [identity_key, base_key, one_time_key] = keys;
        let keys = SessionKeys { identity_key, base_key, one_time_key };
        let config = olm::SessionConfig::version_1();
        Session::from_root_key_material(config, keys, [1; 32], [2; 32], [3; 32])
    };
    let encrypt = |key: [u8; 32], index| {
        MessageKey::new(Box::new([4; 32]), RatchetPublicKey::from(key), index)
            .encrypt_truncated_mac(b"text")
    };
    from_root([good; 3]).encrypt("text").unwrap();
    encrypt(good.to_bytes(), u32::MAX.into());
    assert!(panics(|| encrypt(good.to_bytes(), 1 << 32)));
    for bad in super::bad_keys() {
        for place in 0..3 {
            let mut keys = [good; 3];
            keys[place] = bad.into();
            assert!(panics(|| from_root(keys)));
        }
        assert!(panics(|| encrypt(bad, 0)));
    }
}

/// S-29: an error does not repeat the key that was found in another form.
#[test]
fn s_29_errors_of_private_keys() {
    fn refusal<T: DeserializeOwned>(json: &str) -> String {
        serde_json::from_str::<T>(json).err().unwrap().to_string()
    }
    let text = "c2VjcmV0IGtleSB0aGF0IG5vYm9keSBtYXkgcHJpbnQ";
    let list = |first: &str| format!("[{first}{}]", ",7".repeat(31));
    let forms = [
        (format!("\"{text}\""), text),
        (list("\"98765\""), "98765"),
        (list("98765"), "98765"),
        (list("-98765"), "98765"),
        ("98765".to_owned(), "98765"),
        ("{\"98765\":1}".to_owned(), "98765"),
    ];
    for (json, secret) in forms {
        let errors = [
            refusal::<Curve25519SecretKey>(&json),
            refusal::<Ed25519SecretKey>(&json),
            refusal::<Ed25519Keypair>(&json),
        ];
        for error in errors {
            assert!(!error.contains(secret), "{error}");
        }
    }
}

/// S-29: nothing that is printed holds a plaintext or a check code, and no session its keys.
#[test]
fn s_29_debug() {
    const SECRET: [u8; 24] = *b"this must not be printed";
    let mut printed = Vec::new();

    let (alice, mut bob, mut session, _) = pair();
    let message = session.encrypt(SECRET).unwrap();
    let olm::OlmMessage::PreKey(message) = message else { panic!() };
    let config = olm::SessionConfig::version_1();
    let created = bob.create_inbound_session(config, alice.curve25519_key(), &message).unwrap();
    assert_eq!(created.plaintext, SECRET);
    printed.push((format!("{created:?} {session:?} {message:?}"), SECRET.to_vec()));
    let chain_key = serde_json::to_value(session.pickle()).unwrap();
    let chain_key = chain_key["sending_ratchet"]["symmetric_key_ratchet"]["key"].clone();
    printed.push((format!("{session:?}"), serde_json::from_value(chain_key).unwrap()));

    let mut sender = GroupSession::default();
    let decrypted = InboundGroupSession::from(&sender).decrypt(&sender.encrypt(SECRET)).unwrap();
    assert_eq!(decrypted.plaintext, SECRET);
    printed.push((format!("{decrypted:?}"), SECRET.to_vec()));

    let (showing, scanning) = (Ecies::new(), Ecies::new());
    let scanning = scanning.establish_outbound_channel(showing.public_key(), &SECRET).unwrap();
    let showing = showing.establish_inbound_channel(&scanning.message).unwrap();
    assert_eq!(showing.message, SECRET);
    printed.push((format!("{showing:?} {scanning:?}"), SECRET.to_vec()));
    // Two bytes could stand anywhere by chance, so what holds the check code is compared with all
    // that may be printed.
    assert_eq!(format!("{:?}", showing.ecies.check_code()), "CheckCode(CheckCode(..))");
    let [ours, theirs] =
        [showing.ecies.public_key(), scanning.ecies.public_key()].map(|key| format!("{key:?}"));
    assert_eq!(
        format!("{:?}", showing.ecies),
        format!("EstablishedEcies {{ our_public_key: {ours}, their_public_key: {theirs}, .. }}")
    );

    let (showing, scanning) = (HpkeRecipientChannel::new(), HpkeSenderChannel::new());
    let scanning = scanning.establish_channel(showing.public_key(), &SECRET, b"").unwrap();
    let showing = showing.establish_channel(&scanning.message, b"").unwrap();
    assert_eq!(showing.message, SECRET);
    printed.push((format!("{showing:?}"), SECRET.to_vec()));

    for (text, secret) in printed {
        // As text, as a list of numbers, and as hexadecimal digits.
        let list = format!("{secret:?}");
        let list = list.trim_matches(['[', ']']).to_owned();
        let hex: String = secret.iter().map(|byte| format!("{byte:02x}")).collect();
        let forms = [String::from_utf8_lossy(&secret).into_owned(), list, hex];
        for form in forms {
            assert!(!text.contains(&form), "{form} in {text}");
        }
    }
}
