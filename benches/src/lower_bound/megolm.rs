//! The lower bounds of Megolm's operations.

use std::hint::black_box;

use ed25519_dalek::{Signature, VerifyingKey};

use super::{Base64, Message, Signer, hmac, hmac_key, sha256, verify};

/// The ratchet of Megolm, straight from its definition.
pub struct MegolmRatchet(pub [[u8; 32]; 4]);

impl MegolmRatchet {
    pub fn advance_by_one(&mut self) {
        self.0[3] = hmac(&hmac_key(&self.0[3]), &[3]);
    }

    /// From index 0 to 2^24 - 1: parts 1, 2 and 3 make 255 steps each. Only the last step of a part
    /// reseeds the parts after it.
    pub fn advance_far(&mut self) {
        for part in 1..4 {
            for _ in 1..255 {
                self.0[part] = hmac(&hmac_key(&self.0[part]), &[part as u8]);
            }
            let key = hmac_key(&self.0[part]);
            for below in part..4 {
                self.0[below] = hmac(&key, &[below as u8]);
            }
        }
    }
}

/// Encrypts and signs one message after the other.
pub struct Outbound {
    signer: Signer,
    ratchet: MegolmRatchet,
    message: Message,
    text: Base64,
}

impl Outbound {
    pub fn new() -> Self {
        let message = Message::megolm();
        let text = Base64::new(&vec![0; message.bytes().len() + 8 + 64]);
        Self { signer: Signer::new(), ratchet: MegolmRatchet([[5; 32]; 4]), message, text }
    }

    pub fn encrypt(&mut self) -> ([u8; 32], Signature) {
        let tag = self.message.seal(self.ratchet.0.as_flattened());
        let signature = self.signer.sign(self.message.bytes());
        self.ratchet.advance_by_one();
        self.text.encode();
        (tag, signature)
    }
}

#[derive(Clone)]
pub struct Event {
    key: [u8; 128],
    message: Message,
    signature: Signature,
}

impl Event {
    pub fn signed(&self) -> (&[u8], &Signature) {
        (self.message.bytes(), &self.signature)
    }
}

/// Makes events that all differ: a verification that is repeated trains the branch predictor and
/// is then a tenth faster than a real one.
pub struct Sender {
    signer: Signer,
    sent: u8,
}

impl Sender {
    pub fn send(&mut self) -> Event {
        self.sent = self.sent.wrapping_add(1);
        let (key, mut message) = ([self.sent; 128], Message::megolm());
        message.seal(&key);
        let signature = self.signer.sign(message.bytes());
        Event { key, message, signature }
    }
}

/// The lower bound of a receiver that takes one message after the other.
pub struct Receiver {
    key: VerifyingKey,
    ratchet: MegolmRatchet,
    text: Base64,
}

impl Receiver {
    pub const fn key(&self) -> &VerifyingKey {
        &self.key
    }

    pub fn receive(&mut self, event: &mut Event) {
        verify(&self.key, event.message.bytes(), &event.signature);
        self.receive_verified(event);
    }

    /// Everything except the verification.
    pub fn receive_verified(&mut self, event: &mut Event) {
        self.text.decode();
        self.ratchet.advance_by_one();
        black_box(sha256(self.text.bytes()));
        black_box(event.message.open(&event.key));
    }
}

pub fn ends() -> (Sender, Receiver) {
    let signer = Signer::new();
    let receiver = Receiver {
        key: signer.public,
        ratchet: MegolmRatchet([[5; 32]; 4]),
        text: Base64::new(&vec![0; Message::megolm().bytes().len() + 8 + 64]),
    };
    (Sender { signer, sent: 0 }, receiver)
}

/// The text of a session key or an export, read and checked.
pub struct Key {
    text: Base64,
    public: [u8; 32],
    signature: Signature,
}

/// What the signature of a session key covers, which is also what an export consists of.
const SIGNED: [u8; 165] = [5; 165];

impl Key {
    pub fn shared() -> Self {
        Self::new(SIGNED.len() + 64)
    }

    pub fn exported() -> Self {
        Self::new(SIGNED.len())
    }

    fn new(length: usize) -> Self {
        let signer = Signer::new();
        let public = signer.public.to_bytes();
        Self { text: Base64::new(&vec![0; length]), public, signature: signer.sign(&SIGNED) }
    }

    /// Reads an exported key. That the public key in it is a point, the first event shows.
    pub fn read(&mut self) {
        self.text.decode();
    }

    /// Reads and verifies a session key.
    pub fn read_and_verify(&mut self) {
        self.read();
        let key = VerifyingKey::from_bytes(black_box(&self.public)).unwrap();
        verify(&key, black_box(&SIGNED), &self.signature);
    }
}
