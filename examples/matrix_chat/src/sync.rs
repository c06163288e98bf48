//! Fetches what is new on the server, saves it in one transaction, and acknowledges it after that.

use anyhow::{Context, Result};
use moceril::megolm::RotationPolicy;
use serde_json::{Value, json};

use crate::{
    account::{Client, one_time_key_count},
    api::segment,
    devices::{self, Device},
    json,
    olm::{self, Received},
    room,
    store::{Store, now},
    terminal::warn,
    verify,
};

/// Pages of old messages that are fetched when much was written in our absence.
const MAX_PAGES: usize = 20;

/// Fetches what is new, waiting for it at most so long, and tells the user who wants to compare
/// emoji.
pub fn once(client: &Client, timeout_ms: u32) -> Result<()> {
    for user_id in fetch(client, timeout_ms)? {
        warn(&format!("{user_id} wants to compare emoji: run `matrix_chat verify --wait`"));
    }
    Ok(())
}

/// Fetches what is new, and returns who wants to compare emoji. The server keeps to-device messages
/// until the next request shows it the token of this answer, which is saved together with all that
/// follows from them: if we die in between, they come again.
pub fn fetch(client: &Client, timeout_ms: u32) -> Result<Vec<String>> {
    let store = &client.store;
    let since = store.meta("next_batch")?;
    let filter = json!({
        "room": { "timeline": { "limit": 100 }, "ephemeral": { "types": [] } },
        "presence": { "types": [] },
    });
    let filter = segment(&filter.to_string());
    let mut path = format!("/_matrix/client/v3/sync?timeout={timeout_ms}&filter={filter}");
    if let Some(since) = &since {
        path.push_str(&format!("&since={}", segment(since)));
    }
    let answer = client.api.get(&path)?;
    ask_for_senders(client, &answer)?;
    let missed = since.as_deref().map(|since| missed(client, &answer, since)).transpose()?;

    let wedged = store.atomically(|| {
        // Another command was faster: what it saved must not be done again.
        if store.meta("next_batch")? != since {
            return Ok(Vec::new());
        }
        for event in missed.iter().flatten() {
            leaving(store, event)?;
            keep_event(store, event)?;
        }
        let wedged = apply(client, &answer)?;
        store.set_meta("next_batch", json::text(&answer, "/next_batch")?)?;
        Ok(wedged)
    })?;
    for device in &wedged {
        olm::recover(client, device)?;
    }
    let unused = answer["device_unused_fallback_key_types"].as_array();
    let fallback_used = unused.is_some_and(|unused| !unused.contains(&json!("signed_curve25519")));
    client.replenish(
        one_time_key_count(&json!({
            "one_time_key_counts": answer["device_one_time_keys_count"],
        })),
        fallback_used,
    )?;
    let now = now();
    let requests =
        events(&answer, "/to_device/events").filter(|event| verify::is_current_request(event, now));
    Ok(requests.filter_map(|event| event["sender"].as_str().map(str::to_owned)).collect())
}

fn events<'a>(value: &'a Value, pointer: &str) -> impl Iterator<Item = &'a Value> {
    value.pointer(pointer).and_then(Value::as_array).into_iter().flatten()
}

fn rooms<'a>(answer: &'a Value, kind: &str) -> impl Iterator<Item = (&'a String, &'a Value)> {
    answer["rooms"][kind].as_object().into_iter().flatten()
}

/// A message from a device that we do not know is only readable with its keys.
fn ask_for_senders(client: &Client, answer: &Value) -> Result<()> {
    let mut unknown = Vec::new();
    for event in events(answer, "/to_device/events") {
        let key = event["content"]["sender_key"].as_str();
        if let (Some(sender), Some(key)) = (event["sender"].as_str(), key)
            && Device::with_key(&client.store, sender, key)?.is_none()
        {
            devices::outdated(&client.store, sender)?;
            unknown.push(sender);
        }
    }
    devices::refresh(client, &unknown)
}

/// The messages between the last answer and this one that were too many for it, oldest first.
fn missed(client: &Client, answer: &Value, since: &str) -> Result<Vec<Value>> {
    let mut all = Vec::new();
    for (room_id, room) in rooms(answer, "join") {
        let mut from = room.pointer("/timeline/prev_batch").and_then(Value::as_str).map(segment);
        let known = "SELECT room_id FROM events WHERE room_id = ?1 \
                     UNION SELECT room_id FROM outbound WHERE room_id = ?1";
        let new = client.store.one::<String>(known, [room_id])?.is_none();
        if new || room.pointer("/timeline/limited") != Some(&json!(true)) {
            continue;
        }
        let mut of_room = Vec::new();
        for page in 0.. {
            let Some(token) = from.take() else { break };
            if page == MAX_PAGES {
                // Among them, somebody may have left.
                client.store.run("DELETE FROM outbound WHERE room_id = ?", [room_id])?;
                warn(&format!("messages in {room_id} were left out: there are too many"));
                break;
            }
            let (room, since) = (segment(room_id), segment(since));
            let page = client.api.get(&format!(
                "/_matrix/client/v3/rooms/{room}/messages?dir=b&limit=100&from={token}&to={since}"
            ))?;
            let before = of_room.len();
            of_room.extend(events(&page, "/chunk").map(|event| in_room(event, room_id)));
            from = page["end"].as_str().map(segment).filter(|_| of_room.len() > before);
        }
        all.extend(of_room.into_iter().rev());
    }
    Ok(all)
}

fn in_room(event: &Value, room_id: &str) -> Value {
    let mut event = event.clone();
    event["room_id"] = json!(room_id);
    event
}

fn apply(client: &Client, answer: &Value) -> Result<Vec<Device>> {
    let store = &client.store;
    // Of the changes of those who left nobody tells us any more: when they come back, we ask.
    for list in ["/device_lists/changed", "/device_lists/left"] {
        for user in events(answer, list).filter_map(Value::as_str) {
            devices::changed(store, user)?;
        }
    }
    let mut wedged = Vec::new();
    for event in events(answer, "/to_device/events") {
        match to_device(client, event) {
            Ok(device) => wedged.extend(device),
            Err(error) => {
                let sender = event["sender"].as_str().unwrap_or("somebody");
                warn(&format!("a message of {sender} was dropped: {error:#}"));
            }
        }
    }
    for (room_id, room) in rooms(answer, "join") {
        membership(store, room_id, "join")?;
        let timeline = || events(room, "/timeline/events");
        for event in events(room, "/state/events").chain(timeline()) {
            state(store, room_id, event)?;
        }
        for event in timeline().map(|event| in_room(event, room_id)) {
            leaving(store, &event)?;
            keep_event(store, &event)?;
        }
    }
    for (room_id, room) in rooms(answer, "invite") {
        membership(store, room_id, "invite")?;
        for event in events(room, "/invite_state/events") {
            state(store, room_id, event)?;
        }
    }
    for (room_id, _) in rooms(answer, "leave") {
        membership(store, room_id, "leave")?;
        // Who leaves in our absence, we are not told.
        store.run("DELETE FROM outbound WHERE room_id = ?", [room_id])?;
    }
    Ok(wedged)
}

/// Returns the device if its session is wedged.
fn to_device(client: &Client, event: &Value) -> Result<Option<Device>> {
    let store = &client.store;
    let kind = json::text(event, "/type")?;
    if kind.starts_with("m.key.verification.") {
        verify::receive(store, event)?;
        return Ok(None);
    }
    // An unencrypted room key has no known sender.
    if kind != "m.room.encrypted" {
        return Ok(None);
    }
    match olm::receive(client, event)? {
        Received::Message(device, payload) if payload.event_type == "m.room_key" => {
            room::receive_key(store, &device, &payload.content).context("a room key")?;
            Ok(None)
        }
        Received::Message(device, payload) if payload.event_type == "m.dummy" => {
            room::share_again(store, &device.user_id, &device.device_id)?;
            Ok(None)
        }
        Received::Message(..) | Received::Nothing => Ok(None),
        Received::Wedged(device) => {
            let Device { user_id, device_id, .. } = &device;
            warn(&format!(
                "a message of device {device_id} of {user_id} cannot be decrypted; -v says why"
            ));
            Ok(Some(device))
        }
    }
}

fn membership(store: &Store, room_id: &str, membership: &str) -> Result<()> {
    store.run(
        "INSERT INTO rooms (room_id, membership) VALUES (?, ?) \
         ON CONFLICT DO UPDATE SET membership = excluded.membership",
        [room_id, membership],
    )?;
    Ok(())
}

pub fn state(store: &Store, room_id: &str, event: &Value) -> Result<()> {
    let (Some(kind), Some(key)) = (event["type"].as_str(), event["state_key"].as_str()) else {
        return Ok(());
    };
    let content = &event["content"];
    match (kind, key) {
        ("m.room.name", "") => {
            let name = content["name"].as_str();
            store.run("UPDATE rooms SET name = ? WHERE room_id = ?", (name, room_id))?;
        }
        // There is no way back: a server that says otherwise is not believed.
        ("m.room.encryption", "") if content["algorithm"] == room::ALGORITHM => {
            let policy = RotationPolicy::from_json(content);
            let seconds = i64::try_from(policy.age.as_secs())?;
            store.run(
                "UPDATE rooms SET encrypted = 1, rotation_messages = ?, rotation_seconds = ? \
                 WHERE room_id = ?",
                (policy.messages, seconds, room_id),
            )?;
        }
        ("m.room.history_visibility", "") => {
            let visibility = content["history_visibility"].as_str();
            let is_shared = matches!(visibility, Some("shared" | "world_readable"));
            store.run(
                "UPDATE rooms SET shared_history = ? WHERE room_id = ?",
                (is_shared, room_id),
            )?;
        }
        ("m.room.member", user_id) => {
            let membership = content["membership"].as_str().unwrap_or("leave");
            store.run(
                "REPLACE INTO members (room_id, user_id, membership) VALUES (?, ?, ?)",
                [room_id, user_id, membership],
            )?;
        }
        _ => {}
    }
    Ok(())
}

/// Ends our Megolm session when somebody leaves, or loses an invitation: also if they are back
/// before we send again, and if we did not give them the key, for somebody else in the room may
/// have.
fn leaving(store: &Store, event: &Value) -> Result<()> {
    let stays =
        matches!(event["content"]["membership"].as_str(), Some("join" | "invite" | "knock"));
    if event["type"] == "m.room.member" && !stays {
        store.run("DELETE FROM outbound WHERE room_id = ?", [json::text(event, "/room_id")?])?;
    }
    Ok(())
}

/// Keeps a message as it arrived: it is decrypted when it is shown, or when its key arrives.
fn keep_event(store: &Store, event: &Value) -> Result<()> {
    let message = event["type"] == "m.room.encrypted" || event["type"] == "m.room.message";
    if let (true, Some(id)) = (message, event["event_id"].as_str()) {
        let room_id = json::text(event, "/room_id")?;
        store.run(
            "INSERT OR IGNORE INTO events (room_id, event_id, json) VALUES (?, ?, ?)",
            [room_id, id, &event.to_string()],
        )?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use moceril::olm::Account;

    use super::*;
    use crate::{fake_server::FakeServer, store::Directory};

    /// Mallory writes to us, and leaves a room, with events that cannot be read whole.
    #[test]
    fn an_unreadable_event_keeps_nothing_else_from_us() {
        let directory = Directory::new();
        let store = Store::create(&directory).unwrap();
        store.save_account(&Account::new().unwrap()).unwrap();
        let row = "INSERT INTO outbound (room_id, session_id, pickle) VALUES ('!room', '', '')";
        store.run(row, []).unwrap();
        let mallory = "@mallory:there";
        let to_us = json!({ "type": "m.dummy", "sender": mallory, "content": { "x": "DEEP" } });
        let leaves = json!({
            "type": "m.room.member", "sender": mallory, "state_key": mallory, "event_id": "$1",
            "content": { "membership": "leave", "x": "DEEP" },
        });
        let said = json!({ "type": "m.room.message", "event_id": "$2", "sender": "@bob:there" });
        let answer = json!({
            "next_batch": "next",
            "to_device": { "events": [to_us] },
            "rooms": { "join": { "!room": { "timeline": { "events": [leaves, said] } } } },
        });
        let deep = format!("{}{}", "[".repeat(1_000), "]".repeat(1_000));
        let answer = answer.to_string().replace("\"DEEP\"", &deep);
        let server = FakeServer::new(move |request| {
            let answer = if request.contains("/sync") { &answer } else { "{}" };
            (200, "X: y".to_owned(), answer.to_owned())
        });
        let client = server.alice(store);
        assert!(fetch(&client, 0).unwrap().is_empty());
        let one = |sql| client.store.one::<String>(sql, []).unwrap();
        assert_eq!(client.store.meta("next_batch").unwrap().as_deref(), Some("next"));
        assert_eq!(one("SELECT event_id FROM events").as_deref(), Some("$2"));
        assert_eq!(one("SELECT membership FROM members").as_deref(), Some("leave"));
        // Mallory's leaving ends our session.
        assert_eq!(one("SELECT room_id FROM outbound"), None);
    }
}
