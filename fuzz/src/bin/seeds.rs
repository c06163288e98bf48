//! Writes the seed corpora: from the test vectors, from objects in all kinds of states, and from
//! what earlier runs of the fuzzers have found (a file for each target, an input on each line).
//!
//! `seeds TEST-VECTORS CORPUS [KEPT]`, called by `run`. It is built with the flags of the fuzz
//! targets, beside which it stands in the manifest, so that nothing is compiled twice.

use std::{collections::BTreeMap, fs, path::Path};

use base64ct::{Base64Unpadded, Encoding};
use c_calls::scenario::scenario;
use calling::functions::Functions;
use interop::{MessageVersion, forge::Kind};
use moceril::{PickleKey, key_export, olm::Account};
use moceril_fuzz::{
    differential::{Header, insider},
    unpickling::ViaLibolm,
};
use moceril_testing::{
    dehydrated_content,
    entries::bytes_entries,
    libolm_pickle,
    pickle_editor::OpenPickle,
    pickled::Pickled,
    rng::{RecordedRng, SeededRng},
    states,
    vodozemac_pickle::ViaVodozemac,
};

fn main() {
    let arguments: Vec<_> = std::env::args().collect();
    let [_, vectors, corpus, kept @ ..] = &arguments[..] else {
        panic!("seeds TEST-VECTORS CORPUS [KEPT]")
    };
    let mut seeds = Seeds { corpus: Path::new(corpus), count: 0, bytes: 0 };
    seeds.of_vectors(Path::new(vectors));
    seeds.of_objects();
    seeds.of_backups();
    seeds.of_conversations();
    seeds.of_insiders();
    seeds.of_calls();
    kept.iter().for_each(|kept| seeds.of_earlier_runs(Path::new(kept)));
    println!("{} seeds, {} bytes", seeds.count, seeds.bytes);
}

struct Seeds<'a> {
    corpus: &'a Path,
    count: usize,
    bytes: usize,
}

impl Seeds<'_> {
    fn add(&mut self, target: &str, name: &str, seed: &[u8]) {
        let folder = self.corpus.join(target);
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join(name), seed).unwrap();
        self.count += 1;
        self.bytes += seed.len();
    }

    fn add_of_kind(&mut self, target: &str, name: &str, kind: u8, seed: &[u8]) {
        self.add(target, name, &[&[kind], seed].concat());
    }

    fn of_vectors(&mut self, vectors: &Path) {
        for area in folder(vectors).into_iter().filter(|path| path.is_dir()) {
            for file in folder(&area) {
                let values = values(&fs::read_to_string(&file).unwrap());
                let area = area.file_name().unwrap().to_str().unwrap();
                let name = format!("{area}-{}", file.file_stem().unwrap().to_str().unwrap());
                self.of_vector(area, &name, &values);
            }
        }
    }

    fn of_vector(&mut self, area: &str, name: &str, values: &BTreeMap<String, String>) {
        let text = |key: &str| values.get(key).map_or("", String::as_str);
        match area {
            "olm-message" | "pre-key-message" | "megolm-message" => {
                if let Ok(bytes) = Base64Unpadded::decode_vec(text("message")) {
                    self.add("decode_messages", name, &bytes);
                }
                self.add("decode_keys", name, text("message").as_bytes());
            }
            "session-key" | "exported-session-key" => {
                self.add("decode_keys", name, text("key").as_bytes());
                if let Ok(bytes) = Base64Unpadded::decode_vec(text("key")) {
                    self.add("decode_keys", &format!("{name}-bytes"), &bytes);
                }
            }
            "ecies" => self.add_of_kind("decode_channels", name, 0, text("message").as_bytes()),
            "hpke" => self.add_of_kind("decode_channels", name, 1, text("message").as_bytes()),
            "backup" => {
                let parts = [text("ciphertext"), text("mac"), text("ephemeral-key")];
                self.add_of_kind("decode_channels", name, 2, parts.join(" ").as_bytes());
            }
            "recovery-key" => self.add_of_kind("decode_texts", name, 0, text("text").as_bytes()),
            "canonical-json" => self.add_of_kind("decode_texts", name, 1, &hex(text("json"))),
            "signed-json" => self.add_of_kind("decode_texts", name, 2, &hex(text("object"))),
            "secret-storage" => {
                let [iv, ciphertext, mac] = ["iv", "ciphertext", "mac"].map(text);
                let json = format!(
                    r#"{{"algorithm":"m.secret_storage.v1.aes-hmac-sha2","iv":"{iv}","ciphertext":"{ciphertext}","mac":"{mac}"}}"#
                );
                self.add_of_kind("decode_texts", name, 3, json.as_bytes());
            }
            "room-key" => {
                let kind = match text("form") {
                    "room-key" => 1,
                    "export" => 2,
                    "forwarded" => 3,
                    _ => 4,
                };
                self.add_of_kind("decode_room_keys", name, kind, &hex(text("json")));
            }
            "encrypted-event" => {
                self.add_of_kind("decode_room_keys", name, 5, &hex(text("content")));
            }
            "key-export" => {
                self.add_of_kind("decode_room_keys", name, 0, &hex(text("plaintext")));
            }
            // Refused before there is any content.
            _ if matches!(text("expect"), "base64" | "mac") => {}
            _ if area.starts_with("moceril-") && text("expect") != "version" => {
                let key = hex(text("pickle-key")).try_into().unwrap();
                let open = OpenPickle::open_with(text("pickle"), key, &hex(text("context")));
                self.add_of_kind("unpickle_native", name, open.kind - 1, &open.state);
            }
            "vodozemac-pickle-refused" => {
                let area = format!("vodozemac-{}-pickle", text("object"));
                self.of_pickle_vector(&area, name, text("pickle"), text("pickle-key"));
            }
            _ => self.of_pickle_vector(area, name, text("pickle"), text("pickle-key")),
        }
    }

    fn of_pickle_vector(&mut self, area: &str, name: &str, pickle: &str, key: &str) {
        let (target, kind) = match area {
            "libolm-account-pickle" => ("unpickle_libolm", 0),
            "libolm-session-pickle" => ("unpickle_libolm", 1),
            "libolm-group-session-pickle" => ("unpickle_libolm", 2),
            "libolm-inbound-group-session-pickle" => ("unpickle_libolm", 3),
            "vodozemac-account-pickle" => ("unpickle_vodozemac", 0),
            "vodozemac-session-pickle" => ("unpickle_vodozemac", 1),
            "vodozemac-group-session-pickle" => ("unpickle_vodozemac", 2),
            "vodozemac-inbound-group-session-pickle" => ("unpickle_vodozemac", 3),
            _ => return,
        };
        self.add_of_kind(target, name, kind, &libolm_pickle::open(pickle, &hex(key)));
    }

    fn of_objects(&mut self) {
        let rng = &mut SeededRng::new(1);
        for (name, account) in states::accounts(rng) {
            self.of_object(name, 0, &account);
            self.of_dehydrated(name, &account);
        }
        for version in [MessageVersion::V3, MessageVersion::V4] {
            for state in states::sessions(version, rng) {
                self.of_object(&format!("{} {version:?}", state.name), 1, &state.session);
            }
        }
        for version in [MessageVersion::V3, MessageVersion::V4] {
            for (name, session) in states::group_sessions(version, rng) {
                self.of_object(&format!("{name} {version:?}"), 2, &session);
            }
            for (name, session) in states::inbound_group_sessions(version, rng).0 {
                self.of_object(&format!("{name} {version:?}"), 3, &session);
            }
        }
        let file =
            key_export::encrypt_weak_with_rng(&String::from("[]").into(), "passphrase", 10, rng)
                .unwrap();
        self.add_of_kind("decode_channels", "key-export", 3, file.as_bytes());
        self.add_of_kind("decode_texts", "secret", 4, "é".as_bytes());
        self.add_of_kind("decode_texts", "key-file", 5, "$\r\n".as_bytes());
        for (name, guard) in states::replay_guards() {
            let state = OpenPickle::open(&guard.snapshot()).state;
            self.add_of_kind(
                "unpickle_native",
                &format!("4-{}", name.replace(' ', "-")),
                4,
                &state,
            );
        }
        let header = b"2.argon2id.64.1.1.AAAAAAAAAAAAAAAAAAAAAA.\
                       AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA.AgEB";
        self.add_of_kind("decode_channels", "passphrase", 4, header);
        let payload = br#"{"type":"m.dummy","content":{},"sender":"@alice:example.org","recipient":"@bob:example.org","recipient_keys":{"ed25519":"A"},"keys":{"ed25519":"A"}}"#;
        self.add_of_kind("decode_channels", "payload", 5, payload);
        self.add_of_kind("decode_channels", "payload-content", 6, br#"{"a":[1,"b"]}"#);
    }

    /// What a server answers about a backup.
    fn of_backups(&mut self) {
        for entry in bytes_entries() {
            let kind = match entry.name {
                "BackupReader::new" => 6,
                "BackupReader::of_room" | "BackedUpKey::from_json" => 7,
                "BackupVersion::from_json" => 8,
                _ => continue,
            };
            let name = entry.name.replace("::", "-");
            self.add_of_kind("decode_room_keys", &name, kind, &entry.genuine);
        }
    }

    fn of_object<T: Pickled + ViaLibolm + ViaVodozemac>(
        &mut self,
        name: &str,
        kind: u8,
        object: &T,
    ) {
        let name = name.replace(|character: char| !character.is_ascii_alphanumeric(), "-");
        let state = OpenPickle::open(&object.snapshot()).state;
        self.add_of_kind("unpickle_native", &format!("{kind}-{name}"), kind, &state);
        if let Some((pickle, _)) = object.to_libolm_lossy(libolm_pickle::KEY) {
            let content = libolm_pickle::open(&pickle, libolm_pickle::KEY);
            self.add_of_kind("unpickle_libolm", &format!("{kind}-{name}"), kind, &content);
        }
        if let Ok(json) = object.to_json() {
            let json = json.to_string();
            self.add_of_kind(
                "unpickle_vodozemac",
                &format!("{kind}-{name}"),
                kind,
                json.as_bytes(),
            );
        }
    }

    fn of_dehydrated(&mut self, name: &str, account: &Account) {
        let key = PickleKey::from_bytes(dehydrated_content::KEY);
        if let Ok(device) = account.dehydrate_with_rng(&key, &mut RecordedRng::new([9; 12])) {
            let name = name.replace(' ', "-");
            self.add("unpickle_dehydrated", &name, &dehydrated_content::open(&device));
        }
    }

    fn of_conversations(&mut self) {
        let rng = &mut SeededRng::new(2);
        for number in 0..20 {
            let length = 2 + 4 * (1 + rng.below(40));
            let seed: Vec<u8> = (0..length).map(|_| rng.byte()).collect();
            self.add("conversation", &number.to_string(), &seed);
            self.add("group_conversation", &number.to_string(), &seed);
            self.add("merging", &number.to_string(), &seed);
            self.add("batches", &number.to_string(), &seed);
        }
    }

    /// Each kind of genuine message and key: as bytes, as text, and as a body to be sealed.
    fn of_insiders(&mut self) {
        for version in [MessageVersion::V3, MessageVersion::V4] {
            let insider = insider(version);
            for (number, kind) in Kind::ALL.into_iter().enumerate() {
                let (genuine, _) = insider.genuine(&mut interop::SeededRng::new(0), kind);
                let body = insider.body(kind, &genuine);
                assert!(
                    insider.sealed(kind, &body) == genuine,
                    "{kind:?} is sealed in another way"
                );
                let text = Base64Unpadded::encode_string(&genuine);
                let version_4 = version == MessageVersion::V4;
                let header = Header { kind: number, sealed: false, text: false, version_4 };
                for (header, rest) in [
                    (header, genuine.as_slice()),
                    (Header { text: true, ..header }, text.as_bytes()),
                    (Header { sealed: true, ..header }, &body),
                ] {
                    let name = format!("{header:?}").replace([' ', ':', '{', '}', ','], "");
                    self.add_of_kind("differential_vodozemac", &name, header.to_byte(), rest);
                    if !version_4 {
                        self.add_of_kind("differential_libolm", &name, header.to_byte(), rest);
                    }
                }
            }
        }
    }

    fn of_earlier_runs(&mut self, kept: &Path) {
        for file in folder(kept) {
            let target = file.file_name().unwrap().to_str().unwrap();
            for (number, line) in fs::read_to_string(&file).unwrap().lines().enumerate() {
                let seed = Base64Unpadded::decode_vec(line).unwrap();
                self.add(target, &format!("kept-{number}"), &seed);
            }
        }
    }

    /// Each call of the scenario, alone and with the next seven, where it stands in it.
    fn of_calls(&mut self) {
        let calls = scenario(&Functions::table());
        for place in 0..calls.len() {
            for length in [1, 8] {
                let mut seed = vec![u8::try_from(place).unwrap()];
                calls.iter().skip(place).take(length).for_each(|call| call.encode(&mut seed));
                self.add("c_abi", &format!("{place}-{length}"), &seed);
            }
        }
    }
}

fn folder(path: &Path) -> Vec<std::path::PathBuf> {
    let entries = fs::read_dir(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

/// The `key: value` lines of a test vector.
fn values(file: &str) -> BTreeMap<String, String> {
    let pairs = file.lines().filter_map(|line| line.split_once(": "));
    pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
}

fn hex(text: &str) -> Vec<u8> {
    let digits = text.as_bytes().chunks_exact(2);
    digits.map(|byte| u8::from_str_radix(str::from_utf8(byte).unwrap(), 16).unwrap()).collect()
}
