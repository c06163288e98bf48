//! Randomness for tests: reproducible, recorded, or failing.

use std::convert::Infallible;

use rand::{TryCryptoRng, TryRng};
use sha2::{Digest, Sha256};

/// SHA-256 of a seed and a counter: the same numbers on every machine. For tests only.
pub struct SeededRng {
    seed: u64,
    counter: u64,
    block: Vec<u8>,
}

impl SeededRng {
    pub fn new(seed: u64) -> Self {
        Self { seed, counter: 0, block: Vec::new() }
    }

    pub fn byte(&mut self) -> u8 {
        if self.block.is_empty() {
            let input = [self.seed.to_be_bytes(), self.counter.to_be_bytes()].concat();
            self.block = Sha256::digest(input).to_vec();
            self.counter += 1;
        }
        self.block.pop().unwrap()
    }

    pub fn bytes<const N: usize>(&mut self) -> [u8; N] {
        std::array::from_fn(|_| self.byte())
    }

    /// A number below `end`, which must not be zero. The bias does not matter to a test.
    pub fn below(&mut self, end: usize) -> usize {
        (u64::from_be_bytes(self.bytes()) % end as u64) as usize
    }
}

impl TryRng for SeededRng {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(u32::from_be_bytes(self.bytes()))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(u64::from_be_bytes(self.bytes()))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        bytes.fill_with(|| self.byte());
        Ok(())
    }
}

impl TryCryptoRng for SeededRng {}

/// The source has no bytes (left).
#[derive(Debug)]
pub struct Empty;

impl std::fmt::Display for Empty {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("no bytes left")
    }
}

impl std::error::Error for Empty {}

/// Hands out the given bytes in order, then fails. With no bytes it always fails.
pub struct RecordedRng(std::vec::IntoIter<u8>);

impl RecordedRng {
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self(bytes.into().into_iter())
    }

    pub fn left(&self) -> usize {
        self.0.len()
    }
}

impl TryRng for RecordedRng {
    type Error = Empty;

    fn try_next_u32(&mut self) -> Result<u32, Empty> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u32::from_be_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Empty> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u64::from_be_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Empty> {
        if self.0.len() < bytes.len() {
            return Err(Empty);
        }
        bytes.fill_with(|| self.0.next().unwrap());
        Ok(())
    }
}

impl TryCryptoRng for RecordedRng {}
