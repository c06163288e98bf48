//! The forms in which objects are stored.

/// How a pickle is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// `encrypt`.
    Encrypted,
    Json,
    /// With the names of the fields, as matrix-sdk's SQLite store has it.
    MessagePack,
}

impl Form {
    pub const ALL: [Self; 3] = [Self::Encrypted, Self::Json, Self::MessagePack];
}

const KEY: [u8; 32] = [0x4b; 32];

/// An object that can be stored.
pub trait Stored: Sized {
    fn store(&self, form: Form) -> Vec<u8>;
    fn load(form: Form, bytes: &[u8]) -> Self;
}

macro_rules! stored {
    ($($object:ty, $pickle:ty;)+) => {$(
        impl Stored for $object {
            fn store(&self, form: Form) -> Vec<u8> {
                let pickle = self.pickle();
                match form {
                    Form::Encrypted => pickle.encrypt(&KEY).into_bytes(),
                    Form::Json => serde_json::to_vec(&pickle).unwrap(),
                    Form::MessagePack => rmp_serde::to_vec_named(&pickle).unwrap(),
                }
            }

            fn load(form: Form, bytes: &[u8]) -> Self {
                let pickle: $pickle = match form {
                    Form::Encrypted => {
                        let text = str::from_utf8(bytes).unwrap();
                        <$pickle>::from_encrypted(text, &KEY).unwrap()
                    }
                    Form::Json => serde_json::from_slice(bytes).unwrap(),
                    Form::MessagePack => rmp_serde::from_slice(bytes).unwrap(),
                };
                Self::from_pickle(pickle)
            }
        }
    )+};
}

stored! {
    ours::olm::Account, ours::olm::AccountPickle;
    real::olm::Account, real::olm::AccountPickle;
    ours::olm::Session, ours::olm::SessionPickle;
    real::olm::Session, real::olm::SessionPickle;
    ours::megolm::GroupSession, ours::megolm::GroupSessionPickle;
    real::megolm::GroupSession, real::megolm::GroupSessionPickle;
    ours::megolm::InboundGroupSession, ours::megolm::InboundGroupSessionPickle;
    real::megolm::InboundGroupSession, real::megolm::InboundGroupSessionPickle;
}
