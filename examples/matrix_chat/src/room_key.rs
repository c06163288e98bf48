//! Room keys as JSON, which is the content of files of exported keys and of backups.

use anyhow::{Result, ensure};
use moceril::megolm::{ExportedSessionKey, InboundGroupSession};
use serde_json::{Value, json};

use crate::{
    json,
    room::{self, Owner},
    store::Store,
};

/// A room key and where it belongs.
pub struct RoomKey {
    pub room_id: String,
    pub session_id: String,
    pub first_index: u32,
    pub json: Value,
}

/// The keys that the condition names, from the first message on that we can read.
pub fn select(store: &Store, condition: &str) -> Result<Vec<RoomKey>> {
    let sql = format!(
        "SELECT room_id, pickle, sender_key, sender_ed25519 FROM inbound WHERE {condition}"
    );
    let mut statement = store.db.prepare(&sql)?;
    let rows =
        statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))?;
    rows.map(|row| {
        let (room_id, pickle, sender_key, ed25519): (String, String, String, String) = row?;
        let session = store.open_inbound(&room_id, &pickle)?;
        let key = session.export_at_first_known_index()?;
        let json = json!({
            "algorithm": room::ALGORITHM,
            "room_id": room_id,
            "session_id": session.session_id(),
            "session_key": &*key.to_base64(),
            "sender_key": sender_key,
            "sender_claimed_keys": { "ed25519": ed25519 },
            "forwarding_curve25519_key_chain": [],
        });
        let (session_id, first_index) = (session.session_id(), session.first_known_index());
        Ok(RoomKey { room_id, session_id, first_index, json })
    })
    .collect()
}

/// Keeps a key that somebody hands us. Returns whether it lets us read more than before.
pub fn keep(
    store: &Store,
    room_id: &str,
    session_id: &str,
    json: &Value,
    import: fn(&ExportedSessionKey) -> InboundGroupSession,
) -> Result<bool> {
    ensure!(json::text(json, "/algorithm")? == room::ALGORITHM, "unknown algorithm");
    let key = ExportedSessionKey::from_base64(json::text(json, "/session_key")?)?;
    ensure!(key.session_id() == session_id, "another session's id");
    let owner = Owner {
        // Nothing shows it; who owns the sender key, the device lists say.
        user_id: None,
        curve25519: json::text(json, "/sender_key")?,
        ed25519: json["sender_claimed_keys"]["ed25519"].as_str().unwrap_or_default(),
    };
    room::keep(store, room_id, import(&key), &owner)
}
