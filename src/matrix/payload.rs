//! The plaintexts of Matrix's Olm events, which say who sends what to whom (S-16), and those of
//! room events. Feature `payload`.
//!
//! Olm authenticates keys, not people. If Mallory claims Bob's keys as hers, she can forward a
//! message to Bob that Alice meant for her. So each plaintext names both users and both Ed25519
//! keys, and the recipient compares all of them. The sender may add its [device keys](DeviceKeys),
//! which are verified and compared with the rest.
//!
//! Spec: Matrix specification, "`m.olm.v1.curve25519-aes-sha2`" and "Validation of incoming
//! decrypted events".
//!
//! ```
//! use moceril::payload::{Device, OlmPayload};
//! # use moceril::olm::{Account, PreKeyBundle};
//! # let alice_account = Account::new()?;
//! # let mut bob_account = Account::new()?;
//! # bob_account.generate_one_time_keys(1)?;
//! # let (_, one_time_key) = bob_account.signed_one_time_keys()[0];
//! # let bundle = PreKeyBundle::verify(bob_account.identity_keys(), &one_time_key)?;
//! # let mut session = alice_account.create_outbound_session(&bundle)?;
//!
//! let alice = Device { user_id: "@alice:example.org", keys: alice_account.identity_keys() };
//! let bob = Device { user_id: "@bob:example.org", keys: bob_account.identity_keys() };
//!
//! let payload = OlmPayload::encode("m.dummy", "{}", &alice, &bob)?;
//! let message = session.encrypt(payload.as_bytes())?;
//!
//! # let pre_key = message.as_pre_key().ok_or("not a pre-key message")?;
//! # let decrypted = bob_account.create_inbound_session(alice.keys.curve25519, pre_key)?.message;
//! // On Bob's side, where `alice` comes from her signed device keys:
//! let payload = OlmPayload::verify(&decrypted, &alice, &bob)?;
//! assert_eq!(payload.event_type, "m.dummy");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use alloc::{
    borrow::Cow,
    string::{String, ToString},
};

use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};

use super::{
    device_keys::DeviceKeys,
    signed_json::{self, SignedJsonError},
};
use crate::{
    error::texts,
    keys::{Ed25519PublicKey, IdentityKeys},
    megolm,
    olm::decrypted::DecryptedMessage,
    primitives::secret::SecretString,
    wire::json,
};

/// One end of an Olm session, according to device keys that the caller has verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Device<'a> {
    /// The Matrix user id.
    pub user_id: &'a str,
    /// The device's identity keys.
    pub keys: IdentityKeys,
}

/// The verified content of an Olm event.
#[derive(Clone)]
#[non_exhaustive]
pub struct OlmPayload {
    /// The type of the event.
    pub event_type: String,
    /// The content of the event: a JSON object, as text. It may hold a room key.
    pub content: SecretString,
    /// The device keys of the sender, if the event has them: signed by the device, and with the
    /// user and both keys that were compared with the rest.
    pub sender_device_keys: Option<DeviceKeys>,
}

impl core::fmt::Debug for OlmPayload {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("OlmPayload").field("event_type", &self.event_type).finish_non_exhaustive()
    }
}

/// The members that are checked. Others are ignored.
#[derive(Serialize, Deserialize)]
struct Members<'a> {
    #[serde(borrow, rename = "type")]
    event_type: Option<Cow<'a, str>>,
    #[serde(borrow)]
    content: Option<&'a RawValue>,
    #[serde(borrow)]
    sender: Option<Cow<'a, str>>,
    #[serde(borrow)]
    recipient: Option<Cow<'a, str>>,
    #[serde(borrow)]
    recipient_keys: Option<Keys<'a>>,
    #[serde(borrow)]
    keys: Option<Keys<'a>>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    sender_device_keys: Option<&'a RawValue>,
}

#[derive(Serialize, Deserialize)]
struct Keys<'a> {
    #[serde(borrow)]
    ed25519: Option<Cow<'a, str>>,
}

impl Keys<'_> {
    fn of(key: &Ed25519PublicKey) -> Self {
        Self { ed25519: Some(Cow::Owned(key.to_base64())) }
    }

    /// Compared as keys: the text may be padded.
    fn is(&self, key: &Ed25519PublicKey) -> Result<bool, PayloadError> {
        let text = self.ed25519.as_ref().ok_or(PayloadError::MissingMember("ed25519"))?;
        Ok(Ed25519PublicKey::from_base64(text).is_ok_and(|found| found == *key))
    }
}

impl OlmPayload {
    /// The plaintext of an event from `sender` to `recipient`. `content` is a JSON object.
    ///
    /// # Errors
    ///
    /// [`PayloadError::Malformed`] if `content` is not a JSON object.
    pub fn encode(
        event_type: &str,
        content: &str,
        sender: &Device<'_>,
        recipient: &Device<'_>,
    ) -> Result<SecretString, PayloadError> {
        encode(event_type, content, sender, recipient, None)
    }

    /// Like `encode`, with the device keys of the sender as the member `sender_device_keys`: the
    /// recipient need not ask a server for them.
    ///
    /// # Errors
    ///
    /// [`PayloadError::Malformed`] if `content` is not a JSON object.
    pub fn encode_with_device_keys(
        event_type: &str,
        content: &str,
        sender: &DeviceKeys,
        recipient: &Device<'_>,
    ) -> Result<SecretString, PayloadError> {
        let object = to_raw_value(sender.object()).map_err(|_| PayloadError::Malformed)?;
        encode(event_type, content, &sender.device(), recipient, Some(&object))
    }

    /// Checks that a decrypted message came through a session with `sender`, who claims to be the
    /// sender, and that it was meant for `recipient`, which is us. If there are device keys in it,
    /// they must be the sender's, too.
    ///
    /// # Errors
    ///
    /// [`PayloadError`]. The message must then be dropped.
    pub fn verify(
        message: &DecryptedMessage,
        sender: &Device<'_>,
        recipient: &Device<'_>,
    ) -> Result<Self, PayloadError> {
        let sender_key = message.sender_key().ok_or(PayloadError::SenderKeyUnknown)?;
        if sender_key != sender.keys.curve25519 {
            return Err(PayloadError::SenderKeyMismatch);
        }
        let members: Members<'_> = read(message.plaintext())?;
        if required(members.sender, "sender")? != sender.user_id {
            return Err(PayloadError::SenderMismatch);
        }
        if required(members.recipient, "recipient")? != recipient.user_id {
            return Err(PayloadError::RecipientMismatch);
        }
        if !required(members.recipient_keys, "recipient_keys")?.is(&recipient.keys.ed25519)? {
            return Err(PayloadError::RecipientKeyMismatch);
        }
        if !required(members.keys, "keys")?.is(&sender.keys.ed25519)? {
            return Err(PayloadError::SenderKeyMismatch);
        }
        let event_type = required(members.event_type, "type")?.into_owned();
        let content = object(required(members.content, "content")?.get())?;
        let content = SecretString::new(content.get().to_string());
        let sender_device_keys = members.sender_device_keys;
        let sender_device_keys = sender_device_keys.map(|json| device_keys(json, sender));
        let sender_device_keys =
            sender_device_keys.transpose().map_err(PayloadError::SenderDeviceKeys)?;
        Ok(Self { event_type, content, sender_device_keys })
    }
}

fn encode(
    event_type: &str,
    content: &str,
    sender: &Device<'_>,
    recipient: &Device<'_>,
    sender_device_keys: Option<&RawValue>,
) -> Result<SecretString, PayloadError> {
    written(&Members {
        event_type: Some(event_type.into()),
        content: Some(object(content)?),
        sender: Some(sender.user_id.into()),
        recipient: Some(recipient.user_id.into()),
        recipient_keys: Some(Keys::of(&recipient.keys.ed25519)),
        keys: Some(Keys::of(&sender.keys.ed25519)),
        sender_device_keys,
    })
}

/// The device keys that came with the event. They must be the sender's: signed by the device, with
/// the key of the session and the key that the event names.
fn device_keys(json: &RawValue, sender: &Device<'_>) -> Result<DeviceKeys, SignedJsonError> {
    let object = serde_json::from_str(json.get());
    let object = object.map_err(|_| SignedJsonError::Malformed("sender_device_keys"))?;
    let device_id = signed_json::text(&object, "device_id")?.to_string();
    let found = DeviceKeys::verify(object, sender.user_id, &device_id)?;
    if found.identity_keys() == sender.keys {
        Ok(found)
    } else {
        Err(SignedJsonError::Mismatch("keys"))
    }
}

/// The content of a room event, after the check that it was encrypted for this room. One session
/// key could be used in several rooms.
///
/// ```
/// use moceril::{megolm::{GroupSession, InboundGroupSession}, payload::RoomPayload};
/// # let mut session = GroupSession::with_config(Default::default())?;
/// # let mut inbound = InboundGroupSession::new(&session.session_key());
///
/// let content = r#"{"body":"hello"}"#;
/// let payload = RoomPayload::encode("m.room.message", content, "!room:example.org")?;
/// let message = session.encrypt(payload.as_bytes())?;
///
/// let decrypted = inbound.decrypt(&message)?;
/// let payload = RoomPayload::verify(&decrypted, "!room:example.org")?;
/// assert_eq!(payload.event_type, "m.room.message");
/// assert!(RoomPayload::verify(&decrypted, "!another:example.org").is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub struct RoomPayload {
    /// The type of the event.
    pub event_type: String,
    /// The content of the event: a JSON object, as text.
    pub content: SecretString,
}

impl core::fmt::Debug for RoomPayload {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("RoomPayload").field("event_type", &self.event_type).finish_non_exhaustive()
    }
}

#[derive(Serialize, Deserialize)]
struct RoomMembers<'a> {
    #[serde(borrow, rename = "type")]
    event_type: Option<Cow<'a, str>>,
    #[serde(borrow)]
    content: Option<&'a RawValue>,
    #[serde(borrow)]
    room_id: Option<Cow<'a, str>>,
}

impl RoomPayload {
    /// The plaintext of an event in a room. `content` is a JSON object.
    ///
    /// # Errors
    ///
    /// [`PayloadError::Malformed`] if `content` is not a JSON object.
    pub fn encode(
        event_type: &str,
        content: &str,
        room_id: &str,
    ) -> Result<SecretString, PayloadError> {
        written(&RoomMembers {
            event_type: Some(event_type.into()),
            content: Some(object(content)?),
            room_id: Some(room_id.into()),
        })
    }

    /// Checks that a decrypted event was written for the room in which it was found: a server could
    /// move it to another. Spec: Matrix specification, "`m.megolm.v1.aes-sha2`".
    ///
    /// This text does not name the sender. The sender is the user from whose device the session key
    /// came.
    ///
    /// # Errors
    ///
    /// [`PayloadError::RoomMismatch`]; [`PayloadError::MissingMember`];
    /// [`PayloadError::Malformed`]. The event must then be dropped.
    pub fn verify(message: &megolm::DecryptedMessage, room_id: &str) -> Result<Self, PayloadError> {
        let members: RoomMembers<'_> = read(message.plaintext())?;
        if required(members.room_id, "room_id")? != room_id {
            return Err(PayloadError::RoomMismatch);
        }
        let event_type = required(members.event_type, "type")?.into_owned();
        let content = object(required(members.content, "content")?.get())?;
        Ok(Self { event_type, content: SecretString::new(content.get().to_string()) })
    }
}

/// The members of a plaintext. All of them must be text, because another program may read the ones
/// that are ignored here.
fn read<'a, T: Deserialize<'a>>(plaintext: &'a [u8]) -> Result<T, PayloadError> {
    let text = core::str::from_utf8(plaintext).map_err(|_| PayloadError::Malformed)?;
    serde_json::from_str(text).map_err(|_| PayloadError::Malformed)
}

fn written(members: &impl Serialize) -> Result<SecretString, PayloadError> {
    let mut json = json::to_vec(members).ok_or(PayloadError::Malformed)?;
    let text = String::from_utf8(core::mem::take(&mut *json));
    text.map(SecretString::new).map_err(|_| PayloadError::Malformed)
}

fn required<T>(member: Option<T>, name: &'static str) -> Result<T, PayloadError> {
    member.ok_or(PayloadError::MissingMember(name))
}

fn object(json: &str) -> Result<&RawValue, PayloadError> {
    let value: &RawValue = serde_json::from_str(json).map_err(|_| PayloadError::Malformed)?;
    if value.get().starts_with('{') { Ok(value) } else { Err(PayloadError::Malformed) }
}

/// The plaintext of an Olm event does not name the right people and keys (S-16).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PayloadError {
    /// Not a JSON object of the right form.
    Malformed,
    /// This member is missing.
    MissingMember(&'static str),
    /// The event says that it is from somebody else.
    SenderMismatch,
    /// The session or the event's `keys` are not those of the sender's device.
    SenderKeyMismatch,
    /// The session does not know its peer, because it was read from a format without the peer's key
    /// (S-41). The message is authentic, but nothing shows who sent it: give the key to the session
    /// with [`set_identity_keys`](crate::olm::Session::set_identity_keys) **before** it decrypts.
    SenderKeyUnknown,
    /// The event was meant for another user.
    RecipientMismatch,
    /// The event was meant for another device.
    RecipientKeyMismatch,
    /// The event's `sender_device_keys` are not signed by their device, or are not those of the
    /// sender.
    SenderDeviceKeys(SignedJsonError),
    /// The event was written for another room.
    RoomMismatch,
}

texts!(PayloadError {
    Self::Malformed => "the event is not a JSON object of the right form";
    Self::MissingMember(name) => "the event lacks {name}";
    Self::SenderMismatch => "the event is from somebody else";
    Self::SenderKeyMismatch => "the event does not have the keys of the sender's device";
    Self::SenderKeyUnknown => "the session was read from a format without the peer's identity key";
    Self::RecipientMismatch => "the event was meant for another user";
    Self::RecipientKeyMismatch => "the event was meant for another device";
    Self::SenderDeviceKeys(_) => "the device keys in the event are not the sender's";
    Self::RoomMismatch => "the event was written for another room";
} caused by SenderDeviceKeys);
