//! Code that the fuzz targets share. The conversations, the textbook implementation and the editors
//! of pickles are those of the tests, so a fuzzer and a test run the same code.

#![forbid(unsafe_code)]

pub mod common;
#[allow(dead_code, reason = "the tests use more of it")]
#[path = "../../tests/common/conversation.rs"]
pub mod conversation;
pub mod decoding;
pub mod differential;
#[allow(dead_code, reason = "the tests use more of it")]
#[path = "../../tests/common/group_conversation.rs"]
pub mod group_conversation;
#[path = "../../tests/naive/mod.rs"]
pub mod naive;
pub mod unpickling;
