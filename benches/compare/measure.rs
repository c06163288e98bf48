//! The rows of a table and their times.

use std::collections::BTreeMap;

use crate::{
    contender::{Contender, Who},
    side_by_side::{self, Effort, statistics::Spread},
};

pub type Contenders = Vec<(Who, Box<dyn Contender>)>;

/// One line of a table: an operation, and everybody who can do it.
pub struct Row {
    pub name: String,
    /// How many of the operation one run does.
    pub elements: usize,
    pub contenders: Box<dyn Fn() -> Contenders>,
}

impl Row {
    pub fn new(
        name: impl Into<String>,
        elements: usize,
        contenders: impl Fn() -> Contenders + 'static,
    ) -> Self {
        Self { name: name.into(), elements, contenders: Box::new(contenders) }
    }
}

/// The times of one row, per element, in nanoseconds.
pub struct Outcome {
    pub name: String,
    /// Of each contender, one time for each round.
    times: BTreeMap<Who, Vec<f64>>,
}

impl Outcome {
    fn new(row: &Row) -> Self {
        Self { name: row.name.clone(), times: BTreeMap::new() }
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
    let (names, contenders): (Vec<Who>, Vec<_>) = (row.contenders)().into_iter().unzip();
    let mut runs: Vec<_> =
        contenders.into_iter().map(|mut contender| move |runs| contender.time(runs)).collect();
    for times in side_by_side::play(&mut runs, effort) {
        for (who, time) in names.iter().zip(times) {
            outcome.times.entry(*who).or_default().push(time / row.elements as f64);
        }
    }
}
