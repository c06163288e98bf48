//! S-06, S-27: a signature of a JSON object covers the same text with any features of serde_json.

use moceril::canonical_json::{self, CanonicalJsonError, MAX_DEPTH, MAX_INTEGER};
use moceril_testing::vector_file::{Layer, assert_at_least, check_each, files};
use serde_json::{Value, json};

fn canonical(json: &str) -> Result<String, CanonicalJsonError> {
    canonical_json::to_string(&serde_json::from_str(json).unwrap())
}

#[test]
fn vectors() {
    let files = files("canonical-json");
    check_each(&files, |file| {
        assert_eq!(file.kind, "canonical-json");
        let text = canonical(&String::from_utf8(file.bytes("json")).unwrap());
        if let Some(layer) = file.expect {
            assert_eq!(layer, Layer::Format);
            return assert_eq!(text, Err(CanonicalJsonError::Number));
        }
        let text = text.unwrap();
        assert_eq!(text.as_bytes(), file.bytes("canonical"));
        assert_eq!(canonical(&text).unwrap(), text, "it is its own canonical form");
    });
    assert_at_least(&files, "canonical-json", 16, 11);
}

/// The order of code points is not that of UTF-16, by which JavaScript sorts.
#[test]
fn members_are_in_the_order_of_code_points() {
    let names =
        ["", "\0", "A", "a", "aa", "b", "é", "\u{d7ff}", "\u{e000}", "\u{ffff}", "\u{10000}"];
    let object: serde_json::Map<String, Value> =
        names.iter().rev().map(|name| ((*name).to_owned(), json!(1))).collect();
    let text = canonical_json::to_string(&Value::Object(object)).unwrap();
    let places: Vec<_> = names
        .iter()
        .map(|name| text.find(&format!("{}:1", serde_json::to_string(name).unwrap())).unwrap())
        .collect();
    assert!(places.is_sorted(), "{text}");
}

#[test]
fn only_safe_integers_are_numbers() {
    for good in ["0", "-1", "9007199254740991", "-9007199254740991"] {
        assert_eq!(canonical(good).as_deref(), Ok(good));
    }
    assert_eq!(MAX_INTEGER, 9_007_199_254_740_991);
    for bad in [
        "9007199254740992",
        "-9007199254740992",
        "-9223372036854775808",
        "18446744073709551615",
        "0.0",
        "1.0",
        "1.5",
        "1e0",
        "1E2",
        "-0",
        "-0.0",
        "0e1",
    ] {
        for json in [bad.to_owned(), format!("[{bad}]"), format!(r#"{{"a":{{"b":{bad}}}}}"#)] {
            assert_eq!(canonical(&json), Err(CanonicalJsonError::Number), "{json}");
        }
    }
}

/// S-02: a value that nests deeper than serde_json reads is refused, and does not exhaust the
/// stack.
#[test]
fn the_depth_is_bounded() {
    let nested = |depth| (0..depth).fold(json!(1), |value, _| json!([{ "a": value }]));
    assert!(canonical_json::to_string(&nested(MAX_DEPTH / 2)).is_ok());
    let refused = canonical_json::to_string(&json!([nested(MAX_DEPTH / 2)]));
    assert_eq!(refused, Err(CanonicalJsonError::Depth));
    let deepest = canonical(&("[".repeat(127) + &"]".repeat(127)));
    assert_eq!(deepest.map(|text| text.len()), Ok(254));
}
