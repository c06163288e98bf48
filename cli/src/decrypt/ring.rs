//! The known sessions, by their ids.

use std::collections::HashMap;

use clap::Args;
use moceril::{
    MessageVersion,
    megolm::{InboundGroupSession, ReplayGuard},
    room_keys::ExportedRoomKey,
};

use crate::{
    failure::{Failure, Result},
    input::Input,
    keys::load::{KeyFile, Passphrases, Refusals},
};

/// Where keys come from.
#[derive(Args, Debug)]
pub struct KeyFiles {
    /// A file of exported keys; can be given more than once
    #[arg(long = "keys", value_name = "FILE")]
    inputs: Vec<Input>,
    #[command(flatten)]
    passphrases: Passphrases,
    #[cfg(feature = "stores")]
    #[command(flatten)]
    store: crate::store::KeyStore,
}

impl KeyFiles {
    /// Whether the user has named a file or a store.
    pub fn are_named(&self) -> bool {
        #[cfg(feature = "stores")]
        if self.store.is_named() {
            return true;
        }
        !self.inputs.is_empty()
    }

    /// Reads all keys; also returns what could not be read.
    pub fn ring(&self, events: &Input) -> Result<(Ring, Refusals)> {
        if !self.are_named() {
            return Err(Failure::usage("no key file or store was given").hint(
                "add --keys FILE, for exported keys, or --store FILE, for the store of a client",
            ));
        }
        if *events == Input::Stdin && self.inputs.contains(&Input::Stdin) {
            return Err(Failure::usage("standard input cannot be both the events and the keys"));
        }
        let (mut ring, mut refusals) = (Ring::default(), Refusals::default());
        for file in &mut KeyFile::load_all(&self.inputs, &self.passphrases)? {
            file.each_key(|key| {
                refusals.sort(key.and_then(|key| ring.add(&key)));
                Ok(())
            })?;
        }
        #[cfg(feature = "stores")]
        self.store.each_session(|session| {
            refusals.sort(session.and_then(|crate::store::Received { session, origin }| {
                ring.put_in(Known::new(session, origin.room_id, origin.sender_key))
            }));
            Ok(())
        })?;
        Ok((ring, refusals))
    }
}

/// A session, with what its key file says about it.
pub struct Known {
    pub session: InboundGroupSession,
    pub room_id: String,
    pub sender_key: String,
    /// Made for the first message, because most sessions of a file have none here.
    pub guard: Option<Box<ReplayGuard>>,
    /// The same session for messages of other versions.
    other_versions: Vec<InboundGroupSession>,
}

impl Known {
    fn new(session: InboundGroupSession, room_id: String, sender_key: String) -> Self {
        Self { session, room_id, sender_key, guard: None, other_versions: Vec::new() }
    }

    /// The session for messages of this version. Files of keys and the pickles of libolm do not say
    /// of which version a session is, and it is only known from its messages. Signature and MAC
    /// are verified in every version.
    pub fn in_version(&mut self, version: MessageVersion) -> &mut InboundGroupSession {
        if self.session.version() == version {
            return &mut self.session;
        }
        let of_version = |session: &InboundGroupSession| session.version() == version;
        let place = match self.other_versions.iter().position(of_version) {
            Some(place) => place,
            None => {
                // Only a session that was closed has no key, and it decrypts nothing.
                let Ok(key) = self.session.export_at_first_known_index() else {
                    return &mut self.session;
                };
                let provenance = self.session.provenance();
                let session = InboundGroupSession::import_with_version(&key, provenance, version);
                self.other_versions.push(session);
                self.other_versions.len() - 1
            }
        };
        &mut self.other_versions[place]
    }
}

/// How many sessions with one id are kept. Each new entry is compared with all of them, and each
/// message is tried with all, so a file could otherwise cause work that grows with the square of
/// its length.
const CONTRADICTING: usize = 8;

/// Usually one for each id. Files that contradict each other give more, and only decrypting shows
/// which is right.
#[derive(Default)]
pub struct Ring {
    sessions: HashMap<String, Vec<Known>>,
}

impl Ring {
    /// Adds a key, or says why it is not kept.
    pub fn add(&mut self, key: &ExportedRoomKey) -> std::result::Result<(), String> {
        self.put_in(Known::new(
            key.import(),
            key.room_id.clone(),
            key.sender_key.map_or_else(String::new, |key| key.to_base64()),
        ))
    }

    fn put_in(&mut self, new: Known) -> std::result::Result<(), String> {
        let known = self.sessions.entry(new.session.session_id()).or_default();
        for old in known.iter_mut().filter(|old| old.room_id == new.room_id) {
            if let Ok(merged) = old.session.merge(&new.session) {
                old.session = merged;
                return Ok(());
            }
        }
        if known.len() == CONTRADICTING {
            let id = new.session.session_id();
            return Err(format!(
                "session {id}: the key contradicts {CONTRADICTING} keys before it"
            ));
        }
        known.push(new);
        Ok(())
    }

    /// Takes out the sessions of an id, to be put back.
    pub fn take(&mut self, session_id: &str) -> Vec<Known> {
        self.sessions.remove(session_id).unwrap_or_default()
    }

    pub fn put(&mut self, session_id: String, known: Vec<Known>) {
        if !known.is_empty() {
            self.sessions.insert(session_id, known);
        }
    }

    pub fn get(&self, session_id: &str) -> &[Known] {
        self.sessions.get(session_id).map_or(&[], Vec::as_slice)
    }

    /// All sessions of a room.
    pub fn room<'a>(&'a self, room_id: &'a str) -> impl Iterator<Item = &'a Known> {
        self.sessions.values().flatten().filter(move |known| known.room_id == room_id)
    }

    pub fn len(&self) -> usize {
        self.sessions.len()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use moceril::megolm::{ExportedSessionKey, GroupSession};

    use super::*;

    #[test]
    fn the_same_session_is_one_from_its_earliest_index_on() {
        let session =
            InboundGroupSession::new(&GroupSession::new(Duration::ZERO).unwrap().session_key());
        let mut ring = Ring::default();
        for (index, room) in [(7, "!a"), (3, "!a"), (5, "!a"), (0, "!b")] {
            let key = session.export_at(index).unwrap();
            ring.add(&ExportedRoomKey::with_unknown_sender(room, key)).unwrap();
        }
        let known = ring.get(&session.session_id());
        let known: Vec<_> = known
            .iter()
            .map(|known| (&*known.room_id, known.session.first_known_index()))
            .collect();
        assert_eq!(known, [("!a", 3), ("!b", 0)], "a session of another room is another session");
        assert_eq!(ring.room("!a").count(), 1);
    }

    #[test]
    fn few_keys_that_contradict_each_other_are_kept() {
        let session =
            InboundGroupSession::new(&GroupSession::new(Duration::ZERO).unwrap().session_key());
        let key = |number: u8, index| {
            let mut bytes = session.export_at(index).unwrap().to_bytes();
            // The version and the index are before the ratchet.
            bytes[5] ^= number;
            ExportedSessionKey::from_bytes(&bytes).unwrap()
        };
        let rooms: [fn(u8) -> String; 2] = [|_| "!a".into(), |number| format!("!{number}")];
        for room in rooms {
            let mut ring = Ring::default();
            let mut add = |number, index| {
                ring.add(&ExportedRoomKey::with_unknown_sender(&room(number), key(number, index)))
            };
            let added: Vec<_> = (0..20).map(|number| add(number, 1)).collect();
            assert!(added[..CONTRADICTING].iter().all(|added| added.is_ok()));
            for refusal in &added[CONTRADICTING..] {
                assert!(refusal.as_ref().unwrap_err().ends_with("contradicts 8 keys before it"));
            }
            assert_eq!(add(0, 0), Ok(()), "one of them from an earlier index on");
            let known = ring.get(&session.session_id());
            assert_eq!(known.len(), CONTRADICTING);
            assert_eq!(known[0].session.first_known_index(), 0);
        }
    }
}
