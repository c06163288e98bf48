//! Layer 4 converts objects to stored bytes and back. Each format translates its bytes to the state of
//! the object and lets the object's `restore` judge it, so all formats share one validation. The
//! documentation of [`loss::Loss`] lists what each format holds.

pub(crate) mod dehydrated;
mod envelope;
pub(crate) mod libolm;
pub(crate) mod loss;
pub(crate) mod native;
#[cfg(feature = "vodozemac")]
pub(crate) mod vodozemac;
#[cfg(test)]
mod work;

/// What is left to read. Every read checks that it is there.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take<const N: usize>(&mut self) -> Option<&'a [u8; N]> {
        let (taken, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(taken)
    }
}
