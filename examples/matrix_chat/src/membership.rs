//! Finds, creates and joins rooms.

use anyhow::{Context, Result, bail};
use serde_json::json;

use crate::{account::Client, api::segment, json, room, store::Store, sync, terminal::warn};

/// The room that the user means: its id, or its name if no other room has it.
pub fn resolve(store: &Store, room: &str) -> Result<String> {
    let known = "SELECT room_id FROM rooms WHERE room_id = ?1 OR name = ?1";
    let mut found: Vec<String> = store.all(known, [room])?;
    match (found.pop(), found.is_empty()) {
        (Some(room_id), true) => Ok(room_id),
        (Some(_), false) => {
            bail!("several rooms are called {room:?}: use the id, which `rooms` lists")
        }
        (None, _) => bail!("there is no room {room:?} here: `matrix_chat rooms` lists yours"),
    }
}

/// Creates an encrypted room.
pub fn create(client: &Client, name: Option<&str>, invited: &[String]) -> Result<String> {
    let encryption = json!({ "algorithm": room::ALGORITHM });
    let mut body = json!({
        "preset": "private_chat",
        "invite": invited,
        "initial_state": [
            { "type": "m.room.encryption", "state_key": "", "content": encryption },
        ],
    });
    if let Some(name) = name {
        body["name"] = json!(name);
    }
    let answer = client.api.post("/_matrix/client/v3/createRoom", &body)?;
    Ok(json::text(&answer, "/room_id")?.to_owned())
}

pub fn invite(client: &Client, room_id: &str, user_id: &str) -> Result<()> {
    let path = format!("/_matrix/client/v3/rooms/{}/invite", segment(room_id));
    client.api.post(&path, &json!({ "user_id": user_id })).map(drop)
}

/// Joins a room that we were invited to, or that is public; also by its alias.
pub fn join(client: &Client, room: &str) -> Result<String> {
    let room = if room.starts_with(['!', '#']) {
        room.to_owned()
    } else {
        resolve(&client.store, room)
            .context("you can join a room that you were invited to, or #alias:server")?
    };
    let path = format!("/_matrix/client/v3/join/{}", segment(&room));
    let answer = client.api.post(&path, &json!({}))?;
    sync::once(client, 0).unwrap_or_else(|error| warn(&format!("joined, but: {error}")));
    Ok(json::text(&answer, "/room_id")?.to_owned())
}
