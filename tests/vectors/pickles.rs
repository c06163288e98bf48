//! libolm's encrypted pickles, read and continued.

use std::{fmt::Debug, time::Duration};

use moceril::{
    Curve25519PublicKey, KeyError, LibolmPickleError,
    megolm::{DecryptionError, GroupSession, InboundGroupSession, MegolmMessage},
    olm::{
        Account, OlmMessage, PreKeyBundle, Session, SessionConfig, SessionCreationError,
        SignedOneTimeKey,
    },
};

use moceril_testing::{
    fixtures::{State, pre_key},
    rng::{RecordedRng, SeededRng},
    vector_file::{Layer, VectorFile, item_bytes, number},
    vector_layer::key_layer,
};

/// What can be pickled.
pub trait Object: State + Debug {
    fn read(pickle: &str, key: &[u8]) -> Result<Self, LibolmPickleError>;
    fn write(&self, key: &[u8]) -> String;
    fn step(&mut self, step: &[&str]);

    /// Reads the pickle, and goes on: straight through, through a native pickle before every step,
    /// and through one of libolm's.
    fn check(file: &VectorFile) {
        let (pickle, key) = (file.text("pickle"), file.bytes("pickle-key"));
        let found = match (Self::read(pickle, &key).map_err(layer), file.expect) {
            (Ok(found), None) => found,
            (result, expected) => return assert_eq!(result.err(), expected),
        };
        let again = |object: &Self| Self::read(&object.write(&key), &key).unwrap();
        assert_eq!(again(&found).write(&key), found.write(&key));
        let ways: [&dyn Fn(Self) -> Self; 3] =
            [&|object| object, &|object| Self::restored(&object.snapshot()), &|object| {
                again(&object)
            }];
        for way in ways {
            let mut object = Self::restored(&found.snapshot());
            for step in file.steps() {
                object = way(object);
                object.step(&step);
            }
        }
    }
}

fn layer(error: LibolmPickleError) -> Layer {
    match error {
        LibolmPickleError::Base64(_) => Layer::Base64,
        LibolmPickleError::Authentication => Layer::Mac,
        LibolmPickleError::Version(_) => Layer::Version,
        LibolmPickleError::InvalidState => Layer::Format,
        LibolmPickleError::Key(error) => key_layer(error),
        error => panic!("{error:?} has no layer"),
    }
}

/// The session, unless its first message shows that its signing key is no point of the curve.
fn with_a_point(
    mut session: InboundGroupSession,
) -> Result<InboundGroupSession, LibolmPickleError> {
    let message =
        GroupSession::new(Duration::ZERO).unwrap().encrypt(b"of another session").unwrap();
    match session.decrypt(&message) {
        Err(DecryptionError::InvalidSigningKey) => Err(KeyError::NotOnCurve.into()),
        _ => Ok(session),
    }
}

macro_rules! object {
    ($object:ident, $checked:expr, $step:ident) => {
        impl Object for $object {
            fn read(pickle: &str, key: &[u8]) -> Result<Self, LibolmPickleError> {
                Self::from_libolm_pickle(pickle, key).and_then($checked)
            }

            fn write(&self, key: &[u8]) -> String {
                // What is lost is which sessions began with the fallback key.
                self.to_libolm_pickle_lossy(key).unwrap().0
            }

            fn step(&mut self, step: &[&str]) {
                $step(self, step)
            }
        }
    };
}

object!(Account, Ok, account_step);
object!(Session, Ok, session_step);
object!(GroupSession, Ok, group_session_step);
object!(InboundGroupSession, with_a_point, inbound_group_session_step);

fn olm_message(kind: &str, body: &str) -> OlmMessage {
    OlmMessage::from_parts(number(kind) as usize, body).unwrap()
}

fn account_step(account: &mut Account, step: &[&str]) {
    let mut create = |kind, body| {
        let message = pre_key(&olm_message(kind, body));
        account.create_inbound_session(message.identity_key(), &message)
    };
    match *step {
        ["receive", kind, body, plaintext] => {
            let created = create(kind, body).unwrap();
            assert_eq!(created.message.plaintext(), item_bytes(plaintext));
        }
        ["replayed", kind, body] => {
            assert_eq!(create(kind, body).err(), Some(SessionCreationError::Replayed));
        }
        _ => panic!("unknown step {step:?}"),
    }
}

fn session_step(session: &mut Session, step: &[&str]) {
    match *step {
        ["send", plaintext, kind, body] => {
            let mut no_random = RecordedRng::new([]);
            let sent = session.encrypt_with_rng(item_bytes(plaintext), &mut no_random);
            assert_eq!(sent.unwrap().to_parts(), (number(kind) as usize, body.to_owned()));
        }
        ["receive", kind, body, plaintext] => {
            let decrypted = session.decrypt(&olm_message(kind, body)).unwrap();
            assert_eq!(decrypted.plaintext(), item_bytes(plaintext));
        }
        _ => panic!("unknown step {step:?}"),
    }
}

fn group_session_step(session: &mut GroupSession, step: &[&str]) {
    let ["send", plaintext, message] = *step else { panic!("unknown step {step:?}") };
    assert_eq!(session.encrypt(item_bytes(plaintext)).unwrap().to_base64(), message);
}

fn inbound_group_session_step(session: &mut InboundGroupSession, step: &[&str]) {
    let ["receive", index, message, plaintext] = *step else { panic!("unknown step {step:?}") };
    let decrypted = session.decrypt(&MegolmMessage::from_base64(message).unwrap()).unwrap();
    let found = (decrypted.plaintext().to_vec(), decrypted.message_index());
    assert_eq!(found, (item_bytes(plaintext), number(index)));
}

pub fn account(file: &VectorFile) {
    Account::check(file);
    if let Some(key) = file.optional("fallback-key") {
        let (pickle, pickle_key) = (file.text("pickle"), file.bytes("pickle-key"));
        has_fallback_key(Account::read(pickle, &pickle_key).unwrap(), key);
    }
}

pub fn session(file: &VectorFile) {
    Session::check(file);
}

pub fn group_session(file: &VectorFile) {
    GroupSession::check(file);
}

pub fn inbound_group_session(file: &VectorFile) {
    InboundGroupSession::check(file);
}

/// Published or not, this is the current fallback key: without the previous one, and more than
/// once, it makes sessions.
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
        let session = alice.create_outbound_session_with_rng(&bundle, config, &mut rng);
        let sent = session.unwrap().encrypt_with_rng(plaintext.as_bytes(), &mut rng).unwrap();
        let received = bob.create_inbound_session(alice.curve25519_key(), &pre_key(&sent)).unwrap();
        assert_eq!(received.message.plaintext(), plaintext.as_bytes());
    }
}
