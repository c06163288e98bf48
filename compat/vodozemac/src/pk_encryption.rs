//! Server-side key backup, `m.megolm_backup.v1.curve25519-aes-sha2`, which **does not
//! authenticate** what it encrypts: anybody may have made or altered a message.
//!
//! ```
//! use vodozemac::pk_encryption::{PkDecryption, PkEncryption};
//!
//! let key = PkDecryption::new();
//! let message = PkEncryption::from_key(key.public_key()).encrypt(b"a room key")?;
//! assert_eq!(key.decrypt(&message)?, b"a room key");
//! # Ok::<(), vodozemac::pk_encryption::Error>(())
//! ```

use block_padding::Error as UnpadError;
use digest::MacError;
use moceril::{
    SecretBytes,
    backup::{BackupDecryptionKey, BackupEncryptionKey, BackupError, BackupMessage},
};
use thiserror::Error;
use zeroize::{Zeroize, Zeroizing};

use crate::{
    Base64DecodeError, Curve25519PublicKey, Curve25519SecretKey, KeyError, LibolmPickleError,
    base64_text::base64_decode,
    convert::{drawn, libolm_pickle_error},
};

/// A backed-up key could not be encrypted or decrypted.
#[derive(Debug, Error)]
pub enum Error {
    /// The key is not one that an honest client has.
    #[error("the key agreement would not be contributory")]
    NonContributoryKey,
    /// Never: damage that shows is [`Mac`](Self::Mac).
    #[error("invalid padding: {0}")]
    InvalidPadding(#[from] UnpadError),
    /// The message was made for another key, or is damaged in a way that shows. Most damage does
    /// not.
    #[error("the message does not decrypt: {0}")]
    Mac(#[from] MacError),
}

/// The three properties of a backup's `session_data` cannot be read.
#[derive(Debug, Error)]
pub enum MessageDecodeError {
    /// One of them is not base64.
    #[error(transparent)]
    Base64(#[from] Base64DecodeError),
    /// The ephemeral key has the wrong length.
    #[error(transparent)]
    Key(#[from] KeyError),
}

/// An encrypted backed-up key: the `session_data` of a backup.
#[derive(Debug)]
pub struct Message {
    /// The ciphertext.
    pub ciphertext: Vec<u8>,
    /// 8 bytes of a MAC over the empty string, which does not protect the ciphertext.
    pub mac: Vec<u8>,
    /// The public half of a key pair that was used for this message only.
    pub ephemeral_key: Curve25519PublicKey,
}

impl Message {
    /// Reads the three properties from base64 with or without padding.
    ///
    /// # Errors
    ///
    /// [`MessageDecodeError`].
    pub fn from_base64(
        ciphertext: &str,
        mac: &str,
        ephemeral_key: &str,
    ) -> Result<Self, MessageDecodeError> {
        Ok(Self {
            ciphertext: base64_decode(ciphertext)?,
            mac: base64_decode(mac)?,
            ephemeral_key: Curve25519PublicKey::from_base64(ephemeral_key)?,
        })
    }
}

/// The private key of a backup.
pub struct PkDecryption {
    inner: BackupDecryptionKey,
    secret_key: Curve25519SecretKey,
    public_key: Curve25519PublicKey,
}

impl PkDecryption {
    /// Draws a key.
    ///
    /// # Panics
    ///
    /// If the operating system has no randomness.
    pub fn new() -> Self {
        Self::from_inner(drawn(BackupDecryptionKey::new()))
    }

    /// The decryption with this key.
    pub fn from_key(secret_key: Curve25519SecretKey) -> Self {
        let mut bytes = secret_key.to_bytes();
        let inner = BackupDecryptionKey::from_bytes(*bytes);
        bytes.zeroize();
        Self::from_inner(inner)
    }

    /// The private key.
    pub const fn secret_key(&self) -> &Curve25519SecretKey {
        &self.secret_key
    }

    /// The public half of the key.
    pub const fn public_key(&self) -> Curve25519PublicKey {
        self.public_key
    }

    /// Reads a key that libolm pickled.
    ///
    /// # Errors
    ///
    /// [`LibolmPickleError`].
    pub fn from_libolm_pickle(pickle: &str, pickle_key: &[u8]) -> Result<Self, LibolmPickleError> {
        BackupDecryptionKey::from_libolm_pickle(pickle, pickle_key)
            .map(Self::from_inner)
            .map_err(|error| libolm_pickle_error(error, pickle, 1))
    }

    /// Pickles the key as libolm does.
    ///
    /// # Errors
    ///
    /// None.
    pub fn to_libolm_pickle(&self, pickle_key: &[u8]) -> Result<String, LibolmPickleError> {
        Ok(self.inner.to_libolm_pickle(pickle_key))
    }

    /// Decrypts a message, **without authenticating it**.
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub fn decrypt(&self, message: &Message) -> Result<Vec<u8>, Error> {
        let mac = message.mac.as_slice().try_into().map_err(|_| MacError)?;
        let ephemeral_key =
            message.ephemeral_key.strict().map_err(|_| Error::NonContributoryKey)?;
        let message = BackupMessage { ciphertext: message.ciphertext.clone(), mac, ephemeral_key };
        let plaintext = self.inner.decrypt_unauthenticated(&message);
        plaintext.map(SecretBytes::into_vec).map_err(|error| match error {
            BackupError::NonContributoryKey => Error::NonContributoryKey,
            // `Decryption`, and what may come.
            _ => Error::Mac(MacError),
        })
    }

    fn from_inner(inner: BackupDecryptionKey) -> Self {
        let bytes = Zeroizing::new(inner.to_bytes());
        Self {
            secret_key: Curve25519SecretKey::from_slice(&bytes),
            public_key: Curve25519PublicKey::from_inner(inner.public_key()),
            inner,
        }
    }
}

impl Default for PkDecryption {
    fn default() -> Self {
        Self::new()
    }
}

/// The public key of a backup, which must be authentic.
pub struct PkEncryption {
    public_key: Curve25519PublicKey,
}

impl PkEncryption {
    /// The encryption to this key.
    pub const fn from_key(public_key: Curve25519PublicKey) -> Self {
        Self { public_key }
    }

    /// Encrypts. The result names no author.
    ///
    /// # Errors
    ///
    /// [`Error::NonContributoryKey`].
    ///
    /// # Panics
    ///
    /// If the operating system has no randomness.
    pub fn encrypt(&self, message: &[u8]) -> Result<Message, Error> {
        let key = self.public_key.strict().map_err(|_| Error::NonContributoryKey)?;
        match BackupEncryptionKey::from_trusted_key(key).encrypt(message) {
            Err(BackupError::NonContributoryKey) => Err(Error::NonContributoryKey),
            encrypted => {
                let BackupMessage { ciphertext, mac, ephemeral_key } = drawn(encrypted);
                let ephemeral_key = Curve25519PublicKey::from_inner(ephemeral_key);
                Ok(Message { ciphertext, mac: mac.to_vec(), ephemeral_key })
            }
        }
    }
}

impl From<&PkDecryption> for PkEncryption {
    fn from(key: &PkDecryption) -> Self {
        Self::from_key(key.public_key())
    }
}

impl From<Curve25519PublicKey> for PkEncryption {
    fn from(public_key: Curve25519PublicKey) -> Self {
        Self { public_key }
    }
}
