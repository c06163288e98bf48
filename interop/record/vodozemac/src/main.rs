//! Records test vectors from vodozemac. Usage: `record-vodozemac <folder> [<kind>]`.

mod dehydrated;
mod megolm;
mod olm;

use std::{env, error::Error, fs, path::Path};

use serde_json::Value;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const SOURCE: &str = "recorded from vodozemac 0.11.1 on 2026-11-22; it draws its own randomness, \
                      so another run gives other bytes";
const COMMAND: &str =
    "cargo run --manifest-path interop/record/vodozemac/Cargo.toml -- test-vectors";

fn main() -> Result<()> {
    let mut arguments = env::args().skip(1);
    let folder = arguments.next().ok_or("the folder is missing")?;
    let wanted = arguments.next();
    for (kind, record) in RECORDINGS {
        if wanted.as_deref().is_none_or(|wanted| wanted == *kind) {
            record(Path::new(&folder))?;
        }
    }
    Ok(())
}

type Record = fn(&Path) -> Result<()>;

const RECORDINGS: &[(&str, Record)] = &[
    ("olm-transcript", olm::record),
    ("megolm-transcript", megolm::record),
    ("dehydrated-device", dehydrated::record),
];

/// The lines of one file.
#[derive(Default)]
struct Lines(Vec<String>);

impl Lines {
    fn key(&mut self, key: &str, value: impl std::fmt::Display) {
        self.0.push(format!("{key}: {value}").trim_end().to_owned());
    }

    fn step(&mut self, value: String) {
        self.key("step", value);
    }

    fn write(self, folder: &Path, kind: &str, name: &str) -> Result<()> {
        let mut head = Lines::default();
        head.key("kind", kind);
        head.key("source", SOURCE);
        head.key("expect", "success");
        head.key("command", COMMAND);
        head.0.extend(self.0);
        let folder = folder.join(kind);
        fs::create_dir_all(&folder)?;
        let path = folder.join(format!("vodozemac-{name}.txt"));
        Ok(fs::write(path, head.0.join("\n") + "\n")?)
    }
}

/// A byte string that a JSON pickle holds as an array of integers.
fn bytes(value: &Value) -> Result<Vec<u8>> {
    Ok(serde_json::from_value(value.clone())?)
}

fn hex(data: impl AsRef<[u8]>) -> String {
    data.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A plaintext or key as an item of a step.
fn item(data: &[u8]) -> String {
    if data.is_empty() { "-".to_owned() } else { hex(data) }
}
