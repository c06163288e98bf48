//! Writes files of exported keys, encrypted unless the user says otherwise.

use clap::Args;
use moceril::{
    key_export::{self, KeyExportError},
    room_keys::ExportedRoomKey,
};
use zeroize::Zeroizing;

use crate::{
    failure::{Failure, Result, chain},
    output::{Content, Output},
    secrets::Secret,
};

/// How keys are written.
#[derive(Args, Debug)]
pub struct Save {
    #[command(flatten)]
    pub output: Output,
    /// Where the passphrase of the new file is: file:PATH, env:NAME, fd:NUMBER or prompt; without
    /// it, the new file has that of the first encrypted file
    #[arg(long, value_name = "SOURCE")]
    new_passphrase: Option<Secret>,
    /// How often the passphrase is hashed: more makes guessing it harder
    #[arg(long, value_name = "NUMBER", default_value_t = key_export::DEFAULT_ROUNDS)]
    rounds: u32,
    /// Write the keys in the clear, as JSON: whoever sees the file can read the messages
    #[arg(long, conflicts_with_all = ["new_passphrase", "rounds"])]
    plain: bool,
}

impl Save {
    fn content(&self, show_secrets: bool) -> Content {
        if self.plain { Content::Secret { shown: show_secrets } } else { Content::Public }
    }

    /// Refuses what cannot be done, before any work.
    pub fn check(&self, show_secrets: bool) -> Result<()> {
        if self.rounds < key_export::MIN_ROUNDS {
            let minimum = key_export::MIN_ROUNDS;
            return Err(Failure::usage(format_args!("--rounds: at least {minimum} are safe")));
        }
        self.output.check(self.content(show_secrets))
    }

    /// Writes this JSON; `known` is the passphrase of what was read.
    pub fn save(
        &self,
        json: &str,
        known: Option<Zeroizing<String>>,
        show_secrets: bool,
    ) -> Result<()> {
        let content = self.content(show_secrets);
        if self.plain {
            return self.output.write(content, |out| Ok(writeln!(out, "{json}")?));
        }
        let passphrase = match (known, &self.new_passphrase) {
            (Some(known), None) => known,
            (_, source) => Secret::new_text(source.as_ref(), "passphrase of the new file")?,
        };
        let file = key_export::encrypt(json, &passphrase, self.rounds).map_err(|error| {
            let failure = Failure::usage(chain(&error));
            match error {
                KeyExportError::EmptyPassphrase => failure.hint("a passphrase, or --plain"),
                _ => failure,
            }
        })?;
        self.output.write(content, |out| Ok(out.write_all(file.as_bytes())?))
    }
}

/// The JSON of keys, written one by one. A buffer that grows would leave copies of keys behind, so
/// a full one is replaced, and wiped.
pub struct Entries {
    json: Zeroizing<String>,
    pub count: usize,
}

impl Entries {
    pub fn with_capacity(capacity: usize) -> Self {
        Self { json: Zeroizing::new(String::with_capacity(capacity.max(16))), count: 0 }
    }

    pub fn push(&mut self, key: &ExportedRoomKey) -> Result<()> {
        let entry = key.to_json().map_err(|error| Failure::input(chain(&error)))?;
        self.put(if self.count == 0 { "[" } else { "," });
        self.put(&entry);
        self.count += 1;
        Ok(())
    }

    pub fn finish(mut self) -> Zeroizing<String> {
        self.put(if self.count == 0 { "[]" } else { "]" });
        self.json
    }

    fn put(&mut self, text: &str) {
        let needed = self.json.len() + text.len();
        if needed > self.json.capacity() {
            let mut larger = Zeroizing::new(String::with_capacity(needed.max(2 * self.json.len())));
            larger.push_str(&self.json);
            self.json = larger;
        }
        self.json.push_str(text);
    }
}
