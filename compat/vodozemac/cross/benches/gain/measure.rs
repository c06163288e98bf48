//! Both crates side by side, by the rules of `benches/README.md`: in each round each of the two runs once, one
//! right after the other, in turns forwards and backwards, so that whatever else the machine does meets both,
//! and the ratio within a round holds when the times do not.

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use crate::statistics::Spread;

/// Inputs are made in small batches, so that they are still in the cache when they are used.
const BATCH: usize = 32;

/// An operation of one crate, ready to be run so many times. Returns how long that took.
pub type Contender = Box<dyn FnMut(usize) -> Duration>;

/// A name, how many of the operation one run does, and how to make everything anew.
pub type Row = (&'static str, usize, fn() -> Contender);

/// An operation that can be repeated as it is. Dropping its result is part of the time.
pub fn repeated<O>(mut run: impl FnMut() -> O + 'static) -> Contender {
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
) -> Contender {
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

/// How thoroughly to measure.
#[derive(Clone, Copy)]
pub struct Effort {
    /// How often everything is made anew: where things lie in memory matters, and differs then.
    passes: usize,
    /// In each pass.
    rounds: usize,
    /// How long each crate runs in one round, at least.
    sample: Duration,
}

impl Effort {
    pub const WHOLE: Self = Self { passes: 5, rounds: 60, sample: Duration::from_millis(2) };
    pub const QUICK: Self = Self { passes: 1, rounds: 3, sample: Duration::ZERO };
}

/// The times of one row, per operation, in nanoseconds, one of each crate for each round.
pub struct Outcome {
    pub name: &'static str,
    rounds: Vec<[f64; 2]>,
}

impl Outcome {
    pub fn ours(&self) -> Spread {
        Spread::of(self.rounds.iter().map(|[ours, _]| *ours).collect())
    }

    pub fn real(&self) -> Spread {
        Spread::of(self.rounds.iter().map(|[_, real]| *real).collect())
    }

    /// How many times as long vodozemac takes: the ratios of the rounds.
    pub fn ratio(&self) -> Spread {
        Spread::of(self.rounds.iter().map(|[ours, real]| real / ours).collect())
    }
}

/// Measures the chosen rows, in every pass one after the other.
pub fn measure(
    ours: &[Row],
    real: &[Row],
    effort: Effort,
    chosen: impl Fn(&str) -> bool,
) -> Vec<Outcome> {
    let rows: Vec<_> = ours.iter().zip(real).filter(|(row, _)| chosen(row.0)).collect();
    let mut outcomes: Vec<_> =
        rows.iter().map(|(row, _)| Outcome { name: row.0, rounds: Vec::new() }).collect();
    for pass in 1..=effort.passes {
        for ((ours, real), outcome) in rows.iter().zip(&mut outcomes) {
            eprintln!("pass {pass} of {}: {}", effort.passes, outcome.name);
            play([ours.2(), real.2()], ours.1, effort, outcome);
        }
    }
    outcomes
}

fn play(mut both: [Contender; 2], elements: usize, effort: Effort, outcome: &mut Outcome) {
    let runs = both.each_mut().map(|contender| runs_in(effort.sample, contender));
    for round in 0..effort.rounds {
        let mut times = [0.0; 2];
        for place in if round % 2 == 0 { [0, 1] } else { [1, 0] } {
            let time = both[place](runs[place]).as_nanos() as f64;
            times[place] = time / (runs[place] * elements) as f64;
        }
        outcome.rounds.push(times);
    }
}

/// How often the contender has to run to fill the sample. Warms it up.
fn runs_in(sample: Duration, contender: &mut Contender) -> usize {
    let mut runs = 1;
    while contender(runs) < sample {
        runs *= 2;
    }
    runs
}
