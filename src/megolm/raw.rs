//! The parts of a Megolm session, to be used one by one. Only with the feature `hazmat`.

use crate::{
    error::ExportError,
    keys::Ed25519SecretKey,
    megolm::inbound::InboundGroupSession,
    primitives::seal::raw::Cipher,
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
    /// Encrypts a message with a cipher of its own and signs it.
    #[must_use]
    pub fn encrypt(
        version: MessageVersion,
        message_index: u32,
        cipher: &Cipher,
        signing_key: &Ed25519SecretKey,
        plaintext: &[u8],
    ) -> Self {
        let seal = |mut message: alloc::vec::Vec<u8>| {
            message.extend(cipher.encrypt(plaintext));
            let mac = cipher.mac(&message);
            message.extend(mac.iter().take(version.mac_length()));
            message
        };
        let sign = |bytes: &[u8]| *signing_key.sign(bytes).as_bytes();
        Self::encode(version, message_index, plaintext.len(), seal, sign)
    }
}
