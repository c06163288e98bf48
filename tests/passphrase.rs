//! Pickles under a passphrase: the parameters travel with the pickle and are bound to it.
#![cfg(feature = "passphrase")]

mod common;

use argon2::{Algorithm, Argon2, Params, Version};
use base64ct::{Base64Unpadded, Encoding};
use common::rng::{RecordedRng, SeededRng};
use moceril::{
    PassphraseCost, PassphraseError, PassphraseKey, PickleError, PickleKey,
    megolm::{GroupSession, InboundGroupSession},
    olm::Account,
};

const CHEAP: PassphraseCost = PassphraseCost { memory_kib: 16, passes: 1, lanes: 2 };

fn key(seed: u64) -> PassphraseKey {
    PassphraseKey::with_rng("passphrase", CHEAP, &mut SeededRng::new(seed)).unwrap()
}

#[test]
fn a_pickle_says_how_to_derive_its_key() {
    let room = GroupSession::new().unwrap();
    let inbound = InboundGroupSession::new(&room.session_key());
    let pickle = inbound.pickle_with_passphrase(&key(1), b"here").unwrap();
    assert!(pickle.starts_with("argon2id.16.1.2."));
    let derived = PassphraseKey::for_pickle(&pickle, "passphrase", PassphraseCost::MAX).unwrap();
    let opened = InboundGroupSession::from_passphrase_pickle(&pickle, &derived, b"here").unwrap();
    assert_eq!(opened.session_id(), inbound.session_id());

    let open = |pickle: &str, key: &PassphraseKey, context: &[u8]| {
        InboundGroupSession::from_passphrase_pickle(pickle, key, context).unwrap_err()
    };
    let wrong = PassphraseKey::for_pickle(&pickle, "password", PassphraseCost::MAX).unwrap();
    assert_eq!(open(&pickle, &wrong, b"here"), PickleError::Authentication);
    assert_eq!(open(&pickle, &derived, b"there"), PickleError::Authentication);
    assert_eq!(open(&pickle, &key(2), b"here"), PickleError::Authentication);
    // The object types stay apart (S-23).
    let account = Account::from_passphrase_pickle(&pickle, &derived, b"here");
    assert_eq!(account.unwrap_err(), PickleError::ObjectType);
}

/// The key is what RFC 9106 says, of all that the text names, and the text before the native pickle is
/// bound to it: it cannot be altered, even by whoever knows another text for the same key.
#[test]
fn the_format_is_the_documented_one() {
    let cost = PassphraseCost { memory_kib: 40, passes: 3, lanes: 2 };
    let salt: [u8; 16] = SeededRng::new(1).bytes();
    let key = PassphraseKey::with_rng("passphrase", cost, &mut RecordedRng::new(salt)).unwrap();
    let account = Account::new().unwrap();
    let pickle = account.pickle_with_passphrase(&key, b"here").unwrap();
    let header = format!("argon2id.40.3.2.{}.", Base64Unpadded::encode_string(&salt));
    let native = pickle.strip_prefix(&header).unwrap();

    let mut derived = [0; 32];
    let params = Params::new(40, 3, 2, Some(32)).unwrap();
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    argon2.hash_password_into(b"passphrase", &salt, &mut derived).unwrap();
    let derived = PickleKey::new(derived);
    let context = format!("{header}here");
    let opened = Account::from_pickle(native, &derived, context.as_bytes()).unwrap();
    assert_eq!(opened.identity_keys(), account.identity_keys());
    let unbound = Account::from_pickle(native, &derived, b"here");
    assert_eq!(unbound.unwrap_err(), PickleError::Authentication);

    for altered in ["", "argon2id.40.3.2.", "argon2id.41.3.2.AAAAAAAAAAAAAAAAAAAAAA."] {
        let altered = Account::from_passphrase_pickle(&format!("{altered}{native}"), &key, b"here");
        assert_eq!(altered.unwrap_err(), PickleError::Authentication);
    }
}

/// RFC 9106, section 4: the second recommendation. And what a pickle may ask for at most.
#[test]
fn the_default_is_what_the_rfc_recommends() {
    let PassphraseCost { memory_kib, passes, lanes } = PassphraseCost::default();
    assert_eq!((memory_kib, passes, lanes), (64 * 1024, 3, 4));
    let PassphraseCost { memory_kib, passes, lanes } = PassphraseCost::MAX;
    assert_eq!((memory_kib, passes, lanes), (1024 * 1024, 16, 16));
}

/// A hostile pickle cannot make us spend more than we allow.
#[test]
fn the_cost_is_limited() {
    let key = PassphraseKey::new("passphrase", CHEAP).unwrap();
    let pickle = Account::new().unwrap().pickle_with_passphrase(&key, b"").unwrap();
    let with = |numbers: &str| pickle.replacen("16.1.2", numbers, 1);
    let verdict = |pickle: &str| {
        PassphraseKey::for_pickle(pickle, "passphrase", PassphraseCost::MAX)
            .map(|_| ())
            .unwrap_err()
    };
    for costly in ["1048577.1.2", "16.17.2", "1024.1.17", "4294967295.4294967295.4294967295"] {
        assert_eq!(verdict(&with(costly)), PassphraseError::Cost, "{costly}");
    }
    for impossible in ["0.1.2", "16.0.2", "16.1.0", "15.1.2"] {
        assert_eq!(verdict(&with(impossible)), PassphraseError::Cost, "{impossible}");
    }
    for malformed in ["016.1.2", "+16.1.2", "16.1", "x.1.2", "-1.1.2", "4294967296.1.2", ""] {
        assert_eq!(verdict(&with(malformed)), PassphraseError::Format, "{malformed}");
    }
    for text in
        ["", "argon2id", "argon2i.16.1.2.AAAA.x", "argon2id.16.1.2.AAAA.x", "argon2id.16.1.2._.x"]
    {
        assert_eq!(verdict(text), PassphraseError::Format, "{text}");
    }
    let too_little = PassphraseCost { memory_kib: 7, passes: 1, lanes: 1 };
    assert_eq!(PassphraseKey::new("", too_little).unwrap_err(), PassphraseError::Cost);
}

#[test]
fn draws_what_it_says() {
    let mut rng = RecordedRng::new([7; 16]);
    PassphraseKey::with_rng("passphrase", CHEAP, &mut rng).unwrap();
    assert_eq!(rng.left(), 0);
    let short = PassphraseKey::with_rng("passphrase", CHEAP, &mut RecordedRng::new([7; 15]));
    assert_eq!(short.unwrap_err(), PassphraseError::Random);
}
