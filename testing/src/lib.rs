//! What several test files share.

#![allow(dead_code, reason = "each test file is a crate of its own and uses a part of this")]

pub mod channel_vectors;
pub mod chi_square;
pub mod converted;
pub mod dehydrated_content;
pub mod distinct_keys;
pub mod entries;
pub mod fixtures;
pub mod leaks;
pub mod libolm_pickle;
pub mod pickle_editor;
pub mod pickle_map;
pub mod pickled;
pub mod public_functions;
pub mod rng;
pub mod searching;
pub mod signer;
pub mod sources;
pub mod states;
pub mod vector_file;
pub mod vector_layer;
#[cfg(feature = "vodozemac")]
pub mod vodozemac_pickle;
