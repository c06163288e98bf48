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
    /// A hash of the room and the sender's key. It is keyed, so that no file can be made to
    /// collide.
    origin: u64,
    /// The other keys that the sender is said to have. Many stores do not know them, and an entry
    /// that says nothing contradicts nothing.
    claimed: Box<[(String, String)]>,
}

impl Kept {
    fn new(hasher: &RandomState, place: usize, key: &ExportedRoomKey) -> Self {
        Self {
            place,
            key: key.session_key.clone(),
            origin: hasher.hash_one((&key.room_id, key.sender_key.map(|key| *key.as_bytes()))),
            claimed: key.sender_claimed_keys.clone().into_iter().collect(),
        }
    }

    /// Takes the claimed keys of another entry of the session if this one has none.
    fn claim(&mut self, other: &Self) {
        if self.claimed.is_empty() {
            self.claimed.clone_from(&other.claimed);
        }
    }
}

/// What happens to a second entry of a session.
#[derive(Debug, PartialEq, Eq)]
enum Second {
    Earlier,
    NotNeeded,
    OtherKey,
    OtherClaims,
}

fn compare(kept: &Kept, second: &Kept) -> Second {
    let [ours, theirs] = [&kept.key, &second.key].map(InboundGroupSession::import);
    let both_claim = !kept.claimed.is_empty() && !second.claimed.is_empty();
    if !ours.connected(&theirs) {
        Second::OtherKey
    } else if kept.origin != second.origin || both_claim && kept.claimed != second.claimed {
        Second::OtherClaims
    } else if second.key.index() < kept.key.index() {
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
            let mut second = Kept::new(&hasher, place, &key);
            match merged.sessions.entry(*key.session_key.signing_key().as_bytes()) {
                Entry::Vacant(entry) => {
                    entry.insert(second);
                }
                Entry::Occupied(mut entry) => match compare(entry.get(), &second) {
                    Second::Earlier => {
                        merged.earlier += 1;
                        second.claim(entry.get());
                        entry.insert(second);
                    }
                    Second::NotNeeded => entry.get_mut().claim(&second),
                    other => {
                        let id = key.session_key.session_id();
                        let why = if other == Second::OtherKey {
                            "has a different key than an earlier entry"
                        } else {
                            "names a different room or sender than an earlier entry"
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
            let Ok(mut key) = key else { return Ok(()) };
            let kept = self.sessions.get(key.session_key.signing_key().as_bytes());
            let Some(kept) = kept.filter(|kept| kept.place == place) else { return Ok(()) };
            key.sender_claimed_keys = kept.claimed.iter().cloned().collect();
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
    use std::{collections::BTreeMap, time::Duration};

    use moceril::{megolm::GroupSession, room_keys::write_export};

    use super::*;
    use crate::keys::load::Passphrases;

    fn key(session: &InboundGroupSession, index: u32) -> ExportedRoomKey {
        ExportedRoomKey::with_unknown_sender("!room", session.export_at(index).unwrap())
    }

    fn session() -> InboundGroupSession {
        InboundGroupSession::new(&GroupSession::new(Duration::ZERO).unwrap().session_key())
    }

    #[test]
    fn the_earlier_of_two_connected_entries_is_kept() {
        let hasher = RandomState::new();
        let (one, two) = (session(), session());
        let compare = |first: &ExportedRoomKey, second: &ExportedRoomKey| {
            compare(&Kept::new(&hasher, 0, first), &Kept::new(&hasher, 1, second))
        };
        assert_eq!(compare(&key(&one, 5), &key(&one, 2)), Second::Earlier);
        assert_eq!(compare(&key(&one, 2), &key(&one, 5)), Second::NotNeeded);
        assert_eq!(compare(&key(&one, 2), &key(&one, 2)), Second::NotNeeded);
        assert_eq!(compare(&key(&one, 2), &key(&two, 2)), Second::OtherKey);
        let mut other = key(&one, 0);
        other.room_id = "!other".into();
        assert_eq!(compare(&key(&one, 2), &other), Second::OtherClaims);
        let claiming = |index, claimed: &str| {
            let mut key = key(&one, index);
            key.sender_claimed_keys.insert("ed25519".into(), claimed.into());
            key
        };
        assert_eq!(compare(&claiming(2, "mine"), &claiming(0, "other")), Second::OtherClaims);
        assert_eq!(compare(&claiming(2, "mine"), &claiming(0, "mine")), Second::Earlier);
    }

    /// The stores of some clients do not have the claimed keys.
    #[test]
    fn an_entry_that_claims_nothing_contradicts_nothing() {
        let session = session();
        let claimed = || BTreeMap::from([("ed25519".to_owned(), "theirs".to_owned())]);
        for (first, second) in [((5, true), (2, false)), ((5, false), (2, true))] {
            for entries in [[first, second], [second, first]] {
                let folder = tempfile::tempdir().unwrap();
                let entries = entries.map(|(index, claims)| {
                    let mut key = key(&session, index);
                    if claims {
                        key.sender_claimed_keys = claimed();
                    }
                    key
                });
                let path = folder.path().join("keys.json");
                std::fs::write(&path, &*write_export(&entries).unwrap()).unwrap();
                let input = path.to_str().unwrap().parse().unwrap();
                let passphrases = Passphrases::default();
                let mut files = [KeyFile::load(&input, &passphrases).unwrap()];
                let mut refusals = Refusals::default();
                let merged = Merged::of(&mut files, &mut refusals).unwrap();
                refusals.report().unwrap();
                let mut kept = Vec::new();
                let keep = |key| {
                    kept.push(key);
                    Ok(())
                };
                merged.each(&mut files, keep).unwrap();
                let kept: Vec<_> = kept
                    .iter()
                    .map(|key| (key.session_key.index(), key.sender_claimed_keys.clone()))
                    .collect();
                assert_eq!(kept, [(2, claimed())]);
            }
        }
    }
}
