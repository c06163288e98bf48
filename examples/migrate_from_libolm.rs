//! Takes over an account and a session that libolm stored, and stores them anew.
//!
//! The pickles were recorded from libolm, with the messages that were still on their way. A client that
//! changes libraries does the same with each row of its store, once:
//! `Session::from_libolm_pickle`, then `pickle`.
//!
//! `cargo run --example migrate_from_libolm`

use std::{error::Error, fs};

use moceril::{
    PickleKey,
    olm::{Account, OlmMessage, Session},
};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const ACCOUNT: &str = "libolm-account-pickle/libolm-published-v3.txt";
const SESSION: &str = "libolm-session-pickle/libolm-skipped-keys.txt";

/// The key of the new store. A real one is random, and kept by the system's key store.
const NEW_KEY: [u8; 32] = [7; 32];
/// What a pickle belongs to: it opens nowhere else.
const CONTEXT: &[u8] = b"@alice:example.org DEVICEID";

fn main() -> Result<()> {
    let new_key = PickleKey::new(NEW_KEY);

    let recording = Recording::read(ACCOUNT)?;
    let account = Account::from_libolm_pickle(recording.one("pickle")?, &recording.key()?)?;
    let stored = account.pickle(&new_key, CONTEXT)?;
    let account = Account::from_pickle(&stored, &new_key, CONTEXT)?;
    println!("the account {}", account.curve25519_key());
    println!("  has {} one-time keys", account.stored_one_time_key_count());
    println!("  is now a native pickle of {} characters", stored.len());

    let recording = Recording::read(SESSION)?;
    let session = Session::from_libolm_pickle(recording.one("pickle")?, &recording.key()?)?;
    let stored = session.pickle(&new_key, CONTEXT)?;
    let mut session = Session::from_pickle(&stored, &new_key, CONTEXT)?;
    println!("\n{}", session.describe());
    println!("  is now a native pickle of {} characters", stored.len());
    for step in recording.all("step") {
        let ["receive", kind, body, _] = step.split(' ').collect::<Vec<_>>()[..] else {
            return Err(format!("unknown step: {step}").into());
        };
        let message = OlmMessage::from_parts(kind.parse()?, body)?;
        let plaintext = session.decrypt(&message)?.into_plaintext();
        println!("  still reads the late message {:?}", String::from_utf8_lossy(&plaintext));
    }
    Ok(())
}

/// A file of `test-vectors/`: lines of `key: value`.
struct Recording(String);

impl Recording {
    fn read(name: &str) -> Result<Self> {
        let path = format!("{}/test-vectors/{name}", env!("CARGO_MANIFEST_DIR"));
        Ok(Self(fs::read_to_string(&path).map_err(|error| format!("{path}: {error}"))?))
    }

    fn all(&self, wanted: &str) -> impl Iterator<Item = &str> {
        let lines = self.0.lines().filter_map(|line| line.split_once(':'));
        lines.filter(move |(key, _)| *key == wanted).map(|(_, value)| value.trim())
    }

    fn one(&self, wanted: &str) -> Result<&str> {
        self.all(wanted).next().ok_or_else(|| format!("no {wanted}").into())
    }

    /// The key that libolm encrypted the pickle with.
    fn key(&self) -> Result<Vec<u8>> {
        let hex = self.one("pickle-key")?;
        let byte = |at| hex.get(at..at + 2).ok_or("odd number of hex digits");
        (0..hex.len()).step_by(2).map(|at| Ok(u8::from_str_radix(byte(at)?, 16)?)).collect()
    }
}
