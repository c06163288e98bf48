//! Files of exported room keys, encrypted with a passphrase.

use std::{
    fs,
    io::{self, Write},
    path::Path,
};

use anyhow::{Context, Result, ensure};
use moceril::{
    key_export::{self, DEFAULT_ROUNDS, MAX_ROUNDS},
    room_keys,
};

use crate::{
    private, room_key,
    store::Store,
    terminal::{progress, secret, waiting, warn},
};

/// Writes all room keys to a new file. Returns how many.
pub fn export(store: &Store, path: &Path) -> Result<usize> {
    let keys = room_key::select(store, "1")?;
    let keys: Vec<_> = keys.into_iter().map(|key| key.key).collect();
    ensure!(!keys.is_empty(), "there are no keys yet: they come with the first messages");
    ensure!(
        !path.try_exists()?,
        "{} exists already, and is not overwritten: name another file",
        path.display()
    );
    let passphrase = secret("Passphrase for the file")?;
    ensure!(!passphrase.is_empty(), "without a passphrase everybody could read the file");
    ensure!(secret("Once more")? == passphrase, "these were two different passphrases: try again");
    let spinner = waiting("Encrypting");
    let json = room_keys::write_export(&keys)?;
    let text = key_export::encrypt(&json, &passphrase, DEFAULT_ROUNDS)?;
    drop(spinner);
    write(path, &text).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(keys.len())
}

/// Writes a new file, whole or not at all.
fn write(path: &Path, text: &str) -> io::Result<()> {
    let mut file = private::new_file(path)?;
    let written = file.write_all(text.as_bytes()).and_then(|()| file.sync_all());
    if written.is_err() {
        // The error that led here is the one to report.
        let _ = fs::remove_file(path);
    }
    written
}

/// Reads room keys from a file. Returns how many let us read more than before, of how many.
pub fn import(store: &Store, path: &Path) -> Result<(usize, usize)> {
    let cannot_read = || format!("cannot read the keys in {}", path.display());
    let text = fs::read_to_string(path).with_context(cannot_read)?;
    let passphrase = secret("Passphrase of the file")?;
    let spinner = waiting("Decrypting");
    let json = key_export::decrypt(&text, &passphrase, MAX_ROUNDS).with_context(cannot_read)?;
    drop(spinner);
    let keys: Vec<_> = room_keys::read_export(&json).collect();
    let (mut gained, bar) = (0, progress(keys.len()));
    store.atomically(|| {
        for key in &keys {
            let kept = match key {
                Ok(key) => room_key::keep(store, key),
                Err(error) => Err((*error).into()),
            };
            match kept {
                Ok(more) => gained += usize::from(more),
                Err(error) => bar.suspend(|| warn(&format!("a key was left out: {error:#}"))),
            }
            bar.inc(1);
        }
        Ok(())
    })?;
    Ok((gained, keys.len()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::unique;

    #[test]
    fn a_file_is_written_once_and_for_its_owner() {
        let path = std::env::temp_dir().join(format!("matrix_chat-{}", unique().unwrap()));
        write(&path, "the first").unwrap();
        assert_eq!(write(&path, "the second").unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read_to_string(&path).unwrap(), "the first");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
        fs::remove_file(path).unwrap();
    }
}
