//! Published known answers for every primitive.

pub(super) mod vectors;
mod wycheproof;
