//! `moceril keys`: files of exported room keys.

mod diff;
mod filter;
mod list;
pub mod load;
mod merge;
pub mod merged;
pub mod save;

use std::collections::BTreeSet;

use clap::{Args, Subcommand};
use moceril::room_keys;

use self::{
    load::{KeyFile, Passphrases},
    save::Save,
};
use crate::{
    backup,
    failure::{Failure, Result, chain},
    input::Input,
    report::Report,
};

/// List, filter, merge, compare, convert and re-encrypt files of exported keys
#[derive(Subcommand, Debug)]
pub enum Keys {
    List(list::List),
    Filter(filter::Filter),
    Merge(merge::Merge),
    Diff(diff::Diff),
    Decrypt(Decrypt),
    Encrypt(Encrypt),
    #[command(subcommand)]
    Convert(Convert),
}

/// Convert between files of exported keys and backups in the form that servers use
#[derive(Subcommand, Debug)]
pub enum Convert {
    ToBackup(backup::create::ToBackup),
    FromBackup(backup::FromBackup),
}

/// Write the keys of an encrypted file without encryption, as JSON
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  moceril keys decrypt keys.txt --output keys.json
  moceril keys decrypt keys.txt --passphrase env:PASSPHRASE --show-secrets | jq length")]
pub struct Decrypt {
    /// The file of exported keys; - is standard input
    #[arg(value_name = "FILE")]
    input: Input,
    #[command(flatten)]
    passphrases: Passphrases,
    #[command(flatten)]
    output: crate::output::Output,
}

/// Encrypt keys with a passphrase, or change the passphrase of a file
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  moceril keys encrypt keys.json --output keys.txt
  moceril keys encrypt old.txt --passphrase env:OLD --new-passphrase env:NEW --output new.txt")]
pub struct Encrypt {
    /// The file of keys; - is standard input
    #[arg(value_name = "FILE")]
    input: Input,
    #[command(flatten)]
    passphrases: Passphrases,
    #[command(flatten)]
    save: Save,
}

pub fn run(command: &Keys, json: bool, show_secrets: bool) -> Result<()> {
    match command {
        Keys::List(args) => list::run(args, json),
        Keys::Filter(args) => filter::run(args, json, show_secrets),
        Keys::Merge(args) => merge::run(args, json, show_secrets),
        Keys::Diff(args) => diff::run(args, json),
        Keys::Decrypt(args) => decrypt(args, show_secrets),
        Keys::Encrypt(args) => encrypt(args, show_secrets),
        Keys::Convert(Convert::ToBackup(args)) => backup::create::to_file(args, json),
        Keys::Convert(Convert::FromBackup(args)) => backup::from_backup(args, json, show_secrets),
    }
}

fn decrypt(args: &Decrypt, show_secrets: bool) -> Result<()> {
    let content = crate::output::Content::Secret { shown: show_secrets };
    args.output.check(content)?;
    let mut file = KeyFile::load(&args.input, &args.passphrases)?;
    args.output.write(content, |out| {
        file.each_part(|json| Ok(out.write_all(json)?))?;
        Ok(writeln!(out)?)
    })
}

fn encrypt(args: &Encrypt, show_secrets: bool) -> Result<()> {
    args.save.check(show_secrets)?;
    let mut file = KeyFile::load(&args.input, &args.passphrases)?;
    // A file that cannot be read again would look like a safe copy of the keys.
    file.each_key(|key| {
        let hint = "run moceril keys filter, which leaves bad entries out";
        key.map(drop).map_err(|why| Failure::input(why).hint(hint))
    })?;
    args.save.save(file.passphrase(), show_secrets, |sink| file.each_part(|json| sink.write(json)))
}

/// Adds to a report what these keys are.
pub fn summary(report: Report, json: &str) -> Report {
    let (mut rooms, mut sessions) = (BTreeSet::new(), 0_u64);
    let (mut refused, mut first) = (0_u64, None);
    for (place, key) in room_keys::read_export(json).enumerate() {
        match key {
            Ok(key) => {
                rooms.insert(key.room_id);
                sessions += 1;
            }
            Err(error) => {
                refused += 1;
                first.get_or_insert_with(|| format!("entry {}: {}", place + 1, chain(&error)));
            }
        }
    }
    let report = report.with("rooms", rooms.len()).with("sessions", sessions);
    match first {
        None => report,
        Some(first) if refused == 1 => report.problem(first),
        Some(first) => {
            report.problem(format!("{refused} entries are malformed; the first is {first}"))
        }
    }
}
