//! A message of either type, as it is sent and stored.

use moceril::olm as core;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use super::{Message, PreKeyMessage};
use crate::{
    DecodeError, KeyError,
    base64_text::{base64_decode, base64_encode},
};

/// An Olm message of either type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OlmMessage {
    /// Type 1.
    Normal(Message),
    /// Type 0: until the initiator has received a reply.
    PreKey(PreKeyMessage),
}

/// The type of an Olm message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MessageType {
    /// A pre-key message.
    PreKey = 0,
    /// A normal message.
    Normal = 1,
}

impl OlmMessage {
    /// Parses a message of the given type: 0 or 1.
    ///
    /// # Errors
    ///
    /// [`DecodeError`].
    pub fn from_parts(message_type: usize, ciphertext: &[u8]) -> Result<Self, DecodeError> {
        match message_type {
            0 => PreKeyMessage::from_bytes(ciphertext).map(Self::PreKey),
            1 => Message::from_bytes(ciphertext).map(Self::Normal),
            other => Err(DecodeError::MessageType(other)),
        }
    }

    /// The ciphertext.
    pub fn message(&self) -> &[u8] {
        self.normal().ciphertext()
    }

    /// The type of the message.
    pub const fn message_type(&self) -> MessageType {
        match self {
            Self::Normal(_) => MessageType::Normal,
            Self::PreKey(_) => MessageType::PreKey,
        }
    }

    /// The type of the message, and the message as it travels.
    pub fn to_parts(&self) -> (usize, Vec<u8>) {
        let bytes = match self {
            Self::Normal(message) => message.to_bytes(),
            Self::PreKey(message) => message.to_bytes(),
        };
        (self.message_type().into(), bytes)
    }

    /// The message that carries the ciphertext: the one within a pre-key message, or itself.
    pub(crate) const fn normal(&self) -> &Message {
        match self {
            Self::Normal(message) => message,
            Self::PreKey(message) => message.message(),
        }
    }

    pub(crate) fn from_inner(inner: core::OlmMessage) -> Self {
        match inner {
            core::OlmMessage::Normal(message) => Self::Normal(Message::from_inner(message)),
            core::OlmMessage::PreKey(message) => Self::PreKey(PreKeyMessage::from_inner(&message)),
        }
    }

    pub(crate) fn to_inner(&self) -> Result<core::OlmMessage, KeyError> {
        Ok(match self {
            Self::Normal(message) => core::OlmMessage::Normal(message.inner().clone()),
            Self::PreKey(message) => core::OlmMessage::PreKey(message.to_inner()?),
        })
    }
}

impl From<Message> for OlmMessage {
    fn from(message: Message) -> Self {
        Self::Normal(message)
    }
}

impl From<PreKeyMessage> for OlmMessage {
    fn from(message: PreKeyMessage) -> Self {
        Self::PreKey(message)
    }
}

/// The ciphertext object of a Matrix event.
#[derive(Serialize, Deserialize)]
struct CiphertextObject {
    r#type: usize,
    body: String,
}

impl Serialize for OlmMessage {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (r#type, bytes) = self.to_parts();
        CiphertextObject { r#type, body: base64_encode(bytes) }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for OlmMessage {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let CiphertextObject { r#type, body } = CiphertextObject::deserialize(deserializer)?;
        let bytes = base64_decode(body).map_err(D::Error::custom)?;
        Self::from_parts(r#type, &bytes).map_err(D::Error::custom)
    }
}

impl TryFrom<usize> for MessageType {
    type Error = ();

    fn try_from(number: usize) -> Result<Self, Self::Error> {
        match number {
            0 => Ok(Self::PreKey),
            1 => Ok(Self::Normal),
            _ => Err(()),
        }
    }
}

impl From<MessageType> for usize {
    fn from(message_type: MessageType) -> Self {
        message_type as Self
    }
}
