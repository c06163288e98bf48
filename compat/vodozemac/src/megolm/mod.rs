//! Megolm: one sender, many receivers.
//!
//! ```
//! use vodozemac::megolm::{GroupSession, InboundGroupSession, SessionConfig};
//!
//! let mut room = GroupSession::new(SessionConfig::version_1());
//! let mut theirs = InboundGroupSession::new(&room.session_key(), SessionConfig::version_1());
//!
//! let event = room.encrypt("to everybody");
//! let decrypted = theirs.decrypt(&event)?;
//! assert_eq!(decrypted.plaintext, b"to everybody");
//! assert_eq!(decrypted.message_index, 0);
//! # Ok::<(), vodozemac::megolm::DecryptionError>(())
//! ```

mod group_session;
mod inbound_group_session;
mod message;
mod results;
mod session_config;
mod session_keys;

pub use self::{
    group_session::{GroupSession, GroupSessionPickle},
    inbound_group_session::{InboundGroupSession, InboundGroupSessionPickle},
    message::MegolmMessage,
    results::{DecryptedMessage, DecryptionError, SessionKeyDecodeError, SessionOrdering},
    session_config::SessionConfig,
    session_keys::{ExportedSessionKey, SessionKey},
};
