//! The tables.

use crate::{
    contender::Who,
    measure::Outcome,
    memory::{Live, Operation, allocator::Usage},
    operations::pickles::Size,
    side_by_side::statistics::Spread,
    workloads::grouped,
};

const NONE: &str = "–";

pub fn table(head: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let mut text = line(&head.iter().map(|&cell| cell.to_owned()).collect::<Vec<_>>());
    text += &format!("|---|{}\n", "---:|".repeat(head.len() - 1));
    text.extend(rows.into_iter().map(|cells| line(&cells)));
    text
}

pub fn operations(outcomes: &[Outcome]) -> String {
    table(
        &[
            "operation",
            "moceril",
            "vodozemac",
            "libolm",
            "lower bound",
            "vodozemac / ours",
            "libolm / ours",
            "ours / lower bound",
        ],
        outcomes.iter().map(|outcome| {
            let [vodozemac, libolm, lower_bound] = ratios(outcome);
            vec![
                outcome.name.clone(),
                time(outcome, Who::Ours),
                time(outcome, Who::Vodozemac),
                time(outcome, Who::Libolm),
                time(outcome, Who::LowerBound),
                bold(vodozemac),
                number(libolm),
                number(lower_bound),
            ]
        }),
    )
}

/// vodozemac / ours, libolm / ours, ours / lower bound.
fn ratios(outcome: &Outcome) -> [Option<f64>; 3] {
    [(Who::Vodozemac, Who::Ours), (Who::Libolm, Who::Ours), (Who::Ours, Who::LowerBound)]
        .map(|(one, other)| outcome.ratio(one, other).map(|ratio| ratio.median))
}

/// Half of the rounds lie between the numbers in parentheses.
pub fn spread(outcomes: &[Outcome]) -> String {
    table(
        &[
            "operation",
            "rounds",
            "moceril",
            "vodozemac",
            "libolm",
            "lower bound",
            "vodozemac / ours",
            "libolm / ours",
        ],
        outcomes.iter().map(|outcome| {
            let time = |who| quartiles(outcome.time(who), |time| microseconds(time, 1));
            let ratio = |who| quartiles(outcome.ratio(who, Who::Ours), ratio);
            vec![
                outcome.name.clone(),
                outcome.rounds().to_string(),
                time(Who::Ours),
                time(Who::Vodozemac),
                time(Who::Libolm),
                time(Who::LowerBound),
                ratio(Who::Vodozemac),
                ratio(Who::Libolm),
            ]
        }),
    )
}

/// In milliseconds.
pub fn workloads(outcomes: &[Outcome]) -> String {
    let time = |outcome: &Outcome, who| {
        quartiles(outcome.time(who).map(|time| time.map(|time| time / 1_000.0)), |time| {
            microseconds(time, 1)
        })
    };
    table(
        &["workload", "moceril", "vodozemac", "libolm", "vodozemac / ours", "libolm / ours"],
        outcomes.iter().map(|outcome| {
            let [vodozemac, libolm, _] = ratios(outcome);
            vec![
                outcome.name.clone(),
                time(outcome, Who::Ours),
                time(outcome, Who::Vodozemac),
                time(outcome, Who::Libolm),
                bold(vodozemac),
                number(libolm),
            ]
        }),
    )
}

pub fn sizes(sizes: &[Size]) -> String {
    table(
        &["pickle of", "moceril", "vodozemac", "libolm", "ours / vodozemac"],
        sizes.iter().map(|size| {
            let part = size.ours as f64 / size.vodozemac as f64;
            vec![
                size.object.into(),
                size.ours.to_string(),
                size.vodozemac.to_string(),
                size.libolm.to_string(),
                format!("**{part:.3}**"),
            ]
        }),
    )
}

pub fn live(objects: &[Live]) -> String {
    table(
        &["object", "how many", "moceril", "vodozemac", "libolm", "vodozemac / ours"],
        objects.iter().map(|live| {
            let Live { object, count, ours, vodozemac, libolm } = live;
            let each = |usage: &Usage| {
                // The list itself is one block.
                let (bytes, blocks) = (per(usage.bytes, *count), per(usage.blocks - 1, *count));
                format!("{bytes:.0} in {blocks:.0}")
            };
            vec![
                object.clone(),
                grouped(*count),
                each(ours),
                each(vodozemac),
                each(libolm),
                bold(Some(vodozemac.bytes as f64 / ours.bytes as f64)),
            ]
        }),
    )
}

fn per(value: i64, count: usize) -> f64 {
    value as f64 / count as f64
}

pub fn allocations(operations: &[Operation]) -> String {
    table(
        &["operation", "moceril", "vodozemac"],
        operations.iter().map(|operation| {
            let usage = |who| {
                operation.of(who).map_or(NONE.into(), |usage| {
                    format!(
                        "{} in {}",
                        grouped(usage.peak as usize),
                        grouped(usage.allocations as usize)
                    )
                })
            };
            vec![operation.name.clone(), usage(Who::Ours), usage(Who::Vodozemac)]
        }),
    )
}

fn time(outcome: &Outcome, who: Who) -> String {
    outcome.time(who).map_or(NONE.into(), |time| microseconds(time.median, 1))
}

/// Nanoseconds as microseconds: three digits that count.
fn microseconds(nanoseconds: f64, at_most: usize) -> String {
    let microseconds = nanoseconds / 1_000.0;
    let decimals = match microseconds {
        ..10.0 => at_most + 1,
        10.0..100.0 => at_most,
        _ => 0,
    };
    format!("{microseconds:.decimals$}")
}

fn quartiles(spread: Option<Spread>, text: impl Fn(f64) -> String) -> String {
    spread.map_or(NONE.into(), |Spread { low, median, high }| {
        format!("{} ({}–{})", text(median), text(low), text(high))
    })
}

pub fn ratio(value: f64) -> String {
    let decimals = if value < 10.0 { 2 } else { 1 };
    format!("{value:.decimals$}")
}

fn number(value: Option<f64>) -> String {
    value.map_or(NONE.into(), ratio)
}

fn bold(value: Option<f64>) -> String {
    value.map_or(NONE.into(), |value| format!("**{}**", ratio(value)))
}
