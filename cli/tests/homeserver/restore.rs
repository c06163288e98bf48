//! Keys come from a server.

use std::{
    collections::BTreeMap,
    fs,
    process::{Command, Output},
    sync::{Arc, Mutex},
};

use serde_json::Value;

use crate::server::{Answer, TOKEN, USER, account_data, file, files, not_found};

type Answers = BTreeMap<String, Answer>;

/// What the server of the user has: the files of the other tests.
fn account() -> Answers {
    let version: Value = serde_json::from_str(&file("backup-version.json")).unwrap();
    let keys = format!("room_keys/keys?version={}", version["version"].as_str().unwrap());
    let others = [
        ("account/whoami".into(), format!(r#"{{"user_id":"{USER}"}}"#)),
        ("room_keys/version".into(), version.to_string()),
        (keys, file("backup.json")),
    ];
    let data = account_data().map(|(path, content)| (path, content.to_string()));
    data.chain(others).map(|(path, text)| (path, (200, text))).collect()
}

fn serve(answers: Answers) -> (String, Arc<Mutex<Vec<String>>>) {
    crate::server::serve(move |request| {
        answers.get(&request.path).cloned().unwrap_or_else(not_found)
    })
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
    assert_eq!(*asked.lock().unwrap(), ["GET room_keys/version"]);

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
    // The token is not taken to where the server points, although a request would be answered.
    let (code, text, requests) = with("room_keys/version", Some((302, "")));
    assert!(code == 5 && requests == 1 && text.contains("302"), "{text}");
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
    assert!(asked.lock().unwrap().iter().all(|path| !path.contains("room_keys/keys")));
    let (code, text) = run.check("http://example.org", "token", "recovery-key.txt");
    assert!(code == 2 && text.contains("others could read the access token"), "{text}");
}
