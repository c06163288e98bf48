//! The lower bounds of Olm's operations.

use std::hint::black_box;

use ed25519_dalek::VerifyingKey;

use super::{
    Message, base_times, chain_step, coordinates, draw, ed25519_public, hkdf, x25519_public,
    x25519_with,
};

/// The identity keys of a new account.
pub fn account() -> (VerifyingKey, [u8; 32]) {
    (ed25519_public(&draw()), x25519_public(&draw()))
}

pub fn one_time_keys(count: usize) -> Vec<[u8; 32]> {
    let products: Vec<_> = (0..count).map(|_| base_times(&draw())).collect();
    coordinates(&products)
}

/// Both ends of a 3DH.
pub struct Handshake {
    ours: [u8; 32],
    their_identity: [u8; 32],
    their_one_time: [u8; 32],
    message: Message,
}

impl Handshake {
    pub fn new() -> Self {
        let (their_identity, their_one_time) = (x25519_public(&[1; 32]), x25519_public(&[2; 32]));
        Self { ours: [3; 32], their_identity, their_one_time, message: Message::olm() }
    }

    /// The new session and its first message: keys and tag.
    pub fn outbound(&mut self) -> ([u8; 32], [u8; 32], [u8; 32]) {
        let base = draw();
        let with_one_time = x25519_with(black_box(self.their_one_time));
        let coordinates = coordinates(&[
            with_one_time(&self.ours),
            x25519_with(black_box(self.their_identity))(&base),
            with_one_time(&base),
            base_times(&base),
            base_times(&draw()),
        ]);
        let mut chain_key = root_and_chain(&coordinates[..3]);
        (coordinates[3], coordinates[4], self.message.seal(&chain_step(&mut chain_key)))
    }

    /// The new session and its first message, which was sealed by [`sealed_message`].
    pub fn inbound(&self, (message, key): &mut (Message, [u8; 32])) -> [u8; 32] {
        let with_base = x25519_with(black_box(self.their_one_time));
        let mut chain_key = root_and_chain(&coordinates(&[
            x25519_with(black_box(self.their_identity))(&self.ours),
            with_base(&[4; 32]),
            with_base(&self.ours),
        ]));
        black_box(chain_step(&mut chain_key));
        message.open(key)
    }
}

/// `HKDF(0, S, "OLM_ROOT", 64)`; returns the chain key.
fn root_and_chain(agreements: &[[u8; 32]]) -> [u8; 32] {
    let okm = hkdf::<64>(None, agreements.as_flattened(), b"OLM_ROOT");
    *okm.last_chunk().unwrap()
}

pub fn sealed_message() -> (Message, [u8; 32]) {
    let (mut message, key) = (Message::olm(), [5; 32]);
    message.seal(&key);
    (message, key)
}

/// Both ends of a chain, without a ratchet step.
pub struct Chain {
    ours: [u8; 32],
    theirs: [u8; 32],
    message: Message,
}

impl Chain {
    pub fn new() -> Self {
        Self { ours: [5; 32], theirs: [5; 32], message: Message::olm() }
    }

    pub fn send(&mut self) -> [u8; 32] {
        self.message.seal(&chain_step(&mut self.ours))
    }

    pub fn send_and_receive(&mut self) -> bool {
        self.send() == self.message.open(&chain_step(&mut self.theirs))
    }
}

/// The double ratchet when each message is a reply, without everything that can be left out. It is
/// a working ratchet: a message decrypts only if both ends derive the same key.
pub struct PingPong {
    root: [u8; 32],
    receiver: [u8; 32],
    sender: [u8; 32],
    sender_public: [u8; 32],
    message: Message,
}

impl PingPong {
    pub fn new() -> Self {
        let (receiver, sender, mut root) = ([6; 32], [8; 32], [5; 32]);
        let agreement = coordinates(&[x25519_with(x25519_public(&receiver))(&sender)])[0];
        let mut message = Message::olm();
        message.seal(&chain_step(&mut ratchet_step(&mut root, &agreement)));
        let sender_public = x25519_public(&sender);
        Self { root: [5; 32], receiver, sender, sender_public, message }
    }

    /// Receiving the message and replying share one conversion of the peer's key.
    pub fn receive_and_reply(&mut self) {
        let agree = x25519_with(self.sender_public);
        let agreement = coordinates(&[agree(&self.receiver)])[0];
        let mut received = ratchet_step(&mut self.root, &agreement);
        self.message.open(&chain_step(&mut received));

        let ratchet_key = draw();
        self.receiver = self.sender;
        self.sender = ratchet_key;
        let coordinates = coordinates(&[base_times(&ratchet_key), agree(&ratchet_key)]);
        self.sender_public = coordinates[0];
        let mut root = self.root;
        let mut sent = ratchet_step(&mut root, &coordinates[1]);
        self.message.seal(&chain_step(&mut sent));
    }
}

/// `HKDF(R, ECDH, "OLM_RATCHET", 64)`: the root key in place, the chain key returned.
fn ratchet_step(root: &mut [u8; 32], agreement: &[u8; 32]) -> [u8; 32] {
    let okm = hkdf::<64>(Some(root), agreement, b"OLM_RATCHET");
    *root = *okm.first_chunk().unwrap();
    *okm.last_chunk().unwrap()
}
