//! libolm's pickle of a backup's private key. Only with the feature `backup`.

use alloc::string::String;

use zeroize::Zeroizing;

use super::{LibolmPickleError, Result, open, read};
use crate::{
    matrix::backup::BackupDecryptionKey,
    pickle::{Reader, envelope},
    primitives::{
        secret::Secret,
        stack::{MEDIUM, wiped_below},
    },
};

/// u32 version 1; X25519 pair.
const LENGTH: usize = 4 + 32 + 32;

impl BackupDecryptionKey {
    /// Reads a key that libolm pickled: its `OlmPkDecryption`.
    ///
    /// `key` is the key that it was pickled with, of any length.
    ///
    /// # Errors
    ///
    /// [`LibolmPickleError`]; also if the two halves of the key do not belong together.
    pub fn from_libolm_pickle(pickle: &str, key: impl AsRef<[u8]>) -> Result<Self> {
        wiped_below::<MEDIUM, _>(|| open(pickle, key.as_ref(), Self::read_libolm))
    }

    fn read_libolm(version: u32, reader: &mut Reader<'_>) -> Result<Self> {
        if version != 1 {
            return Err(LibolmPickleError::Version(version));
        }
        let public = read::read_public(reader)?;
        let key = Self::from_secret(&read::read_secret(reader)?);
        if key.public_key() == public { Ok(key) } else { Err(LibolmPickleError::InvalidState) }
    }

    /// Pickles the key as libolm does, exactly.
    #[must_use]
    pub fn to_libolm_pickle(&self, key: impl AsRef<[u8]>) -> String {
        let private = Zeroizing::new(self.to_bytes());
        let content: Secret<LENGTH> =
            Secret::concat((&1_u32.to_be_bytes(), self.public_key().as_bytes(), &*private));
        envelope::seal(key.as_ref(), content.as_bytes())
    }
}
