//! Code that the migration examples share: what an old store knows besides its pickles, and the
//! recordings of the old libraries. Code for one format is in its example.

use std::{error::Error, fs, time::Duration};

use moceril::{
    Curve25519PublicKey,
    megolm::GroupSession,
    olm::{Account, IdentityKeys, OlmMessage, PreKeyBundle, Session},
    payload::{Device, OlmPayload},
};

pub type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// The key of the new store. A real one is random, and kept by the system's key store.
pub const NEW_KEY: [u8; 32] = [7; 32];

/// A real client asks its clock: the time since the Unix epoch.
pub const NOW: Duration = Duration::from_secs(1_800_000_000);

pub const US: &str = "@alice:example.org";
pub const FRIEND: &str = "@bob:example.org";

/// The place that a pickle belongs to: it opens nowhere else. Each row of the store has its own
/// context, so that nobody who can write to the store can exchange two sessions.
pub fn context(row: &str) -> String {
    format!("{US}/DEVICEID/{row}")
}

/// What a client finds in its old store about a device that it talks to, before the old library has
/// pickled it, and what that device sends next.
pub struct OldStore {
    pub account: Account,
    pub session: Session,
    /// The Curve25519 key under which the store files the session.
    pub sender_key: Curve25519PublicKey,
    /// The other device as its signed device keys describe it.
    pub friend: IdentityKeys,
    pub next_event: OlmMessage,
    pub room: GroupSession,
    /// Since the Unix epoch.
    pub room_created_at: Duration,
}

impl OldStore {
    /// Makes an account with a session and a group session, and an event of a friend whose device
    /// uses this library.
    pub fn new() -> Result<Self> {
        let (account, mut friend) = (Account::new()?, Account::new()?);
        friend.generate_one_time_keys(1)?;
        let (_, one_time_key) = friend.signed_one_time_keys()[0];
        let bundle = PreKeyBundle::verify(friend.identity_keys(), &one_time_key)?;
        let mut session = account.create_outbound_session(&bundle)?;
        let first = session.encrypt(b"first")?;
        let first = first.as_pre_key().ok_or("not a pre-key message")?;
        let mut theirs = friend.create_inbound_session(account.curve25519_key(), first)?.session;

        let (from, to) =
            (device(FRIEND, friend.identity_keys()), device(US, account.identity_keys()));
        let payload = OlmPayload::encode("m.dummy", "{}", &from, &to)?;
        let room_created_at = NOW - Duration::from_secs(24 * 60 * 60);
        Ok(Self {
            account,
            session,
            sender_key: friend.curve25519_key(),
            friend: friend.identity_keys(),
            next_event: theirs.encrypt(payload.as_bytes())?,
            room: GroupSession::new(room_created_at)?,
            room_created_at,
        })
    }
}

pub const fn device(user_id: &str, keys: IdentityKeys) -> Device<'_> {
    Device { user_id, keys }
}

pub fn readable(plaintext: &[u8]) -> String {
    format!("{:?}", String::from_utf8_lossy(plaintext))
}

/// A file of `test-vectors/`: lines of `key: value`.
pub struct Recording(String);

impl Recording {
    pub fn read(name: &str) -> Result<Self> {
        let path = format!("{}/test-vectors/{name}", env!("CARGO_MANIFEST_DIR"));
        Ok(Self(fs::read_to_string(&path).map_err(|error| format!("{path}: {error}"))?))
    }

    fn all(&self, wanted: &str) -> impl Iterator<Item = &str> {
        let lines = self.0.lines().filter_map(|line| line.split_once(':'));
        lines.filter(move |(key, _)| *key == wanted).map(|(_, value)| value.trim())
    }

    pub fn one(&self, wanted: &str) -> Result<&str> {
        self.all(wanted).next().ok_or_else(|| format!("no {wanted}").into())
    }

    /// The messages, each with its plaintext.
    pub fn steps(&self) -> Result<Vec<[&str; 4]>> {
        self.all("step").map(four_items).collect()
    }

    /// The key that the old library encrypted the pickle with.
    pub fn key(&self) -> Result<Vec<u8>> {
        let hex = self.one("pickle-key")?;
        let byte = |at| hex.get(at..at + 2).ok_or("odd number of hex digits");
        (0..hex.len()).step_by(2).map(|at| Ok(u8::from_str_radix(byte(at)?, 16)?)).collect()
    }
}

fn four_items(step: &str) -> Result<[&str; 4]> {
    Vec::from_iter(step.split(' ')).try_into().map_err(|_| "not four items".into())
}
