//! Olm transcripts.

use std::{collections::BTreeMap, path::Path};

use serde_json::Value;
use vodozemac::{
    base64_encode,
    olm::{Account, OlmMessage, Session, SessionConfig},
};

use crate::{Lines, Result, bytes, hex, item};

/// Which of Bob's keys Alice uses.
#[derive(Clone, Copy)]
enum Uses {
    OneTimeKey(usize),
    FallbackKey,
}

struct Transcript {
    lines: Lines,
    config: SessionConfig,
    alice: Account,
    bob: Account,
    alice_session: Session,
    bob_session: Option<Session>,
    sent: Vec<(OlmMessage, Vec<u8>)>,
}

#[derive(Clone, Copy)]
enum Who {
    Alice,
    Bob,
}

use Who::{Alice, Bob};

impl Transcript {
    fn new(config: SessionConfig, one_time_keys: usize, uses: Uses) -> Result<Self> {
        let (alice, mut bob) = (Account::new(), Account::new());
        let created = bob.generate_one_time_keys(one_time_keys).created;
        if matches!(uses, Uses::FallbackKey) {
            bob.generate_fallback_key();
        }
        let used = match uses {
            Uses::OneTimeKey(at) => created[at],
            Uses::FallbackKey => *bob.fallback_key().values().next().ok_or("no fallback key")?,
        };
        let alice_session = alice.create_outbound_session(config, bob.curve25519_key(), used)?;

        let mut lines = Lines::default();
        lines.key("version", if config == SessionConfig::version_1() { 3 } else { 4 });
        lines.key("alice-random", account_random(&alice)?);
        lines.key("bob-random", account_random(&bob)?);
        let pickle = serde_json::to_value(bob.pickle())?;
        let keys: BTreeMap<u64, Vec<u8>> =
            serde_json::from_value(pickle["one_time_keys"]["private_keys"].clone())?;
        lines.key("bob-one-time-random", keys.values().map(hex).collect::<String>());
        match uses {
            Uses::OneTimeKey(at) => lines.key("uses", format!("one-time-key {at}")),
            Uses::FallbackKey => {
                let key = &pickle["fallback_keys"]["fallback_key"]["key"];
                lines.key("bob-fallback-random", hex(bytes(key)?));
                lines.key("uses", "fallback-key");
            }
        }
        lines.key("session-id", alice_session.session_id());
        let sent = Vec::new();
        Ok(Self { lines, config, alice, bob, alice_session, bob_session: None, sent })
    }

    fn session(&mut self, who: Who) -> Result<&mut Session> {
        match who {
            Alice => Ok(&mut self.alice_session),
            Bob => self.bob_session.as_mut().ok_or_else(|| "Bob has no session".into()),
        }
    }

    fn send(&mut self, who: Who, plaintext: &[u8]) -> Result<usize> {
        let session = self.session(who)?;
        let new_chain = sending_ratchet(session)?["type"] == "inactive";
        let message = session.encrypt(plaintext)?;
        let random = if new_chain {
            hex(bytes(&sending_ratchet(session)?["active_ratchet"]["ratchet_key"])?)
        } else {
            "-".to_owned()
        };
        let (kind, body) = message.to_parts();
        let (who, plain, body) = (name(who), item(plaintext), base64_encode(body));
        self.lines.step(format!("{who} send {random} {plain} {kind} {body}"));
        self.sent.push((message, plaintext.to_vec()));
        Ok(self.sent.len() - 1)
    }

    fn receive(&mut self, who: Who, number: usize) -> Result<()> {
        let (message, plaintext) = self.sent[number].clone();
        let decrypted = match (&message, &self.bob_session, who) {
            (OlmMessage::PreKey(message), None, Bob) => {
                let alice = self.alice.curve25519_key();
                let made = self.bob.create_inbound_session(self.config, alice, message)?;
                self.bob_session = Some(made.session);
                made.plaintext
            }
            _ => self.session(who)?.decrypt(&message)?,
        };
        assert_eq!(decrypted, plaintext);
        self.lines.step(format!("{} receive {number}", name(who)));
        Ok(())
    }

    fn deliver(&mut self, from: Who, plaintext: &[u8]) -> Result<()> {
        let number = self.send(from, plaintext)?;
        self.receive(if matches!(from, Alice) { Bob } else { Alice }, number)
    }

    fn write(self, folder: &Path, name: &str) -> Result<()> {
        self.lines.write(folder, "olm-transcript", name)
    }
}

fn name(who: Who) -> &'static str {
    match who {
        Alice => "alice",
        Bob => "bob",
    }
}

fn account_random(account: &Account) -> Result<String> {
    let pickle = serde_json::to_value(account.pickle())?;
    let seed = bytes(&pickle["signing_key"]["Normal"])?;
    Ok(hex(seed) + &hex(bytes(&pickle["diffie_hellman_key"])?))
}

fn sending_ratchet(session: &Session) -> Result<Value> {
    Ok(serde_json::to_value(session.pickle())?["sending_ratchet"].take())
}

fn conversation(t: &mut Transcript) -> Result<()> {
    t.deliver(Alice, b"hello")?;
    t.deliver(Alice, b"")?;
    t.deliver(Bob, b"hello yourself")?;
    for turn in 0..3 {
        t.deliver(Alice, format!("question {turn}").as_bytes())?;
        t.deliver(Bob, format!("answer {turn}").as_bytes())?;
    }
    Ok(())
}

fn out_of_order(t: &mut Transcript) -> Result<()> {
    let first = (0..3).map(|n| t.send(Alice, &[n])).collect::<Result<Vec<_>>>()?;
    for at in [2, 0] {
        t.receive(Bob, first[at])?;
    }
    t.deliver(Bob, b"reply")?;
    let second = (0..5).map(|n| t.send(Alice, &[n; 16])).collect::<Result<Vec<_>>>()?;
    for at in [4, 1, 3] {
        t.receive(Bob, second[at])?;
    }
    t.deliver(Bob, b"another reply")?;
    t.deliver(Alice, b"a third chain")?;
    for number in [first[1], second[0], second[2]] {
        t.receive(Bob, number)?;
    }
    t.deliver(Bob, b"all there")
}

fn lengths(t: &mut Transcript) -> Result<()> {
    for length in [0, 1, 15, 16, 17, 31, 32, 255] {
        t.deliver(Alice, &vec![0x61; length])?;
        t.deliver(Bob, &vec![0x62; length])?;
    }
    Ok(())
}

fn several_pre_key_messages(t: &mut Transcript) -> Result<()> {
    t.send(Alice, b"lost")?;
    for n in 0..3u8 {
        t.deliver(Alice, &[n])?;
    }
    t.deliver(Bob, b"established")?;
    t.deliver(Alice, b"yes")
}

fn long_chain(t: &mut Transcript) -> Result<()> {
    t.deliver(Alice, b"hello")?;
    for _ in 0..127 {
        t.send(Bob, b"")?;
    }
    for n in 127..130u8 {
        t.deliver(Bob, &[n])?;
    }
    t.deliver(Alice, b"fine")
}

pub fn record(folder: &Path) -> Result<()> {
    type Scene = fn(&mut Transcript) -> Result<()>;
    let scenes: [(&str, Scene, Uses); 6] = [
        ("conversation", conversation, Uses::OneTimeKey(2)),
        ("fallback-key", conversation, Uses::FallbackKey),
        ("out-of-order", out_of_order, Uses::OneTimeKey(0)),
        ("plaintext-lengths", lengths, Uses::OneTimeKey(0)),
        ("several-pre-key-messages", several_pre_key_messages, Uses::OneTimeKey(1)),
        ("chain-index-above-127", long_chain, Uses::OneTimeKey(0)),
    ];
    for (name, scene, uses) in scenes {
        for (version, config) in [(3, SessionConfig::version_1()), (4, SessionConfig::version_2())]
        {
            let mut t = Transcript::new(config, 3, uses)?;
            scene(&mut t)?;
            t.write(folder, &format!("v{version}-{name}"))?;
        }
    }
    Ok(())
}
