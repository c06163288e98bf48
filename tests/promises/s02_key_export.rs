//! S-02: files of exported room keys in the Matrix specification's format, including hostile ones.

use base64ct::{Base64, Base64Unpadded, Encoding};
use hmac::{Hmac, KeyInit, Mac};
use moceril::{
    SecretString,
    key_export::{self, DEFAULT_ROUNDS, KeyExportError, MAX_ROUNDS, MIN_ROUNDS},
};
use moceril_testing::{
    rng::{RecordedRng, SeededRng},
    vector_file::{assert_at_least, check_each, files},
};
use sha2::{Sha256, Sha512};

const PASSPHRASE: &str = "correct horse battery staple";
const ROUNDS: u32 = 10;

fn secret(text: &str) -> SecretString {
    SecretString::from(text.to_owned())
}

fn file(json: &str) -> String {
    let json = &secret(json);
    key_export::encrypt_weak_with_rng(json, PASSPHRASE, ROUNDS, &mut SeededRng::new(1)).unwrap()
}

/// The base64 between header and trailer, changed by `change`, as a file again.
fn with_text(file: &str, change: impl FnOnce(String) -> String) -> String {
    let mut lines: Vec<_> = file.lines().collect();
    let (header, trailer) = (lines.remove(0), lines.pop().unwrap());
    format!("{header}\n{}\n{trailer}\n", change(lines.concat()))
}

/// The bytes of a file, changed by `change`, under a MAC that is right again.
fn with_bytes(file: &str, change: impl FnOnce(&mut Vec<u8>)) -> String {
    with_text(file, |text| {
        let mut bytes = Base64::decode_vec(&text).unwrap();
        bytes.truncate(bytes.len() - 32);
        change(&mut bytes);
        let mut keys = [0; 64];
        let salt = &bytes[1..17];
        pbkdf2::pbkdf2_hmac::<Sha512>(PASSPHRASE.as_bytes(), salt, ROUNDS, &mut keys);
        let mac = Hmac::<Sha256>::new_from_slice(&keys[32..]).unwrap().chain_update(&bytes);
        bytes.extend(mac.finalize().into_bytes());
        Base64::encode_string(&bytes)
    })
}

#[test]
fn every_length_comes_back_as_it_was() {
    for length in (0..70).chain([1000, 5000]) {
        let json = "€".repeat(length);
        let file = file(&json);
        assert_eq!(&*key_export::decrypt(&file, PASSPHRASE, MAX_ROUNDS).unwrap(), json);
        assert!(file.lines().all(|line| line.len() <= 64));
    }
}

#[test]
fn whitespace_between_and_around_the_lines_does_not_matter() {
    let file = file("[1]");
    let one_line = with_text(&file, |text| text);
    let unpadded = with_text(&file, |text| text.trim_end_matches('=').to_owned());
    for variant in [one_line, unpadded, format!("\n\n{file}\n\n")] {
        assert_eq!(&*key_export::decrypt(&variant, PASSPHRASE, MAX_ROUNDS).unwrap(), "[1]");
    }
}

/// The forms in which the main clients write files: lines of 96 characters (Element), one line
/// (matrix-nio), lines of 76 (gomuks), with LF, CRLF or CR, and what editors, mail programs and
/// people do to them. All are the same file.
#[test]
fn files_are_read_as_their_writers_write_them() {
    let json = r#"[{"algorithm":"m.megolm.v1.aes-sha2","room_id":"!a:b","session_key":"AQ"}]"#;
    let good = file(json);
    let text = good.lines().filter(|line| !line.starts_with('-')).collect::<String>();
    let (header, trailer) = (good.lines().next().unwrap(), good.lines().last().unwrap());
    let broken = |length: usize, end: &str| {
        let lines = text.as_bytes().chunks(length).map(|line| str::from_utf8(line).unwrap());
        let lines: Vec<_> = [header].into_iter().chain(lines).chain([trailer]).collect();
        lines.join(end) + end
    };
    let mut forms = Vec::new();
    for end in ["\n", "\r\n", "\r", "\n\n", " \n", "\t\r\n", "\u{a0}\n", "\n\u{2003}", "\u{2028}\n"]
    {
        for length in [64, 76, 96, usize::MAX] {
            forms.push(broken(length.min(text.len()), end));
        }
    }
    for file in forms.clone() {
        forms.push(format!("\u{feff}{file}"));
        forms.push(format!("\u{feff}\u{a0} {file}\u{a0}\u{feff}"));
        forms.push(format!("Here are my keys, in {header}:\r\n\r\n{file}\r\nYours, Alice"));
        forms.push(format!("{} \n{file}", trailer.replace("END", "end")));
        forms.push(format!("{file}{header}\nand something else"));
        forms.push(file.trim_end().to_owned());
    }
    assert!(forms.len() > 200);
    for form in forms {
        let read = key_export::decrypt(&form, PASSPHRASE, MAX_ROUNDS);
        assert_eq!(read.as_deref(), Ok(json), "{form:?}");
    }
}

/// The cost of opening a file is bounded before anything else is done with it.
#[test]
fn rounds_are_limited_in_both_directions() {
    let error = |rounds, maximum| KeyExportError::Rounds { rounds, minimum: 1, maximum };
    assert_eq!(key_export::encrypt_weak(&secret("[]"), PASSPHRASE, 0), Err(error(0, u32::MAX)));
    let over = key_export::decrypt(&file("[]"), PASSPHRASE, ROUNDS - 1);
    assert_eq!(over.unwrap_err(), error(ROUNDS, ROUNDS - 1));
    assert!(key_export::decrypt(&file("[]"), PASSPHRASE, ROUNDS).is_ok());
    // Version, salt and IV are 33 bytes, so 44 characters; then come the rounds: AAAACg is 10.
    let hostile = with_text(&file("[]"), |text| format!("{}/////w{}", &text[..44], &text[50..]));
    let refused = key_export::decrypt(&hostile, PASSPHRASE, MAX_ROUNDS).unwrap_err();
    assert_eq!(refused, error(u32::MAX, MAX_ROUNDS));
    // No rounds at all would be no work for whoever guesses passphrases.
    let none = with_text(&file("[]"), |text| format!("{}AAAAAA{}", &text[..44], &text[50..]));
    let refused = key_export::decrypt(&none, PASSPHRASE, MAX_ROUNDS).unwrap_err();
    assert_eq!(refused, error(0, MAX_ROUNDS));
    // The specification asks for at least 100,000, and other clients write 500,000.
    assert_eq!((MIN_ROUNDS, DEFAULT_ROUNDS, MAX_ROUNDS), (100_000, 500_000, 5_000_000));
}

/// A weak file is written only by the function that has the weakness in its name; every file is
/// read.
#[test]
fn a_weak_file_is_not_written_by_mistake() {
    let rng = || SeededRng::new(2);
    let few = MIN_ROUNDS - 1;
    let refused = KeyExportError::Rounds { rounds: few, minimum: MIN_ROUNDS, maximum: u32::MAX };
    assert_eq!(key_export::encrypt(&secret("[]"), PASSPHRASE, few), Err(refused));
    let with_rng = key_export::encrypt_with_rng(&secret("[]"), PASSPHRASE, few, &mut rng());
    assert_eq!(with_rng, Err(refused));
    let empty = Err(KeyExportError::EmptyPassphrase);
    assert_eq!(key_export::encrypt(&secret("[]"), "", DEFAULT_ROUNDS), empty);
    assert_eq!(key_export::encrypt_with_rng(&secret("[]"), "", DEFAULT_ROUNDS, &mut rng()), empty);

    let least = key_export::encrypt_with_rng(&secret("[]"), "a", MIN_ROUNDS, &mut rng()).unwrap();
    let same = key_export::encrypt_weak_with_rng(&secret("[]"), "a", MIN_ROUNDS, &mut rng());
    assert_eq!(same.as_ref(), Ok(&least));
    let weak = key_export::encrypt_weak(&secret("[]"), "", 1).unwrap();
    assert_eq!(key_export::decrypt(&weak, "", 1).as_deref(), Ok("[]"));
}

#[test]
fn every_changed_character_is_noticed() {
    let file = file("[]");
    let length =
        file.lines().skip(1).map(str::len).sum::<usize>() - file.lines().last().unwrap().len();
    for place in 0..length {
        let changed = with_text(&file, |text| {
            let mut bytes = text.into_bytes();
            bytes[place] = if bytes[place] == b'A' { b'B' } else { b'A' };
            String::from_utf8(bytes).unwrap()
        });
        assert!(key_export::decrypt(&changed, PASSPHRASE, 1 << 20).is_err(), "character {place}");
    }
}

/// Each fault has its own error, as far as it can be told without the right passphrase.
#[test]
fn what_is_no_such_file_is_told_apart() {
    let good = file("[]");
    let verdict = |file: &str| key_export::decrypt(file, PASSPHRASE, MAX_ROUNDS).unwrap_err();
    let text = good.lines().filter(|line| !line.starts_with('-')).collect::<String>();
    let trailer = good.lines().last().unwrap();
    for no_key_file in [
        "",
        "[]",
        "-----BEGIN PGP MESSAGE-----\n\nhQEMA\n-----END PGP MESSAGE-----\n",
        &text,
        &format!("{text}\n{trailer}"),
        good.trim_start_matches('-'),
        &format!("> {good}"),
        &format!("é{good}"),
        &good.replace("BEGIN", "begin"),
    ] {
        assert_eq!(verdict(no_key_file), KeyExportError::NoHeader, "{no_key_file:?}");
    }
    // Cut off at any byte after the header, the trailer's own bytes included.
    let header_end = good.find('\n').unwrap();
    for length in header_end..good.trim_end().len() {
        assert_eq!(verdict(&good[..length]), KeyExportError::CutOff, "{length} bytes");
    }
    // Shorter than the smallest file there can be: head, no ciphertext, MAC.
    for length in 0..37 + 32 {
        let short = with_text(&good, |text| {
            Base64::encode_string(&Base64::decode_vec(&text).unwrap()[..length])
        });
        assert_eq!(verdict(&short), KeyExportError::TooShort, "{length} bytes");
    }
    // Long enough, with a part missing: nothing but the MAC can tell.
    let missing = with_text(&good, |text| {
        Base64::encode_string(&Base64::decode_vec(&text).unwrap()[..37 + 32])
    });
    assert_eq!(verdict(&missing), KeyExportError::Authentication);
    assert_eq!(
        verdict(&with_text(&good, |text| text.replace(&text[..2], "Ag"))),
        KeyExportError::Version(2)
    );
    for damage in ["_", "-", "\0", "é", "=", "\u{200b}"] {
        let damaged = with_text(&good, |text| format!("{}{damage}{}", &text[..8], &text[9..]));
        assert!(matches!(verdict(&damaged), KeyExportError::Base64(_)), "{damage:?}");
    }
    // The trailer may begin within what looked like its beginning. What stands before it is then
    // content, which dashes make invalid. Without a trailer the file is cut off.
    for before in ["-", "--", "-----E", "-----EN-", "-----A"] {
        let two = good.replace(trailer, &format!("{before}{trailer}"));
        assert!(matches!(verdict(&two), KeyExportError::Base64(_)), "{before:?}");
    }
    for beginning in ["-----A", "-----\n", "------A", "-----E"] {
        let none = good.replace(trailer, &trailer.replace("-----E", &format!("{beginning}E")));
        assert_eq!(verdict(&none), KeyExportError::CutOff, "{beginning:?}");
    }
    let wrong = key_export::decrypt(&good, "correct horse", MAX_ROUNDS).unwrap_err();
    assert_eq!(wrong, KeyExportError::Authentication);
}

/// Whoever knows the passphrase can still be wrong about the content.
#[test]
fn content_that_is_no_text_is_refused() {
    let good = file("[]");
    let open = |file: &str| key_export::decrypt(file, PASSPHRASE, MAX_ROUNDS);
    assert_eq!(with_bytes(&good, |_| ()).split_whitespace().collect::<String>(), {
        good.split_whitespace().collect::<String>()
    });
    // Behind the 37 bytes of the head comes the ciphertext: flipping its bits flips the content's.
    let brace = with_bytes(&good, |bytes| bytes[37] ^= b'[' ^ b'{');
    assert_eq!(&*open(&brace).unwrap(), "{]");
    let no_text = with_bytes(&good, |bytes| bytes[37] ^= b'[' ^ 0xff);
    assert_eq!(open(&no_text).unwrap_err(), KeyExportError::NotText);
    assert_eq!(&*open(&with_bytes(&good, |bytes| bytes.truncate(37))).unwrap(), "");
}

#[test]
fn draws_what_it_says_and_clears_bit_63() {
    let mut rng = RecordedRng::new([0xff; 32]);
    let file =
        key_export::encrypt_weak_with_rng(&secret(""), PASSPHRASE, ROUNDS, &mut rng).unwrap();
    assert_eq!(rng.left(), 0);
    // The IV's ninth byte is the 26th of the file: characters 33 to 36 hold bytes 25 to 27.
    let text: String = file.lines().skip(1).take(2).collect();
    assert_eq!(&text[32..36], "/3//", "byte 26 is 0x7f, its neighbours are 0xff");
    let short = key_export::encrypt_weak_with_rng(
        &secret(""),
        PASSPHRASE,
        ROUNDS,
        &mut RecordedRng::new([0; 31]),
    );
    assert_eq!(short, Err(KeyExportError::Random));
}

/// Files that other programs wrote are read, and with the same randomness ours is the same file.
#[test]
fn vectors() {
    let files = files("key-export");
    check_each(&files, |file| {
        assert_eq!((file.kind.as_str(), file.expect), ("key-export", None));
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        let exported = text(Base64Unpadded::decode_vec(file.text("file")).unwrap());
        let passphrase = text(file.bytes("passphrase"));
        let (rounds, json) = (file.number("rounds"), text(file.bytes("plaintext")));
        assert_eq!(&*key_export::decrypt(&exported, &passphrase, rounds).unwrap(), json);
        let error = key_export::decrypt(&exported, &passphrase, rounds - 1).unwrap_err();
        assert_eq!(error, KeyExportError::Rounds { rounds, minimum: 1, maximum: rounds - 1 });
        if file.optional("random").is_some() {
            let mut random = RecordedRng::new(file.bytes("random"));
            let ours =
                key_export::encrypt_weak_with_rng(&secret(&json), &passphrase, rounds, &mut random);
            assert_eq!(ours, Ok(exported));
        }
    });
    assert_at_least(&files, "key-export", 10, 0);
}
