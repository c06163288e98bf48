//! Our device: login, its keys, and the one-time keys it offers.

use anyhow::{Context, Result, ensure};
use moceril::{
    device_keys::{self, DeviceKeys},
    olm::Account,
};
use serde_json::{Map, Value, json};

use crate::{
    api::{Api, refusal},
    json, olm, room,
    store::{Store, now},
};

/// One-time keys that the server should have for us.
const ONE_TIME_KEYS: usize = Account::PUBLISHED_ONE_TIME_KEYS;
/// How often one-time keys that the server refuses are replaced before an error is reported. The
/// new ids may be taken, too, by keys that the newer copy of the store had made.
const RENEWALS: usize = 5;
/// How long messages to the previous fallback key may still be on their way, in seconds.
const FALLBACK_GRACE: u64 = 60 * 60;
/// How long a fallback key serves at most, in seconds.
const FALLBACK_AGE: u64 = 7 * 24 * 60 * 60;

pub const NOT_LOGGED_IN: &str =
    "nobody is logged in with this store: use `matrix_chat login @you:server` first";

/// A device that is logged in: the server, the store, and its names.
pub struct Client {
    pub api: Api,
    pub store: Store,
    pub user_id: String,
    pub device_id: String,
}

impl Client {
    pub fn open(store: Store) -> Result<Self> {
        let meta = |name| store.meta(name)?.context(NOT_LOGGED_IN);
        let (user_id, device_id) = (meta("user_id")?, meta("device_id")?);
        let api = Api::new(&meta("homeserver")?, Some(meta("access_token")?))?;
        let client = Self { api, store, user_id, device_id };
        // Finishes what an earlier command could not, such as an interrupted login.
        client.publish()?;
        client.flush()?;
        Ok(client)
    }

    /// Logs in with a password and publishes the keys of a new device.
    pub fn login(store: Store, homeserver: &str, user: &str, password: &str) -> Result<Self> {
        let request = json!({
            "type": "m.login.password",
            "identifier": { "type": "m.id.user", "user": user },
            "password": password,
            "initial_device_display_name": "matrix_chat (moceril)",
        });
        let answer = Api::new(homeserver, None)?.post("/_matrix/client/v3/login", &request);
        let answer = answer.map_err(|error| match refusal(&error) {
            Some(refused) if refused.code == "M_FORBIDDEN" => {
                error.context("the user name or the password is wrong")
            }
            _ => error,
        })?;
        store.atomically(|| {
            // Another login may have been faster.
            ensure!(store.meta("user_id")?.is_none(), "somebody is logged in with this store");
            for name in ["user_id", "device_id", "access_token"] {
                store.set_meta(name, json::text(&answer, &format!("/{name}"))?)?;
            }
            store.set_meta("homeserver", homeserver)?;
            store.save_account(&Account::new()?)
        })?;
        Self::open(store)
    }

    /// Uploads device keys and whatever the server has too little of.
    fn publish(&self) -> Result<()> {
        if self.store.meta("device_keys_published")?.is_some() {
            return Ok(());
        }
        let account = self.store.account()?;
        let device_keys = DeviceKeys::new(&account, &self.user_id, &self.device_id)?.to_json();
        let answer = self
            .api
            .post("/_matrix/client/v3/keys/upload", &json!({ "device_keys": device_keys }))?;
        self.replenish(one_time_key_count(&answer), true)?;
        self.store.set_meta("device_keys_published", "yes")
    }

    /// Generates the keys that the server lacks, saves them, uploads them, and only then marks them
    /// as published: whatever fails in between, the next call uploads the same keys again.
    pub fn replenish(&self, on_server: usize, fallback_used: bool) -> Result<()> {
        self.store.atomically(|| {
            let mut account = self.store.account()?;
            let waiting = account.unpublished_one_time_keys().len();
            let missing = ONE_TIME_KEYS.saturating_sub(on_server + waiting);
            // Not for each single key: the server repeats the number in every response.
            if missing > ONE_TIME_KEYS / 4 {
                account.generate_one_time_keys(missing)?;
            }
            self.rotate_fallback_key(&mut account, fallback_used)?;
            self.store.save_account(&account)
        })?;
        for _ in 0..RENEWALS {
            match self.upload_keys() {
                Err(error) if refusal(&error).is_some_and(|refused| refused.status == 400) => {
                    if !self.renew_keys()? {
                        return Err(error);
                    }
                }
                uploaded => return uploaded,
            }
        }
        self.upload_keys()
    }

    fn upload_keys(&self) -> Result<()> {
        let account = self.store.account()?;
        let mut keys = account.unpublished_one_time_keys();
        keys.extend(account.unpublished_fallback_key());
        if keys.is_empty() {
            return Ok(());
        }
        let body = device_keys::keys_to_upload(&account, &self.user_id, &self.device_id);
        self.api.post("/_matrix/client/v3/keys/upload", &body)?;
        self.store.atomically(|| {
            let mut account = self.store.account()?;
            account.mark_as_published(keys.iter().map(|(id, _)| *id));
            self.store.save_account(&account)
        })
    }

    /// The server has other keys under the ids of those that wait: somebody has restored an older
    /// copy of this store. New keys have new ids (S-10). The fallback key that the server has may
    /// be one that this copy does not know. Returns whether there was a key to replace.
    fn renew_keys(&self) -> Result<bool> {
        self.store.atomically(|| {
            let mut account = self.store.account()?;
            let waiting = account.unpublished_one_time_keys();
            for (id, _) in &waiting {
                account.remove_one_time_key(*id);
            }
            account.generate_one_time_keys(waiting.len())?;
            if account.unpublished_fallback_key().is_none() {
                account.generate_fallback_key()?;
                self.store.set_meta("fallback_rotated", &now().to_string())?;
            }
            self.store.save_account(&account)?;
            Ok(!waiting.is_empty())
        })
    }

    /// A fallback key that was used, or that is old, is replaced; the one before it is forgotten
    /// once no message to it can be on its way. Until then a used one stays: otherwise a stranger
    /// who uses each new key would make us forget keys for which others' messages are still on
    /// their way.
    pub fn rotate_fallback_key(&self, account: &mut Account, used: bool) -> Result<()> {
        let rotated = self.store.meta("fallback_rotated")?;
        let rotated: u64 = rotated.as_deref().unwrap_or("0").parse()?;
        let age = now().saturating_sub(rotated);
        if age > FALLBACK_GRACE {
            account.forget_previous_fallback_key();
        }
        let due = used && age > FALLBACK_GRACE || age > FALLBACK_AGE;
        // One that waits for its upload is as good as new.
        if due && account.unpublished_fallback_key().is_none() {
            account.generate_fallback_key()?;
            self.store.set_meta("fallback_rotated", &now().to_string())?;
        }
        Ok(())
    }

    /// Sends what waits in the outbox, in order. Each request names its own transaction, so one
    /// that has already arrived counts once.
    pub fn flush(&self) -> Result<()> {
        loop {
            let first = "SELECT id, path, body FROM outbox ORDER BY id LIMIT 1";
            let row = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
            let next = self.store.db.query_row(first, [], row);
            let (id, path, body): (i64, String, String) = match next {
                Err(rusqlite::Error::QueryReturnedNoRows) => return Ok(()),
                next => next?,
            };
            let body = serde_json::from_str(&body)?;
            let sent = self.api.put(&path, &body);
            // What the server refuses, it would refuse forever. What did not reach it stays.
            let stays = sent.as_ref().is_err_and(|error| {
                refusal(error).is_none_or(|refused| refused.status >= 500 || refused.status == 401)
            });
            if stays {
                return sent.map(drop).context(
                    "a message was not sent; the next command that reaches the server sends it",
                );
            }
            self.store.atomically(|| {
                if sent.is_err() {
                    self.share_again_after(&path, &body)?;
                }
                self.store.run("DELETE FROM outbox WHERE id = ?", [id])
            })?;
            sent.context("a message was not sent, and will not be")?;
        }
    }

    /// Devices that a refused request would have given room keys get them with the next message.
    fn share_again_after(&self, path: &str, body: &Value) -> Result<()> {
        if !path.starts_with(olm::SEND_ENCRYPTED) {
            return Ok(());
        }
        for (user_id, devices) in body["messages"].as_object().into_iter().flatten() {
            for device_id in devices.as_object().into_iter().flat_map(Map::keys) {
                room::share_again(&self.store, user_id, device_id)?;
            }
        }
        Ok(())
    }
}

/// The number of our one-time keys in an answer of `/keys/upload` or `/sync`.
pub fn one_time_key_count(counts: &Value) -> usize {
    let count = counts.pointer("/one_time_key_counts/signed_curve25519");
    usize::try_from(count.and_then(Value::as_u64).unwrap_or(0)).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::{fake_server::FakeServer, store::Directory};

    #[test]
    fn devices_whose_room_keys_are_refused_get_them_with_the_next_message() {
        let directory = Directory::new();
        let store = Store::create(&directory).unwrap();
        for device in ["ONE", "OTHER", "TWO"] {
            let sql = "INSERT INTO shared (session_id, user_id, device_id) VALUES ('s', ?, ?)";
            store.run(sql, ["@bob:there", device]).unwrap();
        }
        let body = json!({ "messages": { "@bob:there": { "ONE": {}, "TWO": {} } } });
        store.queue(&format!("{}/1", olm::SEND_ENCRYPTED), &body).unwrap();
        store.queue("/event", &json!({ "messages": { "@bob:there": { "OTHER": {} } } })).unwrap();

        // What is in the outbox afterwards, and who gets keys again.
        let flush = |status: u16| {
            let server = FakeServer::new(move |_| (status, "X: y".to_owned(), json!({})));
            let client = server.alice(Store::open(&directory).unwrap());
            let sent = client.flush().map_err(|error| format!("{error:#}"));
            let again = "SELECT device_id FROM shared WHERE again ORDER BY device_id";
            let again: Vec<String> = store.all(again, []).unwrap();
            let paths: Vec<String> = store.all("SELECT path FROM outbox ORDER BY id", []).unwrap();
            (sent, paths.len(), again)
        };
        // What may succeed later stays as it is.
        for status in [401, 502] {
            let (sent, waiting, again) = flush(status);
            assert!(sent.unwrap_err().contains("the next command"), "{status}");
            assert_eq!((waiting, again.len()), (2, 0), "{status}");
        }
        let (sent, waiting, again) = flush(413);
        assert!(sent.unwrap_err().contains("and will not be"));
        assert_eq!((waiting, again), (1, vec!["ONE".to_owned(), "TWO".to_owned()]));
        // An event has no recipients of its own.
        let (sent, waiting, again) = flush(413);
        assert!(sent.unwrap_err().contains("and will not be"));
        assert_eq!((waiting, again.len()), (0, 2));
        assert_eq!(flush(200).0, Ok(()));
    }

    /// An older copy of the store was restored: its keys have ids that the server knows.
    #[test]
    fn keys_whose_ids_are_taken_are_replaced() {
        let directory = Directory::new();
        let store = Store::create(&directory).unwrap();
        let mut account = Account::new().unwrap();
        account.generate_one_time_keys(ONE_TIME_KEYS).unwrap();
        store.save_account(&account).unwrap();
        let old = account.unpublished_one_time_keys();

        // What became of the upload after so many answers of this status, how many there were, and
        // the account.
        let replenish = |status: u16, refusals: usize| {
            let refused = AtomicUsize::new(0);
            let server = FakeServer::new(move |_| {
                let is_refused = refused.fetch_add(1, Ordering::Relaxed) < refusals;
                let error = "One time key signed_curve25519:AAAAAAAAAAE already exists";
                let status = if is_refused { status } else { 200 };
                (status, "X: y".to_owned(), json!({ "errcode": "M_UNKNOWN", "error": error }))
            });
            let client = server.alice(Store::open(&directory).unwrap());
            let result = client.replenish(0, false);
            let status = result.err().map(|error| refusal(&error).unwrap().status);
            (status, server.requests().len(), client.store.account().unwrap())
        };
        let (error, uploads, account) = replenish(500, 1);
        assert_eq!((error, uploads), (Some(500), 1));
        assert_eq!(account.unpublished_one_time_keys(), old, "they may have arrived");

        let (error, uploads, account) = replenish(400, usize::MAX);
        assert_eq!((error, uploads), (Some(400), RENEWALS + 1));
        let waiting = account.unpublished_one_time_keys();
        assert_eq!(waiting.len(), ONE_TIME_KEYS);
        let fallback = account.fallback_key().unwrap();

        let (error, uploads, account) = replenish(400, 2);
        assert_eq!((error, uploads), (None, 3));
        assert!(
            account.unpublished_one_time_keys().is_empty()
                && account.unpublished_fallback_key().is_none()
        );
        assert_eq!(account.stored_one_time_key_count(), ONE_TIME_KEYS);
        assert_eq!(account.fallback_key(), Some(fallback), "replaced only once");
        for (_, key) in old.into_iter().chain(waiting) {
            assert_eq!(account.key_id(&key), None);
        }
    }
}
