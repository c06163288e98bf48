//! The key backup scheme through the public API: it is exactly that of libolm, with the same
//! weaknesses.

use moceril::{
    Base64Error, DecodeError, KeyError, LibolmPickleError, RandomError, SecretBytes,
    backup::{BackupDecryptionKey, BackupEncryptionKey, BackupError, BackupMessage},
};
use moceril_testing::{
    rng::{RecordedRng, SeededRng},
    vector_file::{Layer, VectorFile, assert_at_least, check_each, files},
    vector_layer::decode_layer,
};

fn key(seed: u64) -> BackupDecryptionKey {
    BackupDecryptionKey::with_rng(&mut SeededRng::new(seed)).unwrap()
}

fn encrypted(key: &BackupDecryptionKey, plaintext: &[u8]) -> BackupMessage {
    let rng = &mut SeededRng::new(1_000);
    key.encryption_key().encrypt_with_rng(plaintext, rng).unwrap()
}

fn message(file: &VectorFile) -> Result<BackupMessage, Layer> {
    let [ciphertext, mac, key] = ["ciphertext", "mac", "ephemeral-key"].map(|name| file.text(name));
    BackupMessage::from_base64(ciphertext, mac, key).map_err(decode_layer)
}

/// S-01, S-30, S-31: what libolm encrypts decrypts, and is what this library encrypts; what was
/// altered is accepted and refused as the scheme demands.
#[test]
fn vectors() {
    let files = files("backup");
    check_each(&files, |file| {
        assert_eq!(file.kind, "backup");
        let key = BackupDecryptionKey::from_bytes(file.array("private-key"));
        assert_eq!(key.public_key().to_base64(), file.text("public-key"));
        let message = match (message(file), file.expect) {
            (Ok(message), _) => message,
            (Err(layer), expected) => return assert_eq!(Some(layer), expected),
        };
        let decrypted = key.decrypt_unauthenticated(&message);
        if let Some(layer) = file.expect {
            // S-28: MAC and padding are one error. Here it hides nothing: success tells enough.
            assert!(matches!(layer, Layer::Mac | Layer::Padding), "{layer:?}");
            return assert_eq!(decrypted, Err(BackupError::Decryption));
        }
        let plaintext = file.bytes("plaintext");
        assert_eq!(decrypted.as_deref(), Ok(&*plaintext));
        let texts = message.to_base64();
        assert_eq!(texts.ciphertext, file.text("ciphertext"));
        assert_eq!(texts.mac, file.text("mac"));
        assert_eq!(texts.ephemeral_key, file.text("ephemeral-key"));
        if file.optional("ephemeral-private-key").is_some() {
            let rng = &mut RecordedRng::new(file.bytes("ephemeral-private-key"));
            let encrypted = BackupEncryptionKey::from_trusted_key(key.public_key())
                .encrypt_with_rng(&plaintext, rng);
            assert_eq!(encrypted, Ok(message));
        }
    });
    assert_at_least(&files, "backup", 71, 43);
}

/// S-24: what libolm pickled is read and written back byte for byte; a pickle that does not hold a
/// key pair is refused, and so is each of them with one character changed.
#[test]
fn libolm_pickles() {
    let files = files("libolm-backup-pickle");
    check_each(&files, |file| {
        assert_eq!(file.kind, "libolm-backup-pickle");
        let (pickle, pickle_key) = (file.text("pickle"), file.bytes("pickle-key"));
        let read = BackupDecryptionKey::from_libolm_pickle(pickle, &pickle_key);
        if let Some(layer) = file.expect {
            let refused = match read.unwrap_err() {
                LibolmPickleError::Version(_) => Layer::Version,
                LibolmPickleError::InvalidState => Layer::Format,
                LibolmPickleError::Key(KeyError::LowOrder) => Layer::Key,
                error => panic!("{error:?} has no layer"),
            };
            return assert_eq!(refused, layer);
        }
        let read = read.unwrap();
        assert_eq!(read.to_bytes(), file.array("private-key"));
        assert_eq!(read.public_key().to_base64(), file.text("public-key"));
        assert_eq!(read.to_libolm_pickle(&pickle_key), pickle);
        let altered = pickle.replacen(|_| true, if pickle.starts_with('A') { "B" } else { "A" }, 1);
        let forged = BackupDecryptionKey::from_libolm_pickle(&altered, &pickle_key);
        assert_eq!(forged.err(), Some(LibolmPickleError::Authentication));
        let other_key = BackupDecryptionKey::from_libolm_pickle(pickle, b"another key");
        assert_eq!(other_key.err(), Some(LibolmPickleError::Authentication));
    });
    assert_at_least(&files, "libolm-backup-pickle", 4, 7);
}

/// S-31: the scheme does not authenticate. The MAC is the same for every ciphertext of an ephemeral
/// key, and a changed bit anywhere before the last two blocks goes unnoticed.
#[test]
fn an_altered_ciphertext_decrypts() {
    let key = key(1);
    let plaintext = [7; 100];
    let genuine = encrypted(&key, &plaintext);
    assert_eq!(encrypted(&key, b"something else").mac, genuine.mac);
    for place in 0..genuine.ciphertext.len() - 32 {
        let mut altered = genuine.clone();
        altered.ciphertext[place] ^= 0x10;
        let decrypted = key.decrypt_unauthenticated(&altered).unwrap();
        let block = place / 16 * 16;
        assert_ne!(decrypted[block..block + 16], plaintext[block..block + 16]);
        // CBC: the same bit of the next block flips, and nothing else does.
        let mut expected = plaintext;
        expected[block..block + 16].copy_from_slice(&decrypted[block..block + 16]);
        expected[place + 16] ^= 0x10;
        assert_eq!(decrypted, expected);
    }
}

/// S-12, S-31: what the MAC does show is whether the message was encrypted to this key: each of its
/// bits counts.
#[test]
fn another_key_or_mac_is_refused() {
    let key = key(2);
    let genuine = encrypted(&key, b"a session key");
    assert_eq!(key.decrypt_unauthenticated(&genuine).as_deref(), Ok(&b"a session key"[..]));
    for bit in 0..64 {
        let mut altered = genuine.clone();
        altered.mac[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(key.decrypt_unauthenticated(&altered), Err(BackupError::Decryption), "{bit}");
    }
    let other = self::key(3);
    assert_eq!(other.decrypt_unauthenticated(&genuine), Err(BackupError::Decryption));
    let swapped = BackupMessage { ephemeral_key: other.public_key(), ..genuine };
    assert_eq!(key.decrypt_unauthenticated(&swapped), Err(BackupError::Decryption));
}

/// S-02: no length of a ciphertext is a problem.
#[test]
fn every_length_of_ciphertext_is_survived() {
    let key = key(4);
    let genuine = encrypted(&key, &[9; 300]);
    for length in 0..genuine.ciphertext.len() {
        let cut =
            BackupMessage { ciphertext: genuine.ciphertext[..length].to_vec(), ..genuine.clone() };
        let decrypted = key.decrypt_unauthenticated(&cut);
        // After a whole block, the last nine bytes are nines, as a padding has to be.
        let whole = length > 0 && length % 16 == 0;
        let expected = if whole { Ok(vec![9; length - 9]) } else { Err(BackupError::Decryption) };
        assert_eq!(decrypted.map(SecretBytes::into_vec), expected, "{length}");
    }
}

/// S-03: a key and a message draw exactly 32 bytes each; a source that fails makes neither.
#[test]
fn randomness() {
    let mut rng = RecordedRng::new([7; 65]);
    let key = BackupDecryptionKey::with_rng(&mut rng).unwrap();
    assert_eq!((key.to_bytes(), rng.left()), ([7; 32], 33));
    let public = BackupEncryptionKey::from_trusted_key(key.public_key());
    let message = public.encrypt_with_rng(b"", &mut rng).unwrap();
    assert_eq!((message.ephemeral_key, rng.left()), (key.public_key(), 1));
    for length in 0..32 {
        let rng = || RecordedRng::new(vec![7; length]);
        assert!(matches!(BackupDecryptionKey::with_rng(&mut rng()), Err(RandomError { .. })));
        assert_eq!(public.encrypt_with_rng(b"", &mut rng()), Err(BackupError::Random));
    }
    assert_eq!(public.public_key(), key.public_key());
    let new = || BackupDecryptionKey::new().unwrap().public_key();
    assert_ne!(new(), new());
    let message = || public.encrypt(b"").unwrap();
    assert_ne!(message().ephemeral_key, message().ephemeral_key);
}

/// S-30: a decryption key has one text, and is read with or without its padding.
#[test]
fn the_key_as_text() {
    let key = BackupDecryptionKey::from_bytes([0x5a; 32]);
    let text = key.to_base64();
    assert_eq!(text.len(), 43);
    for good in [text.to_string(), format!("{}=", &*text)] {
        let read = BackupDecryptionKey::from_base64(&good).unwrap();
        assert_eq!((read.to_bytes(), read.public_key()), ([0x5a; 32], key.public_key()));
    }
    const INVALID: KeyError = KeyError::Base64(Base64Error::Invalid);
    for (bad, error) in [
        ("", KeyError::Length(0)),
        ("AAAA", KeyError::Length(3)),
        (&"A".repeat(42), KeyError::Length(31)),
        (&text[..42], INVALID),
        (&format!("{}A", &*text), KeyError::Length(33)),
        (&format!("{}==", &*text), INVALID),
        (&format!("{} ", &*text), INVALID),
        (&text.replace('W', "-"), KeyError::Base64(Base64Error::UrlSafe)),
    ] {
        assert_eq!(BackupDecryptionKey::from_base64(bad).err(), Some(error), "{bad}");
    }
}

/// The parts of a message say which length they must have.
#[test]
fn parts_of_another_length_are_told() {
    let key = BackupDecryptionKey::from_bytes([1; 32]).public_key().to_base64();
    let read = |mac: &str, key: &str| BackupMessage::from_base64("AA", mac, key).unwrap_err();
    assert_eq!(read("AAAA", &key), DecodeError::Length { expected: 8, found: 3 });
    assert_eq!(read(&"A".repeat(11), &key[..40]), DecodeError::Length { expected: 32, found: 30 });
}

/// S-04, S-29: decrypting never changes the key, and the key is not printed.
#[test]
fn the_key_stays_what_it_is_and_is_not_printed() {
    let key = BackupDecryptionKey::from_bytes([0x5a; 32]);
    let mut bad = encrypted(&key, b"a session key");
    bad.mac = [0; 8];
    assert_eq!(key.decrypt_unauthenticated(&bad), Err(BackupError::Decryption));
    assert_eq!(key.to_bytes(), [0x5a; 32]);
    let expected = format!("BackupDecryptionKey {{ public_key: {:?}, .. }}", key.public_key());
    assert_eq!(format!("{key:?}"), expected);
}
