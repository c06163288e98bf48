//! Measures contenders in turns: every round runs each of them, one right after the other. Other
//! work on the machine then slows all of them down, so the ratio of two times in one round is
//! reliable even if the times are not.

pub mod run;
pub mod statistics;

use std::{
    hint::black_box,
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
    time::{Duration, Instant},
};

/// Inputs are made in small batches, so that they are still in the cache when they are used.
const BATCH: usize = 32;

/// The time of so many runs of an operation that can be repeated as it is. Dropping its result is
/// part of the time.
pub fn time_repeated<O>(runs: usize, run: &mut impl FnMut() -> O) -> Duration {
    let start = Instant::now();
    for _ in 0..runs {
        black_box(run());
    }
    start.elapsed()
}

/// The time of so many runs of an operation that needs a new input each time. Neither making the
/// input nor dropping it or the result is part of the time.
pub fn time_prepared<I, O>(
    runs: usize,
    prepare: &mut impl FnMut() -> I,
    run: &mut impl FnMut(&mut I) -> O,
) -> Duration {
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
}

/// How thoroughly to measure.
#[derive(Clone, Copy)]
pub struct Effort {
    /// How often everything is made anew: where things lie in memory matters, and differs then.
    pub passes: usize,
    /// In each pass, at most.
    pub rounds: usize,
    /// What the rounds of one pass of one row may take together; but there are always three.
    pub budget: Duration,
    /// How long one contender runs in one round, at least.
    pub sample: Duration,
    /// How long each contender runs before its times count.
    pub warm_up: Duration,
}

impl Effort {
    /// For operations of microseconds.
    pub const WHOLE: Self = Self {
        passes: 5,
        rounds: 60,
        budget: Duration::from_secs(4),
        sample: Duration::from_millis(2),
        warm_up: Duration::from_millis(30),
    };

    /// Shows that everything works; the numbers do not count.
    pub const QUICK: Self = Self {
        passes: 1,
        rounds: 3,
        budget: Duration::ZERO,
        sample: Duration::ZERO,
        warm_up: Duration::ZERO,
    };
}

const FEWEST_ROUNDS: usize = 3;

/// The rounds of one pass: of each the times of one run of each contender, in nanoseconds. A
/// contender takes how often to run and says how long that took.
pub fn play(contenders: &mut [impl FnMut(usize) -> Duration], effort: Effort) -> Vec<Vec<f64>> {
    let runs: Vec<usize> = contenders
        .iter_mut()
        .map(|contender| runs_in(effort.sample, warm_up(contender, effort.warm_up)))
        .collect();
    let (mut rounds, start) = (Vec::new(), Instant::now());
    while rounds.len() < effort.rounds
        && (rounds.len() < FEWEST_ROUNDS || start.elapsed() <= effort.budget)
    {
        // Back and forth, so that nobody always finds the cache as the same other left it.
        let mut order: Vec<usize> = (0..contenders.len()).collect();
        if rounds.len() % 2 == 1 {
            order.reverse();
        }
        let mut times = vec![0.0; contenders.len()];
        let depth = NEXT_DEPTH.fetch_add(STEP, Relaxed) % DEPTHS;
        for place in order {
            let time = at_depth(depth, &mut || contenders[place](runs[place]));
            times[place] = time.as_nanos() as f64 / runs[place] as f64;
        }
        rounds.push(times);
    }
    rounds
}

/// How deep in the stack the next round is. Where the stack lies relative to other data, modulo the
/// 4 KiB that a processor compares addresses by, makes a verification up to a fifth slower, and
/// would be one and the same for all rounds of a process. So the rounds are at depths that together
/// span more than a page.
static NEXT_DEPTH: AtomicUsize = AtomicUsize::new(0);
const DEPTHS: usize = 61;
/// Has no divisor in common with their number.
const STEP: usize = 17;

#[inline(never)]
fn at_depth(depth: usize, run: &mut dyn FnMut() -> Duration) -> Duration {
    let space = black_box([0_u8; 64]);
    let time = if depth == 0 { run() } else { at_depth(depth - 1, run) };
    black_box(&space);
    time
}

/// Returns the time of one run.
fn warm_up(contender: &mut impl FnMut(usize) -> Duration, at_least: Duration) -> Duration {
    let (mut total, mut runs) = (Duration::ZERO, 0);
    let start = Instant::now();
    let mut next = 1;
    while runs == 0 || start.elapsed() < at_least {
        total += contender(next);
        runs += next;
        next = (next * 2).min(64);
    }
    total / runs as u32
}

fn runs_in(sample: Duration, one: Duration) -> usize {
    (sample.as_nanos() / one.as_nanos().max(1)).clamp(1, 100_000) as usize
}
