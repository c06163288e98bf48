//! AES-256-CTR and HMAC-SHA-256, with keys from PBKDF2-HMAC-SHA-512 or HKDF-SHA-256: the cipher of
//! key export files and of secret storage.
//!
//! Spec: Matrix specification, "Key exports" and "m.secret_storage.v1.aes-hmac-sha2". As in
//! `cbc_hmac`, the bare cipher does not leave this file, and the MAC is verified before anything is
//! decrypted.

use aes::{
    Aes256,
    cipher::{KeyIvInit, StreamCipher},
};
use alloc::{boxed::Box, vec::Vec};
use rand::TryCryptoRng;
use subtle::ConstantTimeEq;

use super::{
    kdf::{HmacKey, RunningTag, pbkdf2_sha512},
    rng::draw,
    secret::{Secret, SecretList},
    verdict::if_equal,
};
use crate::error::RandomError;

pub(crate) const SALT_LENGTH: usize = 16;
pub(crate) const IV_LENGTH: usize = 16;
pub(crate) const TAG_LENGTH: usize = 32;

/// The key or passphrase is wrong, or the ciphertext was altered.
#[derive(Debug)]
pub(crate) struct Forged;

/// Draws an IV. Its bit 63 is zero, as the specification demands, for implementations whose counter
/// has 64 bits.
pub(crate) fn draw_iv<R: TryCryptoRng + ?Sized>(
    rng: &mut R,
) -> Result<[u8; IV_LENGTH], RandomError> {
    let mut iv = *draw::<IV_LENGTH, R>(rng)?.as_bytes();
    iv[8] &= 0x7f;
    Ok(iv)
}

type Cipher = ctr::Ctr128BE<Aes256>;

pub(crate) struct Keys {
    aes: Secret<32>,
    hmac: HmacKey,
}

impl Keys {
    /// The keys of a key export file.
    pub(crate) fn from_passphrase(passphrase: &str, salt: &[u8; SALT_LENGTH], rounds: u32) -> Self {
        Self::from_okm(&pbkdf2_sha512(passphrase, salt, rounds))
    }

    /// The keys of a secret with this name in a secret storage.
    #[cfg(feature = "matrix")]
    pub(crate) fn from_secret(secret: &Secret<32>, name: &str) -> Self {
        Self::from_okm(&super::kdf::hkdf(None, secret.as_bytes(), name.as_bytes()))
    }

    fn from_okm(okm: &Secret<64>) -> Self {
        Self { aes: okm.part::<0, 32>(), hmac: HmacKey::new(okm.part::<32, 32>().as_bytes()) }
    }

    fn cipher(&self, iv: &[u8; IV_LENGTH]) -> Cipher {
        Cipher::new(self.aes.as_bytes().into(), iv.into())
    }

    fn apply(&self, iv: &[u8; IV_LENGTH], buffer: &mut [u8]) {
        self.cipher(iv).apply_keystream(buffer);
    }
}

/// Encrypts `plaintext` in place. The result is `head` and the ciphertext, and the MAC over both.
///
/// Only encrypted bytes are copied there, so a wrongly computed length cannot leave plaintext in it
/// (S-47).
#[cfg(feature = "matrix")]
pub(crate) fn seal(
    keys: &Keys,
    iv: &[u8; IV_LENGTH],
    head: &[u8],
    plaintext: &mut [u8],
) -> (Vec<u8>, [u8; TAG_LENGTH]) {
    keys.apply(iv, plaintext);
    let authenticated = [head, plaintext].concat();
    let tag = keys.hmac.tag(&authenticated);
    (authenticated, tag)
}

/// Verifies the MAC, then decrypts what follows the first `head_length` bytes.
pub(crate) fn open(
    keys: &Keys,
    iv: &[u8; IV_LENGTH],
    head_length: usize,
    authenticated: &[u8],
    tag: &[u8; TAG_LENGTH],
) -> Result<Vec<u8>, Forged> {
    let ciphertext = authenticated.get(head_length..).ok_or(Forged)?;
    if_equal(keys.hmac.tag(authenticated).ct_eq(tag), Forged, || {
        let mut plaintext = ciphertext.to_vec();
        keys.apply(iv, &mut plaintext);
        Ok(plaintext)
    })
}

/// Encrypts piece by piece, and makes the MAC over the head and the ciphertext of all pieces.
pub(crate) struct Sealing {
    cipher: Cipher,
    mac: RunningTag,
}

impl Sealing {
    pub(crate) fn new(keys: &Keys, iv: &[u8; IV_LENGTH], head: &[u8]) -> Self {
        let mut mac = keys.hmac.start();
        mac.update(head);
        Self { cipher: keys.cipher(iv), mac }
    }

    /// Encrypts the next piece in place.
    pub(crate) fn seal(&mut self, plaintext: &mut [u8]) {
        self.cipher.apply_keystream(plaintext);
        self.mac.update(plaintext);
    }

    /// The MAC over the head and all that was encrypted.
    pub(crate) fn tag(&self) -> [u8; TAG_LENGTH] {
        *self.mac.so_far().as_bytes()
    }
}

/// The first pass over a ciphertext that need not fit into memory.
///
/// Nothing may be decrypted before the MAC at the end was verified, so there are two passes. The
/// first one verifies the MAC, and remembers its value after each segment. The second one,
/// [`Opening`], compares this value before it decrypts a segment, so that what it decrypts was
/// verified even if somebody has changed the ciphertext between the passes.
///
/// Both passes share one heap block, so that no keys are left behind in another (S-25).
pub(crate) struct Verifying(Box<Opening>);

impl Verifying {
    pub(crate) fn new(keys: Keys, iv: &[u8; IV_LENGTH], head: &[u8]) -> Self {
        let mut mac = keys.hmac.start();
        mac.update(head);
        let (cipher, start) = (keys.cipher(iv), mac.clone());
        let segments = SecretList::new();
        Self(Box::new(Opening { keys, iv: *iv, start, segments, cipher, mac, next: 0 }))
    }

    /// Takes the next segment. The second pass needs the same segments.
    pub(crate) fn segment(&mut self, ciphertext: &[u8]) {
        self.0.mac.update(ciphertext);
        let tag = self.0.mac.so_far();
        self.0.segments.push(tag);
    }

    pub(crate) fn finish(self, tag: &[u8; TAG_LENGTH]) -> Result<Box<Opening>, Forged> {
        let Self(mut opening) = self;
        let ours = opening.mac.so_far();
        ours.if_equal(&Secret::new(*tag), Forged, || {
            opening.restart();
            Ok(opening)
        })
    }
}

/// The second pass over a ciphertext whose MAC was verified.
pub(crate) struct Opening {
    keys: Keys,
    iv: [u8; IV_LENGTH],
    /// The MAC after the head.
    start: RunningTag,
    /// The MAC after each segment.
    segments: SecretList<Secret<TAG_LENGTH>>,
    cipher: Cipher,
    mac: RunningTag,
    next: usize,
}

impl Opening {
    /// Verifies that the next segment is that of the first pass, then decrypts it in place. On an
    /// error the segment is unchanged, and no later one can be opened.
    ///
    /// Why it returns the plaintext: a result without a value would be the outcome of the
    /// comparison itself, on which the caller would branch again.
    pub(crate) fn open<'a>(&mut self, segment: &'a mut [u8]) -> Result<&'a [u8], Forged> {
        let Self { segments, cipher, mac, next, .. } = self;
        mac.update(segment);
        let expected = segments.get(*next).ok_or(Forged)?;
        mac.so_far().if_equal(expected, Forged, || {
            cipher.apply_keystream(segment);
            *next = next.saturating_add(1);
            Ok(&*segment)
        })
    }

    /// Whether each segment of the first pass was opened.
    pub(crate) fn is_at_end(&self) -> bool {
        self.next == self.segments.len()
    }

    /// Begins again with the first segment.
    pub(crate) fn restart(&mut self) {
        self.cipher = self.keys.cipher(&self.iv);
        self.mac = self.start.clone();
        self.next = 0;
    }
}
