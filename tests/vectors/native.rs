//! Our own pickles, written by another implementation of the format: every later version can read
//! what version 0.1.0 could.

use moceril::{
    PickleError, PickleKey,
    megolm::{
        ExportedSessionKey, InboundGroupSession, MegolmMessage, ReplayError, ReplayGuard,
        ReplayVerdict,
    },
};

use super::pickles::Object;
use moceril_testing::{
    pickle_editor::OpenPickle,
    pickled::Pickled,
    rng::RecordedRng,
    vector_file::{Layer, VectorFile, item_bytes},
};

fn layer(error: PickleError) -> Layer {
    match error {
        PickleError::Base64(_) => Layer::Base64,
        PickleError::Authentication => Layer::Mac,
        PickleError::Version(_) => Layer::Version,
        PickleError::ObjectType | PickleError::InvalidState | PickleError::OtherSession => {
            Layer::Format
        }
        error => panic!("{error:?} has no layer"),
    }
}

/// Reads the pickle, writes it again, and goes on, through another pickle before every step.
pub fn check<T: Object + Pickled>(file: &VectorFile) {
    let (pickle, context) = (file.text("pickle"), file.bytes("context"));
    let key_bytes = file.array("pickle-key");
    let key = PickleKey::from_bytes(key_bytes);
    let found = T::restore_for(pickle, &key, &context).map_err(layer);
    let mut object = match (found, file.expect) {
        (Ok(found), None) => found,
        (result, expected) => return assert_eq!(result.err(), expected),
    };
    assert_eq!(object.pickle_for(&key, &context, file.array("nonce")), pickle);
    let open = OpenPickle::open_with(pickle, key_bytes, &context);
    assert_eq!(open.state, file.bytes("state"));
    assert!(!open.fields().is_empty());
    for step in file.steps() {
        object = object.copy();
        object.step(&step);
    }
}

/// The same for a replay guard, which is opened for its session and pickled before every step.
pub fn check_guard(file: &VectorFile) {
    let (pickle, context) = (file.text("pickle"), file.bytes("context"));
    let key_bytes = file.array("pickle-key");
    let key = PickleKey::from_bytes(key_bytes);
    let exported = ExportedSessionKey::from_base64(file.text("session")).unwrap();
    let mut session = InboundGroupSession::import(&exported);
    let read = |pickle: &str| ReplayGuard::from_pickle(pickle, &key, &context, &session);
    let mut guard = match (read(pickle).map_err(layer), file.expect) {
        (Ok(found), None) => found,
        (result, expected) => return assert_eq!(result.err(), expected),
    };
    let nonce = &mut RecordedRng::new(file.array::<24>("nonce"));
    assert_eq!(guard.pickle_with_rng(&key, &context, nonce).as_deref(), Ok(pickle));
    let open = OpenPickle::open_with(pickle, key_bytes, &context);
    assert_eq!(open.state, file.bytes("state"));
    assert!(!open.fields().is_empty());
    for step in file.steps() {
        let ["check", message, event_id, expected] = *step.as_slice() else {
            panic!("unknown step {step:?}")
        };
        let pickle = guard.pickle(&key, &context).unwrap();
        guard = ReplayGuard::from_pickle(&pickle, &key, &context, &session).unwrap();
        let message = session.decrypt(&MegolmMessage::from_base64(message).unwrap()).unwrap();
        let event_id = String::from_utf8(item_bytes(event_id)).unwrap();
        let verdict = match guard.check(&message, &event_id) {
            Ok(ReplayVerdict::First) => "first",
            Ok(ReplayVerdict::Again) => "again",
            Ok(ReplayVerdict::FirstNotRemembered) => "first-not-remembered",
            Ok(ReplayVerdict::Unknown) => "unknown",
            Err(ReplayError::Replayed { .. }) => "replayed",
            other => panic!("{other:?} has no name"),
        };
        assert_eq!(verdict, expected, "{step:?}");
    }
}
