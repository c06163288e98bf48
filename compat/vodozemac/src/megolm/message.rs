//! A group message: its fields and its forms.

use std::fmt;

use moceril::megolm as core;

use crate::{
    DecodeError, Ed25519Signature, base64_text::base64_encode, convert::decode_error,
    message_impls::message_impls,
};

/// Version, one byte of content, the shorter of the two MACs, and the signature.
const SHORTEST: usize = 1 + 1 + 8 + Ed25519Signature::LENGTH;
const HIGHEST_VERSION: u8 = 4;

/// A Megolm message.
///
/// It keeps the bytes it was parsed from.
#[derive(Clone, PartialEq, Eq)]
pub struct MegolmMessage {
    inner: core::MegolmMessage,
    signature: Ed25519Signature,
}

impl MegolmMessage {
    /// The ciphertext.
    pub fn ciphertext(&self) -> &[u8] {
        self.inner.ciphertext()
    }

    /// The index of the ratchet that this message was encrypted with.
    pub const fn message_index(&self) -> u32 {
        self.inner.message_index()
    }

    /// The MAC.
    pub fn mac(&self) -> &[u8] {
        let signed = self.signed_bytes();
        let start = signed.len().saturating_sub(self.inner.version().mac_length());
        &signed[start..]
    }

    /// The signature, which covers every byte before it.
    pub const fn signature(&self) -> &Ed25519Signature {
        &self.signature
    }

    /// Parses a message.
    ///
    /// # Errors
    ///
    /// [`DecodeError`].
    pub fn from_bytes(message: &[u8]) -> Result<Self, DecodeError> {
        core::MegolmMessage::from_bytes(message)
            .map(Self::from_inner)
            .map_err(|error| decode_error(error, message, SHORTEST, HIGHEST_VERSION))
    }

    /// The message as it travels.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.inner.as_bytes().to_vec()
    }

    /// Parses a message from base64.
    ///
    /// # Errors
    ///
    /// [`DecodeError`].
    pub fn from_base64(message: &str) -> Result<Self, DecodeError> {
        core::MegolmMessage::from_base64(message)
            .map(Self::from_inner)
            .map_err(|error| decode_error(error, message, SHORTEST, HIGHEST_VERSION))
    }

    /// The message in base64 without padding.
    pub fn to_base64(&self) -> String {
        base64_encode(self.inner.as_bytes())
    }

    pub(crate) fn from_inner(inner: core::MegolmMessage) -> Self {
        Self { signature: Ed25519Signature::from_inner(*inner.signature()), inner }
    }

    pub(crate) const fn inner(&self) -> &core::MegolmMessage {
        &self.inner
    }

    /// What the signature covers.
    pub(crate) fn signed_bytes(&self) -> &[u8] {
        let bytes = self.inner.as_bytes();
        &bytes[..bytes.len().saturating_sub(Ed25519Signature::LENGTH)]
    }
}

#[cfg(feature = "low-level-api")]
impl MegolmMessage {
    /// Puts another signature in the place of the present one, if it verifies.
    ///
    /// # Errors
    ///
    /// [`SignatureError`](crate::SignatureError); the message is unchanged.
    pub fn add_signature(
        &mut self,
        signature: Ed25519Signature,
        signing_key: crate::Ed25519PublicKey,
    ) -> Result<(), crate::SignatureError> {
        signing_key.verify(self.signed_bytes(), &signature)?;
        let bytes = [self.signed_bytes(), signature.inner().as_bytes()].concat();
        *self = Self::from_bytes(&bytes).map_err(|_| crate::SignatureError::invalid())?;
        Ok(())
    }

    /// Encrypts a message with a cipher of its own and signs it.
    pub fn encrypt(
        message_index: u32,
        cipher: &crate::hazmat::Cipher,
        signing_key: &crate::Ed25519Keypair,
        plaintext: &[u8],
    ) -> Self {
        let sign = |bytes: &[u8]| signing_key.inner().sign(bytes);
        let version = moceril::MessageVersion::V3;
        Self::from_inner(core::MegolmMessage::encrypt_signed_by(
            version,
            message_index,
            &cipher.0,
            sign,
            plaintext,
        ))
    }
}

message_impls!(MegolmMessage);

impl fmt::Debug for MegolmMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MegolmMessage")
            .field("version", &self.inner.version().byte())
            .field("message_index", &self.message_index())
            .finish_non_exhaustive()
    }
}
