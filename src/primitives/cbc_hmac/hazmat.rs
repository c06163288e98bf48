//! The message cipher without its protection against misuse. Only with the feature `hazmat`.

use alloc::vec::Vec;

use subtle::ConstantTimeEq;

use super::{
    super::stack::{MEDIUM, SHALLOW, wiped_below},
    Forged, MessageCipher, Purpose,
};

/// AES-256-CBC and HMAC-SHA-256 under the keys of one message, for callers that combine them.
///
/// Decrypting before the MAC was verified creates a padding oracle, and encrypting two plaintexts
/// under one key reveals the first block in which they differ.
pub struct Cipher(MessageCipher);

impl Cipher {
    /// The cipher of an Olm message key.
    #[must_use]
    pub fn olm(message_key: &[u8; 32]) -> Self {
        Self(MessageCipher::derive(message_key, Purpose::Olm.info()))
    }

    /// The cipher of a Megolm ratchet value.
    #[must_use]
    pub fn megolm(ratchet: &[u8; 128]) -> Self {
        Self(MessageCipher::derive(ratchet, Purpose::Megolm.info()))
    }

    /// The cipher of libolm's and vodozemac's pickles.
    #[must_use]
    pub fn pickle(key: impl AsRef<[u8]>) -> Self {
        Self(MessageCipher::derive(key.as_ref(), Purpose::Pickle.info()))
    }

    /// The ciphertext, without a MAC.
    #[must_use]
    pub fn encrypt(&self, plaintext: impl AsRef<[u8]>) -> Vec<u8> {
        wiped_below::<SHALLOW, _>(|| {
            let mut ciphertext = Vec::new();
            self.0.encrypt_onto(&mut ciphertext, plaintext.as_ref());
            ciphertext
        })
    }

    /// The plaintext, whoever made the ciphertext; `None` if it is not padded as in PKCS#7.
    #[must_use]
    pub fn decrypt(&self, ciphertext: impl AsRef<[u8]>) -> Option<Vec<u8>> {
        let decrypt = || self.0.decrypt(ciphertext.as_ref()).map_err(|Forged| ()).ok();
        wiped_below::<MEDIUM, _>(decrypt)
    }

    /// The full MAC of a message.
    #[must_use]
    pub fn mac(&self, message: impl AsRef<[u8]>) -> [u8; 32] {
        self.0.mac_key.tag(message.as_ref())
    }

    /// Whether `tag` is the beginning of the message's MAC, compared in constant time. It must have
    /// 8 or 32 bytes.
    #[must_use]
    pub fn verify_mac(&self, message: impl AsRef<[u8]>, tag: impl AsRef<[u8]>) -> bool {
        let tag = tag.as_ref();
        let mac = self.mac(message);
        let expected = mac.get(..tag.len()).filter(|expected| matches!(expected.len(), 8 | 32));
        expected.is_some_and(|expected| expected.ct_eq(tag).into())
    }
}

impl core::fmt::Debug for Cipher {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Cipher").finish_non_exhaustive()
    }
}
