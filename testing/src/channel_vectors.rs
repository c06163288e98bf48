//! Code that the vectors of all channels share.

use std::fmt::Debug;

use moceril::DecodeError;

use super::{
    vector_file::{VectorFile, assert_at_least, check_each, files},
    vector_layer::decode_layer,
};

/// Checks the files of an area: some have a first `message` that `decode` refuses, at the layer
/// that the file names; the others tell all that passes through a channel. `at_least` so many of
/// these, and of those.
pub fn check_channels<M: Debug>(
    area: &str,
    decode: impl Fn(&str) -> Result<M, DecodeError>,
    transcript: impl Fn(&VectorFile),
    at_least: (usize, usize),
) {
    let files = files(area);
    check_each(&files, |file| {
        assert_eq!(file.kind, area);
        match file.optional("message") {
            Some(message) => {
                assert_eq!(file.expect, Some(decode_layer(decode(message).unwrap_err())));
            }
            None => {
                assert_eq!(file.expect, None);
                transcript(file);
            }
        }
    });
    let (transcripts, messages) = at_least;
    assert_at_least(&files, area, transcripts, messages);
}
