//! The primitives, each as a plain function over bytes, and the authenticated encryption that both
//! ratchets share.

use aes::Aes256;
use aes::cipher::block_padding::Pkcs7;
use aes::cipher::{BlockModeDecrypt, BlockModeEncrypt, KeyIvInit};
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use x25519_dalek::{PublicKey, StaticSecret};

/// "Default salt" in the specification: as many zero bytes as the hash has (RFC 5869, section 2.2).
pub const DEFAULT_SALT: [u8; 32] = [0; 32];

/// The public part of a Curve25519 key.
pub fn x25519_public(secret: &[u8; 32]) -> [u8; 32] {
    PublicKey::from(&StaticSecret::from(*secret)).to_bytes()
}

/// `ECDH(K_A, K_B)`, as the party that knows `secret` computes it.
pub fn ecdh(secret: &[u8; 32], public: &[u8; 32]) -> [u8; 32] {
    StaticSecret::from(*secret).diffie_hellman(&PublicKey::from(*public)).to_bytes()
}

/// `HMAC(key, data)` with SHA-256.
pub fn hmac(key: &[u8], data: &[u8]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of every length");
    mac.update(data);
    mac.finalize().into_bytes().into()
}

/// `HKDF(salt, ikm, info, L)` with SHA-256; `L` is the length of the result.
pub fn hkdf<const L: usize>(salt: &[u8], ikm: &[u8], info: &[u8]) -> [u8; L] {
    let mut output = [0; L];
    Hkdf::<Sha256>::new(Some(salt), ikm)
        .expand(info, &mut output)
        .expect("the specification asks for at most 80 bytes");
    output
}

/// The public part of an Ed25519 key.
pub fn ed25519_public(seed: &[u8; 32]) -> [u8; 32] {
    SigningKey::from_bytes(seed).verifying_key().to_bytes()
}

/// The Ed25519 signature of `data`.
pub fn sign(seed: &[u8; 32], data: &[u8]) -> [u8; 64] {
    SigningKey::from_bytes(seed).sign(data).to_bytes()
}

/// Whether `signature` is that of `data`.
pub fn signature_is_good(public: &[u8; 32], data: &[u8], signature: &[u8; 64]) -> bool {
    VerifyingKey::from_bytes(public)
        .is_ok_and(|key| key.verify_strict(data, &Signature::from_bytes(signature)).is_ok())
}

/// How many bytes of the MAC a message of this version carries.
///
/// olm.md and megolm.md know version 3 only. Version 4 is the same with the MAC in full.
///
/// # Panics
///
/// When there is no such version.
pub fn mac_length(version: u8) -> usize {
    match version {
        3 => 8,
        4 => 32,
        _ => panic!("no message has version {version}"),
    }
}

/// The keys that encrypt and authenticate one message.
pub struct MessageCipher {
    aes_key: [u8; 32],
    hmac_key: [u8; 32],
    aes_iv: [u8; 16],
}

impl MessageCipher {
    // olm.md, "Version 1": AES_KEY || HMAC_KEY || AES_IV = HKDF(0, M_{i,j}, "OLM_KEYS", 80)
    pub fn olm(message_key: &[u8; 32]) -> Self {
        Self::split(hkdf(&DEFAULT_SALT, message_key, b"OLM_KEYS"))
    }

    // megolm.md, "Message encryption": AES_KEY || HMAC_KEY || AES_IV = HKDF(0, R_i, "MEGOLM_KEYS",
    // 80)
    pub fn megolm(ratchet: &[[u8; 32]; 4]) -> Self {
        Self::split(hkdf(&DEFAULT_SALT, &ratchet.concat(), b"MEGOLM_KEYS"))
    }

    fn split(keys: [u8; 80]) -> Self {
        Self {
            aes_key: keys[..32].try_into().unwrap(),
            hmac_key: keys[32..64].try_into().unwrap(),
            aes_iv: keys[64..].try_into().unwrap(),
        }
    }

    /// AES-256-CBC with PKCS#7 padding.
    pub fn encrypt(&self, plaintext: &[u8]) -> Vec<u8> {
        let mut buffer = vec![0; plaintext.len() + 16];
        cbc::Encryptor::<Aes256>::new(&self.aes_key.into(), &self.aes_iv.into())
            .encrypt_padded_b2b::<Pkcs7>(plaintext, &mut buffer)
            .expect("there is room for a whole block of padding")
            .to_vec()
    }

    /// The plaintext, or nothing when the padding is wrong.
    pub fn decrypt(&self, ciphertext: &[u8]) -> Option<Vec<u8>> {
        let mut buffer = vec![0; ciphertext.len()];
        cbc::Decryptor::<Aes256>::new(&self.aes_key.into(), &self.aes_iv.into())
            .decrypt_padded_b2b::<Pkcs7>(ciphertext, &mut buffer)
            .ok()
            .map(<[u8]>::to_vec)
    }

    /// The MAC of `data`, cut to the length that `version` prescribes.
    pub fn mac(&self, version: u8, data: &[u8]) -> Vec<u8> {
        hmac(&self.hmac_key, data)[..mac_length(version)].to_vec()
    }
}
