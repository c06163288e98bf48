//! README.md, "Stored forms". What concerns MessagePack is in `cross`.

use vodozemac::{
    megolm::{GroupSession, InboundGroupSession, InboundGroupSessionPickle},
    olm::{Account, OlmMessage, Session, SessionPickle},
};

use super::{edited, outbound, sessions};

/// S-13: version 2 is understood with and without `experimental-session-config`, so that a store
/// does not depend on the features of the program that opens it.
#[test]
fn s_13_version_2() {
    let mut sender =
        edited(&GroupSession::default(), |json| json["config"]["version"] = "V2".into());
    assert_eq!(sender.session_config().version(), 2);
    let receiver = InboundGroupSession::from(&sender);
    let json = serde_json::to_value(receiver.pickle()).unwrap();
    assert_eq!(json["config"]["version"], "V2");
    let again: InboundGroupSessionPickle = serde_json::from_value(json).unwrap();
    let message = sender.encrypt("text");
    assert_eq!((message.to_bytes()[0], message.mac().len()), (4, 32));
    for mut receiver in [receiver, InboundGroupSession::from(again)] {
        assert_eq!(receiver.decrypt(&message).unwrap().plaintext, b"text");
    }

    let (sender, receiver) = sessions();
    let [mut sender, mut receiver] = [sender, receiver].map(|session| {
        let mut json = serde_json::to_value(session.pickle()).unwrap();
        json["config"]["version"] = "V2".into();
        Session::from(serde_json::from_value::<SessionPickle>(json).unwrap())
    });
    let message = sender.encrypt("text").unwrap();
    assert_eq!(receiver.decrypt(&message).unwrap(), b"text");
}

/// S-24: libolm has sessions that were made from a message and have not decrypted it. Such a
/// session can be stored here, and decrypts its message afterwards.
#[cfg(feature = "libolm-compat")]
#[test]
fn s_24_a_libolm_session_before_its_first_message() {
    let mut receiver = moceril::olm::Account::new().unwrap();
    let key = receiver.generate_one_time_keys(1).unwrap().created[0].1;
    let identity_key = (*receiver.curve25519_key().as_bytes()).into();
    let (mut sender, first) = outbound(&Account::new(), identity_key, (*key.as_bytes()).into());
    let message = moceril::olm::PreKeyMessage::from_bytes(&first.to_bytes()).unwrap();
    let config = moceril::olm::SessionConfig::default().with_version(moceril::MessageVersion::V3);
    let unread =
        receiver.create_inbound_session_unread(message.identity_key(), &message, config).unwrap();
    let (pickle, _) = unread.to_libolm_pickle_lossy(b"key").unwrap();

    let session = Session::from_libolm_pickle(&pickle, b"key").unwrap();
    let mut session = Session::from_pickle(session.pickle());
    assert_eq!(session.decrypt(&OlmMessage::PreKey(first)).unwrap(), b"hello");
    let answer = session.encrypt("answer").unwrap();
    assert_eq!(sender.decrypt(&answer).unwrap(), b"answer");
}
