//! What clients do, from the text of events and keys to the text of events and stored objects.

mod bridge;
mod history;
pub mod restore;
mod room;
mod stored;

use crate::measure::Row;

/// How large the workloads are.
#[derive(Clone, Copy)]
pub struct Scale {
    pub devices: usize,
    pub sessions: usize,
    pub events_of_each: usize,
    pub keys: usize,
    pub conversations: usize,
    pub one_time_keys: usize,
}

pub const FULL: Scale = Scale {
    devices: 1_000,
    sessions: 200,
    events_of_each: 50,
    keys: 100_000,
    conversations: 10_000,
    one_time_keys: 5_000,
};

pub const QUICK: Scale = Scale {
    devices: 50,
    sessions: 10,
    events_of_each: 50,
    keys: 2_000,
    conversations: 100,
    one_time_keys: 200,
};

pub fn rows(scale: Scale) -> Vec<Row> {
    let mut rows = vec![room::row(scale.devices)];
    rows.extend(history::rows(scale.sessions, scale.events_of_each));
    rows.push(restore::row(scale.keys));
    rows.extend(stored::rows(scale.keys, scale.one_time_keys));
    rows.push(bridge::row(scale.conversations));
    rows
}

/// A number with a comma between thousands.
pub fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
