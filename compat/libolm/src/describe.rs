//! `olm_session_describe`.

use std::fmt::Write as _;

use moceril::olm::Session;

use crate::{
    memory::{Memory, Object, Output},
    object::ask,
};

/// The shortest buffer that `olm_session_describe` writes more than the end to.
const MIN_DESCRIPTION_ROOM: usize = 23;

/// `olm_session_describe`: the indices of all chains as a C string, cut to the buffer's length.
pub(crate) fn describe(session: Object<Session>, buffer: Output) {
    let description = ask(session, description, description_of(0, &[], &[]));
    let mut memory = Memory::of_this_call();
    if buffer.length > i32::MAX.unsigned_abs() as usize {
        return;
    }
    let text = cut(description, buffer.length);
    if let Ok(room) = memory.room(buffer, text.len()) {
        memory.write(room, &text);
    }
}

fn description(session: &Session) -> String {
    let indices = session.chain_indices();
    description_of(indices.sending.unwrap_or(0), &indices.receiving, &indices.skipped)
}

fn description_of(sending: u64, receiving: &[u64], skipped: &[u32]) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = write!(text, "sender chain index: {} receiver chain indices:", printed(sending));
    for index in receiving {
        let _ = write!(text, " {}", printed(*index));
    }
    text.push_str(" skipped message keys:");
    for index in skipped {
        let _ = write!(text, " {}", printed(u64::from(*index)));
    }
    text
}

/// The lower 32 bits as C's `%d` prints them.
const fn printed(index: u64) -> i32 {
    index as i32
}

/// The text and a NUL in at most `length` bytes.
fn cut(text: String, length: usize) -> Vec<u8> {
    let mut text = text.into_bytes();
    if length < MIN_DESCRIPTION_ROOM {
        text.clear();
        text.extend((length > 0).then_some(0));
        return text;
    }
    match text.len().checked_sub(length) {
        None => text.push(0),
        Some(0) => {
            text.pop();
            text.push(0);
        }
        Some(_) => {
            text.truncate(length.saturating_sub(4));
            text.extend_from_slice(b"...\0");
        }
    }
    text
}
