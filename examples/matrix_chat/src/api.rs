//! HTTP requests to the homeserver, with JSON responses.

use std::{fmt, thread, time::Duration};

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};
use tracing::{debug, info};
use ureq::{Agent, http::Uri};

use crate::json;

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
    /// What it wants first, if it is more than the access token.
    authentication: Value,
}

impl Refused {
    /// The session to name, if the password is all that the server wants to see.
    pub fn wants_password(&self) -> Option<&str> {
        let flows = self.authentication["flows"].as_array()?;
        let password = json!(["m.login.password"]);
        let enough = self.status == 401 && flows.iter().any(|flow| flow["stages"] == password);
        self.authentication["session"].as_str().filter(|_| enough)
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the server refused: {} ({} {})", self.message, self.status, self.code)?;
        f.write_str(match (self.code.as_str(), self.status) {
            ("M_UNKNOWN_TOKEN" | "M_MISSING_TOKEN", _) => {
                "; this device was logged out: log in again, with another --store"
            }
            ("M_USER_DEACTIVATED", _) => "; this account no longer exists",
            (_, 500..) => "; try again later",
            _ => "",
        })
    }
}

impl std::error::Error for Refused {}

impl Api {
    pub fn new(base: &str, token: Option<String>) -> Result<Self> {
        let base = address(base)?;
        let encrypted = base.to_ascii_lowercase().starts_with("https:");
        let mut config = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_secs(120)))
            // No redirection leads to where the connection is not encrypted.
            .https_only(encrypted);
        if !encrypted {
            // Such a server is on this machine. A redirection could lead to another one, and a
            // proxy would look for it on its own machine.
            config = config.max_redirects(0).proxy(None);
        }
        let config = config.build();
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
            let (status, text) = self.call_once(method, path, body).with_context(|| {
                format!("cannot reach {} (are you online, and is it the address?)", self.base)
            })?;
            // Without the query, which is long, and without the headers, which have the token.
            debug!(method, path = path.split('?').next(), status, "answered");
            let answer = json::read(&text).and_then(object);
            if status < 300 {
                // A page from something in between. The request was not carried out.
                return answer.context("the answer is not JSON that we can read");
            }
            // An error may have such a page, too.
            let answer = answer.unwrap_or_default();
            if status != 429 {
                bail!(refused(status, &answer));
            }
            let wait = answer["retry_after_ms"].as_u64().unwrap_or(1_000);
            info!(milliseconds = wait, "the server asks us to wait");
            thread::sleep(Duration::from_millis(wait.min(30_000)));
        }
        bail!("the server is too busy for us: try again later")
    }

    fn call_once(&self, method: &str, path: &str, body: Option<&Value>) -> Result<(u16, String)> {
        let mut request =
            ureq::http::Request::builder().method(method).uri(format!("{}{path}", self.base));
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
        Ok((answer.status().as_u16(), text))
    }
}

/// Every answer of a homeserver is an object.
fn object(answer: Value) -> serde_json::Result<Value> {
    serde_json::from_value(answer).map(Value::Object)
}

/// What the server said, if it said no.
pub fn refusal(error: &anyhow::Error) -> Option<&Refused> {
    error.downcast_ref()
}

fn refused(status: u16, answer: &Value) -> Refused {
    let member = |name: &str| answer[name].as_str().unwrap_or("no reason given").to_owned();
    let authentication = json!({ "flows": answer["flows"], "session": answer["session"] });
    Refused { status, code: member("errcode"), message: member("error"), authentication }
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

/// The address of a homeserver, as it is stored. Passwords and tokens travel to it, so plain HTTP
/// is for this machine only.
pub fn address(text: &str) -> Result<String> {
    let uri = text.parse::<Uri>().ok().filter(|uri| uri.query().is_none());
    let host = uri.as_ref().and_then(Uri::host);
    // What precedes an @ looks like a host but is none; nor is a password stored.
    let host = host.filter(|_| !text.contains('@'));
    match (uri.as_ref().and_then(Uri::scheme_str), host) {
        (Some("https"), Some(_)) => {}
        (Some("http"), Some("localhost" | "127.0.0.1" | "[::1]")) => {}
        (Some("http"), Some(_)) => {
            bail!("{text} is not encrypted: use https://, or others can read your password")
        }
        _ => bail!("{text:?} is not an address: it should look like https://matrix.example.org"),
    }
    Ok(text.trim_end_matches('/').to_owned())
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

/// Checks that there is a homeserver, before anybody types a password for it.
pub fn probe(base: &str) -> Result<()> {
    let advice = || format!("{base} is no homeserver: name the address of yours with --homeserver");
    let answer = Api::new(base, None)?.get("/_matrix/client/versions").with_context(advice)?;
    ensure!(answer["versions"].is_array(), advice());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake_server::FakeServer;

    #[test]
    fn only_this_machine_is_reached_without_encryption() {
        for accepted in [
            "https://example.org",
            "https://example.org/",
            "HTTPS://example.org:8448/matrix",
            "http://localhost:8008",
            "http://127.0.0.1:8008/",
            "http://[::1]:8008",
        ] {
            assert!(address(accepted).is_ok(), "{accepted}");
            assert!(Api::new(accepted, None).is_ok(), "{accepted}");
        }
        for refused in [
            "http://example.org",
            "HTTP://example.org",
            "http://localhost.example.org",
            "http://localhost@example.org",
            "http://localhost:8008@example.org",
            "http://127.0.0.1:x@example.org",
            "https://alice:password@example.org",
        ] {
            assert!(address(refused).is_err(), "{refused}");
            assert!(Api::new(refused, None).is_err(), "{refused}");
        }
    }

    #[test]
    fn a_server_of_this_machine_leads_nowhere_else() {
        let other = FakeServer::new(|_| (200, "X: y".into(), json!({})));
        let location = format!("Location: {}/x", other.address);
        let server = FakeServer::new(move |_| (307, location.clone(), json!({})));
        let api = Api::new(&server.address, Some("token".into())).unwrap();
        assert_eq!(refusal(&api.get("/x").unwrap_err()).unwrap().status, 307);
        assert_eq!(refusal(&api.post("/x", &json!({})).unwrap_err()).unwrap().status, 307);
        assert_eq!((server.requests().len(), other.requests().len()), (2, 0));
    }

    #[test]
    fn no_redirection_leads_out_of_the_encryption() {
        for (address, encrypted) in [
            ("https://example.org", true),
            ("HTTPS://example.org", true),
            ("http://localhost:8008", false),
        ] {
            let api = Api::new(address, None).unwrap();
            assert_eq!(api.agent.config().https_only(), encrypted, "{address}");
        }
    }

    /// A proxy's page with the status 200 does not say that something was done.
    #[test]
    fn an_answer_that_is_no_object_is_an_error() {
        for page in ["<html>Welcome to the hotel</html>", "", "[]", "null", "{\"a\":1"] {
            let server = FakeServer::new(move |_| (200, "X: y".into(), page));
            let api = Api::new(&server.address, None).unwrap();
            let error = api.get("/x").unwrap_err();
            let text = format!("{error:#}");
            assert!(text.starts_with("the answer is not JSON that we can read: "), "{text}");
            assert!(refusal(&error).is_none());
            let server = FakeServer::new(move |_| (502, "X: y".into(), page));
            let error = Api::new(&server.address, None).unwrap().get("/x").unwrap_err();
            assert_eq!(refusal(&error).unwrap().status, 502);
        }
    }

    #[test]
    fn what_is_no_address_is_refused_with_advice() {
        for text in
            ["example.org", "", "https://", "ftp://example.org", "https://a.org?b", "https:"]
        {
            let error = address(text).unwrap_err().to_string();
            assert!(error.contains("https://matrix.example.org"), "{text}: {error}");
        }
        let error = address("http://example.org").unwrap_err().to_string();
        assert!(error.contains("password"), "{error}");
    }

    #[test]
    fn what_the_server_refuses_says_what_to_try() {
        let answer = json!({ "errcode": "M_UNKNOWN_TOKEN", "error": "Unknown token" });
        let text = refused(401, &answer).to_string();
        assert!(text.contains("Unknown token") && text.contains("log in again"), "{text}");
        let text = refused(502, &json!({})).to_string();
        assert!(text.contains("try again later"), "{text}");
    }

    #[test]
    fn a_server_may_want_the_password_and_nothing_else() {
        let wants = |status, stages: &[&str]| {
            let flows = json!([{ "stages": ["m.login.sso"] }, { "stages": stages }]);
            let refused = refused(status, &json!({ "flows": flows, "session": "one" }));
            refused.wants_password().map(str::to_owned)
        };
        assert_eq!(wants(401, &["m.login.password"]).as_deref(), Some("one"));
        assert_eq!(wants(403, &["m.login.password"]), None);
        assert_eq!(wants(401, &["m.login.password", "m.login.email.identity"]), None);
        assert_eq!(wants(401, &[]), None);
        assert_eq!(refused(401, &json!({})).wants_password(), None);
    }

    #[test]
    fn segments_are_encoded() {
        assert_eq!(segment("!a/b:c?#é~"), "%21a%2Fb%3Ac%3F%23%C3%A9~");
    }
}
