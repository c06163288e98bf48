//! A conversation between two accounts over a network that loses, reorders, repeats and forges
//! messages (S-39).
//!
//! Every step is done twice: by the library, and by the textbook oracle with the same private keys.
//! The library must give exactly the bytes and errors that the `Reference` predicts, and after an
//! error nothing may have changed.
//!
//! A test or a fuzzer calls [`run`] with any bytes.

mod devices;
mod event;
mod packet;
mod reference;

use moceril::olm::{DecryptionError, SessionCreationError};

use self::devices::{BobsKeys, End, devices};
pub use self::devices::{Outcome, Setup};
pub use self::event::{EVENT_LENGTH, Event, How, Who, events};
use self::packet::Packet;
use self::reference::Reference;
use crate::rng::{RecordedRng, SeededRng};

/// Has the conversation that the bytes describe: two for the setup, then [`EVENT_LENGTH`] for each
/// event.
pub fn run(data: &[u8]) {
    let (setup, rest) = data.split_at(data.len().min(2));
    let setup = Setup::from_bytes([0, 1].map(|place| setup.get(place).copied().unwrap_or(0)));
    converse(setup, &events(rest));
}

/// Has the conversation, then lets everything arrive, and sees whether the two ends still
/// understand each other. Returns what became of the genuine messages, in the order of their
/// arrival.
pub fn converse(setup: Setup, events: &[Event]) -> Vec<Outcome> {
    let mut conversation = Conversation::new(setup);
    for event in events {
        conversation.execute(*event);
    }
    conversation.quiesce();
    conversation.outcomes
}

/// Two devices and the messages between them.
struct Conversation {
    setup: Setup,
    rng: SeededRng,
    alice: End,
    bob: End,
    bobs_keys: BobsKeys,
    /// Messages on the way, and what they say.
    network: Vec<(Packet, Vec<u8>)>,
    /// Messages of another session of the two devices.
    foreign: Vec<Packet>,
    outcomes: Vec<Outcome>,
}

impl Conversation {
    fn new(setup: Setup) -> Self {
        let mut rng = SeededRng::new(setup.seed.into());
        let (alice, bob, bobs_keys, foreign) = devices(setup, &mut rng);
        let (network, outcomes) = (Vec::new(), Vec::new());
        Self { setup, rng, alice, bob, bobs_keys, network, foreign, outcomes }
    }

    fn execute(&mut self, event: Event) {
        match event {
            Event::Send { who, length } => {
                let plaintext: Vec<u8> = (0..length).map(|_| self.rng.byte()).collect();
                if let Some(packet) = self.send(who, &plaintext) {
                    self.network.push((packet, plaintext));
                }
            }
            Event::Lose { who, count } => {
                for _ in 0..count {
                    self.send(who, b"lost");
                }
            }
            Event::Receive { which } => {
                if let Some(place) = self.place(which) {
                    let (packet, plaintext) = self.network.remove(place);
                    self.deliver_genuine(&packet, &plaintext);
                }
            }
            Event::Drop { which } => {
                if let Some(place) = self.place(which) {
                    self.network.remove(place);
                }
            }
            Event::Shuffle { seed } => {
                let mut rng = SeededRng::new(seed.into());
                for place in (1..self.network.len()).rev() {
                    self.network.swap(place, rng.below(place + 1));
                }
            }
            Event::Duplicate { which } => {
                if let Some(place) = self.place(which) {
                    self.network.push(self.network[place].clone());
                }
            }
            Event::Forge { which, how } => {
                if let Some(place) = self.place(which) {
                    self.forge(place, how);
                }
            }
            Event::Pickle { who } => self.end(who).restart(),
        }
    }

    fn place(&self, which: u8) -> Option<usize> {
        usize::from(which).checked_rem(self.network.len())
    }

    fn end(&mut self, who: Who) -> &mut End {
        match who {
            Who::Alice => &mut self.alice,
            Who::Bob => &mut self.bob,
        }
    }

    /// Encrypts at both, the library and the textbook. `None`: Bob has no session yet.
    fn send(&mut self, who: Who, plaintext: &[u8]) -> Option<Packet> {
        let secret: [u8; 32] = self.rng.bytes();
        let end = self.end(who);
        let (session, reference) = (end.session.as_mut()?, end.reference.as_mut()?);
        let textbook = &mut reference.textbook;

        let draws = if textbook.needs_ratchet_secret() { secret.len() } else { 0 };
        let mut rng = RecordedRng::new(secret);
        let message = session.encrypt_with_rng(plaintext, &mut rng).unwrap();
        assert_eq!(secret.len() - rng.left(), draws, "bytes drawn for a message");

        let (message_type, bytes) = textbook.encrypt(plaintext, secret);
        assert_eq!((message.message_type(), message.as_bytes()), (message_type, &bytes[..]));
        Some(Packet { to: who.peer(), message_type, bytes })
    }

    /// What has to become of a message, and the receiver's state afterwards if it is accepted.
    fn expect(&self, packet: &Packet) -> (Outcome, Option<Reference>) {
        let Some(content) = packet.content() else { return (Outcome::Malformed, None) };
        let receiver = if packet.to == Who::Alice { &self.alice } else { &self.bob };
        let expected = match &receiver.reference {
            Some(reference) => reference.receive(packet, &content).map_err(Outcome::Refused),
            None => self.bobs_keys.create(packet, &content).map_err(Outcome::NotCreated),
        };
        match expected {
            Ok((plaintext, next)) => (Outcome::Plaintext(plaintext), Some(next)),
            Err(refusal) => (refusal, None),
        }
    }

    /// Lets a message arrive. `None`: Bob has no session yet, and this is not a message to make one
    /// from.
    fn deliver(&mut self, packet: &Packet) -> Option<Outcome> {
        if packet.to == Who::Bob && self.bob.session.is_none() && packet.message_type != 0 {
            return None;
        }
        let (expected, next) = self.expect(packet);
        let (receiver, sender) = match packet.to {
            Who::Alice => (&mut self.alice, &self.bob),
            Who::Bob => (&mut self.bob, &self.alice),
        };
        let before = receiver.snapshot();
        let outcome = receiver.receive(packet, self.setup.config(), &sender.account);
        assert_eq!(outcome, expected, "{packet:?}");

        let Some(next) = next else {
            assert!(
                receiver.snapshot() == before,
                "a refused message changed the state: {packet:?}"
            );
            return Some(outcome);
        };
        let session = receiver.session.as_ref().unwrap();
        assert_eq!(session.has_received_message(), next.textbook.has_received());
        receiver.reference = Some(next);
        if packet.to == Who::Bob && packet.message_type == 0 {
            self.bob_cannot_make_his_session_again(packet);
        }
        Some(outcome)
    }

    /// S-05, S-08: what made a session makes no second one.
    fn bob_cannot_make_his_session_again(&mut self, packet: &Packet) {
        let session = self.bob.session.take();
        let before = self.bob.snapshot();
        let again = self.bob.receive(packet, self.setup.config(), &self.alice.account);
        let content = packet.content().expect("it was read before");
        assert_eq!(again, Outcome::NotCreated(self.bobs_keys.used(&content)));
        assert!(self.bob.snapshot() == before, "a refused message changed the state: {packet:?}");
        self.bob.session = session;
    }

    fn deliver_genuine(&mut self, packet: &Packet, plaintext: &[u8]) {
        let outcome = self.deliver(packet);
        if let Some(Outcome::Plaintext(received)) = &outcome {
            assert_eq!(received, plaintext);
        }
        self.outcomes.extend(outcome);
    }

    fn forge(&mut self, place: usize, how: How) {
        let (original, _) = self.network[place].clone();
        let other = match how {
            How::SwapBodies(number) => usize::from(number) % self.network.len(),
            _ => place,
        };
        let foreign: Vec<Packet> =
            self.foreign.iter().filter(|packet| packet.to == original.to).cloned().collect();
        let forged = original.forge(how, &self.network[other].0, &foreign);
        if let Some(forged) = forged {
            let outcome = self.deliver(&forged);
            if !forged.is_authentic(&original) {
                let accepted = matches!(outcome, Some(Outcome::Plaintext(_)));
                assert!(!accepted, "a forgery was accepted: {how:?} of {original:?}");
            }
        }
    }

    /// Nothing is lost any more: what is on the way arrives, then each end sends, and the other
    /// understands.
    fn quiesce(&mut self) {
        for (packet, plaintext) in std::mem::take(&mut self.network) {
            self.deliver_genuine(&packet, &plaintext);
        }
        for who in [Who::Alice, Who::Bob, Who::Alice, Who::Bob] {
            // Bob can only be without a session when Alice is too far ahead for him.
            let Some(packet) = self.send(who, b"still there?") else { continue };
            match self.deliver(&packet).unwrap() {
                Outcome::Plaintext(received) => assert_eq!(received, b"still there?"),
                Outcome::Refused(DecryptionError::TooFarAhead { .. })
                | Outcome::NotCreated(SessionCreationError::Decryption(
                    DecryptionError::TooFarAhead { .. },
                )) => {}
                outcome => panic!("the ends do not understand each other: {outcome:?}"),
            }
        }
    }
}
