//! Messages have the same serde forms as vodozemac's: the base64 text, and an Olm message of either
//! type as an object of `type` and `body`. (vodozemac's public keys are lists of numbers there, and
//! its key ids numbers; ours are the texts of the Matrix specification.)

use std::{fmt::Debug, time::Duration};

use moceril::{megolm, olm};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

/// Each reads what the other has written, and writes it again.
fn same<O, T>(ours: &O) -> T
where
    O: Serialize + DeserializeOwned + PartialEq + Debug,
    T: Serialize + DeserializeOwned,
{
    let written = serde_json::to_value(ours).unwrap();
    let theirs: T = serde_json::from_value(written.clone()).unwrap();
    let back: Value = serde_json::to_value(&theirs).unwrap();
    assert_eq!(back, written);
    assert_eq!(&serde_json::from_value::<O>(back).unwrap(), ours);
    theirs
}

#[test]
fn messages_have_the_forms_of_vodozemac() {
    let alice = olm::Account::new().unwrap();
    let mut bob = olm::Account::new().unwrap();
    bob.generate_one_time_keys(1).unwrap();
    let (_, key) = bob.signed_one_time_keys()[0];
    let bundle = olm::PreKeyBundle::verify(bob.identity_keys(), &key).unwrap();
    let mut session = alice.create_outbound_session(&bundle).unwrap();
    let first = session.encrypt("hello").unwrap();
    let theirs: vodozemac::olm::OlmMessage = same(&first);
    assert!(matches!(theirs, vodozemac::olm::OlmMessage::PreKey(_)));
    let pre_key = first.as_pre_key().unwrap();
    same::<_, vodozemac::olm::PreKeyMessage>(pre_key);

    let mut inbound = bob.create_inbound_session(alice.curve25519_key(), pre_key).unwrap();
    let answer = inbound.session.encrypt("hello, Alice").unwrap();
    let theirs: vodozemac::olm::OlmMessage = same(&answer);
    assert!(matches!(theirs, vodozemac::olm::OlmMessage::Normal(_)));
    let olm::OlmMessage::Normal(normal) = &answer else { panic!("an answer is normal") };
    same::<_, vodozemac::olm::Message>(normal);

    let mut room = megolm::GroupSession::new(Duration::from_secs(1_700_000_000)).unwrap();
    same::<_, vodozemac::megolm::MegolmMessage>(&room.encrypt("to everybody").unwrap());
}
