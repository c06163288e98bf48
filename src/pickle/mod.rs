//! Layer 4 converts objects to stored bytes and back. Each format translates its bytes to the state
//! of the object, and the object's `restore` checks this state, so all formats share one
//! validation. The documentation of [`loss::Loss`] lists what each format holds.

pub(crate) mod dehydrated;
mod envelope;
pub(crate) mod libolm;
pub(crate) mod loss;
pub(crate) mod native;
#[cfg(feature = "vodozemac")]
pub(crate) mod vodozemac;
#[cfg(test)]
mod work;

use alloc::vec::Vec;

/// The bytes left to read. Every read checks that they are there.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take<const N: usize>(&mut self) -> Option<&'a [u8; N]> {
        let (taken, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(taken)
    }
}

/// A destination of written bytes: first [`Length`], which counts them, then a buffer of that
/// length.
trait Sink {
    fn put(&mut self, bytes: &[u8]);
}

/// The number of bytes that were put.
struct Length(usize);

impl Sink for Length {
    fn put(&mut self, bytes: &[u8]) {
        self.0 = self.0.saturating_add(bytes.len());
    }
}

impl Sink for Vec<u8> {
    fn put(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }
}
