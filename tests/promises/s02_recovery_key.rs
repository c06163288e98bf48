//! S-02, S-29: recovery keys, the texts of the keys of backups and secret storage, including
//! mistyped ones.

use moceril::{backup::BackupDecryptionKey, recovery_key::RecoveryKeyError};
use moceril_testing::{
    rng::SeededRng,
    vector_file::{Layer, assert_at_least, check_each, files},
};

const TEXT: &str = "EsTc LW2K PGiF wKEA 3As5 g5c4 BXwk qeeJ ZJV8 Q9fu gUMN UE4d";
const LETTERS: &str = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

fn read(text: &str) -> Result<[u8; 32], RecoveryKeyError> {
    BackupDecryptionKey::from_recovery_key(text).map(|key| key.to_bytes())
}

fn write(key: [u8; 32]) -> String {
    BackupDecryptionKey::from_bytes(key).to_recovery_key().to_string()
}

#[test]
fn vectors() {
    let files = files("recovery-key");
    check_each(&files, |file| {
        assert_eq!(file.kind, "recovery-key");
        let read = read(file.text("text"));
        if let Some(layer) = file.expect {
            assert_eq!(layer, Layer::Format);
            return assert!(read.is_err());
        }
        assert_eq!(read, Ok(file.array("key")));
        assert_eq!(write(file.array("key")), file.text("text"));
    });
    assert_at_least(&files, "recovery-key", 4, 11);
}

#[test]
fn every_key_comes_back_as_it_was() {
    let mut rng = SeededRng::new(1);
    for _ in 0..500 {
        let key = rng.bytes();
        assert_eq!(read(&write(key)), Ok(key));
    }
}

#[test]
fn white_space_does_not_matter() {
    let key = read(TEXT).unwrap();
    for text in [
        TEXT.replace(' ', ""),
        TEXT.replace(' ', "\r\n"),
        TEXT.replace("c4 B", "c 4\tB"),
        format!(" \x0b{TEXT}\x0c\n"),
    ] {
        assert_eq!(read(&text), Ok(key), "{text:?}");
    }
}

#[test]
fn errors_say_what_is_wrong() {
    let letters = TEXT.replace(' ', "");
    for wrong in ["0", "I", "O", "l", "-", "é", "\0", "\u{a0}", "\x7f", "€"] {
        for place in [0, 20, 58] {
            let mut text = TEXT.to_owned();
            text.insert_str(place, wrong);
            assert_eq!(read(&text), Err(RecoveryKeyError::Alphabet), "{wrong:?}");
        }
    }
    assert_eq!(read(""), Err(RecoveryKeyError::Length(0)));
    assert_eq!(read(" "), Err(RecoveryKeyError::Length(0)));
    for length in 1..48 {
        assert_eq!(read(&letters[..length]), Err(RecoveryKeyError::Length(length)));
    }
    assert_eq!(read(&format!("{TEXT} 1")), Err(RecoveryKeyError::Length(49)));
    assert_eq!(read(&letters.repeat(1_000)), Err(RecoveryKeyError::Length(48_000)));
    assert_eq!(read(&"z".repeat(48)), Err(RecoveryKeyError::Prefix));
    // Zeros are their own parity.
    assert_eq!(read(&"1".repeat(48)), Err(RecoveryKeyError::Prefix));
}

/// A wrong letter is an error in all but one of about 256 cases, which the format cannot notice.
#[test]
fn a_wrong_letter_is_noticed() {
    let (mut tried, mut unnoticed) = (0, 0);
    for (place, right) in TEXT.char_indices().filter(|(_, letter)| *letter != ' ') {
        for wrong in LETTERS.chars().filter(|letter| *letter != right) {
            let mut text = TEXT.to_owned();
            text.replace_range(place..=place, &wrong.to_string());
            match read(&text) {
                Err(RecoveryKeyError::Parity | RecoveryKeyError::Prefix) => {}
                Err(error) => panic!("{error:?}: {text}"),
                Ok(_) => unnoticed += 1,
            }
            tried += 1;
        }
    }
    assert_eq!(tried, 48 * 57);
    assert!(unnoticed <= tried / 128, "{unnoticed} of {tried}");
}

/// S-29: neither the text nor an error shows a letter of the key.
#[test]
fn nothing_is_printed() {
    let key = BackupDecryptionKey::from_recovery_key(TEXT).unwrap();
    assert_eq!(format!("{:?}", key.to_recovery_key()), "SecretString { .. }");
    let error = BackupDecryptionKey::from_recovery_key(&TEXT[..57]).unwrap_err();
    assert_eq!(error.to_string(), "a recovery key has 48 letters, not 46");
}
