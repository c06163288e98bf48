//! S-24: vodozemac's pickles, read and written, in JSON and encrypted. `s24_conversion_losses.rs`
//! tests what the format cannot hold, `s24_vodozemac_pickles_refused.rs` what is refused.

use std::fmt::Debug;

use moceril::{
    megolm::{InboundGroupSession, Provenance},
    olm::{Account, Session},
    vodozemac::VodozemacPickleError,
};
use moceril_testing::{
    converted::ToLibolm,
    fixtures::VERSIONS,
    leaks::{Secrets, debug},
    pickle_editor::OpenPickle,
    pickle_map::Kind,
    pickled::Pickled,
    rng::{RecordedRng, SeededRng},
    states,
    vodozemac_pickle::{KEY, Refusal, ViaVodozemac},
};
use serde_json::{Value, json};

/// The object after a round trip through JSON, if the format can hold all its keys. The encrypted
/// text holds the same, and both are written as they were read, without a loss.
fn moved<T: ViaVodozemac>(name: &str, object: &T) -> Option<T> {
    let json = object.to_json().ok()?;
    let moved = T::from_json(&json).unwrap_or_else(|error| panic!("{name}: {error}"));
    assert_eq!(moved.to_json().as_ref(), Ok(&json), "{name}");
    assert!(moved.is_exact(), "{name}");
    let encrypted = object.to_encrypted(&KEY);
    let decrypted = T::from_encrypted(&encrypted, &KEY).unwrap();
    assert_eq!(decrypted.to_json().as_ref(), Ok(&json), "{name}");
    assert_eq!(decrypted.to_encrypted(&KEY), encrypted, "{name}");
    Some(moved)
}

#[test]
fn s_24_accounts_come_back() {
    let mut names = Vec::new();
    for (name, mut account) in states::accounts(&mut SeededRng::new(1)) {
        let Some(mut moved) = moved(name, &account) else { continue };
        names.push(name);
        assert_eq!(moved.identity_keys(), account.identity_keys(), "{name}");
        assert_eq!(moved.sign(b"text"), account.sign(b"text"), "{name}");
        assert_eq!(moved.stored_one_time_key_count(), account.stored_one_time_key_count());
        assert_eq!(moved.signed_one_time_keys(), account.signed_one_time_keys(), "{name}");
        assert_eq!(moved.signed_fallback_key(), account.signed_fallback_key(), "{name}");
        let generate = |account: &mut Account| {
            let rng = &mut SeededRng::new(2);
            let keys = account.generate_one_time_keys_with_rng(3, rng).unwrap();
            // Its id may be another: an account from vodozemac counts fallback keys separately.
            let fallback = account.generate_fallback_key_with_rng(rng).unwrap();
            (keys, fallback.created.1, fallback.forgotten.map(|(_, key)| key))
        };
        assert_eq!(generate(&mut moved), generate(&mut account), "{name}");
    }
    assert_eq!(names, ["fresh", "with one-time keys", "with a fallback key"]);
}

/// S-14: an account that came from libolm has no seed; it keeps its expanded key.
#[test]
fn s_24_accounts_without_a_seed_come_back() {
    let account = states::account(2, &mut SeededRng::new(3));
    assert!(account.to_json().unwrap()["signing_key"]["Normal"].is_array());
    let pickle = account.to_libolm(b"");
    let from_libolm = Account::from_libolm_pickle(&pickle, b"").unwrap();
    assert!(from_libolm.to_json().unwrap()["signing_key"]["Expanded"].is_array());
    let moved = moved("without a seed", &from_libolm).unwrap();
    assert_eq!(moved.sign(b"text"), account.sign(b"text"));
    assert_eq!(moved.to_libolm(b""), pickle);
}

/// A moved session writes the same next message, and reads the same messages of its peer. Only why
/// it refuses one may differ: the format does not store which keys were evicted.
#[test]
fn s_24_sessions_come_back() {
    for version in VERSIONS {
        let mut names = Vec::new();
        for mut state in states::sessions(version, &mut SeededRng::new(4)) {
            let name = state.name;
            let Some(mut moved) = moved(name, &state.session) else { continue };
            names.push(name);
            assert_eq!(moved.session_id(), state.session.session_id(), "{name}");
            assert_eq!(moved.version(), version, "{name}");
            assert_eq!(moved.has_received_message(), state.session.has_received_message());
            // Only who answers a session is proven to.
            let theirs = state.session.their_identity_key();
            let answered = theirs == Some(state.session.session_keys().identity_key);
            assert_eq!(moved.their_identity_key(), theirs.filter(|_| answered), "{name}");
            for message in state.incoming.iter().rev().chain(&state.incoming) {
                let ours = state.session.decrypt(message).map(|message| message.into_plaintext());
                let theirs = moved.decrypt(message).map(|message| message.into_plaintext());
                assert_eq!(ours.ok(), theirs.ok(), "{name}");
            }
            let rng = || RecordedRng::new([5; 32]);
            let ours = state.session.encrypt_with_rng(b"text", &mut rng()).unwrap();
            let theirs = moved.encrypt_with_rng(b"text", &mut rng()).unwrap();
            assert_eq!(ours.to_parts(), theirs.to_parts(), "{name}");
        }
        assert_eq!(names.len(), 5, "all but the exhausted and the raised one: {names:?}");
    }
}

#[test]
fn s_24_group_sessions_come_back() {
    for version in VERSIONS {
        let mut names = Vec::new();
        for (name, mut session) in states::group_sessions(version, &mut SeededRng::new(6)) {
            let Some(mut moved) = moved(name, &session) else { continue };
            names.push(name);
            assert_eq!(moved.version(), version, "{name}");
            assert_eq!(moved.created_at(), None, "{name}");
            for _ in 0..3 {
                let (ours, theirs) = (session.encrypt(b"text"), moved.encrypt(b"text"));
                assert_eq!(ours.unwrap().to_base64(), theirs.unwrap().to_base64(), "{name}");
            }
        }
        assert_eq!(names, ["fresh", "used"]);
    }
}

/// S-21, S-41: the pickle does not say where the session's key came from, so that is unknown, but
/// whether its signing key was verified is known.
#[test]
fn s_24_inbound_group_sessions_come_back() {
    for version in VERSIONS {
        let rng = &mut SeededRng::new(7);
        let (sessions, messages) = states::inbound_group_sessions(version, rng);
        let mut names = Vec::new();
        for (name, mut session) in sessions {
            let Some(mut moved) = moved(name, &session) else { continue };
            names.push(name);
            assert_eq!(moved.first_known_index(), session.first_known_index(), "{name}");
            assert_eq!(moved.provenance(), Provenance::Unknown, "{name}");
            let verified = InboundGroupSession::is_signing_key_verified;
            assert_eq!(verified(&moved), verified(&session), "{name}");
            assert!(moved.connected(&session), "{name}");
            for message in &messages {
                let ours = session.decrypt(message).map(|message| message.into_plaintext());
                let theirs = moved.decrypt(message).map(|message| message.into_plaintext());
                assert_eq!(ours, theirs, "{name}");
            }
        }
        assert_eq!(names.len(), 7, "all but the closed one: {names:?}");
    }
}

/// A session with both kinds of chains, in JSON.
fn session_json() -> Value {
    let rng = &mut SeededRng::new(8);
    let mut session = states::sessions(VERSIONS[0], rng).swap_remove(2).session;
    session.encrypt_with_rng(b"begins a chain", rng).unwrap();
    session.to_json().unwrap()
}

/// Removes every member of this name; returns how many there were.
fn remove_all(value: &mut Value, name: &str) -> usize {
    match value {
        Value::Object(members) => {
            let removed = usize::from(members.remove(name).is_some());
            removed + members.values_mut().map(|member| remove_all(member, name)).sum::<usize>()
        }
        Value::Array(items) => items.iter_mut().map(|item| remove_all(item, name)).sum(),
        _ => 0,
    }
}

/// Old releases did not write the parent key, which is not needed, nor the counts of turns, of
/// which one tells all others (S-41).
#[test]
fn s_24_what_old_releases_did_not_write_may_be_missing() {
    let whole = session_json();
    let mut older = whole.clone();
    assert_eq!(remove_all(&mut older, "parent_ratchet_key"), 1);
    assert_eq!(Session::from_json(&older).unwrap().to_json().unwrap(), whole);
    let mut older = whole.clone();
    assert_eq!(remove_all(&mut older, "ratchet_count"), 4);
    let read = Session::from_json(&older).unwrap();
    let mut written = read.to_json().unwrap();
    assert_eq!(written["sending_ratchet"]["ratchet_count"], json!({ "Unknown": null }));
    assert!(read.is_exact());
    assert_eq!(remove_all(&mut written, "ratchet_count"), 4);
    assert_eq!(written, older);
    older["sending_ratchet"]["ratchet_count"] = json!({ "Known": 6 });
    assert_eq!(Session::from_json(&older).unwrap().to_json().unwrap(), whole);

    let account = states::account(2, &mut SeededRng::new(9)).to_json().unwrap();
    let mut older = account.clone();
    let keys = older["one_time_keys"].as_object_mut().unwrap();
    let next_id = keys.remove("next_key_id").unwrap();
    keys.insert("key_id".into(), next_id);
    assert_eq!(Account::from_json(&older).unwrap().to_json().unwrap(), account);
}

/// S-10: an account that counts one-time and fallback keys together goes on so.
#[test]
fn s_10_ids_go_on_after_a_move() {
    let ids = |account: &Account| {
        let one_time = account.unpublished_one_time_keys().into_iter().map(|(id, _)| id);
        one_time.chain(account.fallback_key().map(|(id, _)| id)).collect::<Vec<_>>()
    };
    let rng = &mut SeededRng::new(12);
    for fallback_keys in 0..3 {
        let mut account = states::account(2, rng);
        for _ in 0..fallback_keys {
            account.generate_fallback_key_with_rng(rng).unwrap();
        }
        let mut moved = Account::from_json(&account.to_json().unwrap()).unwrap();
        assert_eq!(ids(&moved), ids(&account));
        for account in [&mut account, &mut moved] {
            account.generate_one_time_keys_with_rng(1, rng).unwrap();
            account.generate_fallback_key_with_rng(rng).unwrap();
            account.generate_one_time_keys_with_rng(1, rng).unwrap();
        }
        assert_eq!(ids(&moved), ids(&account), "after {fallback_keys} fallback keys");
    }
}

/// S-13: a pickle that does not say the version of its messages does not become an object, unless
/// the caller says that a release wrote it which knew version 3 only. Not even then if the pickle
/// holds something that such a release did not write: a session of version 4 must not become one
/// with a truncated MAC because its version was lost.
#[test]
fn s_13_a_missing_version_is_never_guessed() {
    fn check<T: ViaVodozemac + Debug>(object: &T, later: &[&str]) {
        let whole = object.to_json().unwrap();
        let missing = || Some(Refusal::State(VodozemacPickleError::MissingVersion));
        let mut without = whole.clone();
        assert_eq!(remove_all(&mut without, "config"), 1);
        let text = without.to_string();
        assert_eq!(T::from_json_text(&text).err(), missing());
        // What a call says that supplies the version, while something of a later release is left.
        for name in later {
            assert_eq!(T::from_old_json_text(&without.to_string()).err(), missing(), "{name}");
            assert!(remove_all(&mut without, name) > 0, "{name}");
        }
        let text = without.to_string();
        assert_eq!(T::from_json_text(&text).err(), missing());
        let old = T::from_old_json_text(&text).unwrap().to_json().unwrap();
        assert_eq!(old["config"], json!({ "version": "V1" }));
        // A version that is there is not replaced.
        let kept = T::from_old_json_text(&whole.to_string()).unwrap().to_json().unwrap();
        assert_eq!(kept, whole);
    }

    for version in VERSIONS {
        let rng = &mut SeededRng::new(11);
        let mut both_ratchets = 0;
        for state in states::sessions(version, rng) {
            let Ok(json) = state.session.to_json() else { continue };
            let is_active = json["sending_ratchet"]["type"] == "active";
            both_ratchets |= if is_active { 1 } else { 2 };
            let has_parent = json["sending_ratchet"]["parent_ratchet_key"].is_array();
            let later: &[&str] = match has_parent {
                true => &["ratchet_count", "parent_ratchet_key"],
                false => &["ratchet_count"],
            };
            check(&state.session, later);
            if has_parent {
                check(&state.session, &["parent_ratchet_key", "ratchet_count"]);
            }
        }
        assert_eq!(both_ratchets, 3);
        for (_, session) in states::group_sessions(version, rng) {
            if session.to_json().is_ok() {
                check(&session, &[]);
            }
        }
        for (_, session) in states::inbound_group_sessions(version, rng).0 {
            if session.to_json().is_ok() {
                check(&session, &[]);
            }
        }
    }
}

/// Members that a later release may add are skipped, wherever they stand.
#[test]
fn s_24_unknown_members_are_skipped() {
    fn add(value: &mut Value) {
        match value {
            // The keys of these are numbers.
            Value::Object(members) if members.keys().all(|key| key.parse::<u64>().is_ok()) => {}
            Value::Object(members) if members.contains_key("Known") => {}
            Value::Object(members) if members.contains_key("Normal") => {}
            Value::Object(members) => {
                members.values_mut().for_each(add);
                members.insert("a_new_member".into(), json!([{ "a": null }, 1.5, "b"]));
            }
            Value::Array(items) => items.iter_mut().for_each(add),
            _ => {}
        }
    }
    let whole = session_json();
    let mut newer = whole.clone();
    add(&mut newer);
    assert_ne!(newer, whole);
    assert_eq!(Session::from_json(&newer).unwrap().to_json().unwrap(), whole);
}

/// The members of a JSON object have no order, so a store may have sorted them, as text does: "10"
/// before "9".
#[test]
fn s_24_the_order_of_members_does_not_matter() {
    let account = states::account(12, &mut SeededRng::new(10));
    let text = |keys: &dyn Fn(usize) -> usize, name: &str, value: &Value| {
        let entry =
            |id: usize| format!("\"{id}\":{}", value["one_time_keys"][name][id.to_string()]);
        let entries: Vec<_> = (0..12).map(|place| entry(1 + keys(place))).collect();
        format!("{{{}}}", entries.join(","))
    };
    let json = account.to_json().unwrap();
    let with_order = |keys: &dyn Fn(usize) -> usize| {
        let (public, private) =
            (text(keys, "public_keys", &json), text(keys, "private_keys", &json));
        let text = format!(
            r#"{{"fallback_keys":{},"one_time_keys":{{"private_keys":{private},"public_keys":{public},"next_key_id":13}},"diffie_hellman_key":{},"signing_key":{}}}"#,
            json["fallback_keys"], json["diffie_hellman_key"], json["signing_key"]
        );
        Account::from_json_text(&text).map(|account| account.to_json().unwrap())
    };
    for (name, order) in [
        ("ascending", &(|place| place) as &dyn Fn(usize) -> usize),
        ("descending", &|place| 11 - place),
        ("any", &|place| place * 5 % 12),
    ] {
        let read = with_order(order);
        assert!(read.as_ref() == Ok(&json), "{name}: {:?}", read.err());
    }
}

/// S-29: the shapes hold everything secret, and print nothing of it.
#[test]
fn s_29_pickles_do_not_print_their_secrets() {
    fn secrets<T: Pickled>(object: &T) -> Secrets {
        let open = OpenPickle::open(&object.snapshot());
        let mut secrets = Secrets::default();
        for field in open.fields().iter().filter(|field| field.kind == Kind::Secret) {
            secrets.add(&field.name, &open.state[field.place.clone()]);
        }
        secrets
    }
    let rng = &mut SeededRng::new(11);
    let account = states::account(3, rng);
    let session = states::sessions(VERSIONS[0], rng).swap_remove(2).session;
    let (_, group) = states::group_sessions(VERSIONS[0], rng).swap_remove(1);
    let (_, inbound) = states::inbound_group_sessions(VERSIONS[0], rng).0.swap_remove(1);
    let printed = [
        (debug(&account.to_vodozemac_pickle_lossy().unwrap().0), secrets(&account)),
        (debug(&session.to_vodozemac_pickle_lossy().unwrap().0), secrets(&session)),
        (debug(&group.to_vodozemac_pickle_lossy().unwrap().0), secrets(&group)),
        (debug(&inbound.to_vodozemac_pickle_lossy().unwrap().0), secrets(&inbound)),
    ];
    for (texts, secrets) in &printed {
        assert!(secrets.count() > 0);
        texts.iter().for_each(|text| secrets.not_in_text(text));
    }
}
