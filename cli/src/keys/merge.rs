//! `moceril keys merge`.

use std::{
    collections::{HashMap, hash_map::Entry, hash_map::RandomState},
    hash::BuildHasher,
};

use clap::Args;
use moceril::{
    megolm::{ExportedSessionKey, InboundGroupSession},
    room_keys::ExportedRoomKey,
};

use super::{
    load::{KeyFile, Passphrases, Refusals},
    save::Save,
};
use crate::{failure::Result, input::Input, progress, report::Report};

/// Put the keys of several files into one, each from its earliest known message on
///
/// Two entries of the same session are one key if one follows from the other. The earlier one is
/// kept with what it says of its sender. Entries that do not belong together, or that name other
/// senders or rooms, are reported, and the first one is kept: nothing gains trust by merging.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  moceril keys merge phone.txt laptop.txt --output all.txt
  moceril keys merge a.txt b.txt --passphrase env:A --passphrase env:B --output all.txt")]
pub struct Merge {
    /// The files of exported keys
    #[arg(value_name = "FILE", required = true)]
    inputs: Vec<Input>,
    #[command(flatten)]
    passphrases: Passphrases,
    #[command(flatten)]
    save: Save,
}

/// The entry of a session that is kept so far.
struct Kept {
    /// Its place among all entries of all files.
    place: usize,
    key: ExportedSessionKey,
    /// A hash of the room and of what is said of the sender. It is keyed, so that no file can be
    /// made to collide.
    claims: u64,
}

fn claims(hasher: &RandomState, key: &ExportedRoomKey) -> u64 {
    hasher.hash_one((&key.room_id, key.sender_key.as_bytes(), &key.sender_claimed_keys))
}

/// What becomes of a second entry of a session.
#[derive(Debug, PartialEq, Eq)]
enum Second {
    Earlier,
    NotNeeded,
    OtherKey,
    OtherClaims,
}

fn compare(kept: &Kept, key: &ExportedRoomKey, claims: u64) -> Second {
    let [ours, theirs] = [&kept.key, &key.session_key].map(InboundGroupSession::import);
    if !ours.connected(&theirs) {
        Second::OtherKey
    } else if kept.claims != claims {
        Second::OtherClaims
    } else if key.session_key.index() < kept.key.index() {
        Second::Earlier
    } else {
        Second::NotNeeded
    }
}

pub fn run(args: &Merge, json: bool, show_secrets: bool) -> Result<()> {
    args.save.check(show_secrets)?;
    let mut files = KeyFile::load_all(&args.inputs, &args.passphrases)?;
    let mut refusals = Refusals::default();
    let hasher = RandomState::new();
    let mut sessions = HashMap::<[u8; 32], Kept>::new();
    let (mut read, mut earlier) = (0_u64, 0_u64);
    let progress = progress::counting("keys read");
    all(&mut files, |place, name, key| {
        progress.inc(1);
        let Some(key) = refusals.sort(key) else { return Ok(()) };
        read += 1;
        let claims = claims(&hasher, &key);
        match sessions.entry(*key.session_key.signing_key().as_bytes()) {
            Entry::Vacant(entry) => {
                entry.insert(Kept { place, key: key.session_key, claims });
            }
            Entry::Occupied(mut entry) => match compare(entry.get(), &key, claims) {
                Second::Earlier => {
                    earlier += 1;
                    entry.insert(Kept { place, key: key.session_key, claims });
                }
                Second::NotNeeded => {}
                other => {
                    let id = key.session_key.session_id();
                    let why = if other == Second::OtherKey {
                        "has another key than an entry before"
                    } else {
                        "names another room or sender than an entry before"
                    };
                    refusals.sort::<()>(Err(format!("{name}: session {id} {why}")));
                }
            },
        }
        Ok(())
    })?;
    progress.finish_and_clear();

    let passphrase = files.iter().find_map(KeyFile::passphrase);
    let mut written = 0;
    args.save.save(passphrase, show_secrets, |sink| {
        let progress = progress::counting("keys written");
        all(&mut files, |place, _, key| {
            let Ok(key) = key else { return Ok(()) };
            let kept = sessions.get(key.session_key.signing_key().as_bytes());
            if kept.is_none_or(|kept| kept.place != place) {
                return Ok(());
            }
            progress.inc(1);
            sink.push(&key)
        })?;
        progress.finish_and_clear();
        written = sink.count;
        sink.end()
    })?;
    if args.save.output.file().is_some() {
        Report::new("merged")
            .with("keys read", read)
            .with("keys written", written)
            .with("earlier index", earlier)
            .print(json)?;
    }
    refusals.report()
}

type Read = std::result::Result<ExportedRoomKey, String>;

/// Hands the keys of all files to `visit`, each with its place among all and the name of its file.
fn all(
    files: &mut [KeyFile],
    mut visit: impl FnMut(usize, &str, Read) -> Result<()>,
) -> Result<()> {
    let mut place = 0;
    for file in files {
        let name = file.name.clone();
        file.each_key(|key| {
            place += 1;
            visit(place, &name, key)
        })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use moceril::{Curve25519PublicKey, megolm::GroupSession};

    use super::*;

    fn key(session: &InboundGroupSession, index: u32) -> ExportedRoomKey {
        let sender = Curve25519PublicKey::from_bytes([9; 32]).unwrap();
        ExportedRoomKey::new("!room", session.export_at(index).unwrap(), sender)
    }

    fn session() -> InboundGroupSession {
        InboundGroupSession::new(&GroupSession::new(0).unwrap().session_key())
    }

    #[test]
    fn the_earlier_of_two_connected_entries_is_kept() {
        let hasher = RandomState::new();
        let (one, two) = (session(), session());
        let kept = |key: &ExportedRoomKey| Kept {
            place: 0,
            key: key.session_key.clone(),
            claims: claims(&hasher, key),
        };
        let compare = |first: &ExportedRoomKey, second: &ExportedRoomKey| {
            compare(&kept(first), second, claims(&hasher, second))
        };
        assert_eq!(compare(&key(&one, 5), &key(&one, 2)), Second::Earlier);
        assert_eq!(compare(&key(&one, 2), &key(&one, 5)), Second::NotNeeded);
        assert_eq!(compare(&key(&one, 2), &key(&one, 2)), Second::NotNeeded);
        assert_eq!(compare(&key(&one, 2), &key(&two, 2)), Second::OtherKey);
        let mut other = key(&one, 0);
        other.room_id = "!other".into();
        assert_eq!(compare(&key(&one, 2), &other), Second::OtherClaims);
        let mut other = key(&one, 0);
        other.sender_claimed_keys.insert("ed25519".into(), "mine".into());
        assert_eq!(compare(&key(&one, 2), &other), Second::OtherClaims);
    }
}
