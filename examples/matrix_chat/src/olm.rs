//! Olm: sessions with devices, and what is said over them.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use moceril::{
    device_keys,
    events::OlmContent,
    olm::{DecryptedMessage, DecryptionError, SessionCreationError},
    payload::{self, OlmPayload},
};
use serde_json::{Value, json};
use tracing::info;
use zeroize::Zeroizing;

use crate::{
    account::Client,
    api::segment,
    devices::Device,
    json,
    store::{now, unique},
    terminal::warn,
};

/// A device gets a new session in place of a broken one at most once in this many seconds.
const RECOVERY_INTERVAL: u64 = 60 * 60;

/// Messages in one request. A server takes a megabyte or less, and a room key has a kilobyte.
const BATCH: usize = 100;

/// Where messages for devices are sent; the name of the transaction follows.
pub const SEND_ENCRYPTED: &str = "/_matrix/client/v3/sendToDevice/m.room.encrypted";

/// What became of an Olm event.
pub enum Received {
    Message(Device, OlmPayload),
    /// It came before, or it is not for us: there is nothing to do.
    Nothing,
    /// No session opens it. A new one may help.
    Wedged(Device),
}

/// Makes sessions with those devices that have none, from one-time keys whose signatures verify.
pub fn ensure_sessions(client: &Client, devices: &[Device]) -> Result<()> {
    let mut missing = Vec::new();
    for device in devices {
        if client.store.olm_sessions(&device.keys.curve25519.to_base64())?.is_empty() {
            missing.push(device);
        }
    }
    claim(client, &missing).map(drop)
}

/// Makes a new session with each of the devices, and tells how many there are now.
fn claim(client: &Client, devices: &[&Device]) -> Result<usize> {
    let mut wanted = BTreeMap::<&str, BTreeMap<&str, &str>>::new();
    for device in devices {
        let of_user = wanted.entry(&device.user_id).or_default();
        of_user.insert(&device.device_id, "signed_curve25519");
    }
    if wanted.is_empty() {
        return Ok(0);
    }
    let body = json!({ "one_time_keys": wanted, "timeout": 10_000 });
    let answer = client.api.post("/_matrix/client/v3/keys/claim", &body)?;
    client.store.atomically(|| {
        let mut made = devices.len();
        for device in devices {
            let keys = &answer["one_time_keys"][&device.user_id][&device.device_id];
            if let Err(error) = create_session(client, device, keys) {
                let Device { user_id, device_id, .. } = device;
                warn(&format!("no session with device {device_id} of {user_id}: {error:#}"));
                made -= 1;
            }
        }
        Ok(made)
    })
}

fn create_session(client: &Client, device: &Device, keys: &Value) -> Result<()> {
    let keys = keys.as_object().context("it has no one-time key left")?;
    let (_, object) = keys
        .iter()
        .find(|(id, _)| id.starts_with("signed_curve25519:"))
        .context("it has no signed one-time key")?;
    let Device { user_id, device_id, keys, .. } = device;
    let bundle = device_keys::verify_one_time_key(object, user_id, device_id, *keys)?;
    let session = client.store.account()?.create_outbound_session(&bundle)?;
    client.store.save_olm_session(&device.keys.curve25519.to_base64(), &session, false)
}

/// Encrypts for one device and saves the session. `None` if there is no session with it. Call it in
/// the transaction that queues the result.
pub fn encrypt(client: &Client, to: &Device, kind: &str, content: &str) -> Result<Option<Value>> {
    let their_key = to.keys.curve25519.to_base64();
    let mut sessions = client.store.olm_sessions(&their_key)?;
    let Some(session) = sessions.first_mut() else { return Ok(None) };
    let account = client.store.account()?;
    let us = payload::Device { user_id: &client.user_id, keys: account.identity_keys() };
    let them = payload::Device { user_id: &to.user_id, keys: to.keys };
    let payload = OlmPayload::encode(kind, content, &us, &them)?;
    let message = session.encrypt(payload.as_bytes())?;
    client.store.save_olm_session(&their_key, session, false)?;
    let content = OlmContent { sender_key: account.curve25519_key(), message };
    Ok(Some(content.to_json(&to.keys.curve25519)))
}

/// Queues encrypted messages to devices. A request that the server refuses takes only its own
/// messages with it.
pub fn queue(client: &Client, messages: &[(&Device, Value)]) -> Result<()> {
    for batch in messages.chunks(BATCH) {
        let mut by_user = BTreeMap::<&str, BTreeMap<&str, &Value>>::new();
        for (device, content) in batch {
            by_user.entry(&device.user_id).or_default().insert(&device.device_id, content);
        }
        let path = format!("{SEND_ENCRYPTED}/{}", unique()?);
        client.store.queue(&path, &json!({ "messages": by_user }))?;
    }
    Ok(())
}

/// Sends a message to a device as it is: for verifications, which authenticate themselves.
pub fn send_plain(client: &Client, to: &Device, kind: &str, content: &Value) -> Result<()> {
    let path = format!("/_matrix/client/v3/sendToDevice/{}/{}", segment(kind), unique()?);
    let body = json!({ "messages": { &to.user_id: { &to.device_id: content } } });
    client.api.put(&path, &body).map(drop)
}

/// Decrypts an event and checks who says what to whom (S-16). Session, account and what follows
/// from the message are saved in one transaction, the caller's.
pub fn receive(client: &Client, event: &Value) -> Result<Received> {
    let store = &client.store;
    let sender = json::text(event, "/sender")?;
    let mut account = store.account()?;
    let content = OlmContent::from_json(&event["content"], &account.curve25519_key())?;
    let OlmContent { sender_key, message } = content;
    let sender_key = &sender_key.to_base64();
    let device = Device::with_key(store, sender, sender_key)?
        .with_context(|| format!("{sender} has no device with the key {sender_key}"))?;

    // Printed with `-v`. A description of a session holds nothing secret.
    let explain = |reason: &str| {
        info!(sender, device = device.device_id, reason, "a message between devices is not read");
    };
    let mut reasons = Vec::new();
    for mut session in store.olm_sessions(sender_key)? {
        let for_this = message.as_pre_key().map(|message| session.matches(message));
        if for_this == Some(false) {
            continue;
        }
        match session.decrypt(&message) {
            Ok(decrypted) => {
                store.save_olm_session(sender_key, &session, true)?;
                return checked(client, device, decrypted);
            }
            Err(error @ DecryptionError::AlreadyUsed) => {
                explain(&format!("{error}: {}", session.describe()));
                return Ok(Received::Nothing);
            }
            Err(error) => {
                reasons.push(format!("{error}: {}", session.describe()));
                // The session is this one, so no other can be made of the message.
                if for_this == Some(true) {
                    explain(&reasons.join("; "));
                    return Ok(Received::Wedged(device));
                }
            }
        }
    }
    let Some(pre_key) = message.as_pre_key() else {
        if reasons.is_empty() {
            reasons.push("there is no session with this device".to_owned());
        }
        explain(&reasons.join("; "));
        return Ok(Received::Wedged(device));
    };
    match account.create_inbound_session(device.keys.curve25519, pre_key) {
        Ok(created) => {
            store.save_account(&account)?;
            store.save_olm_session(sender_key, &created.session, true)?;
            if !created.replay_excluded {
                // What this client does with Olm messages does no harm if it is done twice.
                warn(&format!("a message of {sender} may be a repetition of an earlier one"));
            }
            checked(client, device, created.message)
        }
        Err(error) => {
            let reason = anyhow::Error::from(error);
            explain(&format!("{reason:#}: session {}", pre_key.session_id()));
            Ok(match error {
                SessionCreationError::Replayed => Received::Nothing,
                _ => Received::Wedged(device),
            })
        }
    }
}

fn checked(client: &Client, device: Device, decrypted: DecryptedMessage) -> Result<Received> {
    let keys = client.store.account()?.identity_keys();
    let us = payload::Device { user_id: &client.user_id, keys };
    let them = payload::Device { user_id: &device.user_id, keys: device.keys };
    let payload = OlmPayload::verify(&decrypted, &them, &us);
    // It may hold a room key.
    drop(Zeroizing::new(decrypted.into_plaintext()));
    match payload {
        Ok(payload) => Ok(Received::Message(device, payload)),
        Err(error) => {
            let reason = anyhow::Error::from(error);
            warn(&format!("a message of {} was dropped: {reason:#}", device.user_id));
            Ok(Received::Nothing)
        }
    }
}

/// Gives a device a new session and announces it with `m.dummy`, because the device cannot know
/// that our sessions do not work.
pub fn recover(client: &Client, device: &Device) -> Result<()> {
    let store = &client.store;
    let Device { user_id, device_id, .. } = device;
    // Recorded first, because a failed attempt counts, too.
    let due = store.run(
        "UPDATE devices SET last_dummy = ?1 \
         WHERE user_id = ?3 AND device_id = ?4 AND last_dummy <= ?2",
        (now() as i64, now().saturating_sub(RECOVERY_INTERVAL) as i64, user_id, device_id),
    )?;
    if due == 0 || claim(client, &[device])? == 0 {
        return Ok(());
    }
    store.atomically(|| {
        if let Some(content) = encrypt(client, device, "m.dummy", "{}")? {
            queue(client, &[(device, content)])?;
        }
        Ok(())
    })?;
    client.flush()
}

#[cfg(test)]
mod tests {
    use moceril::olm::{Account, PreKeyBundle, Session};

    use super::*;
    use crate::{
        api::Api,
        store::{Directory, Store},
        terminal::explained,
    };

    /// Our client, with one fallback key, and a device that knows it.
    struct Scene {
        client: Client,
        us: payload::Device<'static>,
        them: Account,
        bundle: PreKeyBundle,
        _directory: Directory,
    }

    impl Scene {
        fn new() -> Self {
            let directory = Directory::new();
            let client = Client {
                api: Api::new("http://localhost:1", None).unwrap(),
                store: Store::create(&directory).unwrap(),
                user_id: "@us:here".to_owned(),
                device_id: "US".to_owned(),
            };
            let them = Account::new().unwrap();
            let row = "INSERT INTO devices (user_id, device_id, ed25519, curve25519) \
                       VALUES ('@them:there', 'THEM', ?, ?)";
            let keys = [them.ed25519_key().to_base64(), them.curve25519_key().to_base64()];
            client.store.run(row, keys).unwrap();
            let mut account = Account::new().unwrap();
            account.generate_fallback_key().unwrap();
            let (_, fallback_key) = account.signed_fallback_key().unwrap();
            let bundle = PreKeyBundle::verify(account.identity_keys(), &fallback_key).unwrap();
            client.store.save_account(&account).unwrap();
            let us = payload::Device { user_id: "@us:here", keys: account.identity_keys() };
            Self { client, us, them, bundle, _directory: directory }
        }

        fn session(&self) -> Session {
            self.them.create_outbound_session(&self.bundle).unwrap()
        }

        /// Their next message in this session.
        fn event(&self, session: &mut Session) -> Value {
            let them = payload::Device { user_id: "@them:there", keys: self.them.identity_keys() };
            let payload = OlmPayload::encode("m.dummy", "{}", &them, &self.us).unwrap();
            let message = session.encrypt(payload.as_bytes()).unwrap();
            let content = OlmContent { sender_key: self.them.curve25519_key(), message };
            let content = content.to_json(&self.us.keys.curve25519);
            json!({ "sender": "@them:there", "content": content })
        }

        fn receive(&self, event: &Value) -> Received {
            self.client.store.atomically(|| receive(&self.client, event)).unwrap()
        }
    }

    /// Also in a room of a thousand devices: each request is small enough for a server.
    #[test]
    fn messages_to_many_devices_are_several_requests() {
        let scene = Scene::new();
        let store = &scene.client.store;
        let device = Device::find(store, "@them:there", "THEM").unwrap().unwrap();
        let devices: Vec<Device> = (0..2 * BATCH + 1)
            .map(|n| Device { device_id: format!("{n:03}"), ..device.clone() })
            .collect();
        let messages: Vec<_> = devices.iter().map(|device| (device, json!("key"))).collect();
        queue(&scene.client, &messages).unwrap();
        let queued = "SELECT body FROM outbox ORDER BY id";
        let mut sent = Vec::new();
        for body in store.all::<String>(queued, []).unwrap() {
            let body: Value = serde_json::from_str(&body).unwrap();
            let batch = body["messages"]["@them:there"].as_object().unwrap();
            assert!(batch.len() <= BATCH);
            sent.extend(batch.keys().cloned());
        }
        assert!(devices.iter().map(|device| &device.device_id).eq(&sent));
        let paths = "SELECT count(DISTINCT path) FROM outbox";
        assert_eq!(store.one(paths, []).unwrap(), Some(3));
    }

    /// S-42: what a fallback key can no longer remember is received nevertheless, and what it
    /// remembers is received once.
    #[test]
    fn no_message_is_lost_because_a_fallback_key_remembers_no_more() {
        let scene = Scene::new();
        let first = scene.event(&mut scene.session());
        assert!(matches!(scene.receive(&first), Received::Message(..)));
        for _ in 0..Account::FALLBACK_SHARE {
            let event = scene.event(&mut scene.session());
            assert!(matches!(scene.receive(&event), Received::Message(..)));
        }
        scene.client.store.run("DELETE FROM olm_sessions", []).unwrap();
        let told = explained(|| assert!(matches!(scene.receive(&first), Received::Nothing)));
        assert!(told.contains("a session was already created from this message"), "{told}");
    }

    #[test]
    fn what_is_not_read_is_explained() {
        let scene = Scene::new();
        let mut session = scene.session();
        let (first, late) = (scene.event(&mut session), scene.event(&mut session));
        assert!(matches!(scene.receive(&first), Received::Message(..)));
        let told = explained(|| assert!(matches!(scene.receive(&first), Received::Nothing)));
        let id = &session.session_id()[..8];
        for part in ["already decrypted", id, "receiving", "THEM", "@them:there"] {
            assert!(told.contains(part), "{part}: {told}");
        }

        // So many are missing that their keys do not fit.
        for _ in 0..50 {
            scene.event(&mut session);
        }
        assert!(matches!(scene.receive(&scene.event(&mut session)), Received::Message(..)));
        let told = explained(|| assert!(matches!(scene.receive(&late), Received::Wedged(_))));
        assert!(told.contains("no longer stored") && told.contains("evicted below"), "{told}");
        for _ in 0..2_100 {
            scene.event(&mut session);
        }
        let ahead = scene.event(&mut session);
        let told = explained(|| assert!(matches!(scene.receive(&ahead), Received::Wedged(_))));
        assert!(told.contains("beyond"), "{told}");

        // Their session answers ours, so its next message has no keys in it for a new session.
        let their_key = scene.them.curve25519_key().to_base64();
        let mut ours = scene.client.store.olm_sessions(&their_key).unwrap();
        session.decrypt(&ours[0].encrypt("answer").unwrap()).unwrap();
        let lost = scene.event(&mut session);
        scene.client.store.run("DELETE FROM olm_sessions", []).unwrap();
        let told = explained(|| assert!(matches!(scene.receive(&lost), Received::Wedged(_))));
        assert!(told.contains("no session with this device"), "{told}");

        scene.client.store.save_account(&Account::new().unwrap()).unwrap();
        let account = scene.client.store.account().unwrap();
        let mut event = scene.event(&mut scene.session());
        let ciphertext = event["content"]["ciphertext"].as_object_mut().unwrap();
        let message = ciphertext.values().next().unwrap().clone();
        ciphertext.insert(account.curve25519_key().to_base64(), message);
        let told = explained(|| assert!(matches!(scene.receive(&event), Received::Wedged(_))));
        assert!(told.contains("does not have the one-time key"), "{told}");
    }
}
