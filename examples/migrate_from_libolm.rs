//! Takes over an account and a session that libolm stored, and stores them anew.
//!
//! The pickles were recorded from libolm, with the messages that were still on their way. A client
//! that changes libraries does the same with each row of its store, once:
//! `Session::from_libolm_pickle`, `set_identity_keys`, then `pickle`.
//!
//! `cargo run --features payload --example migrate_from_libolm`

use std::{error::Error, fs};

use moceril::{
    Curve25519PublicKey, PickleKey,
    megolm::{GroupSession, RotationPolicy},
    olm::{Account, IdentityKeys, OlmMessage, PreKeyBundle, Session},
    payload::{Device, OlmPayload},
};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const ACCOUNT: &str = "libolm-account-pickle/libolm-published-v3.txt";
const SESSION: &str = "libolm-session-pickle/libolm-skipped-keys.txt";

/// The key of the new store. A real one is random, and kept by the system's key store.
const NEW_KEY: [u8; 32] = [7; 32];
/// What a pickle belongs to: it opens nowhere else.
const CONTEXT: &[u8] = b"@alice:example.org DEVICEID";
/// The key that the old store gave libolm.
const OLD_KEY: &[u8] = b"the key of the old store";

/// A real client asks its clock: seconds since 1970.
const NOW: u64 = 1_800_000_000;

const US: &str = "@alice:example.org";
const FRIEND: &str = "@bob:example.org";

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
    go_on(&new_key)
}

/// The session goes on, who sent its next event is verified, and a group session is judged by its
/// age.
fn go_on(new_key: &PickleKey) -> Result<()> {
    let old = OldStore::new()?;
    let account = Account::from_libolm_pickle(&old.account, OLD_KEY)?;
    let mut session = Session::from_libolm_pickle(&old.session, OLD_KEY)?;
    // The pickle does not say whom the session is with; the old store does. Without this no event
    // of the session can be verified, so it is done once, when the session moves.
    session.set_identity_keys(account.identity_keys(), old.sender_key)?;
    let stored = session.pickle(new_key, CONTEXT)?;
    let mut session = Session::from_pickle(&stored, new_key, CONTEXT)?;

    let decrypted = session.decrypt(&old.next_event)?;
    let (from, to) = (device(FRIEND, old.friend), device(US, account.identity_keys()));
    let event = OlmPayload::verify(&decrypted, &from, &to)?;
    println!("\na session with {}", old.sender_key);
    println!("  receives an event of type {}, verified to be from {FRIEND}", event.event_type);

    // Nor does the pickle say when a group session was made. Until that is known, the session is
    // due for rotation.
    let mut room = GroupSession::from_libolm_pickle(&old.room, OLD_KEY)?;
    let policy = RotationPolicy::default();
    assert!(room.rotation_due(&policy, NOW));
    room.set_created_at(old.room_created_at)?;
    let due = room.rotation_due(&policy, NOW);
    println!("\na group session of a day's age is due for rotation: {due}");
    Ok(())
}

/// What a client finds in its old store about a device that it talks to, and what that device sends
/// next.
struct OldStore {
    account: String,
    session: String,
    /// The Curve25519 key under which the store files the session.
    sender_key: Curve25519PublicKey,
    /// The other device as its signed device keys describe it.
    friend: IdentityKeys,
    next_event: OlmMessage,
    room: String,
    /// Seconds since 1970.
    room_created_at: u64,
}

impl OldStore {
    /// Makes what libolm would have stored, and an event of a friend whose device uses this
    /// library.
    fn new() -> Result<Self> {
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
        // What the format does not hold is no key: no message becomes unreadable.
        let (old_account, loss) = account.to_libolm_pickle_lossy(OLD_KEY)?;
        assert!(!loss.drops_keys());
        let (old_session, loss) = session.to_libolm_pickle_lossy(OLD_KEY)?;
        assert!(!loss.drops_keys());
        let room_created_at = NOW - 24 * 60 * 60;
        let (room, loss) = GroupSession::new(room_created_at)?.to_libolm_pickle_lossy(OLD_KEY)?;
        assert!(loss.created_at && !loss.drops_keys());

        Ok(Self {
            account: old_account,
            session: old_session,
            sender_key: friend.curve25519_key(),
            friend: friend.identity_keys(),
            next_event: theirs.encrypt(payload.as_bytes())?,
            room,
            room_created_at,
        })
    }
}

const fn device(user_id: &str, keys: IdentityKeys) -> Device<'_> {
    Device { user_id, keys }
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
