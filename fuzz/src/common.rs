//! The helpers of the tests that the targets use.

#![allow(dead_code, reason = "the tests use more of it")]

#[path = "../../tests/common/converted.rs"]
pub mod converted;
#[path = "../../tests/common/dehydrated_content.rs"]
pub mod dehydrated_content;
#[path = "../../tests/common/fixtures.rs"]
pub mod fixtures;
#[path = "../../tests/common/libolm_pickle.rs"]
pub mod libolm_pickle;
#[path = "../../tests/common/pickle_editor.rs"]
pub mod pickle_editor;
#[path = "../../tests/common/pickle_map.rs"]
pub mod pickle_map;
#[path = "../../tests/common/pickled.rs"]
pub mod pickled;
#[path = "../../tests/common/rng.rs"]
pub mod rng;
#[path = "../../tests/common/states.rs"]
pub mod states;
#[path = "../../tests/common/vodozemac_pickle.rs"]
pub mod vodozemac_pickle;
