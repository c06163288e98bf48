//! Reads events: JSON lines, or one document as clients and servers write it.

use std::io::BufRead;

use serde_json::Value;

use crate::{
    failure::{Failure, Result},
    input::Input,
};

/// The members under which documents list events: a server's answer to `/messages`, the chat that
/// Element exports, whose events are decrypted already, and `/sync`'s timelines.
const LISTS: [&str; 3] = ["chunk", "messages", "events"];

/// Reads events one after the other. If they are lines, only one is in memory at a time.
pub struct Events {
    name: String,
    reader: Box<dyn BufRead>,
    line: u64,
    /// The events of a document that was read as a whole, the last one first.
    document: Vec<Value>,
}

impl Events {
    pub fn open(input: &Input) -> Result<Self> {
        let reader = input.lines()?;
        Ok(Self { name: input.name(), reader, line: 0, document: Vec::new() })
    }

    fn line(&mut self) -> Result<Option<String>> {
        loop {
            let mut line = String::new();
            let read = self.reader.read_line(&mut line);
            self.line += 1;
            match read {
                Ok(0) => return Ok(None),
                Ok(_) => {}
                Err(error) => {
                    return Err(Failure::file(format_args!(
                        "{}: line {}: {error}",
                        self.name, self.line
                    )));
                }
            }
            let line = line.trim_start_matches('\u{feff}').trim();
            if !line.is_empty() {
                return Ok(Some(line.to_owned()));
            }
        }
    }

    /// The next event; `None` at the end.
    fn event(&mut self) -> Result<Option<Value>> {
        loop {
            if let Some(event) = self.document.pop() {
                return Ok(Some(event));
            }
            let first = self.line;
            let Some(line) = self.line()? else { return Ok(None) };
            let value = match serde_json::from_str(&line) {
                Ok(value) => value,
                // A document of several lines.
                Err(error) if first == 0 && error.is_eof() => self.rest(line)?,
                Err(error) => {
                    let place = format!("{}: line {}", self.name, self.line);
                    return Err(Failure::input(format_args!("expected an event as JSON: {error}"))
                        .at(place)
                        .hint("give one event a line, or the whole answer to /messages"));
                }
            };
            match list(value) {
                Ok(event) => return Ok(Some(event)),
                Err(events) => self.document = events.into_iter().rev().collect(),
            }
        }
    }

    fn rest(&mut self, mut text: String) -> Result<Value> {
        self.reader
            .read_to_string(&mut text)
            .map_err(|error| Failure::file(format_args!("{}: {error}", self.name)))?;
        serde_json::from_str(&text).map_err(|error| {
            Failure::input(format_args!("{}: expected events as JSON: {error}", self.name))
                .hint("give one event a line, or the whole answer to /messages")
        })
    }

    /// The next events, at most `most`.
    pub fn take(&mut self, most: usize) -> Result<Vec<Value>> {
        let mut events = Vec::new();
        while events.len() < most
            && let Some(event) = self.event()?
        {
            events.push(event);
        }
        Ok(events)
    }
}

/// The event, or the events that a document lists.
fn list(value: Value) -> std::result::Result<Value, Vec<Value>> {
    match value {
        Value::Array(events) => Err(events),
        Value::Object(mut object) if !object.contains_key("type") => {
            let list = LISTS.iter().find_map(|name| object.remove(*name));
            match list {
                Some(Value::Array(events)) => Err(events),
                _ => Ok(Value::Object(object)),
            }
        }
        event => Ok(event),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn read(text: &'static str) -> Result<Vec<Value>> {
        let reader = Box::new(Cursor::new(text));
        Events { name: "file".into(), reader, line: 0, document: Vec::new() }.take(9)
    }

    #[test]
    fn lines_and_documents_are_read() {
        let event = r#"{"type":"a"}"#;
        let expected = vec![serde_json::from_str::<Value>(event).unwrap(); 2];
        for text in [
            "{\"type\":\"a\"}\n{\"type\":\"a\"}",
            "\u{feff}{\"type\":\"a\"}\r\n\r\n{\"type\":\"a\"}\r\n",
            "[{\"type\":\"a\"},{\"type\":\"a\"}]",
            "{\"chunk\":[{\"type\":\"a\"}]}\n{\"chunk\":[{\"type\":\"a\"}]}",
            "{\n\"room_name\": \"x\", \"messages\": [\n{\"type\":\"a\"},\n{\"type\":\"a\"}]\n}\n",
        ] {
            assert_eq!(read(text).unwrap(), expected, "{text}");
        }
        assert!(read("").unwrap().is_empty());
    }

    #[test]
    fn a_bad_line_is_named() {
        let error = read("{\"type\":\"a\"}\n{\"type\":}").unwrap_err().to_string();
        assert!(error.starts_with("file: line 2: expected an event as JSON"), "{error}");
    }
}
