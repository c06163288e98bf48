//! Searches text for secrets, in every form that printing could give them (S-29).

use std::fmt::Debug;

use base64ct::{Base64, Encoding};

/// Eight bytes in a row are no coincidence. Looking for every fourth such window finds any eleven.
const WINDOW: usize = 8;
const STEP: usize = 4;
/// Nine bytes are twelve whole characters of base64.
const BASE64_WINDOW: usize = 9;

/// What `{:?}` and its variants print.
pub fn debug(value: &dyn Debug) -> Vec<String> {
    vec![
        format!("{value:?}"),
        format!("{value:#?}"),
        format!("{value:x?}"),
        format!("{value:02X?}"),
    ]
}

/// The form in which a part of the secret stands in the text, if it does: as text, in hexadecimal
/// digits, in base64 at any of the three alignments, or as a list of numbers.
pub fn find_leak(text: &str, secret: &[u8]) -> Option<&'static str> {
    assert!(secret.len() >= BASE64_WINDOW + 2, "too short to be searched for");
    let dense: String = text.split_whitespace().collect();
    let base64 = dense.replace('-', "+").replace('_', "/");
    let lower = dense.to_lowercase().replace("0x", "");
    for window in secret.windows(WINDOW).step_by(STEP) {
        let list =
            |number: fn(&u8) -> String| window.iter().map(number).collect::<Vec<_>>().join(",");
        let hex: String = window.iter().map(|byte| format!("{byte:02x}")).collect();
        if std::str::from_utf8(window).is_ok_and(|window| text.contains(window)) {
            return Some("text");
        } else if lower.contains(&hex) {
            return Some("hexadecimal");
        } else if dense.contains(&list(|byte| byte.to_string())) {
            return Some("a list of decimal numbers");
        } else if lower.contains(&list(|byte| format!("{byte:x}")))
            || lower.contains(&list(|byte| format!("{byte:02x}")))
        {
            return Some("a list of hexadecimal numbers");
        }
    }
    // Windows at all places are at all alignments to the groups of three bytes.
    let mut windows = secret.windows(BASE64_WINDOW);
    windows.any(|window| base64.contains(&Base64::encode_string(window))).then_some("base64")
}

/// Secrets with their names, and the search for all of them.
#[derive(Default)]
pub struct Secrets(Vec<(String, Vec<u8>)>);

impl Secrets {
    pub fn add(&mut self, name: &str, secret: &[u8]) {
        self.0.push((name.to_owned(), secret.to_vec()));
    }

    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// Fails if a secret stands in what `Debug` prints of the value.
    #[track_caller]
    pub fn not_in(&self, value: &dyn Debug) {
        debug(value).iter().for_each(|text| self.not_in_text(text));
    }

    /// Fails if a secret stands in the text.
    #[track_caller]
    pub fn not_in_text(&self, text: &str) {
        assert!(!text.is_empty());
        for (name, secret) in &self.0 {
            let leak = find_leak(text, secret);
            assert_eq!(leak, None, "{name} stands in {text:?}");
        }
    }
}
