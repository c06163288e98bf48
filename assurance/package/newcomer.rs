//! A client as a newcomer writes it: each conversion, constructor and habit that the documentation
//! promises, at least once. `run` compiles and runs it against the unpacked package.

use std::{
    collections::{BTreeSet, HashSet},
    error::Error as _,
    time::Duration,
};

use moceril::{
    Curve25519PublicKey, Ed25519PublicKey, Ed25519SecretKey, Ed25519Signature, PickleKey,
    backup::BackupDecryptionKey,
    device_keys::DeviceKeys,
    events::{MegolmContent, OlmContent},
    megolm::{
        ExportedSessionKey, GroupSession, GroupSessionConfig, InboundGroupSession, MegolmMessage,
        SessionKey,
    },
    olm::{Account, Message, OlmMessage, PreKeyBundle, PreKeyMessage, Session},
    room_keys::{ExportedRoomKey, RoomKey},
    sas::Sas,
    secret_storage::SecretStorageKey,
};
use serde::{Deserialize, Serialize};

type Result<T, E = Box<dyn std::error::Error>> = std::result::Result<T, E>;

fn main() -> Result<()> {
    let (alice, mut bob) = (Account::new()?, Account::new()?);
    public_keys(&alice)?;
    secret_keys()?;
    let (session, pre_key, normal) = conversation(&alice, &mut bob)?;
    olm_messages(&pre_key, &normal)?;
    group(&alice)?;
    matrix(&alice, &session)?;
    stored(alice)?;
    errors();
    println!("every convenience is there");
    Ok(())
}

fn public_keys(account: &Account) -> Result<()> {
    let key = account.curve25519_key();
    assert_eq!(key.to_string().parse::<Curve25519PublicKey>()?, key);
    assert_eq!(Curve25519PublicKey::try_from(key.to_base64().as_str())?, key);
    assert_eq!(Curve25519PublicKey::try_from(key.as_ref())?, key);
    assert_eq!(Curve25519PublicKey::try_from(key.as_bytes().to_vec())?, key);
    assert_eq!(Curve25519PublicKey::try_from(*key.as_bytes())?, key);
    assert_eq!(HashSet::from([key, key]).len() + BTreeSet::from([key, key]).len(), 2);

    let key = account.ed25519_key();
    assert_eq!(key.to_string().parse::<Ed25519PublicKey>()?, key);
    assert_eq!(Ed25519PublicKey::try_from(key.to_base64().as_str())?, key);
    assert_eq!(Ed25519PublicKey::try_from(key.as_ref())?, key);
    assert_eq!(Ed25519PublicKey::try_from(key.as_bytes().to_vec())?, key);
    assert_eq!(Ed25519PublicKey::try_from(*key.as_bytes())?, key);
    assert_eq!(HashSet::from([key, key]).len() + BTreeSet::from([key, key]).len(), 2);

    let signature = account.sign("text");
    assert_eq!(signature, account.sign(b"text"));
    assert_eq!(signature, account.sign(vec![b't', b'e', b'x', b't']));
    key.verify("text", &signature)?;
    assert_eq!(signature.to_string().parse::<Ed25519Signature>()?, signature);
    assert_eq!(Ed25519Signature::try_from(signature.to_base64().as_str())?, signature);
    assert_eq!(Ed25519Signature::try_from(signature.as_ref())?, signature);
    assert_eq!(Ed25519Signature::try_from(signature.as_bytes().to_vec())?, signature);
    assert_eq!(Ed25519Signature::from(*signature.as_bytes()), signature);
    Ok(())
}

fn secret_keys() -> Result<()> {
    let key = Ed25519SecretKey::new()?;
    let again: Ed25519SecretKey = key.to_base64().parse()?;
    assert_eq!(again.public_key(), key.public_key());
    assert!(!format!("{key:?}").contains(&*key.to_base64()));
    let key = BackupDecryptionKey::new()?;
    let again: BackupDecryptionKey = key.to_base64().parse()?;
    assert_eq!(again.public_key(), key.public_key());
    let again = BackupDecryptionKey::from_recovery_key(&key.to_recovery_key())?;
    assert_eq!(again.public_key(), key.public_key());
    let key = SecretStorageKey::new()?;
    let again = SecretStorageKey::from_recovery_key(&key.to_recovery_key())?;
    assert_eq!(again.to_bytes(), key.to_bytes());
    let _ = Sas::new()?;
    Ok(())
}

fn conversation(alice: &Account, bob: &mut Account) -> Result<(Session, PreKeyMessage, Message)> {
    bob.generate_one_time_keys(1)?;
    let (id, one_time_key) = bob.signed_one_time_keys()[0];
    assert_eq!(id.to_string(), id.to_base64());
    let bundle = PreKeyBundle::verify(bob.identity_keys(), &one_time_key)?;
    let mut session = alice.create_outbound_session(&bundle)?;
    let message = session.encrypt("a text")?;
    session.encrypt(b"bytes")?;
    session.encrypt(String::from("an owned text"))?;
    session.encrypt(vec![0; 3])?;
    let OlmMessage::PreKey(pre_key) = message else { return Err("not a pre-key message".into()) };
    let mut inbound = bob.create_inbound_session(alice.curve25519_key(), &pre_key)?;
    assert_eq!(inbound.message.plaintext(), b"a text");
    let OlmMessage::Normal(normal) = inbound.session.encrypt("an answer")? else {
        return Err("not a normal message".into());
    };
    assert_eq!(session.decrypt(&normal.clone().into())?.plaintext(), b"an answer");
    Ok((session, pre_key, normal))
}

fn olm_messages(pre_key: &PreKeyMessage, normal: &Message) -> Result<()> {
    assert_eq!(pre_key.to_string().parse::<PreKeyMessage>()?, *pre_key);
    assert_eq!(PreKeyMessage::try_from(pre_key.to_base64().as_str())?, *pre_key);
    assert_eq!(PreKeyMessage::try_from(pre_key.as_ref())?, *pre_key);
    assert_eq!(PreKeyMessage::try_from(pre_key.as_bytes().to_vec())?, *pre_key);
    assert_eq!(normal.to_string().parse::<Message>()?, *normal);
    assert_eq!(Message::try_from(normal.to_base64().as_str())?, *normal);
    assert_eq!(Message::try_from(normal.as_ref())?, *normal);
    assert_eq!(Message::try_from(normal.as_bytes().to_vec())?, *normal);
    for message in [OlmMessage::from(pre_key.clone()), OlmMessage::from(normal.clone())] {
        let (message_type, body) = message.to_parts();
        assert_eq!((message.to_string(), message.to_base64()), (body.clone(), body.clone()));
        assert_eq!(OlmMessage::from_parts(message_type, &body)?, message);
        assert_eq!(message.as_ref(), message.as_bytes());
        let json = serde_json::to_value(&message)?;
        assert_eq!(json, serde_json::json!({ "type": message_type, "body": body }));
        assert_eq!(serde_json::from_value::<OlmMessage>(json)?, message);
    }
    Ok(())
}

fn group(alice: &Account) -> Result<()> {
    let mut room = GroupSession::new(Duration::from_secs(1_700_000_000))?;
    let _ = GroupSession::with_config(GroupSessionConfig::default())?;
    let key = room.session_key();
    let again: SessionKey = key.to_base64().parse()?;
    assert_eq!(again.session_id(), room.session_id());
    assert_eq!(SessionKey::try_from(&*key.to_base64())?.session_id(), room.session_id());
    assert_eq!(SessionKey::try_from(key.to_bytes().as_slice())?.session_id(), room.session_id());
    assert_eq!(SessionKey::try_from(key.to_bytes().to_vec())?.session_id(), room.session_id());

    let message = room.encrypt("to everybody")?;
    assert_eq!(message.to_string().parse::<MegolmMessage>()?, message);
    assert_eq!(MegolmMessage::try_from(message.to_base64().as_str())?, message);
    assert_eq!(MegolmMessage::try_from(message.as_ref())?, message);
    assert_eq!(MegolmMessage::try_from(message.as_bytes().to_vec())?, message);
    let mut inbound = InboundGroupSession::new(&key);
    assert_eq!(inbound.decrypt(&message)?.plaintext(), b"to everybody");

    let key = inbound.export_at_first_known_index()?;
    let again: ExportedSessionKey = key.to_base64().parse()?;
    assert_eq!(again.session_id(), room.session_id());
    assert_eq!(ExportedSessionKey::try_from(&*key.to_base64())?.index(), 0);
    assert_eq!(ExportedSessionKey::try_from(key.to_bytes().as_slice())?.index(), 0);
    assert_eq!(ExportedSessionKey::try_from(key.to_bytes().to_vec())?.index(), 0);
    assert!(!format!("{key:?}").contains(&*key.to_base64()));

    let content = MegolmContent::new(&room.session_id(), message);
    assert_eq!(MegolmContent::from_json(&content.to_json())?, content);
    let json = RoomKey::new("!room:example.org", room.session_key()).to_json()?;
    assert_eq!(RoomKey::from_json(&json)?.room_id, "!room:example.org");
    let key = ExportedRoomKey::new("!room:example.org", key, alice.identity_keys());
    assert_eq!(ExportedRoomKey::from_json(&key.to_json()?)?.room_id, "!room:example.org");
    Ok(())
}

/// What a client keeps of a device, with serde's derives.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Known {
    user_id: String,
    ed25519: Ed25519PublicKey,
    curve25519: Curve25519PublicKey,
    signature: Ed25519Signature,
}

fn matrix(alice: &Account, session: &Session) -> Result<()> {
    let known = Known {
        user_id: "@alice:example.org".to_owned(),
        ed25519: alice.ed25519_key(),
        curve25519: alice.curve25519_key(),
        signature: alice.sign(session.session_id()),
    };
    let json = serde_json::to_string(&known)?;
    assert_eq!(serde_json::from_str::<Known>(&json)?, known);
    let device = DeviceKeys::new(alice, &known.user_id, "DEVICE")?;
    let device = DeviceKeys::verify(device.to_json(), &known.user_id, "DEVICE")?;
    assert_eq!(device.identity_keys(), alice.identity_keys());
    let no_event = OlmContent::from_json(&serde_json::json!({}), &alice.curve25519_key());
    assert!(no_event.is_err());
    Ok(())
}

fn stored(account: Account) -> Result<()> {
    let key = PickleKey::from_bytes([7; 32]);
    let pickle = account.pickle(&key, "account of @alice:example.org")?;
    let again = Account::from_pickle(&pickle, &key, "account of @alice:example.org")?;
    assert_eq!(again.identity_keys(), account.identity_keys());
    Ok(())
}

/// One error for the whole client, whose sources say more and more precisely what is wrong.
fn errors() {
    fn read(text: &str) -> Result<Curve25519PublicKey, moceril::Error> {
        Ok(text.parse::<Curve25519PublicKey>()?)
    }
    let texts = |text: &str| {
        let error = read(text).unwrap_err();
        let (mut texts, mut next) = (vec![], error.source());
        while let Some(error) = next {
            texts.push(error.to_string());
            next = error.source();
        }
        texts
    };
    assert_eq!(texts("AAAA"), ["a key has 32 bytes, not 3"]);
    let url_safe = [
        "the key is not valid base64",
        "the base64 uses the URL-safe alphabet instead of the standard one",
    ];
    assert_eq!(texts("__8"), url_safe);
}
