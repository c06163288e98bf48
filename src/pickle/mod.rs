//! Floor 4: objects to stored bytes and back. Each format translates its bytes to the state of the
//! object and lets the object's `restore` judge it, so all formats share one validation.

pub(crate) mod native;
