//! S-25: no operation leaves a secret on the stack. See `README.md` of this crate.

#![deny(unsafe_code)]

mod devices;
mod files;
mod hazmat;
mod secrets;
#[expect(unsafe_code, reason = "reads the stack of what has ended")]
#[cfg_attr(target_family = "wasm", path = "stack_wasm.rs")]
mod stack;

use std::{
    hint::black_box,
    process::ExitCode,
    sync::atomic::{AtomicBool, Ordering},
};

use moceril::{
    Ed25519SecretKey, PickleKey,
    backup::BackupDecryptionKey,
    megolm::{GroupSession, GroupSessionConfig, InboundGroupSession},
    olm::{Account, OlmMessage, PreKeyBundle, Session, SessionConfig},
    sas::Sas,
};
use moceril_testing::distinct_keys::DistinctKeys;
use secrets::Secrets;
use stack::run_on_own;

const PLAINTEXT: &[u8; 32] = b"what nobody but the two may read";
const PICKLE_KEY: &[u8; 32] = b"a pickle key, which is a secret.";

/// Whether an operation has left a secret.
static FAILED: AtomicBool = AtomicBool::new(false);

/// Runs the operation, then asks which secrets it met, and looks for them.
fn look<O>(name: &str, operation: impl FnOnce() -> O, met: impl FnOnce(&O, &mut Secrets)) -> O {
    let (result, stack) = run_on_own(operation);
    let mut secrets = Secrets::default();
    met(&result, &mut secrets);
    let found = secrets.found_in(&stack);
    if found.is_empty() {
        println!("PASS  {name}: none of {} secrets", secrets.len());
    } else {
        let found: Vec<_> = found.iter().map(|(name, count)| format!("{name} ({count})")).collect();
        println!("FAIL  {name}: {}", found.join(", "));
        FAILED.store(true, Ordering::Relaxed);
    }
    result
}

fn main() -> ExitCode {
    let planted = [0x5a, 0x11].repeat(16);
    let (_, stack) = run_on_own(|| {
        black_box(<[u8; 32]>::try_from(&*planted).unwrap());
    });
    if Secrets::default().add("planted", &planted).found_in(&stack).is_empty() {
        eprintln!("a secret that was put on the stack is not found");
        return ExitCode::FAILURE;
    }
    olm();
    megolm();
    channels();
    devices::ecies();
    devices::hpke();
    files::key_export();
    files::secret_storage();
    hazmat::ciphers();
    hazmat::sessions();
    hazmat::groups();
    if FAILED.load(Ordering::Relaxed) { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn distinct_keys(begin: u64) -> DistinctKeys {
    DistinctKeys::new(begin, |_| ())
}

/// The key of the session's next message; `rng` as it will be for that message.
fn next_key(session: &Session, mut rng: DistinctKeys) -> Vec<u8> {
    let (key, context) = (PickleKey::from_bytes([0; 32]), b"");
    let copy = session.pickle_with_rng(&key, context, &mut rng.clone()).unwrap();
    let mut copy = Session::from_pickle(&copy, &key, context).unwrap();
    copy.next_message_key_with_rng(&mut rng).unwrap().key().to_vec()
}

/// Sends a message from one to the other, and looks at both ends.
fn send(chain: &str, from: &mut Session, to: &mut Session, rng: &mut DistinctKeys) {
    let (key, sending, drawn) = (next_key(from, *rng), state(from), *rng);
    let encrypt = || from.encrypt_with_rng(PLAINTEXT, rng).unwrap();
    let message = look(&format!("Olm: encrypt, {chain} chain"), encrypt, |_, met| {
        met.all(&sending).drawn(&["new ratchet key"], drawn);
        met.message_key(&key, "OLM_KEYS").add("plaintext", PLAINTEXT);
    });
    let (ours, theirs) = (state(from), state(to));
    let decrypt = || to.decrypt(&message).unwrap();
    look(&format!("Olm: decrypt, {chain} chain"), decrypt, |_, met| {
        met.all(&ours).all(&theirs);
        met.message_key(&key, "OLM_KEYS").add("plaintext", PLAINTEXT);
    });
}

/// What a session sends with.
fn state(session: &Session) -> Vec<(&'static str, Vec<u8>)> {
    let Some(state) = session.sending_state() else { return Vec::new() };
    vec![
        ("root key", state.root_key().to_vec()),
        ("chain key", state.chain_key().to_vec()),
        ("ratchet key", state.ratchet_key().to_vec()),
    ]
}

fn olm() {
    let rng = &mut distinct_keys(1);
    let (account, alice_keys) = (["Ed25519 seed", "identity key"], *rng);
    let alice = look(
        "Olm: account, new",
        || Account::with_rng(rng).unwrap(),
        |_, met| {
            met.drawn(&account, alice_keys);
        },
    );
    look(
        "Olm: sign",
        || alice.sign(b"message"),
        |_, met| {
            met.drawn(&account, alice_keys);
        },
    );

    let bob_keys = *rng;
    let mut bob = Account::with_rng(rng).unwrap();
    let one_time = *rng;
    let generate = || bob.generate_one_time_keys_with_rng(1, rng).unwrap();
    look("Olm: one-time key", generate, |_, met| {
        met.drawn(&["one-time key"], one_time);
    });

    let (_, one_time_key) = bob.signed_one_time_keys()[0];
    let bundle = PreKeyBundle::verify(bob.identity_keys(), &one_time_key).unwrap();
    let (config, drawn) = (SessionConfig::default(), *rng);
    let outbound = || alice.create_outbound_session_with_rng(&bundle, config, rng).unwrap();
    let mut ours = look("Olm: outbound session", outbound, |session, met| {
        met.drawn(&account, alice_keys).drawn(&["base key", "ratchet key"], drawn);
        met.all(&state(session));
    });
    let (key, sending) = (next_key(&ours, *rng), state(&ours));
    let first = ours.encrypt_with_rng(PLAINTEXT, rng).unwrap();
    let OlmMessage::PreKey(first) = &first else { unreachable!("nothing was received yet") };
    let inbound = || bob.create_inbound_session(alice.curve25519_key(), first).unwrap();
    let inbound = look("Olm: inbound session, first message", inbound, |_, met| {
        met.drawn(&account, bob_keys).drawn(&["one-time key"], one_time).all(&sending);
        met.message_key(&key, "OLM_KEYS").add("plaintext", PLAINTEXT);
    });
    let mut theirs = inbound.session;
    send("new", &mut theirs, &mut ours, rng);
    send("same", &mut theirs, &mut ours, rng);

    let key = PickleKey::from_bytes(*PICKLE_KEY);
    let sending = state(&theirs);
    let pickle = || theirs.pickle_with_rng(&key, b"", rng).unwrap();
    let pickle = look("Olm: session, pickle", pickle, |_, met| {
        met.all(&sending).add("pickle key", PICKLE_KEY);
    });
    look(
        "Olm: session, unpickle",
        || Session::from_pickle(&pickle, &key, b"").unwrap(),
        |_, met| {
            met.all(&sending).add("pickle key", PICKLE_KEY);
        },
    );
    let old = theirs.to_libolm_pickle_lossy(PICKLE_KEY).unwrap().0;
    look(
        "Olm: session, libolm pickle",
        || theirs.to_libolm_pickle_lossy(PICKLE_KEY).unwrap(),
        |_, met| {
            met.all(&sending).add("pickle key", PICKLE_KEY);
        },
    );
    look(
        "Olm: session, libolm unpickle",
        || Session::from_libolm_pickle(&old, PICKLE_KEY).unwrap(),
        |_, met| {
            met.all(&sending).add("pickle key", PICKLE_KEY);
        },
    );

    let fallback = *rng;
    let generate = || bob.generate_fallback_key_with_rng(rng).unwrap();
    look("Olm: fallback key", generate, |_, met| {
        met.drawn(&["fallback key"], fallback);
    });
    let all = |_: &Account, met: &mut Secrets| {
        met.drawn(&account, bob_keys).drawn(&["fallback key"], fallback);
    };
    let pickle = bob.pickle_with_rng(&key, b"", rng).unwrap();
    look("Olm: account, unpickle", || Account::from_pickle(&pickle, &key, b"").unwrap(), all);
    let old = bob.to_libolm_pickle_lossy(PICKLE_KEY).unwrap().0;
    let unpickle = || Account::from_libolm_pickle(&old, PICKLE_KEY).unwrap();
    look("Olm: account, libolm unpickle", unpickle, all);
}

fn megolm() {
    let rng = &mut distinct_keys(1 << 32);
    let drawn = *rng;
    let parts = ["R0", "R1", "R2", "R3", "Ed25519 seed"];
    let config = GroupSessionConfig::default();
    let mut room = look(
        "Megolm: session, new",
        || GroupSession::with_rng(config, rng).unwrap(),
        |_, met| {
            met.drawn(&parts, drawn);
        },
    );
    let key = look(
        "Megolm: session key",
        || room.session_key(),
        |_, met| {
            met.drawn(&parts, drawn);
        },
    );
    let mut receiver = look(
        "Megolm: inbound session",
        || InboundGroupSession::new(&key),
        |_, met| {
            met.drawn(&parts[..4], drawn);
        },
    );
    let at = |session: &InboundGroupSession, index: u32, met: &mut Secrets| {
        let exported = session.export_at(index).unwrap().to_bytes();
        for (name, part) in parts.iter().zip(exported[5..133].chunks(32)) {
            met.add(name, part);
        }
        met.message_key(&exported[5..133], "MEGOLM_KEYS").add("plaintext", PLAINTEXT);
    };
    let message = look(
        "Megolm: encrypt",
        || room.encrypt(PLAINTEXT).unwrap(),
        |_, met| {
            met.drawn(&parts[4..], drawn);
            at(&receiver, 0, met);
        },
    );
    let exported = receiver.export_at(0).unwrap();
    let copy = InboundGroupSession::import(&exported);
    look("Megolm: decrypt", || receiver.decrypt(&message).unwrap(), |_, met| at(&copy, 0, met));
    look(
        "Megolm: import",
        || InboundGroupSession::import(&exported),
        |session, met| at(session, 0, met),
    );
    let messages: Vec<_> = (0..2).map(|_| room.encrypt(PLAINTEXT).unwrap()).collect();
    let together = || receiver.decrypt_batch(&messages);
    look("Megolm: decrypt several", together, |_, met| {
        at(&copy, 1, met);
        at(&copy, 2, met);
    });
    look(
        "Megolm: export",
        || receiver.export_at(9).unwrap(),
        |_, met| {
            at(&copy, 0, met);
            at(&copy, 9, met);
        },
    );
    look("Megolm: merge", || receiver.merge(&copy).unwrap(), |_, met| at(&copy, 0, met));
    let key = PickleKey::from_bytes(*PICKLE_KEY);
    let pickle = receiver.pickle_with_rng(&key, b"", rng).unwrap();
    let unpickle = || InboundGroupSession::from_pickle(&pickle, &key, b"").unwrap();
    look("Megolm: inbound session, unpickle", unpickle, |_, met| at(&copy, 0, met));
    let old = receiver.to_libolm_pickle_lossy(PICKLE_KEY).unwrap().0;
    let unpickle = || InboundGroupSession::from_libolm_pickle(&old, PICKLE_KEY).unwrap();
    look("Megolm: inbound session, libolm unpickle", unpickle, |_, met| at(&copy, 0, met));
    look(
        "Megolm: forget",
        || receiver.advance_to(300),
        |_, met| {
            at(&copy, 0, met);
            at(&copy, 300, met);
        },
    );
}

fn channels() {
    let rng = &mut distinct_keys(1 << 33);
    let theirs = Sas::with_rng(rng).unwrap();
    let drawn = *rng;
    let ours = look(
        "SAS: new",
        || Sas::with_rng(rng).unwrap(),
        |_, met| {
            met.drawn(&["SAS key"], drawn);
        },
    );
    let mut ours = Some(ours);
    let agree = || ours.take().unwrap().diffie_hellman(theirs.public_key()).unwrap();
    look("SAS: agreement", agree, |_, met| {
        met.drawn(&["SAS key"], drawn);
    });

    let drawn = *rng;
    let key = look(
        "backup: new key",
        || BackupDecryptionKey::with_rng(rng).unwrap(),
        |_, met| {
            met.drawn(&["backup key"], drawn);
        },
    );
    let (recipient, ephemeral) = (key.encryption_key(), *rng);
    let encrypted = look(
        "backup: encrypt",
        || recipient.encrypt_with_rng(PLAINTEXT, rng).unwrap(),
        |_, met| {
            met.drawn(&["ephemeral key"], ephemeral).add("plaintext", PLAINTEXT);
        },
    );
    look(
        "backup: decrypt",
        || key.decrypt_unauthenticated(&encrypted).unwrap(),
        |_, met| {
            met.drawn(&["backup key"], drawn).add("plaintext", PLAINTEXT);
        },
    );
    let text = key.to_base64();
    look(
        "backup: key from base64",
        || BackupDecryptionKey::from_base64(&text).unwrap(),
        |_, met| {
            met.drawn(&["backup key"], drawn);
        },
    );
    let pickle = key.to_libolm_pickle(PICKLE_KEY);
    look(
        "backup: key, libolm unpickle",
        || BackupDecryptionKey::from_libolm_pickle(&pickle, PICKLE_KEY).unwrap(),
        |_, met| {
            met.drawn(&["backup key"], drawn).add("pickle key", PICKLE_KEY);
        },
    );

    let drawn = *rng;
    let key = look(
        "signing key: new",
        || Ed25519SecretKey::with_rng(rng).unwrap(),
        |_, met| {
            met.drawn(&["Ed25519 seed"], drawn);
        },
    );
    let text = key.to_base64();
    look(
        "signing key: from base64",
        || Ed25519SecretKey::from_base64(&text).unwrap(),
        |_, met| {
            met.drawn(&["Ed25519 seed"], drawn);
        },
    );
    look(
        "signing key: sign",
        || key.sign(b"message"),
        |_, met| {
            met.drawn(&["Ed25519 seed"], drawn);
        },
    );
}
