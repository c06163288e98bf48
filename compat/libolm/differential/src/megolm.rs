//! The Megolm ratchet, to see whether two of them belong together.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// Four parts of 32 bytes. Part 0 changes each 2^24 messages, part 3 with every one.
pub type Ratchet = [[u8; 32]; 4];

pub fn from_bytes(bytes: &[u8]) -> Option<Ratchet> {
    let (parts, rest) = bytes.as_chunks::<32>();
    if rest.is_empty() { parts.try_into().ok() } else { None }
}

/// The ratchet at index `to`, from the one at `from`, which is not behind it.
pub fn advance(mut ratchet: Ratchet, mut from: u32, to: u32) -> Ratchet {
    for part in 0..4 {
        let shift = 24 - 8 * part as u32;
        // Each step of a part replaces it and all parts after it, by hashes of its old value.
        while from >> shift < to >> shift {
            let old = ratchet[part];
            for (place, new) in ratchet.iter_mut().enumerate().skip(part) {
                *new = hash(&old, place as u8);
            }
            from = ((from >> shift) + 1) << shift;
        }
    }
    ratchet
}

fn hash(key: &[u8; 32], place: u8) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("any length");
    mac.update(&[place]);
    mac.finalize().into_bytes().into()
}
