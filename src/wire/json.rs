//! Writes JSON that may contain secrets, without leaving copies of them in freed memory. Only with
//! features that need serde.

use std::io;

use alloc::vec::Vec;
use serde::Serialize;
use zeroize::Zeroizing;

/// The value as JSON, in memory that is wiped on drop. The length is computed first, because a
/// buffer that grows would leave copies of secrets behind (S-25). `None` only for a value that JSON
/// cannot express.
pub(crate) fn to_vec(value: &impl Serialize) -> Option<Zeroizing<Vec<u8>>> {
    let mut length = Length(0);
    serde_json::to_writer(&mut length, value).ok()?;
    let mut json = Zeroizing::new(Vec::with_capacity(length.0));
    serde_json::to_writer(&mut *json, value).ok()?;
    Some(json)
}

/// Counts the bytes that are written to it.
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
