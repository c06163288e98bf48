//! SHA-256, HMAC-SHA-256 (RFC 2104) and HKDF-SHA-256 (RFC 5869).

use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac, digest::Key};
use sha2::{Digest, Sha256};
use zeroize::Zeroize;

use super::secret::Secret;

/// SHA-256 of the concatenation of `parts`, for public data such as session ids.
pub(crate) fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part);
    }
    hash.finalize().into()
}

/// An HMAC-SHA-256 key whose two padded blocks are hashed already, so that several MACs under one
/// key (a chain step needs two) share that work.
pub(crate) struct HmacKey(Hmac<Sha256>);

impl HmacKey {
    pub(crate) fn new(key: &[u8; 32]) -> Self {
        // RFC 2104, section 2: a key shorter than the block is filled up with zeros.
        let mut block = Key::<Hmac<Sha256>>::default();
        for (to, from) in block.iter_mut().zip(key) {
            *to = *from;
        }
        let hmac = Hmac::<Sha256>::new(&block);
        block.as_mut_slice().zeroize();
        Self(hmac)
    }

    /// `HMAC(key, data)` as a secret: a new key of a ratchet.
    pub(crate) fn derive(&self, data: &[u8]) -> Secret<32> {
        let mut tag = self.0.clone().chain_update(data).finalize().into_bytes();
        let derived = Secret::new(tag.into());
        tag.as_mut_slice().zeroize();
        derived
    }

    /// `HMAC(key, data)` as a tag to be published.
    pub(crate) fn tag(&self, data: &[u8]) -> [u8; 32] {
        self.0.clone().chain_update(data).finalize().into_bytes().into()
    }
}

/// HKDF-SHA-256 with `N` bytes of output. `None` as salt means 32 zero bytes (RFC 5869, 2.2).
pub(crate) fn hkdf<const N: usize>(salt: Option<&[u8]>, ikm: &[u8], info: &[u8]) -> Secret<N> {
    // RFC 5869, 2.3: the output is at most 255 hashes long. Checked for each `N` by the compiler.
    const { assert!(N <= 255 * 32) };
    let mut okm = Secret::default();
    let (mut prk, hkdf) = Hkdf::<Sha256>::extract(salt, ikm);
    prk.as_mut_slice().zeroize();
    let expanded = hkdf.expand(info, okm.as_mut_bytes());
    debug_assert!(expanded.is_ok());
    okm
}
