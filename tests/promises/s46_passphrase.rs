//! S-46: pickles under a passphrase. The parameters are part of the text and bound to the pickle,
//! and the text commits to its key.

use std::time::Duration;

use argon2::{Algorithm, Argon2, Params, Version};
use base64ct::{Base64Unpadded, Encoding};
use moceril::{
    PassphraseCost, PassphraseError, PassphraseKey, PickleError, PickleKey,
    megolm::{GroupSession, InboundGroupSession, ReplayGuard},
    olm::Account,
};
use moceril_testing::{
    pickle_editor::{decode, encode},
    rng::{RecordedRng, SeededRng},
};

const CHEAP: PassphraseCost = PassphraseCost { memory_kib: 16, passes: 1, lanes: 2 };
const LIMIT: PassphraseCost = PassphraseCost::RECOMMENDED_LIMIT;

fn key(seed: u64) -> PassphraseKey {
    PassphraseKey::weak_with_rng("passphrase", CHEAP, &mut SeededRng::new(seed)).unwrap()
}

/// The 64 bytes that a passphrase gives with these parameters.
fn argon2id(passphrase: &str, salt: &[u8; 16], cost: PassphraseCost) -> [u8; 64] {
    let PassphraseCost { memory_kib, passes, lanes } = cost;
    let params = Params::new(memory_kib, passes, lanes, Some(64)).unwrap();
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let mut derived = [0; 64];
    argon2.hash_password_into(passphrase.as_bytes(), salt, &mut derived).unwrap();
    derived
}

#[test]
fn a_pickle_says_how_to_derive_its_key() {
    let room = GroupSession::new(Duration::ZERO).unwrap();
    let inbound = InboundGroupSession::new(&room.session_key());
    let pickle = inbound.pickle_with_passphrase(&key(1), b"here").unwrap();
    assert!(pickle.starts_with("2.argon2id.16.1.2."));
    let derived = PassphraseKey::for_pickle(&pickle, "passphrase", LIMIT).unwrap();
    assert_eq!(derived.cost(), CHEAP);
    let opened = InboundGroupSession::from_passphrase_pickle(&pickle, &derived, b"here").unwrap();
    assert_eq!(opened.session_id(), inbound.session_id());

    let open = |pickle: &str, key: &PassphraseKey, context: &[u8]| {
        InboundGroupSession::from_passphrase_pickle(pickle, key, context).unwrap_err()
    };
    assert_eq!(open(&pickle, &derived, b"there"), PickleError::Authentication);
    assert_eq!(open(&pickle, &key(2), b"here"), PickleError::Authentication);
    // The object types stay apart (S-23).
    let account = Account::from_passphrase_pickle(&pickle, &derived, b"here");
    assert_eq!(account.unwrap_err(), PickleError::ObjectType);

    let guard = ReplayGuard::new(&inbound);
    let pickle = guard.pickle_with_passphrase(&derived, b"here").unwrap();
    let open = |session| ReplayGuard::from_passphrase_pickle(&pickle, &derived, b"here", session);
    assert_eq!(open(&inbound), Ok(guard));
    let other = InboundGroupSession::new(&GroupSession::new(Duration::ZERO).unwrap().session_key());
    assert_eq!(open(&other), Err(PickleError::OtherSession));
}

/// With the same randomness, the text is the same but for what says how to derive the key.
#[test]
fn a_pickle_draws_its_nonce_only() {
    let account = Account::new().unwrap();
    let pickle = |rng: &mut RecordedRng| account.pickle_with_passphrase_with_rng(&key(1), b"", rng);
    let mut rng = RecordedRng::new([7; 25]);
    let first = pickle(&mut rng).unwrap();
    assert_eq!(rng.left(), 1);
    assert_eq!(pickle(&mut RecordedRng::new([7; 24])), Ok(first));
    assert_eq!(pickle(&mut RecordedRng::new([7; 23])), Err(PickleError::Random));
}

/// A wrong passphrase is told before anything is decrypted, and so are altered parameters.
#[test]
fn a_wrong_passphrase_is_told() {
    let pickle = Account::new().unwrap().pickle_with_passphrase(&key(1), b"").unwrap();
    let verdict = |pickle: &str, passphrase: &str| {
        PassphraseKey::for_pickle(pickle, passphrase, LIMIT).map(drop)
    };
    assert_eq!(verdict(&pickle, "passphrase"), Ok(()));
    for wrong in ["", "password", "passphrase ", "Passphrase", "passphras"] {
        assert_eq!(verdict(&pickle, wrong), Err(PassphraseError::WrongPassphrase), "{wrong}");
    }
    // The pickle itself is not looked at.
    let (header, _) = pickle.rsplit_once('.').unwrap();
    for native in ["", "AQEB", "no base64"] {
        assert_eq!(verdict(&format!("{header}.{native}"), "passphrase"), Ok(()));
    }
    for other in ["17.1.2", "16.2.2", "16.1.1"] {
        let altered = pickle.replacen("16.1.2", other, 1);
        assert_eq!(verdict(&altered, "passphrase"), Err(PassphraseError::WrongPassphrase));
    }
    // Every bit of the salt and of the commitment counts.
    for (place, length) in [(5, 16), (6, 32)] {
        for bit in 0..8 * length {
            let mut parts: Vec<_> = pickle.split('.').map(str::to_owned).collect();
            let mut bytes = decode(&parts[place]);
            assert_eq!(bytes.len(), length);
            bytes[bit / 8] ^= 1 << (bit % 8);
            parts[place] = encode(&bytes);
            let altered = verdict(&parts.join("."), "passphrase");
            assert_eq!(altered, Err(PassphraseError::WrongPassphrase), "{place}, bit {bit}");
        }
    }
}

/// S-46: no text opens under two passphrases. Poly1305 is linear, so whoever knows two keys can
/// choose a block of the ciphertext so that one tag holds under both; the commitment in the header
/// holds for one passphrase only, whatever follows.
#[test]
fn s_46_a_text_opens_under_one_passphrase() {
    let salt: [u8; 16] = SeededRng::new(5).bytes();
    let passphrases = ["one passphrase", "another passphrase"];
    let headers = passphrases.map(|passphrase| {
        let rng = &mut RecordedRng::new(salt);
        let key = PassphraseKey::weak_with_rng(passphrase, CHEAP, rng).unwrap();
        let pickle = Account::new().unwrap().pickle_with_passphrase(&key, b"").unwrap();
        pickle.rsplit_once('.').unwrap().0.to_owned()
    });
    let salt_ends = headers[0].rsplit_once('.').unwrap().0.len();
    assert_eq!(headers[0][..salt_ends], headers[1][..salt_ends]);
    assert_ne!(headers[0], headers[1]);
    // Whatever is behind it, each header is accepted with its own passphrase only.
    for (place, header) in headers.iter().enumerate() {
        for (other, passphrase) in passphrases.iter().enumerate() {
            let opened = PassphraseKey::for_pickle(&format!("{header}.AQEB"), passphrase, LIMIT);
            let expected = (place != other).then_some(PassphraseError::WrongPassphrase);
            assert_eq!(opened.err(), expected);
        }
    }
}

/// Key and commitment are what RFC 9106 says, of all that the text names, and the text before the
/// native pickle is bound to it: it cannot be altered, even by whoever knows another text for the
/// same key.
#[test]
fn the_format_is_the_documented_one() {
    let cost = PassphraseCost { memory_kib: 40, passes: 3, lanes: 2 };
    let salt: [u8; 16] = SeededRng::new(1).bytes();
    let key =
        PassphraseKey::weak_with_rng("passphrase", cost, &mut RecordedRng::new(salt)).unwrap();
    let account = Account::new().unwrap();
    let pickle = account.pickle_with_passphrase(&key, b"here").unwrap();
    let derived = argon2id("passphrase", &salt, cost);
    let base64 = Base64Unpadded::encode_string;
    let header = format!("2.argon2id.40.3.2.{}.{}.", base64(&salt), base64(&derived[32..]));
    let native = pickle.strip_prefix(&header).unwrap();

    let derived = PickleKey::from_bytes(*derived.first_chunk().unwrap());
    let context = format!("{header}here");
    let opened = Account::from_pickle(native, &derived, context.as_bytes()).unwrap();
    assert_eq!(opened.identity_keys(), account.identity_keys());
    let unbound = Account::from_pickle(native, &derived, b"here");
    assert_eq!(unbound.unwrap_err(), PickleError::Authentication);

    for altered in ["", "2.argon2id.40.3.2.", &header.replacen("40", "41", 1)] {
        let altered = Account::from_passphrase_pickle(&format!("{altered}{native}"), &key, b"here");
        assert_eq!(altered.unwrap_err(), PickleError::Authentication);
    }
}

/// RFC 9106, section 4: the second recommendation. OWASP's "Password Storage Cheat Sheet": the
/// least for a new key. What a pickle may ask for is near the default.
#[test]
fn the_default_is_what_the_rfc_recommends() {
    let numbers = |PassphraseCost { memory_kib, passes, lanes }| (memory_kib, passes, lanes);
    assert_eq!(numbers(PassphraseCost::default()), (64 * 1024, 3, 4));
    assert_eq!(numbers(PassphraseCost::MINIMUM), (19 * 1024, 2, 1));
    assert_eq!(numbers(LIMIT), (128 * 1024, 4, 8));
}

/// A weak key is made only by the function that has the weakness in its name; every pickle is
/// opened.
#[test]
fn a_weak_key_is_not_made_by_mistake() {
    let least = PassphraseCost::MINIMUM;
    for (cost, what) in [
        (PassphraseCost { memory_kib: least.memory_kib - 1, ..least }, "memory"),
        (PassphraseCost { passes: least.passes - 1, ..least }, "passes"),
        (PassphraseCost { memory_kib: 1 << 20, passes: 1, lanes: 1 }, "passes, with much memory"),
    ] {
        let made = PassphraseKey::new("passphrase", cost);
        assert_eq!(made.unwrap_err(), PassphraseError::LowCost, "{what}");
        let made = PassphraseKey::with_rng("passphrase", cost, &mut SeededRng::new(3));
        assert_eq!(made.unwrap_err(), PassphraseError::LowCost, "{what}");
    }
    for cost in [PassphraseCost::default(), least] {
        let made = PassphraseKey::new("", cost);
        assert_eq!(made.unwrap_err(), PassphraseError::EmptyPassphrase);
        let made = PassphraseKey::with_rng("", cost, &mut SeededRng::new(3));
        assert_eq!(made.unwrap_err(), PassphraseError::EmptyPassphrase);
    }
    let no_lane = PassphraseCost { lanes: 0, ..least };
    assert_eq!(PassphraseKey::new("a", no_lane).unwrap_err(), PassphraseError::LowCost);
    assert_eq!(PassphraseKey::new("a", least).unwrap().cost(), least);

    let weak = PassphraseKey::weak("", CHEAP).unwrap();
    let pickle = Account::new().unwrap().pickle_with_passphrase(&weak, b"").unwrap();
    assert!(PassphraseKey::for_pickle(&pickle, "", LIMIT).is_ok());
}

/// A hostile pickle cannot make us spend more than we allow.
#[test]
fn the_cost_is_limited() {
    let pickle = Account::new().unwrap().pickle_with_passphrase(&key(1), b"").unwrap();
    let with = |numbers: &str| pickle.replacen("16.1.2", numbers, 1);
    let verdict = |pickle: &str| {
        PassphraseKey::for_pickle(pickle, "passphrase", LIMIT).map(drop).unwrap_err()
    };
    for costly in ["131073.1.2", "16.5.2", "1024.1.9", "4294967295.4294967295.4294967295"] {
        assert_eq!(verdict(&with(costly)), PassphraseError::Cost, "{costly}");
    }
    for impossible in ["0.1.2", "16.0.2", "16.1.0", "15.1.2"] {
        assert_eq!(verdict(&with(impossible)), PassphraseError::Cost, "{impossible}");
    }
    for malformed in ["016.1.2", "+16.1.2", "16.1", "x.1.2", "-1.1.2", "4294967296.1.2", ""] {
        assert_eq!(verdict(&with(malformed)), PassphraseError::Format, "{malformed}");
    }
    let too_little = PassphraseCost { memory_kib: 7, passes: 1, lanes: 1 };
    assert_eq!(PassphraseKey::weak("", too_little).unwrap_err(), PassphraseError::Cost);
}

/// A text of another version is told by name; anything else is no such text.
#[test]
fn other_texts_are_refused() {
    let verdict = |pickle: &str| {
        PassphraseKey::for_pickle(pickle, "passphrase", LIMIT).map(drop).unwrap_err()
    };
    // What version 1 wrote, which had no number and no commitment.
    let version_1 = "argon2id.16.1.2.AAAAAAAAAAAAAAAAAAAAAA.AQEB";
    assert_eq!(verdict(version_1), PassphraseError::Version(1));
    let pickle = Account::new().unwrap().pickle_with_passphrase(&key(1), b"").unwrap();
    for version in (0..=255).filter(|version| *version != 2) {
        let other = pickle.replacen("2.", &format!("{version}."), 1);
        assert_eq!(verdict(&other), PassphraseError::Version(version));
    }
    for malformed in ["02.", "+2.", "256.", "-2.", "two.", "."] {
        let malformed = pickle.replacen("2.", malformed, 1);
        assert_eq!(verdict(&malformed), PassphraseError::Format, "{malformed}");
    }
    for text in ["", "2", "2.argon2id", "2.argon2i.16.1.2.AAAA.AAAA.x"] {
        assert_eq!(verdict(text), PassphraseError::Format, "{text}");
    }
    // Parts that are missing, of another length, or with another text for the same bytes.
    for place in [5, 6] {
        let parts: Vec<_> = pickle.split('.').map(str::to_owned).collect();
        let part = &parts[place];
        let padding = if place == 5 { "==" } else { "=" };
        for other in ["", "AAAA", "_", &part[1..], &format!("{part}A"), &format!("{part}{padding}")]
        {
            let mut parts = parts.clone();
            parts[place] = other.to_owned();
            assert_eq!(verdict(&parts.join(".")), PassphraseError::Format, "{place}: {other}");
        }
    }
    let (header, _) = pickle.rsplit_once('.').unwrap();
    assert_eq!(verdict(header), PassphraseError::Format);
}

#[test]
fn draws_what_it_says() {
    let mut rng = RecordedRng::new([7; 16]);
    PassphraseKey::weak_with_rng("passphrase", CHEAP, &mut rng).unwrap();
    assert_eq!(rng.left(), 0);
    let short = PassphraseKey::weak_with_rng("passphrase", CHEAP, &mut RecordedRng::new([7; 15]));
    assert_eq!(short.unwrap_err(), PassphraseError::Random);
}
