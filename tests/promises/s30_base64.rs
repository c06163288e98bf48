//! S-30: every function that reads base64 accepts the same texts.
//!
//! Text without padding or with the correct padding is accepted, and nothing else. So a value has
//! one text (two with padding), and no two functions or libraries decode a text to different bytes.

use moceril::{Curve25519PublicKey, DecodeError, Ed25519Signature};
use moceril_testing::entries::{Entry, Verdict, text_entries};

/// Each text, and whether it is base64.
const TABLE: &[(&str, bool)] = &[
    // Without padding, of each length modulo 4.
    ("", true),
    ("AA", true),
    ("AAA", true),
    ("AAAA", true),
    ("AAAAAA", true),
    ("AAAAAAA", true),
    ("Zm9vYmFy", true),
    ("AbZ9+/+/", true),
    ("/w", true),
    ("Ag", true),
    ("//8", true),
    // Correctly padded.
    ("AA==", true),
    ("AAA=", true),
    ("AAAAAA==", true),
    ("AAAAAAA=", true),
    ("/w==", true),
    ("//8=", true),
    // A length that no encoding has.
    ("A", false),
    ("AAAAA", false),
    ("AAAAAAAAA", false),
    ("A===", false),
    ("AAAAA===", false),
    // Too little padding.
    ("AA=", false),
    ("AAAAAA=", false),
    // Too much padding.
    ("AA===", false),
    ("AA====", false),
    ("AAA==", false),
    ("AAA====", false),
    ("AAAA=", false),
    ("AAAA==", false),
    ("AAAA====", false),
    ("=", false),
    ("==", false),
    ("====", false),
    // Padding where the text goes on.
    ("=AAA", false),
    ("A=AA", false),
    ("AA=A", false),
    ("AA==AA", false),
    ("AA==AAAA", false),
    ("AAA=AAAA", false),
    // Bits set that the last character has no room for: each would be a second text of one value.
    ("AB", false),
    ("AP", false),
    ("/x", false),
    ("AB==", false),
    ("AAB", false),
    ("AAC", false),
    ("//9", false),
    ("AAB=", false),
    // The URL alphabet, and other characters that are in no alphabet.
    ("AA-A", false),
    ("AA_A", false),
    ("__8", false),
    ("AA.A", false),
    ("AA,A", false),
    ("AA%3", false),
    ("AAA\0", false),
    // White space, which some decoders skip.
    (" ", false),
    ("AA A", false),
    (" AAAA", false),
    ("AAAA ", false),
    ("AAAA\n", false),
    ("AAAA\r\n", false),
    ("\tAAAA", false),
    ("AAAA\nAAAA", false),
    // Beyond ASCII, whole and in place of one character.
    ("é", false),
    ("AAAé", false),
    ("ＡＡＡＡ", false),
    ("🔑", false),
    ("\u{feff}AAAA", false),
];

/// What is skipped in a text of lines: white space of Unicode, and the byte order mark.
fn is_blank(character: char) -> bool {
    character.is_whitespace() || character == '\u{feff}'
}

/// S-30: every function that reads text gives the same answer about its base64.
#[test]
fn all_text_entry_points_agree() {
    for entry in text_entries() {
        for &(text, good) in TABLE {
            if entry.lines && text.contains(is_blank) {
                continue;
            }
            let verdict = (entry.read)(text);
            // None of these texts is a whole object, so the layer after base64 refuses the good
            // ones.
            let fits = match verdict {
                Verdict::NotBase64 => !good,
                Verdict::Refused => good,
                Verdict::Accepted => good && entry.any_bytes,
                Verdict::RefusedSomewhere => true,
            };
            assert!(fits, "{} of {text:?}: {verdict:?}", entry.name);
        }
    }
}

/// The form of a base64 text with bits set that its last character has no room for.
fn with_stray_bits(text: &str) -> Option<String> {
    let alphabet: Vec<_> =
        ('A'..='Z').chain('a'..='z').chain('0'..='9').chain(['+', '/']).collect();
    let last = alphabet.iter().position(|c| text.ends_with(*c)).unwrap();
    let stray = !text.len().is_multiple_of(4);
    stray.then(|| format!("{}{}", &text[..text.len() - 1], alphabet[last + 1]))
}

/// S-30: what a function accepts, it accepts with the correct padding, too, and in no other form.
/// This holds also for functions whose errors do not tell.
#[test]
fn a_genuine_text_has_two_forms() {
    for entry in text_entries() {
        let Entry { name, read, genuine, lines, .. } = &entry;
        let accepts = |text: &str| read(text) == Verdict::Accepted;
        assert!(accepts(genuine), "{name}");
        let padding = "=".repeat(genuine.len().wrapping_neg() % 4);
        let padded = format!("{genuine}{padding}");
        assert_eq!(accepts(&padded), padding.is_empty() || !entry.one_text, "{name} with padding");

        let (start, end) = genuine.split_at(genuine.len() / 2);
        let mut others = vec![
            format!("{padded}="),
            format!("={genuine}"),
            format!("{start}={end}"),
            format!("-{}", &genuine[1..]),
            format!("{}_", &genuine[..genuine.len() - 1]),
            format!("{genuine}\0"),
        ];
        others.extend(with_stray_bits(genuine));
        if padding.len() == 2 {
            others.push(format!("{genuine}="));
        }
        if !lines {
            let spaces = ["\n", " ", "\t", "\r\n", "\u{a0}", "\u{feff}"];
            others.extend(spaces.map(|space| format!("{genuine}{space}")));
            others.extend([format!(" {genuine}"), format!("{start}\n{end}")]);
        }
        for other in others {
            assert!(!accepts(&other), "{name} accepted {other:?}");
        }
    }
}

/// S-30: the same at the end of a longer text. Any 64 bytes are a signature.
#[test]
fn a_signature_is_accepted_exactly_when_it_is_base64() {
    let mut accepted = 0;
    for &(text, good) in TABLE {
        // 84 characters are 63 bytes; a text of one more byte makes 64.
        let whole = "AbZ9+/".repeat(14) + text;
        let one_byte = text.trim_end_matches('=').len() == 2;
        let signature = Ed25519Signature::from_base64(&whole);
        assert_eq!(signature.is_ok(), good && one_byte, "{whole:?}");
        assert_eq!(matches!(signature, Err(DecodeError::Base64(_))), !good, "{whole:?}");
        accepted += usize::from(signature.is_ok());
    }
    assert_eq!(accepted, 5, "AA, /w and Ag, and two of them padded");
}

/// S-30: bad characters do not make up for each other, nor for what is good beside them.
#[test]
fn no_combination_of_bad_characters_is_accepted() {
    let good = "AbZ9+/".repeat(14) + "AA";
    assert!(Ed25519Signature::from_base64(&good).is_ok());
    for first in 0..good.len() {
        for count in 1..=(good.len() - first).min(8) {
            for bad in ['-', '_', '=', ' ', '\u{7f}', '\0'] {
                let mut text = good.clone();
                text.replace_range(first..first + count, &bad.to_string().repeat(count));
                assert!(Ed25519Signature::from_base64(&text).is_err(), "{text:?}");
            }
        }
    }
}

/// S-30: of all texts that differ from a key's in the last character, only the key's own is
/// accepted.
#[test]
fn a_key_has_one_text() {
    let characters = ('A'..='Z').chain('a'..='z').chain('0'..='9').chain(['+', '/']);
    let prefix = "AbZ+/A".repeat(7);
    // A last character holds four bits of the key and two that have to be zero.
    let accepted: String = characters
        .filter(|last| Curve25519PublicKey::from_base64(&format!("{prefix}{last}")).is_ok())
        .collect();
    assert_eq!(accepted, "AEIMQUYcgkosw048");
    for last in accepted.chars() {
        let key = Curve25519PublicKey::from_base64(&format!("{prefix}{last}")).unwrap();
        assert_eq!(key.to_base64(), format!("{prefix}{last}"));
        assert_eq!(Curve25519PublicKey::from_base64(&format!("{prefix}{last}=")), Ok(key));
    }
}
