//! `moceril keys diff`.

use std::{cmp::Ordering, collections::BTreeMap, io::Write};

use clap::Args;
use moceril::megolm::{ExportedSessionKey, InboundGroupSession};
use serde_json::json;

use super::load::{KeyFile, Passphrases, Refusals};
use crate::{
    failure::{Failure, Result},
    input::Input,
    output::stdout,
    report::{counted, printable},
};

/// Show which keys only one of two files has, or has from an earlier message on
///
/// The exit code is 1 if the files differ.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  moceril keys diff old.txt new.txt
  moceril keys diff keys.json phone.txt --passphrase env:PHONE --json")]
pub struct Diff {
    /// The first file of exported keys
    #[arg(value_name = "FIRST")]
    first: Input,
    /// The second file of exported keys
    #[arg(value_name = "SECOND")]
    second: Input,
    #[command(flatten)]
    passphrases: Passphrases,
}

type Keys = BTreeMap<(String, String), ExportedSessionKey>;

fn read(file: &mut KeyFile, refusals: &mut Refusals) -> Result<Keys> {
    let mut keys = Keys::new();
    file.each_key(|key| {
        if let Some(key) = refusals.sort(key) {
            keys.insert((key.room_id, key.session_key.session_id()), key.session_key);
        }
        Ok(())
    })?;
    Ok(keys)
}

/// How the files differ in a key, if at all.
fn difference(
    first: Option<&ExportedSessionKey>,
    second: Option<&ExportedSessionKey>,
) -> Option<&'static str> {
    let (first, second) = match (first, second) {
        (Some(first), Some(second)) => (first, second),
        (Some(_), None) => return Some("only in the first"),
        (None, _) => return Some("only in the second"),
    };
    let [ours, theirs] = [first, second].map(InboundGroupSession::import);
    if !ours.connected(&theirs) {
        return Some("different keys");
    }
    match first.index().cmp(&second.index()) {
        Ordering::Less => Some("earlier in the first"),
        Ordering::Equal => None,
        Ordering::Greater => Some("earlier in the second"),
    }
}

pub fn run(args: &Diff, json: bool) -> Result<()> {
    let inputs = [args.first.clone(), args.second.clone()];
    let (mut refusals, mut keys) = (Refusals::default(), Vec::new());
    for file in &mut KeyFile::load_all(&inputs, &args.passphrases)? {
        keys.push(read(file, &mut refusals)?);
    }
    let (first, second) = (&keys[0], &keys[1]);
    let mut ids: Vec<_> = first.keys().chain(second.keys()).collect();
    ids.sort_unstable();
    ids.dedup();
    let (mut out, mut differences) = (stdout(), 0_u64);
    for id in ids {
        let Some(how) = difference(first.get(id), second.get(id)) else { continue };
        differences += 1;
        let (room_id, session_id) = id;
        let index = |keys: &Keys| keys.get(id).map(ExportedSessionKey::index);
        if json {
            let line = json!({
                "difference": how,
                "room_id": room_id,
                "session_id": session_id,
                "first_index": index(first),
                "second_index": index(second),
            });
            writeln!(out, "{line}")?;
        } else {
            writeln!(out, "{how:21}  {session_id}  {}", printable(room_id))?;
        }
    }
    if differences == 0 && !json {
        writeln!(out, "both files have the same {} keys", first.len())?;
    }
    out.flush()?;
    refusals.report()?;
    match differences {
        0 => Ok(()),
        count => Err(Failure::finding(format_args!(
            "the files differ in {}",
            counted(count, "key", "keys")
        ))),
    }
}
