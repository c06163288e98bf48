//! JSON that may hold secrets, written without leaving copies behind. Only for features that need
//! serde.

use std::io;

use alloc::vec::Vec;
use serde::Serialize;
use zeroize::Zeroizing;

/// The value as JSON in wiped memory. Measured first: a buffer that grows would leave copies of secrets
/// behind (S-25). `None` only for a value that JSON cannot express.
pub(crate) fn to_vec(value: &impl Serialize) -> Option<Zeroizing<Vec<u8>>> {
    let mut length = Length(0);
    serde_json::to_writer(&mut length, value).ok()?;
    let mut json = Zeroizing::new(Vec::with_capacity(length.0));
    serde_json::to_writer(&mut *json, value).ok()?;
    Some(json)
}

/// Counts what is written to it.
struct Length(usize);

impl io::Write for Length {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 = self.0.saturating_add(bytes.len());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
