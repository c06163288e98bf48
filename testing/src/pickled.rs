//! The objects that can be pickled, behind one trait, so that a test can treat them alike.

use moceril::{
    MessageVersion, PickleError, PickleKey,
    megolm::{GroupSession, InboundGroupSession, ReplayGuard},
    olm::{Account, Session},
};

use super::{
    fixtures::group,
    pickle_editor::{CONTEXT, KEY},
    rng::RecordedRng,
};

pub trait Pickled: Sized {
    const TYPE: u8;

    fn pickle_for(&self, key: &PickleKey, context: &[u8], nonce: [u8; 24]) -> String;
    fn restore_for(pickle: &str, key: &PickleKey, context: &[u8]) -> Result<Self, PickleError>;

    /// The pickle with the editor's key and context and always the same nonce: equal states, and
    /// only they, have equal snapshots.
    fn snapshot(&self) -> String {
        self.pickle_for(&PickleKey::from_bytes(KEY), CONTEXT, [9; 24])
    }

    fn restore(pickle: &str) -> Result<Self, PickleError> {
        Self::restore_for(pickle, &PickleKey::from_bytes(KEY), CONTEXT)
    }

    /// The object, pickled and restored.
    fn copy(&self) -> Self {
        Self::restore(&self.snapshot()).unwrap()
    }
}

macro_rules! pickled {
    ($($object:ident $kind:literal),+) => {$(
        impl Pickled for $object {
            const TYPE: u8 = $kind;

            fn pickle_for(&self, key: &PickleKey, context: &[u8], nonce: [u8; 24]) -> String {
                self.pickle_with_rng(key, context, &mut RecordedRng::new(nonce)).unwrap()
            }

            fn restore_for(
                pickle: &str,
                key: &PickleKey,
                context: &[u8],
            ) -> Result<Self, PickleError> {
                Self::from_pickle(pickle, key, context)
            }
        }
    )+};
}

pickled!(Account 1, Session 2, GroupSession 3, InboundGroupSession 4);

/// The sender of the session that all replay guards of the tests belong to, and the session.
pub fn guarded() -> (GroupSession, InboundGroupSession) {
    group(MessageVersion::V3, 77)
}

/// It is opened for that session.
impl Pickled for ReplayGuard {
    const TYPE: u8 = 5;

    fn pickle_for(&self, key: &PickleKey, context: &[u8], nonce: [u8; 24]) -> String {
        self.pickle_with_rng(key, context, &mut RecordedRng::new(nonce)).unwrap()
    }

    fn restore_for(pickle: &str, key: &PickleKey, context: &[u8]) -> Result<Self, PickleError> {
        Self::from_pickle(pickle, key, context, &guarded().1)
    }
}
