//! What several test files share.

#![allow(dead_code, reason = "each test file is a crate of its own and uses a part of this")]

pub mod chi_square;
pub mod entries;
pub mod fixtures;
pub mod leaks;
pub mod libolm_pickle;
pub mod pickle_editor;
pub mod pickle_map;
pub mod pickled;
pub mod rng;
pub mod sources;
pub mod states;
pub mod vector_file;
#[cfg(feature = "vodozemac")]
pub mod vodozemac_pickle;
