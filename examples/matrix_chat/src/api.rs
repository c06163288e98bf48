//! HTTP requests to the homeserver, with JSON responses.

use std::{fmt, thread, time::Duration};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use ureq::{Agent, http};

/// Answers are limited, so that a server cannot fill our memory.
const MAX_ANSWER: u64 = 100 << 20;
/// How often a request is repeated when the server says "later".
const MAX_WAITS: u32 = 5;

/// A homeserver, and who we are there.
pub struct Api {
    agent: Agent,
    base: String,
    token: Option<String>,
}

/// The server understood and said no.
#[derive(Debug)]
pub struct Refused {
    pub status: u16,
    pub code: String,
    message: String,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the server refused: {} ({} {})", self.message, self.status, self.code)
    }
}

impl std::error::Error for Refused {}

impl Api {
    /// Passwords and tokens travel in these requests, so plain HTTP is for this machine only.
    pub fn new(base: &str, token: Option<String>) -> Result<Self> {
        let base = base.trim_end_matches('/').to_owned();
        let host = base.strip_prefix("http://").map(|rest| rest.split([':', '/']).next());
        match host {
            Some(Some("localhost" | "127.0.0.1")) => {}
            Some(_) => bail!("{base} is not encrypted: use https://"),
            None if base.starts_with("https://") => {}
            None => bail!("{base} is not an address: it should begin with https://"),
        }
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_secs(120)))
            .build();
        Ok(Self { agent: config.into(), base, token })
    }

    pub fn get(&self, path: &str) -> Result<Value> {
        self.call("GET", path, None)
    }

    pub fn post(&self, path: &str, body: &Value) -> Result<Value> {
        self.call("POST", path, Some(body))
    }

    pub fn put(&self, path: &str, body: &Value) -> Result<Value> {
        self.call("PUT", path, Some(body))
    }

    fn call(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Value> {
        for _ in 0..MAX_WAITS {
            let (status, answer) = self
                .call_once(method, path, body)
                .with_context(|| format!("cannot reach {}", self.base))?;
            if status < 300 {
                return Ok(answer);
            }
            if status != 429 {
                bail!(refused(status, &answer));
            }
            let wait = answer["retry_after_ms"].as_u64().unwrap_or(1_000);
            thread::sleep(Duration::from_millis(wait.min(30_000)));
        }
        bail!("the server is too busy for us: try again later")
    }

    fn call_once(&self, method: &str, path: &str, body: Option<&Value>) -> Result<(u16, Value)> {
        let mut request =
            http::Request::builder().method(method).uri(format!("{}{path}", self.base));
        if let Some(token) = &self.token {
            request = request.header("Authorization", format!("Bearer {token}"));
        }
        let mut answer = match body {
            Some(body) => {
                let request = request.header("Content-Type", "application/json");
                self.agent.run(request.body(body.to_string())?)?
            }
            None => self.agent.run(request.body(())?)?,
        };
        let text = answer.body_mut().with_config().limit(MAX_ANSWER).read_to_string()?;
        // An error page of a proxy in between is not JSON.
        let json = serde_json::from_str(&text).unwrap_or_else(|_| json!({}));
        Ok((answer.status().as_u16(), json))
    }
}

fn refused(status: u16, answer: &Value) -> Refused {
    let member = |name: &str| answer[name].as_str().unwrap_or("no reason given").to_owned();
    Refused { status, code: member("errcode"), message: member("error") }
}

/// One segment of a path, percent-encoded.
pub fn segment(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

/// Where the homeserver of a user is, as its domain says.
pub fn discover(user_id: &str) -> Result<String> {
    let (_, server) = user_id.split_once(':').context("a user id looks like @name:server")?;
    let guess = format!("https://{server}");
    let found = Api::new(&guess, None)?.get("/.well-known/matrix/client");
    let base = found.ok().and_then(|found| {
        found.pointer("/m.homeserver/base_url").and_then(Value::as_str).map(str::to_owned)
    });
    Ok(base.unwrap_or(guess))
}
