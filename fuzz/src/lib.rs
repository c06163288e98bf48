//! Code that the fuzz targets share. The conversations, the textbook implementation and the editors
//! of pickles are those of the tests, so a fuzzer and a test run the same code.

#![forbid(unsafe_code)]

pub mod decoding;
pub mod differential;
pub mod unpickling;
