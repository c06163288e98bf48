//! Queries, verifies and stores the keys of other devices.

use std::collections::BTreeMap;

use anyhow::{Result, bail, ensure};
use moceril::{Curve25519PublicKey, Ed25519PublicKey, device_keys::DeviceKeys, olm::IdentityKeys};
use rusqlite::Row;
use serde_json::{Map, Value, json};

use crate::{account::Client, identity, store::Store, terminal::warn};

/// A device whose keys carry its own signature.
#[derive(Clone, Debug)]
pub struct Device {
    pub user_id: String,
    pub device_id: String,
    pub keys: IdentityKeys,
    /// Whether we have compared emoji with it.
    pub compared: bool,
    /// Whether an identity that is verified has signed it.
    pub signed: bool,
}

const COLUMNS: &str = "SELECT user_id, device_id, ed25519, curve25519, verified, \
    EXISTS (SELECT 1 FROM signed_devices AS signed JOIN identities USING (user_id) \
        WHERE signed.user_id = devices.user_id AND signed.device_id = devices.device_id \
            AND signed.master = identities.verified) \
    FROM devices";

type Columns = (String, String, String, String, bool, bool);

impl Device {
    fn read(row: &Row<'_>) -> rusqlite::Result<Columns> {
        Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?))
    }

    /// Whether we know that it is its user's.
    pub fn verified(&self) -> bool {
        self.compared || self.signed
    }

    /// The devices of a user that exist now.
    pub fn of_user(store: &Store, user_id: &str) -> Result<Vec<Self>> {
        Self::select(store, "user_id = ? AND NOT gone", &[user_id])
    }

    pub fn find(store: &Store, user_id: &str, device_id: &str) -> Result<Option<Self>> {
        let condition = "user_id = ? AND device_id = ? AND NOT gone";
        Ok(Self::select(store, condition, &[user_id, device_id])?.pop())
    }

    /// The device of this user with this Curve25519 key. Also one that is gone: what it sent before
    /// may still be on its way.
    pub fn with_key(store: &Store, user_id: &str, curve25519: &str) -> Result<Option<Self>> {
        let condition = "user_id = ? AND curve25519 = ?";
        Ok(Self::select(store, condition, &[user_id, curve25519])?.pop())
    }

    fn select(store: &Store, condition: &str, values: &[&str]) -> Result<Vec<Self>> {
        let sql = format!("{COLUMNS} WHERE {condition} ORDER BY user_id, device_id");
        let mut statement = store.db.prepare_cached(&sql)?;
        let rows = statement.query_map(rusqlite::params_from_iter(values), Self::read)?;
        rows.map(|row| {
            let (user_id, device_id, ed25519, curve25519, compared, signed) = row?;
            let keys = IdentityKeys {
                ed25519: Ed25519PublicKey::from_base64(&ed25519)?,
                curve25519: Curve25519PublicKey::from_base64(&curve25519)?,
            };
            Ok(Self { user_id, device_id, keys, compared, signed })
        })
        .collect()
    }

    pub fn mark_compared(&self, store: &Store) -> Result<()> {
        let sql = "UPDATE devices SET verified = 1 \
                   WHERE user_id = ? AND device_id = ? AND ed25519 = ?";
        let key = self.keys.ed25519.to_base64();
        ensure!(store.run(sql, [&self.user_id, &self.device_id, &key])? == 1, "no such device");
        Ok(())
    }
}

fn track(store: &Store, user_id: &str) -> Result<()> {
    store.run("INSERT OR IGNORE INTO users (user_id, changes) VALUES (?, 1)", [user_id])?;
    Ok(())
}

/// Notes that our list of a user's devices is outdated.
pub fn outdated(store: &Store, user_id: &str) -> Result<()> {
    track(store, user_id)?;
    changed(store, user_id)
}

/// Notes a change of a user's devices, if we follow them.
pub fn changed(store: &Store, user_id: &str) -> Result<()> {
    store.run("UPDATE users SET changes = changes + 1 WHERE user_id = ?", [user_id])?;
    Ok(())
}

/// Asks for the devices of those users whose current state we do not know.
pub fn refresh<S: AsRef<str>>(client: &Client, users: &[S]) -> Result<()> {
    let store = &client.store;
    // What an answer is known to have in it: the changes that we had heard of when we asked.
    let mut wanted = BTreeMap::<&str, i64>::new();
    for user in users.iter().map(S::as_ref) {
        track(store, user)?;
        let outdated = "SELECT changes FROM users WHERE user_id = ? AND known < changes";
        if let Some(changes) = store.one(outdated, [user])? {
            wanted.insert(user, changes);
        }
    }
    if wanted.is_empty() {
        return Ok(());
    }
    // Our own keys verify what our identity has signed.
    let names: Vec<_> = wanted.keys().copied().chain([client.user_id.as_str()]).collect();
    let answer = query(client, &names)?;
    store.atomically(|| {
        for (user, changes) in &wanted {
            let Some(devices) = answer["device_keys"][*user].as_object() else {
                // Their server may be down; what we know of them stays, and we ask again.
                warn(&format!("the devices of {user} could not be asked for"));
                continue;
            };
            // Meanwhile another command may have heard of a later change, which this answer then
            // does not hide, or stored an answer that may be newer than this one, and that stays.
            let known = "UPDATE users SET known = ?1 WHERE user_id = ?2 AND known < ?1";
            if store.run(known, (changes, user))? == 1 {
                update(client, user, devices, &answer)?;
            }
        }
        Ok(())
    })
}

/// The answer of the server about these users.
pub fn query<S: AsRef<str>>(client: &Client, users: &[S]) -> Result<Value> {
    let names: BTreeMap<&str, [&str; 0]> = users.iter().map(|user| (user.as_ref(), [])).collect();
    let body = json!({ "device_keys": names, "timeout": 10_000 });
    client.api.post("/_matrix/client/v3/keys/query", &body)
}

/// Takes the devices that the server tells for this user, and what its answer says of the user's
/// identity.
pub fn update(
    client: &Client,
    user_id: &str,
    devices: &Map<String, Value>,
    answer: &Value,
) -> Result<()> {
    let store = &client.store;
    for old in Device::of_user(store, user_id)? {
        if !devices.contains_key(&old.device_id) {
            // `room::send` sees that it is no longer a recipient, and begins a new session.
            store.run(
                "UPDATE devices SET gone = 1 WHERE user_id = ? AND device_id = ?",
                [user_id, &old.device_id],
            )?;
        }
    }
    let mut accepted = Vec::new();
    for (device_id, object) in devices {
        let device = DeviceKeys::verify(object.clone(), user_id, device_id)
            .map_err(anyhow::Error::from)
            .and_then(|device| {
                remember(client, user_id, device_id, device.identity_keys())?;
                Ok(device)
            });
        match device {
            Ok(device) => accepted.push(device),
            Err(error) => {
                warn(&format!("device {device_id} of {user_id} is not trusted: {error:#}"));
            }
        }
    }
    identity::update(client, user_id, answer, &accepted)
}

/// Stores a new device. One that we know keeps its keys: a device never changes them, so others are
/// an attack or a mistake.
fn remember(client: &Client, user_id: &str, device_id: &str, keys: IdentityKeys) -> Result<()> {
    let store = &client.store;
    let (ed25519, curve25519) = (keys.ed25519.to_base64(), keys.curve25519.to_base64());
    if (user_id, device_id) == (&client.user_id, &client.device_id) {
        let ours = store.account()?.identity_keys();
        ensure!(keys == ours, "THE SERVER SHOWS OTHER KEYS FOR THIS DEVICE THAN WE HAVE");
    }
    let known = "SELECT count(*) FROM devices WHERE user_id = ? AND device_id = ? \
                 AND (ed25519 <> ? OR curve25519 <> ?)";
    if store.one::<i64>(known, [user_id, device_id, &ed25519, &curve25519])? != Some(0) {
        bail!("ITS KEYS HAVE CHANGED; the new ones are not used");
    }
    // Two devices with one key could be taken for each other.
    let twin = "SELECT count(*) FROM devices WHERE user_id = ? AND device_id <> ? \
                AND (ed25519 = ? OR curve25519 = ?)";
    if store.one::<i64>(twin, [user_id, device_id, &ed25519, &curve25519])? != Some(0) {
        bail!("it has a key of another device");
    }
    store.run(
        "INSERT INTO devices (user_id, device_id, ed25519, curve25519) VALUES (?, ?, ?, ?) \
         ON CONFLICT DO UPDATE SET gone = 0",
        [user_id, device_id, &ed25519, &curve25519],
    )?;
    Ok(())
}
