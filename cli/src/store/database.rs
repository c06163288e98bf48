//! Where the pickles of a store are.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use rusqlite::{
    Connection, OpenFlags, OptionalExtension,
    types::{Value, ValueRef},
};
use tempfile::NamedTempFile;
use zeroize::Zeroizing;

use super::Origin;
use crate::{
    failure::{Code, Failure, Result},
    pickle::object::Kind,
    report::Report,
};

/// A column with pickles.
pub struct Column {
    pub table: &'static str,
    pub pickle: &'static str,
    /// The column that names the session.
    pub id: Option<&'static str>,
    kind: Kind,
}

const fn column(
    table: &'static str,
    pickle: &'static str,
    id: Option<&'static str>,
    kind: Kind,
) -> Column {
    Column { table, pickle, id, kind }
}

const ID: Option<&str> = Some("session_id");

const NIO: [Column; 3] = [
    column("accounts", "account", None, Kind::Account),
    column("olmsessions", "session", ID, Kind::Session),
    column("megolminboundsessions", "session", ID, Kind::InboundGroupSession),
];

pub const MAUTRIX: [Column; 4] = [
    column("crypto_account", "account", None, Kind::Account),
    column("crypto_olm_session", "session", ID, Kind::Session),
    column("crypto_megolm_inbound_session", "session", ID, Kind::InboundGroupSession),
    column("crypto_megolm_outbound_session", "session", ID, Kind::GroupSession),
];

/// What is known of the store of a client.
struct Known {
    name: &'static str,
    columns: &'static [Column],
    /// Asks for the origin of the session in a row: the room, the sender's Curve25519 and Ed25519
    /// keys, and those who have forwarded the key, with commas between them.
    origin: &'static str,
    /// Whether its pickles of vodozemac are encrypted under the SHA-256 of the pickle key, instead
    /// of the pickle key itself.
    hashes_key: bool,
}

const STORES: [Known; 2] = [
    Known {
        name: "matrix-nio",
        columns: &NIO,
        origin: "SELECT room_id, sender_key, fp_key, (SELECT group_concat(sender_key) FROM
            (SELECT sender_key FROM forwardedchains WHERE session_id = received.session_id
            ORDER BY rowid)) FROM megolminboundsessions AS received WHERE rowid = ?1",
        // matrix-nio 0.26, `nio/crypto/sessions.py`, `derive_pickle_key`.
        hashes_key: true,
    },
    Known {
        name: "mautrix-python",
        columns: &MAUTRIX,
        origin: "SELECT room_id, sender_key, signing_key, forwarding_chains
            FROM crypto_megolm_inbound_session WHERE rowid = ?1",
        hashes_key: false,
    },
];

/// A pickle's row.
pub struct Place<'a> {
    column: &'a Column,
    id: Option<String>,
    row: i64,
}

impl<'a> Place<'a> {
    pub const fn new(column: &'a Column, id: Option<String>, row: i64) -> Self {
        Self { column, id, row }
    }

    pub const fn kind(&self) -> Kind {
        self.column.kind
    }

    pub fn session_id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    pub fn name(&self) -> String {
        let id = self.id.clone().unwrap_or_else(|| format!("row {}", self.row));
        format!("{} {id}", self.column.table)
    }
}

pub struct Database {
    path: PathBuf,
    connection: Connection,
    store: &'static Known,
}

/// A copy that is not visible until it is complete.
pub struct Copy {
    pub database: Database,
    file: NamedTempFile,
}

impl Copy {
    /// The file, which no other program has open.
    pub fn into_file(self) -> Result<NamedTempFile> {
        let path = self.database.path;
        self.database.connection.close().map_err(|(_, error)| refused(&path, &error))?;
        Ok(self.file)
    }
}

pub fn refused(path: &Path, error: &rusqlite::Error) -> Failure {
    Failure::input(error).at(path.display())
}

/// Opens a database for reading.
pub fn connect(path: &Path) -> Result<Connection> {
    if !path.exists() {
        return Err(Failure::file(format_args!("{}: there is no such file", path.display())));
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Connection::open_with_flags(path, flags).map_err(|error| refused(path, &error))
}

impl Database {
    /// The store of a bot or bridge.
    pub fn of(path: &Path, connection: Connection) -> Result<Self> {
        let has = |table: &str| {
            let sql = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?1";
            connection.query_row(sql, [table], |_| Ok(())).optional()
        };
        for store in &STORES {
            let found: rusqlite::Result<Vec<_>> =
                store.columns.iter().map(|column| has(column.table)).collect();
            let found = found.map_err(|error| refused(path, &error))?;
            if found.iter().all(Option::is_some) {
                return Ok(Self { path: path.into(), connection, store });
            }
        }
        Err(Failure::input(
            "this is not a database of matrix-nio, mautrix-python or matrix-rust-sdk",
        )
        .at(path.display())
        .hint("name the file in which the bot, bridge or client keeps its keys"))
    }

    /// Whose store it is.
    pub const fn name(&self) -> &'static str {
        self.store.name
    }

    /// Whether vodozemac's pickles in it are encrypted under the SHA-256 of the pickle key.
    pub const fn hashes_key(&self) -> bool {
        self.store.hashes_key
    }

    /// Copies everything into a new file in the folder of `target`.
    pub fn copy_beside(&self, target: &Path) -> Result<Copy> {
        let folder = target.parent().filter(|folder| !folder.as_os_str().is_empty());
        let file = NamedTempFile::new_in(folder.unwrap_or(Path::new("."))).map_err(|error| {
            Failure::file(std::io::Error::from(error.kind())).at(target.display())
        })?;
        let name = file.path().to_str().ok_or_else(|| Failure::file("the name is not UTF-8"))?;
        // It copies from one moment, also while the client writes.
        self.connection
            .execute("VACUUM INTO ?1", [name])
            .map_err(|error| refused(&self.path, &error))?;
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(file.path(), flags);
        let connection = connection.map_err(|error| refused(&self.path, &error))?;
        // Pickles under the old key are overwritten; otherwise they would stay in pages that are
        // now free.
        connection
            .pragma_update(None, "secure_delete", true)
            .map_err(|error| refused(&self.path, &error))?;
        let database = Self::of(file.path(), connection)?;
        Ok(Copy { database, file })
    }

    /// Hands each pickle with its place to `visit`.
    pub fn each(&self, mut visit: impl FnMut(&Place<'_>, &str) -> Result<()>) -> Result<()> {
        for column in self.store.columns {
            for row in self.rows(column)? {
                if let Some((place, pickle, _)) = self.read(column, row)? {
                    visit(&place, &pickle)?;
                }
            }
        }
        Ok(())
    }

    /// Hands each session of a room that was received to `visit`: its place, its pickle, and its
    /// origin.
    pub fn each_inbound(
        &self,
        mut visit: impl FnMut(&Place<'_>, &str, Origin) -> Result<()>,
    ) -> Result<()> {
        let failed = |error: rusqlite::Error| refused(&self.path, &error);
        let mut columns = self.store.columns.iter();
        let Some(column) = columns.find(|column| column.kind == Kind::InboundGroupSession) else {
            return Ok(());
        };
        let mut statement = self.connection.prepare(self.store.origin).map_err(failed)?;
        for row in self.rows(column)? {
            let Some((place, pickle, _)) = self.read(column, row)? else { continue };
            visit(&place, &pickle, statement.query_row([row], origin).map_err(failed)?)?;
        }
        Ok(())
    }

    /// Puts what `change` makes of each pickle in its place: of all of them, or of none.
    pub fn rewrite(
        &self,
        mut change: impl FnMut(&Place<'_>, &str) -> Result<String>,
    ) -> Result<()> {
        let failed = |error: rusqlite::Error| refused(&self.path, &error);
        let transaction = self.connection.unchecked_transaction().map_err(failed)?;
        for column in self.store.columns {
            let sql =
                format!("UPDATE {} SET {} = ?1 WHERE rowid = ?2", column.table, column.pickle);
            for row in self.rows(column)? {
                let Some((place, pickle, is_blob)) = self.read(column, row)? else { continue };
                let new = change(&place, &pickle).map_err(|failure| failure.at(place.name()))?;
                let new = if is_blob { Value::Blob(new.into_bytes()) } else { Value::Text(new) };
                self.connection.execute(&sql, (new, row)).map_err(failed)?;
            }
        }
        transaction.commit().map_err(failed)
    }

    fn rows(&self, column: &Column) -> Result<Vec<i64>> {
        let failed = |error: rusqlite::Error| refused(&self.path, &error);
        let sql = format!("SELECT rowid FROM {} ORDER BY rowid", column.table);
        let mut statement = self.connection.prepare(&sql).map_err(failed)?;
        let rows = statement.query_map([], |row| row.get(0)).map_err(failed)?;
        rows.collect::<rusqlite::Result<_>>().map_err(failed)
    }

    /// The pickle of a row, if there is one, and whether it is stored as bytes.
    fn read<'a>(
        &self,
        column: &'a Column,
        row: i64,
    ) -> Result<Option<(Place<'a>, Zeroizing<String>, bool)>> {
        let failed = |error: rusqlite::Error| refused(&self.path, &error);
        let Column { table, pickle, id, .. } = column;
        let sql =
            format!("SELECT {pickle}, {} FROM {table} WHERE rowid = ?1", id.unwrap_or("NULL"));
        let read = self.connection.query_row(&sql, [row], |values| {
            let (value, is_blob) = match values.get_ref(0)? {
                // A session that its owner has refused to share is stored without a pickle.
                ValueRef::Null => return Ok(None),
                ValueRef::Blob(bytes) => (String::from_utf8_lossy(bytes).into_owned(), true),
                _ => (values.get(0)?, false),
            };
            Ok(Some((values.get(1)?, Zeroizing::new(value), is_blob)))
        });
        let read = read.map_err(failed)?;
        Ok(read.map(|(id, pickle, is_blob)| (Place::new(column, id, row), pickle, is_blob)))
    }
}

fn origin(row: &rusqlite::Row<'_>) -> rusqlite::Result<Origin> {
    let claimed: Option<String> = row.get(2)?;
    let claimed = claimed.filter(|key| !key.is_empty()).map(|key| ("ed25519".to_owned(), key));
    let chain: Option<String> = row.get(3)?;
    let chain = chain.iter().flat_map(|chain| chain.split(',')).filter(|key| !key.is_empty());
    Ok(Origin {
        room_id: row.get(0)?,
        sender_key: row.get(1)?,
        claimed: claimed.into_iter().collect(),
        forwarding_chain: chain.map(str::to_owned).collect(),
        shared_history: None,
    })
}

/// How many pickles are good, by their kind.
#[derive(Default)]
pub struct Tally {
    good: BTreeMap<&'static str, u64>,
    problems: Vec<String>,
    wrong_key: usize,
}

impl Tally {
    /// Counts a pickle.
    pub fn count(&mut self, kind: Kind, name: &str, outcome: Result<()>) -> Result<()> {
        match outcome {
            Ok(()) => *self.good.entry(kind.plural()).or_default() += 1,
            Err(failure) => {
                self.wrong_key += usize::from(failure.code == Code::Key);
                self.problems.push(format!("{name}: {}", failure.what()));
            }
        }
        Ok(())
    }

    /// If no pickle opens because of the key, the key is wrong, not the store.
    pub fn refuse_wrong_key(&self, hint: impl std::fmt::Display) -> Result<()> {
        if self.good.is_empty() && self.wrong_key > 0 {
            return Err(Failure::key("the key opens no pickle of the store").hint(hint));
        }
        Ok(())
    }

    pub fn report(self, report: Report) -> Report {
        let report =
            self.good.into_iter().fold(report, |report, (kind, count)| report.with(kind, count));
        self.problems.into_iter().fold(report, Report::problem)
    }
}
