//! Types that may grow can grow in a minor release: a public enum, or a struct with public fields,
//! is `#[non_exhaustive]`, or is listed here with the reason why it is complete.

use std::collections::BTreeSet;

use moceril_testing::sources::{identifier, sources};

/// Complete types: callers may match every variant, and build them from their fields.
const COMPLETE: [(&str, &str); 26] = [
    ("BackupMessage", "the properties of the specification"),
    ("BackupMessageBase64", "the properties of the specification"),
    ("CrossSigningKeys", "a caller builds it: the three keys of a user"),
    ("DehydratedDevice", "a caller builds it: the properties of the proposal"),
    ("Device", "a caller builds it: the members that the specification checks"),
    ("DigitMode", "one for each of the two proposals"),
    ("Emoji", "the columns of the specification's table"),
    ("EncryptedSecret", "the properties of the specification"),
    ("IdentityKeys", "a caller builds it: the two keys of a device"),
    ("Incoming", "what every step that decrypts gives"),
    ("InitialMessage", "the parts of a message"),
    ("InitialResponse", "the parts of a message"),
    ("MegolmContent", "a caller builds it: the specification's members, and `other`"),
    ("Message", "the parts of a message"),
    ("OlmContent", "the properties of the specification"),
    ("OlmMessage", "the two types of Olm's specification, which every caller tells apart"),
    ("OlmPayload", "the members of the specification"),
    ("Outgoing", "what every step that encrypts gives"),
    ("PassphraseCost", "the parameters of Argon2"),
    ("PassphraseParameters", "the parameters of `m.pbkdf2`"),
    ("RawSessionKeys", "a caller builds it: the keys of Olm's handshake"),
    ("Refused", "what every refused step gives"),
    ("RoomKey", "a caller builds it: the specification's members, and `other`"),
    ("SessionKeys", "a caller builds it: the keys of Olm's handshake"),
    ("SessionOrdering", "an order has no other outcome"),
    ("SignedOneTimeKey", "a caller builds it: the members that are signed"),
];

/// The public enums and the structs with public fields that lack the attribute.
fn exhaustive(code: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let lines: Vec<_> = code.lines().collect();
    for (number, line) in lines.iter().enumerate() {
        let item = line.strip_prefix("pub enum ").or_else(|| line.strip_prefix("pub struct "));
        let Some(item) = item else { continue };
        let body = lines[number + 1..].iter().take_while(|line| **line != "}");
        let open = line.ends_with('{')
            && (line.starts_with("pub enum ")
                || body.into_iter().any(|line| line.starts_with("    pub ")));
        let attributes = lines[..number].iter().rev().take_while(|line| line.starts_with("#["));
        if open && !attributes.into_iter().any(|line| *line == "#[non_exhaustive]") {
            found.insert(identifier(item).to_owned());
        }
    }
    found
}

#[test]
fn what_may_grow_can_grow() {
    let found: BTreeSet<_> = sources().iter().flat_map(|source| exhaustive(&source.code)).collect();
    let complete: BTreeSet<_> = COMPLETE.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(found, complete);
}

#[test]
fn an_exhaustive_type_is_noticed() {
    for code in ["pub enum A {\n    B,\n}", "#[derive(Clone)]\npub struct A {\n    pub b: u8,\n}"] {
        assert_eq!(exhaustive(code), BTreeSet::from(["A".to_owned()]), "{code}");
        assert_eq!(exhaustive(&format!("#[non_exhaustive]\n{code}")), BTreeSet::new(), "{code}");
    }
    for code in ["pub struct A(u8);", "pub struct A {\n    pub(crate) b: u8,\n}", "enum A {\n}"] {
        assert_eq!(exhaustive(code), BTreeSet::new(), "{code}");
    }
}
