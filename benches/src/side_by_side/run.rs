//! Boxed operations, for benchmarks that measure only the time of a contender.

use std::time::Duration;

use super::{time_prepared, time_repeated};

/// Takes the number of runs, and returns their time.
pub type Run = Box<dyn FnMut(usize) -> Duration>;

/// An operation that can be repeated as it is.
pub fn repeated<O>(mut run: impl FnMut() -> O + 'static) -> Run {
    Box::new(move |runs| time_repeated(runs, &mut run))
}

/// An operation that needs a new input each time.
pub fn prepared<I, O>(
    mut prepare: impl FnMut() -> I + 'static,
    mut run: impl FnMut(&mut I) -> O + 'static,
) -> Run {
    Box::new(move |runs| time_prepared(runs, &mut prepare, &mut run))
}
