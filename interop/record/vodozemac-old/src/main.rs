//! Records pickles of old releases of vodozemac as test vectors. Usage: `record-vodozemac-old <folder>`.

use std::{env, error::Error, fs, path::Path};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const COMMAND: &str =
    "cargo run --manifest-path interop/record/vodozemac-old/Cargo.toml -- test-vectors";
const PICKLE_KEY: [u8; 32] = *b"the pickle key of an old release";

fn main() -> Result<()> {
    let folder = env::args().nth(1).ok_or("the folder is missing")?;
    let folder = Path::new(&folder);
    release_0_8::record(folder)?;
    release_0_9::record(folder)?;
    release_0_10::record(folder)
}

/// One file: a pickle, and what its object does next.
struct Vector {
    kind: &'static str,
    release: &'static str,
    pickle: String,
    json: String,
    steps: Vec<String>,
}

impl Vector {
    fn write(self, folder: &Path) -> Result<()> {
        let Self { kind, release, pickle, json, steps } = self;
        let mut lines = vec![
            format!("kind: {kind}"),
            format!(
                "source: recorded from vodozemac {release} on 2026-11-22; it draws its own randomness, so another \
                 run gives other bytes"
            ),
            "expect: success".to_owned(),
            format!("command: {COMMAND}"),
            format!("release: {release}"),
            format!("pickle-key: {}", hex(PICKLE_KEY)),
            format!("pickle: {pickle}"),
            format!("json: {json}"),
        ];
        lines.extend(steps.into_iter().map(|step| format!("step: {step}")));
        let folder = folder.join(kind);
        fs::create_dir_all(&folder)?;
        let path = folder.join(format!("vodozemac-{release}.txt"));
        Ok(fs::write(path, lines.join("\n") + "\n")?)
    }
}

fn hex(data: impl AsRef<[u8]>) -> String {
    data.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The releases have different types with the same names. The last one takes a configuration more and returns more
/// errors.
macro_rules! release {
    ($module:ident, $crate_name:ident, $release:literal, [$($config:expr)?], [$($try:tt)?]) => {
        mod $module {
            use std::path::Path;

            use $crate_name::{
                Curve25519PublicKey, base64_encode,
                megolm::{self, GroupSession, InboundGroupSession},
                olm::{Account, OlmMessage, Session, SessionConfig},
            };

            use super::{PICKLE_KEY, Result, Vector, hex};

            pub fn record(folder: &Path) -> Result<()> {
                account(folder)?;
                session(folder)?;
                group_session(folder)
            }

            macro_rules! write {
                ($folder:expr, $kind:literal, $object:expr, $steps:expr) => {
                    Vector {
                        kind: $kind,
                        release: $release,
                        pickle: $object.pickle().encrypt(&PICKLE_KEY),
                        json: serde_json::to_string(&$object.pickle())?,
                        steps: $steps,
                    }
                    .write($folder)
                };
            }

            fn start(alice: &Account, bob: &Account, key: Curve25519PublicKey) -> Result<Session> {
                let (config, theirs) = (SessionConfig::version_1(), bob.curve25519_key());
                Ok(alice.create_outbound_session(config, theirs, key) $($try)?)
            }

            fn encrypt(session: &mut Session, plaintext: &str) -> Result<OlmMessage> {
                Ok(session.encrypt(plaintext) $($try)?)
            }

            fn accept(bob: &mut Account, alice: &Account, first: OlmMessage) -> Result<Session> {
                let OlmMessage::PreKey(first) = first else {
                    return Err("not a pre-key message".into());
                };
                let theirs = alice.curve25519_key();
                Ok(bob.create_inbound_session($($config,)? theirs, &first)?.session)
            }

            fn receive(message: OlmMessage, plaintext: &str) -> String {
                let (message_type, body) = message.to_parts();
                format!("receive {message_type} {} {}", base64_encode(body), hex(plaintext))
            }

            /// Some keys are published, some are not, one was used, and there are two fallback keys.
            fn account(folder: &Path) -> Result<()> {
                let (alice, mut bob) = (Account::new(), Account::new());
                bob.generate_one_time_keys(4);
                bob.generate_fallback_key();
                let published = bob.one_time_keys();
                let previous = *bob.fallback_key().values().next().ok_or("no key")?;
                bob.mark_keys_as_published();
                bob.generate_one_time_keys(9);
                bob.generate_fallback_key();
                let current = *bob.fallback_key().values().next().ok_or("no key")?;

                let mut published = published.into_values();
                let used = published.next().ok_or("no key")?;
                let first = encrypt(&mut start(&alice, &bob, used)?, "used")?;
                accept(&mut bob, &alice, first)?;
                let unpublished = bob.one_time_keys().into_values();
                let keys = published.chain(unpublished).chain([previous, current]);
                let mut steps = Vec::new();
                for (number, key) in keys.enumerate() {
                    let plaintext = format!("message to key {number}");
                    let message = encrypt(&mut start(&alice, &bob, key)?, &plaintext)?;
                    steps.push(receive(message, &plaintext));
                }
                write!(folder, "vodozemac-account-pickle", bob, steps)
            }

            /// Three chains of the peer, with late messages in each.
            fn session(folder: &Path) -> Result<()> {
                let (alice, mut bob) = (Account::new(), Account::new());
                bob.generate_one_time_keys(1);
                let key = *bob.one_time_keys().values().next().ok_or("no key")?;
                let mut to_bob = start(&alice, &bob, key)?;
                let first = encrypt(&mut to_bob, "first")?;
                let mut to_alice = accept(&mut bob, &alice, first)?;
                let mut steps = Vec::new();
                for chain in 0..3 {
                    for number in 0..3 {
                        let plaintext = format!("late message {number} of chain {chain}");
                        steps.push(receive(encrypt(&mut to_bob, &plaintext)?, &plaintext));
                    }
                    to_alice.decrypt(&encrypt(&mut to_bob, "in time")?)?;
                    to_bob.decrypt(&encrypt(&mut to_alice, "answer")?)?;
                }
                let plaintext = "the first message of a new chain";
                steps.push(receive(encrypt(&mut to_bob, plaintext)?, plaintext));
                write!(folder, "vodozemac-session-pickle", to_alice, steps)
            }

            fn group_session(folder: &Path) -> Result<()> {
                let config = megolm::SessionConfig::version_1();
                let mut sender = GroupSession::new(config);
                for _ in 0..300 {
                    sender.encrypt("before the key was shared");
                }
                let mut receiver = InboundGroupSession::new(&sender.session_key(), config);
                for _ in 0..3 {
                    let message = sender.encrypt("in time");
                    receiver.decrypt(&message)?;
                }
                let (sender_pickle, sender_json) =
                    (sender.pickle().encrypt(&PICKLE_KEY), serde_json::to_string(&sender.pickle())?);
                let (mut sent, mut received) = (Vec::new(), Vec::new());
                for number in 0..3 {
                    let (index, plaintext) = (sender.message_index(), format!("message {number}"));
                    let message = sender.encrypt(&plaintext).to_base64();
                    sent.push(format!("send {} {message}", hex(&plaintext)));
                    received.push(format!("receive {index} {message} {}", hex(&plaintext)));
                }
                Vector {
                    kind: "vodozemac-group-session-pickle",
                    release: $release,
                    pickle: sender_pickle,
                    json: sender_json,
                    steps: sent,
                }
                .write(folder)?;
                write!(folder, "vodozemac-inbound-group-session-pickle", receiver, received)
            }
        }
    };
}

release!(release_0_8, vodozemac_0_8, "0.8.1", [], []);
release!(release_0_9, vodozemac_0_9, "0.9.0", [], []);
release!(release_0_10, vodozemac_0_10, "0.10.0", [SessionConfig::version_1()], [?]);
