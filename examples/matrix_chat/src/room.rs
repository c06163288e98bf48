//! Megolm: what is said in a room, and who gets its keys.

use std::{collections::BTreeSet, time::Duration};

use anyhow::{Result, ensure};
use moceril::{
    events::MegolmContent,
    megolm::{
        DecryptionError, GroupSession, InboundGroupSession, Provenance, ReplayGuard, ReplayVerdict,
        RotationPolicy,
    },
    room_keys::RoomKey,
};
use serde_json::{Map, Value, json};
use tracing::info;
use zeroize::Zeroizing;

use crate::{
    account::Client,
    api::segment,
    devices::{self, Device},
    json, olm, room_key,
    store::{Store, now, unique},
    terminal::warn,
};

/// What the state of an encrypted room says.
pub const ALGORITHM: &str = "m.megolm.v1.aes-sha2";

/// What an event says.
pub enum Read {
    Text {
        text: String,
        author: Author,
        /// The replay guard was full and has forgotten this message, if it has seen it: somebody
        /// may show it a second time.
        maybe_replayed: bool,
    },
    /// The key has not come yet; it may. Why, is told with `-v`.
    NoKey(String),
    /// Its content cannot be trusted, and why.
    Bad(String),
}

/// What is known of the device that wrote an event.
pub enum Author {
    /// Our user compared emoji with its user.
    Verified,
    /// Its keys are signed by itself alone.
    Unverified { user_id: String, device_id: String },
    /// The key of the session came from a file or a backup: somebody else may have written it.
    Unproven(Provenance),
}

/// Who a session belongs to, as whoever gave us its key says.
pub struct Owner<'a> {
    pub user_id: Option<&'a str>,
    pub curve25519: &'a str,
    pub ed25519: &'a str,
    /// Whether those who join the room later may have the key, too.
    pub shared_history: bool,
}

/// Those in a room, invited ones too.
fn members(store: &Store, room_id: &str) -> Result<Vec<String>> {
    let members =
        "SELECT user_id FROM members WHERE room_id = ? AND membership IN ('join', 'invite')";
    store.all(members, [room_id])
}

/// The devices that should read what we write now.
fn recipients(client: &Client, room_id: &str, verified_only: bool) -> Result<Vec<Device>> {
    let mut recipients = Vec::new();
    for member in members(&client.store, room_id)? {
        recipients.extend(Device::of_user(&client.store, &member)?);
    }
    recipients.retain(|device| {
        let ourselves = device.user_id == client.user_id && device.device_id == client.device_id;
        !ourselves && (device.verified() || !verified_only)
    });
    Ok(recipients)
}

/// Encrypts a text for everybody in the room, and sends it.
pub fn send(client: &Client, room_id: &str, text: &str, verified_only: bool) -> Result<()> {
    let store = &client.store;
    let encrypted = store.one("SELECT encrypted FROM rooms WHERE room_id = ?", [room_id])?;
    ensure!(
        encrypted == Some(true),
        "this room is not encrypted, and we send nothing in the clear: create another one"
    );
    devices::refresh(client, &members(store, room_id)?)?;
    olm::ensure_sessions(client, &recipients(client, room_id, verified_only)?)?;
    store.atomically(|| {
        // While we asked the server, another command may have learned that somebody left.
        let recipients = recipients(client, room_id, verified_only)?;
        let mut session = match store.outbound(room_id)? {
            Some(session) if !is_over(store, room_id, &session, &recipients)? => session,
            _ => begin(client, room_id)?,
        };
        share(client, room_id, &session, &recipients)?;
        let payload = json!({
            "type": "m.room.message",
            "content": { "msgtype": "m.text", "body": text },
            "room_id": room_id,
        });
        let message = session.encrypt(payload.to_string().as_bytes())?;
        store.save_outbound(room_id, &session)?;
        let path = format!(
            "/_matrix/client/v3/rooms/{}/send/m.room.encrypted/{}",
            segment(room_id),
            unique()?
        );
        let mut content = MegolmContent::new(&session.session_id(), message);
        // Deprecated by the specification, but older clients look for them.
        let sender_key = store.account()?.curve25519_key().to_base64();
        content.other.insert("sender_key".to_owned(), json!(sender_key));
        content.other.insert("device_id".to_owned(), json!(client.device_id));
        store.queue(&path, &content.to_json())
    })?;
    client.flush()
}

/// Whether a new session must begin: because the old one is due for rotation, or because somebody
/// has its key who should not read on, since they left, their device is gone, or only verified
/// devices are wanted now (S-20).
fn is_over(
    store: &Store,
    room_id: &str,
    session: &GroupSession,
    recipients: &[Device],
) -> Result<bool> {
    let mut policy = RotationPolicy::default();
    // The room may ask for more frequent changes than the specification's default, not for less.
    let number = |column: &str| {
        let sql = format!("SELECT coalesce({column}, -1) FROM rooms WHERE room_id = ?");
        store.one::<i64>(&sql, [room_id])
    };
    if let Some(Ok(messages)) = number("rotation_messages")?.map(u32::try_from) {
        policy.messages = policy.messages.min(messages.max(1));
    }
    if let Some(Ok(seconds)) = number("rotation_seconds")?.map(u64::try_from) {
        policy.age = policy.age.min(Duration::from_secs(seconds.max(60)));
    }
    let name = |device: &Device| format!("{}\n{}", device.user_id, device.device_id);
    let allowed: BTreeSet<String> = recipients.iter().map(name).collect();
    let holders = "SELECT user_id || char(10) || device_id FROM shared WHERE session_id = ?";
    let holders: Vec<String> = store.all(holders, [session.session_id()])?;
    // Who may have the key later was said when it was shared, and must stay true.
    let promised = "SELECT shared_history FROM inbound WHERE room_id = ? AND session_id = ?";
    let promised = store.one::<bool>(promised, [room_id, &session.session_id()])?;
    Ok(session.rotation_due(&policy, Duration::from_secs(now()))
        || promised != Some(shared_history(store, room_id)?)
        || holders.iter().any(|name| !allowed.contains(name)))
}

/// Whether those who join the room later may read what is said now.
fn shared_history(store: &Store, room_id: &str) -> Result<bool> {
    let sql = "SELECT shared_history FROM rooms WHERE room_id = ?";
    Ok(store.one(sql, [room_id])?.unwrap_or(false))
}

/// A new session, whose other end we keep as well: to read, back up and export what we wrote.
fn begin(client: &Client, room_id: &str) -> Result<GroupSession> {
    let session = GroupSession::new(Duration::from_secs(now()))?;
    let keys = client.store.account()?.identity_keys();
    let owner = Owner {
        user_id: Some(&client.user_id),
        curve25519: &keys.curve25519.to_base64(),
        ed25519: &keys.ed25519.to_base64(),
        shared_history: shared_history(&client.store, room_id)?,
    };
    let inbound = InboundGroupSession::new(&session.session_key());
    keep(&client.store, room_id, inbound, &owner)?;
    Ok(session)
}

/// Queues the session's present key for those devices that do not have it yet.
fn share(
    client: &Client,
    room_id: &str,
    session: &GroupSession,
    recipients: &[Device],
) -> Result<()> {
    let id = session.session_id();
    let mut key = RoomKey::new(room_id, session.session_key());
    let shared_history = shared_history(&client.store, room_id)?;
    key.other.insert(room_key::SHARED_HISTORY.to_owned(), json!(shared_history));
    let content = key.to_json()?;
    let mut messages = Vec::new();
    for device in recipients {
        let name = [&id, &device.user_id, &device.device_id];
        let has = "SELECT count(*) FROM shared \
                   WHERE session_id = ? AND user_id = ? AND device_id = ? AND NOT again";
        if client.store.one(has, name)? == Some(1) {
            continue;
        }
        // Without a session they get the key of a later message, once they offer one-time keys
        // again.
        if let Some(message) = olm::encrypt(client, device, "m.room_key", &content)? {
            let sql = "REPLACE INTO shared (session_id, user_id, device_id) VALUES (?, ?, ?)";
            client.store.run(sql, name)?;
            messages.push((device, message));
        }
    }
    olm::queue(client, &messages)
}

/// Takes a room key that came over Olm.
pub fn receive_key(store: &Store, from: &Device, content: &str) -> Result<()> {
    let RoomKey { room_id, session_key, other } = RoomKey::from_json(content)?;
    let (session, index) = (session_key.session_id(), session_key.index());
    info!(room = room_id, sender = from.user_id, session, index, "a room key has come");
    let owner = Owner {
        user_id: Some(&from.user_id),
        curve25519: &from.keys.curve25519.to_base64(),
        ed25519: &from.keys.ed25519.to_base64(),
        shared_history: room_key::is_shared_history(&other),
    };
    keep(store, &room_id, InboundGroupSession::new(&session_key), &owner)?;
    Ok(())
}

/// A device that made a new Olm session may have lost room keys with the old one, and one whose
/// keys the server refused has none: it gets the present ones again with the next message.
pub fn share_again(store: &Store, user_id: &str, device_id: &str) -> Result<()> {
    let sql = "UPDATE shared SET again = 1 WHERE user_id = ? AND device_id = ?";
    store.run(sql, [user_id, device_id])?;
    Ok(())
}

/// Stores a session, or merges it with the one we have. Returns whether we can read more than
/// before.
pub fn keep(
    store: &Store,
    room_id: &str,
    session: InboundGroupSession,
    owner: &Owner<'_>,
) -> Result<bool> {
    let id = session.session_id();
    let known = "SELECT pickle FROM inbound WHERE room_id = ? AND session_id = ?";
    let Some(pickle) = store.one::<String>(known, [room_id, &id])? else {
        let pickle = store.pickle_inbound(room_id, &session)?;
        let guard = store.pickle_guard(room_id, &ReplayGuard::new(&session))?;
        store.run(
            "INSERT INTO inbound (room_id, session_id, pickle, guard, sender, sender_key, \
             sender_ed25519, shared_history) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                room_id,
                &id,
                &pickle,
                &guard,
                owner.user_id,
                owner.curve25519,
                owner.ed25519,
                owner.shared_history,
            ),
        )?;
        return Ok(true);
    };
    let old = store.open_inbound(room_id, &id, &pickle)?;
    let Ok(merged) = old.merge(&session) else {
        ensure!(session.replaces(&old), "it has the id of another session that we know");
        warn(&format!(
            "the key of session {id} in {room_id} was not its owner's; the one that came now is \
             used: `tail --all` shows again what could not be read"
        ));
        store.run("DELETE FROM inbound WHERE room_id = ? AND session_id = ?", [room_id, &id])?;
        return keep(store, room_id, session, owner);
    };
    // From the first index that both know on, the better of the two counts (S-43).
    let common = session.first_known_index().max(old.first_known_index());
    let trusted_more = merged.provenance_at(common) > old.provenance_at(common);
    if merged.first_known_index() == old.first_known_index() && !trusted_more {
        return Ok(false);
    }
    // The better of the two says who owns it and who may read it later, and the one that came first
    // if they are equal.
    if trusted_more {
        store.run(
            "UPDATE inbound SET sender = ?, sender_key = ?, sender_ed25519 = ?, \
             shared_history = ? WHERE room_id = ? AND session_id = ?",
            (owner.user_id, owner.curve25519, owner.ed25519, owner.shared_history, room_id, &id),
        )?;
    }
    store.run(
        "UPDATE inbound SET pickle = ?, backed_up = 0 WHERE room_id = ? AND session_id = ?",
        [&store.pickle_inbound(room_id, &merged)?, room_id, &id],
    )?;
    Ok(true)
}

/// Decrypts an event of a room and notes that it was seen (S-19).
pub fn read(store: &Store, room_id: &str, event: &Value) -> Result<Read> {
    let read = decrypt(store, room_id, event)?;
    if let Read::NoKey(reason) | Read::Bad(reason) = &read {
        let content = MegolmContent::from_json(&event["content"]).ok();
        info!(
            room = room_id,
            event = event["event_id"].as_str(),
            sender = event["sender"].as_str(),
            session = content.as_ref().map(|content| content.session_id.as_str()),
            index = content.as_ref().map(|content| content.message.message_index()),
            reason,
            "a message cannot be read"
        );
    }
    Ok(read)
}

fn decrypt(store: &Store, room_id: &str, event: &Value) -> Result<Read> {
    let content = &event["content"];
    if content.as_object().is_none_or(Map::is_empty) {
        return Ok(Read::Bad("it was removed".into()));
    }
    let MegolmContent { session_id: id, message, .. } = match MegolmContent::from_json(content) {
        Ok(content) => content,
        Err(error) => return Ok(Read::Bad(error.to_string())),
    };
    let row = store.db.query_row(
        "SELECT pickle, guard, sender, sender_key, sender_ed25519 FROM inbound \
         WHERE room_id = ? AND session_id = ?",
        [room_id, &id],
        |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?)),
    );
    let (pickle, guard, owner, key, ed25519): (String, String, Option<String>, String, String) =
        match row {
            Err(rusqlite::Error::QueryReturnedNoRows) => {
                return Ok(Read::NoKey("the session is unknown: its key has not come".into()));
            }
            row => row?,
        };
    let mut session = store.open_inbound(room_id, &id, &pickle)?;
    let decrypted = match session.decrypt(&message) {
        Ok(decrypted) => decrypted,
        Err(error @ DecryptionError::UnknownIndex { .. }) => {
            return Ok(Read::NoKey(error.to_string()));
        }
        Err(error) => return Ok(Read::Bad(error.to_string())),
    };
    let mut guard = store.open_guard(room_id, &guard, &session)?;
    let maybe_replayed = match guard.check(&decrypted, json::text(event, "/event_id")?) {
        Ok(verdict) => verdict == ReplayVerdict::Unknown,
        Err(error) => return Ok(Read::Bad(error.to_string())),
    };
    let provenance = decrypted.provenance();
    let plaintext = Zeroizing::new(decrypted.into_plaintext());
    let payload: Value = serde_json::from_slice(&plaintext).unwrap_or_default();
    if payload["room_id"] != *room_id {
        return Ok(Read::Bad("it was written for another room".into()));
    }
    let sender = json::text(event, "/sender")?;
    if owner.is_some_and(|owner| owner != sender) {
        return Ok(Read::Bad("its key belongs to somebody else".into()));
    }
    let device = Device::with_key(store, sender, &key)?
        .filter(|device| device.keys.ed25519.to_base64() == ed25519);
    let author = match device {
        Some(device) if provenance == Provenance::Signed => match device.verified() {
            true => Author::Verified,
            false => Author::Unverified { user_id: device.user_id, device_id: device.device_id },
        },
        _ => Author::Unproven(provenance),
    };
    store.run(
        "UPDATE inbound SET pickle = ?, guard = ? WHERE room_id = ? AND session_id = ?",
        (
            store.pickle_inbound(room_id, &session)?,
            store.pickle_guard(room_id, &guard)?,
            room_id,
            id,
        ),
    )?;
    let text = match payload["content"]["body"].as_str() {
        Some(body) => body.to_owned(),
        None => format!("[{}]", payload["type"].as_str().unwrap_or("something without a type")),
    };
    Ok(Read::Text { text, author, maybe_replayed })
}

#[cfg(test)]
mod tests;
