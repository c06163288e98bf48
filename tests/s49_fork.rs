//! S-49, S-03: after `fork`, every process draws other keys than its parent and its siblings. The
//! test makes a real fork, of a process that has drawn before.
#![cfg(unix)]

use std::{
    collections::BTreeSet,
    io::{Read, Write, pipe},
    panic::catch_unwind,
};

use moceril::{
    Ed25519SecretKey, PickleKey, SecretString,
    ecies::Ecies,
    megolm::{GroupSession, GroupSessionConfig, InboundGroupSession, ReplayGuard},
    olm::{Account, OlmMessage},
    sas::Sas,
};
use moceril_testing::{
    fixtures::{VERSIONS, config},
    pickle_editor::{CONTEXT, KEY, decode},
    rng::SeededRng,
    states,
};

unsafe extern "C" {
    fn fork() -> i32;
    fn waitpid(process: i32, status: *mut i32, options: i32) -> i32;
    fn _exit(status: i32) -> !;
}

/// A function that takes a source of randomness, and what its variant for the system's source
/// draws, as text: each value is one draw, or made from one. Everything else is the same in each
/// call.
type Case = (&'static str, fn() -> Vec<String>);

/// An account with a one-time key, always the same.
fn account() -> Account {
    states::account(1, &mut SeededRng::new(1))
}

fn group_session() -> GroupSession {
    GroupSession::with_rng(GroupSessionConfig::default(), &mut SeededRng::new(2)).unwrap()
}

fn secret(text: &str) -> SecretString {
    SecretString::from(text.to_owned())
}

/// The nonce of a native pickle: behind its version and type.
fn nonce(pickle: &str) -> Vec<String> {
    vec![format!("{:?}", &decode(pickle)[2..26])]
}

fn pickle_key() -> PickleKey {
    PickleKey::from_bytes(KEY)
}

fn ratchet_key(message: &OlmMessage) -> String {
    match message {
        OlmMessage::Normal(message) => message.ratchet_key().to_base64(),
        OlmMessage::PreKey(message) => message.message().ratchet_key().to_base64(),
    }
}

const CASES: &[Case] = &[
    ("Account::with_rng", || {
        let account = Account::new().unwrap();
        vec![account.ed25519_key().to_base64(), account.curve25519_key().to_base64()]
    }),
    ("Account::generate_one_time_keys_with_rng", || {
        let created = account().generate_one_time_keys(2).unwrap().created;
        created.into_iter().map(|(_, key)| key.to_base64()).collect()
    }),
    ("Account::generate_fallback_key_with_rng", || {
        let mut account = account();
        account.generate_fallback_key().unwrap();
        vec![account.unpublished_fallback_key().unwrap().1.to_base64()]
    }),
    ("Account::create_outbound_session_with_rng", || {
        let account = account();
        let mut session = account.create_outbound_session(&states::bundle(&account)).unwrap();
        let first = session.encrypt(b"text").unwrap();
        vec![session.session_keys().base_key.to_base64(), ratchet_key(&first)]
    }),
    ("Session::encrypt_with_rng", || {
        // Bob, whose next message begins a new chain.
        let (_, mut bob) = states::pair(config(VERSIONS[0]), &mut SeededRng::new(3));
        vec![ratchet_key(&bob.encrypt(b"text").unwrap())]
    }),
    ("Session::next_message_key_with_rng", || {
        let (_, mut bob) = states::pair(config(VERSIONS[0]), &mut SeededRng::new(3));
        vec![bob.next_message_key().unwrap().ratchet_key().to_base64()]
    }),
    ("GroupSession::with_rng", || {
        let session = GroupSession::with_config(GroupSessionConfig::default()).unwrap();
        let key = session.session_key().to_bytes();
        vec![session.session_id(), format!("{:?}", &key[5..5 + 128])]
    }),
    ("Account::pickle_with_rng", || nonce(&account().pickle(&pickle_key(), CONTEXT).unwrap())),
    ("Session::pickle_with_rng", || {
        let (alice, _) = states::pair(config(VERSIONS[0]), &mut SeededRng::new(3));
        nonce(&alice.pickle(&pickle_key(), CONTEXT).unwrap())
    }),
    ("GroupSession::pickle_with_rng", || {
        nonce(&group_session().pickle(&pickle_key(), CONTEXT).unwrap())
    }),
    ("InboundGroupSession::pickle_with_rng", || {
        let session = InboundGroupSession::new(&group_session().session_key());
        nonce(&session.pickle(&pickle_key(), CONTEXT).unwrap())
    }),
    ("Account::dehydrate_with_rng", || {
        vec![account().dehydrate(&pickle_key()).unwrap().nonce.to_string()]
    }),
    ("Account::dehydrate_lossy_with_rng", || {
        vec![account().dehydrate_lossy(&pickle_key()).unwrap().0.nonce.to_string()]
    }),
    ("ReplayGuard::pickle_with_rng", || {
        let session = InboundGroupSession::new(&group_session().session_key());
        nonce(&ReplayGuard::new(&session).pickle(&pickle_key(), CONTEXT).unwrap())
    }),
    ("Ed25519SecretKey::with_rng", || {
        vec![Ed25519SecretKey::new().unwrap().public_key().to_base64()]
    }),
    ("PickleKey::with_rng", || vec![PickleKey::new().unwrap().to_base64().to_string()]),
    ("Sas::with_rng", || vec![Sas::new().unwrap().public_key().to_base64()]),
    ("Ecies::with_rng", || vec![Ecies::new().unwrap().public_key().to_base64()]),
    ("BackupDecryptionKey::with_rng", || {
        let key = moceril::backup::BackupDecryptionKey::new().unwrap();
        vec![key.public_key().to_base64()]
    }),
    ("BackupEncryptionKey::encrypt_with_rng", || {
        let key =
            moceril::backup::BackupEncryptionKey::from_trusted_key(account().curve25519_key());
        vec![key.encrypt(b"text").unwrap().ephemeral_key.to_base64()]
    }),
    ("BackedUpKey::encrypt_with_rng", || {
        let session = InboundGroupSession::new(&group_session().session_key());
        let key = session.export_at_first_known_index().unwrap();
        let key = moceril::room_keys::ExportedRoomKey::with_unknown_sender("!room", key);
        let to = moceril::backup::BackupDecryptionKey::from_bytes([1; 32]).encryption_key();
        let entry = moceril::backup_file::BackedUpKey::encrypt(&key, &to).unwrap();
        vec![entry.message.ephemeral_key.to_base64()]
    }),
    ("CrossSigningKeys::with_rng", || {
        let keys = moceril::cross_signing::CrossSigningKeys::new("@alice:a").unwrap();
        let keys = [keys.master, keys.self_signing, keys.user_signing];
        keys.map(|key| key.public_key().to_base64()).to_vec()
    }),
    ("SecretStorageKey::with_rng", || {
        let key = moceril::secret_storage::SecretStorageKey::new().unwrap();
        vec![format!("{:?}", key.to_bytes())]
    }),
    ("SecretStorageKey::encrypt_with_rng", || {
        let key = moceril::secret_storage::SecretStorageKey::from_bytes([1; 32]);
        vec![format!("{:?}", key.encrypt("name", &secret("text")).unwrap().iv)]
    }),
    ("KeyDescription::of_with_rng", || {
        let key = moceril::secret_storage::SecretStorageKey::from_bytes([1; 32]);
        let description = moceril::secret_storage::KeyDescription::of(&key).unwrap();
        vec![format!("{:?}", description.check.unwrap().0)]
    }),
    ("PassphraseParameters::with_rng", || {
        vec![moceril::secret_storage::PassphraseParameters::new().unwrap().salt]
    }),
    ("HpkeRecipientChannel::with_rng", || {
        vec![moceril::hpke::HpkeRecipientChannel::new().unwrap().public_key().to_base64()]
    }),
    ("HpkeSenderChannel::establish_channel_with_rng", || {
        let sender = moceril::hpke::HpkeSenderChannel::new();
        let sender = sender.establish_channel(account().curve25519_key(), b"text", b"").unwrap();
        vec![sender.message.encapsulated_key.to_base64()]
    }),
    ("UnidirectionalRecipientChannel::establish_bidirectional_channel_with_rng", || {
        use moceril::hpke::{HpkeRecipientChannel, HpkeSenderChannel};
        let rng = &mut SeededRng::new(4);
        let recipient = HpkeRecipientChannel::with_rng(rng).unwrap();
        let sender = HpkeSenderChannel::new()
            .establish_channel_with_rng(recipient.public_key(), b"text", b"", rng)
            .unwrap();
        let channel = recipient.establish_channel(&sender.message, b"").unwrap().channel;
        let answer = channel.establish_bidirectional_channel(b"text", b"").unwrap();
        vec![format!("{:?}", answer.message.base_response_nonce)]
    }),
    ("encrypt_with_rng", || {
        salt_and_iv(&moceril::key_export::encrypt(&secret("[]"), "passphrase", 100_000).unwrap())
    }),
    ("encrypt_weak_with_rng", || {
        salt_and_iv(&moceril::key_export::encrypt_weak(&secret("[]"), "", 1).unwrap())
    }),
    ("Encryptor::with_rng", || {
        let encryptor = moceril::key_export::Encryptor::new("passphrase", 100_000).unwrap();
        salt_and_iv(&encryptor.finish())
    }),
    ("PassphraseKey::weak_with_rng", || {
        let key = moceril::PassphraseKey::weak("passphrase", PASSPHRASE_COST).unwrap();
        let pickle = account().pickle_with_passphrase(&key, CONTEXT).unwrap();
        vec![salt(&pickle)]
    }),
    ("PassphraseKey::with_rng", || {
        let least = moceril::PassphraseCost::MINIMUM;
        let key = moceril::PassphraseKey::new("passphrase", least).unwrap();
        vec![salt(&account().pickle_with_passphrase(&key, CONTEXT).unwrap())]
    }),
    ("Account::pickle_with_passphrase_with_rng", || {
        inner_nonce(&account().pickle_with_passphrase(&passphrase_key(), CONTEXT).unwrap())
    }),
    ("Session::pickle_with_passphrase_with_rng", || {
        let (alice, _) = states::pair(config(VERSIONS[0]), &mut SeededRng::new(3));
        inner_nonce(&alice.pickle_with_passphrase(&passphrase_key(), CONTEXT).unwrap())
    }),
    ("GroupSession::pickle_with_passphrase_with_rng", || {
        inner_nonce(&group_session().pickle_with_passphrase(&passphrase_key(), CONTEXT).unwrap())
    }),
    ("InboundGroupSession::pickle_with_passphrase_with_rng", || {
        let session = InboundGroupSession::new(&group_session().session_key());
        inner_nonce(&session.pickle_with_passphrase(&passphrase_key(), CONTEXT).unwrap())
    }),
    ("ReplayGuard::pickle_with_passphrase_with_rng", || {
        let guard = ReplayGuard::new(&InboundGroupSession::new(&group_session().session_key()));
        inner_nonce(&guard.pickle_with_passphrase(&passphrase_key(), CONTEXT).unwrap())
    }),
    ("Ed25519KeyPair::with_rng", || {
        vec![moceril::vodozemac::Ed25519KeyPair::new().unwrap().public_key().to_base64()]
    }),
];

/// Of a file of exported room keys: they follow the version.
fn salt_and_iv(file: &str) -> Vec<String> {
    let text: String = file.lines().filter(|line| !line.starts_with('-')).collect();
    let bytes = decode(text.trim_end_matches('='));
    vec![format!("{:?}", &bytes[1..17]), format!("{:?}", &bytes[17..33])]
}

/// Of a pickle under a passphrase: the field before the commitment and the native pickle.
fn salt(pickle: &str) -> String {
    let salt = pickle.rsplit('.').nth(2).unwrap();
    assert_eq!(salt.len(), 22);
    salt.to_owned()
}

/// Of a pickle under a passphrase, whose salt is not drawn.
fn inner_nonce(pickle: &str) -> Vec<String> {
    nonce(pickle.rsplit('.').next().unwrap())
}

fn passphrase_key() -> moceril::PassphraseKey {
    let rng = &mut SeededRng::new(5);
    moceril::PassphraseKey::weak_with_rng("passphrase", PASSPHRASE_COST, rng).unwrap()
}

const PASSPHRASE_COST: moceril::PassphraseCost =
    moceril::PassphraseCost { memory_kib: 64, passes: 1, lanes: 1 };

/// What all cases draw, a case a line.
fn draw_all() -> String {
    let lines = CASES.iter().map(|(name, draw)| format!("{name}: {}\n", draw().join("; ")));
    lines.collect()
}

/// What a child draws, which is forked here.
fn draw_in_a_child() -> String {
    let (mut reader, mut writer) = pipe().unwrap();
    // SAFETY: the child has only this thread. It draws, writes to the pipe and ends, without
    // returning into the test. It shares no lock with the threads that it lacks but that of the
    // allocator, which the C library releases in the child.
    let process = unsafe { fork() };
    assert!(process >= 0, "there is no other process");
    if process == 0 {
        let written = catch_unwind(move || writer.write_all(draw_all().as_bytes()));
        // SAFETY: it ends the child, without the exit handlers of its parent.
        unsafe { _exit(i32::from(!matches!(written, Ok(Ok(()))))) }
    }
    drop(writer);
    let mut drawn = String::new();
    reader.read_to_string(&mut drawn).unwrap();
    let mut status = -1;
    // SAFETY: the process is a child of this one, and `status` is a number of the right size.
    assert_eq!(unsafe { waitpid(process, &raw mut status, 0) }, process);
    assert_eq!(status, 0, "the child failed");
    drawn
}

/// Warmed up, forked three times, and then the parent again: nobody draws what somebody else has
/// drawn.
#[test]
fn s_49_no_process_draws_the_keys_of_another() {
    let before = draw_all();
    let mut drawn = vec![("before", before)];
    for child in ["first child", "second child", "third child"] {
        drawn.push((child, draw_in_a_child()));
    }
    drawn.push(("parent", draw_all()));
    let mut all = BTreeSet::new();
    for (process, drawn) in &drawn {
        assert_eq!(drawn.lines().count(), CASES.len(), "{process}");
        for line in drawn.lines() {
            let (name, values) = line.split_once(": ").unwrap();
            for value in values.split("; ") {
                assert!(value.len() >= 16, "{name} draws something");
                assert!(all.insert(value), "{process}: {name} repeats a draw");
            }
        }
    }
}

/// Every public function that takes a source of randomness has a case.
#[test]
fn s_49_every_function_that_draws_has_a_case() {
    let functions = moceril_testing::public_functions::public_functions().into_iter();
    let drawing = functions.filter(|(_, head)| head.contains("TryCryptoRng"));
    let drawing: BTreeSet<_> = drawing.map(|(function, _)| function.name).collect();
    let cases: BTreeSet<_> = CASES.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(cases, drawing);
    assert_eq!(cases.len(), CASES.len(), "each has one case");
}
