//! `moceril keys filter`.

use clap::Args;
use moceril::room_keys::ExportedRoomKey;

use super::{
    load::{KeyFile, Passphrases, Refusals},
    save::Save,
};
use crate::{failure::Result, input::Input, progress, report::Report};

/// Write only some keys of a file: those of the named rooms, senders or sessions
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  moceril keys filter keys.txt --room '!abc:example.org' --output one-room.txt
  moceril keys filter keys.txt --not --room '!old:example.org' --output others.txt")]
pub struct Filter {
    /// The file of exported keys; - is standard input
    #[arg(value_name = "FILE")]
    input: Input,
    #[command(flatten)]
    passphrases: Passphrases,
    /// Only keys of this room; can be given more than once
    #[arg(long = "room", value_name = "ROOM_ID")]
    rooms: Vec<String>,
    /// Only keys from the device with this Curve25519 key; can be given more than once
    #[arg(long = "sender-key", value_name = "KEY")]
    sender_keys: Vec<String>,
    /// Only the key of this session; can be given more than once
    #[arg(long = "session", value_name = "SESSION_ID")]
    sessions: Vec<String>,
    /// Write all other keys instead
    #[arg(long)]
    not: bool,
    #[command(flatten)]
    save: Save,
}

impl Filter {
    fn takes(&self, key: &ExportedRoomKey) -> bool {
        let named = |names: &[String], name: &str| {
            names.is_empty() || names.iter().any(|known| known.trim_end_matches('=') == name)
        };
        let sender_key = key.sender_key.map_or_else(String::new, |key| key.to_base64());
        let takes = named(&self.rooms, &key.room_id)
            && named(&self.sender_keys, &sender_key)
            && named(&self.sessions, &key.session_key.session_id());
        takes != self.not
    }
}

pub fn run(args: &Filter, json: bool, show_secrets: bool) -> Result<()> {
    args.save.check(show_secrets)?;
    let mut file = KeyFile::load(&args.input, &args.passphrases)?;
    let (mut refusals, mut read, mut kept) = (Refusals::default(), 0_u64, 0);
    args.save.save(file.passphrase(), show_secrets, |sink| {
        let progress = progress::counting("keys");
        file.each_key(|key| {
            progress.inc(1);
            let Some(key) = refusals.sort(key) else { return Ok(()) };
            read += 1;
            if args.takes(&key) { sink.push(&key) } else { Ok(()) }
        })?;
        progress.finish_and_clear();
        kept = sink.count;
        sink.end()
    })?;
    if args.save.output.file().is_some() {
        let report = Report::new("filtered").with("keys read", read);
        report.with("keys kept", kept).print(json)?;
    }
    refusals.report()
}
