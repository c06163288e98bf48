//! The parts of a Megolm session, as separate functions. Only with the feature `hazmat`.

use crate::{
    keys::{Ed25519SecretKey, Ed25519Signature},
    megolm::inbound::{ExportError, InboundGroupSession},
    primitives::cbc_hmac::hazmat::Cipher,
    wire::{MessageVersion, megolm::MegolmMessage},
};

impl InboundGroupSession {
    /// The cipher of the message at `index`.
    ///
    /// # Errors
    ///
    /// [`ExportError`].
    pub fn cipher_at(&self, index: u32) -> Result<Cipher, ExportError> {
        self.ratchet_at(index).map(|ratchet| Cipher::megolm(ratchet.value().as_bytes()))
    }
}

impl MegolmMessage {
    /// Length in bytes of a message whose plaintext has `plaintext_length` bytes.
    #[must_use]
    pub const fn length(
        version: MessageVersion,
        message_index: u32,
        plaintext_length: usize,
    ) -> usize {
        Self::encoded_length(version, message_index, plaintext_length)
    }

    /// Encrypts a message with the given cipher and signs it.
    #[must_use]
    pub fn encrypt(
        version: MessageVersion,
        message_index: u32,
        cipher: &Cipher,
        signing_key: &Ed25519SecretKey,
        plaintext: impl AsRef<[u8]>,
    ) -> Self {
        let sign = |bytes: &[u8]| signing_key.sign(bytes);
        Self::encrypt_signed_by(version, message_index, cipher, sign, plaintext)
    }

    /// Like [`encrypt`](Self::encrypt), but the function `sign` makes the signature.
    #[must_use]
    pub fn encrypt_signed_by(
        version: MessageVersion,
        message_index: u32,
        cipher: &Cipher,
        sign: impl FnOnce(&[u8]) -> Ed25519Signature,
        plaintext: impl AsRef<[u8]>,
    ) -> Self {
        let plaintext = plaintext.as_ref();
        let seal = |mut message: alloc::vec::Vec<u8>| {
            message.extend(cipher.encrypt(plaintext));
            let mac = cipher.mac(&message);
            message.extend(mac.iter().take(version.mac_length()));
            message
        };
        let sign = |bytes: &[u8]| *sign(bytes).as_bytes();
        Self::encode(version, message_index, plaintext.len(), seal, sign)
    }
}
