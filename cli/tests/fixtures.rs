//! The files that the transcripts work on. They are made here from seeds, so this shows what is in
//! them, and that they are what the library writes today. `MOCERIL_WRITE=1` writes them anew.

use std::{collections::BTreeMap, env, fs, path::Path};

use moceril::{
    PickleKey,
    backup::BackupDecryptionKey,
    backup_file::{self, BackedUpKey},
    cross_signing::CrossSigningKeys,
    device_keys::DeviceKeys,
    events::MegolmContent,
    key_export,
    megolm::{GroupSession, GroupSessionConfig, InboundGroupSession},
    olm::{Account, PreKeyBundle, SessionConfig},
    room_keys::{self, ExportedRoomKey},
    secret_storage::{KeyDescription, SecretStorageKey},
};
use moceril_testing::rng::SeededRng;
use serde_json::{Value, json};

const PASSPHRASE: &str = "correct horse battery staple";
const ONE: &str = "!one:example.org";
const TWO: &str = "!two:example.org";

type Files = BTreeMap<&'static str, String>;

/// A sender of a room: the session, and all messages that it has sent.
struct Sender {
    room: &'static str,
    session: GroupSession,
    inbound: InboundGroupSession,
    device: Account,
}

impl Sender {
    fn new(seed: u64, room: &'static str) -> Self {
        let rng = &mut SeededRng::new(seed);
        let session = GroupSession::with_rng(GroupSessionConfig::default(), rng).unwrap();
        let inbound = InboundGroupSession::new(&session.session_key());
        Self { room, session, inbound, device: Account::with_rng(rng).unwrap() }
    }

    fn key(&self, index: u32) -> ExportedRoomKey {
        let session_key = self.inbound.export_at(index).unwrap();
        ExportedRoomKey::new(self.room, session_key, self.device.identity_keys())
    }

    fn send(&mut self, body: &str) -> Value {
        let content = json!({ "msgtype": "m.text", "body": body });
        let event = json!({ "type": "m.room.message", "content": content, "room_id": self.room });
        let message = self.session.encrypt(event.to_string()).unwrap();
        let mut content = MegolmContent::new(&self.session.session_id(), message);
        let key = self.device.curve25519_key().to_base64();
        content.other.insert("sender_key".into(), key.into());
        content.to_json()
    }
}

fn event(number: u64, room: &str, content: Value) -> Value {
    json!({
        "type": "m.room.encrypted",
        "event_id": format!("$event{number}"),
        "sender": "@alice:example.org",
        "origin_server_ts": 1_735_689_600_000 + number * 60_000,
        "room_id": room,
        "content": content,
    })
}

fn encrypted(seed: u64, keys: &[ExportedRoomKey]) -> String {
    let json = room_keys::write_export(keys).unwrap();
    let rng = &mut SeededRng::new(seed);
    // Few rounds, so that the tests are fast.
    key_export::encrypt_weak_with_rng(&json, PASSPHRASE, 1_000, rng).unwrap()
}

fn rooms(files: &mut Files) {
    let (mut a, mut b) = (Sender::new(1, ONE), Sender::new(2, ONE));
    let (mut c, mut unknown) = (Sender::new(3, TWO), Sender::new(4, ONE));

    files.insert(
        "keys.json",
        room_keys::write_export(&[a.key(0), b.key(2), c.key(0)]).unwrap().to_string(),
    );
    files.insert("phone.txt", encrypted(11, &[a.key(3), b.key(2)]));
    files.insert("laptop.txt", encrypted(12, &[a.key(0), c.key(0)]));
    let mut bad: Value = serde_json::from_str(&files["keys.json"]).unwrap();
    bad[1]["session_key"] = "AQAA".into();
    files.insert("bad-entry.json", bad.to_string());
    // Keys that claim to be those of a session, and are not; and another sender for a session.
    let mut forged = a.key(0);
    forged.sender_key = Some(c.device.curve25519_key());
    files.insert("other-sender.json", room_keys::write_export(&[forged]).unwrap().to_string());

    // As editors and mail leave files.
    let phone = files["phone.txt"].clone();
    files.insert("phone-windows.txt", format!("\u{feff}{}", phone.replace('\n', "\r\n")));
    files.insert("phone-cut.txt", phone[..phone.len() / 2].to_owned());
    let (header, content) = phone.split_once('\n').unwrap();
    files.insert("phone-damaged.txt", format!("{header}\n?{content}"));

    let first = a.send("hello");
    let (second, late) = (a.send("how are you?"), b.send("before the key"));
    let mut forged = a.send("I owe you nothing");
    let text = forged["ciphertext"].as_str().unwrap().to_owned();
    let (start, end) = text.split_at(60);
    forged["ciphertext"] =
        format!("{start}{}{}", if end.starts_with('A') { 'B' } else { 'A' }, &end[1..]).into();
    let mut plain = event(7, ONE, json!({ "msgtype": "m.text", "body": "in the clear" }));
    plain["type"] = "m.room.message".into();
    let events = [
        event(1, ONE, first.clone()),
        event(2, ONE, second.clone()),
        event(3, ONE, late),
        event(4, ONE, unknown.send("nobody knows")),
        event(5, ONE, forged),
        event(6, ONE, second),
        plain,
        event(8, ONE, c.send("for the other room")),
    ];
    let lines: Vec<_> = events.iter().map(ToString::to_string).collect();
    files.insert("events.jsonl", lines.join("\n") + "\n");
    files.insert("good-events.json", json!({ "chunk": events[..2] }).to_string());
    files.insert("event.json", events[0].to_string());
    files.insert("megolm-message.txt", first["ciphertext"].as_str().unwrap().to_owned());
    files.insert("session-key.txt", a.session.session_key().to_base64().to_string());
    files.insert("exported-key.txt", a.inbound.export_at(1).unwrap().to_base64().to_string());

    backup(files, &[a.key(1), b.key(0), c.key(0)]);
    let pickle = a.inbound.to_libolm_pickle_lossy("old key").unwrap().0;
    files.insert("inbound.libolm", pickle);
}

fn backup(files: &mut Files, keys: &[ExportedRoomKey]) {
    let rng = &mut SeededRng::new(20);
    let key = BackupDecryptionKey::with_rng(rng).unwrap();
    let public = key.encryption_key();
    let mut backed_up: Vec<_> =
        keys.iter().map(|key| BackedUpKey::encrypt_with_rng(key, &public, rng).unwrap()).collect();
    files.insert("backup.json", backup_file::write(&backed_up));
    backed_up[0].message.mac[0] ^= 1;
    files.insert("bad-backup.json", backup_file::write(&backed_up));
    let public_key = key.public_key().to_base64();
    let version = json!({
        "algorithm": "m.megolm_backup.v1.curve25519-aes-sha2",
        "auth_data": { "public_key": public_key, "signatures": {} },
        "version": "7",
        "count": 3,
        "etag": "3",
    });
    files.insert("backup-version.json", version.to_string());
    let text = key.to_recovery_key();
    files.insert("recovery-key.txt", format!("{}\n", &*text));
    let letter = if text[7..].starts_with('8') { "9" } else { "8" };
    files.insert("mistyped.txt", format!("{}{letter}{}\n", &text[..7], &text[8..]));

    // Secret storage, whose key is another one, and which has the key of the backup.
    let storage = SecretStorageKey::with_rng(rng).unwrap();
    let secret = storage.encrypt_with_rng("m.megolm_backup.v1", &key.to_base64(), rng).unwrap();
    let account_data = json!({ "account_data": { "events": [
        { "type": "m.secret_storage.default_key", "content": { "key": "abc" } },
        {
            "type": "m.secret_storage.key.abc",
            "content": KeyDescription::of_with_rng(&storage, rng).unwrap().to_json(),
        },
        { "type": "m.megolm_backup.v1", "content": { "encrypted": { "abc": secret.to_json() } } },
    ] } });
    files.insert("account-data.json", account_data.to_string());
    files.insert("storage-key.txt", format!("{}\n", &*storage.to_recovery_key()));
}

fn devices(files: &mut Files) {
    let rng = &mut SeededRng::new(30);
    let alice = Account::with_rng(rng).unwrap();
    let mut bob = Account::with_rng(rng).unwrap();
    bob.generate_one_time_keys_with_rng(1, rng).unwrap();
    let bundle = PreKeyBundle::verify(bob.identity_keys(), &bob.signed_one_time_keys()[0].1);
    let session =
        alice.create_outbound_session_with_rng(&bundle.unwrap(), SessionConfig::default(), rng);
    let mut session = session.unwrap();
    let message = session.encrypt_with_rng("hello", rng).unwrap();
    files.insert("pre-key-message.txt", message.to_base64());

    let pickle = bob.pickle_with_rng(&PickleKey::from_bytes([7; 32]), "@bob", rng).unwrap();
    files.insert("account.native", pickle);
    files.insert("account.libolm", bob.to_libolm_pickle_lossy("old key").unwrap().0);

    let user = "@bob:example.org";
    let keys = CrossSigningKeys::with_rng(user, rng).unwrap();
    let mut phone = DeviceKeys::new(&bob, user, "PHONE").unwrap();
    keys.sign_device(&mut phone).unwrap();
    let public = keys.public_keys().unwrap();
    let laptop = DeviceKeys::new(&alice, user, "LAPTOP").unwrap();
    let mut broken = laptop.to_json();
    broken["keys"]["curve25519:LAPTOP"] = phone.identity_keys().curve25519.to_base64().into();
    files.insert("device-keys.json", phone.to_json().to_string());
    files.insert("broken-device-keys.json", broken.to_string());
    let query = |laptop: Value| {
        json!({
            "device_keys": { user: { "PHONE": phone.to_json(), "LAPTOP": laptop } },
            "master_keys": { user: public.master.to_json() },
            "self_signing_keys": { user: public.self_signing.to_json() },
            "user_signing_keys": { user: public.user_signing.to_json() },
        })
    };
    files.insert("keys-query.json", query(laptop.to_json()).to_string());
    files.insert("broken-keys-query.json", query(broken).to_string());
}

#[test]
fn the_files_are_what_the_library_writes() {
    let mut files = Files::new();
    rooms(&mut files);
    devices(&mut files);
    files.insert("passphrase.txt", format!("{PASSPHRASE}\n"));
    files.insert("wrong-passphrase.txt", "wrong\n".into());
    files.insert("new-passphrase.txt", "for my friend only\n".into());
    files.insert("old-key.txt", "old key\n".into());
    files.insert("new-key.txt", "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc\n".into());
    files.insert("no-matrix.txt", "Dear Alice, how are you?\n".into());

    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/files");
    for (name, content) in &files {
        if env::var_os("MOCERIL_WRITE").is_some() {
            fs::write(folder.join(name), content).unwrap();
        }
        assert_eq!(fs::read_to_string(folder.join(name)).unwrap(), *content, "{name}");
    }
    assert_eq!(fs::read_dir(folder).unwrap().count(), files.len(), "every file is made here");
}
