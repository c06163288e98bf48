//! Reads files of exported keys, encrypted or in the clear.

use clap::Args;
use moceril::{
    SecretString,
    key_export::{self, KeyExportError},
    room_keys::{self, ExportedRoomKey},
};
use zeroize::Zeroizing;

use crate::{
    failure::{Failure, Result, chain},
    input::Input,
    secrets::Secret,
};

/// The passphrases of the files that are read.
#[derive(Args, Debug)]
pub struct Passphrases {
    /// Where the passphrase is: file:PATH, env:NAME, fd:NUMBER or prompt; one for all encrypted
    /// files, or one for each, in their order
    #[arg(long = "passphrase", value_name = "SOURCE")]
    sources: Vec<Secret>,
}

/// Where the JSON of a file is. A large one is not copied from one to the other.
enum Json {
    InTheClear(Zeroizing<String>),
    Decrypted(SecretString),
}

/// The keys of a file, as JSON.
pub struct KeyFile {
    pub name: String,
    json: Json,
    /// The passphrase, if the file was encrypted.
    passphrase: Option<Zeroizing<String>>,
}

impl KeyFile {
    /// Reads one file.
    pub fn load(input: &Input, passphrases: &Passphrases) -> Result<Self> {
        Self::load_with(input, passphrases.sources.first())
    }

    /// Reads several files.
    pub fn load_all(inputs: &[Input], passphrases: &Passphrases) -> Result<Vec<Self>> {
        let sources = &passphrases.sources;
        if sources.len() > inputs.len() {
            return Err(Failure::usage("there are more passphrases than files"));
        }
        let source = |place| if sources.len() == 1 { sources.first() } else { sources.get(place) };
        let load = |(place, input)| Self::load_with(input, source(place));
        inputs.iter().enumerate().map(load).collect()
    }

    fn load_with(input: &Input, source: Option<&Secret>) -> Result<Self> {
        let name = input.name();
        let text = input.text()?;
        if text.trim_start().starts_with('[') {
            return Ok(Self { name, json: Json::InTheClear(text), passphrase: None });
        }
        // Without a passphrase nothing is asked for a file that cannot be right.
        key_export::rounds(&text).map_err(|error| refused(error).at(&name))?;
        let passphrase = Secret::text(source, &format!("passphrase of {name}"))?;
        let json = key_export::decrypt(&text, &passphrase, key_export::MAX_ROUNDS);
        let json = json.map_err(|error| refused(error).at(&name))?;
        Ok(Self { name, json: Json::Decrypted(json), passphrase: Some(passphrase) })
    }

    /// The keys one by one; in place of a malformed one, why it is.
    pub fn keys(&self) -> impl Iterator<Item = std::result::Result<ExportedRoomKey, String>> {
        let keys = room_keys::read_export(self.json()).enumerate();
        keys.map(|(place, key)| {
            key.map_err(|error| format!("{}: entry {}: {}", self.name, place + 1, chain(&error)))
        })
    }

    pub fn json(&self) -> &str {
        match &self.json {
            Json::InTheClear(text) => text,
            Json::Decrypted(text) => text,
        }
    }

    /// The passphrase, if the file was encrypted.
    pub fn passphrase(&self) -> Option<Zeroizing<String>> {
        self.passphrase.clone()
    }

    /// The passphrase of the first encrypted file. The keys are no longer needed.
    pub fn into_passphrase(files: Vec<Self>) -> Option<Zeroizing<String>> {
        files.into_iter().find_map(|file| file.passphrase)
    }
}

/// Why a file of exported keys cannot be read.
pub fn refused(error: KeyExportError) -> Failure {
    match error {
        KeyExportError::Authentication => Failure::key(chain(&error)).hint(
            "the passphrase again: it is the one that was chosen for the export, not the account's",
        ),
        KeyExportError::NoHeader => Failure::input(chain(&error))
            .hint("moceril inspect, which says what the file is; keys in the clear begin with ["),
        KeyExportError::CutOff | KeyExportError::TooShort | KeyExportError::Base64(_) => {
            Failure::input(chain(&error))
                .hint("to copy or export the file again: a part is missing")
        }
        _ => Failure::input(chain(&error)),
    }
}

/// What could not be read, which the other keys do not suffer from.
#[derive(Debug, Default)]
pub struct Refusals(Vec<String>);

/// So many are named; the others are counted.
const NAMED: usize = 10;

impl Refusals {
    /// The key, unless it is malformed.
    pub fn sort<T>(&mut self, result: std::result::Result<T, String>) -> Option<T> {
        result.map_err(|why| self.0.push(why)).ok()
    }

    /// Says what could not be read, after everything else is done.
    pub fn report(self) -> Result<()> {
        if self.0.is_empty() {
            return Ok(());
        }
        let mut text = format!("{} could not be used; all others were:", self.0.len());
        for why in self.0.iter().take(NAMED) {
            text += "\n  ";
            text += why;
        }
        if self.0.len() > NAMED {
            text += "\n  ...";
        }
        Err(Failure::finding(text))
    }
}
