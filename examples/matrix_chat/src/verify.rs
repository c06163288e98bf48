//! Two people compare seven emoji, and so verify each other's devices.
//!
//! Spec: Matrix, "Short Authentication String (SAS) verification". The device that sends the start
//! event is called the starter here.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use moceril::{
    Curve25519PublicKey,
    sas::{EstablishedSas, MacMethod, Sas, commitment},
};
use serde_json::{Value, json};

use crate::{
    account::Client,
    devices::{self, Device},
    json, olm,
    store::{now, unique},
    sync,
    terminal::confirm,
};

/// The specification's limit for a whole verification.
const PATIENCE: Duration = Duration::from_secs(10 * 60);
const AGREEMENT: &str = "curve25519-hkdf-sha256";
const HASH: &str = "sha256";

/// A verification under way.
struct Verification<'a> {
    client: &'a Client,
    them: Device,
    id: String,
    deadline: Instant,
}

/// Asks a device for a verification. With `at_once` there is no request before the start, for clients
/// that know none.
pub fn ask(client: &Client, user_id: &str, device_id: &str, at_once: bool) -> Result<Device> {
    devices::outdated(&client.store, user_id)?;
    let them = find(client, user_id, device_id)?;
    let verification =
        Verification { client, them, id: unique()?, deadline: Instant::now() + PATIENCE };
    verification.or_cancel(|it| {
        if !at_once {
            let methods = json!(["m.sas.v1"]);
            it.send("request", json!({ "methods": methods, "timestamp": now() * 1_000 }))?;
            println!("Waiting for {user_id} to agree ...");
            let ready = it.expect("ready")?;
            ensure!(offers(&ready, "methods", "m.sas.v1"), "the other device compares no emoji");
        }
        it.start()
    })
}

/// Waits for somebody to ask us.
pub fn wait(client: &Client) -> Result<Device> {
    let deadline = Instant::now() + PATIENCE;
    println!("Waiting for somebody to ask ...");
    let event = next(client, deadline, |event| {
        matches!(
            event["type"].as_str(),
            Some("m.key.verification.request" | "m.key.verification.start")
        )
    })?;
    let content = &event["content"];
    let (user_id, device_id) =
        (json::text(&event, "/sender")?, json::text(content, "/from_device")?);
    devices::outdated(&client.store, user_id)?;
    let them = find(client, user_id, device_id)?;
    let id = json::text(content, "/transaction_id")?.to_owned();
    let verification = Verification { client, them, id, deadline };
    verification.or_cancel(|it| {
        if event["type"] == "m.key.verification.start" {
            return it.answer(content);
        }
        it.send("ready", json!({ "methods": ["m.sas.v1"] }))?;
        it.answer(&it.expect("start")?)
    })
}

fn find(client: &Client, user_id: &str, device_id: &str) -> Result<Device> {
    devices::refresh(client, &[user_id])?;
    Device::find(&client.store, user_id, device_id)?
        .with_context(|| format!("{user_id} has no device {device_id}: see `devices {user_id}`"))
}

/// The next verification event that is wanted. It is taken out of the inbox.
fn next(client: &Client, deadline: Instant, wanted: impl Fn(&Value) -> bool) -> Result<Value> {
    let store = &client.store;
    loop {
        let oldest = now().saturating_sub(PATIENCE.as_secs()) as i64;
        store.run("DELETE FROM inbox WHERE received < ?", [oldest])?;
        for json in store.all::<String>("SELECT json FROM inbox ORDER BY id", [])? {
            let event: Value = serde_json::from_str(&json)?;
            if wanted(&event) {
                store.run("DELETE FROM inbox WHERE json = ?", [&json])?;
                return Ok(event);
            }
        }
        ensure!(Instant::now() < deadline, "nobody answered in time");
        sync::once(client, 10_000)?;
    }
}

fn offers(content: &Value, list: &str, method: &str) -> bool {
    content[list].as_array().is_some_and(|list| list.iter().any(|offered| offered == method))
}

impl Verification<'_> {
    fn send(&self, step: &str, mut content: Value) -> Result<()> {
        content["transaction_id"] = json!(self.id);
        if matches!(step, "request" | "ready" | "start") {
            content["from_device"] = json!(self.client.device_id);
        }
        olm::send_plain(self.client, &self.them, &format!("m.key.verification.{step}"), &content)
    }

    /// The content of the other device's next step.
    fn expect(&self, step: &str) -> Result<Value> {
        let kind = format!("m.key.verification.{step}");
        let mut event = next(self.client, self.deadline, |event| {
            let ours = event["content"]["transaction_id"] == *self.id
                && event["sender"] == *self.them.user_id;
            ours && (event["type"] == *kind || event["type"] == "m.key.verification.cancel")
        })?;
        if event["type"] != *kind {
            let reason = event["content"]["reason"].as_str().unwrap_or("no reason given");
            bail!("the other device cancelled: {reason}");
        }
        Ok(event["content"].take())
    }

    /// Whatever fails, the other device is told, and nothing is verified.
    fn or_cancel(self, steps: impl FnOnce(&Self) -> Result<()>) -> Result<Device> {
        if let Err(error) = steps(&self) {
            let content = json!({ "code": "m.user", "reason": error.to_string() });
            // The error that led here is the one to report.
            let _ = self.send("cancel", content);
            return Err(error);
        }
        Ok(self.them)
    }

    /// We start, and the other device commits to its key.
    fn start(&self) -> Result<()> {
        let start = json!({
            "method": "m.sas.v1",
            "key_agreement_protocols": [AGREEMENT],
            "hashes": [HASH],
            "message_authentication_codes": [MacMethod::default().name()],
            "short_authentication_string": ["emoji", "decimal"],
            // What `send` adds, too, for the commitment is to all of it.
            "transaction_id": self.id,
            "from_device": self.client.device_id,
        });
        self.send("start", start.clone())?;
        let accept = self.expect("accept")?;
        ensure!(accept["key_agreement_protocol"] == AGREEMENT, "unknown key agreement");
        ensure!(accept["hash"] == HASH, "unknown hash");
        ensure!(
            accept["message_authentication_code"] == MacMethod::default().name(),
            "unknown message authentication code"
        );
        ensure!(offers(&accept, "short_authentication_string", "emoji"), "it shows no emoji");
        let sas = Sas::new()?;
        self.send("key", json!({ "key": sas.public_key().to_base64() }))?;
        let their_key =
            Curve25519PublicKey::from_base64(json::text(&self.expect("key")?, "/key")?)?;
        let committed = commitment(&their_key, &json::canonical(&start));
        ensure!(
            json::text(&accept, "/commitment")?.trim_end_matches('=') == committed,
            "the other device changed its key after it saw ours"
        );
        self.compare(&sas.diffie_hellman(their_key)?, true)
    }

    /// The other device started, and we commit to our key.
    fn answer(&self, start: &Value) -> Result<()> {
        ensure!(start["method"] == "m.sas.v1", "unknown method");
        for (list, ours) in [
            ("key_agreement_protocols", AGREEMENT),
            ("hashes", HASH),
            ("message_authentication_codes", MacMethod::default().name()),
            ("short_authentication_string", "emoji"),
        ] {
            ensure!(offers(start, list, ours), "the other device does not know {ours}");
        }
        let sas = Sas::new()?;
        let accept = json!({
            "method": "m.sas.v1",
            "key_agreement_protocol": AGREEMENT,
            "hash": HASH,
            "message_authentication_code": MacMethod::default().name(),
            "short_authentication_string": ["emoji"],
            "commitment": commitment(&sas.public_key(), &json::canonical(start)),
        });
        self.send("accept", accept)?;
        let their_key =
            Curve25519PublicKey::from_base64(json::text(&self.expect("key")?, "/key")?)?;
        self.send("key", json!({ "key": sas.public_key().to_base64() }))?;
        self.compare(&sas.diffie_hellman(their_key)?, false)
    }

    /// The users compare, and the devices exchange MACs of their keys.
    fn compare(&self, sas: &EstablishedSas, we_started: bool) -> Result<()> {
        let (us, them) = (self.client, &self.them);
        let our_key = sas.our_public_key();
        let our_end = format!("{}|{}|{our_key}", us.user_id, us.device_id);
        let their_key = sas.their_public_key();
        let their_end = format!("{}|{}|{their_key}", them.user_id, them.device_id);
        let (starter, other) = if we_started { (our_end, their_end) } else { (their_end, our_end) };
        let info = format!("MATRIX_KEY_VERIFICATION_SAS|{starter}|{other}|{}", self.id);
        let emoji = sas.bytes(info).emoji();
        println!("\n  {}", emoji.map(|emoji| emoji.symbol).join("   "));
        println!("  {}\n", emoji.map(|emoji| emoji.description).join(", "));
        if !confirm(&format!("Does {} see the same?", them.user_id))? {
            bail!("the emoji differ: somebody is between you, or one of you looked wrong");
        }
        self.send("mac", self.our_macs(sas)?)?;
        self.check_macs(sas, &self.expect("mac")?)?;
        self.them.mark_verified(&us.store)?;
        self.send("done", json!({}))
    }

    fn our_macs(&self, sas: &EstablishedSas) -> Result<Value> {
        let (us, them) = (self.client, &self.them);
        let from = (us.user_id.as_str(), us.device_id.as_str());
        let to = (them.user_id.as_str(), them.device_id.as_str());
        let name = format!("ed25519:{}", us.device_id);
        let key = us.store.account()?.ed25519_key().to_base64();
        let mac = |input: &str, id: &str| {
            sas.calculate_mac(MacMethod::default(), input, mac_info(from, to, &self.id, id))
        };
        Ok(json!({ "mac": { &name: mac(&key, &name) }, "keys": mac(&name, "KEY_IDS") }))
    }

    fn check_macs(&self, sas: &EstablishedSas, content: &Value) -> Result<()> {
        let (us, them) = (self.client, &self.them);
        let from = (them.user_id.as_str(), them.device_id.as_str());
        let to = (us.user_id.as_str(), us.device_id.as_str());
        let check = |input: &str, id: &str, tag: &str| {
            let info = mac_info(from, to, &self.id, id);
            sas.verify_mac(MacMethod::default(), input, info, tag)
        };
        // `serde_json` keeps members sorted, as this list must be.
        let macs = content["mac"].as_object().context("/mac is missing")?;
        let names: Vec<&str> = macs.keys().map(String::as_str).collect();
        check(&names.join(","), "KEY_IDS", json::text(content, "/keys")?)?;
        let name = format!("ed25519:{}", them.device_id);
        let tag = macs.get(&name).and_then(Value::as_str);
        let tag = tag.context("the other device does not vouch for its own key")?;
        Ok(check(&them.keys.ed25519.to_base64(), &name, tag)?)
    }
}

fn mac_info(from: (&str, &str), to: (&str, &str), id: &str, key_id: &str) -> String {
    format!("MATRIX_KEY_VERIFICATION_MAC{}{}{}{}{id}{key_id}", from.0, from.1, to.0, to.1)
}
