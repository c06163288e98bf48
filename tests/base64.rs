//! S-30: base64 has one meaning in every function that reads text.
//!
//! Without padding or with the correct padding, and nothing else: so that one value has one text (two
//! if padding counts), and no two functions, or two libraries, see different bytes in a text.

mod common;

use common::entries::{TEXT_ENTRIES, Verdict};
use moceril::{Curve25519PublicKey, Ed25519Signature};

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

/// S-30: every function that reads text gives the same answer about its base64.
#[test]
fn all_text_entry_points_agree() {
    for &(text, good) in TABLE {
        for (name, read) in TEXT_ENTRIES {
            // None of these texts is a whole object, so the layer after base64 refuses the good ones.
            let expected = if good { Verdict::Refused } else { Verdict::NotBase64 };
            let verdict = read(text);
            assert!(
                verdict == expected || verdict == Verdict::RefusedSomewhere,
                "{name} of {text:?}: {verdict:?} instead of {expected:?}"
            );
        }
    }
}

/// S-30: the same at the end of a longer text. A signature, whose error does not name the layer, is
/// accepted exactly when it is base64.
#[test]
fn a_signature_is_accepted_exactly_when_it_is_base64() {
    let mut accepted = 0;
    for &(text, good) in TABLE {
        // 84 characters are 63 bytes; a text of one more byte makes 64.
        let whole = "AbZ9+/".repeat(14) + text;
        let one_byte = text.trim_end_matches('=').len() == 2;
        let signature = Ed25519Signature::from_base64(&whole);
        assert_eq!(signature.is_ok(), good && one_byte, "{whole:?}");
        accepted += usize::from(signature.is_ok());
    }
    assert_eq!(accepted, 5, "AA, /w and Ag, and two of them padded");
}

/// S-30: of all texts that differ from a key's in the last character, only the key's own is accepted.
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
