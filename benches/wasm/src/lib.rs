//! Operations of one library, for `compare.cjs` to time.

#[cfg(feature = "moceril")]
mod moceril;
#[cfg(feature = "vodozemac")]
mod vodozemac;

use std::hint::black_box;

use wasm_bindgen::prelude::wasm_bindgen;

/// The plaintext of every message: the length of a short Matrix event.
const TEXT: &[u8] = &[b'm'; 200];

const PICKLE_KEY: [u8; 32] = [7; 32];

/// What a client generates at a time.
const ONE_TIME_KEYS: usize = 50;

/// An operation and all that it needs, to be run once. So what makes it ready is not timed.
#[wasm_bindgen]
pub struct Work(Box<dyn FnOnce()>);

#[wasm_bindgen]
impl Work {
    pub fn run(self) {
        (self.0)();
    }
}

/// The operation, `count` times.
fn repeated<T>(count: usize, mut operation: impl FnMut() -> T + 'static) -> Work {
    Work(Box::new(move || {
        for _ in 0..count {
            black_box(operation());
        }
    }))
}

/// The operation with each of the inputs.
fn with_each<I: 'static, T>(
    inputs: impl IntoIterator<Item = I>,
    mut operation: impl FnMut(I) -> T + 'static,
) -> Work {
    let inputs: Vec<_> = inputs.into_iter().collect();
    Work(Box::new(move || {
        for input in inputs {
            black_box(operation(input));
        }
    }))
}
