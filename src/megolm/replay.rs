//! Memory of decrypted messages (S-19). Spec: megolm.md, "Message Replays".

use alloc::{boxed::Box, collections::BTreeMap, string::String};
use core::{fmt, ops::Range};

use super::{decrypted::DecryptedMessage, inbound::InboundGroupSession};
use crate::{
    error::{PickleError, texts},
    keys::Ed25519PublicKey,
    primitives::kdf::sha256,
};

/// Detects when a message of a session is presented a second time as another event.
///
/// A client keeps one for each inbound group session and asks it about every decrypted event. The
/// same event is accepted again, for example when a room is opened once more.
///
/// A guard belongs to one session: it refuses messages of other sessions, and its pickle opens only
/// for that session (S-46).
///
/// ```
/// # use moceril::PickleKey;
/// # use moceril::megolm::{GroupSession, InboundGroupSession};
/// use moceril::megolm::{ReplayGuard, ReplayVerdict};
///
/// # let mut room = GroupSession::new(std::time::Duration::ZERO)?;
/// # let mut theirs = InboundGroupSession::new(&room.session_key());
/// # let event = room.encrypt(b"to everybody")?;
/// # let key = PickleKey::from_bytes([42; 32]);
/// let mut guard = ReplayGuard::new(&theirs);
/// let decrypted = theirs.decrypt(&event)?;
/// assert_eq!(guard.check(&decrypted, "$first:example.org")?, ReplayVerdict::First);
///
/// let pickle = guard.pickle(&key, b"@alice:example.org")?;
/// let mut guard = ReplayGuard::from_pickle(&pickle, &key, b"@alice:example.org", &theirs)?;
/// assert_eq!(guard.check(&decrypted, "$first:example.org")?, ReplayVerdict::Again);
/// assert!(guard.check(&decrypted, "$replayed:example.org").is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Memory
///
/// A guard remembers as many events as its capacity allows: those with the highest indices. A full
/// guard refuses no honest event (S-42): it forgets the lowest index, and answers
/// [`ReplayVerdict::Unknown`] for what it has forgotten. It knows the range of the forgotten
/// indices ([`forgotten`](Self::forgotten)), so it still judges events below and above that range
/// exactly.
///
/// * Reading forwards: a replay of an event that was forgotten is `Unknown`, never `First`.
/// * Reading backwards (newest first) with a full guard: each older event is
///   [`FirstNotRemembered`](ReplayVerdict::FirstNotRemembered) the first time, and `Unknown`
///   afterwards.
///
/// To read a long session completely, choose a capacity of at least its length, which is the
/// highest known index plus one, or [raise](Self::raise_capacity) the capacity before the guard is
/// full.
#[derive(Clone, PartialEq, Eq)]
pub struct ReplayGuard {
    state: Box<ReplayGuardState>,
}

/// The whole state of a replay guard. The native pickle translates to it and back.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct ReplayGuardState {
    /// The key of the session that the guard belongs to.
    pub(crate) signing_key: Ed25519PublicKey,
    pub(crate) capacity: u32,
    /// Some of the indices in this range that are not in `seen` were seen and forgotten. Indices
    /// outside it that are not in `seen` were never seen. `0..0` while nothing was forgotten.
    pub(crate) forgotten: Range<u32>,
    /// Index to the hash of event and message.
    pub(crate) seen: BTreeMap<u32, Tag>,
    pub(crate) generation: u64,
}

/// A whole hash. A sender together with its homeserver chooses both events, and two with the same
/// tag would be called the same event: finding them takes 2^128 tries, and with half of the hash
/// 2^64.
pub(crate) type Tag = [u8; TAG];
const TAG: usize = 32;

/// What a replay guard knows of an event that it does not refuse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "a message whose verdict is `Unknown` may be a replay"]
#[non_exhaustive]
pub enum ReplayVerdict {
    /// No event had this index before. The guard remembers it from now on.
    First,
    /// The same event was checked before.
    Again,
    /// No event had this index before. The guard is full of higher indices and does not remember
    /// this one: the next event with it is [`Unknown`](Self::Unknown).
    FirstNotRemembered,
    /// The index is among those that the guard has [forgotten](ReplayGuard::forgotten), so a replay
    /// cannot be excluded. Compare the event with those that you have stored, or show it with a
    /// warning.
    Unknown,
}

impl ReplayGuard {
    /// Messages remembered by default: forty times the length of a session that rotates as the
    /// Matrix specification recommends. The state then has at most 144 KiB.
    pub const DEFAULT_CAPACITY: u32 = 4_096;

    /// Makes a guard for this session that remembers [`DEFAULT_CAPACITY`](Self::DEFAULT_CAPACITY)
    /// messages.
    #[must_use]
    pub fn new(session: &InboundGroupSession) -> Self {
        Self::with_capacity(session, Self::DEFAULT_CAPACITY)
    }

    /// A guard of this session that remembers the `capacity` highest message indices, at least one.
    /// Each takes 36 bytes of a pickle.
    #[must_use]
    pub fn with_capacity(session: &InboundGroupSession, capacity: u32) -> Self {
        Self {
            state: Box::new(ReplayGuardState {
                signing_key: *session.signing_key(),
                capacity: capacity.max(1),
                forgotten: 0..0,
                seen: BTreeMap::new(),
                generation: 0,
            }),
        }
    }

    pub(crate) const fn state(&self) -> &ReplayGuardState {
        &self.state
    }

    /// Restores a state from a pickle, if it is one that a guard can be in.
    pub(crate) fn restore(state: ReplayGuardState) -> Result<Self, PickleError> {
        let ReplayGuardState { capacity, forgotten, seen, .. } = &state;
        let fits = u32::try_from(seen.len()).is_ok_and(|length| length <= *capacity);
        // The first and the last index of the range were forgotten.
        let ends = [Some(forgotten.start), forgotten.end.checked_sub(1)];
        let forgot =
            !forgotten.is_empty() && ends.iter().flatten().all(|index| !seen.contains_key(index));
        if *capacity > 0 && fits && (forgot || *forgotten == (0..0)) {
            Ok(Self { state: Box::new(state) })
        } else {
            Err(PickleError::InvalidState)
        }
    }

    /// Checks a decrypted event, and remembers it.
    ///
    /// `event_id` is the transport's name for the event; in Matrix, its event id.
    ///
    /// # Errors
    ///
    /// [`ReplayError::Replayed`] when another event or another message had this index before;
    /// [`ReplayError::OtherSession`] for a message of another session. The guard is unchanged.
    pub fn check(
        &mut self,
        message: &DecryptedMessage,
        event_id: &str,
    ) -> Result<ReplayVerdict, ReplayError> {
        if *message.signing_key() != self.state.signing_key {
            return Err(ReplayError::OtherSession);
        }
        self.note(message.message_index(), tag(message, event_id))
    }

    fn note(&mut self, index: u32, tag: Tag) -> Result<ReplayVerdict, ReplayError> {
        let state = &mut *self.state;
        match state.seen.get(&index) {
            Some(seen) if *seen == tag => return Ok(ReplayVerdict::Again),
            Some(_) => return Err(ReplayError::Replayed { index }),
            None if state.forgotten.contains(&index) => return Ok(ReplayVerdict::Unknown),
            None => {}
        }
        state.seen.insert(index, tag);
        state.generation = state.generation.saturating_add(1);
        match state.forget_excess() {
            Some(forgotten) if forgotten == index => Ok(ReplayVerdict::FirstNotRemembered),
            _ => Ok(ReplayVerdict::First),
        }
    }

    /// Remembers the `capacity` highest indices from now on, if that is more than before. What was
    /// forgotten stays forgotten.
    pub fn raise_capacity(&mut self, capacity: u32) {
        if capacity > self.state.capacity {
            self.state.capacity = capacity;
            self.state.generation = self.state.generation.saturating_add(1);
        }
    }

    /// How many messages the guard remembers at most.
    #[must_use]
    pub const fn capacity(&self) -> u32 {
        self.state.capacity
    }

    /// The range of indices that the guard has forgotten; empty while it remembers all.
    #[must_use]
    pub fn forgotten(&self) -> Range<u32> {
        self.state.forgotten.clone()
    }

    /// The id of the session that the guard belongs to (43 characters). Each call allocates it.
    #[must_use]
    pub fn session_id(&self) -> String {
        self.state.signing_key.to_base64()
    }

    /// A number that grows with every change that a pickle shows (S-35). A store that remembers the
    /// highest one it has written can detect that it was rolled back.
    #[must_use]
    pub const fn generation(&self) -> u64 {
        self.state.generation
    }
}

impl ReplayGuardState {
    /// Forgets the lowest index if there are more than fit. Returns it.
    fn forget_excess(&mut self) -> Option<u32> {
        if u32::try_from(self.seen.len()).is_ok_and(|length| length <= self.capacity) {
            return None;
        }
        let (index, _) = self.seen.pop_first()?;
        let after = index.saturating_add(1);
        self.forgotten = if self.forgotten.is_empty() {
            index..after
        } else {
            self.forgotten.start.min(index)..self.forgotten.end.max(after)
        };
        Some(index)
    }
}

/// Leaves out what the guard remembers, which would be thousands of hashes.
impl fmt::Debug for ReplayGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReplayGuard")
            .field("session_id", &self.session_id())
            .field("capacity", &self.capacity())
            .field("remembered", &self.state.seen.len())
            .field("forgotten", &self.state.forgotten)
            .field("generation", &self.generation())
            .finish()
    }
}

fn tag(message: &DecryptedMessage, event_id: &str) -> Tag {
    sha256(&[message.fingerprint(), event_id.as_bytes()])
}

#[cfg(all(test, feature = "std"))]
mod tests {
    use super::*;
    use crate::megolm::{GroupSession, GroupSessionConfig};

    fn guard(capacity: u32) -> ReplayGuard {
        let config = GroupSessionConfig::default();
        let room = GroupSession::with_rng(config, &mut crate::primitives::rng::system()).unwrap();
        ReplayGuard::with_capacity(&InboundGroupSession::new(&room.session_key()), capacity)
    }

    /// S-19: a million messages in 144 KiB, up to the last index that a session has.
    #[test]
    fn memory_is_bounded() {
        let mut guard = guard(ReplayGuard::DEFAULT_CAPACITY);
        let first = u32::MAX - 999_999;
        for index in first..=u32::MAX {
            assert_eq!(guard.note(index, [1; TAG]), Ok(ReplayVerdict::First));
        }
        assert_eq!(guard.state.seen.len(), ReplayGuard::DEFAULT_CAPACITY as usize);
        let remembered = u32::MAX - ReplayGuard::DEFAULT_CAPACITY + 1;
        assert_eq!(guard.forgotten(), first..remembered);
        assert_eq!(guard.note(remembered, [1; TAG]), Ok(ReplayVerdict::Again));
        assert_eq!(
            guard.note(remembered, [2; TAG]),
            Err(ReplayError::Replayed { index: remembered })
        );
        assert_eq!(guard.note(remembered - 1, [1; TAG]), Ok(ReplayVerdict::Unknown));
        assert_eq!(guard.generation(), 1_000_000);
    }

    /// S-42: reading backwards, a guard of any size says `First` of each event that comes first,
    /// says truly whether it remembers it, and is never wrong about the ones that it forgot.
    #[test]
    fn newest_first() {
        for capacity in 1..=12 {
            let mut guard = guard(capacity);
            for (place, index) in (0..10).rev().enumerate() {
                let remembered = place < capacity as usize;
                let (first, then) = match remembered {
                    true => (ReplayVerdict::First, ReplayVerdict::Again),
                    false => (ReplayVerdict::FirstNotRemembered, ReplayVerdict::Unknown),
                };
                assert_eq!(guard.note(index, [1; TAG]), Ok(first), "{capacity}, {index}");
                assert_eq!(guard.note(index, [1; TAG]), Ok(then), "{capacity}, {index}");
            }
        }
    }

    /// S-19, S-42: whatever the order, the guard agrees with an oracle that forgets nothing.
    /// `First` and `FirstNotRemembered` are said of new events only, a replay is proven, and the
    /// highest indices, as many as the capacity says, are always judged exactly.
    #[test]
    fn verdicts_agree_with_an_oracle() {
        let mut unknown = 0;
        for seed in 1..=300_u64 {
            let mut number = seed;
            let mut draw = |end: u64| {
                number = number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                (number >> 33) % end
            };
            let capacity = 1 + draw(8) as u32;
            let mut guard = guard(capacity);
            let mut all = BTreeMap::new();
            for _ in 0..200 {
                let (index, event) = (draw(24) as u32, draw(2) as u8);
                if draw(40) == 0 {
                    guard.raise_capacity(guard.capacity() + 1);
                }
                let before = guard.clone();
                let verdict = guard.note(index, [event; TAG]);
                let known = all.get(&index).copied();
                let is_new = known.is_none();
                match verdict {
                    Ok(ReplayVerdict::First) => {
                        assert!(is_new && guard.state.seen.contains_key(&index));
                    }
                    Ok(ReplayVerdict::FirstNotRemembered) => {
                        assert!(is_new && guard.state.seen.range(..=index).next().is_none());
                        assert_eq!(guard.state.seen.len() as u32, guard.capacity());
                    }
                    Ok(ReplayVerdict::Again) => assert_eq!(known, Some(event)),
                    Ok(ReplayVerdict::Unknown) => {
                        unknown += 1;
                        assert!(is_new || all.range(index..).count() as u32 > capacity);
                    }
                    Err(error) => {
                        assert_eq!(error, ReplayError::Replayed { index });
                        assert_eq!(known, Some(1 - event));
                    }
                }
                let changed =
                    matches!(verdict, Ok(ReplayVerdict::First | ReplayVerdict::FirstNotRemembered));
                if changed {
                    all.insert(index, event);
                }
                assert_eq!(guard != before, changed, "S-04");
                assert_eq!(guard.generation() > before.generation(), changed, "S-35");
                assert_eq!(ReplayGuard::restore(guard.state().clone()), Ok(guard.clone()));
            }
        }
        assert!(unknown > 1_000, "{unknown}");
    }
}

/// The replay guard refuses a message (S-19). The guard is unchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReplayError {
    /// Another event used this message index before.
    Replayed {
        /// The index that was used twice.
        index: u32,
    },
    /// The message belongs to another session than the guard.
    OtherSession,
}

texts!(ReplayError {
    Self::Replayed { index } => "another event used message index {index}";
    Self::OtherSession => "the message belongs to another session than the replay guard";
});
