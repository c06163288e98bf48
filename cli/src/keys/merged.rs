//! The keys of several files as one set, which has each session once, from its earliest known index
//! on.

use std::{
    collections::{HashMap, hash_map::Entry, hash_map::RandomState},
    hash::BuildHasher,
};

use moceril::{
    megolm::{ExportedSessionKey, InboundGroupSession},
    room_keys::ExportedRoomKey,
};

use super::load::{KeyFile, Refusals};
use crate::{failure::Result, progress};

/// The entry of a session that is kept so far.
struct Kept {
    /// Its position among all entries of all files.
    place: usize,
    key: ExportedSessionKey,
    /// A hash of the room and the claims about the sender. It is keyed, so that no file can be made
    /// to collide.
    claims: u64,
}

fn claims(hasher: &RandomState, key: &ExportedRoomKey) -> u64 {
    hasher.hash_one((&key.room_id, key.sender_key.as_bytes(), &key.sender_claimed_keys))
}

/// What happens to a second entry of a session.
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

/// Which entries of the files are kept. The keys themselves are read from the files again.
#[derive(Default)]
pub struct Merged {
    sessions: HashMap<[u8; 32], Kept>,
    /// How many entries were read.
    pub read: u64,
    /// How many of them replaced a later one.
    pub earlier: u64,
}

impl Merged {
    /// Reads all files. Entries that contradict an earlier one are refused.
    pub fn of(files: &mut [KeyFile], refusals: &mut Refusals) -> Result<Self> {
        let (hasher, mut merged) = (RandomState::new(), Self::default());
        let progress = progress::counting("keys read");
        all(files, |place, name, key| {
            progress.inc(1);
            let Some(key) = refusals.sort(key) else { return Ok(()) };
            merged.read += 1;
            let claims = claims(&hasher, &key);
            match merged.sessions.entry(*key.session_key.signing_key().as_bytes()) {
                Entry::Vacant(entry) => {
                    entry.insert(Kept { place, key: key.session_key, claims });
                }
                Entry::Occupied(mut entry) => match compare(entry.get(), &key, claims) {
                    Second::Earlier => {
                        merged.earlier += 1;
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
        Ok(merged)
    }

    /// Hands each key that is kept to `visit`, from the same files.
    pub fn each(
        &self,
        files: &mut [KeyFile],
        mut visit: impl FnMut(ExportedRoomKey) -> Result<()>,
    ) -> Result<()> {
        let progress = progress::counting("keys written");
        all(files, |place, _, key| {
            let Ok(key) = key else { return Ok(()) };
            let kept = self.sessions.get(key.session_key.signing_key().as_bytes());
            if kept.is_none_or(|kept| kept.place != place) {
                return Ok(());
            }
            progress.inc(1);
            visit(key)
        })?;
        progress.finish_and_clear();
        Ok(())
    }

    #[cfg(feature = "homeserver")]
    pub fn is_empty(&self) -> bool {
        self.sessions.is_empty()
    }

    /// Whether a session with this id is there.
    #[cfg(feature = "homeserver")]
    pub fn has(&self, session_id: &str) -> bool {
        moceril::Ed25519PublicKey::from_base64(session_id)
            .is_ok_and(|key| self.sessions.contains_key(key.as_bytes()))
    }
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
