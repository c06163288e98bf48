//! The serde forms of everything that is not a pickle: the same bytes, and each reads the other's.

use serde::{Serialize, de::DeserializeOwned};
use zeroize::Zeroize;

fn same<O, R>(ours: &O, real: &R)
where
    O: Serialize + DeserializeOwned,
    R: Serialize + DeserializeOwned,
{
    let json = serde_json::to_vec(ours).unwrap();
    assert_eq!(json, serde_json::to_vec(real).unwrap());
    let packed = rmp_serde::to_vec_named(ours).unwrap();
    assert_eq!(packed, rmp_serde::to_vec_named(real).unwrap());
    for (json_again, packed_again) in [
        {
            let json: O = serde_json::from_slice(&json).unwrap();
            let packed: O = rmp_serde::from_slice(&packed).unwrap();
            (serde_json::to_vec(&json).unwrap(), rmp_serde::to_vec_named(&packed).unwrap())
        },
        {
            let json: R = serde_json::from_slice(&json).unwrap();
            let packed: R = rmp_serde::from_slice(&packed).unwrap();
            (serde_json::to_vec(&json).unwrap(), rmp_serde::to_vec_named(&packed).unwrap())
        },
    ] {
        assert_eq!((json_again, packed_again), (json.clone(), packed.clone()));
    }
}

/// The object of one crate as the other has it.
fn read<T: DeserializeOwned>(object: &impl Serialize) -> T {
    rmp_serde::from_slice(&rmp_serde::to_vec_named(object).unwrap()).unwrap()
}

macro_rules! same {
    ($object:expr => $($path:ident)::+) => {{
        let ours: ours::$($path)::+ = $object;
        same(&ours, &read::<real::$($path)::+>(&ours));
    }};
}

#[test]
fn s_24_keys() {
    let account = ours::olm::Account::new();
    same!(account.identity_keys() => olm::IdentityKeys);
    same!(account.curve25519_key() => Curve25519PublicKey);
    same!(account.ed25519_key() => Ed25519PublicKey);
    same!(ours::Curve25519SecretKey::new() => Curve25519SecretKey);
    same!(ours::Ed25519SecretKey::new() => Ed25519SecretKey);
    same!(ours::Ed25519Keypair::new() => Ed25519Keypair);
    same!(serde_json::from_str("4711").unwrap() => KeyId);
    let expanded = real::olm::Account::from_libolm_pickle(
        &real::olm::Account::new().to_libolm_pickle(b"").unwrap(),
        b"",
    )
    .unwrap();
    let pickle = serde_json::to_value(expanded.pickle()).unwrap();
    let pair = serde_json::from_value(pickle["signing_key"].clone()).unwrap();
    assert!(pickle["signing_key"].get("Expanded").is_some());
    same!(pair => Ed25519Keypair);
}

#[test]
fn s_24_messages_and_session_keys() {
    let (alice, mut bob) = (ours::olm::Account::new(), ours::olm::Account::new());
    let one_time_key = bob.generate_one_time_keys(1).created[0];
    for config in [ours::olm::SessionConfig::version_1(), ours::olm::SessionConfig::version_2()] {
        same!(config => olm::SessionConfig);
        let mut session =
            alice.create_outbound_session(config, bob.curve25519_key(), one_time_key).unwrap();
        let message = session.encrypt("hello").unwrap();
        let ours::olm::OlmMessage::PreKey(pre_key) = &message else { panic!() };
        same!(session.session_keys() => olm::SessionKeys);
        same!(pre_key.message().clone() => olm::Message);
        same!(ours::olm::OlmMessage::from(pre_key.message().clone()) => olm::OlmMessage);
        same!(pre_key.clone() => olm::PreKeyMessage);
        same!(message => olm::OlmMessage);
    }
    for config in
        [ours::megolm::SessionConfig::version_1(), ours::megolm::SessionConfig::version_2()]
    {
        same!(config => megolm::SessionConfig);
        let mut sender = ours::megolm::GroupSession::new(config);
        same!(sender.encrypt("hello") => megolm::MegolmMessage);
        same!(sender.session_key() => megolm::SessionKey);
        let receiver = ours::megolm::InboundGroupSession::from(&sender);
        same!(receiver.export_at_first_known_index() => megolm::ExportedSessionKey);
    }
}

/// What older releases wrote: no `config`, no counters, another name for `next_key_id`.
#[test]
fn s_24_older_releases() {
    let mut account = real::olm::Account::new();
    account.generate_one_time_keys(2);
    let mut json = serde_json::to_value(account.pickle()).unwrap();
    let keys = json["one_time_keys"].as_object_mut().unwrap();
    let next = keys.remove("next_key_id").unwrap();
    keys.insert("key_id".into(), next);
    let read: ours::olm::AccountPickle = serde_json::from_value(json).unwrap();
    let read = ours::olm::Account::from(read);
    assert_eq!(read.one_time_keys().len(), 2);
    assert_eq!(read.curve25519_key().to_bytes(), account.curve25519_key().to_bytes());

    let mut bob = real::olm::Account::new();
    let one_time_key = bob.generate_one_time_keys(1).created[0];
    let config = real::olm::SessionConfig::version_1();
    let session =
        account.create_outbound_session(config, bob.curve25519_key(), one_time_key).unwrap();
    let mut json = serde_json::to_value(session.pickle()).unwrap();
    json.as_object_mut().unwrap().remove("config").unwrap();
    let ratchet = json["sending_ratchet"].as_object_mut().unwrap();
    ratchet.remove("ratchet_count").unwrap();
    ratchet.remove("parent_ratchet_key").unwrap();
    let read: ours::olm::SessionPickle = serde_json::from_value(json).unwrap();
    let read = ours::olm::Session::from(read);
    assert_eq!(read.session_id(), session.session_id());
    assert_eq!(read.session_config().version(), 1);

    let sender = real::megolm::GroupSession::default();
    let mut json = serde_json::to_value(sender.pickle()).unwrap();
    json.as_object_mut().unwrap().remove("config").unwrap();
    let read: ours::megolm::GroupSessionPickle = serde_json::from_value(json).unwrap();
    assert_eq!(ours::megolm::GroupSession::from(read).session_config().version(), 1);
    let mut json =
        serde_json::to_value(real::megolm::InboundGroupSession::from(&sender).pickle()).unwrap();
    json.as_object_mut().unwrap().remove("config").unwrap();
    let read: ours::megolm::InboundGroupSession = serde_json::from_value(json).unwrap();
    assert_eq!(read.session_id(), sender.session_id());
}

/// MessagePack without the names of fields is read, except that of sessions.
#[test]
fn s_24_message_pack_without_names() {
    fn is_read<T: DeserializeOwned>(written: &impl Serialize) -> bool {
        rmp_serde::from_slice::<T>(&rmp_serde::to_vec(written).unwrap()).is_ok()
    }
    let mut bob = real::olm::Account::new();
    let key = bob.generate_one_time_keys(1).created[0];
    let config = real::olm::SessionConfig::version_1();
    let alice = real::olm::Account::new();
    let session = bob.create_outbound_session(config, alice.curve25519_key(), key);
    let session = session.unwrap();
    let sender = real::megolm::GroupSession::default();
    let receiver = real::megolm::InboundGroupSession::from(&sender);
    assert!(is_read::<ours::olm::AccountPickle>(&bob.pickle()));
    assert!(is_read::<ours::megolm::GroupSessionPickle>(&sender.pickle()));
    assert!(is_read::<ours::megolm::InboundGroupSessionPickle>(&receiver.pickle()));
    assert!(!is_read::<ours::olm::SessionPickle>(&session.pickle()));
    let read: ours::olm::SessionPickle = read(&session.pickle());
    assert!(!is_read::<ours::olm::SessionPickle>(&read));
}

/// An account that vodozemac began goes on counting one-time and fallback keys separately.
#[test]
fn s_10_ids_of_an_account_of_vodozemac() {
    let mut account = real::olm::Account::new();
    account.generate_one_time_keys(2);
    account.generate_fallback_key();
    let number = |id: ours::KeyId| serde_json::to_value(id).unwrap().as_u64().unwrap();
    let mut account = ours::olm::Account::from(read::<ours::olm::AccountPickle>(&account.pickle()));
    account.generate_one_time_keys(1);
    let mut ids: Vec<_> = account.one_time_keys().into_keys().map(number).collect();
    ids.sort_unstable();
    assert_eq!(ids, [0, 1, 2]);
    assert_eq!(account.fallback_key().into_keys().map(number).collect::<Vec<_>>(), [0]);
    account.generate_fallback_key();
    assert_eq!(account.fallback_key().into_keys().map(number).collect::<Vec<_>>(), [1]);
}

/// A session key that was wiped has the same form as vodozemac's: matrix-sdk shows it to its
/// callers.
#[test]
fn s_25_wiped_session_keys() {
    macro_rules! check {
        ($key:expr, $type:ident) => {{
            let key = $key;
            let mut ours = ours::megolm::$type::from_base64(&key).unwrap();
            let mut real = real::megolm::$type::from_base64(&key).unwrap();
            ours.zeroize();
            real.zeroize();
            assert_ne!(ours.to_base64(), key);
            assert_eq!(ours.to_base64(), real.to_base64());
            assert_eq!(ours.to_bytes(), real.to_bytes());
            assert_eq!(serde_json::to_value(&ours).unwrap(), serde_json::to_value(&real).unwrap());
        }};
    }
    let mut sender = ours::megolm::GroupSession::default();
    sender.encrypt("so that the index is not zero");
    check!(sender.session_key().to_base64(), SessionKey);
    let receiver = ours::megolm::InboundGroupSession::from(&sender);
    check!(receiver.export_at_first_known_index().to_base64(), ExportedSessionKey);
}
