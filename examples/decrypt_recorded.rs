//! Decrypts conversations that were recorded from the real libolm and the real vodozemac.
//!
//! The files in `test-vectors/` hold the randomness that one end of each conversation drew. Given
//! the same randomness, our end becomes that end: it decrypts what the peer sent, and sends what
//! the recorded library sent, byte for byte.
//!
//! `cargo run --example decrypt_recorded`, or with paths of other files of
//! `test-vectors/olm-transcript/`.

use std::{error::Error, fmt, fs};

use moceril::{
    Curve25519PublicKey, MessageVersion, TryCryptoRng,
    olm::{Account, OlmMessage, Session, SessionConfig},
};
use rand::TryRng;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const RECORDINGS: [&str; 4] = [
    "olm-transcript/libolm-one-time-key.txt",
    "olm-transcript/libolm-out-of-order.txt",
    "olm-transcript/vodozemac-v3-conversation.txt",
    "olm-transcript/vodozemac-v4-fallback-key.txt",
];

fn main() -> Result<()> {
    let mut paths: Vec<String> = std::env::args().skip(1).collect();
    if paths.is_empty() {
        let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/test-vectors/");
        paths = RECORDINGS.map(|name| format!("{directory}{name}")).into();
    }
    for path in &paths {
        let text = fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))?;
        replay(&Recording(&text)).map_err(|error| format!("{path}: {error}"))?;
    }
    Ok(())
}

/// The lines `key: value` of a file.
struct Recording<'a>(&'a str);

impl<'a> Recording<'a> {
    fn all(&self, wanted: &str) -> impl Iterator<Item = &'a str> {
        // An empty value has no space before it.
        let lines = self.0.lines().filter_map(|line| line.split_once(':'));
        lines.filter(move |(key, _)| *key == wanted).map(|(_, value)| value.trim_start())
    }

    fn one(&self, wanted: &str) -> Option<&'a str> {
        self.all(wanted).next()
    }
}

/// Plays Bob's end of a conversation that Alice began.
fn replay(recording: &Recording<'_>) -> Result<()> {
    println!("\n{}", recording.one("source").ok_or("no source")?);

    let mut bob = Account::with_rng(&mut recorded(recording.one("bob-random"))?)?;
    let one_time_random = recorded(recording.one("bob-one-time-random"))?;
    bob.generate_one_time_keys_with_rng(one_time_random.0.len() / 32, &mut { one_time_random })?;
    if let random @ Some(_) = recording.one("bob-fallback-random") {
        bob.generate_fallback_key_with_rng(&mut recorded(random)?)?;
    }
    let version = match recording.one("version") {
        Some("4") => MessageVersion::V4,
        _ => MessageVersion::V3,
    };
    let config = SessionConfig::default().with_version(version);
    // A client knows the sender's key from the device keys, whose signature it has verified.
    let alice = Account::with_rng(&mut recorded(recording.one("alice-random"))?)?.curve25519_key();

    let mut session: Option<Session> = None;
    let mut sent = Vec::new();
    for step in recording.all("step") {
        match step.split(' ').collect::<Vec<_>>()[..] {
            ["alice", "send", _, _, message_type, body] => {
                sent.push(Some(OlmMessage::from_parts(message_type.parse()?, body)?));
            }
            ["bob", "receive", number] => {
                let message = sent
                    .get(number.parse::<usize>()?)
                    .and_then(Option::as_ref)
                    .ok_or("no such message")?;
                let plaintext = receive(&mut bob, &mut session, alice, config, message)?;
                println!("  received {}", readable(&plaintext));
            }
            ["bob", "refuse", layer, message_type, body] => {
                let received = OlmMessage::from_parts(message_type.parse()?, body)
                    .map_err(Into::into)
                    .and_then(|message| receive(&mut bob, &mut session, alice, config, &message));
                match received {
                    Err(error) => println!("  refused  ({layer}) {error}"),
                    Ok(_) => return Err(format!("not refused ({layer}): {body}").into()),
                }
            }
            ["bob", "send", random, plaintext, message_type, body] => {
                let session = session.as_mut().ok_or("Bob sends before he received")?;
                let plaintext = unhex(plaintext)?;
                let message = session.encrypt_with_rng(&plaintext, &mut recorded(Some(random))?)?;
                assert_eq!(message.to_parts(), (message_type.parse()?, body.to_owned()));
                println!("  sent     {} (the same bytes as recorded)", readable(&plaintext));
                sent.push(None);
            }
            // Bob's end ignores what Alice received.
            ["alice", "receive" | "refuse", ..] => {}
            _ => return Err(format!("unknown step: {step}").into()),
        }
    }
    let session = session.ok_or("Bob received nothing")?;
    assert_eq!(Some(session.session_id().as_str()), recording.one("session-id"));
    Ok(())
}

/// Decrypts a message in the session, which the first one makes.
fn receive(
    bob: &mut Account,
    session: &mut Option<Session>,
    alice: Curve25519PublicKey,
    config: SessionConfig,
    message: &OlmMessage,
) -> Result<Vec<u8>> {
    if let Some(session) = session {
        return Ok(session.decrypt(message)?.into_plaintext());
    }
    let pre_key = message.as_pre_key().ok_or("the first message is not a pre-key message")?;
    let inbound = bob.create_inbound_session_with_config(alice, pre_key, config)?;
    *session = Some(inbound.session);
    Ok(inbound.message.into_plaintext())
}

fn readable(plaintext: &[u8]) -> String {
    let text = String::from_utf8_lossy(plaintext);
    match text.char_indices().nth(40) {
        Some((end, _)) => format!("{:?}… ({} bytes)", &text[..end], plaintext.len()),
        None => format!("{text:?}"),
    }
}

fn unhex(hex: &str) -> Result<Vec<u8>> {
    if hex == "-" {
        return Ok(Vec::new());
    }
    let digits = |at| hex.get(at..at + 2).ok_or("odd number of hex digits");
    (0..hex.len()).step_by(2).map(|at| Ok(u8::from_str_radix(digits(at)?, 16)?)).collect()
}

/// Recorded randomness, handed out in order.
struct Recorded(Vec<u8>);

fn recorded(hex: Option<&str>) -> Result<Recorded> {
    Ok(Recorded(unhex(hex.ok_or("the recording lacks randomness")?)?))
}

#[derive(Debug)]
struct UsedUp;

impl fmt::Display for UsedUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("all recorded randomness is used up")
    }
}

impl Error for UsedUp {}

impl TryRng for Recorded {
    type Error = UsedUp;

    fn try_next_u32(&mut self) -> std::result::Result<u32, UsedUp> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> std::result::Result<u64, UsedUp> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> std::result::Result<(), UsedUp> {
        if self.0.len() < bytes.len() {
            return Err(UsedUp);
        }
        let rest = self.0.split_off(bytes.len());
        bytes.copy_from_slice(&std::mem::replace(&mut self.0, rest));
        Ok(())
    }
}

impl TryCryptoRng for Recorded {}
