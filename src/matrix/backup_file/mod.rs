//! Server-side backups as JSON: a server's answers to `GET /room_keys/keys` and `GET
//! /room_keys/version`. Feature `matrix`.
//!
//! ```
//! use moceril::{
//!     backup::{BackupDecryptionKey, BackupEncryptionKey},
//!     backup_file::{self, BackedUpKey, BackupReader},
//!     megolm::Provenance,
//! };
//! # use moceril::{megolm::{GroupSession, GroupSessionConfig, InboundGroupSession}, olm::Account};
//! # use moceril::room_keys::ExportedRoomKey;
//! # let session = GroupSession::with_config(GroupSessionConfig::default())?;
//! # let session = InboundGroupSession::new(&session.session_key());
//! # let session_key = session.export_at_first_known_index()?;
//! # let sender_key = Account::new()?.curve25519_key();
//! # let room_key = ExportedRoomKey::new("!room:example.org", session_key, sender_key);
//! # let key = BackupDecryptionKey::new()?;
//!
//! let public = BackupEncryptionKey::from_trusted_key(key.public_key());
//! let message = public.encrypt(room_key.to_backup_json()?)?;
//! let json = backup_file::write(&[BackedUpKey::new(&room_key, message)]);
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

mod version;

use alloc::{
    collections::{BTreeMap, btree_map},
    string::{String, ToString},
};

use serde::Deserialize;
use serde_json::{Map, Value, json, value::RawValue};

pub use self::version::BackupVersion;
use super::{
    backup::{BackupDecryptionKey, BackupError, BackupMessage},
    room_keys::{ExportedRoomKey, RoomKeyError, Unique},
};
use crate::error::{DecodeError, KeyError, texts};

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
    /// The entry for a key whose `to_backup_json` was encrypted as this message. The entry does not
    /// say that the sender's device is verified.
    #[must_use]
    pub fn new(key: &ExportedRoomKey, message: BackupMessage) -> Self {
        Self {
            room_id: key.room_id.clone(),
            session_id: key.session_key.session_id(),
            first_message_index: key.session_key.index(),
            forwarded_count: key.forwarding_chain.len() as u64,
            is_verified: false,
            message,
        }
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

    /// Of several keys of one session, a server keeps the one with the lowest rank: a verified one
    /// first, then the one with the lowest first message index, then the one that was forwarded the
    /// fewest times. Spec: "PUT /room_keys/keys".
    #[must_use]
    pub const fn rank(&self) -> (bool, u32, u64) {
        (!self.is_verified, self.first_message_index, self.forwarded_count)
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
        let entry: Entry = serde_json::from_str(json)
            .map_err(|_| BackupFileError::Malformed("first_message_index"))?;
        let SessionData { ciphertext, mac, ephemeral } = entry.session_data;
        let message = BackupMessage::from_base64(&ciphertext, &mac, &ephemeral)?;
        let Entry { first_message_index, forwarded_count, is_verified, .. } = entry;
        Ok(Self { room_id, session_id, first_message_index, forwarded_count, is_verified, message })
    }

    fn to_json(&self) -> Value {
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

#[derive(Deserialize)]
struct Entry {
    first_message_index: u32,
    forwarded_count: u64,
    is_verified: bool,
    session_data: SessionData,
}

#[derive(Deserialize)]
struct SessionData {
    ciphertext: String,
    mac: String,
    ephemeral: String,
}

/// The rank that the entry of a key has, without encrypting it ([`BackedUpKey::rank`]).
#[must_use]
pub const fn rank_of(key: &ExportedRoomKey) -> (bool, u32, u64) {
    (true, key.session_key.index(), key.forwarding_chain.len() as u64)
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
    /// The object, or this member of it or one beside it, is missing or malformed.
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

#[cfg(test)]
mod tests {
    use std::{format, vec::Vec};

    use super::*;
    use crate::{
        keys::{Curve25519PublicKey, Ed25519SecretKey},
        matrix::backup::BackupEncryptionKey,
        wire::megolm::ExportedSessionKey,
    };

    fn room_key(room_id: &str, index: u32) -> ExportedRoomKey {
        let signing_key = Ed25519SecretKey::new().unwrap().public_key();
        let (version, ratchet) = ([1], [7; 128]);
        let index = index.to_be_bytes();
        let bytes = [&version[..], &index, &ratchet, signing_key.as_bytes()].concat();
        let session_key = ExportedSessionKey::from_bytes(&bytes).unwrap();
        let sender = Curve25519PublicKey::from_bytes([9; 32]).unwrap();
        let mut key = ExportedRoomKey::new(room_id, session_key, sender);
        key.forwarding_chain.push(sender.to_base64());
        key
    }

    fn backed_up(key: &ExportedRoomKey, to: &BackupDecryptionKey) -> BackedUpKey {
        let to = BackupEncryptionKey::from_trusted_key(to.public_key());
        BackedUpKey::new(key, to.encrypt(key.to_backup_json().unwrap()).unwrap())
    }

    #[test]
    fn what_is_written_is_read_and_decrypted() {
        let key = BackupDecryptionKey::new().unwrap();
        let room_keys = [room_key("!b", 3), room_key("!a", 0), room_key("!b", 0)];
        let written = room_keys.each_ref().map(|room_key| backed_up(room_key, &key));
        assert_eq!(written[0].first_message_index, 3);
        assert_eq!((written[0].forwarded_count, written[0].is_verified), (1, false));
        let json = write(&written);
        let read: Result<Vec<_>, _> = BackupReader::new(&json).unwrap().collect();
        let read = read.unwrap();
        assert_eq!(read.len(), 3);
        for (room_key, written) in room_keys.iter().zip(&written) {
            assert!(read.contains(written));
            let opened = written.decrypt(&key).unwrap();
            assert_eq!(opened.room_id, room_key.room_id);
            assert_eq!(opened.session_key.to_bytes(), room_key.session_key.to_bytes());
        }
    }

    /// What a server answers about one room or one key is a part of the whole.
    #[test]
    fn a_room_and_a_key_are_read_by_themselves() {
        let key = BackupDecryptionKey::from_bytes([1; 32]);
        let (room_key, other) = (room_key("!a", 3), room_key("!a", 4));
        let entries = [backed_up(&room_key, &key), backed_up(&other, &key)];
        let backup: Value = serde_json::from_str(&write(&entries)).unwrap();
        let room = &backup["rooms"]["!a"];
        let text = room.to_string();
        let read: Result<Vec<_>, _> = BackupReader::of_room(&text, "!a".into()).unwrap().collect();
        let read = read.unwrap();
        assert!(read.len() == 2 && entries.iter().all(|entry| read.contains(entry)));
        let entry = room["sessions"][&entries[0].session_id].to_string();
        let id = entries[0].session_id.clone();
        assert_eq!(BackedUpKey::from_json(&entry, "!a".into(), id).as_ref(), Ok(&entries[0]));
        let refusal = BackupReader::of_room("{}", "!a".into()).unwrap_err();
        assert_eq!(refusal, BackupFileError::Malformed("sessions"));
    }

    #[test]
    fn a_key_has_the_rank_of_its_entry() {
        let mut room_key = room_key("!a", 3);
        room_key.forwarding_chain.push("another".into());
        let entry = backed_up(&room_key, &BackupDecryptionKey::from_bytes([1; 32]));
        assert_eq!(rank_of(&room_key), (true, 3, 2));
        assert_eq!(rank_of(&room_key), entry.rank());
    }

    #[test]
    fn a_session_that_is_there_twice_is_malformed() {
        let key = BackupDecryptionKey::from_bytes([1; 32]);
        let json = write(&[backed_up(&room_key("!a", 0), &key)]);
        let (before, sessions) = json.split_once(r#""sessions":{"#).unwrap();
        let entry = sessions.strip_suffix("}}}}").unwrap();
        let twice = format!(r#"{before}"sessions":{{{entry},{entry}}}}}}}}}"#);
        let read: Vec<_> = BackupReader::new(&twice).unwrap().collect();
        assert_eq!(read, [Err(BackupFileError::Malformed("sessions"))]);
    }

    #[test]
    fn of_several_keys_of_a_session_the_one_that_a_server_keeps_is_written() {
        let key = BackupDecryptionKey::from_bytes([1; 32]);
        let room_key = room_key("!a", 5);
        // The ciphertexts differ.
        let [first, second] = [1, 2].map(|_| backed_up(&room_key, &key));
        let read = BackupReader::new(&write(&[first.clone(), second])).unwrap().next();
        assert_eq!(read, Some(Ok(first.clone())));
        let worst = BackedUpKey { forwarded_count: 2, ..first };
        let once = BackedUpKey { forwarded_count: 1, ..worst.clone() };
        let earlier = BackedUpKey { first_message_index: 3, ..worst.clone() };
        let verified = BackedUpKey { is_verified: true, ..worst.clone() };
        for (better, than) in [(&once, &worst), (&earlier, &once), (&verified, &earlier)] {
            for keys in [[better, than], [than, better]] {
                let json = write(&keys.map(Clone::clone));
                let read: Vec<_> = BackupReader::new(&json).unwrap().collect();
                assert_eq!(read, [Ok(better.clone())]);
            }
        }
    }

    #[test]
    fn an_entry_under_another_id_and_one_to_another_key_are_refused() {
        let [key, other] = [1, 2].map(|byte| BackupDecryptionKey::from_bytes([byte; 32]));
        let mut entry = backed_up(&room_key("!a", 0), &key);
        let refusal = BackupFileError::Backup(BackupError::Decryption);
        assert_eq!(entry.decrypt(&other).unwrap_err(), refusal);
        entry.session_id = room_key("!a", 0).session_key.session_id();
        let refusal = BackupFileError::RoomKey(RoomKeyError::SessionId);
        assert_eq!(entry.decrypt(&key).unwrap_err(), refusal);
    }

    #[test]
    fn what_is_malformed_does_not_keep_the_rest_from_being_read() {
        let key = BackupDecryptionKey::from_bytes([1; 32]);
        let (first, second) = (room_key("!a", 0), room_key("!c", 0));
        let json = write(&[backed_up(&first, &key), backed_up(&second, &key)]);
        let mut value: Value = serde_json::from_str(&json).unwrap();
        let id = first.session_key.session_id();
        value["rooms"]["!a"]["sessions"][&id]["session_data"]["mac"] = json!("AA");
        value["rooms"]["!b"] = json!({ "sessions": 7 });
        let json = value.to_string();
        let read: Vec<_> = BackupReader::new(&json).unwrap().collect();
        let length = DecodeError::Length { expected: 8, found: 1 };
        assert_eq!(read[0], Err(BackupFileError::Message(length)));
        assert_eq!(read[1], Err(BackupFileError::Malformed("sessions")));
        assert_eq!(read[2].as_ref().unwrap().room_id, "!c");
        assert_eq!(read.len(), 3);
        let twice = r#"{"rooms":{"!a":{"sessions":{}},"!a":{"sessions":{}}}}"#;
        for json in ["", "[]", "{}", "{\"rooms\":[]}", twice] {
            let refusal = BackupReader::new(json).unwrap_err();
            assert_eq!(refusal, BackupFileError::Malformed("rooms"));
        }
    }
}
