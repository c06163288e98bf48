//! S-50: a conversation in steps. Between two steps everything is text: all objects are pickled,
//! and the messages are on the way. So each step can run on another platform, and the texts can be
//! compared.
//!
//! In each step Bob and Alice each get the other's last message and write the next one, and Alice's
//! group message reaches Bob. The formats of the pickles take turns. All randomness is computed
//! from the number of the step, so that a step gives the same text on every platform.

mod rng;
mod state;

use std::error::Error;

use moceril::{
    megolm::{GroupSession, GroupSessionConfig, InboundGroupSession},
    olm::{Account, OlmMessage, PreKeyBundle, SessionConfig},
};

use self::{rng::Counter, state::State};

/// What a message of this step says. Its length changes, as does the padding of its ciphertext.
fn text(writer: &str, step: usize) -> String {
    format!("{writer} in step {step}: {}", "ž".repeat(step % 40))
}

/// The state after the first step: both devices, and the first messages on the way.
fn begin() -> Result<State, Box<dyn Error>> {
    let mut rng = Counter::new(0);
    let (mut alice, mut bob) = (Account::with_rng(&mut rng)?, Account::with_rng(&mut rng)?);
    alice.generate_fallback_key_with_rng(&mut rng)?;
    bob.generate_one_time_keys_with_rng(3, &mut rng)?;
    let (id, one_time_key) = bob.signed_one_time_keys()[0];
    bob.mark_as_published([id]);
    let bundle = PreKeyBundle::verify(bob.identity_keys(), &one_time_key)?;
    let mut to_bob =
        alice.create_outbound_session_with_rng(&bundle, SessionConfig::default(), &mut rng)?;
    let first = to_bob.encrypt_with_rng(text("Alice", 0), &mut rng)?;
    let pre_key_message = first.as_pre_key().ok_or("the first message is no pre-key message")?;
    let inbound = bob.create_inbound_session(alice.curve25519_key(), pre_key_message)?;
    let mut to_alice = inbound.session;
    let reply = to_alice.encrypt_with_rng(text("Bob", 0), &mut rng)?;

    let mut room = GroupSession::with_rng(GroupSessionConfig::default(), &mut rng)?;
    let theirs = InboundGroupSession::new(&room.session_key());
    let event = room.encrypt(text("Alice", 0))?;
    Ok(State {
        step: 0,
        alice,
        bob,
        to_bob,
        to_alice,
        room,
        theirs,
        messages: [first, reply],
        event,
    })
}

/// Everything that is on the way arrives, and is answered.
fn go_on(state: &mut State) -> Result<(), Box<dyn Error>> {
    let (before, step) = (state.step, state.step + 1);
    let mut rng = Counter::new(step as u64);
    let [from_alice, from_bob] = &state.messages;
    // Bob has read the very first message when he made his session from it.
    if before > 0 {
        let read = state.to_alice.decrypt(from_alice)?;
        expect(read.plaintext(), &text("Alice", before))?;
    }
    expect(state.to_bob.decrypt(from_bob)?.plaintext(), &text("Bob", before))?;
    expect(state.theirs.decrypt(&state.event)?.plaintext(), &text("Alice", before))?;

    // Lost messages leave skipped keys in the pickles.
    for _ in 0..step % 3 {
        state.to_bob.encrypt_with_rng("lost", &mut rng)?;
    }
    let from_alice = state.to_bob.encrypt_with_rng(text("Alice", step), &mut rng)?;
    let from_bob = state.to_alice.encrypt_with_rng(text("Bob", step), &mut rng)?;
    state.messages = [from_alice, from_bob];
    state.event = state.room.encrypt(text("Alice", step))?;
    state.alice.generate_one_time_keys_with_rng(1, &mut rng)?;
    state.step = step;
    Ok(())
}

fn expect(found: &[u8], expected: &str) -> Result<(), Box<dyn Error>> {
    if found == expected.as_bytes() { Ok(()) } else { Err(format!("not: {expected}").into()) }
}

/// The state after the next step. The first is made from an empty text.
///
/// # Errors
///
/// A text is not a state, or a message was not read.
pub fn next(state: &str) -> Result<String, Box<dyn Error>> {
    let state = if state.is_empty() {
        begin()?
    } else {
        let mut state = State::parse(state)?;
        go_on(&mut state)?;
        state
    };
    state.write()
}

/// [`next`] for JavaScript, which gets an error as an exception.
///
/// # Errors
///
/// As for `next`.
#[cfg(all(target_arch = "wasm32", target_os = "unknown"))]
#[wasm_bindgen::prelude::wasm_bindgen(js_name = next)]
pub fn next_in_javascript(state: &str) -> Result<String, String> {
    next(state).map_err(|error| error.to_string())
}

/// Makes an account with the browser's randomness, and returns its key: two are different.
///
/// # Errors
///
/// There is no source of randomness.
#[cfg(all(target_arch = "wasm32", target_os = "unknown"))]
#[wasm_bindgen::prelude::wasm_bindgen]
pub fn new_identity_key() -> Result<String, String> {
    let account = Account::new().map_err(|error| error.to_string())?;
    Ok(account.curve25519_key().to_base64())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Twelve steps, which use each format of the pickles several times.
    #[test]
    fn the_conversation_goes_on() {
        let mut state = String::new();
        for step in 0..12 {
            let after = next(&state).unwrap();
            assert_eq!(after, next(&state).unwrap(), "a step gives the same text again");
            assert_ne!(after, state);
            assert!(after.starts_with(&format!("{step}\n")));
            state = after;
        }
    }

    #[test]
    fn an_altered_text_is_an_error() {
        let state = next("").unwrap();
        let lines: Vec<_> = state.lines().collect();
        for (number, line) in lines.iter().enumerate().skip(1) {
            let altered = format!("{}A{}", &line[..line.len() / 2], &line[line.len() / 2..]);
            let mut lines = lines.clone();
            lines[number] = &altered;
            assert!(next(&lines.join("\n")).is_err(), "line {number}");
        }
    }
}
