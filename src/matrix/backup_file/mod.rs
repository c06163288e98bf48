//! Server-side backups as JSON: a server's answers to `GET /room_keys/keys` and `GET
//! /room_keys/version`. Feature `matrix`.
//!
//! ```
//! use moceril::{
//!     backup::BackupDecryptionKey,
//!     backup_file::{self, BackedUpKey, BackupReader},
//!     megolm::Provenance,
//! };
//! # use moceril::{megolm::{GroupSession, GroupSessionConfig, InboundGroupSession}, olm::Account};
//! # use moceril::room_keys::ExportedRoomKey;
//! # let session = GroupSession::with_config(GroupSessionConfig::default())?;
//! # let session = InboundGroupSession::new(&session.session_key());
//! # let session_key = session.export_at_first_known_index()?;
//! # let sender = Account::new()?.identity_keys();
//! # let room_key = ExportedRoomKey::new("!room:example.org", session_key, sender);
//! # let key = BackupDecryptionKey::new()?;
//!
//! let backed_up = BackedUpKey::encrypt(&room_key, &key.encryption_key())?;
//! let json = backup_file::write(&[backed_up]);
//!
//! for backed_up in BackupReader::new(&json)? {
//!     let room_key = backed_up?.decrypt(&key)?;
//!     assert_eq!(room_key.room_id, "!room:example.org");
//!     assert_eq!(room_key.import().provenance(), Provenance::Backup);
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Nothing shows who made a backup ([`backup`](super::backup)), and the data beside the encrypted
//! keys is only claimed by the server.
//!
//! Spec: Matrix specification, "Server-side key backups".

#[cfg(test)]
mod tests;
mod version;

use alloc::{
    borrow::Cow,
    collections::{BTreeMap, btree_map},
    string::{String, ToString},
};

use rand::TryCryptoRng;
use serde::Deserialize;
use serde_json::{Map, Value, json, value::RawValue};

pub use self::version::BackupVersion;
use super::{
    backup::{BackupDecryptionKey, BackupEncryptionKey, BackupError, BackupMessage},
    room_keys::{ExportedRoomKey, RoomKeyError, Unique},
};
use crate::error::{DecodeError, KeyError, texts};
#[cfg(feature = "std")]
use crate::primitives::rng;

/// A room key in a backup. All fields but the message are only claimed by the server and by whoever
/// uploaded the key.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BackedUpKey {
    /// The room under which the key is listed.
    pub room_id: String,
    /// The session id under which the key is listed.
    pub session_id: String,
    /// The first message index that the key decrypts.
    pub first_message_index: u32,
    /// How many devices are claimed to have forwarded the key.
    pub forwarded_count: u64,
    /// Whether the device that uploaded the key had verified the sender's device.
    pub is_verified: bool,
    /// The encrypted key.
    pub message: BackupMessage,
}

impl BackedUpKey {
    /// Encrypts a key. The entry does not say that the sender's device is verified.
    ///
    /// # Errors
    ///
    /// [`BackupFileError::Backup`] if the random source fails; none besides for a key that was
    /// read.
    #[cfg(feature = "std")]
    pub fn encrypt(
        key: &ExportedRoomKey,
        to: &BackupEncryptionKey,
    ) -> Result<Self, BackupFileError> {
        Self::encrypt_with_rng(key, to, &mut rng::system())
    }

    /// Like `encrypt`, but with the caller's source of randomness, which gives the 32 bytes of the
    /// ephemeral private key. They must never be used twice.
    ///
    /// # Errors
    ///
    /// Those of `encrypt`.
    pub fn encrypt_with_rng<R: TryCryptoRng + ?Sized>(
        key: &ExportedRoomKey,
        to: &BackupEncryptionKey,
        rng: &mut R,
    ) -> Result<Self, BackupFileError> {
        let message = to.encrypt_with_rng(key.to_backup_json()?, rng)?;
        Ok(Self {
            room_id: key.room_id.clone(),
            session_id: key.session_key.session_id(),
            first_message_index: key.session_key.index(),
            forwarded_count: key.forwarding_chain.len() as u64,
            is_verified: false,
            message,
        })
    }

    /// Decrypts the key. Nothing shows who made it (S-31); [`ExportedRoomKey::import`] records
    /// that.
    ///
    /// # Errors
    ///
    /// [`BackupFileError::Backup`], and [`BackupFileError::RoomKey`] if what was encrypted is not a
    /// key of the session under whose id it is listed.
    pub fn decrypt(&self, key: &BackupDecryptionKey) -> Result<ExportedRoomKey, BackupFileError> {
        let json = key.decrypt_unauthenticated(&self.message)?;
        let json = core::str::from_utf8(&json).map_err(|_| RoomKeyError::Malformed("object"))?;
        Ok(ExportedRoomKey::from_backup_json(json, &self.room_id, &self.session_id)?)
    }

    /// Which of several keys of one session a server keeps.
    #[must_use]
    pub const fn rank(&self) -> BackupRank {
        BackupRank(!self.is_verified, self.first_message_index, self.forwarded_count)
    }

    /// Reads a server's answer to `GET /room_keys/keys/{room_id}/{session_id}`.
    ///
    /// # Errors
    ///
    /// [`BackupFileError::Malformed`], [`BackupFileError::Message`].
    pub fn from_json(
        json: &str,
        room_id: String,
        session_id: String,
    ) -> Result<Self, BackupFileError> {
        let entry = object(json, "object")?;
        let data: &RawValue = member(&entry, "session_data")?;
        let data = object(data.get(), "session_data")?;
        let text = |name| member::<Cow<'_, str>>(&data, name);
        Ok(Self {
            room_id,
            session_id,
            first_message_index: member(&entry, "first_message_index")?,
            forwarded_count: member(&entry, "forwarded_count")?,
            is_verified: member(&entry, "is_verified")?,
            message: BackupMessage::from_base64(
                &text("ciphertext")?,
                &text("mac")?,
                &text("ephemeral")?,
            )?,
        })
    }

    /// The entry as a server has it, also as the body of
    /// `PUT /room_keys/keys/{room_id}/{session_id}`.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let message = self.message.to_base64();
        json!({
            "first_message_index": self.first_message_index,
            "forwarded_count": self.forwarded_count,
            "is_verified": self.is_verified,
            "session_data": {
                "ciphertext": message.ciphertext,
                "mac": message.mac,
                "ephemeral": message.ephemeral_key,
            },
        })
    }
}

/// An object that this member, or the whole, must be.
fn object<'a>(
    json: &'a str,
    name: &'static str,
) -> Result<BTreeMap<String, &'a RawValue>, BackupFileError> {
    let Unique(members) =
        serde_json::from_str(json).map_err(|_| BackupFileError::Malformed(name))?;
    Ok(members)
}

fn member<'a, T: Deserialize<'a>>(
    members: &BTreeMap<String, &'a RawValue>,
    name: &'static str,
) -> Result<T, BackupFileError> {
    let read = members.get(name).and_then(|raw| serde_json::from_str(raw.get()).ok());
    read.ok_or(BackupFileError::Malformed(name))
}

/// Of several keys of one session a server keeps the one with the lowest rank: one that is
/// verified, then the one with the lowest first message index, then the one that was forwarded the
/// least often. Spec: "PUT /room_keys/keys".
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct BackupRank(bool, u32, u64);

/// The rank that the entry of a key has, without encrypting it.
#[must_use]
pub const fn rank_of(key: &ExportedRoomKey) -> BackupRank {
    BackupRank(true, key.session_key.index(), key.forwarding_chain.len() as u64)
}

/// The text of a backup, as a server has it, which is also the body of `PUT /room_keys/keys`. Of
/// several keys of one session, it has the one with the lowest [rank](BackedUpKey::rank), or the
/// first of equal ones.
#[must_use]
pub fn write(keys: &[BackedUpKey]) -> String {
    let mut kept = BTreeMap::new();
    for key in keys {
        let place = kept.entry((&key.room_id, &key.session_id)).or_insert(key);
        if key.rank() < place.rank() {
            *place = key;
        }
    }
    let mut rooms = Map::new();
    for ((room_id, session_id), key) in kept {
        let room = rooms.entry(room_id).or_insert_with(|| json!({ "sessions": {} }));
        if let Some(sessions) = room.get_mut("sessions").and_then(Value::as_object_mut) {
            sessions.insert(session_id.clone(), key.to_json());
        }
    }
    json!({ "rooms": rooms }).to_string()
}

/// An object whose members are not read yet. No member is there twice, because one of the two would
/// be lost.
type Members<'a> = Unique<&'a RawValue>;

/// Reads the keys of a backup, one by one. A malformed key is an error, and the others follow.
#[derive(Debug)]
pub struct BackupReader<'a> {
    rooms: btree_map::IntoIter<String, &'a RawValue>,
    /// The room that is being read, and its remaining keys.
    room_id: String,
    sessions: btree_map::IntoIter<String, &'a RawValue>,
}

impl<'a> BackupReader<'a> {
    /// Finds the rooms of a backup.
    ///
    /// # Errors
    ///
    /// [`BackupFileError::Malformed`] if the text is not a JSON object with the member `rooms`, or
    /// a room is there twice.
    pub fn new(json: &'a str) -> Result<Self, BackupFileError> {
        #[derive(Deserialize)]
        struct Backup<'a> {
            #[serde(borrow)]
            rooms: Members<'a>,
        }
        let backup: Backup<'a> =
            serde_json::from_str(json).map_err(|_| BackupFileError::Malformed("rooms"))?;
        let sessions = BTreeMap::new().into_iter();
        Ok(Self { rooms: backup.rooms.0.into_iter(), room_id: String::new(), sessions })
    }

    /// Finds the keys in a server's answer to `GET /room_keys/keys/{room_id}`.
    ///
    /// # Errors
    ///
    /// [`BackupFileError::Malformed`] if the text is not a JSON object with the member `sessions`,
    /// or a session is there twice.
    pub fn of_room(json: &'a str, room_id: String) -> Result<Self, BackupFileError> {
        let room: Room<'a> =
            serde_json::from_str(json).map_err(|_| BackupFileError::Malformed("sessions"))?;
        let rooms = BTreeMap::new().into_iter();
        Ok(Self { rooms, room_id, sessions: room.sessions.0.into_iter() })
    }
}

#[derive(Deserialize)]
struct Room<'a> {
    #[serde(borrow)]
    sessions: Members<'a>,
}

impl Iterator for BackupReader<'_> {
    type Item = Result<BackedUpKey, BackupFileError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some((session_id, json)) = self.sessions.next() {
                let room_id = self.room_id.clone();
                return Some(BackedUpKey::from_json(json.get(), room_id, session_id));
            }
            let (room_id, json) = self.rooms.next()?;
            let Ok(room) = serde_json::from_str::<Room<'_>>(json.get()) else {
                return Some(Err(BackupFileError::Malformed("sessions")));
            };
            (self.room_id, self.sessions) = (room_id, room.sessions.0.into_iter());
        }
    }
}

/// The JSON is not a backup, or a key in it cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BackupFileError {
    /// The object, or this member of it, is missing or malformed.
    Malformed(&'static str),
    /// The backup has another algorithm.
    Algorithm,
    /// The public key of the backup is invalid.
    Key(KeyError),
    /// An encrypted key does not decode.
    Message(DecodeError),
    /// An encrypted key does not decrypt.
    Backup(BackupError),
    /// The plaintext is not a room key, or is that of another session.
    RoomKey(RoomKeyError),
}

texts!(BackupFileError {
    Self::Malformed(name) => "the member {name} of a backup is missing or malformed";
    Self::Algorithm => "the backup has an unknown algorithm";
    Self::Key(_) => "the backup has a bad public key";
    Self::Message(_) => "the backup holds a bad message";
    Self::Backup(_) => "the backup cannot be decrypted";
    Self::RoomKey(_) => "the backup holds a bad key";
} caused by Key, Message, Backup, RoomKey);

impl From<KeyError> for BackupFileError {
    fn from(error: KeyError) -> Self {
        Self::Key(error)
    }
}

impl From<DecodeError> for BackupFileError {
    fn from(error: DecodeError) -> Self {
        Self::Message(error)
    }
}

impl From<BackupError> for BackupFileError {
    fn from(error: BackupError) -> Self {
        Self::Backup(error)
    }
}

impl From<RoomKeyError> for BackupFileError {
    fn from(error: RoomKeyError) -> Self {
        Self::RoomKey(error)
    }
}
