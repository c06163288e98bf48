//! What several packages need for their tests: fixtures, editors of stored objects, and a slow
//! implementation of both ratchets to compare the library with.

pub mod batches;
pub mod channel_vectors;
pub mod chi_square;
pub mod conversation;
pub mod converted;
pub mod dehydrated_content;
pub mod distinct_keys;
pub mod entries;
pub mod fixtures;
pub mod forge;
pub mod group_conversation;
pub mod leaks;
pub mod libolm_pickle;
pub mod merging;
pub mod naive;
pub mod pickle_editor;
pub mod pickle_map;
pub mod pickled;
pub mod public_functions;
pub mod rng;
pub mod searching;
pub mod signer;
pub mod sources;
pub mod states;
// It is beside the vectors because the library's unit tests, which cannot depend on this package,
// use it, too, and because the published library contains it.
#[path = "../../test-vectors/vector_file.rs"]
pub mod vector_file;
pub mod vector_layer;
pub mod vodozemac_pickle;
