//! A small server for tests, on this machine.

use std::{
    env, fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpListener,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    thread,
};

use serde_json::Value;

pub const TOKEN: &str = "token-of-a-device";
pub const USER: &str = "@me:example.org";

pub struct Request {
    pub method: String,
    /// What follows `/_matrix/client/v3/`.
    pub path: String,
    pub body: String,
}

/// A status, and the body.
pub type Answer = (u16, String);

pub fn files() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/files")
}

pub fn file(name: &str) -> String {
    fs::read_to_string(files().join(name)).unwrap()
}

/// The account data of the user, by the paths at which a server has them.
pub fn account_data() -> impl Iterator<Item = (String, Value)> {
    let data: Value = serde_json::from_str(&file("account-data.json")).unwrap();
    let events = data["account_data"]["events"].as_array().expect("account data").clone();
    events.into_iter().map(|mut event| {
        let name = event["type"].as_str().unwrap();
        (format!("user/%40me%3Aexample.org/account_data/{name}"), event["content"].take())
    })
}

pub fn not_found() -> Answer {
    (404, r#"{"errcode":"M_NOT_FOUND","error":"none"}"#.into())
}

/// Answers requests until the test ends. The second value is what was asked for: the methods and
/// paths.
pub fn serve(
    mut answer: impl FnMut(&Request) -> Answer + Send + 'static,
) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let asked = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&asked);
    thread::spawn(move || {
        for mut stream in listener.incoming().map(Result::unwrap) {
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            let mut lines = reader.by_ref().lines().map(Result::unwrap);
            let first = lines.next().unwrap();
            let head: Vec<_> =
                lines.take_while(|line| !line.is_empty()).map(|line| line.to_lowercase()).collect();
            let length = head.iter().find_map(|line| line.strip_prefix("content-length: "));
            let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
            reader.read_exact(&mut body).unwrap();
            let (method, path) = first.split_once(' ').unwrap();
            let path = path.split(' ').next().unwrap();
            let path = path.strip_prefix("/_matrix/client/v3/").unwrap().to_owned();
            let body = String::from_utf8(body).unwrap();
            let request = Request { method: method.to_owned(), path, body };
            log.lock().unwrap().push(format!("{method} {}", request.path));
            let (status, body) = if head.contains(&format!("authorization: bearer {TOKEN}")) {
                answer(&request)
            } else {
                (401, r#"{"errcode":"M_UNKNOWN_TOKEN","error":"no"}"#.into())
            };
            let location = match status {
                302 => "Location: /_matrix/client/v3/elsewhere\r\n",
                _ => "",
            };
            let length = body.len();
            let head = format!(
                "HTTP/1.1 {status} X\r\n{location}Content-Length: {length}\r\n\
                 Connection: close\r\n\r\n"
            );
            stream.write_all((head + &body).as_bytes()).unwrap();
        }
    });
    (address, asked)
}
