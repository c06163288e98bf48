//! What a program gains that takes this crate for vodozemac: the same source, compiled against
//! both, in one process, interleaved. Prints a Markdown table.
//!
//! ```text
//! cargo bench -p cross               # all rows; about two minutes
//! cargo bench -p cross -- Megolm     # the rows whose names contain one of these words
//! cargo bench -p cross -- --quick    # seconds: shows that it works, the numbers do not count
//! ```

mod measure;

use benches::side_by_side::{self, Effort, run, statistics::Spread};
use measure::{Outcome, measure};

#[expect(clippy::duplicate_mod, reason = "the same source with either crate is the point")]
#[path = "."]
mod with_ours {
    use ours as vodozemac;

    #[path = "operations.rs"]
    pub mod operations;
}

#[expect(clippy::duplicate_mod, reason = "the same source with either crate is the point")]
#[path = "."]
mod with_real {
    use real as vodozemac;

    #[path = "operations.rs"]
    pub mod operations;
}

fn main() {
    // Cargo adds `--bench` by itself.
    let arguments: Vec<_> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let (flags, words): (Vec<_>, Vec<_>) =
        arguments.into_iter().partition(|argument| argument.starts_with("--"));
    let effort = match &flags.iter().map(|flag| &**flag).collect::<Vec<_>>()[..] {
        [] => Effort::WHOLE,
        ["--quick"] => Effort::QUICK,
        _ => {
            eprintln!("usage: cargo bench -p cross -- [--quick] [WORD ...]");
            std::process::exit(2);
        }
    };
    let chosen = |name: &str| words.is_empty() || words.iter().any(|word| name.contains(&**word));
    let outcomes =
        measure(&with_ours::operations::ROWS, &with_real::operations::ROWS, effort, chosen);
    println!("{}", table(&outcomes));
}

fn table(outcomes: &[Outcome]) -> String {
    let mut lines = vec![
        "| operation | this crate, µs | vodozemac, µs | vodozemac / this crate | quartiles |"
            .into(),
        "|---|---:|---:|---:|---:|".to_owned(),
    ];
    for outcome in outcomes {
        let [ours, real] = [outcome.ours(), outcome.real()].map(microseconds);
        let ratio = outcome.ratio();
        lines.push(format!(
            "| {} | {} | {} | **{}** | {}–{} |",
            outcome.name,
            number(ours.median),
            number(real.median),
            number(ratio.median),
            number(ratio.low),
            number(ratio.high),
        ));
    }
    lines.join("\n")
}

fn microseconds(nanoseconds: Spread) -> Spread {
    nanoseconds.map(|time| time / 1_000.0)
}

/// Three digits that count.
fn number(value: f64) -> String {
    match value {
        100.0.. => format!("{value:.0}"),
        10.0.. => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}
