//! Server-side key backup, `m.megolm_backup.v1.curve25519-aes-sha2`: encryption that **does not
//! authenticate**.
//!
//! Spec: Matrix, "Server-side key backups". Session keys are encrypted to a [`BackupEncryptionKey`],
//! which is public, and decrypted with the [`BackupDecryptionKey`] that the user keeps.
//!
//! # What this scheme does not do (S-31)
//!
//! * **A backed-up key may come from anybody.** Encrypting needs only the public key, which the server
//!   knows. Nothing says who made a message.
//! * **A message may have been altered.** The MAC is one over the empty string, as the specification
//!   demands: it does not depend on the ciphertext. The test below alters a message that still decrypts.
//! * **Whether a message decrypts tells its plaintext.** Somebody who can have many altered messages
//!   decrypted, and sees which of them fail, learns the plaintext byte by byte from the padding. Do not
//!   let the server see the outcome of a single message.
//!
//! So treat a decrypted key as an unsigned one: import it with
//! [`InboundGroupSession::import_from_backup`](crate::megolm::InboundGroupSession::import_from_backup),
//! and its [provenance](crate::megolm::Provenance::Backup) stays with it.
//!
//! ```
//! use moceril::backup::{BackupDecryptionKey, BackupEncryptionKey};
//!
//! let key = BackupDecryptionKey::new()?;
//! let mut message = BackupEncryptionKey::new(key.public_key()).encrypt(b"sixteen letters, and so on")?;
//! assert_eq!(key.decrypt_unauthenticated(&message)?, b"sixteen letters, and so on");
//!
//! // One bit of the first block is flipped on the way. Nobody notices: that block becomes noise, and
//! // in the next one the same bit flips, where the attacker wants it.
//! message.ciphertext[7] ^= 1;
//! let altered = key.decrypt_unauthenticated(&message)?;
//! assert_eq!(altered.len(), 26);
//! assert_ne!(&altered[..16], b"sixteen letters,");
//! assert_eq!(&altered[16..], b" and so!on");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use alloc::{boxed::Box, string::String, vec::Vec};
use core::fmt;

use rand::TryCryptoRng;

pub use crate::error::BackupError;
#[cfg(feature = "std")]
use crate::primitives::rng;
use crate::{
    error::{DecodeError, KeyError, RandomError},
    keys::{Curve25519KeyPair, Curve25519PublicKey, secret_from_base64},
    primitives::{
        base64, curve25519,
        seal::unauthenticated::{
            MAC_LENGTH, open_without_authentication, seal_without_authentication,
        },
        secret::{Secret, SecretString},
    },
};

/// The private key of a backup: whoever has it reads everything that was and will be backed up.
///
/// It is in a heap block, wiped on drop.
pub struct BackupDecryptionKey {
    pair: Box<Curve25519KeyPair>,
}

impl BackupDecryptionKey {
    /// Draws a key from the operating system's randomness.
    ///
    /// # Errors
    ///
    /// [`RandomError`].
    #[cfg(feature = "std")]
    pub fn new() -> Result<Self, RandomError> {
        Self::with_rng(&mut rng::system())
    }

    /// As `new`, with another source of randomness: it gives the 32 bytes of the key.
    ///
    /// # Errors
    ///
    /// [`RandomError`].
    pub fn with_rng<R: TryCryptoRng + ?Sized>(rng: &mut R) -> Result<Self, RandomError> {
        Ok(Self { pair: Box::new(Curve25519KeyPair::generate(rng)?) })
    }

    /// The key of these 32 bytes; any will do. The caller's copy is the caller's to wipe.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self::from_secret(&Secret::new(bytes))
    }

    /// Reads a key from base64 with or without padding, as secret storage keeps it under the name
    /// `m.megolm_backup.v1`.
    ///
    /// # Errors
    ///
    /// [`KeyError::Base64`] or [`KeyError::Length`].
    pub fn from_base64(text: &str) -> Result<Self, KeyError> {
        secret_from_base64(text).map(|secret| Self::from_secret(&secret))
    }

    pub(crate) fn from_secret(secret: &Secret<32>) -> Self {
        let secret = curve25519::SecretKey::from_bytes(secret);
        Self { pair: Box::new(Curve25519KeyPair::from_secret(secret)) }
    }

    /// The 32 bytes of the key, as they were given. They are not wiped for you: use
    /// [`to_base64`](Self::to_base64) if text will do.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; 32] {
        *self.pair.secret().as_bytes()
    }

    /// The key as 43 characters of unpadded base64, wiped on drop.
    #[must_use]
    pub fn to_base64(&self) -> SecretString {
        base64::encode_secret(self.pair.secret().as_bytes())
    }

    /// The public half, which goes into the `auth_data` of the backup.
    #[must_use]
    pub fn public_key(&self) -> Curve25519PublicKey {
        self.pair.public()
    }

    /// Decrypts a message, **without authenticating it**: anybody may have made or altered it.
    ///
    /// # Errors
    ///
    /// [`BackupError::Decryption`] for a message to another key, and for damage that happens to show;
    /// [`BackupError::NonContributoryKey`], which no key that could be parsed leads to.
    pub fn decrypt_unauthenticated(&self, message: &BackupMessage) -> Result<Vec<u8>, BackupError> {
        let shared = agree(self.pair.secret(), message.ephemeral_key)?;
        open_without_authentication(&shared, &message.ciphertext, &message.mac)
            .map_err(|_| BackupError::Decryption)
    }
}

impl fmt::Debug for BackupDecryptionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BackupDecryptionKey")
            .field("public_key", &self.public_key())
            .finish_non_exhaustive()
    }
}

/// The public key of a backup. It must be authentic: what is encrypted to a key of the server's, the
/// server can read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BackupEncryptionKey {
    public_key: Curve25519PublicKey,
}

impl BackupEncryptionKey {
    /// The key that a backup's `auth_data` names, after its signature was verified.
    #[must_use]
    pub const fn new(public_key: Curve25519PublicKey) -> Self {
        Self { public_key }
    }

    /// The key itself.
    #[must_use]
    pub const fn public_key(&self) -> Curve25519PublicKey {
        self.public_key
    }

    /// Encrypts with the operating system's randomness. The result names no author.
    ///
    /// # Errors
    ///
    /// [`BackupError::Random`]; [`BackupError::NonContributoryKey`], which no key that could be parsed
    /// leads to.
    #[cfg(feature = "std")]
    pub fn encrypt(&self, plaintext: &[u8]) -> Result<BackupMessage, BackupError> {
        self.encrypt_with_rng(plaintext, &mut rng::system())
    }

    /// As `encrypt`, with another source of randomness: it gives the 32 bytes of the ephemeral private
    /// key, which must never be used twice.
    ///
    /// # Errors
    ///
    /// Those of `encrypt`.
    pub fn encrypt_with_rng<R: TryCryptoRng + ?Sized>(
        &self,
        plaintext: &[u8],
        rng: &mut R,
    ) -> Result<BackupMessage, BackupError> {
        let ephemeral = Curve25519KeyPair::generate(rng)?;
        let shared = agree(ephemeral.secret(), self.public_key)?;
        let (ciphertext, mac) = seal_without_authentication(&shared, plaintext);
        Ok(BackupMessage { ciphertext, mac, ephemeral_key: ephemeral.public() })
    }
}

impl From<Curve25519PublicKey> for BackupEncryptionKey {
    fn from(public_key: Curve25519PublicKey) -> Self {
        Self::new(public_key)
    }
}

fn agree(
    secret: &curve25519::SecretKey,
    public: Curve25519PublicKey,
) -> Result<Secret<32>, BackupError> {
    secret.agree(public.as_bytes()).map_err(|_| BackupError::NonContributoryKey)
}

/// An encrypted backed-up key: the `session_data` of a backup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackupMessage {
    /// AES-256-CBC with PKCS#7: 1 to 16 bytes longer than the plaintext, a multiple of 16.
    pub ciphertext: Vec<u8>,
    /// The first 8 bytes of a MAC **over the empty string**. It does not protect the ciphertext.
    pub mac: [u8; MAC_LENGTH],
    /// The public half of a key pair that was used for this message only.
    pub ephemeral_key: Curve25519PublicKey,
}

/// The three properties of a backup's `session_data`, in unpadded base64.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackupMessageBase64 {
    /// The property `ciphertext`.
    pub ciphertext: String,
    /// The property `mac`: 11 characters.
    pub mac: String,
    /// The property `ephemeral`: 43 characters.
    pub ephemeral_key: String,
}

impl BackupMessage {
    /// Reads the three properties from base64 with or without padding. Whether they belong together
    /// only decrypting can show, and only in part.
    ///
    /// # Errors
    ///
    /// [`DecodeError::Base64`]; [`DecodeError::Format`] if the MAC has not 8 bytes or the key not 32;
    /// [`DecodeError::Key`] for a key that no honest client has (S-01).
    pub fn from_base64(
        ciphertext: &str,
        mac: &str,
        ephemeral_key: &str,
    ) -> Result<Self, DecodeError> {
        let (ciphertext, mac) = (base64::decode(ciphertext)?, base64::decode(mac)?);
        let mac = mac.try_into().map_err(|_| DecodeError::Format)?;
        let key = base64::decode(ephemeral_key)?;
        let key = key.try_into().map_err(|_| DecodeError::Format)?;
        Ok(Self { ciphertext, mac, ephemeral_key: Curve25519PublicKey::from_bytes(key)? })
    }

    /// The three properties in unpadded base64.
    #[must_use]
    pub fn to_base64(&self) -> BackupMessageBase64 {
        BackupMessageBase64 {
            ciphertext: base64::encode(&self.ciphertext),
            mac: base64::encode(&self.mac),
            ephemeral_key: self.ephemeral_key.to_base64(),
        }
    }
}
