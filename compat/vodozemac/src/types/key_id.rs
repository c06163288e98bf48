//! The id of a one-time or fallback key.

use serde::{Deserialize, Serialize};

use crate::base64_text::base64_encode;

/// The id of a one-time or fallback key.
#[derive(Clone, Copy, Debug, Hash, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct KeyId(pub(crate) u64);

impl KeyId {
    /// The id in base64, as it is published (11 characters).
    pub fn to_base64(self) -> String {
        base64_encode(self.0.to_be_bytes())
    }
}

impl From<KeyId> for String {
    fn from(id: KeyId) -> Self {
        id.to_base64()
    }
}
