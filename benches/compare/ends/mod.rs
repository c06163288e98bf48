//! The objects of each library, in the states that are measured.

pub mod libolm;
pub mod ours;
pub mod vodozemac;

use crate::lower_bound::TEXT;

/// libolm's wrapper takes text.
pub const TEXT_AS_STR: &str = match str::from_utf8(TEXT) {
    Ok(text) => text,
    Err(_) => panic!("the text is ASCII"),
};

/// All have the same key for their pickles.
pub const PICKLE_KEY: &[u8; 32] = &[7; 32];

/// After so many round trips each of the libraries has as many receiver chains as it keeps, which
/// is five.
const OLD: usize = 5;
