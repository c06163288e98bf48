//! A receiver of group messages: the library's session beside the textbook's.

use moceril::MessageVersion;
use moceril::megolm::{
    ExportError, ExportedSessionKey, InboundGroupSession, MegolmMessage, Provenance, SessionKey,
    SessionOrdering,
};
use sha2::{Digest, Sha256};

use super::message::{Outcome, expected};
use crate::fixtures::State;
use crate::naive::megolm::{NaiveInboundGroupSession, naive_ratchet};

/// A receiver.
pub struct Member {
    pub session: InboundGroupSession,
    textbook: NaiveInboundGroupSession,
    /// Each origin of the key that was merged into this session: from which index on, and which.
    origins: Vec<(u32, Provenance)>,
    /// Whether a signature was seen: that of the session key, or of a message.
    verified: bool,
}

impl Member {
    /// Who got the key from the sender.
    pub fn with_session_key(
        key: &SessionKey,
        textbook: NaiveInboundGroupSession,
        version: MessageVersion,
    ) -> Self {
        let session = InboundGroupSession::with_version(key, version);
        let origins = vec![(textbook.index, Provenance::Signed)];
        Self { session, textbook, origins, verified: true }
    }

    /// Who gets the key from this member; `None` if this one does not have it.
    pub fn invite(&self, distance: i64) -> Option<Self> {
        let index = self.index_at(distance);
        let key = self.export(index)?;
        let (provenance, version) = (Provenance::Exported, self.session.version());
        Some(Self {
            session: InboundGroupSession::import_with_version(&key, provenance, version),
            textbook: self.textbook_at(index),
            origins: vec![(index, provenance)],
            verified: false,
        })
    }

    fn textbook_at(&self, index: u32) -> NaiveInboundGroupSession {
        let NaiveInboundGroupSession { ratchet, index: first, .. } = self.textbook;
        let ratchet = naive_ratchet(ratchet, first, index);
        NaiveInboundGroupSession { ratchet, index, ..self.textbook.clone() }
    }

    pub fn receive(&mut self, bytes: &[u8]) -> Outcome {
        let expected = expected(&self.textbook, bytes);
        let before = self.session.snapshot();
        let outcome = match MegolmMessage::from_bytes(bytes) {
            Err(_) => Outcome::Malformed,
            Ok(message) => match self.session.decrypt(&message) {
                Err(error) => Outcome::Refused(error),
                Ok(message) => {
                    let signature = &bytes[bytes.len() - 64..];
                    assert_eq!(message.fingerprint()[..], Sha256::digest(signature)[..]);
                    assert_eq!(message.signing_key().as_bytes(), &self.textbook.signing_public);
                    let index = message.message_index();
                    assert_eq!(message.provenance(), self.provenance_at(index));
                    Outcome::Plaintext { plaintext: message.into_plaintext(), index }
                }
            },
        };
        assert_eq!(outcome, expected);
        if matches!(outcome, Outcome::Plaintext { .. }) && !self.verified {
            self.verified = true;
        } else {
            assert!(self.session.snapshot() == before, "{outcome:?} changed the state");
        }
        outcome
    }

    /// The key at an index, or the same error as the textbook's.
    fn export(&self, index: u32) -> Option<ExportedSessionKey> {
        let first_known = self.textbook.index;
        if index < first_known {
            let refusal = self.session.export_at(index).unwrap_err();
            assert_eq!(refusal, ExportError::UnknownIndex { index, first_known });
            return None;
        }
        let key = self.session.export_at(index).unwrap();
        assert_eq!(key.to_bytes()[..], self.textbook.export_at(index)[..]);
        Some(key)
    }

    fn index_at(&self, distance: i64) -> u32 {
        u32::try_from(i64::from(self.textbook.index) + distance).unwrap_or(self.textbook.index)
    }

    pub fn advance(&mut self, distance: i64) {
        let index = self.index_at(distance);
        let forgets = index > self.textbook.index;
        let before = self.session.snapshot();
        assert_eq!(self.session.advance_to(index), forgets);
        if forgets {
            self.textbook = self.textbook_at(index);
            self.origins.iter_mut().for_each(|(start, _)| *start = index.max(*start));
            self.verified |= self.provenance_at(index) == Provenance::Signed;
        } else {
            assert!(self.session.snapshot() == before, "forgetting nothing changed the state");
        }
    }

    /// Another session of the same name: the textbook's, but for one bit of the last part of the
    /// ratchet.
    pub fn impostor(&self) -> InboundGroupSession {
        let mut key = self.textbook.export_at(self.textbook.index);
        key[5 + 127] ^= 1;
        let key = ExportedSessionKey::from_bytes(&key).unwrap();
        let version = self.session.version();
        InboundGroupSession::import_with_version(&key, Provenance::Exported, version)
    }

    pub fn merge(&self, other: &Self) -> Self {
        let ordering = match self.textbook.index.cmp(&other.textbook.index) {
            std::cmp::Ordering::Less => SessionOrdering::Better,
            std::cmp::Ordering::Equal => SessionOrdering::Equal,
            std::cmp::Ordering::Greater => SessionOrdering::Worse,
        };
        assert_eq!(self.session.compare(&other.session), ordering);
        let earlier = if ordering == SessionOrdering::Worse { other } else { self };
        // What is known of the later ratchet holds for the earlier one only where no part of it is
        // replaced in between (S-21).
        let vouched = self.textbook.index >> 8 == other.textbook.index >> 8;
        let verified = if vouched { self.verified || other.verified } else { earlier.verified };
        // Each origin once, or a member that is merged with itself has twice as many each time.
        let mut origins = [self.origins.as_slice(), &other.origins].concat();
        origins.sort_unstable();
        origins.dedup();
        let mut merged = Self {
            session: self.session.merge(&other.session).expect("it is the same session"),
            textbook: earlier.textbook.clone(),
            origins,
            verified,
        };
        merged.verified |= merged.provenance_at(merged.textbook.index) == Provenance::Signed;
        merged
    }

    /// S-43: the best origin that begins at or before the index, or within the same 256 messages.
    fn provenance_at(&self, index: u32) -> Provenance {
        let origins = self.origins.iter();
        let vouching = origins.filter(|(start, _)| *start <= index || start >> 8 == index >> 8);
        vouching.map(|(_, provenance)| *provenance).max().unwrap_or(Provenance::Unknown)
    }

    pub fn check(&self) {
        assert_eq!(self.session.first_known_index(), self.textbook.index);
        let first = self.textbook.index;
        assert_eq!(self.session.provenance(), self.provenance_at(first));
        for distance in [0, 1, 5, 6, 7, 255, 256, 257, 600] {
            let index = first.saturating_add(distance);
            let expected = Some(self.provenance_at(index));
            assert_eq!(self.session.provenance_at(index), expected, "index {index}");
        }
        assert_eq!(self.session.is_signing_key_verified(), self.verified);
        self.export(self.textbook.index);
    }
}
