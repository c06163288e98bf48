//! Members of JSON objects, and what to do with answers that have unreadable parts.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use serde_json::{Value, value::RawValue};
use tracing::info;

/// Unreadable parts are looked for down to this depth: an event of a room is at depth 6 of an
/// answer of `/sync`, and a member of its content at depth 8.
const DEPTH: usize = 16;

/// The text at a JSON pointer; the error names what is missing.
pub fn text<'a>(value: &'a Value, pointer: &str) -> Result<&'a str> {
    value.pointer(pointer).and_then(Value::as_str).with_context(|| format!("{pointer} is missing"))
}

/// Reads JSON without those parts that are valid, but cannot be read: values that are nested too
/// deeply, numbers that are too large, halves of surrogate pairs. Other users can put such a part
/// into an event or into their keys, and must not make everything unreadable that a server sends
/// with it. As little as possible is left out: an event that says that somebody leaves the room
/// still says so.
pub fn read(json: &str) -> serde_json::Result<Value> {
    read_part(json, "", DEPTH)
}

fn read_part(json: &str, pointer: &str, depth: usize) -> serde_json::Result<Value> {
    let error = match serde_json::from_str(json) {
        Ok(value) => return Ok(value),
        Err(error) => error,
    };
    if depth == 0 {
        return Err(error);
    }
    let read = |name: &str, part: &RawValue| {
        let pointer = format!("{pointer}/{name}");
        let value = read_part(part.get(), &pointer, depth - 1);
        value.inspect_err(|error| info!(pointer, %error, "a part of an answer is left out")).ok()
    };
    if let Ok(members) = serde_json::from_str::<BTreeMap<String, Box<RawValue>>>(json) {
        let members = members.into_iter();
        Ok(members.filter_map(|(name, part)| Some((name.clone(), read(&name, &part)?))).collect())
    } else if let Ok(items) = serde_json::from_str::<Vec<Box<RawValue>>>(json) {
        Ok(items.iter().enumerate().filter_map(|(n, part)| read(&n.to_string(), part)).collect())
    } else {
        Err(error)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::terminal::explained;

    #[test]
    fn what_cannot_be_read_takes_nothing_else_with_it() {
        let deep = format!("{}{}", "[".repeat(1_000), "]".repeat(1_000));
        for unreadable in [deep.as_str(), r#""\ud800""#, "1e999", r#"{"\udc00":1}"#] {
            let answer = format!(
                r#"{{"rooms":[1,{{"content":{{"x":{unreadable},"membership":"leave"}}}},2],"y":3}}"#
            );
            let mut found = Value::Null;
            let told = explained(|| found = read(&answer).unwrap());
            // The outer lists of the deep one may stay.
            found["rooms"][1]["content"].as_object_mut().unwrap().remove("x");
            let content = json!({ "membership": "leave" });
            assert_eq!(found, json!({ "rooms": [1, { "content": content }, 2], "y": 3 }));
            assert!(told.contains("/rooms/1/content/x"), "{told}");
            // Below the depth to which it is looked for, more is left out.
            let mut nested = format!(r#"{{"x":{unreadable},"y":1}}"#);
            for _ in 0..DEPTH {
                nested = format!(r#"{{"z":1,"a":{nested}}}"#);
            }
            let mut found = &read(&nested).unwrap();
            for _ in 1..DEPTH {
                found = &found["a"];
            }
            assert_eq!(found, &json!({ "z": 1 }));
        }
        for not_json in ["", "<html>", r#"{"a":1"#, r#"{"a":[1,}"#, "{}{}"] {
            assert!(read(not_json).is_err(), "{not_json}");
        }
    }
}
