//! The two devices, made so that the textbook knows all their private keys.

use moceril::MessageVersion;
use moceril::olm::{
    Account, DecryptionError, Message, OlmMessage, PreKeyBundle, PreKeyMessage, Session,
    SessionConfig, SessionCreationError,
};

use super::event::Who;
use super::packet::{Content, Packet};
use super::reference::{Numbers, Reference};
use crate::fixtures::State;
use crate::naive::crypto::x25519_public;
use crate::naive::olm::NaiveSession;
use crate::rng::{RecordedRng, SeededRng};

/// What is chosen before the first message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Setup {
    pub version: MessageVersion,
    /// Whether the session begins with a fallback key instead of a one-time key.
    pub fallback_key: bool,
    pub raised_limits: bool,
    /// Where all private keys come from.
    pub seed: u8,
}

impl Setup {
    pub fn from_bytes([flags, seed]: [u8; 2]) -> Self {
        Self {
            version: if flags & 1 == 0 { MessageVersion::V3 } else { MessageVersion::V4 },
            fallback_key: flags & 2 != 0,
            raised_limits: flags & 4 != 0,
            seed,
        }
    }

    fn numbers(self) -> Numbers {
        if self.raised_limits { Numbers::RAISED } else { Numbers::DEFAULT }
    }

    pub fn config(self) -> SessionConfig {
        SessionConfig::default().with_version(self.version).with_limits(self.numbers().to_limits())
    }
}

/// What became of a received message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Plaintext(Vec<u8>),
    Malformed,
    Refused(DecryptionError),
    NotCreated(SessionCreationError),
}

/// One of the two devices.
pub struct End {
    pub account: Account,
    pub session: Option<Session>,
    pub reference: Option<Reference>,
}

impl End {
    /// Everything that a device stores.
    pub fn snapshot(&self) -> (String, Option<String>) {
        (self.account.snapshot(), self.session.as_ref().map(State::snapshot))
    }

    /// Stores the device and starts it again.
    pub fn restart(&mut self) {
        let stored = self.snapshot();
        self.account = State::restored(&stored.0);
        self.session = stored.1.as_deref().map(State::restored);
        assert!(self.snapshot() == stored, "the restored device is another one");
    }

    /// Gives a message to the session, or makes the session from it.
    pub fn receive(&mut self, packet: &Packet, config: SessionConfig, sender: &Account) -> Outcome {
        let message = match packet.message_type {
            0 => PreKeyMessage::from_bytes(&packet.bytes).map(OlmMessage::PreKey),
            _ => Message::from_bytes(&packet.bytes).map(OlmMessage::Normal),
        };
        let Ok(message) = message else { return Outcome::Malformed };
        if let Some(session) = &mut self.session {
            return match session.decrypt(&message) {
                Ok(message) => Outcome::Plaintext(message.into_plaintext()),
                Err(error) => Outcome::Refused(error),
            };
        }
        let message = message.as_pre_key().unwrap();
        let sender = sender.curve25519_key();
        match self.account.create_inbound_session_with_config(sender, message, config) {
            Ok(created) => {
                self.session = Some(created.session);
                Outcome::Plaintext(created.message.into_plaintext())
            }
            Err(error) => Outcome::NotCreated(error),
        }
    }
}

/// Bob's private keys and what he remembers: all that the textbook needs to make his session.
pub struct BobsKeys {
    setup: Setup,
    identity: [u8; 32],
    one_time: [u8; 32],
    alice_identity: [u8; 32],
    /// The base key of the session that Bob has made already.
    foreign_base: [u8; 32],
}

impl BobsKeys {
    /// The plaintext and Bob's session that have to come out of a pre-key message, or the error.
    pub fn create(
        &self,
        packet: &Packet,
        content: &Content,
    ) -> Result<(Vec<u8>, Reference), SessionCreationError> {
        self.check_first(content)?;
        let keys = content.keys.expect("a pre-key message");
        if keys.identity_key != self.alice_identity {
            return Err(SessionCreationError::IdentityKeyMismatch);
        }
        if keys.one_time_key != x25519_public(&self.one_time) {
            return Err(SessionCreationError::UnknownOneTimeKey);
        }
        if keys.base_key == self.foreign_base {
            return Err(SessionCreationError::Replayed);
        }
        let version = self.setup.version.byte();
        let textbook = NaiveSession::inbound(version, self.identity, self.one_time, &packet.bytes);
        let textbook = textbook.expect("its keys and its version are right");
        let ratchet_key = content.message.ratchet_key;
        let session = Reference::inbound(textbook, version, self.setup.numbers(), ratchet_key);
        Ok(session.receive(packet, content)?)
    }

    /// S-45: what is refused before a key is looked for.
    fn check_first(&self, content: &Content) -> Result<(), SessionCreationError> {
        if content.message.version != self.setup.version.byte() {
            return Err(DecryptionError::VersionMismatch.into());
        }
        Ok(self.setup.numbers().check_first(content.message.chain_index)?)
    }

    /// Why Bob cannot make his session a second time.
    pub fn used(&self, content: &Content) -> SessionCreationError {
        if let Err(refusal) = self.check_first(content) {
            refusal
        } else if self.setup.fallback_key {
            SessionCreationError::Replayed
        } else {
            SessionCreationError::UnknownOneTimeKey
        }
    }
}

/// Alice, who has her session; Bob, who has none; Bob's keys; and messages of another session of
/// the two, the first of which used up a one-time key or is remembered with the fallback key.
pub fn devices(setup: Setup, rng: &mut SeededRng) -> (End, End, BobsKeys, Vec<Packet>) {
    let mut draw = || -> [u8; 32] { rng.bytes() };
    let (alice_identity, identity, keys) = (draw(), draw(), [draw(), draw()]);
    let alice = Account::with_rng(&mut drawing([draw(), alice_identity])).unwrap();
    let mut bob = Account::with_rng(&mut drawing([draw(), identity])).unwrap();
    let (signed_keys, one_time) = if setup.fallback_key {
        bob.generate_fallback_key_with_rng(&mut drawing([keys[0]])).unwrap();
        ([bob.signed_fallback_key().unwrap().1; 2], keys[0])
    } else {
        bob.generate_one_time_keys_with_rng(2, &mut drawing(keys)).unwrap();
        let signed = bob.signed_one_time_keys();
        ([signed[0].1, signed[1].1], keys[1])
    };
    let [other_bundle, bundle] =
        signed_keys.map(|key| PreKeyBundle::verify(bob.identity_keys(), &key).unwrap());

    let (base, ratchet) = (draw(), draw());
    let session = alice
        .create_outbound_session_with_rng(&bundle, setup.config(), &mut drawing([base, ratchet]))
        .unwrap();
    let version = setup.version.byte();
    let textbook = NaiveSession::outbound(
        version,
        alice_identity,
        x25519_public(&identity),
        x25519_public(&one_time),
        base,
        ratchet,
    );
    let reference = Reference::outbound(textbook, version, setup.numbers());

    let foreign_base = draw();
    let draws = &mut drawing([foreign_base, draw()]);
    let other =
        alice.create_outbound_session_with_rng(&other_bundle, setup.config(), draws).unwrap();
    let foreign = other_session(other, &alice, &mut bob, setup.config(), rng);
    let bobs_keys = BobsKeys {
        setup,
        identity,
        one_time,
        alice_identity: x25519_public(&alice_identity),
        foreign_base: x25519_public(&foreign_base),
    };
    let alice = End { account: alice, session: Some(session), reference: Some(reference) };
    (alice, End { account: bob, session: None, reference: None }, bobs_keys, foreign)
}

/// Messages of a session that is not the one of the conversation: of both types to Bob, and one to
/// Alice.
fn other_session(
    mut alices: Session,
    alice: &Account,
    bob: &mut Account,
    config: SessionConfig,
    rng: &mut SeededRng,
) -> Vec<Packet> {
    let packet = |to, message: &OlmMessage| Packet {
        to,
        message_type: message.message_type(),
        bytes: message.as_bytes().to_vec(),
    };
    let [first, second] = [b"a", b"b"].map(|text| alices.encrypt_with_rng(text, rng).unwrap());
    let sender = alice.curve25519_key();
    let created = bob
        .create_inbound_session_with_config(sender, first.as_pre_key().unwrap(), config)
        .unwrap();
    let reply = { created.session }.encrypt_with_rng(b"c", rng).unwrap();
    alices.decrypt(&reply).unwrap();
    let third = alices.encrypt_with_rng(b"d", rng).unwrap();
    let to_bob = [first, second, third].map(|message| packet(Who::Bob, &message));
    to_bob.into_iter().chain([packet(Who::Alice, &reply)]).collect()
}

fn drawing<const N: usize>(keys: [[u8; 32]; N]) -> RecordedRng {
    RecordedRng::new(keys.concat())
}
