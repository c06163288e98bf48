//! The store: one SQLite database. Keys in it are pickles; no text of an encrypted message is
//! stored unencrypted.
//!
//! Everything that changes is read and written in one transaction, so two commands may run at once.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use anyhow::{Context, Result, bail, ensure};
use moceril::{
    PickleKey,
    megolm::{GroupSession, InboundGroupSession, ReplayGuard},
    olm::{Account, Session},
};
use rand::{TryRng, rngs::SysRng};
use rusqlite::{Connection, OptionalExtension, Params, Transaction, TransactionBehavior};
use serde_json::Value;
use zeroize::{Zeroize, Zeroizing};

use crate::private;

const DATABASE: &str = "store.db";
const KEY: &str = "pickle.key";
/// The database, and what SQLite keeps next to it.
const DATABASES: [&str; 4] = [DATABASE, "store.db-wal", "store.db-shm", "store.db-journal"];

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
-- Of each user the master key that the server shows, the one that was verified last, and whether our
-- own identity has signed the one that is shown.
CREATE TABLE IF NOT EXISTS identities (user_id TEXT PRIMARY KEY, shown TEXT, verified TEXT,
    signed INTEGER NOT NULL DEFAULT 0);
-- Devices that the identity with this master key has signed.
CREATE TABLE IF NOT EXISTS signed_devices (user_id TEXT, device_id TEXT, master TEXT NOT NULL,
    PRIMARY KEY (user_id, device_id));
CREATE TABLE IF NOT EXISTS olm_sessions (session_id TEXT PRIMARY KEY, their_key TEXT NOT NULL,
    pickle TEXT NOT NULL, used INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS rooms (room_id TEXT PRIMARY KEY, name TEXT, membership TEXT NOT NULL,
    encrypted INTEGER NOT NULL DEFAULT 0, rotation_messages INTEGER, rotation_seconds INTEGER,
    shared_history INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS members (room_id TEXT, user_id TEXT, membership TEXT NOT NULL,
    PRIMARY KEY (room_id, user_id));
CREATE TABLE IF NOT EXISTS outbound (room_id TEXT PRIMARY KEY, session_id TEXT NOT NULL,
    pickle TEXT NOT NULL);
-- Who has the key of an outbound session. `again`: they may have lost it.
CREATE TABLE IF NOT EXISTS shared (session_id TEXT, user_id TEXT, device_id TEXT,
    again INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (session_id, user_id, device_id));
CREATE TABLE IF NOT EXISTS inbound (room_id TEXT, session_id TEXT, pickle TEXT NOT NULL,
    guard TEXT NOT NULL, sender TEXT, sender_key TEXT NOT NULL, sender_ed25519 TEXT NOT NULL,
    backed_up INTEGER NOT NULL DEFAULT 0, shared_history INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (room_id, session_id));
-- As they came from the server: encrypted.
CREATE TABLE IF NOT EXISTS events (id INTEGER PRIMARY KEY, room_id TEXT NOT NULL,
    event_id TEXT UNIQUE NOT NULL, json TEXT NOT NULL, shown INTEGER NOT NULL DEFAULT 0);
-- Verification messages that wait for the command `verify`.
CREATE TABLE IF NOT EXISTS inbox (id INTEGER PRIMARY KEY, received INTEGER NOT NULL, json TEXT NOT NULL);
-- Requests that were saved together with the keys they used, and are repeated until they succeed.
CREATE TABLE IF NOT EXISTS outbox (id INTEGER PRIMARY KEY AUTOINCREMENT, path TEXT NOT NULL,
    body TEXT NOT NULL);
";

/// Columns that stores of the first version do not have: the table, the column, its definition.
const ADDED: [(&str, &str, &str); 2] = [
    ("rooms", "shared_history", "INTEGER NOT NULL DEFAULT 0"),
    ("inbound", "shared_history", "INTEGER NOT NULL DEFAULT 0"),
];

pub struct Store {
    pub db: Connection,
    key: PickleKey,
}

impl Store {
    /// Opens the store in this directory. Nothing is made if there is none.
    pub fn open(directory: &Path) -> Result<Self> {
        ensure!(
            directory.join(DATABASE).try_exists()?,
            "there is no store in {}: log in first with `matrix_chat login @you:server`, or name \
             another directory with --store",
            directory.display()
        );
        Self::connect(directory)
            .with_context(|| format!("cannot use the store {}", directory.display()))
    }

    /// Opens the store in this directory, or begins one, for a login. Fails if somebody is logged
    /// in there.
    pub fn create(directory: &Path) -> Result<Self> {
        Self::vacant(directory)?;
        let create = || {
            private::directory(directory)?;
            if !directory.join(DATABASE).try_exists()? {
                new_pickle_key(&directory.join(KEY))?;
                // SQLite gives the files that it makes itself the mode of this one.
                private::new_file(&directory.join(DATABASE))?;
            }
            Self::connect(directory)
        };
        create().with_context(|| format!("cannot begin a store in {}", directory.display()))
    }

    /// Fails if somebody is logged in with the store in this directory.
    pub fn vacant(directory: &Path) -> Result<()> {
        if !directory.join(DATABASE).try_exists()? {
            return Ok(());
        }
        match Self::open(directory)?.meta("user_id")? {
            None => Ok(()),
            Some(user_id) => bail!(
                "the store {} belongs to {user_id}: name another directory with --store",
                directory.display()
            ),
        }
    }

    fn connect(directory: &Path) -> Result<Self> {
        private::directory(directory)?;
        for file in DATABASES.iter().chain([&KEY]) {
            private::restrict(&directory.join(file))?;
        }
        let key = pickle_key(&directory.join(KEY))?;
        let db = Connection::open(directory.join(DATABASE))?;
        db.busy_timeout(Duration::from_secs(30))?;
        // What is committed is on the disk: only then may a message be sent.
        db.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;")?;
        db.execute_batch(SCHEMA)?;
        let store = Self { db, key };
        for (table, column, definition) in ADDED {
            let has = "SELECT count(*) FROM pragma_table_info(?) WHERE name = ?";
            if store.one(has, [table, column])? == Some(0) {
                store.run(&format!("ALTER TABLE {table} ADD COLUMN {column} {definition}"), [])?;
            }
        }
        Ok(store)
    }

    /// Does all of it, or, on an error, nothing.
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
        let pickle = self.meta("account")?.context(crate::account::NOT_LOGGED_IN)?;
        Account::from_pickle(&pickle, &self.key, b"account")
            .context("the account in the store cannot be read: is pickle.key that of this store?")
    }

    pub fn save_account(&self, account: &Account) -> Result<()> {
        self.set_meta("account", &account.pickle(&self.key, b"account")?)
    }

    /// All sessions with a device, the one to send with first: where a message came last.
    pub fn olm_sessions(&self, their_key: &str) -> Result<Vec<Session>> {
        let ids: Vec<String> = self.all(
            "SELECT session_id FROM olm_sessions WHERE their_key = ? \
             ORDER BY used DESC, rowid DESC",
            [their_key],
        )?;
        ids.iter().map(|id| self.olm_session(their_key, id)).collect()
    }

    fn olm_session(&self, their_key: &str, id: &str) -> Result<Session> {
        let sql = "SELECT pickle FROM olm_sessions WHERE session_id = ?";
        let pickle = self.one::<String>(sql, [id])?.context("the session is gone")?;
        Ok(Session::from_pickle(&pickle, &self.key, olm_context(their_key, id).as_bytes())?)
    }

    /// `received`: a message was decrypted, so this is the session to answer with.
    pub fn save_olm_session(
        &self,
        their_key: &str,
        session: &Session,
        received: bool,
    ) -> Result<()> {
        let id = session.session_id();
        let pickle = session.pickle(&self.key, olm_context(their_key, &id).as_bytes())?;
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
        let context = inbound_context(room_id, &session.session_id());
        Ok(session.pickle(&self.key, context.as_bytes())?)
    }

    pub fn open_inbound(
        &self,
        room_id: &str,
        session_id: &str,
        pickle: &str,
    ) -> Result<InboundGroupSession> {
        let context = inbound_context(room_id, session_id);
        Ok(InboundGroupSession::from_pickle(pickle, &self.key, context.as_bytes())?)
    }

    pub fn pickle_guard(&self, room_id: &str, guard: &ReplayGuard) -> Result<String> {
        Ok(guard.pickle(&self.key, guard_context(room_id).as_bytes())?)
    }

    /// The replay guard of this session: that of another one is not opened (S-46).
    pub fn open_guard(
        &self,
        room_id: &str,
        pickle: &str,
        session: &InboundGroupSession,
    ) -> Result<ReplayGuard> {
        let context = guard_context(room_id);
        Ok(ReplayGuard::from_pickle(pickle, &self.key, context.as_bytes(), session)?)
    }

    /// Keeps a request until it has succeeded. Call it in the transaction that saves the pickles.
    pub fn queue(&self, path: &str, body: &Value) -> Result<()> {
        self.run("INSERT INTO outbox (path, body) VALUES (?, ?)", [path, &body.to_string()])?;
        Ok(())
    }
}

/// Each row has its own context, so whoever can write to the store cannot exchange sessions.
fn olm_context(their_key: &str, session_id: &str) -> String {
    format!("olm {their_key} {session_id}")
}

fn inbound_context(room_id: &str, session_id: &str) -> String {
    format!("inbound {room_id} {session_id}")
}

/// A guard itself knows of which session it is.
fn guard_context(room_id: &str) -> String {
    format!("guard {room_id}")
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
    let data = data
        .or_else(home)
        .context("you have no home directory: say with --store DIR where keys are kept")?;
    Ok(data.join("matrix_chat"))
}

/// The key of all pickles. A client with a keyring keeps it there; this one has a file next to the
/// database, so the database alone is worth nothing, and the directory is.
fn pickle_key(path: &Path) -> Result<PickleKey> {
    let bytes = fs::read(path).map(Zeroizing::new).with_context(|| {
        format!("cannot read {}, without which the store is worth nothing", path.display())
    })?;
    let mut key = <[u8; 32]>::try_from(bytes.as_slice())
        .with_context(|| format!("{} is damaged: it must have 32 bytes", path.display()))?;
    let pickle_key = PickleKey::from_bytes(key);
    key.zeroize();
    Ok(pickle_key)
}

/// Draws a new key. One that is there already stays: it is of a login that was cut off.
fn new_pickle_key(path: &Path) -> Result<()> {
    if path.try_exists()? {
        return Ok(());
    }
    let mut key = Zeroizing::new([0; 32]);
    SysRng.try_fill_bytes(&mut *key)?;
    let mut file = private::new_file(path)?;
    file.write_all(&*key)?;
    Ok(file.sync_all()?)
}

/// A directory for one test.
#[cfg(test)]
pub struct Directory(PathBuf);

#[cfg(test)]
impl Directory {
    pub fn new() -> Self {
        Self(std::env::temp_dir().join(format!("matrix_chat-{}", unique().unwrap())))
    }
}

#[cfg(test)]
impl std::ops::Deref for Directory {
    type Target = Path;

    fn deref(&self) -> &Path {
        &self.0
    }
}

#[cfg(test)]
impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use moceril::olm::PreKeyBundle;

    use super::*;

    #[test]
    fn the_sessions_that_were_used_last_are_kept() {
        let directory = Directory::new();
        let store = Store::create(&directory).unwrap();
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
    }

    #[test]
    fn a_store_is_made_by_a_login_alone() {
        let directory = Directory::new();
        Store::vacant(&directory).unwrap();
        let error = Store::open(&directory).err().unwrap().to_string();
        assert!(error.contains("matrix_chat login"), "{error}");
        assert!(!directory.exists());

        let store = Store::create(&directory).unwrap();
        let error = store.account().err().unwrap().to_string();
        assert!(error.contains("matrix_chat login"), "{error}");
        // A login that was refused may be repeated; one that was not, may not.
        Store::create(&directory).unwrap().set_meta("user_id", "@us:here").unwrap();
        for error in [Store::vacant(&directory).err(), Store::create(&directory).err()] {
            let error = error.unwrap().to_string();
            assert!(error.contains("@us:here") && error.contains("--store"), "{error}");
        }
    }

    #[test]
    fn a_store_keeps_its_key() {
        let directory = Directory::new();
        Store::create(&directory).unwrap().save_account(&Account::new().unwrap()).unwrap();
        let key = fs::read(directory.join(KEY)).unwrap();
        Store::create(&directory).unwrap().account().unwrap();
        fs::write(directory.join(KEY), &key[1..]).unwrap();
        let error = format!("{:#}", Store::open(&directory).err().unwrap());
        assert!(error.contains("damaged"), "{error}");
        fs::remove_file(directory.join(KEY)).unwrap();
        for opened in [Store::open(&directory), Store::create(&directory)] {
            let error = format!("{:#}", opened.err().unwrap());
            assert!(error.contains("pickle.key"), "{error}");
            assert!(!directory.join(KEY).exists());
        }
        fs::write(directory.join(KEY), &key).unwrap();
        Store::open(&directory).unwrap().account().unwrap();
        // As if a login had been cut off after it drew the key.
        for file in DATABASES {
            let _ = fs::remove_file(directory.join(file));
        }
        Store::create(&directory).unwrap();
        assert_eq!(fs::read(directory.join(KEY)).unwrap(), key);
    }

    #[cfg(unix)]
    #[test]
    fn only_the_owner_can_read_the_files() {
        use std::os::unix::fs::PermissionsExt;

        let set = |path: &Path, mode| {
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        };
        let modes = |directory: &Path| {
            let files = fs::read_dir(directory).unwrap().map(|file| {
                let file = file.unwrap();
                let mode = file.metadata().unwrap().permissions().mode() & 0o777;
                (file.file_name().into_string().unwrap(), mode)
            });
            files.collect::<std::collections::BTreeMap<_, _>>()
        };
        let directory = Directory::new();
        let store = Store::create(&directory).unwrap();
        store.set_meta("name", "value").unwrap();
        let names = ["pickle.key", "store.db", "store.db-shm", "store.db-wal"];
        let private = names.map(|name| (name.to_owned(), 0o600)).into();
        assert_eq!(modes(&directory), private);
        // Those of an older version.
        for name in names {
            set(&directory.join(name), 0o644);
        }
        let again = Store::open(&directory).unwrap();
        assert_eq!(modes(&directory), private);
        drop((store, again));

        set(&directory, 0o755);
        let error = format!("{:#}", Store::open(&directory).err().unwrap());
        assert!(error.contains("chmod 700"), "{error}");
    }
}
