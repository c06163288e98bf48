//! The caller's random bytes as a source of randomness.

use std::{error, fmt};

use rand::{TryCryptoRng, TryRng};

/// Gives the bytes out in their order; more than there are is an error.
pub(crate) struct Random<'a>(pub(crate) &'a [u8]);

#[derive(Debug)]
pub(crate) struct NotEnough;

impl fmt::Display for NotEnough {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not enough random bytes")
    }
}

impl error::Error for NotEnough {}

impl Random<'_> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], NotEnough> {
        let (bytes, rest) = self.0.split_first_chunk().ok_or(NotEnough)?;
        self.0 = rest;
        Ok(*bytes)
    }
}

impl TryRng for Random<'_> {
    type Error = NotEnough;

    fn try_next_u32(&mut self) -> Result<u32, NotEnough> {
        self.take().map(u32::from_le_bytes)
    }

    fn try_next_u64(&mut self) -> Result<u64, NotEnough> {
        self.take().map(u64::from_le_bytes)
    }

    fn try_fill_bytes(&mut self, destination: &mut [u8]) -> Result<(), NotEnough> {
        let (bytes, rest) = self.0.split_at_checked(destination.len()).ok_or(NotEnough)?;
        destination.copy_from_slice(bytes);
        self.0 = rest;
        Ok(())
    }
}

/// The caller vouches for it: that is the contract of every function that takes random bytes.
impl TryCryptoRng for Random<'_> {}
