//! The shapes of both ends of a Megolm session.

use serde::{Deserialize, Serialize};

use super::{
    ConfigShape, SigningKeyShape, Versioned,
    values::{Optional, Sequence, VerifyingKey},
};

#[derive(Serialize, Deserialize)]
pub(crate) struct GroupSessionShape {
    pub(crate) ratchet: RatchetShape,
    pub(crate) signing_key: SigningKeyShape,
    #[serde(default, skip_serializing_if = "Optional::is_absent")]
    pub(crate) config: Optional<ConfigShape>,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct InboundGroupSessionShape {
    pub(crate) initial_ratchet: RatchetShape,
    pub(crate) signing_key: VerifyingKey,
    pub(crate) signing_key_verified: bool,
    #[serde(default, skip_serializing_if = "Optional::is_absent")]
    pub(crate) config: Optional<ConfigShape>,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct RatchetShape {
    pub(crate) inner: Sequence<128>,
    pub(crate) counter: u32,
}

impl Versioned for GroupSessionShape {
    fn config(&mut self) -> &mut Optional<ConfigShape> {
        &mut self.config
    }

    /// Nothing else was ever added.
    fn is_recent(&self) -> bool {
        false
    }
}

impl Versioned for InboundGroupSessionShape {
    fn config(&mut self) -> &mut Optional<ConfigShape> {
        &mut self.config
    }

    /// Nothing else was ever added.
    fn is_recent(&self) -> bool {
        false
    }
}
