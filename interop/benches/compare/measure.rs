//! Contenders side by side: every round runs each of them once, one right after the other, so that whatever else the
//! machine does meets all of them, and the ratio of two times in one round holds when the times do not.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use crate::{
    contender::{Contender, Who},
    statistics::Spread,
};

pub type Contenders = Vec<(Who, Box<dyn Contender>)>;

/// One line of a table: an operation, and everybody who can do it.
pub struct Row {
    pub name: String,
    /// How many of the operation one run does.
    pub elements: usize,
    /// How many times as long as ours vodozemac has to take.
    pub target: Option<f64>,
    pub contenders: Box<dyn Fn() -> Contenders>,
}

impl Row {
    pub fn new(
        name: impl Into<String>,
        elements: usize,
        target: impl Into<Option<f64>>,
        contenders: impl Fn() -> Contenders + 'static,
    ) -> Self {
        Self {
            name: name.into(),
            elements,
            target: target.into(),
            contenders: Box::new(contenders),
        }
    }
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

const FEWEST_ROUNDS: usize = 3;

/// The times of one row, per element, in nanoseconds.
pub struct Outcome {
    pub name: String,
    pub target: Option<f64>,
    /// Of each contender, one time for each round.
    times: BTreeMap<Who, Vec<f64>>,
}

impl Outcome {
    fn new(row: &Row) -> Self {
        Self { name: row.name.clone(), target: row.target, times: BTreeMap::new() }
    }

    pub fn rounds(&self) -> usize {
        self.times.values().map(Vec::len).max().unwrap_or(0)
    }

    pub fn time(&self, who: Who) -> Option<Spread> {
        self.times.get(&who).map(|times| Spread::of(times.clone()))
    }

    /// How many times as long the one takes as the other: the ratios of the rounds.
    pub fn ratio(&self, one: Who, other: Who) -> Option<Spread> {
        let pairs = self.times.get(&one)?.iter().zip(self.times.get(&other)?);
        Some(Spread::of(pairs.map(|(one, other)| one / other).collect()))
    }
}

/// Measures all rows, in every pass one after the other.
pub fn measure(rows: &[Row], effort: Effort) -> Vec<Outcome> {
    let mut outcomes: Vec<Outcome> = rows.iter().map(Outcome::new).collect();
    for pass in 1..=effort.passes {
        for (row, outcome) in rows.iter().zip(&mut outcomes) {
            eprintln!("pass {pass} of {}: {}", effort.passes, row.name);
            play(row, effort, outcome);
        }
    }
    outcomes
}

fn play(row: &Row, effort: Effort, outcome: &mut Outcome) {
    let mut contenders = (row.contenders)();
    let runs: Vec<usize> = contenders
        .iter_mut()
        .map(|(_, contender)| runs_in(effort.sample, warm_up(&mut **contender, effort.warm_up)))
        .collect();
    let start = Instant::now();
    for round in 0..effort.rounds {
        if round >= FEWEST_ROUNDS && start.elapsed() > effort.budget {
            break;
        }
        // Back and forth, so that nobody always finds the cache as the same other left it.
        let mut order: Vec<usize> = (0..contenders.len()).collect();
        if round % 2 == 1 {
            order.reverse();
        }
        for place in order {
            let (who, contender) = &mut contenders[place];
            let time = contender.time(runs[place]).as_nanos() as f64;
            outcome.times.entry(*who).or_default().push(time / (runs[place] * row.elements) as f64);
        }
    }
}

/// Returns the time of one run.
fn warm_up(contender: &mut dyn Contender, at_least: Duration) -> Duration {
    let (mut total, mut runs) = (Duration::ZERO, 0);
    let start = Instant::now();
    let mut next = 1;
    while runs == 0 || start.elapsed() < at_least {
        total += contender.time(next);
        runs += next;
        next = (next * 2).min(64);
    }
    total / runs as u32
}

fn runs_in(sample: Duration, one: Duration) -> usize {
    (sample.as_nanos() / one.as_nanos().max(1)).clamp(1, 100_000) as usize
}
