//! S-30: the standard traits of a form read and write the same texts and bytes as the functions of
//! the type, and every type with a form has them.

use std::{
    collections::BTreeSet, error::Error, fmt::Debug, fmt::Display, hash::Hash, str::FromStr,
};

use moceril::{
    Curve25519PublicKey, Ed25519PublicKey, Ed25519SecretKey, Ed25519Signature, PickleKey,
    backup::BackupDecryptionKey,
    ecies::{self, Ecies},
    hpke::{self, HpkeRecipientChannel, HpkeSenderChannel},
    megolm::{
        ExportedSessionKey, GroupSession, GroupSessionConfig, InboundGroupSession, MegolmMessage,
        SessionKey, SessionKeyError,
    },
    olm::{Message, OlmMessage, PreKeyMessage},
};
use moceril_testing::{
    fixtures::{VERSIONS, config},
    public_functions::{public_functions, public_traits},
    rng::SeededRng,
    states,
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

/// A type with a text reads it from the standard traits, with and without padding, and refuses what
/// is not base64.
fn parses<T: FromStr<Err = E> + for<'a> TryFrom<&'a str, Error = E>, E: Error>(
    text: &str,
    to_text: impl Fn(&T) -> String,
) {
    assert_eq!(to_text(&text.parse().unwrap()), text);
    assert_eq!(to_text(&T::try_from(text).unwrap()), text);
    for wrong in ["", "!", &format!("{text}\n"), &text[1..]] {
        assert!(wrong.parse::<T>().is_err(), "{wrong}");
        assert!(T::try_from(wrong).is_err(), "{wrong}");
    }
}

/// The same for bytes.
fn decodes<T, E: Error>(bytes: &[u8], to_bytes: impl Fn(&T) -> Vec<u8>)
where
    T: for<'a> TryFrom<&'a [u8], Error = E> + TryFrom<Vec<u8>, Error = E>,
{
    assert_eq!(to_bytes(&T::try_from(bytes).unwrap()), bytes);
    assert_eq!(to_bytes(&T::try_from(bytes.to_vec()).unwrap()), bytes);
    for wrong in [&bytes[..bytes.len() / 2], &bytes[..1], &[]] {
        assert!(T::try_from(wrong).is_err());
        assert!(T::try_from(wrong.to_vec()).is_err());
    }
}

/// What is public is printed, compared and hashed.
fn is_public<T: Display + Debug + Clone + Eq + Hash>(value: &T, text: &str) {
    assert_eq!(value.to_string(), text);
    assert!(value == &value.clone());
}

/// What is public has the form of the Matrix specification in JSON, and secrets have none.
fn is_json<T: Serialize + DeserializeOwned + Debug + PartialEq>(value: &T, json: Value) {
    assert_eq!(serde_json::to_value(value).unwrap(), json);
    assert_eq!(&serde_json::from_str::<T>(&json.to_string()).unwrap(), value);
    assert_eq!(&serde_json::from_value::<T>(json).unwrap(), value);
    for wrong in [json!("!"), json!(""), json!(7), json!(null), json!({"type": 2, "body": "AA"})] {
        assert!(serde_json::from_value::<T>(wrong).is_err());
    }
    let error = serde_json::from_value::<T>(json!(7)).unwrap_err().to_string();
    assert!(
        ["a text in base64", "an object of type and body"].iter().any(|form| error.contains(form))
    );
}

/// Checks one type, for each of its forms.
struct Check {
    /// The file and the type.
    of: &'static str,
    text: bool,
    bytes: bool,
    shown: bool,
    as_ref: bool,
}

const fn check(of: &'static str, text: bool, bytes: bool, shown: bool, as_ref: bool) -> Check {
    Check { of, text, bytes, shown, as_ref }
}

/// Which type has which form. The other tests use each of them; the last compares this list with
/// the functions of the library.
#[rustfmt::skip]
const CHECKS: [Check; 16] = [
    // Of the type and file:                                 text   bytes  shown  as_ref
    check("keys/curve25519.rs Curve25519PublicKey",          true,  true,  true,  true),
    check("keys/ed25519.rs Ed25519PublicKey",                true,  true,  true,  true),
    check("keys/ed25519.rs Ed25519SecretKey",                true,  false, false, false),
    check("keys/ed25519.rs Ed25519Signature",                true,  true,  true,  true),
    check("keys/id.rs KeyId",                                false, false, true,  false),
    check("matrix/backup.rs BackupDecryptionKey",            true,  false, false, false),
    check("matrix/channel/ecies.rs InitialMessage",          true,  false, true,  false),
    check("matrix/channel/hpke/message.rs InitialMessage",   true,  true,  true,  false),
    check("matrix/channel/hpke/message.rs InitialResponse",  true,  true,  true,  false),
    check("matrix/channel/message.rs Message",               true,  false, true,  false),
    check("pickle/native/mod.rs PickleKey",                  true,  false, false, false),
    check("wire/megolm.rs ExportedSessionKey",               true,  true,  false, false),
    check("wire/megolm.rs MegolmMessage",                    true,  true,  true,  true),
    check("wire/megolm.rs SessionKey",                       true,  true,  false, false),
    check("wire/olm.rs Message",                             true,  true,  true,  true),
    check("wire/olm.rs PreKeyMessage",                       true,  true,  true,  true),
];

#[test]
fn s_30_keys_have_the_standard_traits() {
    let account = states::account(1, &mut SeededRng::new(1));
    let key = account.curve25519_key();
    parses(&key.to_base64(), Curve25519PublicKey::to_base64);
    decodes(key.as_bytes(), |key: &Curve25519PublicKey| key.as_bytes().to_vec());
    is_public(&key, &key.to_base64());
    assert_eq!(key.as_ref(), key.as_bytes());
    assert_eq!(Curve25519PublicKey::try_from(*key.as_bytes()), Ok(key));
    assert!(Curve25519PublicKey::try_from([0; 32]).is_err());

    let key = account.ed25519_key();
    parses(&key.to_base64(), Ed25519PublicKey::to_base64);
    decodes(key.as_bytes(), |key: &Ed25519PublicKey| key.as_bytes().to_vec());
    is_public(&key, &key.to_base64());
    assert_eq!(key.as_ref(), key.as_bytes());
    assert_eq!(Ed25519PublicKey::try_from(*key.as_bytes()), Ok(key));
    assert!(Ed25519PublicKey::try_from([0; 32]).is_err());

    let signature = account.sign(b"text");
    parses(&signature.to_base64(), Ed25519Signature::to_base64);
    decodes(signature.as_bytes(), |signature: &Ed25519Signature| signature.as_bytes().to_vec());
    is_public(&signature, &signature.to_base64());
    assert_eq!(signature.as_ref(), signature.as_bytes());
    assert_eq!(Ed25519Signature::from(*signature.as_bytes()), signature);

    let (id, _) = account.unpublished_one_time_keys()[0];
    is_public(&id, &id.to_base64());
    assert_eq!(serde_json::to_value(id).unwrap(), json!(id.to_base64()));
    is_json(&account.curve25519_key(), json!(account.curve25519_key().to_base64()));
    is_json(&account.ed25519_key(), json!(account.ed25519_key().to_base64()));
    is_json(&signature, json!(signature.to_base64()));

    let seed = Ed25519SecretKey::from_bytes([7; 32]);
    parses(&seed.to_base64(), |key: &Ed25519SecretKey| key.to_base64().to_string());
    let key = PickleKey::from_bytes([7; 32]);
    parses(&key.to_base64(), |key: &PickleKey| key.to_base64().to_string());
    assert_eq!(key.to_bytes(), [7; 32]);
    let backup = BackupDecryptionKey::from_bytes([7; 32]);
    parses(&backup.to_base64(), |key: &BackupDecryptionKey| key.to_base64().to_string());
}

#[test]
fn s_30_olm_messages_have_the_standard_traits() {
    let rng = &mut SeededRng::new(2);
    let (mut alice, mut bob) = states::pair(config(VERSIONS[0]), rng);
    let normal = bob.encrypt_with_rng(b"text", rng).unwrap();
    alice.decrypt(&normal).unwrap();
    let (alice, bob) = (states::account(0, rng), states::account(1, rng));
    let bundle = states::bundle(&bob);
    let mut session =
        alice.create_outbound_session_with_rng(&bundle, config(VERSIONS[0]), rng).unwrap();
    let first = session.encrypt_with_rng(b"text", rng).unwrap();
    let OlmMessage::Normal(message) = &normal else { panic!("bob answers") };
    parses(&message.to_base64(), Message::to_base64);
    decodes(message.as_bytes(), |message: &Message| message.as_bytes().to_vec());
    is_public(message, &message.to_base64());
    assert_eq!(message.as_ref(), message.as_bytes());
    let pre_key = first.as_pre_key().unwrap();
    parses(&pre_key.to_base64(), PreKeyMessage::to_base64);
    decodes(pre_key.as_bytes(), |message: &PreKeyMessage| message.as_bytes().to_vec());
    is_public(pre_key, &pre_key.to_base64());
    assert_eq!(pre_key.as_ref(), pre_key.as_bytes());

    for (message, kind) in [(&first, 0), (&normal, 1)] {
        is_public(message, &message.to_base64());
        assert_eq!(message.as_ref(), message.as_bytes());
        assert_eq!(message.to_parts(), (kind, message.to_base64()));
        is_json(message, json!({"type": kind, "body": message.to_base64()}));
        let escaped =
            format!(r#"{{"body": "\u0041{}", "type": {kind}}}"#, &message.to_base64()[1..]);
        assert_eq!(&serde_json::from_str::<OlmMessage>(&escaped).unwrap(), message);
    }
    is_json(message, json!(message.to_base64()));
    is_json(pre_key, json!(pre_key.to_base64()));
    assert_eq!(OlmMessage::from(message.clone()), normal);
    assert_eq!(OlmMessage::from(pre_key.clone()), first);
}

#[test]
fn s_30_megolm_has_the_standard_traits() {
    let config = GroupSessionConfig::default();
    let mut room = GroupSession::with_rng(config, &mut SeededRng::new(3)).unwrap();
    let key = room.session_key();
    parses(&key.to_base64(), |key: &SessionKey| key.to_base64().to_string());
    decodes(&key.to_bytes(), |key: &SessionKey| key.to_bytes().to_vec());
    let exported = InboundGroupSession::new(&key).export_at(0).unwrap();
    // Either format is refused as the other, and the error says both lengths.
    let found = exported.to_bytes().len();
    let expected = Err(SessionKeyError::Length { expected: key.to_bytes().len(), found });
    assert_eq!(exported.to_base64().parse::<SessionKey>().map(|_| ()), expected);
    assert_eq!(SessionKey::try_from(&exported.to_bytes()[..]).map(|_| ()), expected);
    let padded = format!("{}==", &key.to_base64()[..306]);
    let expected = Err(SessionKeyError::Length { expected: found, found: key.to_bytes().len() });
    assert_eq!(padded.parse::<ExportedSessionKey>().map(|_| ()), expected);
    parses(&exported.to_base64(), |key: &ExportedSessionKey| key.to_base64().to_string());
    decodes(&exported.to_bytes(), |key: &ExportedSessionKey| key.to_bytes().to_vec());
    let message = room.encrypt(b"text").unwrap();
    parses(&message.to_base64(), MegolmMessage::to_base64);
    decodes(message.as_bytes(), |message: &MegolmMessage| message.as_bytes().to_vec());
    is_public(&message, &message.to_base64());
    assert_eq!(message.as_ref(), message.as_bytes());
    is_json(&message, json!(message.to_base64()));
}

#[test]
fn s_30_channels_have_the_standard_traits() {
    let rng = &mut SeededRng::new(4);
    let showing = Ecies::with_rng(rng).unwrap();
    let scanning = Ecies::with_rng(rng).unwrap();
    let mut sent = scanning.establish_outbound_channel(showing.public_key(), b"text").unwrap();
    parses(&sent.message.encode(), ecies::InitialMessage::encode);
    is_public(&sent.message, &sent.message.encode());
    is_json(&sent.message, json!(sent.message.encode()));
    let next = sent.channel.encrypt(b"text").unwrap();
    is_json(&next, json!(next.encode()));
    parses(&next.encode(), ecies::Message::encode);
    is_public(&next, &next.encode());

    let recipient = HpkeRecipientChannel::with_rng(rng).unwrap();
    let sent = HpkeSenderChannel::new()
        .establish_channel_with_rng(recipient.public_key(), b"text", b"", rng)
        .unwrap();
    let channel = recipient.establish_channel(&sent.message, b"").unwrap().channel;
    let answer = channel.establish_bidirectional_channel_with_rng(b"text", b"", rng).unwrap();
    parses(&sent.message.encode(), hpke::InitialMessage::encode);
    decodes(&sent.message.to_bytes(), hpke::InitialMessage::to_bytes);
    is_public(&sent.message, &sent.message.encode());
    is_json(&sent.message, json!(sent.message.encode()));
    is_json(&answer.message, json!(answer.message.encode()));
    parses(&answer.message.encode(), hpke::InitialResponse::encode);
    decodes(&answer.message.to_bytes(), hpke::InitialResponse::to_bytes);
    is_public(&answer.message, &answer.message.encode());
}

/// The list is complete: the functions of the library show which type has which form.
#[test]
fn s_30_every_form_is_in_the_list() {
    let functions = public_functions();
    let with = |names: &[&str], declared: &dyn Fn(&str) -> bool| -> BTreeSet<String> {
        let found = functions.iter().filter_map(|(function, head)| {
            let (of, name) = function.name.rsplit_once("::")?;
            (names.contains(&name) && declared(head)).then(|| format!("{} {of}", function.path))
        });
        found.collect()
    };
    let listed = |form: fn(&Check) -> bool| -> BTreeSet<String> {
        CHECKS.iter().filter(|check| form(check)).map(|check| check.of.to_owned()).collect()
    };
    let read = with(&["from_base64", "decode"], &|head| head.contains("(text: &str)"));
    assert_eq!(listed(|check| check.text), read);
    let read = with(&["from_bytes", "from_slice"], &|head| head.contains("(bytes: &[u8])"));
    assert_eq!(listed(|check| check.bytes), read);
    // Of an `OlmMessage`, this is the body alone, which no function reads.
    let mut written = with(&["to_base64", "encode"], &|head| head.contains("self) -> String"));
    assert!(written.remove("wire/olm.rs OlmMessage"));
    assert_eq!(listed(|check| check.shown), written);

    // Serde's traits, besides those of vodozemac's pickles.
    let serde = |name: &str| {
        let traits = public_traits().into_iter().filter(|function| function.path == "forms.rs");
        traits.filter(|function| function.name.starts_with(name)).count()
    };
    let parsed_and_shown = CHECKS.iter().filter(|check| check.text && check.shown).count();
    // An `OlmMessage` has both, and a `KeyId`, which is not parsed, only the first.
    assert_eq!(serde("Serialize for "), parsed_and_shown + 2);
    assert_eq!(serde("Deserialize for "), parsed_and_shown + 1);

    let mut traits: BTreeSet<_> = public_traits()
        .into_iter()
        .filter_map(|function| function.name.strip_prefix("AsRef for ").map(str::to_owned))
        .collect();
    for other in ["OlmMessage", "SecretBytes", "SecretString"] {
        assert!(traits.remove(other), "{other}");
    }
    let listed = listed(|check| check.as_ref);
    let listed = listed.iter().map(|of| of.split_once(' ').unwrap().1.to_owned());
    assert_eq!(listed.collect::<BTreeSet<_>>(), traits);
}
