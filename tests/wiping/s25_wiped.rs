//! S-25: no freed heap block holds a secret of an account, a session or their pickles.

use moceril::{
    Ed25519SecretKey, PickleKey,
    megolm::{
        ExportedSessionKey, GroupSession, GroupSessionConfig, InboundGroupSession, SessionKey,
    },
    olm::{Account, PreKeyBundle, Session, SessionConfig},
};
use moceril_testing::{
    converted::ToLibolm,
    distinct_keys::DistinctKeys,
    searching::{
        assert_it_finds, forget_all, known, known_keys, learn, learn_beginning, learn_with_texts,
        searched,
    },
};

/// Writes and reads the two forms of vodozemac's pickles.
macro_rules! through_vodozemac {
    ($object:expr, $pickle:ident, $type:ident) => {{
        use moceril::vodozemac::$pickle;
        let (pickle, _) = $object.to_vodozemac_pickle_lossy().unwrap();
        let text = pickle.encrypt(&[1; 32]).unwrap();
        assert!($pickle::from_encrypted(&text, &[2; 32]).is_err());
        let pickle = $pickle::from_encrypted(&text, &[1; 32]).unwrap();
        drop($type::from_vodozemac_pickle(pickle).unwrap());
    }};
}

/// The state of a group session, all of whose parts are secret.
fn learn_ratchet(session: &InboundGroupSession, index: u32) {
    let exported = session.export_at(index).unwrap();
    exported.to_bytes()[5..133].chunks(32).for_each(|part| learn_beginning("ratchet", part));
    // What stands before the ratchet in the text is not secret, and neither is what follows it.
    learn("text of an exported key", &exported.to_base64().as_bytes()[8..176]);
}

fn learn_sending(session: &Session) {
    if let Some(state) = session.sending_state() {
        learn_beginning("root key", state.root_key());
        learn_beginning("chain key", state.chain_key());
        learn_beginning("ratchet key", state.ratchet_key());
    }
}

#[test]
fn s_25_no_freed_block_holds_a_secret() {
    assert_it_finds();
    let rng = &mut known_keys(0);
    searched("account", || {
        let mut account = Account::with_rng(rng).unwrap();
        for count in [1, 3, 20] {
            account.generate_one_time_keys_with_rng(count, rng).unwrap();
        }
        let ids: Vec<_> =
            account.unpublished_one_time_keys().into_iter().map(|(id, _)| id).collect();
        account.remove_one_time_key(ids[7]);
        account.remove_one_time_key(ids[0]);
        for _ in 0..3 {
            account.generate_fallback_key_with_rng(rng).unwrap();
        }
        account.forget_previous_fallback_key();
        account.sign(b"message")
    });
    learn_with_texts("signing key", &rng.upcoming(0));
    searched("signing key", || {
        let key = Ed25519SecretKey::with_rng(rng).unwrap();
        let text = key.to_base64();
        assert!(Ed25519SecretKey::from_base64(&text[..42]).is_err());
        assert!(Ed25519SecretKey::from_base64(&text[4..]).is_err());
        let again = Ed25519SecretKey::from_base64(&text).unwrap();
        (again.clone().sign(b"message"), key)
    });
    learn_with_texts("drawn pickle key", &rng.upcoming(0));
    searched("pickle key", || {
        let key = PickleKey::with_rng(rng).unwrap();
        let key = PickleKey::from_bytes(PickleKey::to_bytes(&key));
        let text = PickleKey::to_base64(&key);
        assert!(PickleKey::from_base64(&text[..42]).is_err());
        PickleKey::from_base64(&text).unwrap().clone()
    });
    forget_all();

    learn_with_texts("signing key of Alice", &rng.upcoming(0));
    let alice = Account::with_rng(rng).unwrap();
    learn_with_texts("signing key of Bob", &rng.upcoming(0));
    let mut bob = Account::with_rng(rng).unwrap();
    learn_with_texts("one-time key", &rng.upcoming(0));
    bob.generate_one_time_keys_with_rng(3, rng).unwrap();
    let key = PickleKey::from_bytes(*b"a pickle key, which is a secret.");
    learn("pickle key", b"a pickle key, which is a secret.");
    searched("sessions", || conversation(&alice, &mut bob, rng, &key));
    searched("account pickle", || {
        let pickle = bob.pickle_with_rng(&key, b"context", rng).unwrap();
        let restored = Account::from_pickle(&pickle, &key, b"context").unwrap();
        assert!(Account::from_pickle(&pickle, &key, b"other").is_err());
        let pickle = restored.to_libolm(b"key");
        let restored = Account::from_libolm_pickle(&pickle, b"key").unwrap();
        through_vodozemac!(bob, AccountPickle, Account);
        restored
    });
    searched("group sessions", || group_sessions(rng, &key));
}

/// What is encrypted where the plaintext is looked for, too.
const PLAINTEXT: &[u8] = b"a plaintext, which is a secret as well as a key is";

fn conversation(alice: &Account, bob: &mut Account, rng: &mut DistinctKeys, key: &PickleKey) {
    let (_, one_time_key) = bob.signed_one_time_keys()[0];
    let bundle = PreKeyBundle::verify(bob.identity_keys(), &one_time_key).unwrap();
    let config = SessionConfig::default();
    let mut ours = alice.create_outbound_session_with_rng(&bundle, config, rng).unwrap();
    learn_sending(&ours);
    learn("Olm plaintext", PLAINTEXT);
    let first = ours.encrypt_with_rng(PLAINTEXT, rng).unwrap();
    let pre_key = first.as_pre_key().unwrap();
    let inbound = bob.create_inbound_session(alice.curve25519_key(), pre_key).unwrap();
    assert_eq!(inbound.message.plaintext(), PLAINTEXT);
    let mut theirs = inbound.session;
    // Enough turns and skipped messages for keys and chains to be evicted.
    for _ in 0..7 {
        for turn in 0..2 {
            let (from, to) =
                if turn == 0 { (&mut theirs, &mut ours) } else { (&mut ours, &mut theirs) };
            let messages: Vec<_> = (0..50)
                .map(|_| {
                    let message = from.encrypt_with_rng(b"message", rng).unwrap();
                    if known() < 400 {
                        learn_sending(from);
                    }
                    message
                })
                .collect();
            to.decrypt(&messages[49]).unwrap();
            to.decrypt(&messages[20]).unwrap();
            to.decrypt(&messages[30]).unwrap();
            assert!(to.decrypt(&messages[20]).is_err());
            let decrypted = to.decrypt(&from.encrypt_with_rng(PLAINTEXT, rng).unwrap()).unwrap();
            assert_eq!(decrypted.clone().plaintext(), PLAINTEXT);
        }
    }
    let pickle = ours.pickle_with_rng(key, b"context", rng).unwrap();
    drop(Session::from_pickle(&pickle, key, b"context").unwrap());
    let (pickle, _) = ours.to_libolm_pickle_lossy(b"key").unwrap();
    drop(Session::from_libolm_pickle(&pickle, b"key").unwrap());
    through_vodozemac!(ours, SessionPickle, Session);
}

fn group_sessions(rng: &mut DistinctKeys, key: &PickleKey) {
    let mut sender = GroupSession::with_rng(GroupSessionConfig::default(), rng).unwrap();
    let session_key = SessionKey::from_base64(&sender.session_key().to_base64()).unwrap();
    let mut receiver = InboundGroupSession::new(&session_key);
    for index in [1, 2, 7, 8] {
        learn_ratchet(&receiver, index);
    }
    learn("Megolm plaintext", PLAINTEXT);
    let messages: Vec<_> = (0..9).map(|_| sender.encrypt(PLAINTEXT).unwrap()).collect();
    for index in [8, 2, 5, 0] {
        let decrypted = receiver.decrypt(&messages[index]).unwrap();
        assert_eq!(decrypted.clone().plaintext(), PLAINTEXT);
    }
    assert!(receiver.decrypt_batch(&messages).iter().all(Result::is_ok));
    let export = receiver.export_at(7).unwrap().to_base64();
    let import = InboundGroupSession::import(&ExportedSessionKey::from_base64(&export).unwrap());
    drop(receiver.merge(&import).unwrap());
    assert!(ExportedSessionKey::from_base64(&export[..219]).is_err());
    receiver.advance_to(3);
    let pickle = receiver.pickle_with_rng(key, b"", rng).unwrap();
    drop(InboundGroupSession::from_pickle(&pickle, key, b"").unwrap());
    let pickle = receiver.to_libolm(b"key");
    drop(InboundGroupSession::from_libolm_pickle(&pickle, b"key").unwrap());
    let pickle = sender.to_libolm(b"key");
    drop(GroupSession::from_libolm_pickle(&pickle, b"key").unwrap());
    through_vodozemac!(sender, GroupSessionPickle, GroupSession);
    through_vodozemac!(receiver, InboundGroupSessionPickle, InboundGroupSession);
    // Beyond the latest ratchet, which is moved then.
    receiver.advance_to(9);
    receiver.decrypt(&sender.encrypt(b"message").unwrap()).unwrap();
    receiver.close();
}
