//! Canonical JSON: the one text of a JSON value, which signatures cover. Feature `payload`.
//!
//! There is no white space, the members of an object are sorted by the code points of their names,
//! and a string has only the escapes that it needs. Numbers are integers from -(2^53) + 1 to 2^53 -
//! 1; others are refused. So are integers that are written as `1e10`, `1.0` or `-0`: the
//! specification says that numbers have neither exponents nor decimal places, and that `-0` must
//! not appear. (One of its examples rewrites `-0` and `1e10` instead.) A program that reads such a
//! text as a floating-point number may round it or write it differently, and would verify another
//! text than was signed. No object that Matrix signs has such numbers.
//!
//! The text does not depend on the features of serde_json that another crate of the program
//! switches on (S-27).
//!
//! Spec: Matrix specification, appendices, "Canonical JSON".
//!
//! ```
//! use moceril::canonical_json;
//!
//! let value = serde_json::from_str(r#"{"本": 2, "日": [1, "\u65E5"]}"#)?;
//! assert_eq!(canonical_json::to_string(&value)?, r#"{"日":[1,"日"],"本":2}"#);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use alloc::{
    string::{String, ToString},
    vec::Vec,
};
use serde_json::{Map, Number, Value};

use crate::error::texts;

/// The greatest number that canonical JSON has: JavaScript's greatest safe integer.
pub const MAX_INTEGER: i64 = (1 << 53) - 1;

/// How deep objects and arrays may be nested: as deep as serde_json reads them.
pub const MAX_DEPTH: usize = 128;

/// The canonical text of a value.
///
/// # Errors
///
/// [`CanonicalJsonError`].
pub fn to_string(value: &Value) -> Result<String, CanonicalJsonError> {
    let mut text = String::new();
    write_value(&mut text, value, MAX_DEPTH)?;
    Ok(text)
}

/// The canonical text of an object without the members of these names.
pub(super) fn without(
    members: &Map<String, Value>,
    omitted: &[&str],
) -> Result<String, CanonicalJsonError> {
    let mut text = String::new();
    write_object(&mut text, members, omitted, MAX_DEPTH)?;
    Ok(text)
}

fn write_value(text: &mut String, value: &Value, depth: usize) -> Result<(), CanonicalJsonError> {
    match value {
        Value::Null => text.push_str("null"),
        Value::Bool(value) => text.push_str(if *value { "true" } else { "false" }),
        Value::Number(number) => text.push_str(&integer(number)?),
        Value::String(string) => write_string(text, string),
        Value::Array(items) => {
            let depth = depth.checked_sub(1).ok_or(CanonicalJsonError::Depth)?;
            text.push('[');
            for (place, item) in items.iter().enumerate() {
                if place > 0 {
                    text.push(',');
                }
                write_value(text, item, depth)?;
            }
            text.push(']');
        }
        Value::Object(members) => write_object(text, members, &[], depth)?,
    }
    Ok(())
}

fn write_object(
    text: &mut String,
    members: &Map<String, Value>,
    omitted: &[&str],
    depth: usize,
) -> Result<(), CanonicalJsonError> {
    let depth = depth.checked_sub(1).ok_or(CanonicalJsonError::Depth)?;
    let members = members.iter().filter(|(name, _)| !omitted.contains(&name.as_str()));
    // With serde_json's feature `preserve_order` they are in any order. The order of code points is
    // that of the bytes of UTF-8.
    let mut members: Vec<_> = members.collect();
    members.sort_unstable_by_key(|(name, _)| *name);
    text.push('{');
    for (place, (name, value)) in members.into_iter().enumerate() {
        if place > 0 {
            text.push(',');
        }
        write_string(text, name);
        text.push(':');
        write_value(text, value, depth)?;
    }
    text.push('}');
    Ok(())
}

/// The text of a number. With serde_json's feature `arbitrary_precision`, a number keeps the text
/// that was read, and `-0` is an integer.
fn integer(number: &Number) -> Result<String, CanonicalJsonError> {
    let integer = number.as_i64().filter(|integer| integer.unsigned_abs() <= MAX_INTEGER as u64);
    let text = integer.ok_or(CanonicalJsonError::Number)?.to_string();
    if number.to_string() == text { Ok(text) } else { Err(CanonicalJsonError::Number) }
}

fn write_string(text: &mut String, string: &str) {
    text.push('"');
    for character in string.chars() {
        match character {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\u{8}' => text.push_str("\\b"),
            '\t' => text.push_str("\\t"),
            '\n' => text.push_str("\\n"),
            '\u{c}' => text.push_str("\\f"),
            '\r' => text.push_str("\\r"),
            '\0'..' ' => {
                text.push_str("\\u00");
                let code = u32::from(character);
                text.extend(
                    [code >> 4, code & 15].iter().filter_map(|digit| char::from_digit(*digit, 16)),
                );
            }
            _ => text.push(character),
        }
    }
    text.push('"');
}

/// The value has no canonical text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CanonicalJsonError {
    /// A number is not an integer from -(2^53) + 1 to 2^53 - 1, or was not written as one: it has a
    /// fraction or an exponent, or is `-0`.
    Number,
    /// Objects and arrays are nested deeper than [`MAX_DEPTH`].
    Depth,
}

texts!(CanonicalJsonError {
    Self::Number => "canonical JSON has only integers from -(2^53) + 1 to 2^53 - 1";
    Self::Depth => "the JSON is nested deeper than {MAX_DEPTH}";
});
