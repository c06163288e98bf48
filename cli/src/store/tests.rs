//! Stores are made here with the tables of the clients, and pickles under the key `OLD`. They are
//! checked, exported and moved, also where they are damaged or in use.

#[cfg(unix)]
use std::{io::Write, time::Duration};

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
    CREATE TABLE megolminboundsessions (session_id TEXT PRIMARY KEY, room_id TEXT, sender_key TEXT,
        fp_key TEXT, session BLOB);
    CREATE TABLE forwardedchains (id INTEGER PRIMARY KEY, sender_key TEXT, session_id TEXT);
    CREATE TABLE synctokens (id INTEGER PRIMARY KEY, token TEXT);
    INSERT INTO synctokens VALUES (1, 'token');";
const MAUTRIX: &str = "
    CREATE TABLE crypto_account (account_id TEXT PRIMARY KEY, account BLOB);
    CREATE TABLE crypto_olm_session (session_id TEXT, session BLOB, account_id TEXT,
        PRIMARY KEY (account_id, session_id));
    CREATE TABLE crypto_megolm_inbound_session (session_id TEXT, session BLOB, account_id TEXT,
        sender_key TEXT, signing_key TEXT, room_id TEXT, forwarding_chains TEXT,
        PRIMARY KEY (account_id, session_id));
    CREATE TABLE crypto_megolm_outbound_session (room_id TEXT, session_id TEXT, session BLOB);
    INSERT INTO crypto_megolm_inbound_session (session_id) VALUES ('withheld');";

/// The pickle of an account that matrix-nio 0.26.0 wrote under its default key.
const NIO_ACCOUNT: &str = "\
    VK7G8GanCIBRZUUg7aKBZcsH2I5qeF/5mEP9y7SPG8DbNpMY8PjjkstDNW6BK/Qg4r3qmJA5SG3WaA1riunAZ9uz\
    KGm8egUz9pH02/Co7BCPmE7cO2QOMaNM7hS+KlpJU+nRa/5UvYcHSxdy/wmeGilOMxQGdWnOPLQHDoyPhhwoCS0s\
    QHPvXfLK3y1opDimu3XtBM+ATaemY9klMqxrgLv8NDdqhUd3SSX5phagnvoit7y1XnN2zlQaUiF9y/OO8e8pNXpr\
    VoTuffD0CgWsDHhk/W7acpmV5i6taVuhtwT3af4vyKw1cLwmFBE7XbDDMajBYM1Qhx1uDoJ+Ua6r1nVad/VLxjQl\
    VeVL2a8Ibin3cCrKFk43b5ECIpB4pW1ADZDDScgSPAu4OQJO92QD8Hlivsg6Va7d+Mn4abPbFQIdKrSumUO+xTQv\
    +6l9C+6CY2390jw0GY82EOs8PUckyeM5WehRhUDqxrFLLaegRSUERIEghRAQEBYrm9Ge3DHGn+k569LRr8xp2m1W\
    GCiM68kCqNztnSLXx/gvwjgT0K8uEvAiKlaLQrhbX4UWLSt4nym16tj4Ef0";
const NIO_ACCOUNT_KEY: &str = "jb1OUpFTE5GxvaRFOpuyefUgfCC//k+rCmjL3RKUB0g";

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
        let group = GroupSession::new(Duration::ZERO).unwrap();
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
        let sql = "INSERT INTO megolminboundsessions (session_id, session, room_id, sender_key)
            VALUES (?1, ?2, '!room', 'sender')";
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

    fn dump(&self) -> PathBuf {
        let hex = |text: &str| text.bytes().map(|byte| format!("{byte:02x}")).collect::<String>();
        let account = hex(&self.account.to_libolm_pickle_lossy(OLD).unwrap().0);
        let inbound = hex(&self.inbound.to_libolm_pickle_lossy(OLD).unwrap().0);
        let id = self.inbound.session_id();
        let path = self.path("dump.sql");
        let dump = format!(
            "--\n-- PostgreSQL database dump\n--\n\
             COPY public.crypto_account (account_id, account) FROM stdin;\n\
             me\t\\\\x{account}\n\\.\n\
             COPY public.crypto_megolm_inbound_session (session_id, session) FROM stdin;\n\
             {id}\t\\\\x{inbound}\nwithheld\t\\N\n\\.\n"
        );
        std::fs::write(&path, dump).unwrap();
        path
    }

    fn secret(&self, name: &str, secret: &[u8]) -> Option<Secret> {
        std::fs::write(self.path(name), secret).unwrap();
        Some(Secret::File(self.path(name)))
    }

    fn source(&self, file: PathBuf, key: &[u8]) -> Source {
        Source { file, key: self.secret("key", key) }
    }

    /// The command that moves a store to this file.
    fn migration(&self, file: PathBuf, to: &str, force: bool) -> Migrate {
        Migrate {
            source: self.source(file, OLD.as_bytes()),
            from: Writer::Libolm,
            to: Writer::Vodozemac,
            new_key: self.secret("new key", &[7; 32]),
            accept: vec![],
            output: Output::to_file(self.path(to), force),
        }
    }

    fn migrate(&self, file: PathBuf, to: &str) -> Result<Report> {
        migrate(&self.migration(file, to, false))
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

/// A long pickle has pages of its own, and another one is written to others.
#[test]
fn nothing_encrypted_under_the_old_key_stays_in_the_copy() {
    let mut keys = Keys::new();
    keys.account.generate_one_time_keys(100).unwrap();
    let old = keys.account.to_libolm_pickle_lossy(OLD).unwrap().0;
    let source = keys.nio();
    let holds_old = |path: &PathBuf| {
        let bytes = std::fs::read(path).unwrap();
        let mut pieces = old.as_bytes().chunks_exact(100);
        pieces.any(|piece| bytes.windows(piece.len()).any(|window| window == piece))
    };
    keys.migrate(source.clone(), "new.db").unwrap();
    assert!(holds_old(&source) && !holds_old(&keys.path("new.db")));
}

/// SQLite writes the log of a database that was not closed over whatever has its name.
#[test]
fn a_database_that_is_in_use_is_not_replaced() {
    let keys = Keys::new();
    let (source, target) = (keys.nio(), keys.path("used.db"));
    let program = Connection::open(&target).unwrap();
    program.pragma_update(None, "journal_mode", "WAL").unwrap();
    program.execute_batch("CREATE TABLE a (b); INSERT INTO a VALUES (1)").unwrap();
    let log = keys.path("used.db-wal");
    let contents = || [&target, &log].map(|path| std::fs::read(path).unwrap());
    let before = contents();
    assert!(!before[1].is_empty());
    let in_use = |force| {
        let mut args = keys.migration(source.clone(), "used.db", force);
        // It is refused before any work, or the wrong key would be.
        args.source.key = keys.secret("wrong key", b"wrong");
        let refusal = migrate(&args).unwrap_err();
        assert_eq!(refusal.code, crate::failure::Code::File);
        refusal.to_string()
    };
    assert!(in_use(true).contains("used.db: a program has this database open, or was"));
    assert!(contents() == before, "nothing is changed");

    drop(program);
    assert!(!log.exists());
    std::fs::write(keys.path("used.db-journal"), "").unwrap();
    assert!(in_use(true).contains("a program has this database open"));
    // A log can be left without its database.
    std::fs::remove_file(&target).unwrap();
    assert!(in_use(false).contains("a program has this database open"));
    std::fs::remove_file(keys.path("used.db-journal")).unwrap();
    migrate(&keys.migration(source, "used.db", false)).unwrap();
    let copy = Check { source: keys.source(target, &[7; 32]), format: Writer::Vodozemac };
    assert!(!check(&copy).unwrap().has_problems());
}

/// The key comes from a pipe, so that the test knows when the command is at work.
#[cfg(unix)]
#[test]
fn a_database_that_comes_into_use_is_not_replaced() {
    let keys = Keys::new();
    let (target, pipe) = (keys.path("used.db"), keys.path("pipe"));
    std::fs::write(&target, "of a program").unwrap();
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let mut args = keys.migration(keys.nio(), "used.db", true);
    args.new_key = Some(Secret::File(pipe.clone()));
    let refusal = std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut pipe = std::fs::OpenOptions::new().write(true).open(&pipe).unwrap();
            std::fs::write(keys.path("used.db-wal"), "").unwrap();
            pipe.write_all(&[7; 32]).unwrap();
        });
        migrate(&args).unwrap_err().to_string()
    });
    assert!(refusal.contains("a program has this database open"), "{refusal}");
    assert_eq!(std::fs::read(target).unwrap(), b"of a program");
}

#[test]
fn a_store_is_not_replaced_by_its_copy() {
    let keys = Keys::new();
    let path = keys.nio();
    let before = std::fs::read(&path).unwrap();
    let refusal = migrate(&keys.migration(path.clone(), "./nio.db", true)).unwrap_err();
    assert_eq!(refusal.code, crate::failure::Code::Usage, "{refusal}");
    assert_eq!(std::fs::read(path).unwrap(), before);
}

#[test]
fn a_dump_is_moved() {
    let keys = Keys::new();
    let report = keys.migrate(keys.dump(), "new.sql").unwrap().to_json();
    assert_eq!(report["written_by"], "mautrix-python");
    assert_eq!((&report["accounts"], &report["inbound_group_sessions"]), (&1.into(), &1.into()));
    let new =
        Check { source: keys.source(keys.path("new.sql"), &[7; 32]), format: Writer::Vodozemac };
    assert!(!check(&new).unwrap().has_problems());

    let damaged =
        std::fs::read_to_string(keys.dump()).unwrap().replace("\n\\.\nCOPY", "41\n\\.\nCOPY");
    std::fs::write(keys.path("dump.sql"), damaged).unwrap();
    let error = keys.migrate(keys.path("dump.sql"), "other.sql").unwrap_err().to_string();
    assert!(error.contains("crypto_account row 5: "), "{error}");
    assert!(!keys.path("other.sql").exists());
}

/// They are used for decrypting, beside those of key files.
#[test]
fn the_sessions_of_a_store_have_rooms_and_senders() {
    let keys = Keys::new();
    let sessions = |path: PathBuf, key: &[u8]| {
        let store_key = keys.secret("key", key);
        let store = KeyStore { store: Some(path), store_key, store_format: Writer::Libolm };
        let mut found = Vec::new();
        store.each_session(|session| {
            let named = session.map(|Received { session, origin }| {
                assert_eq!(session.session_id(), keys.inbound.session_id());
                origin
            });
            found.push(named);
            Ok(())
        })?;
        Ok::<_, Failure>(found)
    };
    let path = keys.nio();
    let found = sessions(path.clone(), OLD.as_bytes()).unwrap();
    let expected =
        Origin { room_id: "!room".into(), sender_key: "sender".into(), ..Origin::default() };
    assert_eq!(found, [Ok(expected)]);
    assert_eq!(sessions(path.clone(), b"wrong").unwrap_err().code, crate::failure::Code::Key);
    let damage = "UPDATE megolminboundsessions SET session_id = 'other'";
    Connection::open(&path).unwrap().execute(damage, []).unwrap();
    let found = sessions(path, OLD.as_bytes()).unwrap();
    assert!(found[0].as_ref().unwrap_err().contains("other: it is the pickle of another session"));
}

/// A key that was forwarded must not look like one that its sender has given.
#[test]
fn an_export_has_what_the_store_says_of_a_key() {
    let keys = Keys::new();
    let curve25519 = keys.account.curve25519_key().to_base64();
    let id = keys.inbound.session_id();
    let pickle = keys.inbound.to_libolm_pickle_lossy(OLD).unwrap().0;
    let exported = |file: PathBuf| {
        let (source, mut exported) = (keys.source(file, OLD.as_bytes()), Vec::new());
        each_session(&source.file, source.key.as_ref(), Writer::Libolm, "--format", |session| {
            let key = session.and_then(room_key).unwrap();
            assert_eq!(key.sender_key.unwrap().to_base64(), curve25519);
            assert!(key.other.is_empty());
            exported.push((key.sender_claimed_keys, key.forwarding_chain));
            Ok(())
        })
        .unwrap();
        assert_eq!(exported.len(), 1);
        exported.remove(0)
    };
    let claimed = BTreeMap::from([("ed25519".to_owned(), "claimed".to_owned())]);
    let chain = ["first".to_owned(), "second".to_owned()];

    let nio = keys.nio();
    let connection = Connection::open(&nio).unwrap();
    connection.execute("UPDATE megolminboundsessions SET sender_key = ?1", [&curve25519]).unwrap();
    assert_eq!(exported(nio.clone()), (BTreeMap::new(), vec![]));
    let row = "INSERT INTO forwardedchains (session_id, sender_key) VALUES (?1, ?2)";
    for (session, key) in [(&*id, "first"), ("other", "other"), (&*id, "second")] {
        connection.execute(row, [session, key]).unwrap();
    }
    connection.execute("UPDATE megolminboundsessions SET fp_key = 'claimed'", []).unwrap();
    assert_eq!(exported(nio), (claimed.clone(), chain.to_vec()));

    let mautrix = keys.mautrix();
    let connection = Connection::open(&mautrix).unwrap();
    let row = "INSERT INTO crypto_megolm_inbound_session
        (session_id, session, sender_key, signing_key, room_id, forwarding_chains)
        VALUES (?1, ?2, ?3, 'claimed', '!room', ?4)";
    connection.execute(row, [&*id, &pickle, &curve25519, ""]).unwrap();
    assert_eq!(exported(mautrix.clone()), (claimed.clone(), vec![]));
    let change = "UPDATE crypto_megolm_inbound_session SET forwarding_chains = 'first,second'";
    connection.execute(change, []).unwrap();
    assert_eq!(exported(mautrix), (claimed, chain.to_vec()));
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

/// matrix-nio derives the key of vodozemac's pickles from its pickle key.
#[test]
fn the_pickle_key_of_matrix_nio_opens_what_it_wrote_with_vodozemac() {
    let keys = Keys::new();
    let path = keys.nio();
    let connection = Connection::open(&path).unwrap();
    connection.execute_batch("DELETE FROM olmsessions; DELETE FROM megolminboundsessions").unwrap();
    connection.execute("UPDATE accounts SET account = ?1", [NIO_ACCOUNT.as_bytes()]).unwrap();
    let source = || keys.source(path.clone(), OLD.as_bytes());
    let report = check(&Check { source: source(), format: Writer::Vodozemac }).unwrap();
    assert_eq!((&report.to_json()["accounts"], report.has_problems()), (&1.into(), false));
    let refusal = check(&Check { source: source(), format: Writer::Libolm }).unwrap_err();
    assert!(refusal.to_string().contains("--format vodozemac"), "{refusal}");

    // What is moved to vodozemac has the same key: also one that could be a key of vodozemac.
    let text = "a pickle key of thirty-two bytes";
    assert_eq!(text.len(), 32);
    let mut args = keys.migration(path, "new.db", false);
    (args.from, args.new_key) = (Writer::Vodozemac, keys.secret("new key", text.as_bytes()));
    migrate(&args).unwrap();
    let new = Connection::open(keys.path("new.db")).unwrap();
    let pickle: Vec<u8> =
        new.query_row("SELECT account FROM accounts", [], |row| row.get(0)).unwrap();
    let key = Zeroizing::new(Sha256::digest(text).into());
    let pickle = String::from_utf8(pickle).unwrap();
    let object = Object::open(Kind::Account, &pickle, &Key::Vodozemac(key)).unwrap();
    let Object::Account(account) = object else { panic!("another object") };
    assert_eq!(account.curve25519_key().to_base64(), NIO_ACCOUNT_KEY);
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
