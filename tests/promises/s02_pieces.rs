//! S-02: files of exported keys give the same results piece by piece as when they are read or
//! written whole.

use base64ct::{Base64, Base64Unpadded, Encoding};
use moceril::{
    SecretString,
    key_export::{self, Decryptor, Encryptor, KeyExportError, MIN_ROUNDS, Scanner, Verifier},
    room_keys::{ExportParser, ExportedRoomKey, RoomKeyError, read_export},
};
use moceril_testing::{rng::SeededRng, vector_file::files};

const PASSPHRASE: &str = "correct horse battery staple";
const ROUNDS: u32 = 10;
/// So many bytes are verified and decrypted together.
const SEGMENT: usize = 1 << 16;
/// So many letters are decoded together.
const LETTERS: usize = 1 << 16;
/// The bytes before the ciphertext.
const HEAD: usize = 37;
/// The bytes after the ciphertext.
const TAG: usize = 32;

fn file(json: &str) -> String {
    let json = &SecretString::from(json.to_owned());
    key_export::encrypt_weak_with_rng(json, PASSPHRASE, ROUNDS, &mut SeededRng::new(1)).unwrap()
}

fn verified(file: &[u8], passphrase: &str, length: usize) -> Result<Decryptor, KeyExportError> {
    let mut verifier = Verifier::new(passphrase, ROUNDS);
    file.chunks(length).for_each(|piece| verifier.update(piece));
    verifier.finish()
}

/// The file with only the first segments of its ciphertext.
fn cut_off(file: &str, segments: usize) -> String {
    let lines: Vec<_> = file.lines().collect();
    let [header, content @ .., trailer] = &lines[..] else { panic!("a file of {lines:?}") };
    let bytes = Base64::decode_vec(&content.concat()).unwrap();
    let kept = Base64::encode_string(&bytes[..HEAD + segments * SEGMENT + TAG]);
    format!("{header}\n{kept}\n{trailer}\n")
}

/// What the second pass gives before it ends or fails.
fn decrypted(
    decryptor: &mut Decryptor,
    file: &[u8],
    length: usize,
) -> (Vec<u8>, Result<(), KeyExportError>) {
    let mut json = Vec::new();
    for piece in file.chunks(length) {
        match decryptor.update(piece) {
            Ok(part) => json.extend(part),
            Err(error) => return (json, Err(error)),
        }
    }
    let last = decryptor.finish().map(|part| json.extend(part));
    (json, last)
}

fn read(file: &[u8], passphrase: &str, length: usize) -> Result<String, KeyExportError> {
    let mut decryptor = verified(file, passphrase, length)?;
    let (json, end) = decrypted(&mut decryptor, file, length);
    // A character can be cut between two pieces, so whether it is text is for whoever joins them.
    end.and_then(|()| String::from_utf8(json).map_err(|_| KeyExportError::NotText))
}

fn scanned(file: &[u8], length: usize) -> Result<u32, KeyExportError> {
    let mut scanner = Scanner::new();
    file.chunks(length).for_each(|piece| scanner.update(piece));
    scanner.finish()
}

/// A text that differs everywhere.
fn long(length: usize) -> String {
    (0..)
        .flat_map(|number: u32| format!("{number:x},€").chars().collect::<Vec<_>>())
        .take(length)
        .collect()
}

#[test]
fn the_length_of_the_pieces_does_not_matter() {
    for length in [0, 1, 2, 3, 50] {
        let json = long(length);
        let file = file(&json);
        for piece in (1..=file.len()).chain([usize::MAX]) {
            assert_eq!(read(file.as_bytes(), PASSPHRASE, piece).as_ref(), Ok(&json));
            assert_eq!(scanned(file.as_bytes(), piece), Ok(ROUNDS));
        }
    }
    // Around the end of a segment, before which the MAC waits that may follow, and around the end
    // of the letters that are decoded together.
    for end in [LETTERS / 4 * 3 - HEAD, SEGMENT, 2 * SEGMENT] {
        for length in [end - 33, end - 32, end - 31, end - 1, end, end + 1] {
            let json = "a".repeat(length);
            let file = file(&json);
            for piece in [4_099, usize::MAX] {
                let read = read(file.as_bytes(), PASSPHRASE, piece).unwrap();
                assert!(read == json, "{length} bytes in pieces of {piece}");
            }
        }
    }
}

/// Every file that is refused is refused for the same reason, however it is cut into pieces.
#[test]
fn a_bad_file_has_the_error_of_the_whole_file() {
    let mut bad = Vec::new();
    for vector in files("key-export-refused") {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        let file = Base64Unpadded::decode_vec(vector.text("file")).unwrap();
        bad.push((text(file), text(vector.bytes("passphrase"))));
    }
    assert!(bad.len() >= 34);
    let good = file("[1]");
    let trailer = good.lines().last().unwrap();
    let places = good.char_indices().map(|(place, _)| place);
    for place in places {
        let (before, after) = good.split_at(place);
        bad.push((before.into(), PASSPHRASE.into()));
        for other in ["A", "-", "_", "/", "=", "é", " ", "\u{2028}", "\u{feff}", "\n", trailer] {
            bad.push((format!("{before}{other}{after}"), PASSPHRASE.into()));
            bad.push((format!("{before}{other}{}", &after[1..]), PASSPHRASE.into()));
        }
    }
    for ((file, passphrase), length) in bad.iter().zip([1, 5, 67, usize::MAX].iter().cycle()) {
        let whole = key_export::decrypt(file, passphrase, ROUNDS).map(|json| json.to_string());
        assert_eq!(read(file.as_bytes(), passphrase, *length), whole, "{file}");
    }
}

/// Somebody changes the file after it was verified. Nothing that was changed is decrypted, and
/// nothing after it.
#[test]
fn what_is_changed_between_the_passes_is_not_decrypted() {
    let json = long(4 * SEGMENT);
    let file = file(&json);
    let mut decryptor = verified(file.as_bytes(), PASSPHRASE, 10_000).unwrap();
    for place in (100..file.len() - 100).step_by(49_973) {
        let mut changed = file.clone().into_bytes();
        changed[place] = if changed[place] == b'A' { b'B' } else { b'A' };
        let (before, end) = decrypted(&mut decryptor, &changed, 10_000);
        assert_eq!(end, Err(KeyExportError::Authentication), "{place}");
        assert!(json.as_bytes().starts_with(&before), "{place}");
        assert!(before.len() <= place / 65 * 48, "{place}");
        // It is not the end of it: the file may be put right.
        assert!(decryptor.finish().is_err());
        let (again, end) = decrypted(&mut decryptor, file.as_bytes(), 10_000);
        assert_eq!(end, Ok(()));
        assert!(again == json.as_bytes());
    }
    for length in [0, 100, file.len() / 2, file.len() - 10] {
        let (before, end) = decrypted(&mut decryptor, &file.as_bytes()[..length], 10_000);
        assert_eq!(end, Err(KeyExportError::Authentication), "cut off at {length}");
        assert!(json.as_bytes().starts_with(&before) && before.len() < json.len());
    }
    for segments in 0..=4 {
        let cut_off = cut_off(&file, segments);
        let (before, end) = decrypted(&mut decryptor, cut_off.as_bytes(), 10_000);
        assert_eq!(end, Err(KeyExportError::Authentication), "cut off after {segments} segments");
        assert!(json.as_bytes().starts_with(&before) && before.len() <= segments * SEGMENT);
    }
    // A longer file with the same beginning.
    let [whole, longer] = [SEGMENT, 2 * SEGMENT].map(|length| self::file(&"a".repeat(length)));
    let mut whole = verified(whole.as_bytes(), PASSPHRASE, 10_000).unwrap();
    let (before, end) = decrypted(&mut whole, longer.as_bytes(), 10_000);
    assert_eq!(end, Err(KeyExportError::Authentication));
    assert!(before == "a".repeat(SEGMENT).as_bytes());
    let other = self::file(&"b".repeat(json.len()));
    assert_eq!(decrypted(&mut decryptor, other.as_bytes(), 10_000).0, b"");
}

#[test]
fn what_is_written_in_pieces_is_the_whole_file() {
    for length in [0, 1, 47, 48, 49, 1_000] {
        let json = long(length);
        let rng = || SeededRng::new(3);
        let text = SecretString::from(json.clone());
        let whole = key_export::encrypt_with_rng(&text, PASSPHRASE, MIN_ROUNDS, &mut rng());
        let mut encryptor = Encryptor::with_rng(PASSPHRASE, MIN_ROUNDS, &mut rng()).unwrap();
        let mut file = String::new();
        for piece in json.as_bytes().chunks(7) {
            file += &encryptor.update(piece);
        }
        let waiting =
            (HEAD + json.len()) * 4 / 3 - file.lines().skip(1).map(str::len).sum::<usize>();
        assert!(waiting <= 64, "{waiting} letters wait for the end of a line");
        assert_eq!(Ok(file + &encryptor.finish()), whole);
    }
    let refused = |passphrase, rounds| Encryptor::new(passphrase, rounds).unwrap_err();
    assert_eq!(refused("", MIN_ROUNDS), KeyExportError::EmptyPassphrase);
    let few = KeyExportError::Rounds { rounds: 9, minimum: MIN_ROUNDS, maximum: u32::MAX };
    assert_eq!(refused(PASSPHRASE, 9), few);
}

type Keys = Vec<Result<String, RoomKeyError>>;

fn shown(key: Result<ExportedRoomKey, RoomKeyError>) -> Result<String, RoomKeyError> {
    key.map(|key| String::from(&*key.to_json().unwrap()))
}

fn parsed(json: &[u8], length: usize) -> Keys {
    let (mut parser, mut keys) = (ExportParser::new(), Vec::new());
    for piece in json.chunks(length) {
        parser.update(piece);
        while let Some(key) = parser.next_key() {
            keys.push(shown(key));
        }
    }
    keys.extend(parser.finish().err().map(Err));
    keys
}

#[test]
fn keys_are_found_in_pieces_as_in_the_whole_text() {
    let key = crate::s02_room_keys::entry().to_string();
    let escaped = key.replacen('{', r#"{"note":"a\\\"]}[{,\u0020 €","list":[[{}],"]"],"#, 1);
    let parts =
        ["", " ", "[", "]", ",", "{", "}", "7", "null", "\"", "\"a\"", "\n", &key, &escaped];
    let mut texts = vec![
        format!("[{key},{escaped}, {key} ]\n"),
        format!("[{key}{key}]"),
        format!("[{key} 7,{key}]"),
        format!("[{key},]"),
        format!("[{key},7,{{}},[{key}],\"]\",{escaped}]"),
        format!("[{key}] []"),
        format!("[{key}"),
        format!("[{key},{}", &key[..key.len() - 1]),
        format!("\u{feff}[{key}]"),
        "[\"\\".into(),
        "[{\"a\":\"\n\"}]".into(),
    ];
    for first in parts {
        for second in parts {
            for third in parts {
                texts.push(format!("[{first}{second}{third}]"));
                // Whether a number has ended, the next piece would show.
                texts.push(format!("[{key},{first}{second}{third} "));
            }
        }
    }
    let mut good = 0;
    for json in texts {
        let whole: Keys = read_export(&json).map(shown).collect();
        for length in [1, 13, usize::MAX] {
            assert_eq!(parsed(json.as_bytes(), length), whole, "{json}");
        }
        good += whole.iter().filter(|key| key.is_ok()).count();
    }
    assert!(good > 1_000, "{good}");
    assert_eq!(parsed(b"", 1), [Err(RoomKeyError::Malformed("array"))]);
    assert_eq!(parsed(b"[{\"a\":\"\xff\"}]", 1), [Err(RoomKeyError::Malformed("array"))]);
}

#[test]
fn keys_that_nobody_has_read_are_missed() {
    let key = crate::s02_room_keys::entry().to_string();
    let malformed = Err(RoomKeyError::Malformed("array"));
    for (json, read, expected) in [
        (format!("[{key},{key}]"), 2, Ok(())),
        (format!("[{key},{key}]"), 1, Err(RoomKeyError::Unread)),
        (format!("[{key},7]"), 1, Err(RoomKeyError::Unread)),
        (format!("[{key},{key}"), 1, Err(RoomKeyError::Unread)),
        (format!("[{key},{key}"), 2, malformed),
        (format!("[{key};"), 1, malformed),
        (format!("[{key};"), 2, Ok(())), // the second was the error
        (format!("[{key},"), 1, malformed),
        ("[]".into(), 0, Ok(())),
        ("7".into(), 0, malformed),
    ] {
        let mut parser = ExportParser::new();
        parser.update(&json);
        assert_eq!((0..read).filter(|_| parser.next_key().is_some()).count(), read);
        assert_eq!(parser.finish(), expected, "{json} {read}");
    }
}

/// An entry is kept until its end is known, so it must have one.
#[test]
fn an_entry_without_an_end_is_refused() {
    let piece = [b' '; 4_096];
    let mut parser = ExportParser::new();
    parser.update("[{");
    let pieces = (0..).take_while(|_| {
        parser.update(piece);
        parser.next_key().is_none()
    });
    assert_eq!(pieces.count(), ExportParser::MAX_ENTRY_LENGTH / piece.len() - 1);
    assert!(parser.next_key().is_none() && parser.finish().is_ok(), "it was reported");
}

#[test]
fn the_longest_entry_is_read() {
    let key = crate::s02_room_keys::entry().to_string();
    let read = |length: usize| {
        let spaces = " ".repeat(length - key.len());
        parsed(format!("[{{{spaces}{}]", &key[1..]).as_bytes(), 100_000)
    };
    assert!(matches!(&read(ExportParser::MAX_ENTRY_LENGTH)[..], [Ok(_)]));
    assert!(matches!(&read(ExportParser::MAX_ENTRY_LENGTH + 1)[..], [Err(_)]));
}
