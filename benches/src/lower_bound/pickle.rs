//! The lower bounds of native pickles.

use std::hint::black_box;

use chacha20poly1305::{
    XChaCha20Poly1305,
    aead::{AeadInOut, KeyInit, inout::InOutBuf},
};
use ed25519_dalek::VerifyingKey;
use sha2::{Digest, Sha512};

use super::{Base64, Signer, draw};

/// A pickle of `characters` characters of base64. Of its bytes, 42 are not the state: version and
/// type (2), nonce (24) and tag (16).
pub struct Pickle {
    key: [u8; 32],
    nonce: [u8; 24],
    tag: [u8; 16],
    state: Vec<u8>,
    text: Base64,
}

impl Pickle {
    pub fn new(characters: usize) -> Self {
        let length = characters * 3 / 4;
        let mut pickle = Self {
            key: [7; 32],
            nonce: [0; 24],
            tag: [0; 16],
            state: vec![0; length - 2 - 24 - 16],
            text: Base64::new(&vec![0; length]),
        };
        pickle.seal();
        pickle
    }

    /// A nonce, XChaCha20-Poly1305, base64.
    pub fn seal(&mut self) {
        self.nonce = draw();
        self.tag = XChaCha20Poly1305::new(&self.key.into())
            .encrypt_inout_detached(&self.nonce.into(), b"", InOutBuf::from(&mut *self.state))
            .unwrap()
            .into();
        self.text.encode();
    }

    /// The reverse, from a stored ciphertext.
    pub fn open(&mut self, buffer: &mut Vec<u8>) {
        self.text.decode();
        buffer.clone_from(&self.state);
        XChaCha20Poly1305::new(&self.key.into())
            .decrypt_inout_detached(
                &self.nonce.into(),
                b"",
                InOutBuf::from(&mut **buffer),
                &self.tag.into(),
            )
            .unwrap();
    }
}

/// What is computed from the state of a session when it is read.
pub fn restore_nothing() {}

/// What is computed from a state with a key that signs: its point, and SHA-512 of the seed.
pub fn restore_signing_key() -> impl Fn() {
    let public = Signer::new().public.to_bytes();
    move || {
        black_box(VerifyingKey::from_bytes(black_box(&public)).unwrap());
        black_box(Sha512::digest(black_box([7; 32])));
    }
}
