//! `moceril keys list`.

use std::{collections::BTreeMap, io::Write};

use clap::Args;
use serde_json::json;

use super::load::{KeyFile, Passphrases, Refusals};
use crate::{failure::Result, input::Input, output::stdout, report::printable};

/// Show which rooms and sessions a file has keys for
///
/// The columns count the keys of each room. incomplete: keys that cannot decrypt a session's first
/// messages. forwarded: keys that came from another device than the sender's. With --sessions, each
/// line is one key, index is the first message that it decrypts, and forwarded counts the devices
/// that have passed it on.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  moceril keys list keys.txt
  moceril keys list keys.txt --sessions --passphrase file:passphrase.txt")]
pub struct List {
    /// The file of exported keys; - is standard input
    #[arg(value_name = "FILE")]
    input: Input,
    #[command(flatten)]
    passphrases: Passphrases,
    /// Show each session, not only each room
    #[arg(long)]
    sessions: bool,
}

#[derive(Default)]
struct Room {
    sessions: u64,
    /// Those that cannot decrypt the first messages of their session.
    incomplete: u64,
    forwarded: u64,
}

pub fn run(args: &List, json: bool) -> Result<()> {
    let mut file = KeyFile::load(&args.input, &args.passphrases)?;
    let mut refusals = Refusals::default();
    let mut rooms = BTreeMap::<String, Room>::new();
    let mut out = stdout();
    if args.sessions && !json {
        writeln!(out, "{:43}  {:>5}  {:>9}  room", "session", "index", "forwarded")?;
    }
    file.each_key(|key| {
        let Some(key) = refusals.sort(key) else { return Ok(()) };
        let (id, index) = (key.session_key.session_id(), key.session_key.index());
        let forwarded = key.forwarding_chain.len();
        if args.sessions && json {
            let line = json!({
                "room_id": key.room_id,
                "session_id": id,
                "first_index": index,
                "sender_key": key.sender_key.map(|key| key.to_base64()),
                "forwarded": forwarded,
            });
            writeln!(out, "{line}")?;
        } else if args.sessions {
            writeln!(out, "{id}  {index:>5}  {forwarded:>9}  {}", printable(&key.room_id))?;
        } else {
            let room = rooms.entry(key.room_id).or_default();
            room.sessions += 1;
            room.incomplete += u64::from(index > 0);
            room.forwarded += u64::from(forwarded > 0);
        }
        Ok(())
    })?;
    if !args.sessions && !json {
        writeln!(out, "{:>8}  {:>10}  {:>9}  room", "sessions", "incomplete", "forwarded")?;
    }
    for (room_id, Room { sessions, incomplete, forwarded }) in rooms {
        if json {
            let line = json!({
                "room_id": room_id,
                "sessions": sessions,
                "incomplete": incomplete,
                "forwarded": forwarded,
            });
            writeln!(out, "{line}")?;
        } else {
            writeln!(
                out,
                "{sessions:>8}  {incomplete:>10}  {forwarded:>9}  {}",
                printable(&room_id)
            )?;
        }
    }
    out.flush()?;
    refusals.report()
}
