//! `moceril backup`: what a server keeps of a user's room keys, as a file.

#[cfg(feature = "homeserver")]
mod homeserver;
mod key;

use std::collections::BTreeSet;

use clap::{Args, Subcommand};
use moceril::{
    Curve25519PublicKey,
    backup::{BackupDecryptionKey, BackupEncryptionKey, BackupError},
    backup_file::{self, BackedUpKey, BackupFileError, BackupReader, BackupVersion},
    room_keys::ExportedRoomKey,
};
use zeroize::Zeroizing;

use self::key::BackupKey;
use crate::{
    failure::{Failure, Result, chain},
    input::Input,
    keys::{
        load::{KeyFile, Passphrases, Refusals},
        save::Save,
    },
    output::{Content, Output},
    progress,
    report::Report,
};

/// Get keys back from a server's backup, make one, or check one
#[derive(Subcommand, Debug)]
pub enum Backup {
    Restore(Restore),
    Create(Create),
    Check(Check),
}

/// Decrypt a backup to a file of exported keys, which every client can import
///
/// The backup is the server's answer to GET /_matrix/client/v3/room_keys/keys?version=...
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

/// Encrypt exported keys as a backup, for a server that has lost it
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  moceril backup create keys.txt --version backup-version.json --output backup.json
  moceril backup create keys.json --public-key hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo")]
pub struct Create {
    /// The file of exported keys; - is standard input
    #[arg(value_name = "FILE")]
    input: Input,
    #[command(flatten)]
    passphrases: Passphrases,
    #[command(flatten)]
    to: To,
    #[command(flatten)]
    output: Output,
}

/// To whom a backup is encrypted.
#[derive(Args, Debug)]
#[group(required = true, multiple = false)]
struct To {
    /// The server's answer to GET /_matrix/client/v3/room_keys/version
    #[arg(long, value_name = "FILE")]
    version: Option<Input>,
    /// The public key of the backup
    #[arg(long, value_name = "KEY")]
    public_key: Option<String>,
}

/// Say whether a recovery key opens a backup, and whether all keys in it are good
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

/// Where a backup is, and its key.
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

/// A backup that nobody has decrypted yet.
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
            let key = self.key.read_for(version.public_key, || server.account_data())?;
            let (name, json) = (server.name().to_owned(), server.backup(&version)?);
            return Ok(Encrypted { name, json, key });
        }
        let key = self.key.read()?;
        let input = self.input.as_ref().unwrap_or(&Input::Stdin);
        Ok(Encrypted { name: input.name(), json: input.text()?, key })
    }
}

pub fn run(command: &Backup, json: bool, show_secrets: bool) -> Result<()> {
    match command {
        Backup::Restore(args) => restore(args, json, show_secrets),
        Backup::Create(args) => create(args, json),
        Backup::Check(args) => check(args, json),
    }
}

/// Hands each key of a backup to `take`. A key that does not decrypt is not the end, unless none
/// before it did: then the recovery key is another one.
fn decrypt_each(
    backup: &Encrypted,
    refusals: &mut Refusals,
    mut take: impl FnMut(ExportedRoomKey) -> Result<()>,
) -> Result<u64> {
    let Encrypted { name, json, key } = backup;
    let reader = BackupReader::new(json).map_err(|error| {
        Failure::input(chain(&error))
            .at(name)
            .hint("the whole answer of the server to GET /_matrix/client/v3/room_keys/keys")
    })?;
    let (mut read, mut wrong_key) = (0_u64, 0_u64);
    let progress = progress::counting("keys");
    for entry in reader {
        progress.inc(1);
        let (place, opened) = match entry {
            Ok(entry) => (entry.session_id.clone(), open(&entry, key)),
            Err(error) => (String::from("an entry"), Err(error.to_string())),
        };
        match opened {
            Ok(key) => {
                read += 1;
                take(key)?;
            }
            Err(why) => {
                wrong_key += u64::from(why == NOT_DECRYPTED);
                refusals.sort::<()>(Err(format!("{place}: {why}")));
            }
        }
    }
    progress.finish_and_clear();
    if read == 0 && wrong_key > 0 {
        let public_key = key.public_key().to_base64();
        return Err(Failure::key("the recovery key opens no key of the backup").hint(
            format_args!(
                "the key whose public key is that of the backup; this one's is {public_key}"
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
        Err(format!("the backup says that it begins at index {said}, and it begins at {index}"))
    }
}

fn restore(args: &Restore, json: bool, show_secrets: bool) -> Result<()> {
    args.save.check(show_secrets)?;
    let backup = args.source.read()?;
    let (mut refusals, mut restored) = (Refusals::default(), 0);
    args.save.save(None, show_secrets, |sink| {
        restored = decrypt_each(&backup, &mut refusals, |key| sink.push(&key))?;
        sink.end()
    })?;
    if args.save.output.file().is_some() {
        Report::new("restored").with("keys", restored).print(json)?;
    }
    refusals.report()
}

fn create(args: &Create, json: bool) -> Result<()> {
    args.output.check(Content::Public)?;
    let public_key = match (&args.to.version, &args.to.public_key) {
        (Some(input), _) => version(input)?.public_key,
        (None, key) => Curve25519PublicKey::from_base64(key.as_deref().unwrap_or_default())
            .map_err(|error| Failure::usage(chain(&error)).at("--public-key"))?,
    };
    let public_key = BackupEncryptionKey::new(public_key);
    let mut file = KeyFile::load(&args.input, &args.passphrases)?;
    let (mut refusals, mut backed_up) = (Refusals::default(), Vec::new());
    let progress = progress::counting("keys");
    file.each_key(|key| {
        progress.inc(1);
        let Some(key) = refusals.sort(key) else { return Ok(()) };
        let json = key.to_backup_json().map_err(|error| Failure::input(chain(&error)))?;
        let message = public_key.encrypt(json).map_err(|error| Failure::input(chain(&error)))?;
        backed_up.push(BackedUpKey::new(&key, message));
        Ok(())
    })?;
    progress.finish_and_clear();
    let backup = backup_file::write(&backed_up);
    args.output.write(Content::Public, |out| Ok(writeln!(out, "{backup}")?))?;
    if args.output.file().is_some() {
        Report::new("backed up").with("keys", backed_up.len()).print(json)?;
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
            .hint("the answer of the server to GET /_matrix/client/v3/room_keys/version")
    })
}

fn check(args: &Check, json: bool) -> Result<()> {
    let backup = args.source.read()?;
    let mut report = Report::new("backup");
    if let Some(input) = &args.version {
        let (version, key) = (version(input)?, &backup.key);
        if version.public_key != key.public_key() {
            let ours = key.public_key().to_base64();
            return Err(Failure::key(format_args!(
                "the backup has the public key {}, and the recovery key {ours}",
                version.public_key.to_base64()
            ))
            .hint("the recovery key of this backup, or the backup of this recovery key"));
        }
        report = report.with("is the backup's", true);
    }
    let (mut refusals, mut rooms) = (Refusals::default(), BTreeSet::new());
    let read = decrypt_each(&backup, &mut refusals, |key| {
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
