//! Olm messages. Spec: olm.md, "Normal Messages" and "Pre-Key Messages".

use alloc::{boxed::Box, string::String, vec::Vec};
use core::{fmt, ops::Range};

use super::{
    MessageVersion,
    fields::{
        Fields, KEY_FIELD_LENGTH, Value, Writer, index, required, set, string_length, varint_length,
    },
};
use crate::{
    error::{DecodeError, KeyError},
    keys::Curve25519PublicKey,
    primitives::{
        base64,
        cbc_hmac::{Sealed, ciphertext_length},
        kdf::sha256,
    },
};

/// The three public keys that define an Olm session; both ends have the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionKeys {
    /// The initiator's identity key, `I_A`.
    pub identity_key: Curve25519PublicKey,
    /// The initiator's single-use key, `E_A`.
    pub base_key: Curve25519PublicKey,
    /// The recipient's one-time or fallback key, `E_B`.
    pub one_time_key: Curve25519PublicKey,
}

impl SessionKeys {
    /// The session's id, the same at both ends: base64 of the SHA-256 of the three keys (43
    /// characters). Each call hashes and allocates.
    #[must_use]
    pub fn session_id(&self) -> String {
        let keys = [&self.identity_key, &self.base_key, &self.one_time_key];
        session_id(keys.map(Curve25519PublicKey::as_bytes))
    }
}

pub(super) fn session_id(keys: [&[u8; 32]; 3]) -> String {
    base64::encode(&sha256(&keys.map(<[u8; 32]>::as_slice)))
}

/// A normal Olm message (type 1): ratchet key, chain index, ciphertext and MAC.
///
/// It keeps the bytes that it was parsed from, and the MAC is checked over these bytes (S-06).
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Message(Box<MessageParts>);

/// These are in a heap block of their own, as the parts of a pre-key message are, so that both
/// variants of [`OlmMessage`] have the same size. Otherwise, moving the smaller variant would copy
/// unused bytes, with any secrets that were in that memory before (S-25).
#[derive(Clone, PartialEq, Eq, Hash)]
struct MessageParts {
    bytes: Vec<u8>,
    version: MessageVersion,
    ratchet_key: Curve25519PublicKey,
    chain_index: u32,
    ciphertext: Range<usize>,
}

// The numbers of the fields. olm.md has no field 3.
const RATCHET_KEY: u64 = 1;
const CHAIN_INDEX: u64 = 2;
const CIPHERTEXT: u64 = 4;

impl Message {
    /// Parses a message.
    ///
    /// # Errors
    ///
    /// [`DecodeError`], which names the layer that refused the bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
        Self::decode(bytes.to_vec())
    }

    /// Parses a message from base64 with or without padding.
    ///
    /// # Errors
    ///
    /// [`DecodeError`], which names the layer that refused the text.
    pub fn from_base64(text: &str) -> Result<Self, DecodeError> {
        Self::decode(base64::decode(text)?)
    }

    fn decode(bytes: Vec<u8>) -> Result<Self, DecodeError> {
        let version = MessageVersion::of_message(&bytes)?;
        let end = bytes.len().checked_sub(version.mac_length()).ok_or(DecodeError::Format)?;
        let (mut ratchet_key, mut chain_index, mut ciphertext) = (None, None, None);
        let mut fields = Fields::new(&bytes, end);
        while let Some(field) = fields.next()? {
            match field {
                (RATCHET_KEY, Value::String(place)) => set(&mut ratchet_key, place)?,
                (CHAIN_INDEX, Value::Integer(value)) => set(&mut chain_index, index(value)?)?,
                (CIPHERTEXT, Value::String(place)) => set(&mut ciphertext, place)?,
                (RATCHET_KEY | CHAIN_INDEX | CIPHERTEXT, _) => return Err(DecodeError::Format),
                _ => {}
            }
        }
        let ratchet_key = key_field(&bytes, ratchet_key)?;
        let (chain_index, ciphertext) = (required(chain_index)?, required(ciphertext)?);
        Ok(Self(Box::new(MessageParts { version, ratchet_key, chain_index, ciphertext, bytes })))
    }

    /// Length in bytes of a message with a plaintext of this length.
    pub(crate) const fn encoded_length(
        version: MessageVersion,
        chain_index: u32,
        plaintext_length: usize,
    ) -> usize {
        let header = 1 + KEY_FIELD_LENGTH + 1;
        string_length(ciphertext_length(plaintext_length))
            .saturating_add(header)
            .saturating_add(varint_length(chain_index as u64))
            .saturating_add(version.mac_length())
    }

    /// Writes the header; `seal` then appends the ciphertext and the MAC.
    pub(crate) fn encode(
        version: MessageVersion,
        ratchet_key: Curve25519PublicKey,
        chain_index: u32,
        plaintext_length: usize,
        seal: impl FnOnce(Vec<u8>) -> Vec<u8>,
    ) -> Self {
        let length = ciphertext_length(plaintext_length);
        let encoded_length = Self::encoded_length(version, chain_index, plaintext_length);
        let mut header = Writer::new(version.byte(), encoded_length);
        header.string(RATCHET_KEY, ratchet_key.as_bytes());
        header.integer(CHAIN_INDEX, chain_index.into());
        header.string_header(CIPHERTEXT, length);
        let header = header.into_bytes();
        let start = header.len();
        let bytes = seal(header);
        let ciphertext = start..start.saturating_add(length);
        Self(Box::new(MessageParts { bytes, version, ratchet_key, chain_index, ciphertext }))
    }

    /// The version of this message.
    #[must_use]
    pub fn version(&self) -> MessageVersion {
        self.0.version
    }

    /// The sender's ratchet key, `T_i`.
    #[must_use]
    pub fn ratchet_key(&self) -> Curve25519PublicKey {
        self.0.ratchet_key
    }

    /// The index of this message in its chain, `j`.
    #[must_use]
    pub fn chain_index(&self) -> u32 {
        self.0.chain_index
    }

    /// The content of the ciphertext field.
    #[must_use]
    pub fn ciphertext(&self) -> &[u8] {
        self.0.bytes.get(self.0.ciphertext.clone()).unwrap_or_default()
    }

    pub(crate) fn sealed(&self) -> Sealed<'_> {
        let mac_start = self.0.bytes.len().saturating_sub(self.0.version.mac_length());
        let (authenticated, mac) = self.0.bytes.split_at_checked(mac_start).unwrap_or_default();
        Sealed { authenticated, ciphertext: self.ciphertext(), mac }
    }

    /// The bytes of the message.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0.bytes
    }

    /// The message in unpadded base64.
    #[must_use]
    pub fn to_base64(&self) -> String {
        base64::encode(&self.0.bytes)
    }
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message")
            .field("version", &self.0.version)
            .field("ratchet_key", &self.0.ratchet_key)
            .field("chain_index", &self.0.chain_index)
            .finish_non_exhaustive()
    }
}

/// An Olm pre-key message (type 0): the keys that make a session, and the session's first message.
///
/// No MAC covers the fields around the inner message: another order of them, or an unknown one
/// more, is another text of the same message (S-06). `==` compares the bytes. To know whether two
/// are one message, compare [`session_keys`](Self::session_keys) and [`message`](Self::message).
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct PreKeyMessage(Box<PreKeyParts>);

#[derive(Clone, PartialEq, Eq, Hash)]
struct PreKeyParts {
    bytes: Vec<u8>,
    session_keys: SessionKeys,
    message: Message,
}

/// The version byte of every pre-key message; the inner message has the session's version.
const PRE_KEY_VERSION: u8 = 3;
// The numbers of the fields.
const ONE_TIME_KEY: u64 = 1;
const BASE_KEY: u64 = 2;
const IDENTITY_KEY: u64 = 3;
const MESSAGE: u64 = 4;

impl PreKeyMessage {
    /// Parses a message, including its inner message.
    ///
    /// # Errors
    ///
    /// [`DecodeError`], which names the layer that refused the bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
        Self::decode(bytes.to_vec())
    }

    /// Parses a message from base64 with or without padding.
    ///
    /// # Errors
    ///
    /// [`DecodeError`], which names the layer that refused the text.
    pub fn from_base64(text: &str) -> Result<Self, DecodeError> {
        Self::decode(base64::decode(text)?)
    }

    fn decode(bytes: Vec<u8>) -> Result<Self, DecodeError> {
        match *bytes.first().ok_or(DecodeError::Format)? {
            PRE_KEY_VERSION => {}
            found => return Err(DecodeError::Version(found)),
        }
        let (mut one_time_key, mut base_key, mut identity_key, mut message) =
            (None, None, None, None);
        let mut fields = Fields::new(&bytes, bytes.len());
        while let Some(field) = fields.next()? {
            match field {
                (ONE_TIME_KEY, Value::String(place)) => set(&mut one_time_key, place)?,
                (BASE_KEY, Value::String(place)) => set(&mut base_key, place)?,
                (IDENTITY_KEY, Value::String(place)) => set(&mut identity_key, place)?,
                (MESSAGE, Value::String(place)) => set(&mut message, place)?,
                (ONE_TIME_KEY | BASE_KEY | IDENTITY_KEY | MESSAGE, _) => {
                    return Err(DecodeError::Format);
                }
                _ => {}
            }
        }
        let session_keys = SessionKeys {
            identity_key: key_field(&bytes, identity_key)?,
            base_key: key_field(&bytes, base_key)?,
            one_time_key: key_field(&bytes, one_time_key)?,
        };
        let message = Message::from_bytes(required(bytes.get(required(message)?))?)?;
        Ok(Self(Box::new(PreKeyParts { session_keys, message, bytes })))
    }

    /// Length in bytes of a pre-key message whose inner message has `inner_length` bytes.
    pub(crate) const fn encoded_length(inner_length: usize) -> usize {
        string_length(inner_length).saturating_add(1 + 3 * KEY_FIELD_LENGTH)
    }

    pub(crate) fn wrap(session_keys: SessionKeys, message: Message) -> Self {
        let SessionKeys { identity_key, base_key, one_time_key } = &session_keys;
        let keys = [one_time_key, base_key, identity_key].map(Curve25519PublicKey::as_bytes);
        let bytes = put_session_keys(keys, &message);
        Self(Box::new(PreKeyParts { bytes, session_keys, message }))
    }

    /// The keys of the session that this message belongs to.
    #[must_use]
    pub fn session_keys(&self) -> &SessionKeys {
        &self.0.session_keys
    }

    /// The id of the session that this message belongs to. Each call hashes and allocates.
    #[must_use]
    pub fn session_id(&self) -> String {
        self.0.session_keys.session_id()
    }

    /// The sender's identity key, `I_A`. Not authenticated before the message decrypts.
    #[must_use]
    pub fn identity_key(&self) -> Curve25519PublicKey {
        self.0.session_keys.identity_key
    }

    /// The inner message.
    #[must_use]
    pub fn message(&self) -> &Message {
        &self.0.message
    }

    /// The bytes of the message.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0.bytes
    }

    /// The message in unpadded base64.
    #[must_use]
    pub fn to_base64(&self) -> String {
        base64::encode(&self.0.bytes)
    }
}

/// The bytes of a pre-key message; its keys in the order of their fields.
pub(super) fn put_session_keys(
    [one_time_key, base_key, identity_key]: [&[u8; 32]; 3],
    message: &Message,
) -> Vec<u8> {
    let inner = message.as_bytes();
    let length = PreKeyMessage::encoded_length(inner.len());
    let mut writer = Writer::new(PRE_KEY_VERSION, length);
    writer.string(ONE_TIME_KEY, one_time_key);
    writer.string(BASE_KEY, base_key);
    writer.string(IDENTITY_KEY, identity_key);
    writer.string(MESSAGE, inner);
    writer.into_bytes()
}

impl fmt::Debug for PreKeyMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PreKeyMessage")
            .field("session_keys", &self.0.session_keys)
            .field("message", &self.0.message)
            .finish_non_exhaustive()
    }
}

/// An Olm message of either type.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum OlmMessage {
    /// Type 0, which the initiator sends until it has received a reply.
    PreKey(PreKeyMessage),
    /// Type 1, for all other messages.
    Normal(Message),
}

impl OlmMessage {
    /// Parses the `type` and `body` of a Matrix event's ciphertext object.
    ///
    /// # Errors
    ///
    /// [`DecodeError::MessageType`] for a type other than 0 and 1; otherwise the error of the
    /// parser.
    pub fn from_parts(message_type: usize, body: &str) -> Result<Self, DecodeError> {
        match message_type {
            0 => PreKeyMessage::from_base64(body).map(Self::PreKey),
            1 => Message::from_base64(body).map(Self::Normal),
            other => Err(DecodeError::MessageType(other)),
        }
    }

    /// Like [`from_parts`](Self::from_parts), from bytes.
    ///
    /// # Errors
    ///
    /// [`DecodeError::MessageType`] for a type other than 0 and 1; otherwise the error of the
    /// parser.
    pub fn from_bytes(message_type: usize, bytes: &[u8]) -> Result<Self, DecodeError> {
        match message_type {
            0 => PreKeyMessage::from_bytes(bytes).map(Self::PreKey),
            1 => Message::from_bytes(bytes).map(Self::Normal),
            other => Err(DecodeError::MessageType(other)),
        }
    }

    /// The `type` and `body` of a Matrix event's ciphertext object.
    #[must_use]
    pub fn to_parts(&self) -> (usize, String) {
        (self.message_type(), self.to_base64())
    }

    /// 0 for a pre-key message, 1 for a normal one.
    #[must_use]
    pub const fn message_type(&self) -> usize {
        match self {
            Self::PreKey(_) => 0,
            Self::Normal(_) => 1,
        }
    }

    /// The pre-key message, if it is one, for `Account::create_inbound_session`.
    #[must_use]
    pub const fn as_pre_key(&self) -> Option<&PreKeyMessage> {
        match self {
            Self::PreKey(message) => Some(message),
            Self::Normal(_) => None,
        }
    }

    /// The bytes of the message.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Self::PreKey(message) => message.as_bytes(),
            Self::Normal(message) => message.as_bytes(),
        }
    }

    /// The message in unpadded base64, which is the `body` of a Matrix event's ciphertext object.
    #[must_use]
    pub fn to_base64(&self) -> String {
        base64::encode(self.as_bytes())
    }

    /// The message with the ciphertext: the inner message of a pre-key message, or the message
    /// itself.
    pub(crate) fn inner(&self) -> &Message {
        match self {
            Self::PreKey(message) => message.message(),
            Self::Normal(message) => message,
        }
    }
}

/// The key in a mandatory field of exactly 32 bytes.
fn key_field(
    bytes: &[u8],
    place: Option<Range<usize>>,
) -> Result<Curve25519PublicKey, DecodeError> {
    let field = required(bytes.get(required(place)?))?;
    Curve25519PublicKey::from_slice(field).map_err(|error| match error {
        KeyError::Length(_) => DecodeError::Format,
        error => DecodeError::Key(error),
    })
}
