//! The contents of the events `m.room.encrypted`, and the policy in `m.room.encryption`. Feature
//! `matrix`.
//!
//! ```
//! use moceril::events::{MegolmContent, OlmContent};
//! # use moceril::{megolm::{GroupSession, GroupSessionConfig}, olm::{Account, PreKeyBundle}};
//! # let alice = Account::new()?;
//! # let mut bob = Account::new()?;
//! # bob.generate_one_time_keys(1)?;
//! # let (_, one_time_key) = bob.signed_one_time_keys()[0];
//! # let bundle = PreKeyBundle::verify(bob.identity_keys(), &one_time_key)?;
//! # let mut session = alice.create_outbound_session(&bundle)?;
//! # let mut group_session = GroupSession::with_config(GroupSessionConfig::default())?;
//!
//! // To one device:
//! let message = session.encrypt(b"{}")?;
//! let content = OlmContent { sender_key: alice.curve25519_key(), message }.to_json(&bob.curve25519_key());
//! // and there:
//! let received = OlmContent::from_json(&content, &bob.curve25519_key())?;
//! # let pre_key = received.message.as_pre_key().ok_or("not a pre-key message")?;
//! # bob.create_inbound_session(received.sender_key, pre_key)?;
//!
//! // To a room:
//! let session_id = group_session.session_id();
//! let content = MegolmContent::new(&session_id, group_session.encrypt(b"{}")?).to_json();
//! // and there:
//! let received = MegolmContent::from_json(&content)?;
//! assert_eq!(received.session_id, session_id);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Spec: Matrix specification, "`m.room.encrypted`" and "Messaging algorithms".

use alloc::string::{String, ToString};
use core::time::Duration;

use serde_json::{Map, Value, json};

use crate::{
    error::{DecodeError, KeyError, texts},
    keys::Curve25519PublicKey,
    megolm::RotationPolicy,
    wire::{megolm::MegolmMessage, olm::OlmMessage},
};

const OLM: &str = "m.olm.v1.curve25519-aes-sha2";
const MEGOLM: &str = "m.megolm.v1.aes-sha2";

/// The content of an event that an Olm session has encrypted for one device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OlmContent {
    /// The Curve25519 key of the device that claims to have sent the event. Decryption proves the
    /// claim: first with the session, then with [`OlmPayload`](super::payload::OlmPayload) (S-16).
    pub sender_key: Curve25519PublicKey,
    /// The message.
    pub message: OlmMessage,
}

impl OlmContent {
    /// Reads the message to the device with the Curve25519 key `recipient`, which is us.
    ///
    /// # Errors
    ///
    /// [`EventError`]; also [`EventError::SenderKey`] if a pre-key message and the content name
    /// different senders, and [`EventError::NotForUs`] if there is no message to this device.
    pub fn from_json(content: &Value, recipient: &Curve25519PublicKey) -> Result<Self, EventError> {
        algorithm(content, OLM)?;
        let sender_key = Curve25519PublicKey::from_base64(text(content, "sender_key")?)?;
        let messages = content.get("ciphertext").and_then(Value::as_object);
        let messages = messages.ok_or(EventError::Malformed("ciphertext"))?;
        let message = messages.get(&recipient.to_base64()).ok_or(EventError::NotForUs)?;
        let message_type = message.get("type").and_then(Value::as_u64);
        let message_type = message_type.and_then(|number| usize::try_from(number).ok());
        let message_type = message_type.ok_or(EventError::Malformed("type"))?;
        let message = OlmMessage::from_parts(message_type, text(message, "body")?)?;
        if message.as_pre_key().is_some_and(|pre_key| pre_key.identity_key() != sender_key) {
            return Err(EventError::SenderKey);
        }
        Ok(Self { sender_key, message })
    }

    /// The content for the device with the Curve25519 key `recipient`.
    #[must_use]
    pub fn to_json(&self, recipient: &Curve25519PublicKey) -> Value {
        let (message_type, body) = self.message.to_parts();
        json!({
            "algorithm": OLM,
            "sender_key": self.sender_key.to_base64(),
            "ciphertext": { recipient.to_base64(): { "type": message_type, "body": body } },
        })
    }
}

/// The content of an event that a Megolm session has encrypted for a room.
///
/// The members `sender_key` and `device_id` are deprecated: the sender's device is known from the
/// session. A client that writes them for older clients puts them in `other`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MegolmContent {
    /// The id of the session, according to the event. The message decrypts only with the right
    /// session.
    pub session_id: String,
    /// The message.
    pub message: MegolmMessage,
    /// Other members, which are not encrypted, such as `m.relates_to`.
    pub other: Map<String, Value>,
}

impl MegolmContent {
    /// The content for a message, without other members.
    #[must_use]
    pub fn new(session_id: &str, message: MegolmMessage) -> Self {
        Self { session_id: session_id.to_string(), message, other: Map::new() }
    }

    /// Reads the content.
    ///
    /// # Errors
    ///
    /// [`EventError`].
    pub fn from_json(content: &Value) -> Result<Self, EventError> {
        algorithm(content, MEGOLM)?;
        let message = MegolmMessage::from_base64(text(content, "ciphertext")?)?;
        let session_id = text(content, "session_id")?.to_string();
        let members = content.as_object().into_iter().flatten();
        let other = members.filter(|(name, _)| !FIELDS.contains(&name.as_str()));
        let other = other.map(|(name, value)| (name.clone(), value.clone())).collect();
        Ok(Self { session_id, message, other })
    }

    /// The content.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut members = self.other.clone();
        let [algorithm, session_id, ciphertext] = FIELDS.map(String::from);
        members.insert(algorithm, json!(MEGOLM));
        members.insert(session_id, json!(self.session_id));
        members.insert(ciphertext, json!(self.message.to_base64()));
        Value::Object(members)
    }
}

impl RotationPolicy {
    /// What the content of a room's `m.room.encryption` asks for: `rotation_period_msgs` messages
    /// and `rotation_period_ms` milliseconds.
    ///
    /// A member that is missing, or is no whole number that fits, counts as the default: 100
    /// messages, one week. Whoever may change the room's state chooses the numbers, also large
    /// ones. A client that lets a room ask for more frequent changes only takes the smaller of each
    /// number and the default.
    ///
    /// ```
    /// use core::time::Duration;
    ///
    /// use moceril::megolm::RotationPolicy;
    ///
    /// let content = serde_json::json!({
    ///     "algorithm": "m.megolm.v1.aes-sha2",
    ///     "rotation_period_ms": 3_600_000,
    /// });
    /// let policy = RotationPolicy::from_json(&content);
    /// assert_eq!(policy, RotationPolicy::new(100, Duration::from_secs(3_600)));
    /// ```
    #[must_use]
    pub fn from_json(content: &Value) -> Self {
        let number = |name| content.get(name).and_then(Value::as_u64);
        let default = Self::default();
        let messages = number("rotation_period_msgs").and_then(|number| number.try_into().ok());
        let age = number("rotation_period_ms").map(Duration::from_millis);
        Self::new(messages.unwrap_or(default.messages), age.unwrap_or(default.age))
    }
}

/// The members that are fields of [`MegolmContent`], and the algorithm.
const FIELDS: [&str; 3] = ["algorithm", "session_id", "ciphertext"];

fn algorithm(content: &Value, expected: &str) -> Result<(), EventError> {
    if text(content, "algorithm")? == expected { Ok(()) } else { Err(EventError::Algorithm) }
}

fn text<'a>(object: &'a Value, name: &'static str) -> Result<&'a str, EventError> {
    object.get(name).and_then(Value::as_str).ok_or(EventError::Malformed(name))
}

/// The content of an encrypted event cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EventError {
    /// This member is missing or malformed.
    Malformed(&'static str),
    /// The event has another algorithm.
    Algorithm,
    /// The event has no message to this device.
    NotForUs,
    /// The sender's key is invalid.
    Key(KeyError),
    /// The message does not decode.
    Message(DecodeError),
    /// The sender's key in the event is not that in its message.
    SenderKey,
}

texts!(EventError {
    Self::Malformed(name) => "the member {name} of an encrypted event is missing or malformed";
    Self::Algorithm => "the encrypted event has another algorithm";
    Self::NotForUs => "the encrypted event has no message to this device";
    Self::Key(_) => "the encrypted event holds a bad key";
    Self::Message(_) => "the encrypted event holds a bad message";
    Self::SenderKey => "the encrypted event and its message name different senders";
} caused by Key, Message);

impl From<KeyError> for EventError {
    fn from(error: KeyError) -> Self {
        Self::Key(error)
    }
}

impl From<DecodeError> for EventError {
    fn from(error: DecodeError) -> Self {
        Self::Message(error)
    }
}
