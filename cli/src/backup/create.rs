//! `moceril backup create`, and `moceril keys convert to-backup`.

use clap::Args;
use moceril::{
    Curve25519PublicKey,
    backup::BackupEncryptionKey,
    backup_file::{self, BackedUpKey},
    room_keys::ExportedRoomKey,
};

use super::{key::BackupKey, version};
use crate::{
    failure::{Failure, Result, chain},
    input::Input,
    keys::{
        load::{KeyFile, Passphrases, Refusals},
        merged::Merged,
    },
    output::{Content, Output},
    report::Report,
};

/// Put exported keys into the backup of an account, or write a backup as a file
///
/// With --homeserver the command uploads the keys to the current backup. The recovery key is that
/// of the backup, or that of the secret storage, which has the backup's. If the account has no
/// backup, the command makes one with the backup key in the secret storage, and signs it with the
/// master key, which is there, too. If the master key is not there, only a client can make the
/// backup. A key is not uploaded if the server has the same session from the same or an earlier
/// message on, or a key that contradicts it.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  moceril backup create keys.txt --version backup-version.json --output backup.json
  moceril backup create keys.txt --homeserver https://example.org --token env:TOKEN --dry-run")]
pub struct Create {
    #[command(flatten)]
    file: ToBackup,
    #[cfg(feature = "homeserver")]
    #[command(flatten)]
    server: super::upload::ToServer,
}

/// Encrypt a file of exported keys as a backup, in the form that servers use
///
/// The backup says the same about each key as the file. If the file has several keys of one
/// session, the command takes the one that begins at the earliest message.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  moceril keys convert to-backup keys.txt --recovery-key file:key.txt --output backup.json
  moceril keys convert to-backup keys.json --version backup-version.json -o backup.json")]
pub struct ToBackup {
    /// The file of exported keys; - is standard input
    #[arg(value_name = "FILE")]
    pub(super) input: Input,
    #[command(flatten)]
    pub(super) passphrases: Passphrases,
    /// The server's answer to GET /_matrix/client/v3/room_keys/version, which has the public key. A
    /// dishonest server can give its own public key here and then read the backup. Prefer
    /// --recovery-key
    #[arg(long, value_name = "FILE", conflicts_with_all = ["recovery_key", "account_data"])]
    version: Option<Input>,
    /// The public key of the backup
    #[arg(
        long,
        value_name = "KEY",
        conflicts_with_all = ["version", "recovery_key", "account_data"]
    )]
    public_key: Option<String>,
    #[command(flatten)]
    pub(super) key: BackupKey,
    #[command(flatten)]
    output: Output,
}

impl ToBackup {
    /// The key to which the backup is encrypted.
    fn public_key(&self) -> Result<Curve25519PublicKey> {
        match (&self.version, &self.public_key) {
            (Some(input), _) => Ok(version(input)?.public_key),
            (None, Some(key)) => Curve25519PublicKey::from_base64(key)
                .map_err(|error| Failure::usage(chain(&error)).at("--public-key")),
            (None, None) if self.key.is_named() => Ok(self.key.read()?.public_key()),
            (None, None) => {
                Err(Failure::usage("no key of a backup was given to which the keys are encrypted")
                    .hint("add --version FILE, --public-key KEY or --recovery-key SOURCE"))
            }
        }
    }

    /// Refuses options that are only for a file.
    #[cfg(feature = "homeserver")]
    pub(super) fn is_for_server(&self) -> Result<()> {
        if self.version.is_some() || self.public_key.is_some() || self.output.file().is_some() {
            let what = "--version, --public-key and --output cannot be used with --homeserver";
            return Err(Failure::usage(what).hint("use --homeserver with --recovery-key"));
        }
        Ok(())
    }
}

/// Reads the keys, each session once.
pub fn merged(args: &ToBackup, refusals: &mut Refusals) -> Result<(KeyFile, Merged)> {
    let mut file = KeyFile::load(&args.input, &args.passphrases)?;
    let merged = Merged::of(std::slice::from_mut(&mut file), refusals)?;
    Ok((file, merged))
}

pub fn encrypted(key: &ExportedRoomKey, to: &BackupEncryptionKey) -> Result<BackedUpKey> {
    BackedUpKey::encrypt(key, to).map_err(|error| Failure::input(chain(&error)))
}

pub fn run(args: &Create, json: bool) -> Result<()> {
    #[cfg(feature = "homeserver")]
    if let Some(server) = args.server.account.homeserver()? {
        return super::upload::run(&args.file, &args.server, &server, json);
    }
    to_file(&args.file, json)
}

pub fn to_file(args: &ToBackup, json: bool) -> Result<()> {
    args.output.check(Content::Public)?;
    let to = BackupEncryptionKey::from_trusted_key(args.public_key()?);
    let (mut refusals, mut backed_up) = (Refusals::default(), Vec::new());
    let (mut file, merged) = merged(args, &mut refusals)?;
    merged.each(std::slice::from_mut(&mut file), |key| {
        backed_up.push(encrypted(&key, &to)?);
        Ok(())
    })?;
    let backup = backup_file::write(&backed_up);
    args.output.write(Content::Public, |out| Ok(writeln!(out, "{backup}")?))?;
    if args.output.file().is_some() {
        let report = Report::new("backed up").with("keys read", merged.read);
        report.with("keys written", backed_up.len()).print(json)?;
    }
    refusals.report()
}
