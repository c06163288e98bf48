//! Olm: whole sessions of Alice and Bob.

use moceril::olm::{Account, OlmMessage, PreKeyBundle, Session, SessionConfig};

use crate::{
    megolm::version,
    refusal::{decode_layer, is_creation_error, is_olm_error},
};
use moceril_testing::{
    fixtures::{State, config, unchanged},
    rng::RecordedRng,
    vector_file::{Layer, VectorFile, item_bytes, number},
};

/// Both ends, once straight through and once pickled and restored before every step.
pub fn transcript(file: &VectorFile) {
    play(file, false);
    play(file, true);
}

/// A message as it travels, and what is in it.
struct Sent<'a> {
    kind: u32,
    body: &'a str,
    plaintext: Vec<u8>,
}

fn parse(kind: u32, body: &str) -> Result<OlmMessage, moceril::DecodeError> {
    OlmMessage::from_parts(kind as usize, body)
}

fn play(file: &VectorFile, restoring: bool) {
    let mut transcript = Transcript::begin(file);
    let mut sent = Vec::new();
    for step in file.steps() {
        if restoring {
            transcript.restore();
        }
        match *step.as_slice() {
            [who, "send", random, plaintext, kind, body] => {
                let message = Sent { kind: number(kind), body, plaintext: item_bytes(plaintext) };
                transcript.send(who, item_bytes(random), &message);
                sent.push(message);
            }
            [who, "receive", n] => transcript.receive(who, &sent[number(n) as usize]),
            [who, "refuse", layer, kind, body] => {
                transcript.refuse(who, Layer::parse(layer).unwrap(), number(kind), body);
            }
            _ => panic!("unknown step {step:?}"),
        }
    }
}

/// The two ends. Without the randomness of Alice's session she is only her recorded messages.
struct Transcript<'a> {
    alice: Account,
    bob: Account,
    alice_session: Option<Session>,
    bob_session: Option<Session>,
    config: SessionConfig,
    session_id: &'a str,
    uses_one_time_key: bool,
}

impl<'a> Transcript<'a> {
    fn begin(file: &'a VectorFile) -> Self {
        let config = config(version(file));
        let alice = account(file, "alice-random");
        let mut bob = account(file, "bob-random");
        generate_keys(&mut bob, file);
        let bundle = bundle(&bob, file.text("uses"));
        let session_id = file.text("session-id");
        let alice_session = file.optional("session-random").map(|_| {
            let mut rng = RecordedRng::new(file.array::<64>("session-random"));
            let session =
                alice.create_outbound_session_with_rng(&bundle, config, &mut rng).unwrap();
            assert_eq!(rng.left(), 0);
            assert_eq!(session.session_id(), session_id);
            session
        });
        let uses_one_time_key = file.text("uses") != "fallback-key";
        Self { alice, bob, alice_session, bob_session: None, config, session_id, uses_one_time_key }
    }

    fn restore(&mut self) {
        self.alice = State::restored(&self.alice.snapshot());
        self.bob = State::restored(&self.bob.snapshot());
        for session in [&mut self.alice_session, &mut self.bob_session].into_iter().flatten() {
            *session = State::restored(&session.snapshot());
        }
    }

    fn session(&mut self, who: &str) -> Option<&mut Session> {
        match who {
            "alice" => self.alice_session.as_mut(),
            "bob" => self.bob_session.as_mut(),
            _ => panic!("who is {who}?"),
        }
    }

    /// With the same randomness, the body comes out byte for byte.
    fn send(&mut self, who: &str, random: Vec<u8>, message: &Sent<'_>) {
        let Some(session) = self.session(who) else {
            assert_eq!(who, "alice", "Bob sends before he has a session");
            return;
        };
        let mut rng = RecordedRng::new(random);
        let made = session.encrypt_with_rng(&message.plaintext, &mut rng).unwrap();
        assert_eq!(rng.left(), 0, "the message began no chain");
        assert_eq!(made.to_parts(), (message.kind as usize, message.body.to_owned()));
        assert_eq!(parse(message.kind, message.body).unwrap(), made);
    }

    fn receive(&mut self, who: &str, message: &Sent<'_>) {
        let parsed = parse(message.kind, message.body).unwrap();
        if who == "bob" && self.bob_session.is_none() {
            return self.create(&parsed, message);
        }
        let (alice, bob) = (self.alice.curve25519_key(), self.bob.curve25519_key());
        let Some(session) = self.session(who) else { return };
        let decrypted = session.decrypt(&parsed).unwrap();
        assert_eq!(decrypted.plaintext(), message.plaintext);
        assert_eq!(decrypted.sender_key(), Some(if who == "bob" { alice } else { bob }));
        assert_eq!(decrypted.session_keys(), session.session_keys());
        assert!(session.has_received_message());
    }

    /// Bob's session, with his key used up (S-05).
    fn create(&mut self, parsed: &OlmMessage, message: &Sent<'_>) {
        let (sender, config) = (self.alice.curve25519_key(), self.config);
        let keys = self.bob.stored_one_time_key_count();
        let pre_key = parsed.as_pre_key().expect("a session begins with a pre-key message");
        let made = self.bob.create_inbound_session_with_config(sender, pre_key, config).unwrap();
        assert_eq!(made.message.plaintext(), message.plaintext);
        assert_eq!(made.message.sender_key(), Some(sender));
        assert_eq!(made.session.session_id(), self.session_id);
        assert_eq!(pre_key.session_id(), self.session_id);
        assert!(made.session.matches(pre_key));
        let used = usize::from(self.uses_one_time_key);
        assert_eq!(self.bob.stored_one_time_key_count(), keys - used);
        self.bob_session = Some(made.session);
    }

    /// The layer refuses the message, and nothing has changed (S-04, S-05).
    fn refuse(&mut self, who: &str, layer: Layer, kind: u32, body: &str) {
        let message = match parse(kind, body) {
            Ok(message) => message,
            Err(error) => return assert_eq!(decode_layer(error), layer),
        };
        if who == "bob" && self.bob_session.is_none() {
            let (sender, config) = (self.alice.curve25519_key(), self.config);
            let message = message.as_pre_key().expect("only a pre-key message makes a session");
            let error = unchanged(&mut self.bob, |bob| {
                bob.create_inbound_session_with_config(sender, message, config)
            });
            assert!(is_creation_error(layer, error), "{error:?} is not of the layer {layer:?}");
        } else if let Some(session) = self.session(who) {
            let error = unchanged(session, |session| session.decrypt(&message));
            assert!(is_olm_error(layer, error), "{error:?} is not of the layer {layer:?}");
        }
    }
}

fn account(file: &VectorFile, key: &str) -> Account {
    let mut rng = RecordedRng::new(file.array::<64>(key));
    let account = Account::with_rng(&mut rng).unwrap();
    assert_eq!(rng.left(), 0);
    account
}

fn generate_keys(bob: &mut Account, file: &VectorFile) {
    let random = file.bytes("bob-one-time-random");
    let (count, mut rng) = (random.len() / 32, RecordedRng::new(random));
    bob.generate_one_time_keys_with_rng(count, &mut rng).unwrap();
    assert_eq!(rng.left(), 0);
    if file.optional("bob-fallback-random").is_some() {
        let mut rng = RecordedRng::new(file.array::<32>("bob-fallback-random"));
        bob.generate_fallback_key_with_rng(&mut rng).unwrap();
    }
}

/// The key that Alice uses, signed by Bob as he would publish it.
fn bundle(bob: &Account, uses: &str) -> PreKeyBundle {
    let key = match uses.split_once(' ') {
        Some(("one-time-key", k)) => bob.signed_one_time_keys()[number(k) as usize].1,
        None if uses == "fallback-key" => bob.signed_fallback_key().unwrap().1,
        _ => panic!("no such key: {uses}"),
    };
    PreKeyBundle::verify(bob.identity_keys(), &key).unwrap()
}
