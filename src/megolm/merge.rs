//! Whether two inbound group sessions are the same one, and what both know in one (S-21, S-43).

use core::cmp::Ordering;

use super::{inbound::InboundGroupSession, trust::Trust};
use crate::primitives::stack::{SHALLOW, wiped_below};

/// How one inbound group session compares to another of the same id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionOrdering {
    /// They know the same messages.
    Equal,
    /// This one knows earlier messages.
    Better,
    /// The other one knows earlier messages.
    Worse,
    /// They are not the same session, whatever their ids say.
    Unconnected,
}

impl InboundGroupSession {
    /// Whether both are the same session: same signing key and version, and the same ratchet at the
    /// first index that both know. Compared in constant time.
    #[must_use]
    pub fn connected(&self, other: &Self) -> bool {
        self.compare(other) != SessionOrdering::Unconnected
    }

    /// Compares what the two sessions can decrypt; the ratchets are compared in constant time.
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

    /// Both of two copies of one session in one: it begins with the earlier. `None` unless they are
    /// [connected](Self::connected).
    ///
    /// Trust belongs to an index (S-43). Each message has the better
    /// [provenance](Self::provenance_at) of the two copies at its index. The provenance of the
    /// later copy also counts for the earlier messages of the same 256 (those whose indices differ
    /// in the lowest 8 bits only), because equal ratchets vouch for each other there; not for those
    /// before, where a part of the ratchet is replaced and a forged one could hide (S-21).
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
    /// let merged = signed.merge(&backup).ok_or("they are the same session")?;
    /// assert_eq!(merged.provenance_at(0), Some(Provenance::Backup));
    /// assert_eq!(merged.provenance_at(255), Some(Provenance::Backup));
    /// assert_eq!(merged.provenance_at(256), Some(Provenance::Signed));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn merge(&self, other: &Self) -> Option<Self> {
        wiped_below::<SHALLOW, _>(|| self.merged(other))
    }

    fn merged(&self, other: &Self) -> Option<Self> {
        let (earlier, later) = match self.compare(other) {
            SessionOrdering::Unconnected => return None,
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
        Some(Self::from_state(merged))
    }
}
