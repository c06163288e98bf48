//! Server-side key backup, `m.megolm_backup.v1.curve25519-aes-sha2`: encryption that **does not
//! authenticate**.
//!
//! Spec: Matrix, "Server-side key backups". Session keys are encrypted with a
//! [`BackupEncryptionKey`], which is public, and decrypted with the [`BackupDecryptionKey`], which
//! the user keeps.
//!
//! # What this scheme does not do (S-31)
//!
//! * **Anybody may have made a backed-up key.** Encryption needs only the public key, which the
//!   server knows, and nothing shows who made a message.
//! * **A message may have been altered.** The MAC covers the empty string, as the specification
//!   requires, and does not depend on the ciphertext. The example below alters a message, which
//!   still decrypts.
//! * **The results of decryption reveal plaintexts.** An attacker who can have many altered
//!   messages decrypted, and learns which of them fail, learns the plaintext byte by byte from the
//!   padding. Do not let the server learn the result for any single message.
//!
//! So treat a decrypted key like an unsigned one: import it with
//! [`InboundGroupSession::import_from_backup`](crate::megolm::InboundGroupSession::import_from_backup),
//! which records its [provenance](crate::megolm::Provenance::Backup).
//!
//! ```
//! use moceril::backup::BackupDecryptionKey;
//!
//! let key = BackupDecryptionKey::new()?;
//! let mut message = key.encryption_key().encrypt(b"sixteen letters, and so on")?;
//! assert_eq!(key.decrypt_unauthenticated(&message)?, b"sixteen letters, and so on");
//!
//! // An attacker flips one bit of the first block. This is not detected: that block decrypts to random
//! // bytes, and in the next block the bit that the attacker chose is flipped.
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

#[cfg(feature = "std")]
use crate::primitives::rng;
use crate::{
    error::{DecodeError, KeyError, RandomError, texts},
    keys::{Curve25519KeyPair, Curve25519PublicKey, secret_from_base64},
    primitives::{
        base64,
        cbc_hmac::unauthenticated::{
            MAC_LENGTH, open_without_authentication, seal_without_authentication,
        },
        secret::{Secret, SecretBytes, SecretString},
        stack::{SHALLOW, wiped_below},
        x25519,
    },
};

/// The private key of a backup. Everyone who has it can read all past and future entries of the
/// backup.
///
/// It is in a heap block that is wiped on drop.
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

    /// Like `new`, but with the caller's source of randomness, which gives the 32 bytes of the key.
    ///
    /// # Errors
    ///
    /// [`RandomError`].
    pub fn with_rng<R: TryCryptoRng + ?Sized>(rng: &mut R) -> Result<Self, RandomError> {
        wiped_below::<SHALLOW, _>(|| Ok(Self { pair: Box::new(Curve25519KeyPair::generate(rng)?) }))
    }

    /// Makes the key from these 32 bytes; any bytes are valid. The caller must wipe its own copy.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self::from_secret(&Secret::new(bytes))
    }

    /// Reads a key from base64 with or without padding. Secret storage has it in this form, with
    /// the name `m.megolm_backup.v1`.
    ///
    /// # Errors
    ///
    /// [`KeyError::Base64`] or [`KeyError::Length`].
    pub fn from_base64(text: &str) -> Result<Self, KeyError> {
        secret_from_base64(text).map(|secret| Self::from_secret(&secret))
    }

    pub(crate) fn from_secret(secret: &Secret<32>) -> Self {
        wiped_below::<SHALLOW, _>(|| {
            let secret = x25519::SecretKey::from_bytes(secret);
            Self { pair: Box::new(Curve25519KeyPair::from_secret(secret)) }
        })
    }

    pub(super) fn secret(&self) -> &[u8; 32] {
        self.pair.secret().as_bytes()
    }

    /// The 32 bytes of the key, as they were given. The caller must wipe them. The text that
    /// [`to_base64`](Self::to_base64) returns wipes itself.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; 32] {
        *self.secret()
    }

    /// The key as 43 characters of unpadded base64, wiped on drop.
    #[must_use]
    pub fn to_base64(&self) -> SecretString {
        base64::encode_secret(self.secret())
    }

    /// The public half, which goes into the `auth_data` of the backup.
    #[must_use]
    pub fn public_key(&self) -> Curve25519PublicKey {
        self.pair.public()
    }

    /// The public half, as a key that encrypts. It needs no check, because it belongs to this
    /// private key.
    #[must_use]
    pub fn encryption_key(&self) -> BackupEncryptionKey {
        BackupEncryptionKey::from_trusted_key(self.public_key())
    }

    /// Decrypts a message, **without authenticating it**: anybody may have made or altered it.
    ///
    /// # Errors
    ///
    /// [`BackupError::Decryption`] for a message to another key, and for those alterations that
    /// change the MAC or the padding; [`BackupError::NonContributoryKey`], which no parsed key
    /// causes.
    pub fn decrypt_unauthenticated(
        &self,
        message: &BackupMessage,
    ) -> Result<SecretBytes, BackupError> {
        let shared = agree(self.pair.secret(), message.ephemeral_key)?;
        open_without_authentication(&shared, &message.ciphertext, &message.mac)
            .map(SecretBytes::new)
            .map_err(|_| BackupError::Decryption)
    }
}

impl Clone for BackupDecryptionKey {
    fn clone(&self) -> Self {
        wiped_below::<SHALLOW, _>(|| Self { pair: self.pair.clone() })
    }
}

impl fmt::Debug for BackupDecryptionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BackupDecryptionKey")
            .field("public_key", &self.public_key())
            .finish_non_exhaustive()
    }
}

/// The public key of a backup. It must be authentic: if the server has substituted its own key, the
/// server can read everything that is encrypted to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BackupEncryptionKey {
    public_key: Curve25519PublicKey,
}

impl BackupEncryptionKey {
    /// Takes a key that is known to be the user's. Whoever has the private key calls
    /// [`BackupDecryptionKey::encryption_key`] instead. What a server says is not known to be the
    /// user's; with the feature `matrix`, `BackupVersion::verify` gives its key if it is signed.
    #[must_use]
    pub const fn from_trusted_key(public_key: Curve25519PublicKey) -> Self {
        Self { public_key }
    }

    /// The key itself.
    #[must_use]
    pub const fn public_key(&self) -> Curve25519PublicKey {
        self.public_key
    }

    /// Encrypts with the operating system's randomness. Nothing in the result shows who made it.
    ///
    /// # Errors
    ///
    /// [`BackupError::Random`]; [`BackupError::NonContributoryKey`], which no parsed key causes.
    #[cfg(feature = "std")]
    pub fn encrypt(&self, plaintext: impl AsRef<[u8]>) -> Result<BackupMessage, BackupError> {
        self.encrypt_with_rng(plaintext, &mut rng::system())
    }

    /// Like `encrypt`, but with the caller's source of randomness, which gives the 32 bytes of the
    /// ephemeral private key. They must never be used twice.
    ///
    /// # Errors
    ///
    /// Those of `encrypt`.
    pub fn encrypt_with_rng<R: TryCryptoRng + ?Sized>(
        &self,
        plaintext: impl AsRef<[u8]>,
        rng: &mut R,
    ) -> Result<BackupMessage, BackupError> {
        let ephemeral = Curve25519KeyPair::generate(rng)?;
        let shared = agree(ephemeral.secret(), self.public_key)?;
        let (ciphertext, mac) = seal_without_authentication(&shared, plaintext.as_ref());
        Ok(BackupMessage { ciphertext, mac, ephemeral_key: ephemeral.public() })
    }
}

fn agree(
    secret: &x25519::SecretKey,
    public: Curve25519PublicKey,
) -> Result<Secret<32>, BackupError> {
    secret.agree(public.as_bytes()).map_err(|_| BackupError::NonContributoryKey)
}

/// An encrypted key of a backup: its `session_data`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackupMessage {
    /// The ciphertext of AES-256-CBC with PKCS#7. Its length is a multiple of 16, and 1 to 16 bytes
    /// more than that of the plaintext.
    pub ciphertext: Vec<u8>,
    /// The first 8 bytes of a MAC **over the empty string**. It does not protect the ciphertext.
    pub mac: [u8; MAC_LENGTH],
    /// The public half of a key pair that is used only for this message.
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
    /// Reads the three properties from base64 with or without padding. This does not check that
    /// they belong together, and decryption checks it only in part.
    ///
    /// # Errors
    ///
    /// [`DecodeError::Base64`]; [`DecodeError::Length`] if the MAC does not have 8 bytes or the key
    /// 32; [`DecodeError::Key`] for a key that no honest client has (S-01).
    pub fn from_base64(
        ciphertext: &str,
        mac: &str,
        ephemeral_key: &str,
    ) -> Result<Self, DecodeError> {
        let (ciphertext, mac) = (base64::decode(ciphertext)?, base64::decode(mac)?);
        let key = array(&base64::decode(ephemeral_key)?)?;
        let ephemeral_key = Curve25519PublicKey::from_bytes(key)?;
        Ok(Self { ciphertext, mac: array(&mac)?, ephemeral_key })
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

fn array<const N: usize>(bytes: &[u8]) -> Result<[u8; N], DecodeError> {
    let length = DecodeError::Length { expected: N, found: bytes.len() };
    bytes.try_into().map_err(|_| length)
}

/// A backed-up key could not be encrypted or decrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BackupError {
    /// The key agreement came out as zero (S-01).
    NonContributoryKey,
    /// The message was made for another key, or is visibly damaged. Most damage is not visible.
    Decryption,
    /// The random source failed.
    Random,
}

texts!(BackupError {
    Self::NonContributoryKey => "the key agreement was not contributory";
    Self::Decryption => "the backed-up key does not decrypt";
    Self::Random => "the random source failed";
});

impl From<RandomError> for BackupError {
    fn from(_: RandomError) -> Self {
        Self::Random
    }
}
