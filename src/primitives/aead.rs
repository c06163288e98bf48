//! XChaCha20-Poly1305, for native pickles: its 24-byte nonce may be drawn at random for ever.

use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305,
    aead::{AeadInOut, inout::InOutBuf},
};

use super::secret::Secret;

pub(crate) const NONCE_LENGTH: usize = 24;
pub(crate) const TAG_LENGTH: usize = 16;

/// The ciphertext failed its authentication: wrong key, wrong associated data, or altered bytes.
#[derive(Debug)]
pub(crate) struct Forged;

/// Encrypts `buffer` in place and returns the tag. `None` only for a buffer beyond the cipher's
/// limit of 256 GiB.
pub(crate) fn seal(
    key: &Secret<32>,
    nonce: &[u8; NONCE_LENGTH],
    associated_data: &[u8],
    buffer: &mut [u8],
) -> Option<[u8; TAG_LENGTH]> {
    XChaCha20Poly1305::new(key.as_bytes().into())
        .encrypt_inout_detached(nonce.into(), associated_data, InOutBuf::from(buffer))
        .ok()
        .map(Into::into)
}

/// Verifies the tag and only then decrypts `buffer` in place; on failure it holds what it held.
pub(crate) fn open(
    key: &Secret<32>,
    nonce: &[u8; NONCE_LENGTH],
    associated_data: &[u8],
    buffer: &mut [u8],
    tag: &[u8; TAG_LENGTH],
) -> Result<(), Forged> {
    XChaCha20Poly1305::new(key.as_bytes().into())
        .decrypt_inout_detached(nonce.into(), associated_data, InOutBuf::from(buffer), tag.into())
        .map_err(|_| Forged)
}
