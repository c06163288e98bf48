//! Records pickles of releases of vodozemac, old ones and the current one, as test vectors. Usage:
//! `record-vodozemac-old <folder> [<name>]`, where the name is that of one recording, such as
//! `0.9.0`.

use std::{env, error::Error, fs, path::Path};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const COMMAND: &str =
    "cargo run --manifest-path interop/record/vodozemac-old/Cargo.toml -- test-vectors";
const PICKLE_KEY: [u8; 32] = *b"the pickle key of an old release";

fn main() -> Result<()> {
    let mut arguments = env::args().skip(1);
    let folder = arguments.next().ok_or("the folder is missing")?;
    let wanted = arguments.next();
    for (name, record) in RECORDINGS {
        if wanted.as_deref().is_none_or(|wanted| wanted == *name) {
            record(Path::new(&folder))?;
        }
    }
    Ok(())
}

type Record = fn(&Path) -> Result<()>;

/// One file: a pickle, and what its object does next.
struct Vector {
    kind: &'static str,
    release: &'static str,
    name: String,
    pickle: String,
    json: String,
    steps: Vec<String>,
}

impl Vector {
    fn write(self, folder: &Path) -> Result<()> {
        let Self { kind, release, name, pickle, json, steps } = self;
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
        let path = folder.join(format!("vodozemac-{name}.txt"));
        Ok(fs::write(path, lines.join("\n") + "\n")?)
    }
}

/// What a message is, which the oldest releases give as base64.
trait Body {
    fn text(self) -> String;
}

impl Body for String {
    fn text(self) -> String {
        self
    }
}

impl Body for Vec<u8> {
    fn text(self) -> String {
        vodozemac_0_11::base64_encode(self)
    }
}

fn hex(data: impl AsRef<[u8]>) -> String {
    data.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The releases have different types with the same names. The last ones take a configuration more
/// and return more errors. `$version` is the function that makes the configurations.
macro_rules! release {
    ($module:ident, $crate_name:ident, $release:literal, $name:literal, $version:ident, [$($config:expr)?], [$($try:tt)?]) => {
        mod $module {
            use std::path::Path;

            use $crate_name::{
                Curve25519PublicKey,
                megolm::{self, GroupSession, InboundGroupSession},
                olm::{Account, OlmMessage, Session, SessionConfig},
            };

            use super::{Body, PICKLE_KEY, Result, Vector, hex};

            pub fn record(folder: &Path) -> Result<()> {
                // An account is the same for all versions of messages.
                if $name == $release {
                    account(folder)?;
                }
                session(folder)?;
                waiting_session(folder)?;
                group_session(folder)
            }

            macro_rules! write {
                ($folder:expr, $kind:literal, $suffix:literal, $object:expr, $steps:expr) => {
                    Vector {
                        kind: $kind,
                        release: $release,
                        name: concat!($name, $suffix).to_owned(),
                        pickle: $object.pickle().encrypt(&PICKLE_KEY),
                        json: serde_json::to_string(&$object.pickle())?,
                        steps: $steps,
                    }
                    .write($folder)
                };
            }

            fn start(alice: &Account, bob: &Account, key: Curve25519PublicKey) -> Result<Session> {
                let (config, theirs) = (SessionConfig::$version(), bob.curve25519_key());
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
                format!("receive {message_type} {} {}", body.text(), hex(plaintext))
            }

            /// Some keys are published, some are not, one was used, and there are two fallback
            /// keys.
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
                write!(folder, "vodozemac-account-pickle", "", bob, steps)
            }

            /// The two ends of a session, of which the second has answered nothing yet.
            fn ends() -> Result<(Session, Session)> {
                let (alice, mut bob) = (Account::new(), Account::new());
                bob.generate_one_time_keys(1);
                let key = *bob.one_time_keys().values().next().ok_or("no key")?;
                let mut to_bob = start(&alice, &bob, key)?;
                let first = encrypt(&mut to_bob, "first")?;
                Ok((to_bob, accept(&mut bob, &alice, first)?))
            }

            /// Three chains of the peer, with late messages in each.
            fn session(folder: &Path) -> Result<()> {
                let (mut to_bob, mut to_alice) = ends()?;
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
                write!(folder, "vodozemac-session-pickle", "", to_alice, steps)
            }

            /// An end that has read an answer and not replied: it has no sending chain.
            fn waiting_session(folder: &Path) -> Result<()> {
                let (mut to_bob, mut to_alice) = ends()?;
                let late = receive(encrypt(&mut to_alice, "late")?, "late");
                to_bob.decrypt(&encrypt(&mut to_alice, "in time")?)?;
                let next = receive(encrypt(&mut to_alice, "next")?, "next");
                write!(folder, "vodozemac-session-pickle", "-waiting", to_bob, vec![next, late])
            }

            fn group_session(folder: &Path) -> Result<()> {
                let config = megolm::SessionConfig::$version();
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
                    name: $name.to_owned(),
                    pickle: sender_pickle,
                    json: sender_json,
                    steps: sent,
                }
                .write(folder)?;
                write!(folder, "vodozemac-inbound-group-session-pickle", "", receiver, received)
            }
        }
    };
}

release!(release_0_5, vodozemac_0_5, "0.5.1", "0.5.1", version_1, [], []);
release!(release_0_7, vodozemac_0_7, "0.7.0", "0.7.0", version_1, [], []);
release!(release_0_8, vodozemac_0_8, "0.8.1", "0.8.1", version_1, [], []);
release!(release_0_9, vodozemac_0_9, "0.9.0", "0.9.0", version_1, [], []);
release!(release_0_10, vodozemac_0_10, "0.10.0", "0.10.0", version_1, [SessionConfig::version_1()], [?]);
release!(release_0_11, vodozemac_0_11, "0.11.1", "0.11.1", version_1, [SessionConfig::version_1()], [?]);
release!(release_0_11_v4, vodozemac_0_11, "0.11.1", "0.11.1-v4", version_2, [SessionConfig::version_2()], [?]);

const RECORDINGS: &[(&str, Record)] = &[
    ("0.5.1", release_0_5::record),
    ("0.7.0", release_0_7::record),
    ("0.8.1", release_0_8::record),
    ("0.9.0", release_0_9::record),
    ("0.10.0", release_0_10::record),
    ("0.11.1", release_0_11::record),
    ("0.11.1-v4", release_0_11_v4::record),
];
