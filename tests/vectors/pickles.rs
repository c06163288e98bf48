//! libolm's encrypted pickles, read and continued.

use moceril::{
    Curve25519PublicKey, LibolmPickleError,
    olm::{Account, OlmMessage, PreKeyBundle, Session, SessionConfig, SignedOneTimeKey},
};

use crate::common::{
    fixtures::{State, pre_key},
    rng::{RecordedRng, SeededRng},
    vector_file::{Layer, VectorFile, item_bytes, number},
};

/// The session goes on, once straight through and once through native pickles before every step.
pub fn session(file: &VectorFile) {
    assert_eq!(file.expect, None);
    play(file, false);
    play(file, true);
}

fn play(file: &VectorFile, restoring: bool) {
    let pickle = (file.text("pickle"), file.bytes("pickle-key"));
    let mut session = Session::from_libolm_pickle(pickle.0, &pickle.1).unwrap();
    for step in file.steps() {
        if restoring {
            session = State::restored(&session.snapshot());
        }
        match *step.as_slice() {
            ["send", plaintext, kind, body] => {
                let mut no_random = RecordedRng::new([]);
                let sent = session.encrypt_with_rng(&item_bytes(plaintext), &mut no_random);
                assert_eq!(sent.unwrap().to_parts(), (number(kind) as usize, body.to_owned()));
            }
            ["receive", kind, body, plaintext] => {
                let message = OlmMessage::from_parts(number(kind) as usize, body).unwrap();
                let decrypted = session.decrypt(&message).unwrap();
                assert_eq!(decrypted.plaintext, item_bytes(plaintext));
            }
            _ => panic!("unknown step {step:?}"),
        }
    }
}

pub fn account(file: &VectorFile) {
    let account = Account::from_libolm_pickle(file.text("pickle"), &file.bytes("pickle-key"));
    match file.expect {
        None => has_fallback_key(account.unwrap(), file.text("fallback-key")),
        Some(Layer::Version) => {
            let error = account.unwrap_err();
            assert!(matches!(error, LibolmPickleError::Version(_)), "{error:?}");
        }
        Some(layer) => panic!("no account is refused as {layer:?}"),
    }
}

/// Published or not, this is the current fallback key: without the previous one, and more than once,
/// it makes sessions.
fn has_fallback_key(mut bob: Account, key: &str) {
    bob.forget_previous_fallback_key();
    let key = Curve25519PublicKey::from_base64(key).unwrap();
    let mut rng = SeededRng::new(1);
    let alice = Account::with_rng(&mut rng).unwrap();
    let mut signed = SignedOneTimeKey { key, fallback: true, signature: bob.sign(b"") };
    signed.signature = bob.sign(signed.canonical_json().as_bytes());
    let bundle = PreKeyBundle::verify(bob.identity_keys(), &signed).unwrap();
    for plaintext in ["one", "two"] {
        let config = SessionConfig::default();
        let session = alice.create_outbound_session_with(&bundle, config, &mut rng);
        let sent = session.unwrap().encrypt_with_rng(plaintext.as_bytes(), &mut rng).unwrap();
        let received = bob.create_inbound_session(alice.curve25519_key(), &pre_key(&sent)).unwrap();
        assert_eq!(received.message.plaintext, plaintext.as_bytes());
    }
}
