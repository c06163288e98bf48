//! Secret storage: secrets that the server keeps for the user, encrypted with a key that only the
//! user has.
//!
//! Spec: Matrix, "Secrets".

use anstream::println;
use anyhow::{Context, Result};
use moceril::{
    SecretString,
    secret_storage::{EncryptedSecret, KeyDescription, MAX_ITERATIONS, SecretStorageKey},
};
use serde_json::{Value, json};

use crate::{
    account::Client,
    api::{refusal, segment},
    store::unique,
    terminal::{secret, waiting},
};

const DEFAULT_KEY: &str = "m.secret_storage.default_key";

/// What is asked for.
pub const QUESTION: &str = "Recovery key or passphrase";

/// A storage that the user has, before anybody has typed its key.
pub struct Locked {
    key_id: String,
    description: KeyDescription,
}

/// A storage, with its key.
pub struct Storage {
    key_id: String,
    key: SecretStorageKey,
}

/// The storage that the user has, if there is one.
pub fn find(client: &Client) -> Result<Option<Locked>> {
    let default = account_data(client, DEFAULT_KEY)?.unwrap_or_default();
    let Some(key_id) = default["key"].as_str().map(str::to_owned) else { return Ok(None) };
    let description = account_data(client, &description_of(&key_id))?
        .context("the server does not describe the key of your secret storage")?;
    Ok(Some(Locked { key_id, description: KeyDescription::from_json(&description)? }))
}

/// Whether a secret is stored under this name. One that was removed has an empty object in its
/// place.
pub fn exists(client: &Client, name: &str) -> Result<bool> {
    let stored = account_data(client, name)?;
    Ok(stored.is_some_and(|stored| stored.as_object().is_some_and(|stored| !stored.is_empty())))
}

/// The storage that the user has, whose key is asked for, or a new one; and whether it is new.
pub fn open_or_begin(client: &Client) -> Result<(Storage, bool)> {
    let Some(locked) = find(client)? else { return Ok((Storage::new(client)?, true)) };
    let typed = secret(QUESTION)?;
    Ok((locked.unlock(&typed).context("your secret storage stays locked")?, false))
}

/// Shows the key of a new storage, this once.
pub fn show(recovery_key: &SecretString) {
    println!("Your recovery key. Write it down; it is not stored here:\n");
    println!("  {}\n", &**recovery_key);
}

impl Locked {
    /// Takes what the user has typed: the recovery key, or the passphrase if the storage has one.
    pub fn unlock(self, typed: &str) -> Result<Storage> {
        let key = match (SecretStorageKey::from_recovery_key(typed), &self.description.passphrase) {
            (Ok(key), _) => key,
            (Err(_), Some(parameters)) => {
                let _spinner = waiting("Trying the passphrase");
                SecretStorageKey::from_passphrase(typed, parameters, MAX_ITERATIONS)?
            }
            (Err(error), None) => return Err(error.into()),
        };
        // Where the description has nothing to check the key with, the first secret shows whether
        // it is the right one.
        self.description.check(&key)?;
        Ok(Storage { key_id: self.key_id, key })
    }
}

impl Storage {
    /// Makes a storage. It is the user's after `make_default`: before that, a failure leaves nobody
    /// with a storage whose key was never shown.
    pub fn new(client: &Client) -> Result<Self> {
        let (key_id, key) = (unique()?, SecretStorageKey::new()?);
        let description = KeyDescription::of(&key)?.to_json();
        set_account_data(client, &description_of(&key_id), &description)?;
        Ok(Self { key_id, key })
    }

    pub fn make_default(&self, client: &Client) -> Result<()> {
        set_account_data(client, DEFAULT_KEY, &json!({ "key": self.key_id }))
    }

    /// What the user writes down.
    pub fn recovery_key(&self) -> SecretString {
        self.key.to_recovery_key()
    }

    /// Stores a secret under this name, in place of an earlier one.
    pub fn put(&self, client: &Client, name: &str, secret: &SecretString) -> Result<()> {
        let secret = self.key.encrypt(name, secret)?.to_json();
        set_account_data(client, name, &json!({ "encrypted": { &self.key_id: secret } }))
    }

    /// The secret that is stored under this name.
    pub fn get(&self, client: &Client, name: &str) -> Result<SecretString> {
        let stored = account_data(client, name)?.unwrap_or_default();
        let secret = stored["encrypted"].get(&self.key_id);
        let secret = secret.with_context(|| format!("your secret storage has no {name}"))?;
        Ok(self.key.decrypt(name, &EncryptedSecret::from_json(secret)?)?)
    }
}

fn description_of(key_id: &str) -> String {
    format!("m.secret_storage.key.{key_id}")
}

fn path(client: &Client, kind: &str) -> String {
    let user_id = segment(&client.user_id);
    format!("/_matrix/client/v3/user/{user_id}/account_data/{}", segment(kind))
}

fn account_data(client: &Client, kind: &str) -> Result<Option<Value>> {
    match client.api.get(&path(client, kind)) {
        Ok(content) => Ok(Some(content)),
        Err(error) if refusal(&error).is_some_and(|refused| refused.status == 404) => Ok(None),
        Err(error) => Err(error),
    }
}

fn set_account_data(client: &Client, kind: &str, content: &Value) -> Result<()> {
    client.api.put(&path(client, kind), content).map(drop)
}

#[cfg(test)]
mod tests {
    use moceril::secret_storage::PassphraseParameters;

    use super::*;

    #[test]
    fn a_storage_opens_with_its_recovery_key_or_its_passphrase() {
        let key = SecretStorageKey::new().unwrap();
        let locked = |key: &SecretStorageKey, passphrase: Option<PassphraseParameters>| {
            let mut description = KeyDescription::of(key).unwrap();
            description.passphrase = passphrase;
            Locked { key_id: "id".to_owned(), description }
        };
        let written_down = key.to_recovery_key();
        let opened = locked(&key, None).unlock(&written_down).unwrap();
        assert_eq!(&*opened.recovery_key(), &*written_down);
        let another = SecretStorageKey::new().unwrap().to_recovery_key();
        assert!(locked(&key, None).unlock(&another).is_err());
        assert!(locked(&key, None).unlock("a passphrase").is_err());

        let mut parameters = PassphraseParameters::new().unwrap();
        parameters.iterations = 1;
        let derived = SecretStorageKey::from_passphrase("a passphrase", &parameters, 1).unwrap();
        let with_passphrase = || locked(&derived, Some(parameters.clone()));
        assert!(with_passphrase().unlock("a passphrase").is_ok());
        assert!(with_passphrase().unlock(&derived.to_recovery_key()).is_ok());
        assert!(with_passphrase().unlock("another").is_err());
        parameters.iterations = u32::MAX;
        assert!(locked(&derived, Some(parameters)).unlock("a passphrase").is_err());
    }
}
