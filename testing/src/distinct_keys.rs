//! Private keys that a search cannot confuse with anything else.

use std::convert::Infallible;

use rand::{TryCryptoRng, TryRng};

/// Draws numbers that are all different and have few zero bytes, and passes each draw to a witness.
/// It uses no heap, and keeps nothing that it drew. For tests only.
#[derive(Clone, Copy)]
pub struct DistinctKeys {
    drawn: u64,
    witness: fn(&[u8]),
}

impl DistinctKeys {
    /// Two of them draw different numbers if they begin far enough from each other.
    pub fn new(begin: u64, witness: fn(&[u8])) -> Self {
        Self { drawn: begin, witness }
    }

    fn next(&mut self) -> [u8; 8] {
        // A permutation of the counter.
        self.drawn += 1;
        (self.drawn.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29) | 1).to_le_bytes()
    }

    /// The key that it will draw after `keys` others.
    pub fn upcoming(&self, keys: u64) -> [u8; 32] {
        let mut copy = Self { drawn: self.drawn + 4 * keys, ..*self };
        [(); 4].map(|()| copy.next()).as_flattened().try_into().unwrap()
    }
}

impl TryRng for DistinctKeys {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        unreachable!("keys are drawn as bytes")
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        unreachable!("keys are drawn as bytes")
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        for chunk in bytes.chunks_mut(8) {
            chunk.copy_from_slice(&self.next()[..chunk.len()]);
        }
        (self.witness)(bytes);
        Ok(())
    }
}

impl TryCryptoRng for DistinctKeys {}
