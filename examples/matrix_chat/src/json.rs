//! Members of JSON objects.

use anyhow::{Context, Result};
use serde_json::Value;

/// The text at a JSON pointer; the error names what is missing.
pub fn text<'a>(value: &'a Value, pointer: &str) -> Result<&'a str> {
    value.pointer(pointer).and_then(Value::as_str).with_context(|| format!("{pointer} is missing"))
}
