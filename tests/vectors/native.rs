//! Our own pickles, as another implementation of the format wrote them: what version 0.1.0 could read, every
//! later one can.

use moceril::{PickleError, PickleKey};

use super::pickles::Object;
use crate::common::{
    pickle_editor::OpenPickle,
    pickled::Pickled,
    vector_file::{Layer, VectorFile},
};

fn layer(error: PickleError) -> Layer {
    match error {
        PickleError::Base64 => Layer::Base64,
        PickleError::Authentication => Layer::Mac,
        PickleError::Version(_) => Layer::Version,
        PickleError::ObjectType | PickleError::InvalidState => Layer::Format,
        error => panic!("{error:?} has no layer"),
    }
}

/// Reads the pickle, writes it again, and goes on, through another pickle before every step.
pub fn check<T: Object + Pickled>(file: &VectorFile) {
    let (pickle, context) = (file.text("pickle"), file.bytes("context"));
    let key_bytes = file.array("pickle-key");
    let key = PickleKey::new(key_bytes);
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
