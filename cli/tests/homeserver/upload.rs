//! Keys go to a server, which keeps a backup.

use std::{
    fs,
    path::PathBuf,
    process::Command,
    sync::{Arc, Mutex},
    time::Duration,
};

use moceril::{
    Ed25519PublicKey, Ed25519SecretKey,
    backup::BackupDecryptionKey,
    backup_file::{self, BackedUpKey, BackupReader},
    megolm::{GroupSession, InboundGroupSession},
    olm::Account,
    room_keys::{self, ExportedRoomKey},
    secret_storage::SecretStorageKey,
    signed_json,
};
use serde_json::{Map, Value, json};

use crate::server::{Answer, Request, TOKEN, USER, account_data, file, files, not_found, serve};

const MASTER: &str = "m.cross_signing.master";

/// The account on the server.
#[derive(Default)]
struct Server {
    data: Map<String, Value>,
    master: Option<Ed25519PublicKey>,
    /// The current backup, and what is in it.
    version: Option<Value>,
    rooms: Map<String, Value>,
    /// How many keys each request has put there.
    pieces: Vec<usize>,
    /// What the next requests that change something are answered instead.
    refusals: Vec<Answer>,
}

impl Server {
    /// An account with secret storage, which has the master key and the key of the backup.
    fn new() -> Self {
        let master = Ed25519SecretKey::from_bytes([3; 32]);
        let key = SecretStorageKey::from_recovery_key(file("storage-key.txt").trim()).unwrap();
        let secret = key.encrypt(MASTER, &master.to_base64()).unwrap().to_json();
        let mut data: Map<_, _> = account_data().collect();
        let path = format!("user/%40me%3Aexample.org/account_data/{MASTER}");
        data.insert(path, json!({ "encrypted": { "abc": secret } }));
        Self { data, master: Some(master.public_key()), ..Self::default() }
    }

    /// One that has the backup of the other tests, with these keys in it.
    fn with_backup(keys: &[BackedUpKey]) -> Self {
        let version = serde_json::from_str(&file("backup-version.json")).unwrap();
        let mut account = Self { version: Some(version), ..Self::new() };
        account.put(&backup_file::write(keys));
        account.pieces.clear();
        account
    }

    /// Keys as a server takes them: of two keys of a session it keeps the one of the lower rank.
    fn put(&mut self, body: &str) {
        let new: Vec<_> = BackupReader::new(body).unwrap().map(Result::unwrap).collect();
        self.pieces.push(new.len());
        let all = self.keys().into_iter().chain(new).collect::<Vec<_>>();
        let mut all: Value = serde_json::from_str(&backup_file::write(&all)).unwrap();
        self.rooms = all["rooms"].take().as_object().unwrap().clone();
    }

    fn keys(&self) -> Vec<BackedUpKey> {
        let json = json!({ "rooms": self.rooms }).to_string();
        BackupReader::new(&json).unwrap().map(Result::unwrap).collect()
    }

    fn answer(&mut self, request: &Request) -> Answer {
        let (path, query) = request.path.split_once('?').unwrap_or((&request.path, ""));
        let good = |value: &Value| (200, value.to_string());
        if ["POST room_keys", "PUT room_keys"]
            .iter()
            .any(|changing| format!("{} {path}", request.method).starts_with(changing))
            && !self.refusals.is_empty()
        {
            return self.refusals.remove(0);
        }
        let number = self.version.as_ref().and_then(|version| version["version"].as_str());
        let is_current = number.is_some_and(|number| query == format!("version={number}"));
        match (&*request.method, &*path.split('/').collect::<Vec<_>>()) {
            ("GET", ["account", "whoami"]) => good(&json!({ "user_id": USER })),
            ("POST", ["keys", "query"]) => {
                let keys = self.master.map(|key| {
                    let key = key.to_base64();
                    let keys = json!({ format!("ed25519:{key}"): key });
                    json!({ USER: { "user_id": USER, "usage": ["master"], "keys": keys } })
                });
                good(&json!({ "master_keys": keys }))
            }
            ("GET", ["room_keys", "version"]) => self.version.as_ref().map_or_else(not_found, good),
            ("POST", ["room_keys", "version"]) => {
                let mut version: Value = serde_json::from_str(&request.body).unwrap();
                version["version"] = "8".into();
                self.version = Some(version);
                self.rooms.clear();
                (200, r#"{"version":"8"}"#.into())
            }
            ("PUT", ["room_keys", "keys"]) if is_current => {
                self.put(&request.body);
                good(&json!({ "count": self.keys().len(), "etag": "1" }))
            }
            ("GET", ["room_keys", "keys", room]) if is_current => {
                let room = self.rooms.get(&decoded(room)).cloned();
                good(&room.unwrap_or_else(|| json!({ "sessions": {} })))
            }
            ("GET", ["room_keys", "keys", room, session]) if is_current => {
                let room = self.rooms.get(&decoded(room));
                let key = room.and_then(|room| room["sessions"].get(decoded(session)));
                key.map_or_else(not_found, good)
            }
            ("GET", ["user", ..]) => self.data.get(path).map_or_else(not_found, good),
            _ => (500, "{}".into()),
        }
    }
}

fn decoded(text: &str) -> String {
    text.replace("%21", "!").replace("%3A", ":").replace("%2F", "/").replace("%2B", "+")
}

fn backup_key() -> BackupDecryptionKey {
    BackupDecryptionKey::from_recovery_key(file("recovery-key.txt").trim()).unwrap()
}

fn backed_up(key: &ExportedRoomKey) -> BackedUpKey {
    BackedUpKey::encrypt(key, &backup_key().encryption_key()).unwrap()
}

fn session() -> InboundGroupSession {
    InboundGroupSession::new(&GroupSession::new(Duration::ZERO).unwrap().session_key())
}

fn key(session: &InboundGroupSession, room: &str, index: u32) -> ExportedRoomKey {
    let sender = Account::new().unwrap().identity_keys();
    ExportedRoomKey::new(room, session.export_at(index).unwrap(), sender)
}

struct Run {
    folder: tempfile::TempDir,
    account: Arc<Mutex<Server>>,
    address: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Run {
    fn new(account: Server) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("token"), TOKEN).unwrap();
        let account = Arc::new(Mutex::new(account));
        let server = Arc::clone(&account);
        let (address, asked) = serve(move |request| server.lock().unwrap().answer(request));
        Self { folder, account, address, asked }
    }

    fn keys(&self, keys: &[ExportedRoomKey]) -> PathBuf {
        let path = self.folder.path().join("keys.json");
        fs::write(&path, &*room_keys::write_export(keys).unwrap()).unwrap();
        path
    }

    /// The exit code, and what is said.
    fn create(&self, keys: &PathBuf, recovery_key: &str, more: &[&str]) -> (i32, String) {
        let output = Command::new(env!("CARGO_BIN_EXE_moceril"))
            .current_dir(files())
            .args(["backup", "create"])
            .arg(keys)
            .args(["--homeserver", &self.address])
            .args(["--token", &format!("file:{}", self.folder.path().join("token").display())])
            .args(["--recovery-key", &format!("file:{recovery_key}")])
            .args(more)
            .output()
            .unwrap();
        let text = [output.stdout, output.stderr].concat();
        (output.status.code().unwrap(), String::from_utf8(text).unwrap())
    }

    /// What the server has, decrypted: rooms, sessions and first indices.
    fn stored(&self) -> Vec<(String, String, u32)> {
        let keys = self.account.lock().unwrap().keys();
        let open = |entry: &BackedUpKey| {
            let key = entry.decrypt(&backup_key()).unwrap();
            (key.room_id.clone(), key.session_key.session_id(), key.session_key.index())
        };
        keys.iter().map(open).collect()
    }

    /// Nothing was asked that changes something.
    fn is_unchanged(&self) -> bool {
        let asked = self.asked.lock().unwrap();
        asked.iter().all(|request| request.starts_with("GET ") || *request == "POST keys/query")
    }
}

/// Without a backup, one is made with the key of the secret storage, and signed.
#[test]
fn a_new_backup_is_signed_and_filled_in_pieces() {
    let run = Run::new(Server::new());
    let keys: Vec<_> = (0..450).map(|_| key(&session(), "!a:example.org", 0)).collect();
    let path = run.keys(&keys);
    let (code, text) = run.create(&path, "storage-key.txt", &["--dry-run"]);
    assert!(code == 0 && text.contains("to upload       450"), "{text}");
    assert!(run.is_unchanged(), "{:?}", run.asked);

    let (code, text) = run.create(&path, "storage-key.txt", &[]);
    assert!(code == 0 && text.contains("uploaded        450"), "{text}");
    let account = run.account.lock().unwrap();
    assert_eq!(account.pieces, [200, 200, 50]);
    let version = account.version.clone().unwrap();
    let master = account.master.unwrap();
    signed_json::verify(&version["auth_data"], USER, &master.to_base64(), &master).unwrap();
    let public_key = backup_key().public_key().to_base64();
    assert_eq!(version["auth_data"]["public_key"], public_key);
    drop(account);
    assert_eq!(run.stored().len(), 450);

    // What is there already is not uploaded again, with either key.
    for recovery_key in ["storage-key.txt", "recovery-key.txt"] {
        let (code, text) = run.create(&path, recovery_key, &[]);
        assert!(code == 0 && text.contains("already there   450"), "{text}");
        assert_eq!(run.account.lock().unwrap().pieces.len(), 3);
    }
}

#[test]
fn only_better_keys_go_into_the_current_backup() {
    let [earlier, later, same, verified, new] = [(); 5].map(|()| session());
    let room = "!a:example.org";
    let mut marked = backed_up(&key(&verified, room, 9));
    marked.is_verified = true;
    let there = [(&earlier, 1), (&later, 7), (&same, 3)];
    let mut there: Vec<_> =
        there.map(|(session, index)| backed_up(&key(session, room, index))).into();
    there.push(marked);
    let run = Run::new(Server::with_backup(&there));
    let ours = [(&earlier, 4), (&later, 2), (&same, 3), (&verified, 0), (&new, 0)];
    let path = run.keys(&ours.map(|(session, index)| key(session, room, index)));
    let (code, text) = run.create(&path, "recovery-key.txt", &[]);
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("already there   3") && text.contains("uploaded        2"), "{text}");
    let stored = run.stored();
    for (session, index) in [(&earlier, 1), (&later, 2), (&same, 3), (&verified, 9), (&new, 0)] {
        assert!(stored.contains(&(room.into(), session.session_id(), index)), "{stored:?}");
    }
    assert_eq!(run.account.lock().unwrap().pieces, [2]);
}

/// A key that claims to be an earlier one of a session, and is not, would replace a good one.
#[test]
fn a_key_that_contradicts_the_servers_does_not_replace_it() {
    let (session, other, room) = (session(), session(), "!a:example.org");
    let run = Run::new(Server::with_backup(&[backed_up(&key(&session, room, 5))]));
    let mut forged = key(&session, room, 0);
    // The ratchet of another session, with the key of this one.
    let ours = session.export_at(0).unwrap().to_bytes();
    let mut bytes = other.export_at(0).unwrap().to_bytes().to_vec();
    bytes[133..].copy_from_slice(&ours[133..]);
    forged.session_key = moceril::megolm::ExportedSessionKey::from_bytes(&bytes).unwrap();
    let (code, text) = run.create(&run.keys(&[forged]), "recovery-key.txt", &[]);
    assert!(code == 1 && text.contains("a key that contradicts it, which stays"), "{text}");
    assert!(run.is_unchanged());
    assert_eq!(run.stored(), [(room.into(), session.session_id(), 5)]);
}

#[test]
fn what_cannot_be_signed_or_is_anothers_is_refused_before_anything_changes() {
    let keys = [key(&session(), "!a", 0)];
    let refused = |account: Server, recovery_key: &str, more: &[&str]| {
        let run = Run::new(account);
        let (code, text) = run.create(&run.keys(&keys), recovery_key, more);
        assert!(code != 0 && run.is_unchanged(), "{text}");
        text
    };
    let by_client = "make the backup with a client";
    // Without the master key in the secret storage, and without secret storage.
    let mut account = Server::new();
    account.data.retain(|path, _| !path.ends_with(MASTER));
    assert!(refused(account, "storage-key.txt", &[]).contains(by_client));
    let account = Server { data: Map::new(), ..Server::new() };
    assert!(refused(account, "recovery-key.txt", &[]).contains(by_client));
    // The account has another master key by now.
    let other = Ed25519SecretKey::from_bytes([4; 32]).public_key();
    let account = Server { master: Some(other), ..Server::new() };
    assert!(refused(account, "storage-key.txt", &[]).contains("another master key"));
    // The backup is to another key.
    let mut account = Server::with_backup(&[]);
    let public_key = BackupDecryptionKey::from_bytes([9; 32]).public_key().to_base64();
    account.version.as_mut().unwrap()["auth_data"]["public_key"] = public_key.into();
    let text = refused(account, "storage-key.txt", &[]);
    assert!(text.contains("not that of the server's current backup"), "{text}");
    let text = refused(Server::new(), "storage-key.txt", &["--output", "backup.json"]);
    assert!(text.contains("cannot be used with --homeserver"), "{text}");
}

#[test]
fn a_new_backup_takes_the_place_of_the_current_one_only_if_asked_for() {
    let run = Run::new(Server::with_backup(&[backed_up(&key(&session(), "!a", 0))]));
    let path = run.keys(&[key(&session(), "!b", 0)]);
    let (code, text) = run.create(&path, "storage-key.txt", &["--new-version"]);
    assert!(code == 0 && text.contains("version         8"), "{text}");
    assert_eq!(run.stored().len(), 1);
}

/// A server that is busy says for how long.
#[test]
fn an_upload_waits_and_goes_on_after_a_failure() {
    let busy = (429, r#"{"errcode":"M_LIMIT_EXCEEDED","retry_after_ms":1}"#.to_owned());
    let moved = (403, r#"{"errcode":"M_WRONG_ROOM_KEYS_VERSION","error":"9"}"#.to_owned());
    let run = Run::new(Server::with_backup(&[]));
    let keys: Vec<_> = (0..250).map(|_| key(&session(), "!a:example.org", 0)).collect();
    let path = run.keys(&keys);
    run.account.lock().unwrap().refusals = vec![busy.clone(), busy, moved];
    let (code, text) = run.create(&path, "recovery-key.txt", &[]);
    assert!(code == 5 && text.contains("M_WRONG_ROOM_KEYS_VERSION 9"), "{text}");
    assert!(text.contains("the same command again: it continues after the 0 keys"), "{text}");
    let (code, text) = run.create(&path, "recovery-key.txt", &[]);
    assert!(code == 0 && text.contains("keys there now  250"), "{text}");
}
