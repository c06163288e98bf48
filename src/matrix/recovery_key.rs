//! Recovery keys: the text in which a user writes down the key of a backup or of secret storage.
//! Feature `backup`.
//!
//! ```text
//! base58(0x8b || 0x01 || key[32] || parity), in groups of four letters
//! ```
//!
//! The parity is the XOR of the 34 bytes before it. It detects most writing mistakes: about one in
//! 256 goes unnoticed.
//!
//! Spec: Matrix specification, "Key representation" of secrets.
//!
//! ```
//! use moceril::{backup::BackupDecryptionKey, recovery_key::RecoveryKeyError};
//!
//! let key = BackupDecryptionKey::from_recovery_key(
//!     "EsTc LW2K PGiF wKEA 3As5 g5c4 BXwk qeeJ ZJV8 Q9fu gUMN UE4d",
//! )?;
//! assert!(key.to_recovery_key().starts_with("EsTc LW2K "));
//!
//! let mistyped = "EsTc LW2K PGiF wKEA 3As5 g5c4 BXwk qeeJ ZJV8 Q9fu gUMN UE4e";
//! let error = BackupDecryptionKey::from_recovery_key(mistyped).unwrap_err();
//! assert_eq!(error, RecoveryKeyError::Parity);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use super::backup::BackupDecryptionKey;
use crate::{
    error::texts,
    primitives::{
        base58::{self, Base58Error, LENGTH, LETTERS},
        secret::{Secret, SecretString},
    },
};

/// The first bytes of a recovery key, before base58.
const PREFIX: [u8; 2] = [0x8b, 0x01];

/// Reads the 32 bytes of a key. The time depends only on the length of the text and on the error.
pub(super) fn decode(text: &str) -> Result<Secret<32>, RecoveryKeyError> {
    let bytes = base58::decode(text)?;
    let parity = Secret::new([xor(bytes.as_bytes())]);
    parity.if_equal(&Secret::new([0]), RecoveryKeyError::Parity, || {
        let prefix = bytes.part::<0, 2>();
        prefix.if_equal(
            &Secret::new(PREFIX),
            RecoveryKeyError::Prefix,
            || Ok(bytes.part::<2, 32>()),
        )
    })
}

pub(super) fn encode(key: &[u8; 32]) -> SecretString {
    let parity = xor(&PREFIX) ^ xor(key);
    base58::encode(&Secret::<LENGTH>::concat((&PREFIX, key, &[parity])))
}

fn xor(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0, |parity, byte| parity ^ byte)
}

impl BackupDecryptionKey {
    /// Reads the key from the text of a recovery key. ASCII white space is ignored. Feature
    /// `backup`.
    ///
    /// # Errors
    ///
    /// [`RecoveryKeyError`].
    pub fn from_recovery_key(text: &str) -> Result<Self, RecoveryKeyError> {
        decode(text).map(|secret| Self::from_secret(&secret))
    }

    /// The key as a recovery key: 48 letters in groups of four, wiped on drop.
    #[must_use]
    pub fn to_recovery_key(&self) -> SecretString {
        encode(self.secret())
    }
}

/// The text is not a recovery key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RecoveryKeyError {
    /// A character is neither white space nor a letter of base58, which has no `0`, `I`, `O` and
    /// `l`.
    Alphabet,
    /// A recovery key has 48 letters; this text has another number.
    Length(usize),
    /// A letter is wrong, or two are exchanged.
    Parity,
    /// The text is not that of a Matrix key, or one of its first letters is wrong: each recovery
    /// key begins with `EsS`, `EsT` or `EsU`.
    Prefix,
}

texts!(RecoveryKeyError {
    Self::Alphabet => "the recovery key has a character that is no letter of base58";
    Self::Length(found) => "a recovery key has {LETTERS} letters, not {found}";
    Self::Parity => "a letter of the recovery key is wrong";
    Self::Prefix => "not a recovery key of Matrix";
});

impl From<Base58Error> for RecoveryKeyError {
    fn from(error: Base58Error) -> Self {
        match error {
            Base58Error::Alphabet => Self::Alphabet,
            Base58Error::Length(found) => Self::Length(found),
            Base58Error::TooLarge => Self::Prefix,
        }
    }
}
