//! Compares inbound group sessions, and merges those of one session (S-21, S-43).

use core::cmp::Ordering;

use super::{
    inbound::InboundGroupSession,
    trust::{Provenance, Trust},
};
use crate::{
    error::texts,
    primitives::stack::{SHALLOW, wiped_below},
};

/// How one inbound group session compares to another of the same id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionOrdering {
    /// They know the same messages.
    Equal,
    /// This one knows earlier messages.
    Better,
    /// The other one knows earlier messages.
    Worse,
    /// They are not the same session, whatever their ids say; or one of them is closed, and so has
    /// no key left to compare.
    Unconnected,
}

/// Two inbound group sessions cannot be merged; both are unchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MergeError {
    /// One of them was [closed](InboundGroupSession::close), and so has no key left to compare.
    Closed,
    /// They are not the same session, whatever their ids say. One of them may
    /// [replace](InboundGroupSession::replaces) the other.
    Unconnected,
}

texts!(MergeError {
    Self::Closed => "one of the two sessions is closed";
    Self::Unconnected => "they are not the same session";
});

impl InboundGroupSession {
    /// Whether both are the same session: same signing key and version, and the same ratchet at the
    /// first index that both know. Compared in constant time. A closed session has no ratchet, so
    /// it is connected with none, not even with itself.
    #[must_use]
    pub fn connected(&self, other: &Self) -> bool {
        self.compare(other) != SessionOrdering::Unconnected
    }

    /// Compares what the two sessions can decrypt; the ratchets are compared in constant time. A
    /// closed session is [`Unconnected`](SessionOrdering::Unconnected) with every other.
    #[must_use]
    pub fn compare(&self, other: &Self) -> SessionOrdering {
        let (ours, theirs) = (self.state(), other.state());
        if ours.version != theirs.version || ours.signing_key != theirs.signing_key {
            return SessionOrdering::Unconnected;
        }
        let (our_first, their_first) = (self.first_known_index(), other.first_known_index());
        let common = our_first.max(their_first);
        // A closed session has no ratchet.
        let (Some(ours), Some(theirs)) = (ours.receiver.at(common), theirs.receiver.at(common))
        else {
            return SessionOrdering::Unconnected;
        };
        let ordering = ours.value().if_equal(theirs.value(), SessionOrdering::Unconnected, || {
            Ok(match our_first.cmp(&their_first) {
                Ordering::Less => SessionOrdering::Better,
                Ordering::Equal => SessionOrdering::Equal,
                Ordering::Greater => SessionOrdering::Worse,
            })
        });
        ordering.unwrap_or_else(|unconnected| unconnected)
    }

    /// Merges two copies of one session. The result starts at the lower first known index.
    ///
    /// Trust belongs to an index (S-43). Each message has the better
    /// [provenance](Self::provenance_at) of the two copies at its index. The provenance of the copy
    /// that starts later also counts for the earlier messages of the same 256 (those whose indices
    /// differ in the lowest 8 bits only), because there no forged key leads to the same ratchet. It
    /// does not count for messages before those 256: a part of the ratchet is replaced after them,
    /// so a forged key can lead to the same ratchet (S-21).
    ///
    /// ```
    /// use std::time::SystemTime;
    ///
    /// use moceril::megolm::{GroupSession, InboundGroupSession, Provenance};
    ///
    /// let mut room = GroupSession::new(SystemTime::UNIX_EPOCH.elapsed()?)?;
    /// let whole = InboundGroupSession::new(&room.session_key());
    /// for _ in 0..300 {
    ///     room.encrypt(b"before we came")?;
    /// }
    /// let signed = InboundGroupSession::new(&room.session_key()); // from message 300 on
    /// let backup = InboundGroupSession::import_from_backup(&whole.export_at(0)?);
    ///
    /// let merged = signed.merge(&backup)?;
    /// assert_eq!(merged.provenance_at(0), Some(Provenance::Backup));
    /// assert_eq!(merged.provenance_at(255), Some(Provenance::Backup));
    /// assert_eq!(merged.provenance_at(256), Some(Provenance::Signed));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`MergeError::Unconnected`] unless they are [connected](Self::connected): then see
    /// [`replaces`](Self::replaces). [`MergeError::Closed`] if one of them is closed.
    pub fn merge(&self, other: &Self) -> Result<Self, MergeError> {
        wiped_below::<SHALLOW, _>(|| self.merged(other))
    }

    /// Whether this session must take the place of `old`, an [unconnected](Self::connected) session
    /// with the same id: the owner of the id signed the key of this one, and is not known to have
    /// signed that of `old` from the first index on that both know.
    ///
    /// Whoever writes a backup or a file of exported keys can put any ratchet under the id of a
    /// session (S-21). If such a key arrives first, it must not keep out the one that its owner
    /// sends. A closed session never replaces another session and is never replaced, because the
    /// caller asked to forget its keys.
    ///
    /// ```
    /// use moceril::megolm::{InboundGroupSession, MergeError};
    ///
    /// /// What to store under the id of both.
    /// fn united(
    ///     old: InboundGroupSession,
    ///     new: InboundGroupSession,
    /// ) -> Result<InboundGroupSession, MergeError> {
    ///     match old.merge(&new) {
    ///         Err(MergeError::Unconnected) if new.replaces(&old) => Ok(new),
    ///         merged => merged,
    ///     }
    /// }
    /// ```
    #[must_use]
    pub fn replaces(&self, old: &Self) -> bool {
        let common = self.first_known_index().max(old.first_known_index());
        self.signing_key() == old.signing_key()
            && !self.is_closed()
            && !old.is_closed()
            && self.provenance() == Provenance::Signed
            && old.state().trust.at(common) < Provenance::Signed
            && !self.connected(old)
    }

    fn merged(&self, other: &Self) -> Result<Self, MergeError> {
        if self.is_closed() || other.is_closed() {
            return Err(MergeError::Closed);
        }
        let (earlier, later) = match self.compare(other) {
            SessionOrdering::Unconnected => return Err(MergeError::Unconnected),
            SessionOrdering::Worse => (other, self),
            SessionOrdering::Equal | SessionOrdering::Better => (self, other),
        };
        let (first, later_first) = (earlier.first_known_index(), later.first_known_index());
        let (earlier, later) = (earlier.state(), later.state());
        let mut merged = earlier.clone();
        merged.generation = earlier.generation.max(later.generation).saturating_add(1);
        merged.trust = Trust::merged(&earlier.trust, first, &later.trust);
        if first >> 8 == later_first >> 8 {
            merged.signing_key_verified =
                earlier.signing_key_verified || later.signing_key_verified;
        }
        merged.note_signature();
        merged.receiver.adopt_latest(&later.receiver);
        Ok(Self::from_state(merged))
    }
}
