//! Shows what was said in a room.

use std::io::Write;

use anstream::println;
use anyhow::Result;
use moceril::megolm::Provenance;
use serde_json::Value;

use crate::{
    account::Client,
    room::{self, Author, Read},
    sync,
    terminal::{DIM, GREEN, RED, YELLOW, coloured, harmless},
};

/// Shows new messages, or all of them first, and with `once` no later ones.
pub fn run(client: &Client, room_id: &str, all: bool, once: bool) -> Result<()> {
    let waiting = show(client, room_id, all)?;
    if waiting > 0 {
        let text = format!("({waiting} more: their keys have not come yet; -v says which)");
        println!("{}", coloured(DIM, &text));
    }
    if once {
        return Ok(());
    }
    loop {
        sync::once(client, 30_000)?;
        show(client, room_id, false)?;
    }
}

/// Shows messages that were not shown before. Returns how many have no key; they are tried again.
fn show(client: &Client, room_id: &str, all: bool) -> Result<usize> {
    let store = &client.store;
    let wanted = "SELECT json FROM events WHERE room_id = ? AND (? OR NOT shown) ORDER BY id";
    let events: Vec<String> = store.all(wanted, (room_id, all))?;
    let mut waiting = 0;
    for json in events {
        let event: Value = serde_json::from_str(&json)?;
        let line = store.atomically(|| {
            let line = line(client, room_id, &event)?;
            if let Some(line) = &line {
                // What cannot be written was not shown.
                writeln!(anstream::stdout(), "{line}")?;
                let id = event["event_id"].as_str();
                store.run("UPDATE events SET shown = 1 WHERE event_id = ?", [id])?;
            }
            Ok(line)
        })?;
        waiting += usize::from(line.is_none());
    }
    Ok(waiting)
}

fn line(client: &Client, room_id: &str, event: &Value) -> Result<Option<String>> {
    let (mark, text) = if event["type"] == "m.room.encrypted" {
        match room::read(&client.store, room_id, event) {
            Ok(Read::Text { text, author, maybe_replayed }) => {
                let mut mark = mark(client, &author);
                if maybe_replayed {
                    mark = format!("{mark} {}", coloured(YELLOW, "[may be shown again]"));
                }
                (mark, text)
            }
            Ok(Read::NoKey(_)) => return Ok(None),
            Ok(Read::Bad(reason)) => (coloured(RED, "[unreadable]"), reason),
            Err(error) => (coloured(RED, "[unreadable]"), format!("{error:#}")),
        }
    } else {
        let text = event["content"]["body"].as_str().unwrap_or("[removed]");
        (coloured(RED, "[NOT ENCRYPTED]"), text.to_owned())
    };
    let sender = harmless(event["sender"].as_str().unwrap_or_default());
    let text: Vec<String> = text.lines().map(harmless).collect();
    Ok(Some(format!("{} {sender} {mark} {}", time(event), text.join("\n    "))))
}

fn mark(client: &Client, author: &Author) -> String {
    match author {
        Author::Unverified { user_id, device_id }
            if (user_id, device_id) == (&client.user_id, &client.device_id) =>
        {
            coloured(GREEN, "[this device]")
        }
        Author::Verified => coloured(GREEN, "[verified]"),
        Author::Unverified { device_id, .. } => {
            coloured(YELLOW, &format!("[{} not verified]", harmless(device_id)))
        }
        Author::Unproven(Provenance::Backup) => coloured(YELLOW, "[key from the backup]"),
        Author::Unproven(Provenance::Exported) => coloured(YELLOW, "[key from a file]"),
        Author::Unproven(Provenance::Signed) => coloured(YELLOW, "[unknown device]"),
        Author::Unproven(_) => coloured(YELLOW, "[key of unknown origin]"),
    }
}

/// Hours and minutes, in UTC, as the sender's server says.
fn time(event: &Value) -> String {
    let minutes = event["origin_server_ts"].as_u64().unwrap_or(0) / 60_000;
    coloured(DIM, &format!("{:02}:{:02}", minutes / 60 % 24, minutes % 60))
}
