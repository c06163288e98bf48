//! A fallback key, and its memory of the sessions that were made with it (S-08, S-42).
//!
//! A fallback key serves many sessions, so a first message made with it could be delivered twice.
//! The key therefore remembers each session by a short tag:
//!
//! ```text
//! tag key = HKDF-SHA-256(salt none, fallback private key, "MOCERIL_FALLBACK_MEMORY", 32 bytes)
//! tag     = HMAC(tag key, sender's identity key)[0..2]
//!           || HMAC(tag key, sender's identity key || base key)[0..4]
//! ```
//!
//! Only the account knows the tag key, so nobody else can search for two sessions with the same
//! tag. An honest message is called a replay if its session happens to have the tag of another one.
//! The probability of that is 2^-32 for each remembered session whose sender has the same first
//! part. There are at most 32 of these, so it is 2^-27 in all. For a sender with no remembered
//! session, it is 2^-48 for each remembered session: 2^-38 when the default memory is full. The
//! session that the sender makes next has another tag.

use alloc::vec::Vec;

use super::one_time_keys::StoredKey;
use crate::{
    primitives::{
        kdf::{HmacKey, hkdf},
        secret::Secret,
    },
    ratchet::limits::{FALLBACK_SHARE, MAX_FALLBACK_MEMORY},
    wire::olm::SessionKeys,
};

const TAG_KEY_INFO: &[u8] = b"MOCERIL_FALLBACK_MEMORY";

/// What a fallback key remembers of a session.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct SessionTag {
    sender: u16,
    session: u32,
}

impl SessionTag {
    pub(crate) const LENGTH: usize = 6;

    pub(crate) const fn from_bytes([a, b, c, d, e, f]: [u8; Self::LENGTH]) -> Self {
        Self { sender: u16::from_be_bytes([a, b]), session: u32::from_be_bytes([c, d, e, f]) }
    }

    pub(crate) const fn to_bytes(self) -> [u8; Self::LENGTH] {
        let ([a, b], [c, d, e, f]) = (self.sender.to_be_bytes(), self.session.to_be_bytes());
        [a, b, c, d, e, f]
    }
}

/// The sessions that were made with a fallback key.
#[derive(Clone)]
pub(crate) struct FallbackMemory {
    /// Whether every session is in `sessions`, except those beyond their sender's share. Once
    /// false, it stays false.
    pub(crate) complete: bool,
    /// In the order in which they were made.
    pub(crate) sessions: Vec<SessionTag>,
}

impl FallbackMemory {
    /// Whether this session is remembered, and how many of its sender are. Nothing here branches on
    /// a tag, so that the time of a message does not tell how much of one is right. The number has
    /// room: it is at most that of all sessions.
    fn search(&self, tag: SessionTag) -> (bool, u32) {
        let (mut known, mut of_sender) = (false, 0_u32);
        for other in &self.sessions {
            let same_sender = other.sender == tag.sender;
            known |= same_sender & (other.session == tag.session);
            of_sender = of_sender.wrapping_add(same_sender.into());
        }
        (known, of_sender)
    }

    /// Remembers a session that is not remembered yet, if the bounds allow it. Returns whether the
    /// memory now holds every session of this sender, this one included.
    fn record(&mut self, tag: SessionTag, maximum: u32) -> bool {
        let (_, of_sender) = self.search(tag);
        if of_sender >= FALLBACK_SHARE {
            return false;
        }
        if self.sessions.len() >= maximum as usize {
            self.complete = false;
            return false;
        }
        self.sessions.push(tag);
        self.complete
    }

    /// Whether no session is there twice, no sender has more than its share, and there are no more
    /// sessions than an account can remember. It sorts the tags, which tells their order: that of
    /// random numbers, of which the peer has chosen none.
    fn is_consistent(&self) -> bool {
        // Before there is work for each item (S-45).
        if self.sessions.len() > MAX_FALLBACK_MEMORY as usize {
            return false;
        }
        let mut sorted = self.sessions.clone();
        sorted.sort_unstable();
        let beyond_share = FALLBACK_SHARE.saturating_add(1) as usize;
        let sender = |tag: Option<&SessionTag>| tag.map(|tag| tag.sender);
        sorted.is_sorted_by(|a, b| a < b)
            && sorted.windows(beyond_share).all(|tags| sender(tags.first()) != sender(tags.last()))
    }
}

/// A fallback key and the sessions that were made with it.
#[derive(Clone)]
pub(crate) struct FallbackKey {
    pub(crate) key: StoredKey,
    pub(crate) memory: FallbackMemory,
}

impl FallbackKey {
    /// A key with which no session has been made yet.
    pub(crate) const fn new(key: StoredKey) -> Self {
        Self { key, memory: FallbackMemory { complete: true, sessions: Vec::new() } }
    }

    /// A key from a format that does not say which sessions were made with it.
    pub(crate) const fn without_memory(key: StoredKey) -> Self {
        Self { key, memory: FallbackMemory { complete: false, sessions: Vec::new() } }
    }

    /// How many sessions the key remembers.
    pub(crate) const fn remembered(&self) -> usize {
        self.memory.sessions.len()
    }

    /// Whether this session was made before and is remembered.
    pub(crate) fn remembers(&self, session: &SessionKeys) -> bool {
        self.memory.search(self.tag(session)).0
    }

    /// Remembers a session, if the bounds allow it; see [`FallbackMemory::record`].
    pub(crate) fn record(&mut self, session: &SessionKeys, maximum: u32) -> bool {
        let tag = self.tag(session);
        self.memory.record(tag, maximum)
    }

    pub(crate) fn is_consistent(&self) -> bool {
        self.memory.is_consistent()
    }

    fn tag(&self, session: &SessionKeys) -> SessionTag {
        let tag_key: Secret<32> = hkdf(None, self.key.pair.secret().as_bytes(), TAG_KEY_INFO);
        let hmac = HmacKey::new(tag_key.as_bytes());
        let (sender, base) = (*session.identity_key.as_bytes(), *session.base_key.as_bytes());
        let [a, b, ..] = hmac.tag(&sender);
        let [c, d, e, f, ..] = hmac.tag([sender, base].as_flattened());
        SessionTag::from_bytes([a, b, c, d, e, f])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        keys::{Curve25519KeyPair, Curve25519PublicKey},
        primitives::kdf::sha256,
        ratchet::limits::DEFAULT_FALLBACK_MEMORY,
    };

    /// A public key that looks random; there is one for each number.
    fn public_key(number: u64) -> Curve25519PublicKey {
        let mut bytes = sha256(&[&number.to_be_bytes()]);
        bytes[31] &= 0x7f;
        Curve25519PublicKey::from_bytes(bytes).unwrap()
    }

    fn session(sender: u64, base: u64) -> SessionKeys {
        SessionKeys {
            identity_key: public_key(sender),
            base_key: public_key(base),
            one_time_key: public_key(0),
        }
    }

    fn fallback_key(number: u8) -> FallbackKey {
        let pair = Curve25519KeyPair::from_secret_bytes(&Secret::new([number; 32]));
        FallbackKey::new(StoredKey { id: 1, pair, published: true })
    }

    /// S-42: with a full memory and a sender whose share is full, no first message out of 10^5 of
    /// other senders and 10^5 of that sender is called a replay.
    #[test]
    fn s_42_no_honest_message_is_called_a_replay() {
        let (mut key, greedy) = (fallback_key(1), 1);
        let mut recorded = Vec::new();
        for number in 0..1_024 {
            let sender = if number < 32 { greedy } else { 1_000 + number };
            let session = session(sender, 10_000 + number);
            assert!(!key.remembers(&session));
            assert!(key.record(&session, DEFAULT_FALLBACK_MEMORY));
            recorded.push(session);
        }
        assert!(recorded.iter().all(|session| key.remembers(session)));
        assert_eq!(key.remembered(), 1_024);
        for number in 0..100_000 {
            let (of_new, of_greedy) = (1_000_000 + number, 2_000_000 + number);
            assert!(!key.remembers(&session(of_new, of_new + 5_000_000)), "{number}");
            assert!(!key.remembers(&session(greedy, of_greedy)), "{number}");
        }
    }

    /// S-42: the tag depends on the fallback key, the sender and the base key; its first part, on
    /// the sender only.
    #[test]
    fn s_42_tags_are_keyed() {
        let (key, other) = (fallback_key(1), fallback_key(2));
        let tag = key.tag(&session(1, 2));
        assert!(tag == key.tag(&session(1, 2)));
        let same_sender = key.tag(&session(1, 3));
        assert!(tag.sender == same_sender.sender && tag.session != same_sender.session);
        for different in [key.tag(&session(4, 2)), other.tag(&session(1, 2))] {
            assert!(tag.sender != different.sender && tag.session != different.session);
        }
    }
}
