//! A homeserver for one test, which answers as the test says.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpListener,
    sync::{Arc, Mutex},
    thread,
};

use crate::{account::Client, api::Api, store::Store};

pub struct FakeServer {
    pub address: String,
    requests: Arc<Mutex<Vec<String>>>,
}

impl FakeServer {
    /// `answer` gets the method and the path, and gives the status, one line of the header, and the
    /// body.
    pub fn new<B: ToString>(answer: impl Fn(&str) -> (u16, String, B) + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::<Mutex<Vec<String>>>::default();
        let seen = Arc::clone(&requests);
        // It ends with the process.
        thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let request = read(&mut BufReader::new(&stream)).unwrap();
                let (status, header, body) = answer(&request);
                seen.lock().unwrap().push(request);
                let body = body.to_string();
                write!(
                    stream,
                    "HTTP/1.1 {status} Status\r\nConnection: close\r\n{header}\r\n\
                     Content-Length: {}\r\n\r\n{body}",
                    body.len()
                )
                .unwrap();
            }
        });
        Self { address, requests }
    }

    /// The method and the path of each request.
    pub fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }

    /// A device of Alice's on this server.
    pub fn alice(&self, store: Store) -> Client {
        let api = Api::new(&self.address, Some("token".to_owned())).unwrap();
        Client { api, store, user_id: "@alice:here".to_owned(), device_id: "HERS".to_owned() }
    }
}

/// Reads a request to its end: the method and the path.
fn read(stream: &mut impl BufRead) -> std::io::Result<String> {
    let mut first = String::new();
    stream.read_line(&mut first)?;
    let line = first.trim_end().trim_end_matches(" HTTP/1.1").to_owned();
    let mut length = 0;
    loop {
        let mut header = String::new();
        stream.read_line(&mut header)?;
        let header = header.trim_end().to_ascii_lowercase();
        if header.is_empty() {
            break;
        }
        if let Some(value) = header.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
    }
    stream.take(length).read_to_end(&mut Vec::new())?;
    Ok(line)
}
