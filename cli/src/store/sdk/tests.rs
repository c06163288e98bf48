//! A store is made here from the description at the head of the module. `stores/run` reads one that
//! the SDK makes.

use std::time::Duration;

use moceril::{
    megolm::{GroupSession, InboundGroupSession},
    olm::{Account, PreKeyBundle, Session},
};
use serde::{Serialize, Serializer};
use serde_json::json;

use super::*;
use crate::{
    failure::Code,
    store::{Check, Writer, check},
};

const KEY: [u8; 32] = [5; 32];
const SENDER: &str = "3ff2uvftm22KpKc7+dqqeFyRjoJ3Jg6+UIFFch0gsnQ";

/// A value with members that the command does not look at.
#[derive(Serialize)]
struct Stored<P> {
    pickle: P,
    sender_key: &'static str,
    signing_key: BTreeMap<&'static str, &'static str>,
    room_id: &'static str,
    backed_up: bool,
    shared_history: bool,
}

impl<P> Stored<P> {
    fn new(pickle: P) -> Self {
        let signing_key = BTreeMap::from([("ed25519", "claimed")]);
        let (backed_up, shared_history) = (false, true);
        Self {
            pickle,
            sender_key: SENDER,
            signing_key,
            room_id: "!room",
            backed_up,
            shared_history,
        }
    }
}

struct Bytes {
    bytes: Vec<u8>,
    is_list: bool,
}

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        if self.is_list {
            serializer.collect_seq(&self.bytes)
        } else {
            serializer.serialize_bytes(&self.bytes)
        }
    }
}

#[derive(Serialize)]
struct Encrypted {
    version: u8,
    ciphertext: Bytes,
    nonce: [u8; 24],
}

fn seal(key: &[u8; 32], value: &[u8]) -> Vec<u8> {
    XChaCha20Poly1305::new(key.into()).encrypt(&[1; 24].into(), value).unwrap()
}

struct Made {
    folder: tempfile::TempDir,
    /// Whether values are encrypted under `KEY`.
    is_encrypted: bool,
    /// Whether ciphertexts are lists of numbers, as older releases wrote them.
    has_lists: bool,
    session: InboundGroupSession,
}

impl Made {
    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn store(&self) -> PathBuf {
        self.path("matrix-sdk-crypto.sqlite3")
    }

    fn put(&self, sql: &str, value: Vec<u8>) {
        let ciphertext = Bytes { bytes: seal(&KEY, &value), is_list: self.has_lists };
        let encrypted = Encrypted { version: VERSION, ciphertext, nonce: [1; 24] };
        let value =
            if self.is_encrypted { rmp_serde::to_vec_named(&encrypted).unwrap() } else { value };
        Connection::open(self.store()).unwrap().execute(sql, [value]).unwrap();
    }

    /// A store in which the key of the store has been encrypted in this way, or is not used.
    fn new(derivation: Option<(serde_json::Value, [u8; 32])>, has_lists: bool) -> Self {
        let group = GroupSession::new(Duration::ZERO).unwrap();
        let session = InboundGroupSession::new(&group.session_key());
        let folder = tempfile::tempdir().unwrap();
        let made = Self { folder, is_encrypted: derivation.is_some(), has_lists, session };
        let connection = Connection::open(made.store()).unwrap();
        let tables = "CREATE TABLE kv (key TEXT PRIMARY KEY, value BLOB);
            CREATE TABLE session (session_id BLOB PRIMARY KEY, sender_key BLOB, data BLOB);
            CREATE TABLE inbound_group_session (session_id BLOB PRIMARY KEY, room_id BLOB,
                data BLOB, backed_up INTEGER);
            CREATE TABLE outbound_group_session (room_id BLOB PRIMARY KEY, data BLOB);";
        connection.execute_batch(tables).unwrap();
        if let Some((kdf_info, derived)) = derivation {
            let ciphertext = seal(&derived, &[KEY, [9; 32]].concat());
            let nonce = [1_u8; 24];
            let info = json!({ "nonce": nonce, "ciphertext": ciphertext });
            let info = json!({ "ChaCha20Poly1305": info });
            let cipher = json!({ "kdf_info": kdf_info, "ciphertext_info": info });
            let cipher = rmp_serde::to_vec_named(&cipher).unwrap();
            let sql = "INSERT INTO kv VALUES ('cipher', ?1)";
            connection.execute(sql, [cipher]).unwrap();
        }
        let (account, mut peer) = (Account::new().unwrap(), Account::new().unwrap());
        peer.generate_one_time_keys(1).unwrap();
        let bundle = PreKeyBundle::verify(peer.identity_keys(), &peer.signed_one_time_keys()[0].1);
        let olm: Session = account.create_outbound_session(&bundle.unwrap()).unwrap();
        let pickle = Stored::new(account.to_vodozemac_pickle_lossy().unwrap().0);
        made.put("INSERT INTO kv VALUES ('account', ?1)", packed(&pickle));
        let pickle = Stored::new(olm.to_vodozemac_pickle_lossy().unwrap().0);
        made.put("INSERT INTO session (data) VALUES (?1)", packed(&pickle));
        let pickle = Stored::new(made.session.to_vodozemac_pickle_lossy().unwrap().0);
        made.put("INSERT INTO inbound_group_session (data) VALUES (?1)", packed(&pickle));
        let pickle = Stored::new(group.to_vodozemac_pickle_lossy().unwrap().0);
        let json = serde_json::to_vec(&pickle).unwrap();
        made.put("INSERT INTO outbound_group_session (data) VALUES (?1)", json);
        made
    }

    /// The passphrase is hashed less often than by the SDK.
    fn with_passphrase(passphrase: &str, rounds: u32) -> Self {
        let (salt, mut derived) = ([2; 32], [0; 32]);
        pbkdf2::pbkdf2_hmac::<Sha256>(passphrase.as_bytes(), &salt, rounds.min(10), &mut derived);
        let info = json!({ "rounds": rounds, "kdf_salt": salt });
        Self::new(Some((json!({ "Pbkdf2ToChaCha20Poly1305": info }), derived)), true)
    }

    fn check(&self, secret: Option<&[u8]>) -> Result<serde_json::Value> {
        let key = secret.map(|secret| {
            std::fs::write(self.path("secret"), secret).unwrap();
            Secret::File(self.path("secret"))
        });
        let source = crate::store::Source { file: self.store(), key };
        check(&Check { source, format: Writer::Libolm }).map(|report| report.to_json())
    }
}

fn packed(value: &impl Serialize) -> Vec<u8> {
    rmp_serde::to_vec_named(value).unwrap()
}

const OBJECTS: [&str; 4] =
    ["accounts", "Olm_sessions", "outbound_group_sessions", "inbound_group_sessions"];

fn is_whole(report: &serde_json::Value) -> bool {
    OBJECTS.iter().all(|name| report[name] == 1) && report["problems"] == json!([])
}

#[test]
fn a_store_is_read_without_a_key_and_with_each_kind_of_key() {
    assert!(is_whole(&Made::new(None, false).check(None).unwrap()));
    assert!(is_whole(&Made::with_passphrase("secret", 10).check(Some(b"secret")).unwrap()));
    assert!(is_whole(
        &Made::new(Some((json!("None"), [7; 32])), false).check(Some(&[7; 32])).unwrap()
    ));
    // Of 31 characters and a line end, both can be the key.
    for key in
        [&b"any key"[..], b"any key\n", &[b'a'; 31], &[[b'a'; 31].as_slice(), b"\n"].concat()]
    {
        let mut derived = [0; 32];
        let info = b"matrix-sdk-store-encryption";
        Hkdf::<Sha256>::new(None, key).expand(info, &mut derived).unwrap();
        let made = Made::new(Some((json!("HkdfSha256"), derived)), false);
        for line_end in ["", "\n"] {
            let secret = [key, line_end.as_bytes()].concat();
            assert!(is_whole(&made.check(Some(&secret)).unwrap()), "{secret:?}");
        }
    }
}

#[test]
fn a_wrong_passphrase_and_one_that_costs_too_much_are_refused() {
    let made = Made::with_passphrase("secret", 10);
    let refusal = made.check(Some(b"other")).unwrap_err();
    assert!(refusal.code == Code::Key && refusal.what().contains("wrong passphrase"), "{refusal}");
    let made = Made::with_passphrase("secret", MOST_ROUNDS + 1);
    let refusal = made.check(Some(b"secret")).unwrap_err();
    assert!(refusal.what().contains("2000001 rounds"), "{refusal}");
}

#[test]
fn what_is_damaged_is_named_and_the_rest_is_read() {
    let made = Made::with_passphrase("secret", 10);
    let connection = Connection::open(made.store()).unwrap();
    let damage =
        "UPDATE session SET data = CAST(substr(data, 1, length(data) - 1) || x'00' AS BLOB)";
    connection.execute(damage, []).unwrap();
    connection.execute("UPDATE outbound_group_session SET data = x'00'", []).unwrap();
    let report = made.check(Some(b"secret")).unwrap();
    assert_eq!((&report["accounts"], &report["inbound_group_sessions"]), (&json!(1), &json!(1)));
    let problems = report["problems"].as_array().unwrap();
    assert_eq!(problems.len(), 2, "{report}");
    assert!(problems[0].as_str().unwrap().starts_with("session row 1: "), "{report}");
    let form = "outbound_group_session row 1: its value has an unknown form";
    assert_eq!(problems[1], form);
}

#[test]
fn the_sessions_have_rooms_and_senders() {
    let made = Made::new(None, false);
    let mut found = Vec::new();
    crate::store::each_session(&made.store(), None, Writer::Libolm, "--format", |session| {
        let Received { session, origin } = session.unwrap();
        found.push((session.session_id(), origin.room_id, origin.sender_key));
        Ok(())
    })
    .unwrap();
    assert_eq!(found, [(made.session.session_id(), "!room".to_owned(), SENDER.to_owned())]);
}

#[test]
fn the_keys_are_exported_for_other_clients() {
    let made = Made::new(None, false);
    let (store, output) = (made.store(), made.path("keys.json"));
    let [store, to] = [&store, &output].map(|path| path.to_str().unwrap());
    let command = ["moceril", "store", "export", store, "--plain", "--output", to];
    crate::run(&<crate::Cli as clap::Parser>::parse_from(command)).unwrap();
    let json = std::fs::read_to_string(output).unwrap();
    let keys = moceril::room_keys::read_export(&json).map(std::result::Result::unwrap);
    let [key] = &keys.collect::<Vec<_>>()[..] else { panic!("one key") };
    assert_eq!((&*key.room_id, &*key.sender_key.unwrap().to_base64()), ("!room", SENDER));
    assert_eq!(key.sender_claimed_keys["ed25519"], "claimed");
    assert_eq!(key.other["shared_history"], true);
    assert!(InboundGroupSession::import(&key.session_key).connected(&made.session));
}
