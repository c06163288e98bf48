//! The message cipher, in public only with the feature `low-level-api` (as `hazmat::Cipher`).

use block_padding::Error as UnpadError;
use digest::MacError;
use thiserror::Error;

/// A pickle does not decrypt.
#[derive(Debug, Error)]
pub enum DecryptionError {
    /// The padding is wrong, although the MAC is right.
    #[error("invalid padding")]
    InvalidPadding(#[from] UnpadError),
    /// The MAC is wrong: another key, or the ciphertext was altered.
    #[error("invalid MAC: {0}")]
    Mac(#[from] MacError),
    /// There are too few bytes for a MAC.
    #[error("the ciphertext has no MAC")]
    MacMissing,
}

#[cfg(feature = "low-level-api")]
pub use low_level::{Cipher, Mac};

#[cfg(feature = "low-level-api")]
mod low_level {
    use moceril::hazmat;

    use super::{DecryptionError, MacError, UnpadError};

    /// The message authentication code of a ciphertext.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct Mac([u8; Mac::LENGTH]);

    impl Mac {
        /// Length of the whole MAC in bytes.
        pub const LENGTH: usize = 32;
        /// Length of the truncated MAC in bytes.
        pub const TRUNCATED_LEN: usize = 8;

        /// The first 8 bytes.
        pub fn truncate(&self) -> [u8; Self::TRUNCATED_LEN] {
            let mut truncated = [0; Self::TRUNCATED_LEN];
            truncated.copy_from_slice(&self.0[..Self::TRUNCATED_LEN]);
            truncated
        }

        /// All 32 bytes.
        pub fn as_bytes(&self) -> &[u8] {
            &self.0
        }
    }

    /// AES-256-CBC and HMAC-SHA-256 under the keys of one message, for callers that combine them.
    ///
    /// Verify the MAC before you decrypt, and never encrypt twice under one key.
    pub struct Cipher(pub(crate) hazmat::Cipher);

    impl Cipher {
        /// The cipher of an Olm message key.
        pub fn new(key: &[u8; 32]) -> Self {
            Self(hazmat::Cipher::olm(key))
        }

        /// The cipher of a Megolm ratchet value.
        pub fn new_megolm(&key: &[u8; 128]) -> Self {
            Self(hazmat::Cipher::megolm(&key))
        }

        /// The cipher of pickles.
        pub fn new_pickle(key: &[u8]) -> Self {
            Self(hazmat::Cipher::pickle(key))
        }

        /// The ciphertext, without a MAC.
        pub fn encrypt(&self, plaintext: &[u8]) -> Vec<u8> {
            self.0.encrypt(plaintext)
        }

        /// The whole MAC of a message.
        pub fn mac(&self, message: &[u8]) -> Mac {
            Mac(self.0.mac(message))
        }

        /// The plaintext, whoever made the ciphertext.
        ///
        /// # Errors
        ///
        /// [`UnpadError`] if it is not padded as in PKCS#7.
        pub fn decrypt(&self, ciphertext: &[u8]) -> Result<Vec<u8>, UnpadError> {
            self.0.decrypt(ciphertext).ok_or(UnpadError)
        }

        /// Verifies the whole MAC of a message, in constant time.
        ///
        /// # Errors
        ///
        /// [`MacError`].
        #[cfg(feature = "experimental-session-config")]
        pub fn verify_mac(&self, message: &[u8], tag: &Mac) -> Result<(), MacError> {
            self.verify(message, &tag.0)
        }

        /// Verifies the truncated MAC of a message, in constant time. It must have 8 bytes (or be
        /// the whole one).
        ///
        /// # Errors
        ///
        /// [`MacError`].
        pub fn verify_truncated_mac(&self, message: &[u8], tag: &[u8]) -> Result<(), MacError> {
            self.verify(message, tag)
        }

        fn verify(&self, message: &[u8], tag: &[u8]) -> Result<(), MacError> {
            if self.0.verify_mac(message, tag) { Ok(()) } else { Err(MacError) }
        }

        /// The ciphertext, followed by its truncated MAC.
        pub fn encrypt_pickle(&self, plaintext: &[u8]) -> Vec<u8> {
            let mut ciphertext = self.encrypt(plaintext);
            let mac = self.mac(&ciphertext);
            ciphertext.extend(mac.truncate());
            ciphertext
        }

        /// Verifies the MAC at the end, then decrypts what is before it.
        ///
        /// # Errors
        ///
        /// [`DecryptionError`].
        pub fn decrypt_pickle(&self, ciphertext: &[u8]) -> Result<Vec<u8>, DecryptionError> {
            let (ciphertext, mac) = ciphertext
                .split_last_chunk::<{ Mac::TRUNCATED_LEN }>()
                .ok_or(DecryptionError::MacMissing)?;
            self.verify_truncated_mac(ciphertext, mac)?;
            Ok(self.decrypt(ciphertext)?)
        }
    }
}
