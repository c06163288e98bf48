//! Objects as bytes in the caller's memory, and nowhere else: programs free or reuse that memory
//! without telling us.
//!
//! | bytes | what |
//! |---|---|
//! | 0 | the last error, which stays until the next one |
//! | 1..4 | 0 |
//! | 4..8 | length of the content; 0 for a blank object |
//! | 8.. | the content, then zeros |
//!
//! The content is what libolm would encrypt into a pickle of the object; `rungs.rs` says what an
//! inbound group session has behind it. Each call reads it again, and replaces it when the call has
//! succeeded: a call that fails changes only the last error.

use std::ffi::c_char;

use zeroize::Zeroize;

use crate::{
    error::{self, Code, FAILED, Result},
    memory::{Kind, Memory, Object},
};

const LENGTH_START: usize = 4;
const CONTENT_START: usize = 8;

/// The size of an object whose content has at most `content` bytes.
pub(crate) const fn size_with(content: usize) -> usize {
    CONTENT_START.saturating_add(content)
}

/// An object that has a state.
pub(crate) trait Stored: Kind + Sized {
    /// What a blank object answers when its keys are needed.
    const BLANK: Code;

    /// Reads the state from content that `write` wrote.
    fn read(content: &[u8]) -> Option<Self>;

    /// Writes the state to the beginning of `content`, and returns its length; `None`, and nothing
    /// is written, for a state that libolm's format cannot represent, because its last index is
    /// used.
    fn write(&self, content: &mut [u8]) -> Option<usize>;
}

/// Runs one call, and puts its error into the object.
pub(crate) fn call<T: Kind>(
    object: Object<T>,
    run: impl FnOnce(&mut Memory) -> Result<usize>,
) -> usize {
    let mut memory = Memory::of_this_call();
    if memory.object(object).is_none() {
        return FAILED;
    }
    run(&mut memory).unwrap_or_else(|code| {
        if let Some(place) = memory.object_mut(object).and_then(<[u8]>::first_mut) {
            *place = code as u8;
        }
        FAILED
    })
}

/// Answers a question that has an answer for every object; the last argument is the answer for a
/// null pointer.
pub(crate) fn ask<T: Stored, A>(object: Object<T>, answer: impl FnOnce(&T) -> A, blank: A) -> A {
    let memory = Memory::of_this_call();
    match content(&memory, object).and_then(T::read) {
        Some(state) => answer(&state),
        None => blank,
    }
}

/// The content of an object; `None` for a blank one.
pub(crate) fn content<T: Kind>(memory: &Memory, object: Object<T>) -> Option<&[u8]> {
    let bytes = memory.object(object)?;
    let length = bytes.get(LENGTH_START..)?.first_chunk().copied().map(u32::from_le_bytes)?;
    let content = bytes.get(CONTENT_START..)?.get(..usize::try_from(length).ok()?)?;
    if content.is_empty() { None } else { Some(content) }
}

/// A number of four bytes in the content.
pub(crate) fn number_at(content: &[u8], place: usize) -> Result<u32> {
    let number = content.get(place..).and_then(<[u8]>::first_chunk);
    number.copied().map(u32::from_be_bytes).ok_or(Code::CorruptedPickle)
}

/// The state of an object; `None` for a blank one.
pub(crate) fn load_or_blank<T: Stored>(memory: &Memory, object: Object<T>) -> Result<Option<T>> {
    match content(memory, object) {
        None => Ok(None),
        Some(content) => T::read(content).map(Some).ok_or(Code::CorruptedPickle),
    }
}

/// The state of an object that has one.
pub(crate) fn load<T: Stored>(memory: &Memory, object: Object<T>) -> Result<T> {
    load_or_blank(memory, object)?.ok_or(T::BLANK)
}

/// Replaces the state of an object.
pub(crate) fn store<T: Stored>(memory: &mut Memory, object: Object<T>, state: &T) -> Result<()> {
    replace(memory, object, |content| state.write(content))
}

/// Makes an object blank, except its last error.
pub(crate) fn make_blank<T: Kind>(memory: &mut Memory, object: Object<T>) -> Result<()> {
    replace(memory, object, |_| Some(0))
}

/// Replaces the content by what `write` writes, which is all or nothing: it returns `None` if there
/// is nothing to write. What is left of a longer content is overwritten.
pub(crate) fn replace<T: Kind>(
    memory: &mut Memory,
    object: Object<T>,
    write: impl FnOnce(&mut [u8]) -> Option<usize>,
) -> Result<()> {
    let old_length = content(memory, object).map_or(0, <[u8]>::len);
    let bytes = memory.object_mut(object).and_then(|bytes| bytes.get_mut(LENGTH_START..));
    let (length, bytes) =
        bytes.and_then(<[u8]>::split_first_chunk_mut).ok_or(Code::CorruptedPickle)?;
    let new_length = write(bytes).ok_or(Code::UnknownMessageIndex)?;
    *length = u32::try_from(new_length).map_err(|_| Code::CorruptedPickle)?.to_le_bytes();
    bytes.get_mut(new_length..old_length).unwrap_or_default().zeroize();
    Ok(())
}

/// `olm_…_size()`: the bytes that the caller must supply for an object.
pub(crate) fn size<T: Kind>() -> usize {
    T::SIZE
}

/// `olm_…(memory)`: makes a blank object, and returns the same pointer.
pub(crate) fn create<T: Kind>(object: Object<T>) -> Object<T> {
    clear(object);
    object
}

/// `olm_clear_…(object)`: leaves a blank object, and returns its size.
pub(crate) fn clear<T: Kind>(object: Object<T>) -> usize {
    Memory::of_this_call().blank(object);
    T::SIZE
}

/// `olm_…_last_error_code(object)`
pub(crate) fn last_error_code<T: Kind>(object: Object<T>) -> u32 {
    let memory = Memory::of_this_call();
    memory.object(object).and_then(<[u8]>::first).copied().unwrap_or_default().into()
}

/// `olm_…_last_error(object)`: the text of the last error, never null.
pub(crate) fn last_error<T: Kind>(object: Object<T>) -> *const c_char {
    error::text(last_error_code(object))
}
