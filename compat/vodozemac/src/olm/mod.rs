//! Olm: encrypted sessions between two devices.
//!
//! ```
//! use vodozemac::olm::{Account, OlmMessage, SessionConfig};
//!
//! let alice = Account::new();
//! let mut bob = Account::new();
//! bob.generate_one_time_keys(1);
//! let one_time_key = *bob.one_time_keys().values().next().ok_or("no key")?;
//! bob.mark_keys_as_published();
//!
//! let config = SessionConfig::version_1();
//! let mut to_bob = alice.create_outbound_session(config, bob.curve25519_key(), one_time_key)?;
//! let OlmMessage::PreKey(message) = to_bob.encrypt("hello")? else { return Err("not a pre-key message".into()) };
//!
//! let mut inbound = bob.create_inbound_session(config, alice.curve25519_key(), &message)?;
//! assert_eq!(inbound.plaintext, b"hello");
//! let reply = inbound.session.encrypt("hello, Alice")?;
//! assert_eq!(to_bob.decrypt(&reply)?, b"hello, Alice");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod account;
mod messages;
pub(crate) mod session;
mod session_config;
mod session_keys;

pub use self::{
    account::{
        Account, AccountPickle, IdentityKeys, InboundCreationResult, OneTimeKeyGenerationResult,
        SessionCreationError,
    },
    messages::{Message, MessageType, OlmMessage, PreKeyMessage},
    session::{
        DecryptionError, EncryptionError, Session, SessionPickle, ratchet::RatchetPublicKey,
    },
    session_config::SessionConfig,
    session_keys::SessionKeys,
};
