//! Olm: encrypted sessions between two devices.
//!
//! An [`Account`] is a device's identity and its stock of one-time keys. It makes an outbound
//! [`Session`] from a verified [`PreKeyBundle`] of another device, and an inbound session from the
//! other device's first message.
//!
//! ```
//! use moceril::olm::{Account, PreKeyBundle};
//!
//! let alice = Account::new()?;
//! let mut bob = Account::new()?;
//! bob.generate_one_time_keys(1)?;
//! // Bob publishes his identity keys and signed one-time keys; Alice fetches and verifies them.
//! let (_, one_time_key) = bob.signed_one_time_keys().remove(0);
//! let bundle = PreKeyBundle::verify(bob.identity_keys(), &one_time_key)?;
//!
//! let mut to_bob = alice.create_outbound_session(&bundle)?;
//! let message = to_bob.encrypt("hello")?;
//!
//! let pre_key = message.as_pre_key().ok_or("not a pre-key message")?;
//! let mut inbound = bob.create_inbound_session(alice.curve25519_key(), pre_key)?;
//! assert_eq!(inbound.message.plaintext(), b"hello");
//!
//! let reply = inbound.session.encrypt("hello, Alice")?;
//! assert_eq!(to_bob.decrypt(&reply)?.plaintext(), b"hello, Alice");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Store an account or session after each call that changes it, and **before** you send anything
//! that the call produced. If you restore an older copy, the session uses a message key twice.

pub(crate) mod account;
pub(crate) mod bundle;
pub(crate) mod decrypted;
pub(crate) mod establish;
pub(crate) mod fallback;
#[cfg(feature = "hazmat")]
pub(crate) mod hazmat;
pub(crate) mod one_time_keys;
pub(crate) mod session;
#[cfg(test)]
mod work;

pub use self::{
    account::Account,
    bundle::{BundleError, PreKeyBundle, SignedOneTimeKey},
    decrypted::{DecryptedMessage, DecryptedMessageParts},
    establish::InboundCreation,
    one_time_keys::{FallbackKeyGeneration, KeyGenerationError, OneTimeKeyGeneration},
    session::{Session, SessionConfig},
};
pub use crate::{
    error::{DecryptionError, EncryptionError, IdentityKeysError, SessionCreationError},
    keys::{IdentityKeys, KeyId},
    ratchet::limits::Limits,
    wire::olm::{Message, OlmMessage, PreKeyMessage, SessionKeys},
};
