//! Two ends of an Olm session, of either crate, and the network between them.

use rand::{RngExt, rngs::StdRng};

use crate::{Account, Either, Session, either, plaintext};

/// A message on its way.
pub struct Message {
    message_type: usize,
    bytes: Vec<u8>,
    plaintext: Vec<u8>,
}

/// The version of a session.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum OlmConfig {
    V1,
    V2,
}

macro_rules! config {
    ($library:ident, $config:expr) => {
        match $config {
            OlmConfig::V1 => $library::olm::SessionConfig::version_1(),
            OlmConfig::V2 => $library::olm::SessionConfig::version_2(),
        }
    };
}

macro_rules! create_inbound {
    ($library:ident, $account:expr, $config:expr, $sender:expr, $message:expr) => {{
        let sender = $library::Curve25519PublicKey::from_bytes($sender);
        let message = $library::olm::PreKeyMessage::from_bytes(&$message.bytes).unwrap();
        let config = config!($library, $config);
        let created = $account.create_inbound_session(config, sender, &message).unwrap();
        assert_eq!(created.plaintext, $message.plaintext);
        created.session
    }};
}

/// The state of both ends, and what is on its way to each.
pub struct Conversation {
    pub ends: [Session; 2],
    pub on_the_way: [Vec<Message>; 2],
}

/// A session from Alice to Bob, of which Bob has received the first message.
pub fn pair(rng: &mut StdRng, alice: &Account, bob: &mut Account) -> Conversation {
    let config = if rng.random() { OlmConfig::V1 } else { OlmConfig::V2 };
    let one_time_key = either!(&mut *bob, bob => if rng.random() {
        bob.generate_one_time_keys(1).created[0].to_bytes()
    } else {
        bob.generate_fallback_key();
        let keys = bob.fallback_key();
        keys.values().next().unwrap().to_bytes()
    });
    let identity_key = either!(&*bob, bob => bob.curve25519_key().to_bytes());
    let sender = either!(alice, alice => alice.curve25519_key().to_bytes());
    let mut outbound = match alice {
        Either::Ours(alice) => Either::Ours(
            alice
                .create_outbound_session(
                    config!(ours, config),
                    identity_key.into(),
                    one_time_key.into(),
                )
                .unwrap(),
        ),
        Either::Real(alice) => Either::Real(
            alice
                .create_outbound_session(
                    config!(real, config),
                    identity_key.into(),
                    one_time_key.into(),
                )
                .unwrap(),
        ),
    };
    let message = encrypt(rng, &mut outbound);
    let inbound = match bob {
        Either::Ours(bob) => Either::Ours(create_inbound!(ours, bob, config, sender, message)),
        Either::Real(bob) => Either::Real(create_inbound!(real, bob, config, sender, message)),
    };
    Conversation { ends: [outbound, inbound], on_the_way: [Vec::new(), Vec::new()] }
}

fn encrypt(rng: &mut StdRng, session: &mut Session) -> Message {
    let plaintext = plaintext(rng);
    let (message_type, bytes) =
        either!(session, session => session.encrypt(&plaintext).unwrap().to_parts());
    Message { message_type, bytes, plaintext }
}

fn decrypt(session: &mut Session, message: &Message) -> Option<Vec<u8>> {
    let Message { message_type, bytes, .. } = message;
    match session {
        Either::Ours(session) => {
            session.decrypt(&ours::olm::OlmMessage::from_parts(*message_type, bytes).unwrap()).ok()
        }
        Either::Real(session) => {
            session.decrypt(&real::olm::OlmMessage::from_parts(*message_type, bytes).unwrap()).ok()
        }
    }
}

impl Conversation {
    pub fn send(&mut self, rng: &mut StdRng) {
        let from = rng.random_range(0..2);
        let message = encrypt(rng, &mut self.ends[from]);
        self.on_the_way[1 - from].push(message);
    }

    /// Any of the messages on the way arrives, and must decrypt. Perhaps it arrives again, and must
    /// not.
    pub fn receive(&mut self, rng: &mut StdRng) {
        let to = rng.random_range(0..2);
        if self.on_the_way[to].is_empty() {
            return;
        }
        let any = rng.random_range(0..self.on_the_way[to].len());
        let message = self.on_the_way[to].swap_remove(any);
        assert_eq!(decrypt(&mut self.ends[to], &message).as_ref(), Some(&message.plaintext));
        if rng.random() {
            assert_eq!(decrypt(&mut self.ends[to], &message), None);
        }
    }

    /// A message is lost.
    pub fn lose(&mut self, rng: &mut StdRng) {
        self.on_the_way[rng.random_range(0..2)].pop();
    }

    /// Some of all that can happen.
    pub fn live(&mut self, rng: &mut StdRng, events: usize) {
        for _ in 0..events {
            match rng.random_range(0..8) {
                0..4 => self.send(rng),
                4..7 => self.receive(rng),
                _ => self.lose(rng),
            }
        }
    }
}
