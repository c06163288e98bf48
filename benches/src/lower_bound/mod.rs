//! The lower bounds of the benchmarks: the primitives that an operation cannot avoid, from the same
//! crates as the library, each in the fastest form we know of. They do no parsing, checking,
//! allocation or wiping of their own.
//!
//! This file has the primitives that several operations share; `olm.rs`, `megolm.rs` and
//! `pickle.rs` combine them. README.md lists what the lower bound of each operation consists of.

pub mod megolm;
pub mod olm;
pub mod pickle;

use std::{hint::black_box, sync::LazyLock};

use aes::{
    Aes256,
    cipher::{BlockModeDecrypt, BlockModeEncrypt, KeyIvInit, block_padding::Pkcs7},
};
use base64ct::{Base64Unpadded, Encoding};
use curve25519_dalek::{EdwardsPoint, MontgomeryPoint};
use ed25519_dalek::{
    Signature, Verifier, VerifyingKey,
    hazmat::{ExpandedSecretKey, raw_sign},
};
use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use rand::{TryRng, rngs::SysRng};
use sha2::{Digest, Sha256, Sha512};

/// The plaintext of every message: the length of a short Matrix event.
pub const TEXT: &[u8] = &[b'm'; 200];

/// Draws a secret as the library does: with one call of the operating system.
pub fn draw<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    SysRng.try_fill_bytes(&mut bytes).unwrap();
    bytes
}

/// A point times a secret, before its u-coordinate is computed.
pub enum Product {
    Edwards(EdwardsPoint),
    Ladder(MontgomeryPoint),
}

/// The u-coordinates. Points in Edwards form that are needed at the same time share an inversion.
pub fn coordinates(products: &[Product]) -> Vec<[u8; 32]> {
    let edwards = products.iter().map(|product| match product {
        Product::Edwards(point) => Some(*point),
        Product::Ladder(_) => None,
    });
    if let Some(points) = edwards.collect::<Option<Vec<_>>>() {
        let coordinates = EdwardsPoint::to_montgomery_batch(&points);
        return coordinates.iter().map(MontgomeryPoint::to_bytes).collect();
    }
    let each = products.iter().map(|product| match product {
        Product::Edwards(point) => point.to_montgomery().to_bytes(),
        Product::Ladder(point) => point.to_bytes(),
    });
    each.collect()
}

/// The base point times a secret: a public key.
pub fn base_times(secret: &[u8; 32]) -> Product {
    Product::Edwards(EdwardsPoint::mul_base_clamped(*secret))
}

pub fn x25519_public(secret: &[u8; 32]) -> [u8; 32] {
    EdwardsPoint::mul_base_clamped(*secret).to_montgomery().to_bytes()
}

/// X25519 with one peer: the key is converted once, then each call is the multiplication of an
/// agreement.
///
/// Where its multiplication is vectorized, the Edwards form of the curve is the fastest; elsewhere
/// the Montgomery ladder is.
pub fn x25519_with(their_public: [u8; 32]) -> impl Fn(&[u8; 32]) -> Product {
    let montgomery = MontgomeryPoint(their_public);
    let edwards = montgomery.to_edwards(0).filter(|_| is_vectorized());
    move |secret| match edwards {
        Some(point) => Product::Edwards(point.mul_clamped(*secret)),
        None => Product::Ladder(montgomery.mul_clamped(*secret)),
    }
}

/// As curve25519-dalek chooses its implementation, and the library its form of the curve.
fn is_vectorized() -> bool {
    #[cfg(target_arch = "x86_64")]
    let found = std::arch::is_x86_feature_detected!("avx2");
    #[cfg(not(target_arch = "x86_64"))]
    let found = false;
    found
        && !cfg!(curve25519_dalek_backend = "fiat")
        && !cfg!(curve25519_dalek_backend = "serial")
        && !cfg!(curve25519_dalek_bits = "32")
}

/// SHA-512 of the seed and the multiplication of the base point.
pub fn ed25519_public(seed: &[u8; 32]) -> VerifyingKey {
    VerifyingKey::from(&ExpandedSecretKey::from(seed))
}

pub struct Signer {
    secret: ExpandedSecretKey,
    pub public: VerifyingKey,
}

impl Signer {
    pub fn new() -> Self {
        let secret = ExpandedSecretKey::from(&[7; 32]);
        Self { public: VerifyingKey::from(&secret), secret }
    }

    pub fn sign(&self, message: &[u8]) -> Signature {
        raw_sign::<Sha512>(&self.secret, message, &self.public)
    }
}

/// The verification without the strict checks, which can be done in almost no time.
pub fn verify(key: &VerifyingKey, message: &[u8], signature: &Signature) {
    key.verify(message, signature).unwrap();
}

/// Sharing this state between MACs under the same key saves half of each.
pub fn hmac_key(key: &[u8; 32]) -> Hmac<Sha256> {
    let mut block = [0; 64];
    block[..32].copy_from_slice(key);
    Hmac::new(&block.into())
}

pub fn hmac(key: &Hmac<Sha256>, data: &[u8]) -> [u8; 32] {
    key.clone().chain_update(data).finalize().into_bytes().into()
}

static ZERO_SALT: LazyLock<Hmac<Sha256>> = LazyLock::new(|| hmac_key(&[0; 32]));

/// HKDF-SHA-256; the state of the zero salt is a constant.
pub fn hkdf<const N: usize>(salt: Option<&[u8; 32]>, ikm: &[u8], info: &[u8]) -> [u8; N] {
    let prk = match salt {
        Some(salt) => hmac(&hmac_key(salt), ikm),
        None => hmac(&ZERO_SALT, ikm),
    };
    let mut okm = [0; N];
    Hkdf::<Sha256>::from_prk(&prk).unwrap().expand(info, &mut okm).unwrap();
    okm
}

/// A step of an Olm chain: the message key, and the next chain key in place.
pub fn chain_step(chain_key: &mut [u8; 32]) -> [u8; 32] {
    let key = hmac_key(chain_key);
    *chain_key = hmac(&key, &[2]);
    hmac(&key, &[1])
}

/// `AES_KEY || HMAC_KEY || AES_IV = HKDF(0, key, info, 80)`
struct MessageKeys {
    aes: [u8; 32],
    mac: Hmac<Sha256>,
    iv: [u8; 16],
}

impl MessageKeys {
    fn derive(key: &[u8], info: &[u8]) -> Self {
        let okm = hkdf::<80>(None, key, info);
        let (aes, rest) = okm.split_first_chunk().unwrap();
        let (mac, iv) = rest.split_first_chunk().unwrap();
        Self { aes: *aes, mac: hmac_key(mac), iv: iv.try_into().unwrap() }
    }
}

/// The parts of a message with [`TEXT`] in it that cost time: a header of the usual length and the
/// ciphertext.
#[derive(Clone)]
pub struct Message {
    bytes: Vec<u8>,
    header: usize,
    info: &'static [u8],
}

impl Message {
    /// The header is version, ratchet key, index and the length of the ciphertext.
    pub fn olm() -> Self {
        Self::new(1 + 34 + 2 + 3, b"OLM_KEYS")
    }

    /// The header is version, index and the length of the ciphertext.
    pub fn megolm() -> Self {
        Self::new(1 + 2 + 3, b"MEGOLM_KEYS")
    }

    fn new(header: usize, info: &'static [u8]) -> Self {
        Self { bytes: vec![0; header + (TEXT.len() / 16 + 1) * 16], header, info }
    }

    /// HKDF(80), AES-256-CBC and HMAC-SHA-256.
    pub fn seal(&mut self, key: &[u8]) -> [u8; 32] {
        let keys = MessageKeys::derive(key, self.info);
        let ciphertext = &mut self.bytes[self.header..];
        ciphertext[..TEXT.len()].copy_from_slice(TEXT);
        cbc::Encryptor::<Aes256>::new(&keys.aes.into(), &keys.iv.into())
            .encrypt_padded::<Pkcs7>(ciphertext, TEXT.len())
            .unwrap();
        hmac(&keys.mac, &self.bytes)
    }

    /// The reverse. The plaintext replaces the ciphertext.
    pub fn open(&mut self, key: &[u8]) -> [u8; 32] {
        let keys = MessageKeys::derive(key, self.info);
        let tag = hmac(&keys.mac, &self.bytes);
        let text = cbc::Decryptor::<Aes256>::new(&keys.aes.into(), &keys.iv.into())
            .decrypt_padded::<Pkcs7>(&mut self.bytes[self.header..])
            .unwrap();
        assert_eq!(text.len(), TEXT.len());
        tag
    }

    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// Text and buffer are reused.
pub struct Base64 {
    bytes: Vec<u8>,
    text: Vec<u8>,
}

impl Base64 {
    pub fn new(bytes: &[u8]) -> Self {
        let mut text = vec![0; Base64Unpadded::encoded_len(bytes)];
        Base64Unpadded::encode(bytes, &mut text).unwrap();
        Self { bytes: bytes.to_vec(), text }
    }

    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub fn encode(&mut self) {
        Base64Unpadded::encode(black_box(&self.bytes), &mut self.text).unwrap();
    }

    pub fn decode(&mut self) {
        Base64Unpadded::decode(black_box(&self.text), &mut self.bytes).unwrap();
    }
}
