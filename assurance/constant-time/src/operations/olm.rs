//! Olm sessions between two devices, all of whose randomness is secret.

use moceril::{
    MessageVersion,
    hazmat::MessageKey,
    olm::{
        Account, DecryptedMessage, DecryptionError, Limits, OlmMessage, PreKeyBundle,
        PreKeyMessage, Session, SessionConfig, SessionCreationError,
    },
};

use super::keys::{new_account, published_account};
use crate::secrets::{
    Disclosed::{Message, PublicKey},
    SecretRng, declassify, declassify_length, must_be_secret,
};

pub struct Devices {
    pub rng: SecretRng,
    pub alice: Account,
    pub bob: Account,
    config: SessionConfig,
}

impl Devices {
    pub fn new(seed: u64, version: MessageVersion) -> Self {
        let mut rng = SecretRng::new(seed);
        let (alice, bob) = (new_account(&mut rng), published_account(&mut rng));
        Self { rng, alice, bob, config: SessionConfig::default().with_version(version) }
    }

    /// Alice's session with Bob's fallback key.
    pub fn outbound(&mut self) -> Session {
        let (_, key) = self.bob.fallback_key().unwrap();
        let bundle = PreKeyBundle::from_unverified_keys(self.bob.curve25519_key(), key).unwrap();
        let session = self
            .alice
            .create_outbound_session_with_rng(&bundle, self.config, &mut self.rng)
            .unwrap();
        declassify(PublicKey, session.session_keys().base_key.as_bytes());
        session
    }

    /// Bob's session, and the first message, decrypted.
    pub fn inbound(&mut self, message: &OlmMessage) -> Session {
        let (sender, message) = (self.alice.curve25519_key(), message.as_pre_key().unwrap());
        let created =
            self.bob.create_inbound_session_with_config(sender, message, self.config).unwrap();
        must_be_readable(created.message);
        created.session
    }

    /// What arrives of a message with a secret text.
    pub fn send(&mut self, from: &mut Session) -> OlmMessage {
        let text = self.rng.text(40);
        let message = from.encrypt_with_rng(&text, &mut self.rng).unwrap();
        on_the_wire(&message)
    }

    /// Two sessions, each of which has received a message. Alice stores the key of another one.
    pub fn sessions(&mut self) -> (Session, Session) {
        let mut alice = self.outbound();
        let first = self.send(&mut alice);
        let mut bob = self.inbound(&first);
        let replies = [self.send(&mut bob), self.send(&mut bob)];
        receive(&mut alice, &replies[1]);
        (alice, bob)
    }
}

pub fn on_the_wire(message: &OlmMessage) -> OlmMessage {
    declassify(Message, message.as_bytes());
    OlmMessage::from_bytes(message.message_type(), message.as_bytes()).unwrap()
}

fn must_be_readable(message: DecryptedMessage) {
    let plaintext = message.into_plaintext();
    declassify_length(&plaintext);
    assert_eq!(plaintext.len(), 40);
}

fn receive(session: &mut Session, message: &OlmMessage) {
    must_be_readable(session.decrypt(message).unwrap());
}

pub fn outbound() {
    let mut devices = Devices::new(10, MessageVersion::V3);
    let mut alice = devices.outbound();
    devices.send(&mut alice);
    devices.send(&mut alice);
}

pub fn inbound() {
    let mut devices = Devices::new(11, MessageVersion::V3);
    let mut alice = devices.outbound();
    let messages = [devices.send(&mut alice), devices.send(&mut alice)];
    // With a message that is not the first of its chain.
    let mut bob = devices.inbound(&messages[1]);
    receive(&mut bob, &messages[0]);
}

pub fn turns() {
    let mut devices = Devices::new(12, MessageVersion::V3);
    let (mut alice, mut bob) = devices.sessions();
    for _ in 0..2 {
        let sent: Vec<_> = (0..4).map(|_| devices.send(&mut alice)).collect();
        for place in [2, 0, 3, 1] {
            receive(&mut bob, &sent[place]);
        }
        let reply = devices.send(&mut bob);
        receive(&mut alice, &reply);
    }
}

pub fn forged() {
    let mut devices = Devices::new(13, MessageVersion::V3);
    let (mut alice, mut bob) = devices.sessions();
    for round in 0..2 {
        let message = devices.send(&mut alice);
        for place in [message.as_bytes().len() - 1, message.as_bytes().len() - 20] {
            let mut bytes = message.as_bytes().to_vec();
            bytes[place] ^= 1;
            let forged = OlmMessage::from_bytes(message.message_type(), &bytes).unwrap();
            assert_eq!(bob.decrypt(&forged), Err(DecryptionError::Authentication), "{round}");
        }
        receive(&mut bob, &message);
    }
}

pub fn version_4() {
    let mut devices = Devices::new(14, MessageVersion::V4);
    let (mut alice, mut bob) = devices.sessions();
    let message = devices.send(&mut alice);
    receive(&mut bob, &message);
}

/// The tags are made with a key that is derived from the fallback key.
pub fn fallback_memory() {
    let mut devices = Devices::new(16, MessageVersion::V3);
    let mut first = || {
        let mut alice = devices.outbound();
        let message = devices.send(&mut alice);
        devices.inbound(&message);
        message
    };
    let messages = [first(), first()];
    for _ in 0..Account::FALLBACK_SHARE {
        first();
    }
    let (sender, config) = (devices.alice.curve25519_key(), devices.config);
    for message in &messages {
        let message = message.as_pre_key().unwrap();
        let again = devices.bob.create_inbound_session_with_config(sender, message, config);
        assert_eq!(again.err(), Some(SessionCreationError::Replayed));
    }
}

pub fn message_keys() {
    let mut devices = Devices::new(15, MessageVersion::V3);
    let (mut alice, _) = devices.sessions();
    let key = alice.next_message_key_with_rng(&mut devices.rng).unwrap();
    must_be_secret(key.key());
    declassify(PublicKey, key.ratchet_key().as_bytes());
    let key = MessageKey::new(*key.key(), key.ratchet_key(), key.index());
    let message = key.encrypt(MessageVersion::V3, b"text");
    declassify(Message, message.as_bytes());
    let state = alice.sending_state().unwrap();
    for secret in [state.root_key(), state.chain_key(), state.ratchet_key()] {
        must_be_secret(secret);
    }
    let session = Session::from_root_key_material(
        SessionConfig::default(),
        *alice.session_keys(),
        *state.root_key(),
        *state.chain_key(),
        *state.ratchet_key(),
    );
    let message = PreKeyMessage::from_parts(*session.session_keys(), message);
    assert!(session.matches(&message));
}

/// A session that is created before its first message is decrypted.
pub fn unread() {
    let mut devices = Devices::new(16, MessageVersion::V3);
    let mut alice = devices.outbound();
    let message = devices.send(&mut alice);
    let (sender, pre_key) = (devices.alice.curve25519_key(), message.as_pre_key().unwrap());
    let mut bob =
        devices.bob.create_inbound_session_unread(sender, pre_key, devices.config).unwrap();
    receive(&mut bob, &message);
}

/// Skipped keys under other limits, and the description of the session.
pub fn limits() {
    let mut devices = Devices::new(17, MessageVersion::V3);
    let (mut alice, mut bob) = devices.sessions();
    let sent: Vec<_> = (0..5).map(|_| devices.send(&mut alice)).collect();
    receive(&mut bob, &sent[4]);
    bob.set_limits(Limits::default().with_skipped_keys(50));
    receive(&mut bob, &sent[1]);
    let message = bob.encrypt_with_rng(b"text", &mut devices.rng).unwrap();
    let OlmMessage::Normal(message) = message else { panic!("Bob has received messages") };
    declassify(PublicKey, message.ratchet_key().as_bytes());
    assert!(!bob.describe().is_empty());
}
