//! What the benchmarks share: the lower bounds of the operations, and how libraries are measured in
//! turns.

#![forbid(unsafe_code)]
#![expect(clippy::new_without_default, reason = "nothing takes the default of a lower bound")]

#[cfg(feature = "criterion")]
pub mod beside;
pub mod lower_bound;
pub mod side_by_side;
