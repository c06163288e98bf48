//! Room keys, which files of exported keys and backups hold.

use anyhow::Result;
use moceril::{Curve25519PublicKey, room_keys::ExportedRoomKey};
use serde_json::{Map, Value, json};

use crate::{
    room::{self, Owner},
    store::Store,
};

/// A room key, and from which message on it is.
pub struct RoomKey {
    pub session_id: String,
    pub first_index: u32,
    pub key: ExportedRoomKey,
}

/// The keys that the condition names, from the first message on that we can read.
pub fn select(store: &Store, condition: &str) -> Result<Vec<RoomKey>> {
    let sql = format!(
        "SELECT room_id, session_id, pickle, sender_key, sender_ed25519, shared_history \
         FROM inbound WHERE {condition}"
    );
    let mut statement = store.db.prepare(&sql)?;
    let rows = statement.query_map([], |row| {
        Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?))
    })?;
    rows.map(|row| {
        let (room_id, session_id, pickle, sender_key, ed25519, shared_history): (
            String,
            String,
            String,
            String,
            String,
            bool,
        ) = row?;
        let session = store.open_inbound(&room_id, &session_id, &pickle)?;
        let sender_key = match &*sender_key {
            "" => None,
            text => Some(Curve25519PublicKey::from_base64(text)?),
        };
        let exported = session.export_at_first_known_index()?;
        let mut key = ExportedRoomKey::with_unknown_sender(&room_id, exported);
        key.sender_key = sender_key;
        if !ed25519.is_empty() {
            key.sender_claimed_keys.insert("ed25519".to_owned(), ed25519);
        }
        key.other.insert(SHARED_HISTORY.to_owned(), json!(shared_history));
        let first_index = session.first_known_index();
        Ok(RoomKey { session_id, first_index, key })
    })
    .collect()
}

/// The member of a room key that says whether its sender lets those read who join the room later.
pub const SHARED_HISTORY: &str = "shared_history";
/// The names that it has in clients which began before it was in the specification.
const OLDER_NAMES: [&str; 2] = ["m.shared_history", "org.matrix.msc3061.shared_history"];

/// Whether later members of the room may have a key with these members.
pub fn is_shared_history(members: &Map<String, Value>) -> bool {
    let mut names = OLDER_NAMES.iter().chain([&SHARED_HISTORY]);
    names.any(|name| members.get(*name) == Some(&Value::Bool(true)))
}

/// Keeps a key that somebody hands us. Returns whether it lets us read more than before.
pub fn keep(store: &Store, key: &ExportedRoomKey) -> Result<bool> {
    let owner = Owner {
        // Nothing shows it; who owns the sender key, the device lists say.
        user_id: None,
        curve25519: &key.sender_key.map_or_else(String::new, |key| key.to_base64()),
        ed25519: key.sender_claimed_keys.get("ed25519").map_or("", String::as_str),
        shared_history: is_shared_history(&key.other),
    };
    room::keep(store, &key.room_id, key.import(), &owner)
}
