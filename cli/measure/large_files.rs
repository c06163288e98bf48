//! Writes large inputs into a folder: `large_files FOLDER KEYS SESSIONS EVENTS STORED` makes files
//! of exported keys, events of a room with their keys, and a bot's store of sessions.

use std::{
    env, error, fs,
    io::{BufWriter, Write},
    path::Path,
    time::Duration,
};

use moceril::{
    events::MegolmContent,
    key_export,
    megolm::{GroupSession, InboundGroupSession},
    olm::{Account, IdentityKeys},
    room_keys::{self, ExportedRoomKey},
};
use serde_json::json;

type Result<T> = std::result::Result<T, Box<dyn error::Error>>;

const ROOM: &str = "!room:example.org";
const PASSPHRASE: &str = "passphrase";

fn key(inbound: &InboundGroupSession, index: u32, sender: IdentityKeys) -> Result<ExportedRoomKey> {
    Ok(ExportedRoomKey::new(ROOM, inbound.export_at(index)?, sender))
}

fn encrypt(keys: &[ExportedRoomKey]) -> Result<String> {
    let json = room_keys::write_export(keys)?;
    Ok(key_export::encrypt(&json, PASSPHRASE, key_export::MIN_ROUNDS)?)
}

/// A file of many keys, and one in which every tenth of them begins at another index.
fn exports(folder: &Path, count: usize) -> Result<()> {
    let sender = Account::new()?.identity_keys();
    let (mut large, mut small) = (Vec::with_capacity(count), Vec::new());
    for number in 0..count {
        let inbound = InboundGroupSession::new(&GroupSession::new(Duration::ZERO)?.session_key());
        large.push(key(&inbound, if number % 20 == 0 { 5 } else { 0 }, sender)?);
        if number % 10 == 0 {
            small.push(key(&inbound, 3, sender)?);
        }
    }
    fs::write(folder.join("large.txt"), encrypt(&large)?)?;
    Ok(fs::write(folder.join("small.txt"), encrypt(&small)?)?)
}

/// The events of a room, in which the senders take turns.
fn room(folder: &Path, sessions: usize, events: usize) -> Result<()> {
    let sender = Account::new()?.identity_keys();
    let new = (0..sessions)
        .map(|_| GroupSession::new(Duration::ZERO))
        .collect::<std::result::Result<Vec<_>, _>>();
    let mut sessions = new?;
    let keys: Result<Vec<_>> = sessions
        .iter()
        .map(|session| key(&InboundGroupSession::new(&session.session_key()), 0, sender))
        .collect();
    fs::write(folder.join("keys.json"), &*room_keys::write_export(&keys?)?)?;
    let mut out = BufWriter::new(fs::File::create(folder.join("events.jsonl"))?);
    let count = sessions.len();
    for number in 0..events {
        let session = &mut sessions[number % count];
        let body =
            format!("message number {number}, about as long as what people write each other");
        let content = json!({ "msgtype": "m.text", "body": body });
        let event = json!({ "type": "m.room.message", "content": content, "room_id": ROOM });
        let message = session.encrypt(event.to_string())?;
        let event = json!({
            "type": "m.room.encrypted",
            "event_id": format!("$event{number}"),
            "sender": "@alice:example.org",
            "origin_server_ts": number,
            "room_id": ROOM,
            "content": MegolmContent::new(&session.session_id(), message).to_json(),
        });
        writeln!(out, "{event}")?;
    }
    Ok(out.flush()?)
}

/// The database of a bot with matrix-nio.
fn store(folder: &Path, count: usize) -> Result<()> {
    let mut connection = rusqlite::Connection::open(folder.join("store.db"))?;
    connection.execute_batch(
        "CREATE TABLE accounts (id INTEGER PRIMARY KEY, account BLOB, user_id TEXT);
         CREATE TABLE olmsessions (session_id TEXT PRIMARY KEY, sender_key TEXT, session BLOB);
         CREATE TABLE megolminboundsessions (session_id TEXT PRIMARY KEY, sender_key TEXT,
             room_id TEXT, session BLOB);",
    )?;
    let transaction = connection.transaction()?;
    let account = Account::new()?.to_libolm_pickle_lossy(PASSPHRASE)?.0;
    let sql = "INSERT INTO accounts (account, user_id) VALUES (?1, '@bot:example.org')";
    transaction.execute(sql, [account.as_bytes()])?;
    for _ in 0..count {
        let inbound = InboundGroupSession::new(&GroupSession::new(Duration::ZERO)?.session_key());
        let pickle = inbound.to_libolm_pickle_lossy(PASSPHRASE)?.0;
        let sql = "INSERT INTO megolminboundsessions VALUES (?1, 'sender', ?2, ?3)";
        transaction.execute(sql, (inbound.session_id(), ROOM, pickle.as_bytes()))?;
    }
    Ok(transaction.commit()?)
}

fn main() -> Result<()> {
    let arguments: Vec<_> = env::args().skip(1).collect();
    let [folder, keys, sessions, events, stored] = &arguments[..] else {
        return Err("large_files FOLDER KEYS SESSIONS EVENTS STORED".into());
    };
    let folder = Path::new(folder);
    fs::write(folder.join("passphrase.txt"), PASSPHRASE)?;
    exports(folder, keys.parse()?)?;
    room(folder, sessions.parse()?, events.parse()?)?;
    store(folder, stored.parse()?)
}
