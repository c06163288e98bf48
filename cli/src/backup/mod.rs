//! `moceril backup`: a server's backup of a user's room keys, as a file.

pub mod create;
#[cfg(feature = "homeserver")]
mod homeserver;
mod key;
#[cfg(feature = "homeserver")]
mod upload;

use std::collections::BTreeSet;

use clap::{Args, Subcommand};
use moceril::{
    backup::{BackupDecryptionKey, BackupError},
    backup_file::{BackedUpKey, BackupFileError, BackupReader, BackupVersion},
    room_keys::ExportedRoomKey,
};
use zeroize::Zeroizing;

use self::key::BackupKey;
use crate::{
    failure::{Failure, Result, chain},
    input::Input,
    keys::{load::Refusals, save::Save},
    progress,
    report::{Report, counted},
};

/// Get keys back from a server's backup, make one, or check one
#[derive(Subcommand, Debug)]
pub enum Backup {
    Restore(Restore),
    Create(create::Create),
    Check(Check),
}

/// Decrypt a backup to a file of exported keys, which every client can import
///
/// The backup is the server's answer to GET /_matrix/client/v3/room_keys/keys?version=...
///
/// A backup does not authenticate its keys: the server could have made any of them, and in the file
/// they look like keys that a device exported.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  moceril backup restore backup.json --output keys.txt
  moceril backup restore --homeserver https://matrix.example.org --token env:TOKEN -o keys.txt")]
pub struct Restore {
    #[command(flatten)]
    source: Source,
    #[command(flatten)]
    save: Save,
}

/// Decrypt a backup, in the form that servers use, to a file of exported keys
///
/// A backup marks keys whose sender's device was verified; such a file has no such marks. The
/// command says how many there were. A backup does not authenticate its keys: the server could have
/// made any of them, and in the file they look like keys that a device exported.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  moceril keys convert from-backup backup.json --recovery-key file:key.txt --output keys.txt
  moceril keys convert from-backup backup.json --account-data sync.json --plain -o keys.json")]
pub struct FromBackup {
    /// The backup; - is standard input
    #[arg(value_name = "BACKUP")]
    input: Input,
    #[command(flatten)]
    key: BackupKey,
    #[command(flatten)]
    save: Save,
}

/// Check that a recovery key opens a backup, and that all keys in it are good
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  moceril backup check backup.json
  moceril backup check backup.json --version backup-version.json --recovery-key file:key.txt")]
pub struct Check {
    #[command(flatten)]
    source: Source,
    /// The server's answer to GET /_matrix/client/v3/room_keys/version
    #[arg(long, value_name = "FILE")]
    version: Option<Input>,
}

/// Where a backup and its key are.
#[derive(Args, Debug)]
struct Source {
    /// The backup; - is standard input
    #[arg(value_name = "BACKUP")]
    #[cfg_attr(
        feature = "homeserver",
        arg(required_unless_present = "homeserver", conflicts_with = "homeserver")
    )]
    #[cfg_attr(not(feature = "homeserver"), arg(required = true))]
    input: Option<Input>,
    #[cfg(feature = "homeserver")]
    #[command(flatten)]
    account: homeserver::Account,
    #[command(flatten)]
    key: BackupKey,
}

/// A backup that is not decrypted yet.
struct Encrypted {
    name: String,
    json: Zeroizing<String>,
    key: BackupDecryptionKey,
}

impl Source {
    fn read(&self) -> Result<Encrypted> {
        #[cfg(feature = "homeserver")]
        if let Some(server) = self.account.homeserver()? {
            let version = server.version()?;
            let data = || server.account_data(&server.user_id()?, &[key::NAME]);
            let key = self.key.read_for(&version, data)?;
            let (name, json) = (server.name().to_owned(), server.backup(&version)?);
            return Ok(Encrypted { name, json, key });
        }
        Encrypted::read(self.input.as_ref().unwrap_or(&Input::Stdin), &self.key)
    }
}

impl Encrypted {
    fn read(input: &Input, key: &BackupKey) -> Result<Self> {
        let key = key.read()?;
        Ok(Self { name: input.name(), json: input.text()?, key })
    }
}

pub fn run(command: &Backup, json: bool, show_secrets: bool) -> Result<()> {
    match command {
        Backup::Restore(args) => restore(args, json, show_secrets),
        Backup::Create(args) => create::run(args, json),
        Backup::Check(args) => check(args, json),
    }
}

/// Passes each key of a backup to `take`. A key that does not decrypt does not end this, unless
/// none before it did: then the recovery key is a wrong one.
fn decrypt_each(
    backup: &Encrypted,
    refusals: &mut Refusals,
    mut take: impl FnMut(&BackedUpKey, ExportedRoomKey) -> Result<()>,
) -> Result<u64> {
    let Encrypted { name, json, key } = backup;
    let reader = BackupReader::new(json).map_err(|error| {
        Failure::input(chain(&error))
            .at(name)
            .hint("give the whole answer of the server to GET /_matrix/client/v3/room_keys/keys")
    })?;
    let (mut read, mut wrong_key) = (0_u64, 0_u64);
    let progress = progress::counting("keys");
    for entry in reader {
        progress.inc(1);
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => {
                refusals.sort::<()>(Err(format!("an entry: {error}")));
                continue;
            }
        };
        match open(&entry, key) {
            Ok(key) => {
                read += 1;
                take(&entry, key)?;
            }
            Err(why) => {
                wrong_key += u64::from(why == NOT_DECRYPTED);
                refusals.sort::<()>(Err(format!("{}: {why}", entry.session_id)));
            }
        }
    }
    progress.finish_and_clear();
    if read == 0 && wrong_key > 0 {
        let public_key = key.public_key().to_base64();
        return Err(Failure::key("the recovery key opens no key of the backup").hint(
            format_args!(
                "take the recovery key of this backup; the public key of yours is {public_key}"
            ),
        ));
    }
    Ok(read)
}

const NOT_DECRYPTED: &str = "it was encrypted to another key, or altered";

fn open(
    entry: &BackedUpKey,
    key: &BackupDecryptionKey,
) -> std::result::Result<ExportedRoomKey, String> {
    let opened = entry.decrypt(key).map_err(|error| match error {
        BackupFileError::Backup(BackupError::Decryption) => String::from(NOT_DECRYPTED),
        error => error.to_string(),
    })?;
    let (index, said) = (opened.session_key.index(), entry.first_message_index);
    if index == said {
        Ok(opened)
    } else {
        Err(format!("the backup says that it begins at index {said}, but it begins at {index}"))
    }
}

fn restore(args: &Restore, json: bool, show_secrets: bool) -> Result<()> {
    args.save.check(show_secrets)?;
    export(&args.source.read()?, &args.save, json, show_secrets)
}

pub fn from_backup(args: &FromBackup, json: bool, show_secrets: bool) -> Result<()> {
    args.save.check(show_secrets)?;
    export(&Encrypted::read(&args.input, &args.key)?, &args.save, json, show_secrets)
}

/// Writes the keys of a backup to a file of exported keys.
fn export(backup: &Encrypted, save: &Save, json: bool, show_secrets: bool) -> Result<()> {
    let (mut refusals, mut restored, mut verified) = (Refusals::default(), 0, 0_u64);
    save.save(None, show_secrets, |sink| {
        restored = decrypt_each(backup, &mut refusals, |entry, key| {
            verified += u64::from(entry.is_verified);
            sink.push(&key)
        })?;
        sink.end()
    })?;
    if save.output.file().is_some() {
        let lost = match verified {
            0 => String::from("nothing"),
            _ => format!(
                "for {}, that the sender's device was verified",
                counted(verified, "key", "keys")
            ),
        };
        Report::new("restored").with("keys", restored).with("lost", lost).print(json)?;
    }
    refusals.report()
}

fn version(input: &Input) -> Result<BackupVersion> {
    read_version(&input.text()?, &input.name())
}

fn read_version(json: &str, name: &str) -> Result<BackupVersion> {
    BackupVersion::from_json(json).map_err(|error| {
        Failure::input(chain(&error))
            .at(name)
            .hint("give the answer of the server to GET /_matrix/client/v3/room_keys/version")
    })
}

fn check(args: &Check, json: bool) -> Result<()> {
    let backup = args.source.read()?;
    let mut report = Report::new("backup");
    if let Some(input) = &args.version {
        let (version, key) = (version(input)?, &backup.key);
        if !version.is_of(key) {
            let ours = key.public_key().to_base64();
            return Err(Failure::key(format_args!(
                "the backup has the public key {}, but the recovery key has {ours}",
                version.public_key.to_base64()
            ))
            .hint("take the recovery key of this backup, or the backup of this recovery key"));
        }
        report = report.with("belongs to the backup", true);
    }
    let (mut refusals, mut rooms) = (Refusals::default(), BTreeSet::new());
    let read = decrypt_each(&backup, &mut refusals, |_, key| {
        rooms.insert(key.room_id);
        Ok(())
    })?;
    report.with("rooms", rooms.len()).with("good keys", read).print(json)?;
    refusals.report()
}

/// The key as base64, which secret storage has.
fn from_base64(text: &Zeroizing<String>) -> Result<BackupDecryptionKey> {
    BackupDecryptionKey::from_base64(text.trim()).map_err(|error| Failure::input(chain(&error)))
}
