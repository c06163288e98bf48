//! Message keys and ciphers one by one, for experts.

pub use crate::cipher::{Cipher, Mac};

/// The keys of single Olm messages.
pub mod olm {
    pub use crate::olm::session::message_key::MessageKey;
}
