//! What is measured: one operation of one library, ready to run repeatedly.

use std::time::Duration;

use crate::{
    memory::allocator::{Usage, watch},
    side_by_side::{time_prepared, time_repeated},
};

/// Who runs an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Who {
    Ours,
    Vodozemac,
    Libolm,
    /// The bare primitives.
    LowerBound,
}

pub trait Contender {
    /// How long so many runs take.
    fn time(&mut self, runs: usize) -> Duration;

    /// What one run allocates.
    fn allocate(&mut self) -> Usage;
}

/// An operation that can be repeated as it is.
pub struct Repeated<R>(R);

pub fn repeated<O: 'static>(run: impl FnMut() -> O + 'static) -> Box<dyn Contender> {
    Box::new(Repeated(run))
}

impl<O, R: FnMut() -> O> Contender for Repeated<R> {
    fn time(&mut self, runs: usize) -> Duration {
        time_repeated(runs, &mut self.0)
    }

    fn allocate(&mut self) -> Usage {
        watch(&mut self.0)
    }
}

/// An operation that needs a new input each time.
pub struct Prepared<P, R> {
    prepare: P,
    run: R,
}

pub fn prepared<I: 'static, O: 'static>(
    prepare: impl FnMut() -> I + 'static,
    run: impl FnMut(&mut I) -> O + 'static,
) -> Box<dyn Contender> {
    Box::new(Prepared { prepare, run })
}

impl<I, O, P: FnMut() -> I, R: FnMut(&mut I) -> O> Contender for Prepared<P, R> {
    fn time(&mut self, runs: usize) -> Duration {
        time_prepared(runs, &mut self.prepare, &mut self.run)
    }

    fn allocate(&mut self) -> Usage {
        let mut input = (self.prepare)();
        watch(|| (self.run)(&mut input))
    }
}
