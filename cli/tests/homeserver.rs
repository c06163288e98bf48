//! `moceril backup` with a server, which is a small one in this file.
#![cfg(feature = "homeserver")]

use std::{
    collections::BTreeMap,
    env, fs,
    io::{BufRead, BufReader, Write},
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::{Arc, Mutex},
    thread,
};

use serde_json::Value;

const TOKEN: &str = "token-of-a-device";

type Answers = BTreeMap<String, (u16, String)>;

/// What the server of the user has: the files of the other tests.
fn account() -> Answers {
    let data: Value = serde_json::from_str(&file("account-data.json")).unwrap();
    let data = data["account_data"]["events"].as_array().or(data["events"].as_array());
    let data = data.expect("account data").iter().map(|event| {
        let name = event["type"].as_str().unwrap();
        (format!("user/%40me%3Aexample.org/account_data/{name}"), event["content"].to_string())
    });
    let version: Value = serde_json::from_str(&file("backup-version.json")).unwrap();
    let keys = format!("room_keys/keys?version={}", version["version"].as_str().unwrap());
    let others = [
        ("account/whoami".into(), r#"{"user_id":"@me:example.org"}"#.into()),
        ("room_keys/version".into(), version.to_string()),
        (keys, file("backup.json")),
    ];
    data.chain(others).map(|(path, text)| (path, (200, text))).collect()
}

fn file(name: &str) -> String {
    fs::read_to_string(files().join(name)).unwrap()
}

fn files() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/files")
}

/// Answers requests until the test ends. The second value is what was asked for.
fn serve(answers: Answers) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let asked = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&asked);
    thread::spawn(move || {
        for mut stream in listener.incoming().map(Result::unwrap) {
            let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
            let request = lines.next().unwrap().unwrap();
            let head: Vec<_> =
                lines.map(Result::unwrap).take_while(|line| !line.is_empty()).collect();
            let path = request.split(' ').nth(1).unwrap();
            let path = path.strip_prefix("/_matrix/client/v3/").unwrap();
            log.lock().unwrap().push(path.to_owned());
            let header = format!("authorization: bearer {TOKEN}");
            let is_known = head.iter().any(|line| line.to_lowercase() == header);
            let (status, body) = match answers.get(path) {
                _ if !is_known => (401, r#"{"errcode":"M_UNKNOWN_TOKEN","error":"no"}"#.into()),
                Some((status, body)) => (*status, body.clone()),
                None => (404, r#"{"errcode":"M_NOT_FOUND","error":"none"}"#.into()),
            };
            let location = if status == 302 { "Location: http://127.0.0.1:1/\r\n" } else { "" };
            let length = body.len();
            let answer = format!(
                "HTTP/1.1 {status} X\r\n{location}Content-Length: {length}\r\n\
                 Connection: close\r\n\r\n{body}"
            );
            stream.write_all(answer.as_bytes()).unwrap();
        }
    });
    (address, asked)
}

struct Run {
    folder: tempfile::TempDir,
}

impl Run {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("token"), format!("{TOKEN}\n")).unwrap();
        fs::write(folder.path().join("other"), "another-token\n").unwrap();
        Self { folder }
    }

    fn moceril(&self, command: &[&str], address: &str, token: &str, key: &str) -> Output {
        Command::new(env!("CARGO_BIN_EXE_moceril"))
            .current_dir(files())
            .args(command)
            .args(["--homeserver", address, "--recovery-key", &format!("file:{key}")])
            .args(["--token", &format!("file:{}", self.folder.path().join(token).display())])
            .output()
            .unwrap()
    }

    /// The exit code, and what is said.
    fn check(&self, address: &str, token: &str, key: &str) -> (i32, String) {
        let output = self.moceril(&["backup", "check"], address, token, key);
        let text = [output.stdout, output.stderr].concat();
        (output.status.code().unwrap(), String::from_utf8(text).unwrap())
    }
}

/// The recovery key is that of the backup, or that of the secret storage.
#[test]
fn keys_come_from_a_server_as_from_a_file() {
    let run = Run::new();
    let from_file = run.folder.path().join("from-file.json");
    let restored = Command::new(env!("CARGO_BIN_EXE_moceril"))
        .current_dir(files())
        .args(["backup", "restore", "backup.json", "--recovery-key", "file:recovery-key.txt"])
        .args(["--plain", "--output"])
        .arg(&from_file)
        .output()
        .unwrap();
    assert!(restored.status.success());
    for (key, requests) in [("recovery-key.txt", 2), ("storage-key.txt", 6)] {
        let (address, asked) = serve(account());
        let output = run.folder.path().join(key);
        let arguments = ["backup", "restore", "--plain", "--output", output.to_str().unwrap()];
        let restored = run.moceril(&arguments, &address, "token", key);
        assert!(restored.status.success(), "{}", String::from_utf8_lossy(&restored.stderr));
        assert!(fs::read(&from_file).unwrap() == fs::read(output).unwrap());
        assert_eq!(asked.lock().unwrap().len(), requests, "{asked:?}");
    }
    let (code, text) = run.check(&serve(account()).0, "token", "recovery-key.txt");
    assert!(code == 0 && text.contains("good keys       3"), "{text}");
}

#[test]
fn what_a_server_refuses_is_told_apart() {
    let run = Run::new();
    let (address, asked) = serve(account());
    let (code, text) = run.check(&address, "other", "recovery-key.txt");
    assert!(code == 4 && text.contains("401 Unauthorized M_UNKNOWN_TOKEN no"), "{text}");
    assert!(!text.contains("another-token"));
    assert_eq!(*asked.lock().unwrap(), ["room_keys/version"]);

    let with = |path: &str, answer: Option<(u16, &str)>| {
        let mut answers = account();
        assert!(answers.remove(path).is_some());
        answers.extend(answer.map(|(status, text)| (path.to_owned(), (status, text.to_owned()))));
        let (address, asked) = serve(answers);
        let (code, text) = run.check(&address, "token", "storage-key.txt");
        (code, text, asked.lock().unwrap().len())
    };
    let (code, text, _) = with("room_keys/version", None);
    assert!(code == 3 && text.contains("the account has no backup"), "{text}");
    let (code, text, _) = with("room_keys/version", Some((200, "<html>")));
    assert!(code == 3 && text.contains("the member object of a backup"), "{text}");
    let (code, text, _) = with("account/whoami", Some((500, "\u{1b}[2J")));
    assert!(code == 5 && text.contains("500 Internal Server Error"), "{text}");
    // The token is not taken to another server.
    let (code, text, requests) = with("room_keys/version", Some((302, "")));
    assert!(code == 5 && requests == 1, "{text}");
    let data = "user/%40me%3Aexample.org/account_data/m.megolm_backup.v1";
    let (code, text, _) = with(data, None);
    assert!(code == 4 && text.contains("has no secret storage"), "{text}");
}

#[test]
fn a_wrong_recovery_key_and_an_address_without_encryption_are_refused() {
    let run = Run::new();
    let (address, asked) = serve(account());
    fs::write(
        run.folder.path().join("key"),
        "EsTc LW2K PGiF wKEA 3As5 g5c4 BXwk qeeJ ZJV8 Q9fu gUMN UE4d",
    )
    .unwrap();
    let key = run.folder.path().join("key");
    let (code, text) = run.check(&address, "token", key.to_str().unwrap());
    assert!(code == 4 && text.contains("neither that of the backup"), "{text}");
    assert!(asked.lock().unwrap().iter().all(|path| !path.starts_with("room_keys/keys")));
    let (code, text) = run.check("http://example.org", "token", "recovery-key.txt");
    assert!(code == 2 && text.contains("others could read the access token"), "{text}");
}
