//! S-24: a text that is not a vodozemac pickle is refused with a typed error and never a panic
//! (S-02): wrong keys, texts that were cut off or altered, JSON of another shape, and impossible
//! states.

use moceril::{
    Base64Error, KeyError,
    megolm::{GroupSession, InboundGroupSession},
    olm::{Account, Session},
    vodozemac::VodozemacPickleError,
};
use moceril_testing::{
    converted::ToLibolm,
    fixtures::VERSIONS,
    libolm_pickle::seal,
    rng::SeededRng,
    states,
    vodozemac_pickle::{KEY, Refusal, ViaVodozemac},
};
use serde_json::{Value, json};

const INVALID: Result<(), Refusal> = Err(Refusal::State(VodozemacPickleError::InvalidState));

type Read = fn(&str) -> Result<(), Refusal>;
type Decrypt = fn(&str, &[u8; 32]) -> Result<(), VodozemacPickleError>;

fn read<T: ViaVodozemac>(json: &str) -> Result<(), Refusal> {
    T::from_json_text(json).map(drop)
}

fn decrypt<T: ViaVodozemac>(pickle: &str, key: &[u8; 32]) -> Result<(), VodozemacPickleError> {
    T::from_encrypted(pickle, key).map(drop)
}

struct Good {
    name: &'static str,
    json: Value,
    read: Read,
    decrypt: Decrypt,
}

fn good<T: ViaVodozemac>(name: &'static str, object: &T) -> Good {
    Good { name, json: object.to_json().unwrap(), read: read::<T>, decrypt: decrypt::<T> }
}

/// One of each object with everything that it can have. The session comes in both forms of its
/// sending ratchet, the account in both forms of its signing key.
fn all() -> Vec<Good> {
    let rng = &mut SeededRng::new(1);
    let mut account = states::account(4, rng);
    let ids: Vec<_> = account.unpublished_one_time_keys().iter().map(|(id, _)| *id).collect();
    account.mark_as_published([ids[1]]);
    account.generate_fallback_key_with_rng(rng).unwrap();
    account.generate_fallback_key_with_rng(rng).unwrap();
    let libolm = account.to_libolm(b"");
    let mut session = states::sessions(VERSIONS[0], rng).swap_remove(2).session;
    let inactive = good("session that begins a chain", &session);
    session.encrypt_with_rng(b"begins a chain", rng).unwrap();
    vec![
        good("account", &account),
        good("account without a seed", &Account::from_libolm_pickle(&libolm, b"").unwrap()),
        inactive,
        good("session", &session),
        good("group session", &states::group_sessions(VERSIONS[1], rng)[1].1),
        good("inbound group session", &states::inbound_group_sessions(VERSIONS[1], rng).0[1].1),
    ]
}

/// The paths of all members of all objects, as JSON pointers.
fn members(value: &Value, path: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(object) => {
            for (name, member) in object {
                let path = format!("{path}/{name}");
                found.push(path.clone());
                members(member, &path, found);
            }
        }
        Value::Array(items) if items.iter().any(Value::is_object) => {
            for (place, item) in items.iter().enumerate() {
                members(item, &format!("{path}/{place}"), found);
            }
        }
        _ => {}
    }
}

fn paths(value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    members(value, "", &mut found);
    found
}

/// The whole with something else at the path.
fn with(whole: &Value, path: &str, value: Value) -> Value {
    let mut other = whole.clone();
    *other.pointer_mut(path).unwrap() = value;
    other
}

fn without(whole: &Value, path: &str) -> Value {
    let (parent, name) = path.rsplit_once('/').unwrap();
    let mut other = whole.clone();
    other.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(name).unwrap();
    other
}

/// The text of the whole, in which the member at the path stands twice.
fn twice(whole: &Value, path: &str) -> String {
    let (parent, name) = path.rsplit_once('/').unwrap();
    let value = whole.pointer(path).unwrap();
    let member = format!("{}:{value}", Value::from(name));
    let marked = with(whole, parent, json!("the place"));
    let parent = whole.pointer(parent).unwrap().to_string();
    marked.to_string().replace("\"the place\"", &format!("{{{member},{}", &parent[1..]))
}

fn name_of(path: &str) -> &str {
    path.rsplit_once('/').unwrap().1
}

fn is_number(name: &str) -> bool {
    name.parse::<u64>().is_ok()
}

/// Another key and every change of the text are refused; so is every shorter text.
#[test]
fn s_24_altered_texts_are_refused() {
    const FORGED: Result<(), VodozemacPickleError> = Err(VodozemacPickleError::Authentication);
    const BASE64: Result<(), VodozemacPickleError> =
        Err(VodozemacPickleError::Base64(Base64Error::Invalid));
    for Good { name, json, decrypt, .. } in all() {
        let pickle = seal(json.to_string().as_bytes(), &KEY);
        assert_eq!(decrypt(&pickle, &KEY), Ok(()), "{name}");
        for bit in [0, 100, 255] {
            let mut other = KEY;
            other[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(decrypt(&pickle, &other), FORGED, "{name}");
        }
        for length in (0..pickle.len()).filter(|length| *length < 200 || length % 31 < 4) {
            let result = decrypt(&pickle[..length], &KEY);
            let expected = if length % 4 == 0 { vec![FORGED] } else { vec![FORGED, BASE64] };
            assert!(expected.contains(&result), "{name}, {length}: {result:?}");
        }
        for place in (0..pickle.len()).step_by(97) {
            let mut altered = pickle.clone().into_bytes();
            altered[place] = if altered[place] == b'A' { b'B' } else { b'A' };
            let altered = String::from_utf8(altered).unwrap();
            assert!(decrypt(&altered, &KEY).is_err(), "{name}, {place}");
        }
        assert!(decrypt(&format!("{pickle}AAAA"), &KEY).is_err(), "{name}");
        assert_eq!(decrypt(&format!("{pickle}?"), &KEY), BASE64, "{name}");
    }
}

/// An authentic text must hold exactly one JSON value of the right shape.
#[test]
fn s_24_other_json_is_refused() {
    for Good { name, json, decrypt, .. } in all() {
        let text = json.to_string();
        let open = |text: &[u8]| decrypt(&seal(text, &KEY), &KEY);
        let invalid = Err(VodozemacPickleError::InvalidState);
        assert_eq!(open(format!(" {text}\n").as_bytes()), Ok(()), "{name}");
        let shortened = (0..text.len()).step_by(53).map(|length| &text[..length]);
        for other in shortened.chain(["", "null", "[]", "{}", "0", "\"text\"", "{\"a\":1}"]) {
            assert_eq!(open(other.as_bytes()), invalid, "{name}: {other}");
        }
        assert_eq!(open(format!("{text}{text}").as_bytes()), invalid, "{name}");
        assert_eq!(open(format!("{text},").as_bytes()), invalid, "{name}");
        assert_eq!(open(&[text.as_bytes(), &[0]].concat()), invalid, "{name}");
        assert_eq!(open(&[0xff, 0xfe]), invalid, "{name}");
        let deep = "[".repeat(100_000);
        assert_eq!(open(deep.as_bytes()), invalid, "{name}");
    }
}

/// Every member that a pickle needs is missed, and none is allowed twice. S-13: the version of the
/// messages is needed, and its absence is an error of its own.
#[test]
fn s_24_members_are_there_once() {
    const OPTIONAL: [&str; 3] = ["ratchet_count", "parent_ratchet_key", "previous_fallback_key"];
    const NO_VERSION: Result<(), Refusal> =
        Err(Refusal::State(VodozemacPickleError::MissingVersion));
    for Good { name, json, read, .. } in all() {
        assert_eq!(read(&json.to_string()), Ok(()), "{name}");
        let mut optional = 0;
        for path in paths(&json) {
            let last = name_of(&path);
            if OPTIONAL.contains(&last) {
                optional += 1;
                assert_eq!(read(&without(&json, &path).to_string()), Ok(()), "{name}: {path}");
            } else if last == "config" {
                optional += 1;
                assert_eq!(read(&without(&json, &path).to_string()), NO_VERSION, "{name}: {path}");
            } else if last == "fallback_key" {
                // There is none before the first.
                assert_eq!(read(&without(&json, &path).to_string()), INVALID, "{name}: {path}");
            } else if !is_number(last) {
                let result = read(&without(&json, &path).to_string());
                assert!(matches!(result, Err(Refusal::Json(_))), "{name}: {path}: {result:?}");
            }
            let result = read(&twice(&json, &path));
            assert!(result.is_err(), "{name}: {path} twice");
        }
        assert!(optional > 0, "{name}");
    }
}

/// No member has another type or length than its own.
#[test]
fn s_24_types_and_lengths() {
    for Good { name, json, read, .. } in all() {
        for path in &paths(&json) {
            let value = json.pointer(path).unwrap();
            let nullable =
                ["parent_ratchet_key", "fallback_key", "previous_fallback_key", "Unknown"];
            let mut others = vec![json!(-1), json!(1.5), json!("text"), json!(["text"])];
            if !nullable.contains(&name_of(path)) {
                others.push(json!(null));
            }
            if !value.is_boolean() {
                others.push(json!(true));
            }
            if !value.is_number() {
                others.push(json!(0));
            }
            if let Value::Array(items) = value
                && items.iter().all(Value::is_number)
                && !items.is_empty()
            {
                let all = items.as_slice();
                others.push(json!(&all[1..]));
                others.push(json!([all, &all[..1]].concat()));
                others.push(json!([]));
                for item in [json!(256), json!(-1), json!(0.5), json!("0"), json!(null)] {
                    others.push(json!([&all[1..], &[item]].concat()));
                }
            } else if !value.is_array() || name_of(path) != "inner" {
                others.push(json!([]));
            }
            for other in others {
                let result = read(&with(&json, path, other.clone()).to_string());
                assert!(result.is_err(), "{name}: {path} as {other}");
            }
        }
    }
}

/// S-01, S-14: a key that no honest device has is refused wherever it stands.
#[test]
fn s_01_bad_keys_are_refused() {
    let mut refused = 0;
    for Good { name, json, read, .. } in all() {
        for path in paths(&json) {
            let public = matches!(name_of(&path), "identity_key" | "base_key" | "one_time_key")
                || path.starts_with("/one_time_keys/public_keys/")
                || name_of(&path) == "parent_ratchet_key"
                || (name_of(&path) == "ratchet_key" && !path.contains("active_ratchet/"))
                || (name_of(&path) == "signing_key" && name == "inbound group session");
            if public {
                for key in [[0; 32], [0xff; 32]] {
                    let result = read(&with(&json, &path, json!(key)).to_string());
                    assert!(matches!(result, Err(Refusal::Json(_))), "{name}: {path}: {result:?}");
                    refused += 1;
                }
            }
        }
    }
    assert!(refused > 20, "{refused}");
}

/// S-37: an expanded private key of which one half is the public key has overwritten itself.
#[test]
fn s_37_a_private_key_that_holds_the_public_key_is_refused() {
    let rng = &mut SeededRng::new(2);
    let pickle = states::account(0, rng).to_libolm(b"");
    let account = Account::from_libolm_pickle(&pickle, b"").unwrap();
    let mut json = account.to_json().unwrap();
    let expanded = json["signing_key"]["Expanded"].as_array_mut().unwrap();
    for (to, from) in expanded[32..].iter_mut().zip(account.ed25519_key().as_bytes()) {
        *to = json!(from);
    }
    let expected = Refusal::State(VodozemacPickleError::Key(KeyError::PublicInSecret));
    assert_eq!(Account::from_json(&json).err(), Some(expected));
}

/// States that no vodozemac can be in are refused: ids that were given out twice or not at all, a
/// public key that is not that of its private key or has none, chains and keys that exist twice or
/// in the wrong order, indices beyond the end, too many of anything.
#[test]
fn s_24_impossible_states_are_refused() {
    let mut all = all();
    // Chains that are put in have no count; `s41_moved_sessions.rs` has what the counts rule out.
    for good in &mut all {
        for path in paths(&good.json).iter().filter(|path| name_of(path) == "ratchet_count") {
            good.json = without(&good.json, path);
        }
    }
    let all = all;
    let check = |place: usize, path: &str, value: Value| {
        let Good { json, read, .. } = &all[place];
        read(&with(json, path, value).to_string())
    };
    let at = |place: usize, path: &str| all[place].json.pointer(path).unwrap().clone();
    const ACCOUNT: usize = 0;
    const INACTIVE: usize = 2;
    const SESSION: usize = 3;
    let other_key = at(ACCOUNT, "/one_time_keys/public_keys/1");
    for (place, path, value) in [
        (ACCOUNT, "/one_time_keys/next_key_id", json!(4)),
        (ACCOUNT, "/fallback_keys/key_id", json!(0)),
        (ACCOUNT, "/one_time_keys/public_keys/3", other_key),
        (INACTIVE, "/sending_ratchet/ratchet_key", at(INACTIVE, "/session_keys/base_key")),
        (SESSION, "/sending_ratchet/symmetric_key_ratchet/index", json!((1_u64 << 32) + 1)),
        (SESSION, "/sending_ratchet/symmetric_key_ratchet/index", json!(u64::MAX)),
        (SESSION, "/receiving_chains/inner/0/hkdf_ratchet/index", json!(u64::MAX)),
        (SESSION, "/receiving_chains/inner/0/hkdf_ratchet/index", json!(0)),
        (
            SESSION,
            "/receiving_chains/inner/0/skipped_message_keys/inner/0/index",
            json!(1_u64 << 32),
        ),
        (
            SESSION,
            "/receiving_chains/inner/0/skipped_message_keys/inner/0",
            at(SESSION, "/receiving_chains/inner/0/skipped_message_keys/inner/1"),
        ),
        (SESSION, "/receiving_chains/inner/0", at(SESSION, "/receiving_chains/inner/1")),
    ] {
        assert_eq!(check(place, path, value.clone()), INVALID, "{path}: {value}");
    }
    let mut widowed = at(ACCOUNT, "/one_time_keys/public_keys");
    widowed["0"] = at(ACCOUNT, "/one_time_keys/public_keys/1");
    assert!(at(ACCOUNT, "/one_time_keys/private_keys").get("0").is_none());
    assert_eq!(check(ACCOUNT, "/one_time_keys/public_keys", widowed), INVALID);

    // One key under two ids: two one-time keys, a one-time and a fallback key, two fallback keys.
    let (private, fallback) = ("/one_time_keys/private_keys/", "/fallback_keys/fallback_key/key");
    let previous = "/fallback_keys/previous_fallback_key/key";
    let published = format!("{private}2");
    assert!(at(ACCOUNT, "/one_time_keys/public_keys").get("2").is_none());
    for (to, from) in [
        (published.as_str(), format!("{private}1")),
        (fallback, format!("{private}1")),
        (previous, format!("{private}2")),
        (previous, fallback.to_owned()),
    ] {
        assert_eq!(check(ACCOUNT, to, at(ACCOUNT, &from)), INVALID, "{from} as {to}");
    }

    let mut reversed = at(SESSION, "/receiving_chains/inner/0/skipped_message_keys/inner");
    reversed.as_array_mut().unwrap().reverse();
    let path = "/receiving_chains/inner/0/skipped_message_keys/inner";
    assert_eq!(check(SESSION, path, reversed), INVALID);

    let chain = |number: usize| {
        let mut chain = at(SESSION, "/receiving_chains/inner/0");
        chain["ratchet_key"][0] = json!(number);
        chain
    };
    let chains = |count: usize| json!((0..count).map(chain).collect::<Vec<_>>());
    assert_eq!(check(SESSION, "/receiving_chains/inner", chains(5)), Ok(()));
    assert_eq!(check(SESSION, "/receiving_chains/inner", chains(6)), INVALID);

    let key = at(SESSION, "/receiving_chains/inner/0/skipped_message_keys/inner/0/key");
    let keys = |count: u64| {
        let item = |index: u64| json!({ "key": key, "index": index });
        let mut chain = chain(0);
        chain["hkdf_ratchet"]["index"] = json!(count);
        chain["skipped_message_keys"]["inner"] = (0..count).map(item).collect();
        json!([chain])
    };
    assert_eq!(check(SESSION, "/receiving_chains/inner", keys(40)), Ok(()));
    assert_eq!(check(SESSION, "/receiving_chains/inner", keys(41)), INVALID);
}

/// A pickle of one object is not one of another.
#[test]
fn s_24_objects_are_not_taken_for_others() {
    let all = all();
    let of = |name: &str| all.iter().find(|good| good.name == name).unwrap().json.to_string();
    for (name, own) in [
        ("account", [true, false, false, false]),
        ("session", [false, true, false, false]),
        ("group session", [false, false, true, false]),
        ("inbound group session", [false, false, false, true]),
    ] {
        let text = of(name);
        let read = [
            read::<Account>(&text),
            read::<Session>(&text),
            read::<GroupSession>(&text),
            read::<InboundGroupSession>(&text),
        ];
        assert_eq!(read.map(|result| result.is_ok()), own, "{name}");
    }
}
