//! Ed25519 keys that are not part of an account, such as cross-signing keys.

use moceril::{
    Base64Error, Ed25519PublicKey, Ed25519SecretKey, Ed25519Signature, KeyError, RandomError,
};
use moceril_testing::{
    rng::RecordedRng,
    vector_file::{assert_at_least, check_each, files},
};

/// S-14: key and signature are those of RFC 8032 and of libolm's detached signing; the public key
/// comes from the seed.
#[test]
fn vectors() {
    let mut files = files("primitives");
    files.retain(|file| file.kind == "ed25519");
    check_each(&files, |file| {
        let message = file.bytes("message");
        let key = Ed25519SecretKey::from_bytes(file.array("seed"));
        let public = Ed25519PublicKey::from_bytes(file.array("public")).unwrap();
        let signature = Ed25519Signature::from_bytes(file.array("signature"));
        assert_eq!(key.to_bytes(), file.array("seed"));
        assert_eq!(key.public_key(), public);
        assert_eq!(key.sign(&message), signature);
        assert_eq!(public.verify(&message, &signature), Ok(()));
        let restored = Ed25519SecretKey::from_base64(&key.to_base64()).unwrap();
        assert_eq!(restored.sign(&message), signature);
    });
    assert_at_least(&files, "ed25519", 9, 0);
}

/// S-03: a key draws exactly the 32 bytes of its seed; a source that fails makes none.
#[test]
fn randomness() {
    let mut rng = RecordedRng::new([7; 33]);
    let key = Ed25519SecretKey::with_rng(&mut rng).unwrap();
    assert_eq!(rng.left(), 1);
    assert_eq!(key.public_key(), Ed25519SecretKey::from_bytes([7; 32]).public_key());
    for length in 0..32 {
        let mut rng = RecordedRng::new(vec![7; length]);
        assert!(matches!(Ed25519SecretKey::with_rng(&mut rng), Err(RandomError { .. })));
    }
    let new = || Ed25519SecretKey::new().unwrap().public_key();
    assert_ne!(new(), new());
}

/// S-29, S-30: the seed has one text, which only `to_base64` shows.
#[test]
fn the_seed_as_text() {
    let key = Ed25519SecretKey::from_bytes([0x5a; 32]);
    let text = key.to_base64();
    assert_eq!(&*text, "WlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlo");
    assert_eq!(AsRef::<str>::as_ref(&text), &*text);
    for good in [text.to_string(), format!("{}=", &*text)] {
        assert_eq!(Ed25519SecretKey::from_base64(&good).unwrap().public_key(), key.public_key());
    }
    const INVALID: KeyError = KeyError::Base64(Base64Error::Invalid);
    for (bad, error) in [
        ("", KeyError::Length(0)),
        ("AA==", KeyError::Length(1)),
        (&"A".repeat(42), KeyError::Length(31)),
        (&text[..42], INVALID),
        (&format!("{}A", &*text), KeyError::Length(33)),
        (&format!("{}==", &*text), INVALID),
        (&format!("{}\n", &*text), INVALID),
        (&text.replace('W', "_"), KeyError::Base64(Base64Error::UrlSafe)),
    ] {
        assert_eq!(Ed25519SecretKey::from_base64(bad).err(), Some(error), "{bad}");
    }
    let expected = format!("Ed25519SecretKey {{ public_key: {:?}, .. }}", key.public_key());
    assert_eq!(format!("{key:?}"), expected);
    assert_eq!(format!("{text:?}"), "SecretString { .. }");
}
