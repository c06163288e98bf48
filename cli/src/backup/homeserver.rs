//! A backup on a server, and the data of the user's account there.

use std::{net::IpAddr, time::Duration};

use clap::Args;
use moceril::{Ed25519PublicKey, backup_file::BackupVersion, cross_signing::MasterKey};
use serde_json::{Value, json};
use ureq::{
    Agent, Body,
    http::{Method, Response, StatusCode, Uri},
};
use zeroize::Zeroizing;

use super::read_version;
use crate::{
    failure::{Failure, Result},
    input, progress,
    secrets::Secret,
};

/// More bytes than any account has: about a million keys.
const LONGEST_ANSWER: u64 = 1 << 30;
/// How long we wait for a silent server, and the longest wait that a server can demand.
const PATIENCE: Duration = Duration::from_secs(60);
/// How many times a server can demand a wait before it takes a request.
const WAITS: u32 = 10;

#[derive(Args, Debug)]
pub struct Account {
    /// The server of the account, instead of a file, such as https://matrix.example.org
    ///
    /// The recovery key may then be that of the backup or that of the secret storage.
    #[arg(long, value_name = "URL")]
    homeserver: Option<String>,
    /// Where the access token of the account is: file:PATH, env:NAME, fd:NUMBER or prompt
    #[arg(long, value_name = "SOURCE", requires = "homeserver")]
    token: Option<Secret>,
}

impl Account {
    /// The server, if one is named.
    pub fn homeserver(&self) -> Result<Option<Homeserver>> {
        let Some(url) = &self.homeserver else { return Ok(None) };
        let base = base(url)?;
        let token = Secret::text(self.token.as_ref(), "access token")?;
        Homeserver::new(base, token.trim()).map(Some)
    }
}

/// The address of a server without a slash at its end. A token is sent only where nobody else can
/// read it: encrypted, or to a server on this machine.
fn base(url: &str) -> Result<Uri> {
    let refused = |what: &str| {
        Failure::usage(format_args!("--homeserver: {what}"))
            .hint("give https:// and the server's name")
    };
    let uri: Uri = url.parse().map_err(|_| refused("this is not an address"))?;
    let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
    let is_here =
        host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    match uri.scheme_str() {
        Some("https") => {}
        Some("http") if is_here => {}
        Some("http") => return Err(refused("over http:// others could read the access token")),
        _ => return Err(refused("it does not begin with https://")),
    }
    let has_user = uri.authority().is_some_and(|authority| authority.as_str().contains('@'));
    if has_user || uri.query().is_some() {
        return Err(refused("it must be the name of the server only"));
    }
    Ok(uri)
}

pub struct Homeserver {
    agent: Agent,
    base: String,
    authorization: Zeroizing<String>,
}

impl Homeserver {
    fn new(base: Uri, token: &str) -> Result<Self> {
        if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(Failure::input("access token: expected one word"));
        }
        let config = Agent::config_builder()
            .http_status_as_error(false)
            // No other server gets the token.
            .max_redirects(0)
            .timeout_connect(Some(PATIENCE))
            .timeout_recv_response(Some(PATIENCE))
            .timeout_per_read(Some(PATIENCE));
        // A proxy would look for the server on its own machine.
        let config = if base.scheme_str() == Some("http") { config.proxy(None) } else { config };
        Ok(Self {
            agent: config.build().new_agent(),
            base: base.to_string().trim_end_matches('/').to_owned(),
            authorization: Zeroizing::new(format!("Bearer {token}")),
        })
    }

    /// The name in messages.
    pub fn name(&self) -> &str {
        &self.base
    }

    fn get(&self, path: &str) -> Result<Option<Zeroizing<String>>> {
        self.request(path, |url| {
            self.agent.get(url).header("Authorization", &*self.authorization).call()
        })
    }

    /// The answer to a request with a body, which must be there.
    fn send(&self, method: Method, path: &str, body: &str) -> Result<Value> {
        let answer = self.request(path, |url| {
            let request =
                if method == Method::PUT { self.agent.put(url) } else { self.agent.post(url) };
            let request = request.header("Authorization", &*self.authorization);
            request.header("Content-Type", "application/json").send(body)
        })?;
        let answer = answer.ok_or_else(|| {
            Failure::file(format_args!("{}/{path}: the server does not have it", self.base))
        })?;
        self.parsed(&answer, path)
    }

    /// The answer to a request, as text; `None` if the server does not have it.
    fn request(
        &self,
        path: &str,
        call: impl Fn(&str) -> std::result::Result<Response<Body>, ureq::Error>,
    ) -> Result<Option<Zeroizing<String>>> {
        let url = format!("{}/_matrix/client/v3/{path}", self.base);
        let mut waits = 0;
        loop {
            let (status, text) = self.answer(&url, &call)?;
            if status == StatusCode::OK {
                return Ok(Some(text));
            }
            let error: Value = serde_json::from_str(&text).unwrap_or_default();
            if status == StatusCode::TOO_MANY_REQUESTS && waits < WAITS {
                waits += 1;
                let milliseconds = error.get("retry_after_ms").and_then(Value::as_u64);
                let demanded = Duration::from_millis(milliseconds.unwrap_or(1_000));
                std::thread::sleep(demanded.min(PATIENCE));
                continue;
            }
            return refused(&url, status, &error);
        }
    }

    fn answer(
        &self,
        url: &str,
        call: impl Fn(&str) -> std::result::Result<Response<Body>, ureq::Error>,
    ) -> Result<(StatusCode, Zeroizing<String>)> {
        let failed = |error: &dyn std::fmt::Display| Failure::file(format_args!("{url}: {error}"));
        let mut answer = call(url).map_err(|error| failed(&error))?;
        let status = answer.status();
        let length = answer.body().content_length();
        let reader = answer.body_mut().with_config().limit(LONGEST_ANSWER).reader();
        let bar = progress::bytes(length);
        let expected = length.and_then(|length| usize::try_from(length).ok()).unwrap_or(0);
        // A server can claim any length.
        let bytes = input::read_wiped(&mut bar.wrap_read(reader), expected.min(1 << 24));
        bar.finish_and_clear();
        Ok((status, input::text(bytes.map_err(|error| failed(&error))?)?))
    }

    /// The current backup of the account, if it has one.
    pub fn current_version(&self) -> Result<Option<BackupVersion>> {
        let json = self.get("room_keys/version")?;
        json.map(|json| read_version(&json, &self.base)).transpose()
    }

    /// The current backup of the account.
    pub fn version(&self) -> Result<BackupVersion> {
        self.current_version()?
            .ok_or_else(|| Failure::input(format_args!("{}: the account has no backup", self.base)))
    }

    /// Makes a backup, which is then the current one. Returns its number.
    pub fn make_version(&self, version: &BackupVersion) -> Result<String> {
        let path = "room_keys/version";
        let answer = self.send(Method::POST, path, &version.to_json().to_string())?;
        let number = answer.get("version").and_then(Value::as_str).map(String::from);
        number.ok_or_else(|| {
            Failure::file(format_args!(
                "{}: the server does not say the number of the new backup",
                self.base
            ))
        })
    }

    /// All keys of a backup.
    pub fn backup(&self, version: &BackupVersion) -> Result<Zeroizing<String>> {
        let number = version.version.as_deref().unwrap_or_default();
        let keys = self.get(&format!("room_keys/keys?version={}", encoded(number)))?;
        keys.ok_or_else(|| Failure::input(format_args!("{}: the backup is gone", self.base)))
    }

    /// The keys of a room in a backup. A missing room has none.
    pub fn backed_up_room(&self, number: &str, room_id: &str) -> Result<Zeroizing<String>> {
        let path = format!("room_keys/keys/{}?version={}", encoded(room_id), encoded(number));
        let none = || Zeroizing::new(String::from(r#"{"sessions":{}}"#));
        Ok(self.get(&path)?.unwrap_or_else(none))
    }

    /// A key in a backup; an empty text if there is none.
    pub fn backed_up_key(
        &self,
        number: &str,
        room_id: &str,
        session_id: &str,
    ) -> Result<Zeroizing<String>> {
        let (room, session) = (encoded(room_id), encoded(session_id));
        let path = format!("room_keys/keys/{room}/{session}?version={}", encoded(number));
        Ok(self.get(&path)?.unwrap_or_default())
    }

    /// Puts keys into a backup. Returns how many the backup then has, if the server says so.
    pub fn put_keys(&self, number: &str, keys: &str) -> Result<Option<u64>> {
        let path = format!("room_keys/keys?version={}", encoded(number));
        let answer = self.send(Method::PUT, &path, keys)?;
        Ok(answer.get("count").and_then(Value::as_u64))
    }

    /// The user whose access token it is.
    pub fn user_id(&self) -> Result<String> {
        let whoami = self.json("account/whoami")?;
        let user = whoami.get("user_id").and_then(Value::as_str).map(String::from);
        user.ok_or_else(|| {
            Failure::file(format_args!("{}: the server does not say the user_id", self.base))
        })
    }

    /// The master key that the user has published.
    pub fn master_key(&self, user: &str) -> Result<Ed25519PublicKey> {
        let body = json!({ "device_keys": { user: [] } });
        let answer = self.send(Method::POST, "keys/query", &body.to_string())?;
        let key = answer.get("master_keys").and_then(|keys| keys.get(user)).cloned();
        let key = key.ok_or_else(|| Failure::input("the account has no master key"))?;
        let key = MasterKey::read(key, user);
        key.map(|key| key.key()).map_err(|error| Failure::input(error).at("the master key"))
    }

    /// The account data from which secret storage gives these secrets, as /sync has them.
    pub fn account_data(&self, user: &str, secrets: &[&str]) -> Result<Value> {
        let folder = format!("user/{}/account_data", encoded(user));
        let default = self.json(&format!("{folder}/m.secret_storage.default_key"))?;
        let id = default.get("key").and_then(Value::as_str).unwrap_or_default();
        let name = format!("m.secret_storage.key.{id}");
        let description = self.json(&format!("{folder}/{}", encoded(&name)))?;
        let mut events = vec![
            json!({ "type": "m.secret_storage.default_key", "content": default }),
            json!({ "type": name, "content": description }),
        ];
        for name in secrets {
            let content = self.json(&format!("{folder}/{name}"))?;
            events.push(json!({ "type": name, "content": content }));
        }
        Ok(Value::Array(events))
    }

    fn json(&self, path: &str) -> Result<Value> {
        let text = self.get(path)?.ok_or_else(|| {
            Failure::key(format_args!("{}: the account has no {path}", self.base)).hint(
                "give the recovery key of the backup itself: this account has no secret storage",
            )
        })?;
        self.parsed(&text, path)
    }

    fn parsed(&self, text: &str, path: &str) -> Result<Value> {
        serde_json::from_str(text).map_err(|error| {
            Failure::input(format_args!("{}/{path}: expected JSON: {error}", self.base))
        })
    }
}

/// Why a server refuses a request; `None` if it does not have the requested object.
fn refused<T>(url: &str, status: StatusCode, error: &Value) -> Result<Option<T>> {
    let code = error.get("errcode").and_then(Value::as_str).unwrap_or_default();
    let why = error.get("error").and_then(Value::as_str).unwrap_or_default();
    let what = format!("{url}: the server answers {status} {code} {why}");
    let what = what.trim_end();
    match status {
        StatusCode::NOT_FOUND if code == "M_NOT_FOUND" => Ok(None),
        StatusCode::UNAUTHORIZED => Err(Failure::key(what)
            .hint("take the access token of a device that is signed in, from a client's settings")),
        StatusCode::NOT_FOUND => Err(Failure::file(what)
            .hint("give the address at which clients reach the server; it may have another name")),
        _ => Err(Failure::file(what)),
    }
}

/// The text as a part of an address (RFC 3986, section 2.1).
fn encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
            _ if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_goes_only_where_nobody_else_reads_it() {
        for good in [
            "https://matrix.example.org",
            "https://example.org:8448/",
            "http://localhost:8008",
            "http://127.0.0.1:8008/",
            "http://[::1]:8008",
        ] {
            assert!(base(good).is_ok(), "{good}");
        }
        for bad in [
            "http://matrix.example.org",
            "http://localhost.example.org",
            "http://127.0.0.1.example.org",
            "http://user@localhost",
            "https://user:password@example.org",
            "https://example.org/?a",
            "matrix.example.org",
            "ftp://example.org",
            "",
        ] {
            assert_eq!(base(bad).unwrap_err().code, crate::failure::Code::Usage, "{bad}");
        }
    }

    #[test]
    fn an_id_is_one_part_of_an_address() {
        assert_eq!(encoded("@me:a/../b?"), "%40me%3Aa%2F..%2Fb%3F");
    }
}
