//! Server-side backup of room keys, encrypted with a key that only the user has.

use anstream::println;
use anyhow::{Context, Result, bail, ensure};
use moceril::{
    Curve25519PublicKey,
    backup::{BackupDecryptionKey, BackupEncryptionKey, BackupMessage},
    room_keys::ExportedRoomKey,
    signed_json,
};
use serde_json::{Value, json};

use crate::{
    account::Client,
    api::{refusal, segment},
    json, room_key, secrets,
    terminal::{progress, secret, waiting, warn},
};

const ALGORITHM: &str = "m.megolm_backup.v1.curve25519-aes-sha2";
/// Keys in one request.
const BATCH: usize = 100;

/// The name of a backup's key in secret storage.
const SECRET: &str = "m.megolm_backup.v1";

const NO_BACKUP: &str = "this device uses no backup: `matrix_chat backup create` begins one, \
                         `matrix_chat backup restore` uses the one on the server";

const MARK_AS_BACKED_UP: &str =
    "UPDATE inbound SET backed_up = 1 WHERE room_id = ? AND session_id = ?";

/// Begins a backup, whose key goes into the user's secret storage. The recovery key of the storage
/// is shown if it is a new one.
pub fn create(client: &Client) -> Result<()> {
    if let Some(present) = present(client)? {
        bail!(
            "there is backup {} already: `matrix_chat backup restore` makes this device use it",
            json::text(&present, "/version")?
        );
    }
    let (storage, is_new) = secrets::open_or_begin(client)?;
    let key = BackupDecryptionKey::new()?;
    let public_key = key.public_key().to_base64();
    let mut auth_data = json!({ "public_key": public_key });
    let account = client.store.account()?;
    signed_json::sign(&mut auth_data, &client.user_id, &client.device_id, &account)?;
    // First the key, and how to get at it: a backup without them could never be read.
    storage.put(client, SECRET, &key.to_base64())?;
    if is_new {
        storage.make_default(client)?;
        secrets::show(&storage.recovery_key());
    }
    let body = json!({ "algorithm": ALGORITHM, "auth_data": auth_data });
    let answer = client.api.post("/_matrix/client/v3/room_keys/version", &body)?;
    use_version(client, json::text(&answer, "/version")?, &public_key)?;
    if !is_new {
        println!("The recovery key that you have opens this backup, too.");
    }
    Ok(())
}

/// From now on this device uploads to that backup. The key was ours or the user's; what the server
/// says of it later does not matter.
fn use_version(client: &Client, version: &str, public_key: &str) -> Result<()> {
    client.store.atomically(|| {
        if client.store.meta("backup_version")?.as_deref() != Some(version) {
            client.store.run("UPDATE inbound SET backed_up = 0", [])?;
        }
        client.store.set_meta("backup_version", version)?;
        client.store.set_meta("backup_public_key", public_key)
    })
}

fn present(client: &Client) -> Result<Option<Value>> {
    match client.api.get("/_matrix/client/v3/room_keys/version") {
        Ok(version) => Ok(Some(version)),
        Err(error) => match refusal(&error) {
            Some(refused) if refused.status == 404 => Ok(None),
            _ => Err(error),
        },
    }
}

/// Uploads the keys that are not in the backup. Returns how many.
pub fn upload(client: &Client) -> Result<usize> {
    let store = &client.store;
    let meta = |name| store.meta(name)?.context(NO_BACKUP);
    let (version, public_key) = (meta("backup_version")?, meta("backup_public_key")?);
    let encryption_key =
        BackupEncryptionKey::from_trusted_key(Curve25519PublicKey::from_base64(&public_key)?);
    let keys = room_key::select(store, "NOT backed_up")?;
    let path = format!("/_matrix/client/v3/room_keys/keys?version={}", segment(&version));
    let bar = progress(keys.len());
    for batch in keys.chunks(BATCH) {
        let mut rooms = json!({});
        for key in batch {
            let message = encryption_key.encrypt(key.key.to_backup_json()?.as_bytes())?.to_base64();
            rooms[&key.key.room_id]["sessions"][&key.session_id] = json!({
                "first_message_index": key.first_index,
                "forwarded_count": 0,
                "is_verified": false,
                "session_data": {
                    "ephemeral": message.ephemeral_key,
                    "ciphertext": message.ciphertext,
                    "mac": message.mac,
                },
            });
        }
        client.api.put(&path, &json!({ "rooms": rooms })).context("the keys were not uploaded")?;
        for key in batch {
            store.run(MARK_AS_BACKED_UP, [&key.key.room_id, &key.session_id])?;
        }
        bar.inc(batch.len() as u64);
    }
    Ok(keys.len())
}

/// Fetches all keys of the backup. Returns how many let us read more than before, of how many.
///
/// The server could have made any of them, so they are imported as what they are (S-31), and it is
/// not told which of them decrypt.
pub fn restore(client: &Client) -> Result<(usize, usize)> {
    let store = &client.store;
    let present = present(client)?
        .context("the server has no backup of yours: `matrix_chat backup create` begins one")?;
    ensure!(json::text(&present, "/algorithm")? == ALGORITHM, "the backup's algorithm is unknown");
    let version = json::text(&present, "/version")?;
    let claimed = Curve25519PublicKey::from_base64(json::text(&present, "/auth_data/public_key")?)?;
    let key = decryption_key(client, claimed)
        .with_context(|| format!("backup {version} stays locked"))?;
    let public_key = claimed.to_base64();
    use_version(client, version, &public_key)?;

    let path = format!("/_matrix/client/v3/room_keys/keys?version={}", segment(version));
    let spinner = waiting("Fetching the keys");
    let answer = client.api.get(&path)?;
    drop(spinner);
    let mut keys = Vec::new();
    for (room_id, room) in answer["rooms"].as_object().into_iter().flatten() {
        for (session_id, data) in room["sessions"].as_object().into_iter().flatten() {
            keys.push((room_id, session_id, &data["session_data"]));
        }
    }
    let (mut gained, bar) = (0, progress(keys.len()));
    store.atomically(|| {
        for (room_id, session_id, data) in &keys {
            match open(client, &key, room_id, session_id, data) {
                Ok(false) => {}
                Ok(true) => {
                    gained += 1;
                    // Not sent back, which would tell the server that it decrypted.
                    store.run(MARK_AS_BACKED_UP, [room_id, session_id])?;
                }
                Err(error) => bar.suspend(|| warn(&format!("a key was left out: {error:#}"))),
            }
            bar.inc(1);
        }
        Ok(())
    })?;
    Ok((gained, keys.len()))
}

/// The private key of the backup. What the user types may be its recovery key; or it opens the
/// secret storage, in which most clients keep the backup's key.
fn decryption_key(client: &Client, public_key: Curve25519PublicKey) -> Result<BackupDecryptionKey> {
    let typed = secret(secrets::QUESTION)?;
    let own = BackupDecryptionKey::from_recovery_key(&typed);
    match own {
        Ok(key) if key.public_key() == public_key => return Ok(key),
        _ => {}
    }
    let Some(locked) = secrets::find(client)? else {
        own?;
        bail!("this is the recovery key of another backup");
    };
    let stored = locked.unlock(&typed)?.get(client, SECRET)?;
    let key = BackupDecryptionKey::from_base64(&stored)?;
    ensure!(key.public_key() == public_key, "your secret storage has the key of another backup");
    Ok(key)
}

fn open(
    client: &Client,
    key: &BackupDecryptionKey,
    room_id: &str,
    session_id: &str,
    data: &Value,
) -> Result<bool> {
    let member = |name| json::text(data, name);
    let message =
        BackupMessage::from_base64(member("/ciphertext")?, member("/mac")?, member("/ephemeral")?)?;
    let json = key.decrypt_unauthenticated(&message)?;
    let json = std::str::from_utf8(&json)?;
    let key = ExportedRoomKey::from_backup_json(json, room_id, session_id)?;
    room_key::keep(&client.store, &key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        fake_server::FakeServer,
        store::{Directory, Store},
    };

    #[test]
    fn a_backup_begins_when_its_key_is_within_the_users_reach() {
        let directory = Directory::new();
        let store = Store::create(&directory).unwrap();
        store.save_account(&moceril::olm::Account::new().unwrap()).unwrap();
        // There is nothing yet, and the server fails when the storage is made the user's.
        let server = FakeServer::new(|request| {
            let status = match request {
                line if line.starts_with("GET") => 404,
                line if line.contains("default_key") => 500,
                _ => 200,
            };
            (status, "X: y".to_owned(), json!({ "version": "1" }))
        });
        let client = server.alice(store);
        assert_eq!(refusal(&create(&client).unwrap_err()).unwrap().status, 500);
        let requests = server.requests();
        assert!(requests.iter().any(|request| request.contains(SECRET)));
        assert!(requests.iter().all(|request| !request.starts_with("POST")));
        assert_eq!(client.store.meta("backup_version").unwrap(), None);
    }
}
