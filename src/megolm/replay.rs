//! Memory of decrypted messages (S-19). Spec: megolm.md, "Message Replays".

use alloc::{collections::BTreeMap, vec::Vec};

use super::inbound::DecryptedMessage;
use crate::{
    error::{PickleError, ReplayError},
    primitives::kdf::sha256,
};

/// Notices when a message of a session is presented a second time as another event.
///
/// A client keeps one for each inbound group session and asks it about every decrypted event. The
/// same event is accepted again, for example when a room is opened once more.
///
/// ```
/// # use moceril::megolm::{GroupSession, InboundGroupSession};
/// use moceril::megolm::ReplayGuard;
///
/// # let mut room = GroupSession::new()?;
/// # let mut theirs = InboundGroupSession::new(&room.session_key());
/// # let event = room.encrypt(b"to everybody")?;
/// let mut guard = ReplayGuard::default();
/// let decrypted = theirs.decrypt(&event)?;
/// guard.check(&decrypted, "$first:example.org")?;
/// guard.check(&decrypted, "$first:example.org")?;
/// assert!(guard.check(&decrypted, "$replayed:example.org").is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplayGuard {
    capacity: u32,
    /// Below this index the guard has forgotten.
    floor: u32,
    /// Index to the beginning of the hash of event and message.
    seen: BTreeMap<u32, [u8; TAG]>,
}

/// Sixteen bytes: finding another event with the same hash takes 2^128 tries.
const TAG: usize = 16;
const FORMAT_VERSION: u8 = 1;
const ENTRY: usize = 4 + TAG;

impl ReplayGuard {
    /// Messages remembered by default: forty times the length of a session that rotates as the Matrix
    /// specification recommends. At most 80 KiB when serialized.
    pub const DEFAULT_CAPACITY: u32 = 4_096;

    /// A guard that remembers the `capacity` highest message indices, at least one.
    #[must_use]
    pub fn with_capacity(capacity: u32) -> Self {
        Self { capacity: capacity.max(1), floor: 0, seen: BTreeMap::new() }
    }

    /// Accepts a message the first time, and again as the same event.
    ///
    /// `event_id` is what the transport knows the event by, in Matrix its event id.
    ///
    /// # Errors
    ///
    /// [`ReplayError::Replayed`] when another event or another message has this index;
    /// [`ReplayError::Forgotten`] when the guard cannot know any more.
    pub fn check(&mut self, message: &DecryptedMessage, event_id: &str) -> Result<(), ReplayError> {
        let index = message.message_index;
        let tag = tag(message, event_id);
        match self.seen.get(&index) {
            Some(seen) if *seen == tag => return Ok(()),
            Some(_) => return Err(ReplayError::Replayed { index }),
            None if index < self.floor => {
                return Err(ReplayError::Forgotten { index, first_remembered: self.floor });
            }
            None => {}
        }
        self.seen.insert(index, tag);
        while u32::try_from(self.seen.len()).is_ok_and(|length| length > self.capacity)
            && let Some((forgotten, _)) = self.seen.pop_first()
        {
            self.floor = forgotten.saturating_add(1);
        }
        Ok(())
    }

    /// The guard's memory as bytes. They are not secret, but whoever can change them can make the guard
    /// forget.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let entries =
            self.seen.iter().flat_map(|(index, tag)| index.to_be_bytes().into_iter().chain(*tag));
        [FORMAT_VERSION]
            .into_iter()
            .chain(self.capacity.to_be_bytes())
            .chain(self.floor.to_be_bytes())
            .chain(entries)
            .collect()
    }

    /// Reads what [`to_bytes`](Self::to_bytes) wrote.
    ///
    /// # Errors
    ///
    /// [`PickleError::Version`] or [`PickleError::InvalidState`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, PickleError> {
        let (version, rest) = bytes.split_first().ok_or(PickleError::InvalidState)?;
        if *version != FORMAT_VERSION {
            return Err(PickleError::Version(*version));
        }
        let (capacity, rest) = number(rest)?;
        let (floor, rest) = number(rest)?;
        let (entries, []) = rest.as_chunks::<ENTRY>() else {
            return Err(PickleError::InvalidState);
        };
        let mut guard = Self { floor, ..Self::with_capacity(capacity) };
        for entry in entries {
            let (index, tag) = number(entry)?;
            let tag = tag.try_into().map_err(|_| PickleError::InvalidState)?;
            let ascending = guard.seen.last_key_value().is_none_or(|(last, _)| *last < index);
            if !ascending || index < floor {
                return Err(PickleError::InvalidState);
            }
            guard.seen.insert(index, tag);
        }
        if u32::try_from(entries.len()).is_ok_and(|length| length <= guard.capacity) && capacity > 0
        {
            Ok(guard)
        } else {
            Err(PickleError::InvalidState)
        }
    }
}

impl Default for ReplayGuard {
    fn default() -> Self {
        Self::with_capacity(Self::DEFAULT_CAPACITY)
    }
}

fn tag(message: &DecryptedMessage, event_id: &str) -> [u8; TAG] {
    let [beginning, _] = halves(sha256(&[&message.fingerprint, event_id.as_bytes()]));
    beginning
}

fn halves(hash: [u8; 2 * TAG]) -> [[u8; TAG]; 2] {
    let mut halves = [[0; TAG]; 2];
    halves.as_flattened_mut().copy_from_slice(&hash);
    halves
}

fn number(bytes: &[u8]) -> Result<(u32, &[u8]), PickleError> {
    let (number, rest) = bytes.split_first_chunk().ok_or(PickleError::InvalidState)?;
    Ok((u32::from_be_bytes(*number), rest))
}
