//! Contenders side by side: in every round each runs for a while, one right after the other, so that whatever else
//! the machine does meets all of them. Times are medians; ratios are taken within a round, and then the median.

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

/// Inputs are made in small batches, so that they are still in the cache when they are used.
const BATCH: usize = 32;
/// How long a contender runs in one round.
const SAMPLE: Duration = Duration::from_millis(2);

/// Takes how often to run, and says how long that took.
pub type Run = Box<dyn FnMut(usize) -> Duration>;

/// An operation that can be repeated as it is. Dropping its result is part of the time.
pub fn repeated<O>(mut run: impl FnMut() -> O + 'static) -> Run {
    Box::new(move |runs| {
        let start = Instant::now();
        for _ in 0..runs {
            black_box(run());
        }
        start.elapsed()
    })
}

/// An operation that needs a new input each time. Neither making the input nor dropping it or the result
/// is part of the time.
pub fn prepared<I, O>(
    mut prepare: impl FnMut() -> I + 'static,
    mut run: impl FnMut(&mut I) -> O + 'static,
) -> Run {
    Box::new(move |runs| {
        let (mut total, mut left) = (Duration::ZERO, runs);
        while left > 0 {
            let batch = left.min(BATCH);
            let mut inputs: Vec<I> = (0..batch).map(|_| prepare()).collect();
            let mut outputs = Vec::with_capacity(batch);
            let start = Instant::now();
            for input in &mut inputs {
                outputs.push(black_box(run(input)));
            }
            total += start.elapsed();
            left -= batch;
        }
        total
    })
}

/// The times of one run of each contender in each round, in nanoseconds.
pub fn play<const N: usize>(mut contenders: [Run; N], rounds: usize) -> Vec<[f64; N]> {
    let runs = contenders.each_mut().map(|run| {
        let once = run(3) / 3;
        (SAMPLE.as_nanos() / once.as_nanos().max(1)).clamp(1, 100_000) as usize
    });
    let play = |round: usize| {
        let mut times = [0.0; N];
        let mut places: Vec<usize> = (0..N).collect();
        if round % 2 == 1 {
            places.reverse();
        }
        for place in places {
            let time = contenders[place](runs[place]);
            times[place] = time.as_nanos() as f64 / runs[place] as f64;
        }
        times
    };
    (0..rounds).map(play).collect()
}

pub fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_unstable_by(f64::total_cmp);
    values[values.len() / 2]
}
