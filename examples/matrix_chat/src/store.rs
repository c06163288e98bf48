//! The store: one SQLite database. Keys in it are pickles; no text of a message is stored in the
//! clear.
//!
//! Everything that changes is read and written in one transaction, so two commands may run at once.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use anyhow::{Context, Result, bail};
use moceril::{
    PickleKey,
    megolm::{GroupSession, InboundGroupSession, ReplayGuard},
    olm::{Account, Session},
};
use rand::{TryRng, rngs::SysRng};
use rusqlite::{Connection, OptionalExtension, Params, Transaction, TransactionBehavior};
use serde_json::Value;

/// Sessions that are kept with each device, those first that were used last. The specification
/// wants four or more: messages to older ones may still be on their way.
const OLM_SESSIONS: u32 = 8;

const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL);
-- Users whose devices we follow: how many changes of their lists we heard of, and how many of these
-- the devices below have in them. Neither number ever falls.
CREATE TABLE IF NOT EXISTS users (user_id TEXT PRIMARY KEY, changes INTEGER NOT NULL,
    known INTEGER NOT NULL DEFAULT 0);
-- Devices whose keys verified. A row is never given other keys; a device that is gone stays as gone.
CREATE TABLE IF NOT EXISTS devices (user_id TEXT, device_id TEXT, ed25519 TEXT NOT NULL,
    curve25519 TEXT NOT NULL, verified INTEGER NOT NULL DEFAULT 0, gone INTEGER NOT NULL DEFAULT 0,
    last_dummy INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (user_id, device_id));
CREATE TABLE IF NOT EXISTS olm_sessions (session_id TEXT PRIMARY KEY, their_key TEXT NOT NULL,
    pickle TEXT NOT NULL, used INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS rooms (room_id TEXT PRIMARY KEY, name TEXT, membership TEXT NOT NULL,
    encrypted INTEGER NOT NULL DEFAULT 0, rotation_messages INTEGER, rotation_seconds INTEGER);
CREATE TABLE IF NOT EXISTS members (room_id TEXT, user_id TEXT, membership TEXT NOT NULL,
    PRIMARY KEY (room_id, user_id));
CREATE TABLE IF NOT EXISTS outbound (room_id TEXT PRIMARY KEY, session_id TEXT NOT NULL,
    pickle TEXT NOT NULL);
-- Who has the key of an outbound session. `again`: they may have lost it.
CREATE TABLE IF NOT EXISTS shared (session_id TEXT, user_id TEXT, device_id TEXT,
    again INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (session_id, user_id, device_id));
CREATE TABLE IF NOT EXISTS inbound (room_id TEXT, session_id TEXT, pickle TEXT NOT NULL,
    guard TEXT NOT NULL, sender TEXT, sender_key TEXT NOT NULL, sender_ed25519 TEXT NOT NULL,
    backed_up INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (room_id, session_id));
-- As they came from the server: encrypted.
CREATE TABLE IF NOT EXISTS events (id INTEGER PRIMARY KEY, room_id TEXT NOT NULL,
    event_id TEXT UNIQUE NOT NULL, json TEXT NOT NULL, shown INTEGER NOT NULL DEFAULT 0);
-- Verification messages that wait for the command `verify`.
CREATE TABLE IF NOT EXISTS inbox (id INTEGER PRIMARY KEY, received INTEGER NOT NULL, json TEXT NOT NULL);
-- Requests that were saved together with the keys they used, and are repeated until they succeed.
CREATE TABLE IF NOT EXISTS outbox (id INTEGER PRIMARY KEY AUTOINCREMENT, path TEXT NOT NULL,
    body TEXT NOT NULL);
";

pub struct Store {
    pub db: Connection,
    key: PickleKey,
}

impl Store {
    /// Opens the store in this directory, or begins one.
    pub fn open(directory: &Path) -> Result<Self> {
        private_directory(directory)?;
        let key = pickle_key(&directory.join("pickle.key"))?;
        let db = Connection::open(directory.join("store.db"))?;
        db.busy_timeout(Duration::from_secs(30))?;
        // What is committed is on the disk: only then may a message be sent.
        db.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;")?;
        db.execute_batch(SCHEMA)?;
        Ok(Self { db, key })
    }

    /// Does all of it, or on an error nothing.
    pub fn atomically<T>(&self, work: impl FnOnce() -> Result<T>) -> Result<T> {
        let transaction = Transaction::new_unchecked(&self.db, TransactionBehavior::Immediate)?;
        let result = work()?;
        transaction.commit()?;
        Ok(result)
    }

    pub fn run(&self, sql: &str, values: impl Params) -> Result<usize> {
        Ok(self.db.prepare_cached(sql)?.execute(values)?)
    }

    /// The first column of the first row.
    pub fn one<T: rusqlite::types::FromSql>(
        &self,
        sql: &str,
        values: impl Params,
    ) -> Result<Option<T>> {
        Ok(self.db.prepare_cached(sql)?.query_row(values, |row| row.get(0)).optional()?)
    }

    /// The first column of all rows.
    pub fn all<T: rusqlite::types::FromSql>(
        &self,
        sql: &str,
        values: impl Params,
    ) -> Result<Vec<T>> {
        let mut statement = self.db.prepare_cached(sql)?;
        let rows = statement.query_map(values, |row| row.get(0))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    pub fn meta(&self, name: &str) -> Result<Option<String>> {
        self.one("SELECT value FROM meta WHERE name = ?", [name])
    }

    pub fn set_meta(&self, name: &str, value: &str) -> Result<()> {
        self.run("REPLACE INTO meta (name, value) VALUES (?, ?)", [name, value])?;
        Ok(())
    }

    pub fn account(&self) -> Result<Account> {
        let pickle = self.meta("account")?.context("not logged in: use `matrix_chat login`")?;
        Account::from_pickle(&pickle, &self.key, b"account").context("the account's pickle")
    }

    pub fn save_account(&self, account: &Account) -> Result<()> {
        self.set_meta("account", &account.pickle(&self.key, b"account")?)
    }

    /// All sessions with a device, the one to send with first: where a message came last.
    pub fn olm_sessions(&self, their_key: &str) -> Result<Vec<Session>> {
        let pickles: Vec<String> = self.all(
            "SELECT pickle FROM olm_sessions WHERE their_key = ? ORDER BY used DESC, rowid DESC",
            [their_key],
        )?;
        let context = format!("olm {their_key}");
        let open = |pickle: &String| Session::from_pickle(pickle, &self.key, context.as_bytes());
        Ok(pickles.iter().map(open).collect::<Result<_, _>>()?)
    }

    /// `received`: a message was decrypted, so this is the session to answer with.
    pub fn save_olm_session(
        &self,
        their_key: &str,
        session: &Session,
        received: bool,
    ) -> Result<()> {
        let pickle = session.pickle(&self.key, format!("olm {their_key}").as_bytes())?;
        let id = session.session_id();
        let latest = "SELECT coalesce(max(used), 0) FROM olm_sessions WHERE their_key = ?";
        let used = self.one::<i64>(latest, [their_key])?.unwrap_or_default() + 1;
        let changed =
            self.run("UPDATE olm_sessions SET pickle = ? WHERE session_id = ?", [&pickle, &id])?;
        if changed == 0 {
            self.run(
                "INSERT INTO olm_sessions (session_id, their_key, pickle, used) VALUES (?, ?, ?, ?)",
                (&id, their_key, &pickle, used),
            )?;
            let old = "DELETE FROM olm_sessions WHERE their_key = ?1 AND session_id NOT IN \
                       (SELECT session_id FROM olm_sessions WHERE their_key = ?1 \
                        ORDER BY used DESC, rowid DESC LIMIT ?2)";
            self.run(old, (their_key, OLM_SESSIONS))?;
        } else if received {
            self.run("UPDATE olm_sessions SET used = ? WHERE session_id = ?", (used, &id))?;
        }
        Ok(())
    }

    pub fn outbound(&self, room_id: &str) -> Result<Option<GroupSession>> {
        let pickle =
            self.one::<String>("SELECT pickle FROM outbound WHERE room_id = ?", [room_id])?;
        let context = format!("outbound {room_id}");
        let open =
            |pickle: String| GroupSession::from_pickle(&pickle, &self.key, context.as_bytes());
        Ok(pickle.map(open).transpose()?)
    }

    pub fn save_outbound(&self, room_id: &str, session: &GroupSession) -> Result<()> {
        let pickle = session.pickle(&self.key, format!("outbound {room_id}").as_bytes())?;
        self.run(
            "REPLACE INTO outbound (room_id, session_id, pickle) VALUES (?, ?, ?)",
            [room_id, &session.session_id(), &pickle],
        )?;
        Ok(())
    }

    pub fn pickle_inbound(&self, room_id: &str, session: &InboundGroupSession) -> Result<String> {
        Ok(session.pickle(&self.key, inbound_context(room_id).as_bytes())?)
    }

    pub fn open_inbound(&self, room_id: &str, pickle: &str) -> Result<InboundGroupSession> {
        let context = inbound_context(room_id);
        Ok(InboundGroupSession::from_pickle(pickle, &self.key, context.as_bytes())?)
    }

    pub fn pickle_guard(&self, room_id: &str, guard: &ReplayGuard) -> Result<String> {
        Ok(guard.pickle(&self.key, inbound_context(room_id).as_bytes())?)
    }

    /// The replay guard of this session: that of another one is not opened (S-46).
    pub fn open_guard(
        &self,
        room_id: &str,
        pickle: &str,
        session: &InboundGroupSession,
    ) -> Result<ReplayGuard> {
        let context = inbound_context(room_id);
        Ok(ReplayGuard::from_pickle(pickle, &self.key, context.as_bytes(), session)?)
    }

    /// Keeps a request until it has succeeded. Call it in the transaction that saves the pickles.
    pub fn queue(&self, path: &str, body: &Value) -> Result<()> {
        self.run("INSERT INTO outbox (path, body) VALUES (?, ?)", [path, &body.to_string()])?;
        Ok(())
    }
}

/// A key of one room does not open anything in another.
fn inbound_context(room_id: &str) -> String {
    format!("inbound {room_id}")
}

pub fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// A name that nobody has used: for transactions.
pub fn unique() -> Result<String> {
    let mut bytes = [0; 16];
    SysRng.try_fill_bytes(&mut bytes)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

pub fn default_directory() -> Result<PathBuf> {
    let data = std::env::var_os("XDG_DATA_HOME").map(PathBuf::from);
    let home = || std::env::home_dir().map(|home| home.join(".local/share"));
    let data = data.or_else(home).context("no home directory: use --store")?;
    Ok(data.join("matrix_chat"))
}

#[cfg(unix)]
fn private_directory(directory: &Path) -> Result<()> {
    use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
    fs::DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
    if fs::metadata(directory)?.permissions().mode() & 0o077 != 0 {
        bail!("{} can be read by others: chmod 700 it first", directory.display());
    }
    Ok(())
}

#[cfg(not(unix))]
fn private_directory(directory: &Path) -> Result<()> {
    Ok(fs::create_dir_all(directory)?)
}

/// The key of all pickles. A client with a keyring keeps it there; this one has a file next to the
/// database, so the database alone is worth nothing, and the directory is.
fn pickle_key(path: &Path) -> Result<PickleKey> {
    if let Ok(mut file) = fs::File::create_new(path) {
        let mut key = [0; 32];
        SysRng.try_fill_bytes(&mut key)?;
        file.write_all(&key)?;
        file.sync_all()?;
    }
    let bytes = fs::read(path)?;
    let Ok(bytes) = <[u8; 32]>::try_from(bytes) else { bail!("{} is damaged", path.display()) };
    Ok(PickleKey::new(bytes))
}

#[cfg(test)]
mod tests {
    use moceril::olm::PreKeyBundle;

    use super::*;

    #[test]
    fn the_sessions_that_were_used_last_are_kept() {
        let directory = std::env::temp_dir().join(format!("matrix_chat-{}", unique().unwrap()));
        let store = Store::open(&directory).unwrap();
        let mut them = Account::new().unwrap();
        them.generate_one_time_keys(1).unwrap();
        let (_, key) = them.signed_one_time_keys()[0];
        let bundle = PreKeyBundle::verify(them.identity_keys(), &key).unwrap();
        let us = Account::new().unwrap();
        let mut made = Vec::new();
        for count in 0..=OLM_SESSIONS {
            let session = us.create_outbound_session(&bundle).unwrap();
            store.save_olm_session("them", &session, false).unwrap();
            made.push(session);
            // A message came in the first one, again and again.
            store.save_olm_session("them", &made[0], true).unwrap();
            let kept = store.olm_sessions("them").unwrap();
            assert_eq!(kept.len(), made.len().min(OLM_SESSIONS as usize), "after {count}");
            assert_eq!(kept[0].session_id(), made[0].session_id());
        }
        let kept: Vec<_> = store.olm_sessions("them").unwrap();
        assert!(kept.iter().all(|session| session.session_id() != made[1].session_id()));
        std::fs::remove_dir_all(directory).unwrap();
    }
}
