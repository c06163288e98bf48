//! S-25: no heap block that is freed holds a secret, call by call: what the other files do in
//! conversations is here done once for each type. A name that several types share is written with
//! its type, so that `tests/pages/s25_wiping.rs` can tell whose call it is.

use std::fmt::Debug;

use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use moceril::{
    Ed25519SecretKey, MessageVersion, PassphraseCost, PassphraseKey, PickleKey,
    hazmat::{Cipher, MessageKey, SendingState},
    megolm::{
        self, ExportedSessionKey, GroupSession, GroupSessionConfig, InboundGroupSession,
        MegolmMessage, Provenance, ReplayGuard, SessionKey,
    },
    olm::{self, Account, Limits, PreKeyBundle, Session, SessionConfig},
    vodozemac::{
        AccountPickle, Ed25519KeyPair, GroupSessionPickle, InboundGroupSessionPickle, SessionPickle,
    },
};
use moceril_testing::{
    distinct_keys::DistinctKeys,
    rng::RecordedRng,
    searching::{
        assert_it_finds, forget_all, known_keys, learn, learn_beginning, learn_with_texts, searched,
    },
};
use sha2::Sha256;
use zeroize::Zeroizing;

const PLAINTEXT: &[u8] = b"what is encrypted, which is longer than a block of the cipher";

#[test]
fn s_25_no_freed_block_holds_a_secret_after_any_call() {
    assert_it_finds();
    let rng = &mut known_keys(3 << 32);
    keys(rng);
    ciphers();
    accounts(rng);
    sessions(rng);
    group_sessions(rng);
    stored(rng);
}

fn keys(rng: &mut DistinctKeys) {
    forget_all();
    learn_with_texts("signing key", &rng.upcoming(0));
    learn_with_texts("key pair", &rng.upcoming(1));
    searched("signing keys", || {
        let key = Ed25519SecretKey::with_rng(rng).unwrap();
        let key = Ed25519SecretKey::from_bytes(Ed25519SecretKey::to_bytes(&key));
        let text = Ed25519SecretKey::to_base64(&key);
        let public = Ed25519SecretKey::public_key(&key);
        public.verify(b"message", &Ed25519SecretKey::sign(&key, b"message")).unwrap();
        let pair = Ed25519KeyPair::with_rng(rng).unwrap();
        let public = Ed25519KeyPair::public_key(&pair);
        public.verify(b"message", &Ed25519KeyPair::sign(&pair, b"message")).unwrap();
        (text, pair)
    });
}

fn ciphers() {
    forget_all();
    let key: [u8; 128] = std::array::from_fn(|place| 0x80 | place as u8);
    learn("key", &key);
    for (info, length) in [("OLM_KEYS", 32), ("MEGOLM_KEYS", 128), ("Pickle", 128)] {
        let mut derived = [0; 80];
        let hkdf = Hkdf::<Sha256>::new(None, &key[..length]);
        hkdf.expand(info.as_bytes(), &mut derived).unwrap();
        learn("derived keys", &derived);
    }
    learn("plaintext", PLAINTEXT);
    searched("ciphers", || {
        let olm = Cipher::olm(key.first_chunk().unwrap());
        for cipher in [olm, Cipher::megolm(&key), Cipher::pickle(key)] {
            let ciphertext = Cipher::encrypt(&cipher, PLAINTEXT);
            let tag = cipher.mac(&ciphertext);
            assert!(Cipher::verify_mac(&cipher, &ciphertext, tag));
            assert!(!Cipher::verify_mac(&cipher, &ciphertext, [0; 32]));
            // It is the caller's, who wipes it.
            let plaintext = Zeroizing::new(Cipher::decrypt(&cipher, &ciphertext).unwrap());
            assert_eq!(*plaintext, PLAINTEXT);
            assert!(Cipher::decrypt(&cipher, &ciphertext[..16]).is_none());
        }
    });
}

fn accounts(rng: &mut DistinctKeys) {
    forget_all();
    learn_with_texts("signing key", &rng.upcoming(0));
    learn_with_texts("identity key", &rng.upcoming(1));
    learn_with_texts("one-time key", &rng.upcoming(2));
    searched("account", || {
        let mut account = Account::with_rng(rng).unwrap();
        account.generate_one_time_keys_with_rng(3, rng).unwrap();
        account.generate_fallback_key_with_rng(rng).unwrap();
        let (id, key) = account.unpublished_one_time_keys()[0];
        assert_eq!(account.key_id(&key), Some(id));
        assert!(account.signed_fallback_key().is_some());
        assert!(account.take_one_time_key(id).is_some());
        let (id, _) = account.fallback_key().unwrap();
        account.mark_as_published([id]);
        account.ed25519_key().verify(b"message", &Account::sign(&account, b"message")).unwrap();
        account
    });
}

/// The keys of a session's next message, and of the one that follows it.
fn learn_state(session: &Session) {
    let state = session.sending_state().unwrap();
    learn_with_texts("root key", state.root_key());
    learn_with_texts("chain key", state.chain_key());
    learn_with_texts("ratchet key", SendingState::ratchet_key(&state));
    for input in [1, 2] {
        let mac = Hmac::<Sha256>::new_from_slice(state.chain_key()).unwrap();
        learn("next key", &mac.chain_update([input]).finalize().into_bytes());
    }
}

/// An account with a one-time key, and the session of another one with it.
fn outbound(rng: &mut DistinctKeys) -> (Account, Account, Session) {
    let alice = Account::with_rng(rng).unwrap();
    let mut bob = Account::with_rng(rng).unwrap();
    bob.generate_one_time_keys_with_rng(1, rng).unwrap();
    let (_, key) = bob.unpublished_one_time_keys()[0];
    let bundle = PreKeyBundle::from_unverified_keys(bob.curve25519_key(), key).unwrap();
    let session = alice.create_outbound_session_with_rng(&bundle, SessionConfig::default(), rng);
    (alice, bob, session.unwrap())
}

fn sessions(rng: &mut DistinctKeys) {
    forget_all();
    learn("plaintext", PLAINTEXT);
    let (alice, mut bob, mut ours) = outbound(rng);
    learn_state(&ours);
    let (sender, config) = (alice.curve25519_key(), SessionConfig::default());
    searched("sessions", || {
        let first = Session::encrypt_with_rng(&mut ours, PLAINTEXT, rng).unwrap();
        let pre_key = first.as_pre_key().unwrap();
        let mut unread = bob.create_inbound_session_unread(sender, pre_key, config).unwrap();
        let plaintext = Session::decrypt(&mut unread, &first).unwrap();
        let created = bob.create_inbound_session_with_config(sender, pre_key, config).unwrap();
        let mut theirs = created.session;
        for message in [plaintext, created.message] {
            let plaintext = Zeroizing::new(olm::DecryptedMessage::into_plaintext(message));
            assert_eq!(*plaintext, PLAINTEXT);
        }
        let late: Vec<_> = (0..60)
            .map(|_| Session::encrypt_with_rng(&mut ours, PLAINTEXT, rng).unwrap())
            .collect();
        theirs.set_limits(Limits::default().with_skipped_keys(100));
        drop(Session::decrypt(&mut theirs, &late[59]).unwrap());
        theirs.set_limits(Limits::default());
        assert!(!theirs.describe().is_empty());
        (unread, theirs)
    });
    // The keys that follow.
    learn_state(&ours);
    searched("message key", || {
        let key = ours.next_message_key_with_rng(rng).unwrap();
        let (ratchet_key, index) = (MessageKey::ratchet_key(&key), key.index());
        let key = MessageKey::new(*key.key(), ratchet_key, index);
        let message = MessageKey::encrypt(key, MessageVersion::V3, PLAINTEXT);
        let state = ours.sending_state().unwrap();
        let again = Session::from_root_key_material(
            config,
            *ours.session_keys(),
            *state.root_key(),
            *state.chain_key(),
            *SendingState::ratchet_key(&state),
        );
        (message, again)
    });
}

fn group_sessions(rng: &mut DistinctKeys) {
    forget_all();
    learn("plaintext", PLAINTEXT);
    let config = GroupSessionConfig::default().with_version(MessageVersion::V4);
    let mut sender = GroupSession::with_rng(config, rng).unwrap();
    let exported = InboundGroupSession::new(&sender.session_key()).export_at(0).unwrap();
    exported.to_bytes()[5..133].chunks(32).for_each(|part| learn_with_texts("ratchet", part));
    learn("text of a session key", &exported.to_base64().as_bytes()[8..176]);
    let mut keys = [0; 80];
    let hkdf = Hkdf::<Sha256>::new(None, &exported.to_bytes()[5..133]);
    hkdf.expand(b"MEGOLM_KEYS", &mut keys).unwrap();
    learn("keys of a message", &keys);
    let version = MessageVersion::V4;
    searched("group sessions", || {
        let key = sender.session_key();
        let key = SessionKey::from_bytes(&SessionKey::to_bytes(&key)).unwrap();
        let key = SessionKey::from_base64(&SessionKey::to_base64(&key)).unwrap();
        let mut receiver = InboundGroupSession::with_version(&key, version);
        let key = receiver.export_at_first_known_index().unwrap();
        let key = ExportedSessionKey::from_bytes(&ExportedSessionKey::to_bytes(&key)).unwrap();
        let text = ExportedSessionKey::to_base64(&key);
        let key = ExportedSessionKey::from_base64(&text).unwrap();
        let import = InboundGroupSession::import_with_version(&key, Provenance::Backup, version);
        assert!(receiver.connected(&import));
        let cipher = receiver.cipher_at(0).unwrap();
        let signer = Ed25519SecretKey::with_rng(rng).unwrap();
        let parts = MegolmMessage::encrypt(version, 0, &cipher, &signer, PLAINTEXT);
        let sign = |bytes: &[u8]| Ed25519SecretKey::sign(&signer, bytes);
        let again = MegolmMessage::encrypt_signed_by(version, 0, &cipher, sign, PLAINTEXT);
        assert_eq!(parts.as_bytes(), again.as_bytes());
        let message = GroupSession::encrypt(&mut sender, PLAINTEXT).unwrap();
        let decrypted = InboundGroupSession::decrypt(&mut receiver, &message).unwrap();
        let mut guard = ReplayGuard::new(&receiver);
        for _ in 0..2 {
            _ = ReplayGuard::check(&mut guard, &decrypted, "$event").unwrap();
        }
        assert!(ReplayGuard::check(&mut guard, &decrypted, "$another").is_err());
        let plaintext = Zeroizing::new(megolm::DecryptedMessage::into_plaintext(decrypted));
        assert_eq!(*plaintext, PLAINTEXT);
        (receiver, import, guard, plaintext)
    });
}

/// Writes an object and reads it, with these two functions, which take a context.
fn in_a_context<T, W: Debug, R: Debug>(
    write: impl FnOnce(&[u8]) -> Result<String, W>,
    read: impl Fn(&str, &[u8]) -> Result<T, R>,
) {
    let text = write(b"context").unwrap();
    drop(read(&text, b"context").unwrap());
    assert!(read(&text, b"another").is_err());
}

/// Writes an object and reads it, as libolm's pickle and as the content of one.
macro_rules! as_libolm {
    ($object:expr, $write:path, $read:path, $write_content:path, $($read_content:path),+) => {{
        let (text, _) = $write($object, b"key").unwrap();
        drop($read(&text, b"key").unwrap());
        assert!($read(&text, b"another").is_err());
        // The caller's memory.
        let mut memory = [0; 4096];
        let length = $write_content($object, &mut memory).unwrap().unwrap();
        $(
            drop($read_content(&memory[..length]).unwrap());
            assert!($read_content(&memory[..length - 1]).is_err());
        )+
    }};
}

/// The same for the two forms of vodozemac's pickles.
macro_rules! as_vodozemac {
    ($object:expr, $to:path, $encrypt:path, $from_encrypted:path, $from:path) => {{
        let (pickle, _) = $to($object).unwrap();
        let text = $encrypt(&pickle, &[1; 32]).unwrap();
        assert!($from_encrypted(&text, &[2; 32]).is_err());
        drop($from($from_encrypted(&text, &[1; 32]).unwrap()).unwrap());
    }};
}

fn stored(rng: &mut DistinctKeys) {
    forget_all();
    let key = PickleKey::from_bytes(*b"a pickle key, which is a secret.");
    learn("pickle key", b"a pickle key, which is a secret.");
    let cost = PassphraseCost { memory_kib: 16, passes: 1, lanes: 1 };
    let passphrase =
        PassphraseKey::weak_with_rng("passphrase", cost, &mut RecordedRng::new([6; 16]));
    let (key, passphrase) = (&key, &passphrase.unwrap());
    learn_with_texts("signing key", &rng.upcoming(0));
    learn_with_texts("identity key", &rng.upcoming(1));
    let (account, _, session) = outbound(rng);
    learn_state(&session);
    let sender = GroupSession::with_rng(GroupSessionConfig::default(), rng).unwrap();
    let receiver = InboundGroupSession::new(&sender.session_key());
    let exported = receiver.export_at(0).unwrap();
    exported.to_bytes()[5..133].chunks(32).for_each(|part| learn_beginning("ratchet", part));
    let guard = ReplayGuard::new(&receiver);
    searched("stored account", || {
        in_a_context(
            |context| Account::pickle_with_rng(&account, key, context, rng),
            |text, context| Account::from_pickle(text, key, context),
        );
        in_a_context(
            |context| Account::pickle_with_passphrase_with_rng(&account, passphrase, context, rng),
            |text, context| Account::from_passphrase_pickle(text, passphrase, context),
        );
        as_libolm!(
            &account,
            Account::to_libolm_pickle_lossy,
            Account::from_libolm_pickle,
            Account::write_libolm_content,
            Account::from_libolm_content,
            Account::from_own_libolm_content
        );
        as_vodozemac!(
            &account,
            Account::to_vodozemac_pickle_lossy,
            AccountPickle::encrypt,
            AccountPickle::from_encrypted,
            Account::from_vodozemac_pickle
        );
    });
    searched("stored session", || {
        in_a_context(
            |context| Session::pickle_with_rng(&session, key, context, rng),
            |text, context| Session::from_pickle(text, key, context),
        );
        in_a_context(
            |context| Session::pickle_with_passphrase_with_rng(&session, passphrase, context, rng),
            |text, context| Session::from_passphrase_pickle(text, passphrase, context),
        );
        as_libolm!(
            &session,
            Session::to_libolm_pickle_lossy,
            Session::from_libolm_pickle,
            Session::write_libolm_content,
            Session::from_libolm_content,
            Session::from_own_libolm_content
        );
        as_vodozemac!(
            &session,
            Session::to_vodozemac_pickle_lossy,
            SessionPickle::encrypt,
            SessionPickle::from_encrypted,
            Session::from_vodozemac_pickle
        );
    });
    searched("stored group session", || {
        in_a_context(
            |context| GroupSession::pickle_with_rng(&sender, key, context, rng),
            |text, context| GroupSession::from_pickle(text, key, context),
        );
        in_a_context(
            |context| {
                GroupSession::pickle_with_passphrase_with_rng(&sender, passphrase, context, rng)
            },
            |text, context| GroupSession::from_passphrase_pickle(text, passphrase, context),
        );
        as_libolm!(
            &sender,
            GroupSession::to_libolm_pickle_lossy,
            GroupSession::from_libolm_pickle,
            GroupSession::write_libolm_content,
            GroupSession::from_libolm_content,
            GroupSession::from_own_libolm_content
        );
        as_vodozemac!(
            &sender,
            GroupSession::to_vodozemac_pickle_lossy,
            GroupSessionPickle::encrypt,
            GroupSessionPickle::from_encrypted,
            GroupSession::from_vodozemac_pickle
        );
    });
    searched("stored inbound group session", || {
        in_a_context(
            |context| InboundGroupSession::pickle_with_rng(&receiver, key, context, rng),
            |text, context| InboundGroupSession::from_pickle(text, key, context),
        );
        in_a_context(
            |context| {
                InboundGroupSession::pickle_with_passphrase_with_rng(
                    &receiver, passphrase, context, rng,
                )
            },
            |text, context| InboundGroupSession::from_passphrase_pickle(text, passphrase, context),
        );
        as_libolm!(
            &receiver,
            InboundGroupSession::to_libolm_pickle_lossy,
            InboundGroupSession::from_libolm_pickle,
            InboundGroupSession::write_libolm_content,
            InboundGroupSession::from_libolm_content,
            InboundGroupSession::from_own_libolm_content
        );
        as_vodozemac!(
            &receiver,
            InboundGroupSession::to_vodozemac_pickle_lossy,
            InboundGroupSessionPickle::encrypt,
            InboundGroupSessionPickle::from_encrypted,
            InboundGroupSession::from_vodozemac_pickle
        );
    });
    searched("stored replay guard", || {
        in_a_context(
            |context| ReplayGuard::pickle_with_rng(&guard, key, context, rng),
            |text, context| ReplayGuard::from_pickle(text, key, context, &receiver),
        );
        in_a_context(
            |context| {
                ReplayGuard::pickle_with_passphrase_with_rng(&guard, passphrase, context, rng)
            },
            |text, context| {
                ReplayGuard::from_passphrase_pickle(text, passphrase, context, &receiver)
            },
        );
    });
}
