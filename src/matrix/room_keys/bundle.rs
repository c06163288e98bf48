//! Room keys that a user gives to another who joins the room: `RoomKeyBundle`.

use alloc::{
    string::{String, ToString},
    vec::Vec,
};

use serde::{Deserialize, Serialize};
use serde_json::{Value, value::RawValue};

use super::{
    ALGORITHM, ExportedRoomKey, RoomKeyError, SHARED_HISTORY,
    writer::{Entries, Form, Written, write},
};
use crate::{keys::Curve25519PublicKey, primitives::secret::SecretString};

/// The keys of one room, from the user who invites another to it. Nothing but that user vouches for
/// these keys. Show the user's name with messages decrypted with them.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RoomKeyBundle {
    /// The keys of the room. One that is malformed does not keep the others from being read. Each
    /// may be given to others in turn ([`ExportedRoomKey::shared_history`]).
    pub room_keys: Vec<Result<ExportedRoomKey, RoomKeyError>>,
    /// The sessions of the room whose keys are not in the bundle, and why. Malformed ones are left
    /// out: nothing depends on them.
    pub withheld: Vec<WithheldRoomKey>,
}

/// Says that the key of a session is not given, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct WithheldRoomKey {
    algorithm: String,
    /// The room of the session.
    pub room_id: String,
    /// The id of the session.
    pub session_id: String,
    /// The Curve25519 key of the device that says so, in base64.
    pub sender_key: String,
    /// The reason for programs, such as `m.history_not_shared`.
    pub code: String,
    /// The reason for people who do not understand the code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl WithheldRoomKey {
    /// The code for a session whose sender did not allow its key to be given to users who join
    /// later.
    pub const HISTORY_NOT_SHARED: &str = "m.history_not_shared";

    /// An entry without a reason for people.
    #[must_use]
    pub fn new(
        room_id: &str,
        session_id: &str,
        sender_key: Curve25519PublicKey,
        code: &str,
    ) -> Self {
        Self {
            algorithm: ALGORITHM.to_string(),
            room_id: room_id.to_string(),
            session_id: session_id.to_string(),
            sender_key: sender_key.to_base64(),
            code: code.to_string(),
            reason: None,
        }
    }
}

/// Reads a bundle, after it was decrypted as an attachment is. Keys of other rooms than the one
/// that the event `m.room_key_bundle` names are ignored.
///
/// # Errors
///
/// [`RoomKeyError::Malformed`] if the text is no object, or a member that is there is no list.
pub fn read_bundle(json: &str, room_id: &str) -> Result<RoomKeyBundle, RoomKeyError> {
    #[derive(Deserialize)]
    struct Bundle<'a> {
        #[serde(borrow, default)]
        room_keys: Option<Vec<&'a RawValue>>,
        #[serde(borrow, default)]
        withheld: Option<Vec<&'a RawValue>>,
    }
    let bundle: Bundle<'_> =
        serde_json::from_str(json).map_err(|_| RoomKeyError::Malformed("object"))?;
    let read = |entry: &RawValue| {
        let mut key = ExportedRoomKey::from_json(entry.get())?;
        // Whoever gives a key in a bundle says by it that it may be given to others.
        key.other.insert(SHARED_HISTORY.to_string(), Value::Bool(true));
        Ok(key)
    };
    let keys = bundle.room_keys.into_iter().flatten().map(read);
    let of_this_room = |key: &Result<ExportedRoomKey, RoomKeyError>| {
        key.as_ref().map_or(true, |key| key.room_id == room_id)
    };
    let withheld = bundle.withheld.into_iter().flatten();
    let withheld = withheld.filter_map(|entry| serde_json::from_str(entry.get()).ok());
    let known = |entry: &WithheldRoomKey| entry.algorithm == ALGORITHM && entry.room_id == room_id;
    Ok(RoomKeyBundle {
        room_keys: keys.filter(of_this_room).collect(),
        withheld: withheld.filter(known).collect(),
    })
}

/// Writes a bundle, which is then encrypted and uploaded as an attachment is. Its address and key
/// go only to devices that their user has cross-signed.
///
/// For a session of our own, set the member `shared_history` of `other` to what its recipients were
/// told.
///
/// # Errors
///
/// [`RoomKeyError::NotShared`] for a key that does not allow it: list its session as withheld.
/// [`RoomKeyError::Withheld`] for a session that is both given and withheld.
pub fn write_bundle(
    keys: &[ExportedRoomKey],
    withheld: &[WithheldRoomKey],
) -> Result<SecretString, RoomKeyError> {
    #[derive(Serialize)]
    struct Bundle<'a, K: Serialize> {
        room_keys: K,
        withheld: &'a [WithheldRoomKey],
    }
    for key in keys {
        if !key.shared_history() {
            return Err(RoomKeyError::NotShared);
        }
        let id = key.session_key.session_id();
        if withheld.iter().any(|entry| entry.session_id == id && entry.room_id == key.room_id) {
            return Err(RoomKeyError::Withheld);
        }
    }
    let entries = keys.iter().map(|key| Written { key, form: Form::Bundle });
    write(&Bundle { room_keys: Entries(entries), withheld })
}
