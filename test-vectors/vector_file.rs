//! Reads the files of `test-vectors/`, strictly. Their format: `test-vectors/README.md`.
//!
//! Typing errors in a file are detected: everything that does not follow the format exactly is
//! refused, and a file fails if no check has read one of its keys.

use std::{
    cell::Cell,
    collections::BTreeMap,
    format, fs,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    string::{String, ToString},
    vec::Vec,
};

/// What refuses a negative file, or the message of a `refuse` step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layer {
    Base64,
    Version,
    Format,
    Key,
    Signature,
    Mac,
    Padding,
    Index,
    KeysMismatch,
    UnknownKey,
    Replay,
}

impl Layer {
    pub fn parse(name: &str) -> Result<Self, String> {
        Ok(match name {
            "base64" => Self::Base64,
            "version" => Self::Version,
            "format" => Self::Format,
            "key" => Self::Key,
            "signature" => Self::Signature,
            "mac" => Self::Mac,
            "padding" => Self::Padding,
            "index" => Self::Index,
            "keys-mismatch" => Self::KeysMismatch,
            "unknown-key" => Self::UnknownKey,
            "replay" => Self::Replay,
            _ => return Err(format!("unknown layer {name:?}")),
        })
    }
}

/// One file: its values, and which of them were read.
#[derive(Debug)]
pub struct VectorFile {
    pub name: String,
    pub kind: String,
    /// The layer that must refuse; `None` expects success.
    pub expect: Option<Layer>,
    values: BTreeMap<String, (String, Cell<bool>)>,
    steps: (Vec<String>, Cell<bool>),
}

impl VectorFile {
    pub fn parse(name: &str, text: &str) -> Result<Self, String> {
        let (mut values, mut steps) = (BTreeMap::new(), Vec::new());
        for line in text.split('\n').filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let (key, value) = parse_line(line).ok_or(format!("not `key: value`: {line:?}"))?;
            if key == "step" {
                steps.push(value.to_string());
            } else if values.insert(key.to_string(), (value.to_string(), false.into())).is_some() {
                return Err(format!("`{key}` appears twice"));
            }
        }
        let mut take = |key: &str| values.remove(key).map(|(value, _)| value);
        let mut mandatory = |key| take(key).ok_or(format!("`{key}` is missing"));
        let (kind, source, expect) =
            (mandatory("kind")?, mandatory("source")?, mandatory("expect")?);
        take("command");
        if source.is_empty() {
            return Err("the source is empty".to_string());
        }
        let expect = if expect == "success" { None } else { Some(Layer::parse(&expect)?) };
        Ok(Self { name: name.to_string(), kind, expect, values, steps: (steps, false.into()) })
    }

    pub fn optional(&self, key: &str) -> Option<&str> {
        let (value, read) = self.values.get(key)?;
        read.set(true);
        Some(value)
    }

    pub fn text(&self, key: &str) -> &str {
        self.optional(key).unwrap_or_else(|| panic!("`{key}` is missing"))
    }

    pub fn number(&self, key: &str) -> u32 {
        number(self.text(key))
    }

    pub fn bytes(&self, key: &str) -> Vec<u8> {
        unhex(self.text(key))
    }

    pub fn array<const N: usize>(&self, key: &str) -> [u8; N] {
        self.bytes(key).try_into().unwrap_or_else(|_| panic!("`{key}` has not {N} bytes"))
    }

    /// The steps in order, each split into its items.
    pub fn steps(&self) -> Vec<Vec<&str>> {
        let (steps, read) = &self.steps;
        assert!(!steps.is_empty(), "there is no step");
        read.set(true);
        steps.iter().map(|step| step.split(' ').collect()).collect()
    }

    /// The keys that nothing has looked at.
    pub fn unread(&self) -> Vec<&str> {
        let steps = (!self.steps.0.is_empty() && !self.steps.1.get()).then_some("step");
        let values = self.values.iter().filter(|(_, (_, read))| !read.get());
        values.map(|(key, _)| key.as_str()).chain(steps).collect()
    }
}

/// `key: value`, or `key:` for the empty value, without any other space around the two.
fn parse_line(line: &str) -> Option<(&str, &str)> {
    let (key, rest) = line.split_once(':')?;
    let key_character = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let value = match rest {
        "" => "",
        _ => rest.strip_prefix(' ').filter(|value| !value.is_empty())?,
    };
    let good = !key.is_empty() && key.chars().all(key_character) && value.trim() == value;
    (good && !value.contains(char::is_control)).then_some((key, value))
}

/// A decimal number as its shortest text.
pub fn number(text: &str) -> u32 {
    let number = text.parse::<u32>().ok().filter(|number| number.to_string() == text);
    number.unwrap_or_else(|| panic!("not a decimal number below 2^32: {text:?}"))
}

/// Lowercase hex.
pub fn unhex(text: &str) -> Vec<u8> {
    let digit = |c: &u8| match c {
        b'0'..=b'9' => c - b'0',
        b'a'..=b'f' => c - b'a' + 10,
        _ => panic!("not lowercase hex: {text:?}"),
    };
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    assert!(rest.is_empty(), "half a byte of hex: {text:?}");
    pairs.iter().map(|[high, low]| digit(high) << 4 | digit(low)).collect()
}

/// Bytes as an item of a step, where `-` is the empty string.
pub fn item_bytes(item: &str) -> Vec<u8> {
    if item == "-" {
        return Vec::new();
    }
    assert!(!item.is_empty(), "an item of a step is empty");
    unhex(item)
}

/// The folder `test-vectors`: in the folder of the package that compiles this file, or above it.
pub fn root() -> PathBuf {
    let folders = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    let mut roots = folders.map(|folder| folder.join("test-vectors"));
    roots.find(|root| root.is_dir()).expect("there is a folder of test vectors")
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
    let mut names: Vec<_> = entries.map(|name| name.into_string().unwrap()).collect();
    names.sort();
    names
}

/// The folders of `test-vectors/`, and that there is nothing else but the files that belong to all.
pub fn areas() -> Vec<String> {
    let (areas, pages): (Vec<_>, Vec<_>) =
        names(&root()).into_iter().partition(|name| root().join(name).is_dir());
    let of_all = ["LICENSE", "README.md", "example.py", "index.jsonl", "vector_file.rs"];
    assert_eq!(pages, of_all, "a vector is in a folder");
    areas
}

/// All files of an area, in the order of their names.
pub fn files(area: &str) -> Vec<VectorFile> {
    let folder = root().join(area);
    let read = |file: String| {
        let name = format!("{area}/{file}");
        assert!(file.ends_with(".txt"), "{name}: not a text file");
        let text = fs::read_to_string(folder.join(&file)).unwrap();
        VectorFile::parse(&name, &text).unwrap_or_else(|error| panic!("{name}: {error}"))
    };
    names(&folder).into_iter().map(read).collect()
}

/// Runs `check` on every file, then fails if any did, with the names of all that failed. A file
/// fails, too, when `check` left a key of it unread.
pub fn check_each(files: &[VectorFile], check: impl Fn(&VectorFile)) {
    let run = |file: &VectorFile| {
        check(file);
        assert!(file.unread().is_empty(), "nothing reads {:?}", file.unread());
    };
    let failure = |file: &VectorFile| Some(format!("{}: {}", file.name, panic_of(|| run(file))?));
    let failures: Vec<_> = files.iter().filter_map(failure).collect();
    assert!(failures.is_empty(), "{} files fail:\n{}", failures.len(), failures.join("\n"));
}

/// What the call says when it panics; `None` when it returns.
pub fn panic_of<T>(call: impl FnOnce() -> T) -> Option<String> {
    let panic = catch_unwind(AssertUnwindSafe(call)).err()?;
    let text = panic.downcast_ref::<String>().map(String::as_str);
    Some(text.or(panic.downcast_ref::<&str>().copied()).unwrap_or("panicked").to_string())
}

/// Fails when fewer positive or negative files of a kind are there than there once were.
pub fn assert_at_least(files: &[VectorFile], kind: &str, positive: usize, negative: usize) {
    let of_kind: Vec<_> = files.iter().filter(|file| file.kind == kind).collect();
    let positives = of_kind.iter().filter(|file| file.expect.is_none()).count();
    let found = (positives, of_kind.len() - positives);
    assert!(
        found.0 >= positive && found.1 >= negative,
        "files of kind {kind} are missing: found {found:?}, expected {:?}",
        (positive, negative)
    );
}
