//! Takes over an account, an Olm session and a room key that vodozemac stored, and stores them anew.
//!
//! The pickles were recorded from an old release of vodozemac, with messages that were still on their
//! way. Some stores keep them encrypted by vodozemac, others as the plain serde form; both are shown.
//!
//! `cargo run --features vodozemac --example migrate_from_vodozemac`

use std::{error::Error, fs};

use moceril::{
    PickleKey,
    megolm::{InboundGroupSession, MegolmMessage},
    olm::{Account, OlmMessage, Session},
    vodozemac::{AccountPickle, InboundGroupSessionPickle, SessionPickle},
};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// The key of the new store. A real one is random, and kept by the system's key store.
const NEW_KEY: [u8; 32] = [7; 32];
/// What a pickle belongs to: it opens nowhere else.
const CONTEXT: &[u8] = b"@alice:example.org DEVICEID";

fn main() -> Result<()> {
    let new_key = PickleKey::new(NEW_KEY);

    // Encrypted by vodozemac.
    let recording = Recording::read("vodozemac-account-pickle/vodozemac-0.8.1.txt")?;
    let old = AccountPickle::from_encrypted(recording.one("pickle")?, &recording.key()?)?;
    let stored = Account::from_vodozemac_pickle(old)?.pickle(&new_key, CONTEXT)?;
    let mut account = Account::from_pickle(&stored, &new_key, CONTEXT)?;
    println!("the account {} from vodozemac", account.curve25519_key());
    println!("  has {} one-time keys", account.stored_one_time_key_count());
    for [_, kind, body, _] in recording.steps()? {
        let message = OlmMessage::from_parts(kind.parse()?, body)?;
        let message = message.as_pre_key().ok_or("not a pre-key message")?;
        let created = account.create_inbound_session(message.identity_key(), message)?;
        println!("  makes a session from {}", readable(created.message.plaintext()));
    }

    // The plain serde form, here in JSON; MessagePack and the like work as well.
    let recording = Recording::read("vodozemac-session-pickle/vodozemac-0.8.1.txt")?;
    let old: SessionPickle = serde_json::from_str(recording.one("json")?)?;
    let stored = Session::from_vodozemac_pickle(old)?.pickle(&new_key, CONTEXT)?;
    let mut session = Session::from_pickle(&stored, &new_key, CONTEXT)?;
    println!("\n{}", session.describe());
    for [_, kind, body, _] in recording.steps()? {
        let message = OlmMessage::from_parts(kind.parse()?, body)?;
        println!("  reads {}", readable(session.decrypt(&message)?.plaintext()));
    }

    let recording = Recording::read("vodozemac-inbound-group-session-pickle/vodozemac-0.8.1.txt")?;
    let old =
        InboundGroupSessionPickle::from_encrypted(recording.one("pickle")?, &recording.key()?)?;
    let stored = InboundGroupSession::from_vodozemac_pickle(old)?.pickle(&new_key, CONTEXT)?;
    let mut room_key = InboundGroupSession::from_pickle(&stored, &new_key, CONTEXT)?;
    println!("\nthe room key {}", room_key.session_id());
    for [_, index, body, _] in recording.steps()? {
        let decrypted = room_key.decrypt(&MegolmMessage::from_base64(body)?)?;
        println!("  reads {} at index {index}", readable(decrypted.plaintext()));
    }
    Ok(())
}

fn readable(plaintext: &[u8]) -> String {
    format!("{:?}", String::from_utf8_lossy(plaintext))
}

/// A file of `test-vectors/`: lines of `key: value`.
struct Recording(String);

impl Recording {
    fn read(name: &str) -> Result<Self> {
        let path = format!("{}/test-vectors/{name}", env!("CARGO_MANIFEST_DIR"));
        Ok(Self(fs::read_to_string(&path).map_err(|error| format!("{path}: {error}"))?))
    }

    fn all(&self, wanted: &str) -> impl Iterator<Item = &str> {
        let lines = self.0.lines().filter_map(|line| line.split_once(": "));
        lines.filter(move |(key, _)| *key == wanted).map(|(_, value)| value)
    }

    fn one(&self, wanted: &str) -> Result<&str> {
        self.all(wanted).next().ok_or_else(|| format!("no {wanted}").into())
    }

    /// The messages, each with its plaintext.
    fn steps(&self) -> Result<Vec<[&str; 4]>> {
        self.all("step").map(four_items).collect()
    }

    /// The key that vodozemac encrypted the pickle with.
    fn key(&self) -> Result<[u8; 32]> {
        let hex = self.one("pickle-key")?;
        let byte = |at| hex.get(at..at + 2).ok_or("odd number of hex digits");
        let bytes: Result<Vec<u8>> =
            (0..hex.len()).step_by(2).map(|at| Ok(u8::from_str_radix(byte(at)?, 16)?)).collect();
        bytes?.try_into().map_err(|_| "the key does not have 32 bytes".into())
    }
}

fn four_items(step: &str) -> Result<[&str; 4]> {
    Vec::from_iter(step.split(' ')).try_into().map_err(|_| "not four items".into())
}
