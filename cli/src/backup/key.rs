//! The key of a backup, written down or in the account's secret storage.

use clap::Args;
use moceril::{
    backup::BackupDecryptionKey,
    secret_storage::{
        EncryptedSecret, KeyDescription, MAX_ITERATIONS, SecretStorageError, SecretStorageKey,
    },
};
use serde_json::Value;
use zeroize::Zeroizing;

use super::from_base64;
#[cfg(feature = "homeserver")]
use crate::failure::Code;
use crate::{
    failure::{Failure, Result, chain},
    input::Input,
    secrets::Secret,
};

/// The name under which secret storage has the key.
pub const NAME: &str = "m.megolm_backup.v1";

/// Where the key of a backup comes from.
#[derive(Args, Debug)]
pub struct BackupKey {
    /// Where the recovery key is: file:PATH, env:NAME, fd:NUMBER or prompt
    ///
    /// With --account-data it is the key of the secret storage, which has the key of the backup.
    /// Newer clients show only this one.
    #[arg(long, value_name = "SOURCE")]
    recovery_key: Option<Secret>,
    /// The account data of the user, from the answer to GET /sync, with the key of the backup
    #[arg(long, value_name = "FILE")]
    account_data: Option<Input>,
    /// Where the passphrase of the secret storage is, for users who have a passphrase instead of a
    /// key
    #[arg(long, value_name = "SOURCE", conflicts_with = "recovery_key")]
    storage_passphrase: Option<Secret>,
}

impl BackupKey {
    /// The key, from the source that the user names.
    pub fn read(&self) -> Result<BackupDecryptionKey> {
        match &self.account_data {
            None if self.storage_passphrase.is_some() => {
                Err(Failure::usage("--storage-passphrase needs --account-data"))
            }
            None => {
                let text = self.recovery_key()?;
                BackupDecryptionKey::from_recovery_key(&text)
                    .map_err(|error| mistyped(&error.to_string()))
            }
            Some(input) => {
                let data = self.account_data()?.unwrap_or_default();
                let key = self.storage(&data).and_then(|storage| storage.backup_key());
                key.map_err(|failure| failure.at(input.name()))
            }
        }
    }

    /// Whether the user has named a key.
    pub const fn is_named(&self) -> bool {
        self.recovery_key.is_some() || self.account_data.is_some()
    }

    /// The account data, if they are in a file.
    pub fn account_data(&self) -> Result<Option<Value>> {
        let Some(input) = &self.account_data else { return Ok(None) };
        let json = input.text()?;
        serde_json::from_str(&json).map(Some).map_err(|error| {
            Failure::input(format_args!("{}: expected JSON: {error}", input.name()))
        })
    }

    /// The secret storage in these account data, which the user's key opens.
    pub fn storage<'a>(&self, data: &'a Value) -> Result<Storage<'a>> {
        Storage::open(data, |description| self.storage_key(description))
    }

    /// The key of this backup: the one that the user names, or the one in the secret storage on the
    /// server.
    #[cfg(feature = "homeserver")]
    pub fn read_for(
        &self,
        version: &moceril::backup_file::BackupVersion,
        account_data: impl FnOnce() -> Result<Value>,
    ) -> Result<BackupDecryptionKey> {
        let key = if self.account_data.is_some() {
            self.read()?
        } else if self.storage_passphrase.is_some() {
            self.storage(&account_data()?)?.backup_key()?
        } else {
            let text = self.recovery_key()?;
            let key = BackupDecryptionKey::from_recovery_key(&text)
                .map_err(|error| mistyped(&error.to_string()))?;
            if version.is_of(&key) {
                return Ok(key);
            }
            let data = account_data()?;
            let storage = Storage::open(&data, |_| {
                SecretStorageKey::from_recovery_key(&text)
                    .map_err(|error| mistyped(&error.to_string()))
            });
            storage.and_then(|storage| storage.backup_key()).map_err(|failure| {
                match failure.code {
                Code::Key => failure.at(
                    "the recovery key is neither that of the backup nor that of the secret storage",
                ),
                _ => failure,
            }
            })?
        };
        if version.is_of(&key) {
            Ok(key)
        } else {
            Err(Failure::key("the key is not that of the server's current backup"))
        }
    }

    fn recovery_key(&self) -> Result<Zeroizing<String>> {
        Secret::text(self.recovery_key.as_ref(), "recovery key")
    }

    fn storage_key(&self, description: &KeyDescription) -> Result<SecretStorageKey> {
        let Some(source) = &self.storage_passphrase else {
            return SecretStorageKey::from_recovery_key(&self.recovery_key()?)
                .map_err(|error| mistyped(&error.to_string()));
        };
        let parameters = description.passphrase.as_ref().ok_or_else(|| {
            Failure::input("the secret storage has no passphrase")
                .hint("give the key with --recovery-key")
        })?;
        let passphrase = Secret::text(Some(source), "passphrase of the secret storage")?;
        SecretStorageKey::from_passphrase(&passphrase, parameters, MAX_ITERATIONS).map_err(refused)
    }
}

/// The secret storage of an account, with the key that opens it.
pub struct Storage<'a> {
    data: &'a Value,
    /// The id of the key.
    id: &'a str,
    key: SecretStorageKey,
}

impl<'a> Storage<'a> {
    fn open(
        data: &'a Value,
        storage_key: impl FnOnce(&KeyDescription) -> Result<SecretStorageKey>,
    ) -> Result<Self> {
        let default = content(data, "m.secret_storage.default_key")?;
        let id = default.get("key").and_then(Value::as_str).unwrap_or_default();
        let description = content(data, &format!("m.secret_storage.key.{id}"))?;
        let description = KeyDescription::from_json(description).map_err(refused)?;
        let key = storage_key(&description)?;
        description.check(&key).map_err(refused)?;
        Ok(Self { data, id, key })
    }

    /// The secret of this name.
    pub fn secret(&self, name: &str) -> Result<Zeroizing<String>> {
        let id = self.id;
        let secret = content(self.data, name)?.get("encrypted").and_then(|keys| keys.get(id));
        let secret = secret.ok_or_else(|| {
            Failure::input(format_args!("{name} is not encrypted with the default key {id}"))
        })?;
        let secret = EncryptedSecret::from_json(secret).map_err(refused)?;
        let secret = self.key.decrypt(name, &secret).map_err(refused)?;
        Ok(Zeroizing::new(secret.to_string()))
    }

    pub fn backup_key(&self) -> Result<BackupDecryptionKey> {
        from_base64(&self.secret(NAME)?)
    }
}

fn mistyped(error: &str) -> Failure {
    Failure::key(error).hint("run moceril recovery-key check, which finds the mistake")
}

fn refused(error: SecretStorageError) -> Failure {
    match error {
        SecretStorageError::Authentication => Failure::key(chain(&error)),
        _ => Failure::input(chain(&error)),
    }
}

/// The content of the account data of this type, in a list of events or in /sync's answer.
fn content<'a>(data: &'a Value, name: &str) -> Result<&'a Value> {
    let data = data.get("account_data").unwrap_or(data);
    let events = data.get("events").unwrap_or(data).as_array();
    let is_it = |event: &&Value| event.get("type").and_then(Value::as_str) == Some(name);
    let event = events.into_iter().flatten().find(is_it);
    event.and_then(|event| event.get("content")).ok_or_else(|| {
        Failure::input(format_args!("there is no account data {name}"))
            .hint("give the answer to GET /sync, or a list of its account_data events")
    })
}
