//! Published known answers for every primitive.

#[allow(dead_code, reason = "the public tests use the rest of it")]
pub(super) mod vector_file;
pub(super) mod vectors;
mod wycheproof;
