//! What is measured: one operation of one library, ready to be run again and again.

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use crate::memory::allocator::{Usage, watch};

/// Inputs are made in small batches, so that they are still in the cache when they are used.
const BATCH: usize = 32;

/// Who runs an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Who {
    Ours,
    Vodozemac,
    Libolm,
    /// The bare primitives.
    Floor,
}

pub trait Contender {
    /// How long so many runs take.
    fn time(&mut self, runs: usize) -> Duration;

    /// What one run allocates.
    fn allocate(&mut self) -> Usage;
}

/// An operation that can be repeated as it is. Dropping its result is part of the time.
pub struct Repeated<R>(R);

pub fn repeated<O: 'static>(run: impl FnMut() -> O + 'static) -> Box<dyn Contender> {
    Box::new(Repeated(run))
}

impl<O, R: FnMut() -> O> Contender for Repeated<R> {
    fn time(&mut self, runs: usize) -> Duration {
        let start = Instant::now();
        for _ in 0..runs {
            black_box((self.0)());
        }
        start.elapsed()
    }

    fn allocate(&mut self) -> Usage {
        watch(&mut self.0)
    }
}

/// An operation that needs a new input each time. Neither making the input nor dropping it or the result
/// is part of the time.
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
        let (mut total, mut left) = (Duration::ZERO, runs);
        while left > 0 {
            let batch = left.min(BATCH);
            let mut inputs: Vec<I> = (0..batch).map(|_| (self.prepare)()).collect();
            let mut outputs = Vec::with_capacity(batch);
            let start = Instant::now();
            for input in &mut inputs {
                outputs.push(black_box((self.run)(input)));
            }
            total += start.elapsed();
            left -= batch;
        }
        total
    }

    fn allocate(&mut self) -> Usage {
        let mut input = (self.prepare)();
        watch(|| (self.run)(&mut input))
    }
}
