//! The operations of the table, one by one.

mod batch_lower_bound;
mod megolm;
mod olm;
pub mod pickles;

use crate::measure::Row;

pub fn rows() -> Vec<Row> {
    [olm::rows(), megolm::rows(), pickles::rows()].into_iter().flatten().collect()
}
