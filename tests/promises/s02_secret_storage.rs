//! S-02, S-03, S-28, S-29, S-45: secret storage, in the Matrix specification's format, also hostile
//! descriptions of keys.

use base64ct::{Base64Unpadded, Encoding};
use moceril::{
    Base64Error, RandomError, SecretString,
    recovery_key::RecoveryKeyError,
    secret_storage::{
        EncryptedSecret, KeyDescription, MAX_ITERATIONS, PassphraseParameters, SecretStorageError,
        SecretStorageKey,
    },
};
use moceril_testing::{
    rng::{RecordedRng, SeededRng},
    vector_file::{Layer, VectorFile, assert_at_least, check_each, files},
};
use serde_json::{Value, json};

const NAME: &str = "m.megolm_backup.v1";
const SECRET: &str = "dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LCo";

fn key() -> SecretStorageKey {
    SecretStorageKey::with_rng(&mut SeededRng::new(1)).unwrap()
}

fn secret(text: &str) -> SecretString {
    SecretString::from(text.to_owned())
}

fn sealed(name: &str, text: &str) -> EncryptedSecret {
    key().encrypt_with_rng(name, &secret(text), &mut SeededRng::new(2)).unwrap()
}

fn object(file: &VectorFile) -> Value {
    let [iv, ciphertext, mac] = ["iv", "ciphertext", "mac"].map(|name| file.text(name));
    json!({ "iv": iv, "ciphertext": ciphertext, "mac": mac })
}

#[test]
fn vectors() {
    let files = files("secret-storage");
    check_each(&files, |file| {
        assert_eq!(file.kind, "secret-storage");
        let (key, name) = (SecretStorageKey::from_bytes(file.array("key")), file.text("name"));
        let object = object(file);
        let secret = EncryptedSecret::from_json(&object);
        let decrypted = secret.clone().and_then(|secret| key.decrypt(name, &secret));
        if let Some(layer) = file.expect {
            let found = match decrypted.unwrap_err() {
                SecretStorageError::Base64(_) => Layer::Base64,
                SecretStorageError::Length { .. } | SecretStorageError::NotText => Layer::Format,
                SecretStorageError::Authentication => Layer::Mac,
                error => panic!("{error:?} has no layer"),
            };
            return assert_eq!(found, layer);
        }
        let (secret, decrypted) = (secret.unwrap(), decrypted.unwrap());
        assert_eq!(decrypted.as_bytes(), file.bytes("plaintext"));
        assert_eq!(secret.to_json(), object);
        // Bit 63 is cleared, so only an IV without it is drawn.
        let again =
            key.encrypt_with_rng(name, &decrypted, &mut RecordedRng::new(secret.iv)).unwrap();
        assert_eq!(again == secret, secret.iv[8] < 0x80);
        if name.is_empty() {
            let mut description = object;
            description["algorithm"] = json!("m.secret_storage.v1.aes-hmac-sha2");
            let description = KeyDescription::from_json(&description).unwrap();
            assert_eq!(description.check(&key), Ok(true));
            let error = description.check(&self::key());
            assert_eq!(error, Err(SecretStorageError::Authentication));
        }
    });
    assert_at_least(&files, "secret-storage", 7, 8);
}

#[test]
fn passphrase_vectors() {
    let files = files("secret-storage-passphrase");
    check_each(&files, |file| {
        assert_eq!((file.kind.as_str(), file.expect), ("secret-storage-passphrase", None));
        let (salt, iterations) = (file.text("salt").to_owned(), file.number("iterations"));
        let parameters = PassphraseParameters { salt, iterations };
        let passphrase = String::from_utf8(file.bytes("passphrase")).unwrap();
        let key = SecretStorageKey::from_passphrase(&passphrase, &parameters, iterations).unwrap();
        assert_eq!(key.to_bytes(), file.array("key"));
        let refused = SecretStorageKey::from_passphrase(&passphrase, &parameters, iterations - 1);
        let maximum = iterations - 1;
        assert_eq!(refused.err(), Some(SecretStorageError::Iterations { iterations, maximum }));
    });
    assert_at_least(&files, "secret-storage-passphrase", 2, 0);
}

/// S-28: every bit of the ciphertext and the MAC counts, and so do name and key.
#[test]
fn what_was_altered_is_refused() {
    let (key, genuine) = (key(), sealed(NAME, SECRET));
    assert_eq!(&*key.decrypt(NAME, &genuine).unwrap(), SECRET);
    let refused = |key: &SecretStorageKey, name, secret: &EncryptedSecret| {
        let error = key.decrypt(name, secret).unwrap_err();
        assert_eq!(error, SecretStorageError::Authentication);
    };
    for bit in 0..genuine.ciphertext.len() * 8 {
        let mut altered = genuine.clone();
        altered.ciphertext[bit / 8] ^= 1 << (bit % 8);
        refused(&key, NAME, &altered);
    }
    for bit in 0..256 {
        let mut altered = genuine.clone();
        altered.mac[bit / 8] ^= 1 << (bit % 8);
        refused(&key, NAME, &altered);
    }
    for length in 0..genuine.ciphertext.len() {
        let mut cut = genuine.clone();
        cut.ciphertext.truncate(length);
        refused(&key, NAME, &cut);
    }
    refused(&key, "", &genuine);
    refused(&key, "m.megolm_backup.v2", &genuine);
    refused(&SecretStorageKey::from_bytes([1; 32]), NAME, &genuine);
}

/// The MAC of the specification does not cover the IV: with another one the secret is another text,
/// or none.
#[test]
fn the_iv_is_not_authenticated() {
    let (key, genuine) = (key(), sealed(NAME, SECRET));
    let short = sealed(NAME, "42");
    let (mut texts, mut refused) = (0, 0);
    for bit in 0..128 {
        let altered = |secret: &EncryptedSecret| {
            let mut altered = secret.clone();
            altered.iv[bit / 8] ^= 1 << (bit % 8);
            key.decrypt(NAME, &altered)
        };
        for (decrypted, original) in [(altered(&genuine), SECRET), (altered(&short), "42")] {
            match decrypted {
                Ok(text) => {
                    assert_ne!(&*text, original);
                    texts += 1;
                }
                Err(error) => {
                    assert_eq!(error, SecretStorageError::NotText);
                    refused += 1;
                }
            }
        }
    }
    assert!(texts > 0 && refused > 0);
}

/// S-45: a description cannot ask for more work than the caller allows.
#[test]
fn the_iterations_are_limited_before_they_are_done() {
    let derive = |iterations, maximum| {
        let parameters = PassphraseParameters { salt: String::from("salt"), iterations };
        SecretStorageKey::from_passphrase("passphrase", &parameters, maximum).err()
    };
    for (iterations, maximum) in [(0, 10), (11, 10), (u32::MAX, MAX_ITERATIONS)] {
        let error = SecretStorageError::Iterations { iterations, maximum };
        assert_eq!(derive(iterations, maximum), Some(error));
    }
    assert_eq!(derive(10, 10), None);
    let parameters = PassphraseParameters { salt: String::new(), iterations: 1 };
    let empty = SecretStorageKey::from_passphrase("", &parameters, 1);
    assert_eq!(empty.err(), Some(SecretStorageError::EmptyPassphrase));
}

#[test]
fn descriptions_come_back_as_they_were() {
    let rng = &mut SeededRng::new(3);
    let mut description = KeyDescription::of_with_rng(&key(), rng).unwrap();
    let check = |description: &KeyDescription| {
        let read = KeyDescription::from_json(&description.to_json()).unwrap();
        assert_eq!(read, *description);
        read.check(&key())
    };
    assert_eq!(check(&description), Ok(true));
    description.name = Some(String::from("Ämy's key"));
    description.passphrase = Some(PassphraseParameters::with_rng(rng).unwrap());
    assert_eq!(check(&description), Ok(true));
    let other = description.check(&SecretStorageKey::from_bytes([1; 32]));
    assert_eq!(other, Err(SecretStorageError::Authentication));
    description.check = None;
    assert_eq!(check(&description), Ok(false), "there is nothing to check the key with");
}

/// `iv` and `mac` are optional. One without the other, and an empty one, are no reason to refuse a
/// key that decrypts the secrets.
#[test]
fn a_key_without_a_check_is_not_refused() {
    let whole = KeyDescription::of_with_rng(&key(), &mut SeededRng::new(3)).unwrap().to_json();
    for (name, other) in [("iv", "mac"), ("mac", "iv")] {
        for absent in [None, Some(Value::Null), Some(json!(""))] {
            let mut one = whole.clone();
            one.as_object_mut().unwrap().remove(name);
            one.as_object_mut().unwrap().extend(absent.map(|value| (name.to_owned(), value)));
            let mut none = one.clone();
            none[other] = json!("");
            for object in [one, none] {
                let description = KeyDescription::from_json(&object).unwrap();
                assert_eq!(description.check, None, "{object}");
                assert_eq!(description.check(&key()), Ok(false));
                assert_eq!(description.check(&SecretStorageKey::from_bytes([1; 32])), Ok(false));
            }
        }
    }
}

/// Some programs have written 32 bytes, and used the first 16.
#[test]
fn of_a_longer_iv_the_first_bytes_count() {
    let whole = KeyDescription::of_with_rng(&key(), &mut SeededRng::new(3)).unwrap();
    let other = Err(SecretStorageError::Authentication);
    for more in [1, 16, 100] {
        let (mut object, (iv, _)) = (whole.to_json(), whole.check.unwrap());
        object["iv"] = json!(base64([&iv[..], &vec![7; more]].concat()));
        let description = KeyDescription::from_json(&object).unwrap();
        assert_eq!(description, whole);
        assert_eq!(description.check(&key()), Ok(true));
        assert_eq!(description.check(&SecretStorageKey::from_bytes([1; 32])), other);
        object["mac"] = json!(base64([7; 33]));
        let length = SecretStorageError::Length { name: "mac", expected: 32, found: 33 };
        assert_eq!(KeyDescription::from_json(&object), Err(length));
    }
    // A secret is read only as it was written.
    let mut stored = sealed(NAME, SECRET).to_json();
    stored["iv"] = json!(base64([7; 32]));
    let length = SecretStorageError::Length { name: "iv", expected: 16, found: 32 };
    assert_eq!(EncryptedSecret::from_json(&stored), Err(length));
}

fn base64(bytes: impl AsRef<[u8]>) -> String {
    Base64Unpadded::encode_string(bytes.as_ref())
}

/// Some programs write `null` for what is not there.
#[test]
fn members_that_are_null_are_missing() {
    let description = KeyDescription::of_with_rng(&key(), &mut SeededRng::new(3)).unwrap();
    let mut nulls = description.to_json();
    nulls["name"] = Value::Null;
    nulls["passphrase"] = Value::Null;
    let read = KeyDescription::from_json(&nulls).unwrap();
    assert_eq!(read, description);
    assert_eq!(read.check(&key()), Ok(true));
    nulls["iv"] = Value::Null;
    nulls["mac"] = Value::Null;
    assert_eq!(KeyDescription::from_json(&nulls).unwrap().check, None);
    nulls["passphrase"] =
        json!({ "algorithm": "m.pbkdf2", "salt": "A", "iterations": 5, "bits": null });
    assert!(KeyDescription::from_json(&nulls).unwrap().passphrase.is_some());
}

/// A key that comes from a passphrase in a way that is not known here can be checked all the same,
/// by whoever has its recovery key.
#[test]
fn a_passphrase_of_another_kind_is_none() {
    let mut description = KeyDescription::of_with_rng(&key(), &mut SeededRng::new(3)).unwrap();
    let expected = description.clone();
    description.passphrase = Some(PassphraseParameters { salt: String::from("A"), iterations: 5 });
    for (name, value) in [("algorithm", json!("org.example.argon2id")), ("bits", json!(512))] {
        let mut other = description.to_json();
        other["passphrase"][name] = value;
        let read = KeyDescription::from_json(&other).unwrap();
        assert_eq!(read, expected, "{name}");
        assert_eq!(read.check(&key()), Ok(true));
    }
}

#[test]
fn other_descriptions_are_refused() {
    let mut good = KeyDescription::of_with_rng(&key(), &mut SeededRng::new(3)).unwrap();
    good.passphrase = Some(PassphraseParameters { salt: String::from("salt"), iterations: 5 });
    let good = good.to_json();
    let refused = |change: &dyn Fn(&mut Value)| {
        let mut description = good.clone();
        change(&mut description);
        KeyDescription::from_json(&description).unwrap_err()
    };
    let malformed = SecretStorageError::Malformed;
    let algorithm = SecretStorageError::Algorithm;
    assert_eq!(refused(&|key| *key = json!(1)), malformed("algorithm"));
    assert_eq!(refused(&|key| key["algorithm"] = json!("m.secret_storage.v2")), algorithm);
    assert_eq!(refused(&|key| key["name"] = json!(1)), malformed("name"));
    assert_eq!(refused(&|key| key["mac"] = json!([])), malformed("mac"));
    assert_eq!(refused(&|key| key["iv"] = json!(1)), malformed("iv"));
    let length = SecretStorageError::Length { name: "iv", expected: 16, found: 1 };
    assert_eq!(refused(&|key| key["iv"] = json!("AA")), length);
    assert_eq!(
        refused(&|key| key["mac"] = json!("_")),
        SecretStorageError::Base64(Base64Error::Invalid)
    );
    assert_eq!(refused(&|key| key["passphrase"] = json!(1)), malformed("algorithm"));
    assert_eq!(refused(&|key| key["passphrase"]["salt"] = json!(1)), malformed("salt"));
    assert_eq!(refused(&|key| key["passphrase"]["bits"] = json!("256")), malformed("bits"));
    for iterations in [json!(-1), json!(1.5), json!("5"), json!(1_u64 << 32)] {
        let error = refused(&|key| key["passphrase"]["iterations"] = iterations.clone());
        assert_eq!(error, malformed("iterations"));
    }
    let mut with_bits = good.clone();
    with_bits["passphrase"]["bits"] = json!(256);
    with_bits["org.example.other"] = json!({});
    assert_eq!(KeyDescription::from_json(&with_bits), KeyDescription::from_json(&good));
}

/// S-03: what is drawn, and that nothing is made when the source fails.
#[test]
fn randomness() {
    let mut rng = RecordedRng::new([0xff; 32 + 16 + 16 + 24]);
    let key = SecretStorageKey::with_rng(&mut rng).unwrap();
    assert_eq!(key.to_bytes(), [0xff; 32]);
    let iv = key.encrypt_with_rng(NAME, &secret(SECRET), &mut rng).unwrap().iv;
    assert_eq!(iv[8], 0x7f, "bit 63 is cleared");
    assert!(iv.iter().enumerate().all(|(place, byte)| place == 8 || *byte == 0xff));
    assert_eq!(KeyDescription::of_with_rng(&key, &mut rng).unwrap().check.unwrap().0, iv);
    assert_eq!(PassphraseParameters::with_rng(&mut rng).unwrap().salt, "/".repeat(32));
    assert_eq!(rng.left(), 0);
    for length in 0..16 {
        let rng = || RecordedRng::new(vec![7; length]);
        assert!(matches!(SecretStorageKey::with_rng(&mut rng()), Err(RandomError { .. })));
        assert!(matches!(
            key.encrypt_with_rng(NAME, &secret(SECRET), &mut rng()),
            Err(RandomError { .. })
        ));
        assert!(matches!(KeyDescription::of_with_rng(&key, &mut rng()), Err(RandomError { .. })));
        assert!(matches!(PassphraseParameters::with_rng(&mut rng()), Err(RandomError { .. })));
    }
    let new = || SecretStorageKey::new().unwrap().to_bytes();
    assert_ne!(new(), new());
    let iv = || key.encrypt(NAME, &secret(SECRET)).unwrap().iv;
    assert_ne!(iv(), iv());
    assert_ne!(KeyDescription::of(&key).unwrap().check, KeyDescription::of(&key).unwrap().check);
    assert_ne!(PassphraseParameters::new().unwrap(), PassphraseParameters::new().unwrap());
}

#[test]
fn the_key_as_text() {
    let text = key().to_recovery_key();
    let read = SecretStorageKey::from_recovery_key(&text).unwrap();
    assert_eq!(read.to_bytes(), key().to_bytes());
    let error = SecretStorageKey::from_recovery_key(&text[1..]).unwrap_err();
    assert_eq!(error, RecoveryKeyError::Length(47));
}

/// S-29: the key is not printed.
#[test]
fn the_key_is_not_printed() {
    assert_eq!(format!("{:?}", key()), "SecretStorageKey { .. }");
}
