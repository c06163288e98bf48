//! README.md, "Stored forms". What concerns MessagePack is in `cross`.

use vodozemac::{
    megolm::{GroupSession, InboundGroupSession, InboundGroupSessionPickle},
    olm::{Session, SessionPickle},
};

use super::{edited, sessions};

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
