//! Reads a vector, and compares values with it.

use std::{collections::BTreeMap, fmt};

/// Where a vector is wrong, and how.
pub type Wrong = String;
pub type Checked<T> = Result<T, Wrong>;

pub struct Vector<'a> {
    pub kind: &'a str,
    /// The layer that has to refuse; `None` expects success.
    pub expect: Option<&'a str>,
    values: BTreeMap<&'a str, &'a str>,
    /// The items of each step, with the number of its line.
    pub steps: Vec<(usize, Vec<&'a str>)>,
}

impl<'a> Vector<'a> {
    pub fn parse(text: &'a str) -> Checked<Self> {
        let (mut values, mut steps) = (BTreeMap::new(), Vec::new());
        for (number, line) in (1..).zip(text.lines()) {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (key, value) =
                line.split_once(':').ok_or(format!("line {number}: not \"key: value\""))?;
            let value = value.trim_start();
            if key == "step" {
                steps.push((number, value.split(' ').collect()));
            } else if values.insert(key, value).is_some() {
                return Err(format!("line {number}: {key} appears twice"));
            }
        }
        let value = |key| values.get(key).copied().ok_or(format!("{key} is missing"));
        let (kind, expect) = (value("kind")?, value("expect")?);
        let expect = (expect != "success").then_some(expect);
        Ok(Self { kind, expect, values, steps })
    }

    pub fn optional(&self, key: &str) -> Option<&'a str> {
        self.values.get(key).copied()
    }

    pub fn text(&self, key: &str) -> Checked<&'a str> {
        self.optional(key).ok_or_else(|| format!("{key} is missing"))
    }

    pub fn bytes(&self, key: &str) -> Checked<Vec<u8>> {
        unhex(self.text(key)?).ok_or_else(|| format!("{key} is not hex"))
    }

    pub fn array<const N: usize>(&self, key: &str) -> Checked<[u8; N]> {
        self.bytes(key)?.try_into().map_err(|_| format!("{key} does not have {N} bytes"))
    }

    /// A text that is written as hex.
    pub fn string(&self, key: &str) -> Checked<String> {
        String::from_utf8(self.bytes(key)?).map_err(|_| format!("{key} is not UTF-8"))
    }

    pub fn number(&self, key: &str) -> Checked<u32> {
        self.text(key)?.parse().map_err(|_| format!("{key} is not a number"))
    }

    /// The text must be what the file says.
    pub fn is(&self, key: &str, found: impl fmt::Display) -> Checked<()> {
        same(key, self.text(key)?, &found.to_string())
    }

    /// The bytes must be what the file says in hex.
    pub fn is_bytes(&self, key: &str, found: &[u8]) -> Checked<()> {
        same(key, self.text(key)?, &hex(found))
    }

    /// The value of a positive file; `None` after one of the layers has refused what it must.
    pub fn outcome<T, E>(
        &self,
        result: Result<T, E>,
        layers: impl Fn(&E) -> &'static [&'static str],
    ) -> Checked<Option<T>> {
        match (self.expect, result) {
            (None, Ok(value)) => Ok(Some(value)),
            (None, Err(error)) => Err(format!("refused by the layer {}", layers(&error).join("/"))),
            (Some(layer), Ok(_)) => {
                Err(format!("it was accepted, but the layer {layer} must refuse it"))
            }
            (Some(layer), Err(error)) if layers(&error).contains(&layer) => Ok(None),
            (Some(layer), Err(error)) => {
                let found = layers(&error).join("/");
                Err(format!("refused by the layer {found}, not by {layer}"))
            }
        }
    }
}

/// Two values must be the same.
pub fn same(place: &str, expected: &str, found: &str) -> Checked<()> {
    if expected == found {
        return Ok(());
    }
    let common = expected.bytes().zip(found.bytes()).take_while(|(a, b)| a == b).count();
    Err(format!("{place}: it differs from character {} on", common + 1))
}

pub fn unhex(text: &str) -> Option<Vec<u8>> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let pairs = pairs.iter().map(|pair| {
        let is_hex = pair.iter().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'));
        let pair = str::from_utf8(pair).ok().filter(|_| is_hex)?;
        u8::from_str_radix(pair, 16).ok()
    });
    rest.is_empty().then(|| pairs.collect()).flatten()
}

/// An item of a step, where `-` is the empty string.
pub fn item(text: &str) -> Checked<Vec<u8>> {
    if text == "-" {
        return Ok(Vec::new());
    }
    unhex(text).ok_or_else(|| format!("{text} is not hex"))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
