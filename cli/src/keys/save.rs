//! Writes files of exported keys, encrypted unless the user says otherwise.

use std::io::Write;

use clap::Args;
use moceril::{
    key_export::{self, Encryptor, KeyExportError},
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
    /// it, the command takes the passphrase of the first encrypted input, or asks for one
    #[arg(long, value_name = "SOURCE")]
    new_passphrase: Option<Secret>,
    /// How many times the passphrase is hashed: more makes it harder to guess
    #[arg(long, value_name = "NUMBER", default_value_t = key_export::DEFAULT_ROUNDS)]
    rounds: u32,
    /// Write the keys without encryption, as JSON: whoever sees the file can read the messages
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
            return Err(Failure::usage(format_args!("--rounds must be at least {minimum}")));
        }
        self.output.check(self.content(show_secrets))
    }

    /// Writes what `produce` produces; `known` is the passphrase of the input.
    pub fn save(
        &self,
        known: Option<Zeroizing<String>>,
        show_secrets: bool,
        produce: impl FnOnce(&mut Sink<'_>) -> Result<()>,
    ) -> Result<()> {
        let content = self.content(show_secrets);
        let encryptor = match (self.plain, known, &self.new_passphrase) {
            (true, ..) => None,
            (false, Some(known), None) => Some(self.encryptor(&known)?),
            (false, _, source) => {
                let new = Secret::new_text(source.as_ref(), "passphrase of the new file")?;
                Some(self.encryptor(&new)?)
            }
        };
        self.output.write(content, |out| {
            let mut sink = Sink { out, encryptor, count: 0 };
            produce(&mut sink)?;
            match sink.encryptor {
                Some(encryptor) => Ok(sink.out.write_all(encryptor.finish().as_bytes())?),
                None => Ok(writeln!(sink.out)?),
            }
        })
    }

    fn encryptor(&self, passphrase: &str) -> Result<Encryptor> {
        Encryptor::new(passphrase, self.rounds).map_err(|error| {
            let failure = Failure::usage(chain(&error));
            match error {
                KeyExportError::EmptyPassphrase => {
                    failure.hint("choose a passphrase, or use --plain")
                }
                _ => failure,
            }
        })
    }
}

/// Where the JSON of keys goes, and is encrypted on its way.
pub struct Sink<'a> {
    out: &'a mut dyn Write,
    encryptor: Option<Encryptor>,
    /// How many keys were written one by one.
    pub count: u64,
}

impl Sink<'_> {
    /// Writes a part of the JSON.
    pub fn write(&mut self, json: &[u8]) -> Result<()> {
        match &mut self.encryptor {
            Some(encryptor) => Ok(self.out.write_all(encryptor.update(json).as_bytes())?),
            None => Ok(self.out.write_all(json)?),
        }
    }

    /// Writes a key. After the last one, [`end`](Self::end) is needed.
    pub fn push(&mut self, key: &ExportedRoomKey) -> Result<()> {
        let entry = key.to_json().map_err(|error| Failure::input(chain(&error)))?;
        self.write(if self.count == 0 { b"[" } else { b"," })?;
        self.count += 1;
        self.write(entry.as_bytes())
    }

    /// After the last key.
    pub fn end(&mut self) -> Result<()> {
        self.write(if self.count == 0 { b"[]" } else { b"]" })
    }
}
