//! Megolm: two implementations of the ratchet, one step by step and one with the recursion of its
//! definition, and the group session.

use super::codec;
use super::crypto::{MessageCipher, ed25519_public, hmac, sign, signature_is_good};

/// `R_i`: the parts `R_{i,0}` to `R_{i,3}`.
pub type Ratchet = [[u8; 32]; 4];

/// Up to this distance [`naive_ratchet`] computes its result in both ways.
const CHECKED_DISTANCE: u32 = 1_000;

/// `R_target` from `R_start`.
///
/// # Panics
///
/// When `target` is before `start`: the ratchet cannot be turned back.
pub fn naive_ratchet(initial: Ratchet, start: u32, target: u32) -> Ratchet {
    let (start, target) = (u64::from(start), u64::from(target));
    let result = by_definition(initial, start, target);
    if target - start <= u64::from(CHECKED_DISTANCE) {
        assert_eq!(result, step_by_step(initial, start, target));
    }
    result
}

/// `R_target` from `R_start`, one index after the other.
///
/// The indices are wider than those of messages so that a counter that overflows can be followed
/// too.
pub fn step_by_step(initial: Ratchet, start: u64, target: u64) -> Ratchet {
    assert!(start <= target, "the ratchet cannot be turned back");
    (start + 1..=target).fold(initial, step)
}

/// `R_i` from `R_{i-1}`.
fn step(previous: Ratchet, i: u64) -> Ratchet {
    // megolm.md, "The Megolm ratchet algorithm". The parts that reseed others are read at the
    // previous multiple there, R_{2^24(n-1),0} and so on; they do not change between two multiples,
    // so R_{i-1,0} and so on are the same.
    let [r0, r1, r2, r3] = previous;
    if i.is_multiple_of(1 << 24) {
        [h(0, &r0), h(1, &r0), h(2, &r0), h(3, &r0)]
    } else if i.is_multiple_of(1 << 16) {
        [r0, h(1, &r1), h(2, &r1), h(3, &r1)]
    } else if i.is_multiple_of(1 << 8) {
        [r0, r1, h(2, &r2), h(3, &r2)]
    } else {
        [r0, r1, r2, h(3, &r3)]
    }
}

/// `R_target` from `R_start`, by following the definition of each part backwards from one reseeding
/// to the one before.
pub fn by_definition(initial: Ratchet, start: u64, target: u64) -> Ratchet {
    assert!(start <= target, "the ratchet cannot be turned back");
    [0, 1, 2, 3].map(|j| part(&initial, start, target, j))
}

/// `R_{i,j}`, given `R_start`.
fn part(initial: &Ratchet, start: u64, i: u64, j: usize) -> [u8; 32] {
    /// Part `j` gets a new value at every multiple of `PERIOD[j]`.
    const PERIOD: [u64; 4] = [1 << 24, 1 << 16, 1 << 8, 1];

    // The "otherwise" of the definition, applied as often as it applies.
    let changed_at = i - i % PERIOD[j];
    if changed_at <= start {
        return initial[j];
    }
    // The first case of the definition that holds: with 2^24 n, 2^16 m, 2^8 p, or none.
    let source = (0..=j)
        .find(|&k| changed_at.is_multiple_of(PERIOD[k]))
        .expect("part j changes at multiples of its own period");
    h(j, &part(initial, start, changed_at - PERIOD[source], source))
}

// megolm.md, "Advancing the ratchet": H_0(A) = HMAC(A, "\x00") to H_3(A) = HMAC(A, "\x03")
fn h(j: usize, a: &[u8; 32]) -> [u8; 32] {
    hmac(a, &[u8::try_from(j).unwrap()])
}

/// Why a group message was not decrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NaiveGroupError {
    /// Not a message of the session's version.
    Format,
    BadSignature,
    /// The message is older than the session.
    UnknownIndex,
    /// The MAC is wrong, or the padding of the plaintext under a good MAC.
    BadMac,
}

/// The sender's session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NaiveGroupSession {
    /// 3 (MAC of 8 bytes) or 4 (32 bytes).
    pub version: u8,
    /// `R_i`.
    pub ratchet: Ratchet,
    /// `i`; one more than the last index of a message when the session is used up.
    pub index: u64,
    /// The secret part of `K`.
    pub signing_seed: [u8; 32],
}

impl NaiveGroupSession {
    /// Encrypts with the current ratchet value, then advances it.
    ///
    /// # Panics
    ///
    /// After message 2^32 - 1, as do the two functions below: there is no index for another one.
    pub fn encrypt(&mut self, plaintext: &[u8]) -> Vec<u8> {
        let cipher = MessageCipher::megolm(&self.ratchet);
        let ciphertext = cipher.encrypt(plaintext);
        let mut bytes = codec::encode_group(self.version, self.message_index(), &ciphertext);
        bytes.extend(cipher.mac(self.version, &bytes));
        bytes.extend(sign(&self.signing_seed, &bytes));

        self.index += 1;
        self.ratchet = step(self.ratchet, self.index);
        bytes
    }

    /// The session in the format of megolm.md, "Session sharing format".
    pub fn session_key(&self) -> Vec<u8> {
        let public = ed25519_public(&self.signing_seed);
        let mut bytes = session_bytes(2, self.message_index(), &self.ratchet, &public);
        bytes.extend(sign(&self.signing_seed, &bytes));
        bytes
    }

    /// What a receiver of the current session can decrypt with.
    pub fn to_inbound(&self) -> NaiveInboundGroupSession {
        NaiveInboundGroupSession {
            version: self.version,
            ratchet: self.ratchet,
            index: self.message_index(),
            signing_public: ed25519_public(&self.signing_seed),
        }
    }

    fn message_index(&self) -> u32 {
        u32::try_from(self.index).expect("the session is used up")
    }
}

/// A receiver's session: the earliest ratchet value it knows. Decrypting does not change it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NaiveInboundGroupSession {
    /// 3 (MAC of 8 bytes) or 4 (32 bytes).
    pub version: u8,
    /// `R_i`.
    pub ratchet: Ratchet,
    /// `i`.
    pub index: u32,
    /// The public part of `K`.
    pub signing_public: [u8; 32],
}

impl NaiveInboundGroupSession {
    /// The plaintext of a message and its index.
    pub fn decrypt(&self, bytes: &[u8]) -> Result<(Vec<u8>, u32), NaiveGroupError> {
        let message = codec::decode_group(bytes)
            .filter(|message| message.version == self.version)
            .ok_or(NaiveGroupError::Format)?;

        let signed = [message.authenticated.clone(), message.mac.clone()].concat();
        if !signature_is_good(&self.signing_public, &signed, &message.signature) {
            return Err(NaiveGroupError::BadSignature);
        }
        if message.message_index < self.index {
            return Err(NaiveGroupError::UnknownIndex);
        }
        let ratchet = naive_ratchet(self.ratchet, self.index, message.message_index);
        let cipher = MessageCipher::megolm(&ratchet);
        if cipher.mac(self.version, &message.authenticated) != message.mac {
            return Err(NaiveGroupError::BadMac);
        }
        let plaintext = cipher.decrypt(&message.ciphertext).ok_or(NaiveGroupError::BadMac)?;
        Ok((plaintext, message.message_index))
    }

    /// The session from `index` on, in the format of megolm.md, "Session export format".
    ///
    /// # Panics
    ///
    /// When the session does not know that index.
    pub fn export_at(&self, index: u32) -> Vec<u8> {
        let ratchet = naive_ratchet(self.ratchet, self.index, index);
        session_bytes(1, index, &ratchet, &self.signing_public)
    }
}

/// What both session formats have in common: V, i, R(i,0) to R(i,3), Kpub.
fn session_bytes(version: u8, index: u32, ratchet: &Ratchet, public: &[u8; 32]) -> Vec<u8> {
    let mut bytes = vec![version];
    bytes.extend(index.to_be_bytes());
    bytes.extend(ratchet.concat());
    bytes.extend(public);
    bytes
}
