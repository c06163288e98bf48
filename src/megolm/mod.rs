//! Megolm: one sender, many receivers.
//!
//! The sender has a [`GroupSession`] for a room and shares its [`SessionKey`] with each device over
//! Olm; each device makes an [`InboundGroupSession`] from it.
//!
//! ```
//! use moceril::megolm::{GroupSession, InboundGroupSession};
//!
//! // The present time, so that the session knows when it is due for rotation.
//! let now = std::time::SystemTime::UNIX_EPOCH.elapsed()?;
//! let mut room = GroupSession::new(now)?;
//! let mut theirs = InboundGroupSession::new(&room.session_key());
//!
//! let event = room.encrypt("to everybody")?;
//! let decrypted = theirs.decrypt(&event)?;
//! assert_eq!(decrypted.plaintext(), b"to everybody");
//! assert_eq!(decrypted.message_index(), 0);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Whoever has the session key can read everything from its index on. So a client starts a new
//! session after some number of messages, after some time ([`RotationPolicy`]), and whenever
//! somebody leaves. Megolm does not prevent a server from presenting a message twice;
//! [`ReplayGuard`] detects this.

mod batch;
mod decrypted;
#[cfg(feature = "hazmat")]
pub(crate) mod hazmat;
pub(crate) mod inbound;
mod merge;
pub(crate) mod outbound;
pub(crate) mod replay;
pub(crate) mod trust;
#[cfg(test)]
mod work;

pub use self::{
    decrypted::{DecryptedMessage, DecryptedMessageParts, DecryptionError},
    inbound::{ExportError, InboundGroupSession},
    merge::{MergeError, SessionOrdering},
    outbound::{
        CreationTimeError, EncryptionError, GroupSession, GroupSessionConfig, RotationPolicy,
    },
    replay::{ReplayError, ReplayGuard, ReplayVerdict},
    trust::{Provenance, ProvenanceError},
};
pub use crate::wire::megolm::{ExportedSessionKey, MegolmMessage, SessionKey, SessionKeyError};
