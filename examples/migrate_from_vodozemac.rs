//! Takes over an account, an Olm session and a room key that vodozemac stored, and stores them
//! anew.
//!
//! The pickles were recorded from an old release of vodozemac, with messages that were still on
//! their way. Some stores keep them encrypted by vodozemac, others as the plain serde form; both
//! are shown.
//!
//! `cargo run --features payload,vodozemac --example migrate_from_vodozemac`

use std::{error::Error, fs};

use moceril::{
    Curve25519PublicKey, PickleKey,
    megolm::{GroupSession, InboundGroupSession, MegolmMessage, RotationPolicy},
    olm::{Account, IdentityKeys, OlmMessage, PreKeyBundle, Session},
    payload::{Device, OlmPayload},
    vodozemac::{AccountPickle, GroupSessionPickle, InboundGroupSessionPickle, SessionPickle},
};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// The key of the new store. A real one is random, and kept by the system's key store.
const NEW_KEY: [u8; 32] = [7; 32];
/// What a pickle belongs to: it opens nowhere else.
const CONTEXT: &[u8] = b"@alice:example.org DEVICEID";

/// A real client asks its clock: seconds since 1970.
const NOW: u64 = 1_800_000_000;

const US: &str = "@alice:example.org";
const FRIEND: &str = "@bob:example.org";

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
    go_on(&new_key)
}

/// The session goes on, who sent its next event is verified, and a group session is judged by its
/// age.
fn go_on(new_key: &PickleKey) -> Result<()> {
    let old = OldStore::new()?;
    let account = Account::from_vodozemac_pickle(old.account)?;
    let mut session = Session::from_vodozemac_pickle(old.session)?;
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
    let mut room = GroupSession::from_vodozemac_pickle(old.room)?;
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
    account: AccountPickle,
    session: SessionPickle,
    /// The Curve25519 key under which the store files the session.
    sender_key: Curve25519PublicKey,
    /// The other device as its signed device keys describe it.
    friend: IdentityKeys,
    next_event: OlmMessage,
    room: GroupSessionPickle,
    /// Seconds since 1970.
    room_created_at: u64,
}

impl OldStore {
    /// Makes what vodozemac would have stored, and an event of a friend whose device uses this
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
        let (old_account, loss) = account.to_vodozemac_pickle_lossy()?;
        assert!(!loss.drops_keys());
        let (old_session, loss) = session.to_vodozemac_pickle_lossy()?;
        assert!(!loss.drops_keys());
        let room_created_at = NOW - 24 * 60 * 60;
        let (room, loss) = GroupSession::new(room_created_at)?.to_vodozemac_pickle_lossy()?;
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
