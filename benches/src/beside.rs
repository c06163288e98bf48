//! An operation and its lower bound as two bars of one criterion group.

use std::time::Duration;

use criterion::{BatchSize, Bencher, Criterion, Throughput};

/// Inputs are made in small batches, so that they are still in the cache when they are used.
pub const BATCH: BatchSize = BatchSize::NumIterations(32);

pub fn criterion() -> Criterion {
    Criterion::default()
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(3))
        .nresamples(10_000)
}

/// `elements` is the number of operations in one iteration.
pub fn beside_lower_bound(
    criterion: &mut Criterion,
    operation: &str,
    elements: u64,
    ours: impl FnMut(&mut Bencher<'_>),
    lower_bound: impl FnMut(&mut Bencher<'_>),
) {
    let mut group = criterion.benchmark_group(operation);
    group.throughput(Throughput::Elements(elements));
    group.bench_function("moceril", ours);
    group.bench_function("lower bound", lower_bound);
    group.finish();
}
