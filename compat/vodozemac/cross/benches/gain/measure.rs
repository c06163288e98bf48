//! The rows of the table and their times.

use crate::{
    run::Run,
    side_by_side::{self, Effort, statistics::Spread},
};

/// A name, how many of the operation one run does, and how to make everything anew.
pub type Row = (&'static str, usize, fn() -> Run);

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
            let elements = ours.1 as f64;
            let rounds = side_by_side::play(&mut [ours.2(), real.2()], effort);
            outcome.rounds.extend(
                rounds.iter().map(|times| [times[0], times[1]].map(|time| time / elements)),
            );
        }
    }
    outcomes
}
