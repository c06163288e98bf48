//! Files of exported room keys, encrypted with a passphrase.

use std::{fs, io::Write, path::Path};

use anyhow::{Context, Result, ensure};
use moceril::{
    key_export::{self, DEFAULT_ROUNDS, MAX_ROUNDS},
    megolm::InboundGroupSession,
    room_keys,
};

use crate::{
    private, room_key,
    store::Store,
    terminal::{progress, secret, warn},
};

/// Writes all room keys to a new file. Returns how many.
pub fn export(store: &Store, path: &Path) -> Result<usize> {
    let keys = room_key::select(store, "1")?;
    let passphrase = secret("Passphrase for the file")?;
    ensure!(!passphrase.is_empty(), "without a passphrase everybody could read the file");
    ensure!(secret("Once more")? == passphrase, "these were two different passphrases");
    let keys: Vec<_> = keys.into_iter().map(|key| key.key).collect();
    let json = room_keys::write_export(&keys)?;
    let text = key_export::encrypt(&json, &passphrase, DEFAULT_ROUNDS)?;
    let mut file = private::new_file(path)
        .with_context(|| format!("cannot write {}: name a new file", path.display()))?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    Ok(keys.len())
}

/// Reads room keys from a file. Returns how many let us read more than before, of how many.
pub fn import(store: &Store, path: &Path) -> Result<(usize, usize)> {
    let text =
        fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let json = key_export::decrypt(&text, &secret("Passphrase of the file")?, MAX_ROUNDS)?;
    let keys: Vec<_> = room_keys::read_export(&json).collect();
    let mut gained = 0;
    store.atomically(|| {
        for (done, key) in keys.iter().enumerate() {
            let kept = match key {
                Ok(key) => room_key::keep(store, key, InboundGroupSession::import),
                Err(error) => Err((*error).into()),
            };
            match kept {
                Ok(more) => gained += usize::from(more),
                Err(error) => warn(&format!("a key was left out: {error}")),
            }
            progress(done + 1, keys.len());
        }
        Ok(())
    })?;
    Ok((gained, keys.len()))
}
