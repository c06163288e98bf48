//! Pickles under a passphrase: the parameters travel with the pickle and are bound to it.
#![cfg(feature = "passphrase")]

mod common;

use common::rng::{RecordedRng, SeededRng};
use moceril::{
    PassphraseCost, PassphraseError, PassphraseKey, PickleError,
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
