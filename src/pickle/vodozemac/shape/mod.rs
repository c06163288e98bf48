//! The serde forms of vodozemac's pickles, field for field and in its order.
//!
//! Byte strings and sequences of integers are distinguished as in vodozemac: Ed25519 keys are byte
//! strings; Curve25519 keys, chain keys and ratchets are sequences. Secrets are read straight into
//! wiped memory, without an intermediate form.

mod account;
mod group;
mod session;
mod values;

use serde::{Deserialize, Serialize};

use self::values::Optional;
pub(super) use self::{
    account::{AccountShape, FallbackKeyShape, FallbackKeysShape, OneTimeKeysShape},
    group::{GroupSessionShape, InboundGroupSessionShape, RatchetShape},
    session::{
        ActiveRatchetShape, ChainShape, KeyShape, ReceivingChainShape, SendingRatchetShape,
        SessionKeysShape, SessionShape, SkippedKeyShape,
    },
    values::{ByteString, Inner, List, NumberMap, PublicKey, Sequence, VerifyingKey},
};
use super::VodozemacPickleError;
use crate::wire::MessageVersion;

#[derive(Serialize, Deserialize)]
pub(super) enum SigningKeyShape {
    Normal(ByteString<32>),
    Expanded(ByteString<64>),
}

/// vodozemac's version 1 has messages of version 3; its version 2 has those of version 4.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub(super) struct ConfigShape {
    version: ConfigVersion,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
enum ConfigVersion {
    V1,
    V2,
}

impl From<MessageVersion> for Optional<ConfigShape> {
    fn from(version: MessageVersion) -> Self {
        let version = match version {
            MessageVersion::V3 => ConfigVersion::V1,
            MessageVersion::V4 => ConfigVersion::V2,
        };
        Self::Present(ConfigShape { version })
    }
}

/// S-13: the version is never guessed.
impl TryFrom<Optional<ConfigShape>> for MessageVersion {
    type Error = VodozemacPickleError;

    fn try_from(config: Optional<ConfigShape>) -> Result<Self, VodozemacPickleError> {
        match config {
            Optional::Absent => Err(VodozemacPickleError::MissingVersion),
            Optional::Present(ConfigShape { version: ConfigVersion::V1 }) => Ok(Self::V3),
            Optional::Present(ConfigShape { version: ConfigVersion::V2 }) => Ok(Self::V4),
        }
    }
}

/// A pickle that states the version of the object's messages, unless a very old release wrote it.
pub(super) trait Versioned {
    fn config(&mut self) -> &mut Optional<ConfigShape>;

    /// Whether the pickle is from a release that always states the version.
    fn is_recent(&self) -> bool;

    /// States version 3 where an old release, which knew no other, states nothing.
    fn assume_version_3(&mut self) {
        if self.config().is_absent() && !self.is_recent() {
            *self.config() = MessageVersion::V3.into();
        }
    }
}
