//! What `moceril decrypt EVENTS --keys KEYS` is measured against: the same in a loop, with
//! vodozemac. `loop_over_vodozemac EVENTS KEYS` writes the decrypted events as JSON lines.

use std::{
    collections::HashMap,
    env, error, fs,
    io::{BufRead, BufReader, BufWriter, Write},
};

use serde_json::{Value, json};
use vodozemac::megolm::{ExportedSessionKey, InboundGroupSession, MegolmMessage, SessionConfig};

fn main() -> Result<(), Box<dyn error::Error>> {
    let arguments: Vec<_> = env::args().skip(1).collect();
    let [events, keys] = &arguments[..] else {
        return Err("loop_over_vodozemac EVENTS KEYS".into());
    };
    let mut sessions = HashMap::new();
    let keys: Vec<Value> = serde_json::from_str(&fs::read_to_string(keys)?)?;
    for key in &keys {
        let exported = ExportedSessionKey::from_base64(text(&key["session_key"])?)?;
        let session = InboundGroupSession::import(&exported, SessionConfig::version_1());
        sessions.insert(text(&key["session_id"])?, session);
    }
    let mut out = BufWriter::new(std::io::stdout().lock());
    for line in BufReader::new(fs::File::open(events)?).lines() {
        let mut event: Value = serde_json::from_str(&line?)?;
        let message = MegolmMessage::from_base64(text(&event["content"]["ciphertext"])?)?;
        let session = sessions.get_mut(text(&event["content"]["session_id"])?);
        let decrypted = session.ok_or("an unknown session")?.decrypt(&message)?;
        let mut plaintext: Value = serde_json::from_slice(&decrypted.plaintext)?;
        if plaintext["room_id"] != event["room_id"] {
            return Err("an event of another room".into());
        }
        event["type"] = plaintext["type"].take();
        event["content"] = plaintext["content"].take();
        event["vodozemac"] = json!({ "index": decrypted.message_index });
        writeln!(out, "{event}")?;
    }
    Ok(out.flush()?)
}

fn text(value: &Value) -> Result<&str, &'static str> {
    value.as_str().ok_or("a member is missing")
}
