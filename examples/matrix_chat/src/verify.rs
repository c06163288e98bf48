//! The framework of a verification: requests, answers and cancellations. `sas.rs` does the
//! comparison of emoji.
//!
//! Spec: Matrix, "Key verification framework".

use std::{
    fmt,
    time::{Duration, Instant},
};

use anstream::println;
use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};

use crate::{
    account::Client,
    devices::{self, Device},
    identity::Identity,
    json, olm, sas,
    store::{Store, now, unique},
    sync,
    terminal::harmless,
};

/// The specification's limit for a whole verification, and for the age of a request.
const PATIENCE: Duration = Duration::from_secs(10 * 60);
/// How far the clock of another device may be ahead of ours.
const AHEAD: Duration = Duration::from_secs(5 * 60);
/// Messages of one user that are kept: several verifications that nobody here takes part in.
const INBOX: u32 = 50;

/// Why a verification has ended without success.
#[derive(Debug)]
pub enum End {
    /// We ended it. The other device is told the specification's code and the reason.
    Ours(&'static str, &'static str),
    /// The other device ended it, and said why.
    Theirs(String),
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ours(_, reason) => f.write_str(reason),
            Self::Theirs(reason) => write!(f, "the other device cancelled: {reason}"),
        }
    }
}

impl std::error::Error for End {}

/// A verification under way.
pub struct Verification<'a> {
    pub client: &'a Client,
    pub them: Device,
    /// The master key that the server showed for their user when this began.
    pub their_identity: Option<String>,
    pub id: String,
    deadline: Instant,
}

/// Asks a device for a verification. With `at_once` there is no request before the start, for
/// clients that know none.
pub fn ask(client: &Client, user_id: &str, device_id: &str, at_once: bool) -> Result<Device> {
    devices::outdated(&client.store, user_id)?;
    let them = find(client, user_id, device_id)?;
    let verification = Verification::new(client, them, unique()?, Instant::now() + PATIENCE)?;
    verification.or_cancel(|it| {
        if !at_once {
            let methods = json!([sas::METHOD]);
            it.send("request", json!({ "methods": methods, "timestamp": now() * 1_000 }))?;
            println!("Waiting for {} to agree ...", harmless(user_id));
            let ready = it.expect("ready")?;
            ensure!(
                offers(&ready, "methods", sas::METHOD),
                End::Ours("m.unknown_method", "the other device compares no emoji")
            );
        }
        sas::start(it)
    })
}

/// Whether an event is a request of now, in seconds since 1970. Others are ignored, as the
/// specification says.
pub fn is_current_request(event: &Value, now: u64) -> bool {
    let sent = event["content"]["timestamp"].as_u64().map(Duration::from_millis);
    let now = Duration::from_secs(now);
    event["type"] == "m.key.verification.request"
        && sent.is_some_and(|sent| now <= sent + PATIENCE && sent <= now + AHEAD)
}

/// Waits for somebody to ask us.
pub fn wait(client: &Client) -> Result<Device> {
    let deadline = Instant::now() + PATIENCE;
    println!("Waiting for somebody to ask ...");
    let event = next(client, deadline, |event| {
        event["type"] == "m.key.verification.start" || is_current_request(event, now())
    })?;
    let content = &event["content"];
    let (user_id, device_id) =
        (json::text(&event, "/sender")?, json::text(content, "/from_device")?);
    devices::outdated(&client.store, user_id)?;
    let them = find(client, user_id, device_id)?;
    let id = json::text(content, "/transaction_id")?.to_owned();
    let verification = Verification::new(client, them, id, deadline)?;
    verification.or_cancel(|it| {
        if event["type"] == "m.key.verification.start" {
            return sas::answer(it, content);
        }
        it.send("ready", json!({ "methods": [sas::METHOD] }))?;
        sas::answer(it, &it.expect("start")?)
    })
}

fn find(client: &Client, user_id: &str, device_id: &str) -> Result<Device> {
    devices::refresh(client, &[user_id])?;
    Device::find(&client.store, user_id, device_id)?.with_context(|| {
        format!("{user_id} has no device {device_id}: `matrix_chat devices {user_id}` lists theirs")
    })
}

/// Keeps an event for the command `verify`. Nobody can fill our disk with them.
pub fn receive(store: &Store, event: &Value) -> Result<()> {
    purge(store)?;
    store.run(
        "INSERT INTO inbox (received, json) VALUES (?, ?)",
        (now() as i64, event.to_string()),
    )?;
    let old = "DELETE FROM inbox WHERE json ->> '$.sender' = ?1 AND id NOT IN \
               (SELECT id FROM inbox WHERE json ->> '$.sender' = ?1 ORDER BY id DESC LIMIT ?2)";
    store.run(old, (json::text(event, "/sender")?, INBOX))?;
    Ok(())
}

/// Deletes events that are too old for any verification.
fn purge(store: &Store) -> Result<()> {
    let oldest = now().saturating_sub(PATIENCE.as_secs()) as i64;
    store.run("DELETE FROM inbox WHERE received < ?", [oldest])?;
    Ok(())
}

/// The next verification event that is wanted. It is taken out of the inbox.
fn next(client: &Client, deadline: Instant, wanted: impl Fn(&Value) -> bool) -> Result<Value> {
    let store = &client.store;
    loop {
        purge(store)?;
        for json in store.all::<String>("SELECT json FROM inbox ORDER BY id", [])? {
            let event: Value = serde_json::from_str(&json)?;
            if wanted(&event) {
                store.run("DELETE FROM inbox WHERE json = ?", [&json])?;
                return Ok(event);
            }
        }
        ensure!(
            Instant::now() < deadline,
            End::Ours(
                "m.timeout",
                "nobody answered in time: try again when the other device is there"
            )
        );
        sync::fetch(client, 10_000)?;
    }
}

pub fn offers(content: &Value, list: &str, method: &str) -> bool {
    content[list].as_array().is_some_and(|list| list.iter().any(|offered| offered == method))
}

impl<'a> Verification<'a> {
    fn new(client: &'a Client, them: Device, id: String, deadline: Instant) -> Result<Self> {
        let identity = Identity::of_user(&client.store, &them.user_id)?;
        let their_identity = identity.map(|identity| identity.master);
        Ok(Self { client, them, their_identity, id, deadline })
    }

    pub fn send(&self, step: &str, mut content: Value) -> Result<()> {
        content["transaction_id"] = json!(self.id);
        if matches!(step, "request" | "ready" | "start") {
            content["from_device"] = json!(self.client.device_id);
        }
        olm::send_plain(self.client, &self.them, &format!("m.key.verification.{step}"), &content)
    }

    /// The other device's next step, and its content.
    pub fn next_step(&self) -> Result<(String, Value)> {
        let mut event = next(self.client, self.deadline, |event| {
            event["content"]["transaction_id"] == *self.id && event["sender"] == *self.them.user_id
        })?;
        let kind = json::text(&event, "/type")?;
        let step = kind.trim_start_matches("m.key.verification.").to_owned();
        let content = event["content"].take();
        if step == "cancel" {
            let reason = content["reason"].as_str().unwrap_or("no reason given");
            bail!(End::Theirs(reason.to_owned()));
        }
        Ok((step, content))
    }

    /// The content of the other device's next step, which must be this one.
    pub fn expect(&self, expected: &str) -> Result<Value> {
        let (step, content) = self.next_step()?;
        ensure!(step == expected, End::Ours("m.unexpected_message", "this was not its turn"));
        Ok(content)
    }

    /// Whatever fails, nothing is verified, and the other device is told, unless it told us.
    fn or_cancel(self, steps: impl FnOnce(&Self) -> Result<()>) -> Result<Device> {
        let Err(error) = steps(&self) else { return Ok(self.them) };
        let code = match error.downcast_ref() {
            Some(End::Theirs(_)) => return Err(error),
            Some(End::Ours(code, _)) => *code,
            None => "m.invalid_message",
        };
        let content = json!({ "code": code, "reason": error.to_string() });
        // The error that led here is the one to report.
        let _ = self.send("cancel", content);
        Err(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{fake_server::FakeServer, store::Directory};

    #[test]
    fn requests_of_another_time_are_ignored() {
        let now = 1_700_000_000;
        let current = |timestamp: Value| {
            let content = json!({ "timestamp": timestamp });
            let event = json!({ "type": "m.key.verification.request", "content": content });
            is_current_request(&event, now)
        };
        for (seconds, expected) in [
            (now - 10 * 60 - 1, false),
            (now - 10 * 60, true),
            (now, true),
            (now + 5 * 60, true),
            (now + 5 * 60 + 1, false),
            (u64::MAX / 1_000, false),
            (0, false),
        ] {
            assert_eq!(current(json!(seconds * 1_000)), expected, "{seconds}");
        }
        assert!(!current(json!(null)) && !current(json!(-1)) && !current(json!("now")));
    }

    #[test]
    fn an_old_request_is_not_answered() {
        let directory = Directory::new();
        let server = FakeServer::new(|_| (500, "X: y".to_owned(), json!({})));
        let client = server.alice(Store::create(&directory).unwrap());
        // The clock is read once: at the end, a second may have passed.
        let now = now();
        let request = |minutes: u64| {
            let content = json!({
                "from_device": "DEVICE",
                "transaction_id": minutes.to_string(),
                "timestamp": (now - minutes * 60) * 1_000,
            });
            json!({ "type": "m.key.verification.request", "sender": "@bob:there",
                "content": content })
        };
        receive(&client.store, &request(11)).unwrap();
        receive(&client.store, &request(1)).unwrap();
        // The devices of the one who asked are looked for, which this server refuses.
        wait(&client).unwrap_err();
        let left: Vec<String> = client.store.all("SELECT json FROM inbox", []).unwrap();
        assert_eq!(left, [request(11).to_string()]);
    }

    #[test]
    fn the_inbox_is_bounded() {
        let directory = Directory::new();
        let store = Store::create(&directory).unwrap();
        let event = |sender: &str, n: u32| json!({ "sender": sender, "n": n });
        receive(&store, &event("@old:there", 0)).unwrap();
        store.run("UPDATE inbox SET received = received - 601", []).unwrap();
        receive(&store, &event("@bob:there", 0)).unwrap();
        for n in 0..3 * INBOX {
            receive(&store, &event("@mallory:there", n)).unwrap();
        }
        let kept: Vec<String> = store.all("SELECT json FROM inbox ORDER BY id", []).unwrap();
        let last = (2 * INBOX..3 * INBOX).map(|n| event("@mallory:there", n));
        let expected = [event("@bob:there", 0)].into_iter().chain(last);
        assert!(expected.map(|event| event.to_string()).eq(kept));
    }
}
