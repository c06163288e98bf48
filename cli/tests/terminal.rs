//! What is printed for people gives no orders to their terminal, whatever is in a file: no control
//! character reaches it but the ends of our own lines, and no mark that changes the direction of
//! text. Each string of each file is a place for such characters, one after the other.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use moceril::{events::MegolmContent, megolm::GroupSession};
use serde_json::{Map, Value, json};

/// They set a title, clear the screen by a control character of 8 bits, end a line, and turn text.
const ORDERS: &str = "\u{1b}]0;pwned\u{7}\u{9b}2J\r\n\u{7f}\u{202e}\u{200f}";
/// The styles that the command uses itself: bold, red, and their end.
const STYLES: [&str; 3] = ["\u{1b}[1m", "\u{1b}[31m", "\u{1b}[0m"];

/// Commands, each with the file that is changed. It is JSON.
const COMMANDS: [(&str, &str); 24] = [
    ("inspect keys.json", "keys.json"),
    ("inspect event.json", "event.json"),
    ("inspect device-keys.json", "device-keys.json"),
    ("inspect keys-query.json", "keys-query.json"),
    ("inspect backup.json", "backup.json"),
    ("inspect backup-version.json", "backup-version.json"),
    ("inspect account-data.json", "account-data.json"),
    ("verify device-keys.json", "device-keys.json"),
    ("verify keys-query.json", "keys-query.json"),
    ("verify broken-keys-query.json", "broken-keys-query.json"),
    ("keys list keys.json", "keys.json"),
    ("keys list keys.json --sessions", "keys.json"),
    ("keys diff keys.json bad-entry.json", "bad-entry.json"),
    ("keys filter keys.json --not --room a --plain -o new", "keys.json"),
    ("keys merge keys.json other-sender.json --plain -o new", "other-sender.json"),
    ("keys convert to-backup keys.json --version backup-version.json -o new", "keys.json"),
    ("explain event.json --keys bad-entry.json", "event.json"),
    ("explain good-events.json --keys keys.json", "keys.json"),
    ("decrypt good-events.json --keys keys.json --text --show-secrets", "good-events.json"),
    ("decrypt good-events.json --keys keys.json --text --show-secrets", "keys.json"),
    ("backup check backup.json --recovery-key file:recovery-key.txt", "backup.json"),
    (
        "backup check backup.json --recovery-key file:recovery-key.txt \
         --version backup-version.json",
        "backup-version.json",
    ),
    (
        "backup check backup.json --recovery-key file:storage-key.txt \
         --account-data account-data.json",
        "account-data.json",
    ),
    (
        "backup restore bad-backup.json --recovery-key file:recovery-key.txt --plain -o new",
        "bad-backup.json",
    ),
];

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/files").join(name)
}

/// A folder with all files.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(file("")).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), folder.path().join(entry.file_name())).unwrap();
    }
    folder
}

/// The value with the orders at the end of the string with this number, counted from 0; `None` if
/// it has fewer. Names of members are strings, too.
fn with_orders(value: &Value, number: usize) -> Option<Value> {
    fn text(text: &str, left: &mut Option<usize>) -> String {
        let here = *left == Some(0);
        *left = left.and_then(|left| left.checked_sub(1));
        if here { text.to_owned() + ORDERS } else { text.to_owned() }
    }
    fn walk(value: &Value, left: &mut Option<usize>) -> Value {
        match value {
            Value::String(string) => text(string, left).into(),
            Value::Array(items) => items.iter().map(|item| walk(item, left)).collect(),
            Value::Object(members) => {
                let members = members.iter();
                let members = members.map(|(name, value)| (text(name, left), walk(value, left)));
                Value::Object(members.collect::<Map<_, _>>())
            }
            other => other.clone(),
        }
    }
    let mut left = Some(number);
    let changed = walk(value, &mut left);
    left.is_none().then_some(changed)
}

/// Runs a command as on a terminal, and checks what it prints.
fn check(arguments: &[&str], folder: &Path) {
    let output = Command::new(env!("CARGO_BIN_EXE_moceril"))
        .args(arguments)
        .current_dir(folder)
        // Where there is no terminal, escape sequences would be left out.
        .env("CLICOLOR_FORCE", "1")
        .env_remove("NO_COLOR")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert_ne!(output.status.code(), Some(2), "a wrong command line: {arguments:?}");
    let printed = [output.stdout, output.stderr].concat();
    let mut printed = String::from_utf8(printed).unwrap();
    assert!(!printed.is_empty() || output.status.success(), "{arguments:?}");
    for style in STYLES {
        printed = printed.replace(style, "");
    }
    let orders = |character: char| {
        (character.is_control() && character != '\n')
            || matches!(character, '\u{202e}' | '\u{200f}')
    };
    let lines: Vec<_> = printed.lines().filter(|line| line.contains(orders)).collect();
    assert!(lines.is_empty(), "{arguments:?}: {lines:?}");
}

#[test]
fn no_string_of_a_file_gives_orders() {
    let mut places = 0;
    for (command, name) in COMMANDS {
        let arguments: Vec<_> = command.split(' ').collect();
        let value: Value = serde_json::from_slice(&fs::read(file(name)).unwrap()).unwrap();
        let folder = folder();
        for number in 0.. {
            let Some(changed) = with_orders(&value, number) else { break };
            fs::write(folder.path().join(name), changed.to_string()).unwrap();
            check(&arguments, folder.path());
            fs::remove_file(folder.path().join("new")).ok();
            places += 1;
        }
    }
    assert!(places > 500, "{places}");
}

/// What a sender has encrypted is only seen when it is decrypted.
#[test]
fn no_string_of_a_plaintext_gives_orders() {
    let folder = folder();
    let room = "!one:example.org";
    let plaintext = json!({ "type": "m.a", "content": { "body": "b" }, "room_id": room });
    for number in 0.. {
        let Some(changed) = with_orders(&plaintext, number) else { break };
        let mut sender = GroupSession::new(Duration::ZERO).unwrap();
        let key = json!([{
            "algorithm": "m.megolm.v1.aes-sha2",
            "room_id": room,
            "sender_key": "Y7XwPZskpjRgWq1dGq/yg8f90RbxCis3XM0Dw2DJqyw",
            "session_id": sender.session_id(),
            "session_key": exported(&sender),
            "sender_claimed_keys": {},
            "forwarding_curve25519_key_chain": [],
        }]);
        let message = sender.encrypt(changed.to_string()).unwrap();
        let content = MegolmContent::new(&sender.session_id(), message).to_json();
        let event = json!({ "type": "m.room.encrypted", "room_id": room, "content": content });
        fs::write(folder.path().join("event.json"), event.to_string()).unwrap();
        fs::write(folder.path().join("keys.json"), key.to_string()).unwrap();
        check(&["explain", "event.json", "--keys", "keys.json"], folder.path());
        let text = ["decrypt", "event.json", "--keys", "keys.json", "--text", "--show-secrets"];
        check(&text, folder.path());
    }
}

fn exported(sender: &GroupSession) -> String {
    let session = moceril::megolm::InboundGroupSession::new(&sender.session_key());
    session.export_at(0).unwrap().to_base64().to_string()
}

/// A shell completes names that somebody else has chosen.
#[cfg(unix)]
#[test]
fn no_name_of_a_file_gives_orders() {
    let folder = folder();
    let there = format!("there{ORDERS}");
    fs::write(folder.path().join(&there), "no Matrix").unwrap();
    check(&["inspect", ORDERS], folder.path());
    check(&["inspect", &there], folder.path());
    check(&["keys", "list", &there], folder.path());
    check(&["keys", "list", "phone.txt", "--passphrase", &format!("file:{ORDERS}")], folder.path());
    let recovery_key = format!("new{ORDERS}");
    for _ in 0..2 {
        check(&["recovery-key", "generate", "--output", &recovery_key], folder.path());
    }
}

#[cfg(feature = "stores")]
#[test]
fn no_string_of_a_store_gives_orders() {
    let folder = folder();
    let connection = rusqlite::Connection::open(folder.path().join("bot.db")).unwrap();
    let tables = "
        CREATE TABLE accounts (account BLOB);
        CREATE TABLE olmsessions (session_id TEXT, session BLOB);
        CREATE TABLE megolminboundsessions (session_id TEXT, room_id TEXT, sender_key TEXT,
            session BLOB)";
    connection.execute_batch(tables).unwrap();
    let pickle = fs::read_to_string(file("inbound.libolm")).unwrap();
    let sql = "INSERT INTO megolminboundsessions VALUES (?1, ?2, ?2, ?3)";
    let id = "C7PmJFEdPsSuo/weI8pTJHTeDb969RVxhMAF7aASUw8";
    for (id, pickle) in [(id, &*pickle), (ORDERS, &pickle), (ORDERS, ORDERS)] {
        connection.execute(sql, (id, ORDERS, pickle)).unwrap();
    }
    let key = ["--key", "file:old-key.txt"];
    check(&[&["store", "check", "bot.db"], &key[..]].concat(), folder.path());
    check(
        &[&["store", "export", "bot.db", "--plain", "-o", "a"], &key[..]].concat(),
        folder.path(),
    );
    let migrate = "store migrate bot.db --from libolm --to libolm -o b --new-key file:old-key.txt";
    let migrate: Vec<_> = migrate.split(' ').collect();
    check(&[&migrate[..], &key].concat(), folder.path());
    let explain = "explain event.json --store bot.db --store-key file:old-key.txt";
    check(&explain.split(' ').collect::<Vec<_>>(), folder.path());
}
