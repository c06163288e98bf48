//! Reads files of exported keys, encrypted or not.

use clap::Args;
use moceril::{
    key_export::{self, Decryptor, KeyExportError, Scanner, Verifier},
    room_keys::{ExportParser, ExportedRoomKey, RoomKeyError},
};
use zeroize::Zeroizing;

use crate::{
    failure::{Failure, Result, chain},
    input::{Input, Pieces},
    report::counted,
    secrets::Secret,
};

/// The passphrases of the encrypted files that are read.
#[derive(Args, Debug, Default)]
pub struct Passphrases {
    /// Where the passphrase is: file:PATH, env:NAME, fd:NUMBER or prompt; one for all encrypted
    /// files, or one for each of them, in their order
    #[arg(long = "passphrase", value_name = "SOURCE")]
    sources: Vec<Secret>,
}

impl Passphrases {
    /// The source for each encrypted file, in their order; `None` asks the user. A single source is
    /// that of every file.
    fn for_files(&self, encrypted: usize) -> Result<impl Iterator<Item = Option<&Secret>>> {
        let count = self.sources.len();
        if count > 1 && count > encrypted {
            let what = format!("({count}) than encrypted files ({encrypted})");
            return Err(Failure::usage(format_args!("there are more passphrases {what}")));
        }
        let source = move |place| self.sources.get(if count == 1 { 0 } else { place });
        Ok((0..encrypted).map(source))
    }
}

/// The keys of a file, which need not fit into memory.
pub struct KeyFile {
    pub name: String,
    pieces: Pieces,
    encrypted: Option<Encrypted>,
}

/// A file that is not opened yet.
struct Found {
    name: String,
    pieces: Pieces,
    is_encrypted: bool,
}

impl Found {
    fn of(input: &Input) -> Result<Self> {
        let mut pieces = input.pieces()?;
        let is_encrypted = !pieces.begins_with(b'[')?;
        Ok(Self { name: input.name(), pieces, is_encrypted })
    }

    /// Opens the file. An encrypted one takes the next of the passphrases.
    fn open<'a>(self, sources: &mut impl Iterator<Item = Option<&'a Secret>>) -> Result<KeyFile> {
        let Self { name, mut pieces, is_encrypted } = self;
        if !is_encrypted {
            return Ok(KeyFile { name, pieces, encrypted: None });
        }
        // The passphrase is not asked for if the file cannot be right.
        let mut scanner = Scanner::new();
        pieces.each(|piece| {
            scanner.update(piece);
            Ok(())
        })?;
        scanner.finish().map_err(|error| refused(error).at(&name))?;
        let source = sources.next().flatten();
        let passphrase = Secret::text(source, &format!("passphrase of {name}"))?;
        let mut verifier = Verifier::new(&passphrase, key_export::MAX_ROUNDS);
        pieces.each(|piece| {
            verifier.update(piece);
            Ok(())
        })?;
        let decryptor = Box::new(verifier.finish().map_err(|error| refused(error).at(&name))?);
        Ok(KeyFile { name, pieces, encrypted: Some(Encrypted { decryptor, passphrase }) })
    }
}

struct Encrypted {
    decryptor: Box<Decryptor>,
    passphrase: Zeroizing<String>,
}

impl KeyFile {
    /// Opens one file.
    pub fn load(input: &Input, passphrases: &Passphrases) -> Result<Self> {
        let found = Found::of(input)?;
        let mut sources = passphrases.for_files(usize::from(found.is_encrypted))?;
        found.open(&mut sources)
    }

    /// Opens several files. Which of them are encrypted is known before a passphrase is asked for.
    pub fn load_all(inputs: &[Input], passphrases: &Passphrases) -> Result<Vec<Self>> {
        let found = inputs.iter().map(Found::of).collect::<Result<Vec<_>>>()?;
        let encrypted = found.iter().filter(|file| file.is_encrypted).count();
        let mut sources = passphrases.for_files(encrypted)?;
        found.into_iter().map(|file| file.open(&mut sources)).collect()
    }

    /// Hands each part of the JSON to `visit`.
    pub fn each_part(&mut self, mut visit: impl FnMut(&[u8]) -> Result<()>) -> Result<()> {
        let Some(Encrypted { decryptor, .. }) = &mut self.encrypted else {
            return self.pieces.each(visit);
        };
        let name = &self.name;
        let changed =
            |_| Failure::file(format_args!("{name}: the file was changed while it was read"));
        self.pieces.each(|piece| visit(decryptor.update(piece).map_err(changed)?))?;
        visit(decryptor.finish().map_err(changed)?)
    }

    /// Hands each key to `visit`; in place of a malformed one, why it is.
    pub fn each_key(
        &mut self,
        mut visit: impl FnMut(std::result::Result<ExportedRoomKey, String>) -> Result<()>,
    ) -> Result<()> {
        let (name, mut place) = (self.name.clone(), 0_u64);
        let mut visit = |key: std::result::Result<ExportedRoomKey, RoomKeyError>| {
            place += 1;
            visit(key.map_err(|error| format!("{name}: entry {place}: {}", chain(&error))))
        };
        let mut parser = ExportParser::new();
        self.each_part(|json| {
            parser.update(json);
            while let Some(key) = parser.next_key() {
                visit(key)?;
            }
            Ok(())
        })?;
        parser.finish().or_else(|error| visit(Err(error)))
    }

    /// The passphrase, if the file is encrypted.
    pub fn passphrase(&self) -> Option<Zeroizing<String>> {
        self.encrypted.as_ref().map(|encrypted| encrypted.passphrase.clone())
    }
}

/// Why a file of exported keys cannot be read.
pub fn refused(error: KeyExportError) -> Failure {
    match error {
        KeyExportError::Authentication => Failure::key(chain(&error)).hint(
            "enter the passphrase again: it was chosen for the export, and is not the account's",
        ),
        KeyExportError::NoHeader => Failure::input(chain(&error)).hint(
            "run moceril inspect, which says what the file is; keys in the clear begin with [",
        ),
        KeyExportError::CutOff | KeyExportError::TooShort | KeyExportError::Base64(_) => {
            Failure::input(chain(&error)).hint("copy or export the file again: a part is missing")
        }
        _ => Failure::input(chain(&error)),
    }
}

/// How many unreadable entries are named. The others are only counted, because a file can have
/// millions.
const NAMED: usize = 10;

/// The unreadable entries, which do not affect the other keys.
#[derive(Debug, Default)]
pub struct Refusals {
    named: Vec<String>,
    count: u64,
}

impl Refusals {
    /// The key, unless it is malformed.
    pub fn sort<T>(&mut self, result: std::result::Result<T, String>) -> Option<T> {
        let refuse = |why| {
            self.count += 1;
            if self.named.len() < NAMED {
                self.named.push(why);
            }
        };
        result.map_err(refuse).ok()
    }

    /// Reports what could not be read, after everything else is done.
    pub fn report(self) -> Result<()> {
        if self.count == 0 {
            return Ok(());
        }
        let text = counted(self.count, "entry was skipped:", "entries were skipped:");
        let more = (self.count > NAMED as u64).then(|| "...".into());
        let lines = self.named.into_iter().chain(more);
        Err(lines.fold(Failure::finding(text), Failure::detail))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_are_counted_and_few_are_kept() {
        let mut refusals = Refusals::default();
        assert_eq!(refusals.sort(Ok(1)), Some(1));
        for number in 0..100_u8 {
            assert_eq!(refusals.sort::<()>(Err(format!("entry {number}"))), None);
        }
        assert_eq!(refusals.named.len(), NAMED);
        let text = refusals.report().unwrap_err().to_string();
        assert!(text.starts_with("100 entries were skipped:\n  entry 0\n"), "{text}");
        assert!(text.ends_with("\n  entry 9\n  ..."), "{text}");
    }
}
