//! The caller's memory. Every `unsafe` block of the library is in this file.
//!
//! **Where pointers come from.** [`In`], [`Out`] and [`Object`] are C pointers. They have no
//! constructor: they arrive only as arguments of exported functions, and C's contract for those is
//! that the pointer is null or leads to as many bytes as the length beside it says, or as the
//! `…_size()` function of the object said when the memory was allocated. The `SAFETY` comments call
//! this *the contract*. No alignment is assumed: everything is read and written as bytes.
//!
//! **Why buffers may overlap.** C programs may pass one buffer twice, as input and as output.
//! Slices of such buffers must not be written to while one of them is alive, so:
//!
//! * all access goes through one [`Memory`] for each call. Reading borrows it, and writing borrows
//!   it exclusively: the compiler refuses a write while an input slice is alive;
//! * an output buffer is never a slice. Its bytes are made in a buffer of our own and copied over
//!   in one go ([`Memory::write`]), when the inputs are no longer needed.
#![expect(unsafe_code, reason = "reads and writes the caller's buffers")]

use std::{marker::PhantomData, mem::MaybeUninit, ptr, slice};

use zeroize::Zeroize;

use crate::error::{Code, Result};

/// The start of a buffer that is read: `void const *`, or a `void *` that we do not change.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub(crate) struct In(*const u8);

/// The start of a buffer that is written.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub(crate) struct Out(*mut u8);

/// A buffer: a pointer with its length.
pub(crate) trait Buffer {
    type Start;
    fn from_c(start: Self::Start, length: usize) -> Self;
}

/// A buffer to read from.
#[derive(Clone, Copy)]
pub(crate) struct Input {
    start: *const u8,
    pub(crate) length: usize,
}

impl Buffer for Input {
    type Start = In;

    fn from_c(In(start): In, length: usize) -> Self {
        Self { start, length }
    }
}

/// A buffer to write to. Those of random bytes are read before they are wiped.
#[derive(Clone, Copy)]
pub(crate) struct Output {
    start: *mut u8,
    pub(crate) length: usize,
}

impl Buffer for Output {
    type Start = Out;

    fn from_c(Out(start): Out, length: usize) -> Self {
        Self { start, length }
    }
}

impl Output {
    pub(crate) fn is_null(self) -> bool {
        self.start.is_null()
    }
}

impl From<Output> for Input {
    fn from(Output { start, length }: Output) -> Self {
        Self { start, length }
    }
}

/// An object of the API, in memory that the caller has supplied.
#[repr(transparent)]
pub(crate) struct Object<T>(*mut u8, PhantomData<T>);

impl<T> Clone for Object<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Object<T> {}

/// The layout of an object of the API.
pub(crate) trait Kind {
    /// Bytes that the caller must supply.
    const SIZE: usize;
}

/// An output buffer that is long enough for what is going to be written.
#[derive(Clone, Copy)]
pub(crate) struct Room {
    start: *mut u8,
    length: usize,
}

/// The right to access the caller's memory; each call has one.
pub(crate) struct Memory(());

impl Memory {
    /// For `object::call`, once in each call.
    pub(crate) const fn of_this_call() -> Self {
        Self(())
    }

    /// The bytes of an input buffer. A null pointer is fine if the length is 0.
    pub(crate) fn bytes(&self, Input { start, length }: Input) -> Result<&[u8]> {
        if length == 0 {
            return Ok(&[]);
        }
        if start.is_null() || length > isize::MAX.unsigned_abs() {
            return Err(Code::InputBufferTooSmall);
        }
        // SAFETY: `start` is not null and, by the contract, leads to `length` bytes, which are no
        // more than a slice may have. Nobody writes to them while `self` is borrowed: we write only
        // through `&mut self`, and C's contract is that one object is used by one thread at a time.
        Ok(unsafe { slice::from_raw_parts(start, length) })
    }

    /// Random bytes. A null pointer has none, whatever its length.
    pub(crate) fn random(&self, random: impl Into<Input>) -> Result<&[u8]> {
        self.bytes(random.into()).map_err(|_| Code::NotEnoughRandom)
    }

    /// Checks that an output buffer takes `needed` bytes.
    pub(crate) fn room(&self, Output { start, length }: Output, needed: usize) -> Result<Room> {
        if length < needed || (start.is_null() && needed > 0) {
            return Err(Code::OutputBufferTooSmall);
        }
        Ok(Room { start, length: needed })
    }

    /// Copies bytes to an output buffer, and returns how many.
    pub(crate) fn write(&mut self, room: Room, bytes: &[u8]) -> usize {
        let length = bytes.len().min(room.length);
        if length > 0 {
            // SAFETY: `room` was made of a pointer that is not null and, by the contract, leads to
            // at least `length` writable bytes. `bytes` are not the caller's, because a slice of
            // the caller's memory cannot be alive while `self` is borrowed exclusively.
            unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), room.start, length) };
        }
        length
    }

    /// Writes to a place of a fixed length, unless the pointer is null.
    pub(crate) fn write_number<const N: usize>(&mut self, Out(start): Out, bytes: [u8; N]) {
        if !start.is_null() {
            self.write(Room { start, length: N }, &bytes);
        }
    }

    /// Overwrites a buffer with zeros. `zeroize` makes sure that the compiler does not leave it
    /// out.
    pub(crate) fn wipe(&mut self, Output { start, length }: Output) {
        if start.is_null() || length > isize::MAX.unsigned_abs() {
            return;
        }
        // SAFETY: `start` is not null and, by the contract, leads to `length` writable bytes, which
        // are no more than a slice may have. `MaybeUninit` lets them hold anything: C need not have
        // written to them. No other slice of them is alive, because `self` is borrowed exclusively.
        let bytes = unsafe { slice::from_raw_parts_mut(start.cast::<MaybeUninit<u8>>(), length) };
        bytes.zeroize();
    }

    /// The bytes of an object; `None` for a null pointer.
    pub(crate) fn object<T: Kind>(&self, object: Object<T>) -> Option<&[u8]> {
        if object.0.is_null() {
            return None;
        }
        // SAFETY: the pointer is not null and, by the contract, leads to `T::SIZE` bytes, all of
        // which were written when the object was made. Nobody writes to them while `self` is
        // borrowed.
        Some(unsafe { slice::from_raw_parts(object.0, T::SIZE) })
    }

    /// The bytes of an object, to be changed; `None` for a null pointer.
    pub(crate) fn object_mut<T: Kind>(&mut self, object: Object<T>) -> Option<&mut [u8]> {
        if object.0.is_null() {
            return None;
        }
        // SAFETY: as in `object`; and no other slice of the caller's memory is alive, because
        // `self` is borrowed exclusively.
        Some(unsafe { slice::from_raw_parts_mut(object.0, T::SIZE) })
    }

    /// Makes a blank object out of the memory for one: zeros.
    pub(crate) fn blank<T: Kind>(&mut self, object: Object<T>) {
        self.wipe(Output { start: object.0, length: T::SIZE });
    }
}

/// Pointers for tests, which keep to the contract themselves.
#[cfg(test)]
impl<T> Object<T> {
    pub(crate) fn over(memory: &mut [u8]) -> Self {
        Self(memory.as_mut_ptr(), PhantomData)
    }

    pub(crate) fn null() -> Self {
        Self(ptr::null_mut(), PhantomData)
    }
}

#[cfg(test)]
impl Input {
    pub(crate) fn over(bytes: &[u8]) -> Self {
        Self { start: bytes.as_ptr(), length: bytes.len() }
    }

    pub(crate) fn null(length: usize) -> Self {
        Self { start: ptr::null(), length }
    }
}

#[cfg(test)]
impl Output {
    pub(crate) fn over(bytes: &mut [u8]) -> Self {
        Self { start: bytes.as_mut_ptr(), length: bytes.len() }
    }

    pub(crate) fn null(length: usize) -> Self {
        Self { start: ptr::null_mut(), length }
    }
}

#[cfg(test)]
impl Out {
    pub(crate) fn over(bytes: &mut [u8]) -> Self {
        Self(bytes.as_mut_ptr())
    }

    pub(crate) fn null() -> Self {
        Self(ptr::null_mut())
    }
}
