use moceril::{
    megolm::{GroupSession, InboundGroupSession},
    olm::{Account, PreKeyBundle},
};
use rusqlite::Connection;

use super::*;

const OLD: &str = "DEFAULT_KEY";

/// The tables as the clients make them, as far as they have to do with pickles.
const NIO: &str = "
    CREATE TABLE accounts (id INTEGER PRIMARY KEY, account BLOB, user_id TEXT, device_id TEXT);
    CREATE TABLE olmsessions (session_id TEXT PRIMARY KEY, sender_key TEXT, session BLOB);
    CREATE TABLE megolminboundsessions (session_id TEXT PRIMARY KEY, room_id TEXT, session BLOB);
    CREATE TABLE synctokens (id INTEGER PRIMARY KEY, token TEXT);
    INSERT INTO synctokens VALUES (1, 'token');";
const MAUTRIX: &str = "
    CREATE TABLE crypto_account (account_id TEXT PRIMARY KEY, account BLOB);
    CREATE TABLE crypto_olm_session (session_id TEXT, session BLOB, account_id TEXT,
        PRIMARY KEY (account_id, session_id));
    CREATE TABLE crypto_megolm_inbound_session (session_id TEXT, session BLOB, account_id TEXT,
        PRIMARY KEY (account_id, session_id));
    CREATE TABLE crypto_megolm_outbound_session (room_id TEXT, session_id TEXT, session BLOB);
    INSERT INTO crypto_megolm_inbound_session VALUES ('withheld', NULL, 'me');";

struct Keys {
    folder: tempfile::TempDir,
    account: Account,
    session: moceril::olm::Session,
    group: GroupSession,
    inbound: InboundGroupSession,
}

impl Keys {
    fn new() -> Self {
        let (account, mut peer) = (Account::new().unwrap(), Account::new().unwrap());
        peer.generate_one_time_keys(1).unwrap();
        let bundle = PreKeyBundle::verify(peer.identity_keys(), &peer.signed_one_time_keys()[0].1);
        // What libolm has written holds only what libolm can write.
        let pickle = account.create_outbound_session(&bundle.unwrap()).unwrap();
        let pickle = pickle.to_libolm_pickle_lossy(OLD).unwrap().0;
        let session = moceril::olm::Session::from_libolm_pickle(&pickle, OLD).unwrap();
        let group = GroupSession::new(0).unwrap();
        let inbound = InboundGroupSession::new(&group.session_key());
        Self { folder: tempfile::tempdir().unwrap(), account, session, group, inbound }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn put(connection: &Connection, sql: &str, id: &str, pickle: &str) {
        connection.execute(sql, (id, pickle.as_bytes())).unwrap();
    }

    fn nio(&self) -> PathBuf {
        let path = self.path("nio.db");
        let connection = Connection::open(&path).unwrap();
        connection.execute_batch(NIO).unwrap();
        let put = |sql, id: &str, pickle: &str| Self::put(&connection, sql, id, pickle);
        let account = self.account.to_libolm_pickle_lossy(OLD).unwrap().0;
        put("INSERT INTO accounts (user_id, account) VALUES (?1, ?2)", "@me", &account);
        let (id, session) =
            (self.session.session_id(), self.session.to_libolm_pickle(OLD).unwrap());
        put("INSERT INTO olmsessions (session_id, session) VALUES (?1, ?2)", &id, &session);
        let inbound = self.inbound.to_libolm_pickle_lossy(OLD).unwrap().0;
        let sql = "INSERT INTO megolminboundsessions (session_id, session) VALUES (?1, ?2)";
        put(sql, &self.inbound.session_id(), &inbound);
        path
    }

    fn mautrix(&self) -> PathBuf {
        let path = self.path("mautrix.db");
        let connection = Connection::open(&path).unwrap();
        connection.execute_batch(MAUTRIX).unwrap();
        let group = self.group.to_libolm_pickle_lossy(OLD).unwrap().0;
        let sql =
            "INSERT INTO crypto_megolm_outbound_session (session_id, session) VALUES (?1, ?2)";
        Self::put(&connection, sql, &self.group.session_id(), &group);
        path
    }

    fn secret(&self, name: &str, secret: &[u8]) -> Option<Secret> {
        std::fs::write(self.path(name), secret).unwrap();
        Some(Secret::File(self.path(name)))
    }

    fn source(&self, file: PathBuf, key: &[u8]) -> Source {
        Source { file, key: self.secret("key", key) }
    }

    fn migrate(&self, file: PathBuf, to: &str) -> Result<Report> {
        migrate(&Migrate {
            source: self.source(file, OLD.as_bytes()),
            from: Writer::Libolm,
            to: Writer::Vodozemac,
            new_key: self.secret("new key", &[7; 32]),
            accept: vec![],
            output: Output::to_file(self.path(to)),
        })
    }
}

#[test]
fn a_store_is_moved_and_the_original_is_not_touched() {
    let keys = Keys::new();
    let path = keys.nio();
    let before = std::fs::read(&path).unwrap();
    let report = keys.migrate(path.clone(), "new.db").unwrap().to_json();
    let counts = ["accounts", "Olm_sessions", "inbound_group_sessions"];
    assert_eq!(counts.map(|name| report[name].as_u64()), [Some(1); 3], "{report}");
    assert_eq!(std::fs::read(&path).unwrap(), before);

    let new =
        Check { source: keys.source(keys.path("new.db"), &[7; 32]), format: Writer::Vodozemac };
    assert!(!check(&new).unwrap().has_problems());
    let connection = Connection::open(keys.path("new.db")).unwrap();
    let token: String =
        connection.query_row("SELECT token FROM synctokens", [], |row| row.get(0)).unwrap();
    assert_eq!(token, "token", "everything else is copied");

    let again = keys.migrate(path, "new.db").unwrap_err();
    assert_eq!(again.code, crate::failure::Code::File, "no file is replaced");
}

#[test]
fn a_session_without_a_pickle_is_left_as_it_is() {
    let keys = Keys::new();
    let report = keys.migrate(keys.mautrix(), "new.db").unwrap().to_json();
    assert_eq!(report["outbound_group_sessions"], 1);
    assert!(report.get("inbound_group_sessions").is_none());
}

#[test]
fn a_damaged_or_exchanged_pickle_is_named_and_nothing_is_written() {
    let keys = Keys::new();
    for damage in [
        "UPDATE megolminboundsessions SET session = CAST('AAAA' AS BLOB)",
        "UPDATE megolminboundsessions SET session_id = 'other'",
    ] {
        let path = keys.nio();
        Connection::open(&path).unwrap().execute(damage, []).unwrap();
        let args =
            Check { source: keys.source(path.clone(), OLD.as_bytes()), format: Writer::Libolm };
        let report = check(&args).unwrap().to_json();
        let problem = report["problems"][0].as_str().unwrap();
        assert!(problem.starts_with("megolminboundsessions "), "{problem}");
        assert!(keys.migrate(path.clone(), "new.db").is_err());
        assert!(!keys.path("new.db").exists());
        std::fs::remove_file(path).unwrap();
    }
}

#[test]
fn a_wrong_key_and_another_file_are_told_apart() {
    let keys = Keys::new();
    let code = |file: PathBuf, key: &[u8]| {
        check(&Check { source: keys.source(file, key), format: Writer::Libolm }).unwrap_err().code
    };
    assert_eq!(code(keys.nio(), b"wrong"), crate::failure::Code::Key);
    std::fs::write(keys.path("text"), "no database, but a text of some length").unwrap();
    assert_eq!(code(keys.path("text"), b"wrong"), crate::failure::Code::Input);
    assert_eq!(code(keys.path("missing"), b"wrong"), crate::failure::Code::File);
}
