//! Room keys as JSON: files of exported keys, backups, and the events in which keys are sent.
//! Feature `matrix`.
//!
//! | type | where |
//! |---|---|
//! | [`RoomKey`] | the content of an event `m.room_key`, with a key in the sharing format |
//! | [`RoomKeyBundle`] | a file for a user who joins a room, to which an event `m.room_key_bundle` refers: with keys in the export format |
//! | [`ExportedRoomKey`] | an entry of a file of exported keys, the `session_data` of a backup, the content of an event `m.forwarded_room_key`: all with a key in the export format |
//!
//! Members that are not described here are kept, except those that another of these forms has. No
//! signature covers them, so they need not be canonical JSON: 64-bit integers are kept exactly;
//! fractions, which Matrix does not have, are kept as serde_json reads them, which may change the
//! last digit. The texts are wiped, and a key is read from the caller's text without another copy.
//!
//! ```
//! use moceril::{key_export, room_keys::{self, ExportedRoomKey}};
//! # use moceril::{
//! #     megolm::{GroupSession, GroupSessionConfig, InboundGroupSession},
//! #     olm::Account,
//! # };
//! # let session = GroupSession::with_config(GroupSessionConfig::default())?;
//! # let session = InboundGroupSession::new(&session.session_key());
//! # let sender = Account::new()?.identity_keys();
//! # let rounds = 1; // so that the documentation is tested in reasonable time
//! # let _ = key_export::DEFAULT_ROUNDS;
//!
//! let key = session.export_at_first_known_index()?;
//! let key = ExportedRoomKey::new("!room:example.org", key, sender); // the keys of its device
//! let json = room_keys::write_export(&[key])?;
//! # let encrypt = key_export::encrypt_weak;
//! let file = encrypt(&json, "correct horse battery staple", rounds)?;
//!
//! let json = key_export::decrypt(&file, "correct horse battery staple", key_export::MAX_ROUNDS)?;
//! for key in room_keys::read_export(&json) {
//!     let key = key?; // one that is malformed does not keep the others from being read
//!     let session = key.import();
//!     assert_eq!(key.room_id, "!room:example.org");
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Nothing shows who made an exported key. [`ExportedRoomKey::import`] records in the session that
//! the key was exported, and whether it was in a backup (S-21).
//!
//! Spec: Matrix specification, "Key exports", "Server-side key backups", "`m.room_key`",
//! "`m.forwarded_room_key`" and "Sharing keys between users".

mod bundle;
mod pieces;
mod reader;
mod writer;

use alloc::{
    collections::BTreeMap,
    string::{String, ToString},
    vec::Vec,
};
use core::fmt;

use serde_json::{Map, Value};

pub(super) use self::reader::Unique;
pub use self::{
    bundle::{RoomKeyBundle, WithheldRoomKey, read_bundle, write_bundle},
    pieces::ExportParser,
    reader::{ExportReader, read_export},
};
use self::{
    reader::Members,
    writer::{Entries, Form, Object, Written, write},
};
use crate::{
    error::{KeyError, texts},
    keys::{Curve25519PublicKey, IdentityKeys},
    megolm::{inbound::InboundGroupSession, trust::Provenance},
    primitives::secret::SecretString,
    wire::{
        MessageVersion,
        megolm::{ExportedSessionKey, SessionKey, SessionKeyError},
    },
};

/// The only algorithm of room keys.
const ALGORITHM: &str = "m.megolm.v1.aes-sha2";
/// The name of the only claimed key.
const ED25519: &str = "ed25519";
/// The member of a forwarded key that has the claimed key.
const CLAIMED: &str = "sender_claimed_ed25519_key";
/// The member that says whether the key may be given to users who join the room later.
const SHARED_HISTORY: &str = "shared_history";
/// The members that are fields of the types.
const FIELDS: [&str; 8] = [
    "algorithm",
    "room_id",
    "session_id",
    "session_key",
    "sender_key",
    "sender_claimed_keys",
    CLAIMED,
    "forwarding_curve25519_key_chain",
];

/// The content of an event `m.room_key`, in which a sender gives a session to a device.
#[derive(Clone)]
pub struct RoomKey {
    /// The room for which the session is meant. Use the session only for this room.
    pub room_id: String,
    /// The session key, signed by its own signing key.
    pub session_key: SessionKey,
    /// Other members. They are not wiped.
    pub other: Map<String, Value>,
}

impl RoomKey {
    /// The content for a session key, without other members.
    #[must_use]
    pub fn new(room_id: &str, session_key: SessionKey) -> Self {
        Self { room_id: room_id.to_string(), session_key, other: Map::new() }
    }

    /// Whether the sender allows the key to be given to users who join the room later. A key that
    /// does not say so is not shared.
    #[must_use]
    pub fn shared_history(&self) -> bool {
        is_shared(&self.other)
    }

    /// Reads the content of the event, which comes from an
    /// [`OlmPayload`](crate::payload::OlmPayload).
    ///
    /// # Errors
    ///
    /// [`RoomKeyError`]; also [`RoomKeyError::SessionId`] if the content names another session than
    /// its key's.
    pub fn from_json(json: &str) -> Result<Self, RoomKeyError> {
        let mut members = Members::read(json)?;
        let room_id = members.text("room_id")?;
        let session_key = SessionKey::from_base64(&members.secret("session_key")?)?;
        members.session_id(&session_key.session_id())?;
        Ok(Self { room_id, session_key, other: members.rest()? })
    }

    /// The content of the event.
    ///
    /// # Errors
    ///
    /// None for members that were read.
    pub fn to_json(&self) -> Result<SecretString, RoomKeyError> {
        let (id, key) = (self.session_key.session_id(), self.session_key.to_base64());
        let mut object = Object::new(&key, &self.other);
        object.room_id = Some(&self.room_id);
        object.session_id = Some(&id);
        write(&object)
    }
}

impl fmt::Debug for RoomKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RoomKey")
            .field("room_id", &self.room_id)
            .field("session_id", &self.session_key.session_id())
            .finish_non_exhaustive()
    }
}

/// A room key that was exported: from a file, a backup or another device.
#[derive(Clone)]
#[non_exhaustive]
pub struct ExportedRoomKey {
    /// The room for which the session is meant. Use the session only for this room.
    pub room_id: String,
    /// The session key. Nothing shows who made it.
    pub session_key: ExportedSessionKey,
    /// The Curve25519 key of the device that is claimed to have made the session. It proves
    /// nothing, and a key can be used without it. `None` is written as an empty text.
    pub sender_key: Option<Curve25519PublicKey>,
    /// The Ed25519 key that the device is claimed to have, under the name `ed25519`.
    pub sender_claimed_keys: BTreeMap<String, String>,
    /// The Curve25519 keys of the devices that are claimed to have forwarded the key.
    pub forwarding_chain: Vec<String>,
    /// Other members. They are not wiped.
    pub other: Map<String, Value>,
    /// The highest provenance of the key. Nothing can raise it.
    provenance: Provenance,
}

impl ExportedRoomKey {
    /// A room key of the device with these keys, which nobody has forwarded, without other members.
    #[must_use]
    pub fn new(room_id: &str, session_key: ExportedSessionKey, sender: IdentityKeys) -> Self {
        let mut key = Self::with_unknown_sender(room_id, session_key);
        key.sender_key = Some(sender.curve25519);
        key.sender_claimed_keys.insert(String::from(ED25519), sender.ed25519.to_base64());
        key
    }

    /// A room key for which the keys of the sender's device were not stored. A caller who has one
    /// of them sets it. Without the Ed25519 key, other clients cannot show who sent a message.
    #[must_use]
    pub fn with_unknown_sender(room_id: &str, session_key: ExportedSessionKey) -> Self {
        Self {
            room_id: room_id.to_string(),
            session_key,
            sender_key: None,
            sender_claimed_keys: BTreeMap::new(),
            forwarding_chain: Vec::new(),
            other: Map::new(),
            provenance: Provenance::Exported,
        }
    }

    /// What can be said of where the key came from (S-21): it is [`Provenance::Backup`] for a key
    /// that was read from a backup or exported by a session whose key was, and
    /// [`Provenance::Exported`] for any other one.
    #[must_use]
    pub const fn provenance(&self) -> Provenance {
        if self.session_key.is_from_backup() { Provenance::Backup } else { self.provenance }
    }

    /// Whether the key may be given to users who join the room later. A key that does not say so is
    /// not shared.
    #[must_use]
    pub fn shared_history(&self) -> bool {
        is_shared(&self.other)
    }

    /// The session, with the [`provenance`](Self::provenance) of the key. Its messages have version
    /// 3, as nearly all have: a room key does not say which.
    #[must_use]
    pub fn import(&self) -> InboundGroupSession {
        self.import_with_version(MessageVersion::V3)
    }

    /// Like `import`, for a session whose messages have this version. The version of a message that
    /// was received can be tried: with another one, no message decrypts.
    #[must_use]
    pub fn import_with_version(&self, version: MessageVersion) -> InboundGroupSession {
        InboundGroupSession::import_with_version(&self.session_key, self.provenance(), version)
    }

    /// Reads an entry of a file of exported keys.
    ///
    /// # Errors
    ///
    /// [`RoomKeyError`]; also [`RoomKeyError::SessionId`] if the entry names another session than
    /// its key's.
    pub fn from_json(json: &str) -> Result<Self, RoomKeyError> {
        let mut members = Members::read(json)?;
        let room_id = members.text("room_id")?;
        let session_id = members.text("session_id")?;
        members.exported(room_id, &session_id, Provenance::Exported)
    }

    /// Reads the decrypted `session_data` of a backup, which lists it under these ids.
    ///
    /// # Errors
    ///
    /// [`RoomKeyError`]; also [`RoomKeyError::SessionId`] if it was listed under another session id
    /// than its key's.
    pub fn from_backup_json(
        json: &str,
        room_id: &str,
        session_id: &str,
    ) -> Result<Self, RoomKeyError> {
        Members::read(json)?.exported(room_id.to_string(), session_id, Provenance::Backup)
    }

    /// Reads the content of an event `m.forwarded_room_key`.
    ///
    /// # Errors
    ///
    /// As for `from_json`.
    pub fn from_forwarded_json(json: &str) -> Result<Self, RoomKeyError> {
        let mut members = Members::read(json)?;
        let claimed = members.text(CLAIMED)?;
        let room_id = members.text("room_id")?;
        let session_id = members.text("session_id")?;
        let mut key = members.exported(room_id, &session_id, Provenance::Exported)?;
        key.sender_claimed_keys.insert(String::from(ED25519), claimed);
        Ok(key)
    }

    /// The entry of a file of exported keys.
    ///
    /// # Errors
    ///
    /// None for members that were read.
    pub fn to_json(&self) -> Result<SecretString, RoomKeyError> {
        write(&Written { key: self, form: Form::Export })
    }

    /// The `session_data` of a backup, which is then encrypted.
    ///
    /// # Errors
    ///
    /// None for members that were read.
    pub fn to_backup_json(&self) -> Result<SecretString, RoomKeyError> {
        write(&Written { key: self, form: Form::Backup })
    }

    /// The content of an event `m.forwarded_room_key`.
    ///
    /// # Errors
    ///
    /// [`RoomKeyError::Malformed`] if there is no claimed Ed25519 key.
    pub fn to_forwarded_json(&self) -> Result<SecretString, RoomKeyError> {
        if !self.sender_claimed_keys.contains_key(ED25519) {
            return Err(RoomKeyError::Malformed(CLAIMED));
        }
        write(&Written { key: self, form: Form::Forwarded })
    }
}

impl fmt::Debug for ExportedRoomKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExportedRoomKey")
            .field("room_id", &self.room_id)
            .field("session_id", &self.session_key.session_id())
            .field("sender_key", &self.sender_key)
            .finish_non_exhaustive()
    }
}

fn is_shared(members: &Map<String, Value>) -> bool {
    members.get(SHARED_HISTORY) == Some(&Value::Bool(true))
}

/// The content of a file of exported keys, for [`key_export::encrypt`](crate::key_export::encrypt).
///
/// # Errors
///
/// None for keys that were read.
pub fn write_export(keys: &[ExportedRoomKey]) -> Result<SecretString, RoomKeyError> {
    let entries = keys.iter().map(|key| Written { key, form: Form::Export });
    write(&Entries(entries))
}

/// The JSON is not a room key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RoomKeyError {
    /// The array of a file, the object, or this member of it is missing or malformed.
    Malformed(&'static str),
    /// The key has another algorithm than `m.megolm.v1.aes-sha2`.
    Algorithm,
    /// The session key is invalid.
    SessionKey(SessionKeyError),
    /// The sender's key is invalid.
    SenderKey(KeyError),
    /// The session id is not that of the session key.
    SessionId,
    /// The key does not allow to be given to users who join the room later.
    NotShared,
    /// The key of a session is given, and said to be withheld.
    Withheld,
    /// Reading ended before all keys of a file had been taken.
    Unread,
}

texts!(RoomKeyError {
    Self::Malformed(name) => "the member {name} of a room key is missing or malformed";
    Self::Algorithm => "the room key has an unknown algorithm";
    Self::SessionKey(_) => "the room key holds a bad session key";
    Self::SenderKey(_) => "the room key holds a bad key of its sender";
    Self::SessionId => "the room key has the id of another session";
    Self::NotShared => "the room key may not be given to users who join later";
    Self::Withheld => "the room key is both given and withheld";
    Self::Unread => "not all room keys were read";
} caused by SessionKey, SenderKey);

impl From<SessionKeyError> for RoomKeyError {
    fn from(error: SessionKeyError) -> Self {
        Self::SessionKey(error)
    }
}

impl From<KeyError> for RoomKeyError {
    fn from(error: KeyError) -> Self {
        Self::SenderKey(error)
    }
}
