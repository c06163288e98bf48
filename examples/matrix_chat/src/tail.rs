//! Shows what was said in a room.

use std::io::Write;

use anstream::{println, stdout};
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
    let waiting = show(client, room_id, all, &mut stdout())?;
    if waiting > 0 {
        let text = format!("({waiting} more: their keys have not come yet; -v says which)");
        println!("{}", coloured(DIM, &text));
    }
    if once {
        return Ok(());
    }
    loop {
        sync::once(client, 30_000)?;
        show(client, room_id, false, &mut stdout())?;
    }
}

/// Shows messages that were not shown before. Returns how many have no key; they are tried again.
fn show(client: &Client, room_id: &str, all: bool, out: &mut impl Write) -> Result<usize> {
    let store = &client.store;
    let wanted = "SELECT json FROM events WHERE room_id = ? AND (? OR NOT shown) ORDER BY id";
    let events: Vec<String> = store.all(wanted, (room_id, all))?;
    let mut waiting = 0;
    for json in events {
        let event: Value = serde_json::from_str(&json)?;
        let Some(line) = store.atomically(|| line(client, room_id, &event))? else {
            waiting += 1;
            continue;
        };
        // Not in a transaction: a pager that waits for its user would keep out other commands.
        writeln!(out, "{line}")?;
        // What could not be written was not shown. The replay guard knows the event, so it can be
        // shown another time.
        let id = event["event_id"].as_str();
        store.run("UPDATE events SET shown = 1 WHERE event_id = ?", [id])?;
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

#[cfg(test)]
mod tests {
    use std::{io, time::Duration};

    use serde_json::json;

    use super::*;
    use crate::{
        api::Api,
        store::{Directory, Store},
    };

    /// A pager, which stands still until another command has used the store, or which has ended.
    enum Pager {
        Reads(Store),
        Ended,
    }

    impl Write for Pager {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            match self {
                Self::Reads(store) => {
                    store.set_meta("another", "command").map_err(io::Error::other)?;
                    Ok(bytes.len())
                }
                Self::Ended => Err(io::ErrorKind::BrokenPipe.into()),
            }
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_pager_keeps_out_no_other_command() {
        let directory = Directory::new();
        let client = Client {
            api: Api::new("http://localhost:1", None).unwrap(),
            store: Store::create(&directory).unwrap(),
            user_id: "@us:here".to_owned(),
            device_id: "US".to_owned(),
        };
        let event = json!({ "type": "m.room.message", "event_id": "$1", "sender": "@them:there" });
        client
            .store
            .run(
                "INSERT INTO events (room_id, event_id, json) VALUES ('!room', '$1', ?)",
                [event.to_string()],
            )
            .unwrap();
        let shown = || client.store.one::<bool>("SELECT shown FROM events", []).unwrap();
        let error = show(&client, "!room", false, &mut Pager::Ended).unwrap_err();
        assert_eq!(error.downcast::<io::Error>().unwrap().kind(), io::ErrorKind::BrokenPipe);
        assert_eq!(shown(), Some(false));

        let other = Store::open(&directory).unwrap();
        other.db.busy_timeout(Duration::ZERO).unwrap();
        show(&client, "!room", false, &mut Pager::Reads(other)).unwrap();
        assert_eq!(shown(), Some(true));
    }
}
