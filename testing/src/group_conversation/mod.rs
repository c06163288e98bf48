//! A group conversation: one sender, members who join at different times, and messages that arrive
//! in any order, any number of times, or forged (S-39).
//!
//! Every step is done twice: by the library, and by the textbook oracle with the same private keys.
//! Both must give the same bytes and results, and after an error nothing may have changed.
//!
//! A test or a fuzzer calls [`run`] with any bytes.

mod event;
mod member;
mod message;

use moceril::megolm::{EncryptionError, GroupSession, GroupSessionConfig};
use moceril::{MessageVersion, PickleKey};

pub use self::event::{DISTANCES, EVENT_LENGTH, Event, How, events};
use self::member::Member;
pub use self::message::Outcome;
use self::message::forge;
use crate::fixtures::State;
use crate::naive::megolm::NaiveGroupSession;
use crate::pickle_editor;
use crate::rng::{RecordedRng, SeededRng};

/// What is chosen before the first message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Setup {
    pub version: MessageVersion,
    /// The index of the first message.
    pub start: u32,
    /// Where all private keys come from.
    pub seed: u8,
}

/// The beginning, places shortly before each part of the ratchet is renewed, and the end.
pub const STARTS: [u32; 5] = [0, 0xFA, 0xFFFA, 0x00FF_FFFA, 0xFFFF_FFF5];

impl Setup {
    pub fn from_bytes([choices, seed]: [u8; 2]) -> Self {
        let version = if choices & 1 == 0 { MessageVersion::V3 } else { MessageVersion::V4 };
        Self { version, start: STARTS[usize::from(choices / 2) % STARTS.len()], seed }
    }
}

/// Has the conversation that the bytes describe: two for the setup, then [`EVENT_LENGTH`] for each
/// event.
pub fn run(data: &[u8]) {
    let (setup, rest) = data.split_at(data.len().min(2));
    let setup = Setup::from_bytes([0, 1].map(|place| setup.get(place).copied().unwrap_or(0)));
    converse(setup, &events(rest));
}

/// Has the conversation, then lets each member read the oldest and the newest message. Returns what
/// became of the genuine messages of the events.
pub fn converse(setup: Setup, events: &[Event]) -> Vec<Outcome> {
    let mut group = Group::new(setup);
    for event in events {
        group.execute(*event);
    }
    let outcomes = std::mem::take(&mut group.outcomes);
    group.quiesce();
    outcomes
}

/// The sender, the members, and all messages.
struct Group {
    setup: Setup,
    rng: SeededRng,
    sender: GroupSession,
    textbook: NaiveGroupSession,
    members: Vec<Member>,
    messages: Vec<(Vec<u8>, Vec<u8>)>,
    outcomes: Vec<Outcome>,
}

impl Group {
    fn new(setup: Setup) -> Self {
        let mut rng = SeededRng::new(setup.seed.into());
        let (ratchet, signing_seed): ([[u8; 32]; 4], [u8; 32]) =
            ([rng.bytes(), rng.bytes(), rng.bytes(), rng.bytes()], rng.bytes());
        let config = GroupSessionConfig::default().with_version(setup.version);
        let draws = [ratchet.as_flattened(), &signing_seed].concat();
        let sender = GroupSession::with_rng(config, &mut RecordedRng::new(draws)).unwrap();
        let textbook = NaiveGroupSession {
            version: setup.version.byte(),
            ratchet,
            index: setup.start.into(),
            signing_seed,
        };
        let (members, messages, outcomes) = (Vec::new(), Vec::new(), Vec::new());
        let sender = moved_to(&sender, setup.start);
        Self { setup, rng, sender, textbook, members, messages, outcomes }
    }

    fn execute(&mut self, event: Event) {
        match event {
            Event::Send { length } => self.send(length),
            Event::Lose { count } => {
                for _ in 0..count {
                    self.encrypt(b"lost");
                }
            }
            Event::Join => self.join(),
            Event::Export { from, distance } => {
                if let Some(place) = choice(from, self.members.len()) {
                    self.members[place].invite(distance).into_iter().for_each(|new| self.add(new));
                }
            }
            Event::Receive { who, which } => {
                if let Some((who, which)) = self.member_and_message(who, which) {
                    let (bytes, plaintext) = &self.messages[which];
                    let outcome = self.members[who].receive(bytes);
                    if let Outcome::Plaintext { plaintext: received, .. } = &outcome {
                        assert_eq!(received, plaintext);
                    }
                    self.outcomes.push(outcome);
                }
            }
            Event::Forge { who, which, how } => {
                if let Some((who, which)) = self.member_and_message(who, which) {
                    self.forge(who, which, how);
                }
            }
            Event::Pickle { who } => match choice(who, self.members.len() + 1) {
                Some(place) if place < self.members.len() => {
                    let session = &mut self.members[place].session;
                    *session = State::restored(&session.snapshot());
                }
                _ => self.sender = State::restored(&self.sender.snapshot()),
            },
            Event::Advance { who, distance } => {
                if let Some(place) = choice(who, self.members.len()) {
                    self.members[place].advance(distance);
                }
            }
            Event::Merge { who, other } => {
                if let Some(place) = choice(who, self.members.len()) {
                    self.merge(place, usize::from(other) % (self.members.len() + 1));
                }
            }
        }
        self.members.iter().for_each(Member::check);
    }

    fn member_and_message(&self, who: u8, which: u8) -> Option<(usize, usize)> {
        choice(who, self.members.len()).zip(choice(which, self.messages.len()))
    }

    fn send(&mut self, length: u8) {
        let plaintext: Vec<u8> = (0..length).map(|_| self.rng.byte()).collect();
        if let Some(bytes) = self.encrypt(&plaintext) {
            self.messages.push((bytes, plaintext));
        }
    }

    /// Encrypts at both, the library and the textbook. `None`: no index is left (S-11).
    fn encrypt(&mut self, plaintext: &[u8]) -> Option<Vec<u8>> {
        assert_eq!(self.sender.is_exhausted(), self.is_exhausted());
        if self.is_exhausted() {
            let before = self.sender.snapshot();
            assert_eq!(self.sender.encrypt(plaintext), Err(EncryptionError::SessionExhausted));
            assert!(self.sender.snapshot() == before, "a refusal changed the sender");
            return None;
        }
        let message = self.sender.encrypt(plaintext).unwrap();
        let bytes = self.textbook.encrypt(plaintext);
        assert_eq!(message.as_bytes(), bytes);
        Some(bytes)
    }

    fn is_exhausted(&self) -> bool {
        self.textbook.index > u32::MAX.into()
    }

    fn join(&mut self) {
        if !self.is_exhausted() {
            let key = self.sender.session_key();
            assert_eq!(key.to_bytes()[..], self.textbook.session_key());
            let member =
                Member::with_session_key(&key, self.textbook.to_inbound(), self.setup.version);
            self.add(member);
        }
    }

    /// Adds a member, and lets the one who has been there longest go when there are many.
    fn add(&mut self, member: Member) {
        self.members.push(member);
        if self.members.len() > 5 {
            self.members.remove(0);
        }
    }

    fn forge(&mut self, who: usize, which: usize, how: How) {
        let other = match how {
            How::SwapBodies(number) => usize::from(number) % self.messages.len(),
            _ => which,
        };
        let (genuine, other) = (&self.messages[which].0, &self.messages[other].0);
        let forged = forge(genuine, how, other, &self.textbook.signing_seed);
        let accepted = matches!(self.members[who].receive(&forged), Outcome::Plaintext { .. });
        assert!(!accepted || forged == *genuine, "a forgery was accepted: {how:?}");
    }

    fn merge(&mut self, who: usize, other: usize) {
        match self.members.get(other) {
            Some(other) => self.members[who] = self.members[who].merge(other),
            None => {
                let member = &self.members[who];
                assert!(member.session.merge(&member.impostor()).is_err());
                assert!(member.impostor().merge(&member.session).is_err());
            }
        }
    }

    fn quiesce(&mut self) {
        self.send(20);
        for (bytes, _) in self.messages.first().into_iter().chain(self.messages.last()) {
            self.members.iter_mut().for_each(|member| drop(member.receive(bytes)));
        }
    }
}

fn choice(number: u8, count: usize) -> Option<usize> {
    usize::from(number).checked_rem(count)
}

/// The session as if it had sent so many messages already, though with the same ratchet.
fn moved_to(sender: &GroupSession, index: u32) -> GroupSession {
    let key = PickleKey::from_bytes(pickle_editor::KEY);
    let context = pickle_editor::CONTEXT;
    let pickle = sender.pickle_with_rng(&key, context, &mut RecordedRng::new([0; 24])).unwrap();
    let moved = pickle_editor::edit(&pickle, |pickle| pickle.set_number("index", index.into()));
    GroupSession::from_pickle(&moved, &key, context).unwrap()
}
