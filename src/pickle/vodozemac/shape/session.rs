//! The shape of an Olm session.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error, ser::SerializeStruct};

use super::{
    ConfigShape, Versioned,
    values::{Inner, Optional, PublicKey, Sequence},
};

#[derive(Serialize, Deserialize)]
pub(crate) struct SessionShape {
    pub(crate) session_keys: SessionKeysShape,
    pub(crate) sending_ratchet: SendingRatchetShape,
    pub(crate) receiving_chains: Inner<ReceivingChainShape>,
    #[serde(default, skip_serializing_if = "Optional::is_absent")]
    pub(crate) config: Optional<ConfigShape>,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct SessionKeysShape {
    pub(crate) identity_key: PublicKey,
    pub(crate) base_key: PublicKey,
    pub(crate) one_time_key: PublicKey,
}

/// Both forms of the sending ratchet; the field `type` tells them apart.
pub(crate) enum SendingRatchetShape {
    Active {
        parent_ratchet_key: Option<PublicKey>,
        ratchet_count: Optional<RatchetCountShape>,
        active_ratchet: ActiveRatchetShape,
        symmetric_key_ratchet: ChainShape,
    },
    Inactive {
        root_key: KeyShape,
        ratchet_key: PublicKey,
        ratchet_count: Optional<RatchetCountShape>,
    },
}

impl Serialize for SendingRatchetShape {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Active {
                parent_ratchet_key,
                active_ratchet,
                symmetric_key_ratchet,
                ratchet_count,
            } => {
                let mut shape = serializer.serialize_struct("SendingRatchet", 5)?;
                shape.serialize_field("type", "active")?;
                shape.serialize_field("parent_ratchet_key", parent_ratchet_key)?;
                write_count(&mut shape, ratchet_count)?;
                shape.serialize_field("active_ratchet", active_ratchet)?;
                shape.serialize_field("symmetric_key_ratchet", symmetric_key_ratchet)?;
                shape.end()
            }
            Self::Inactive { root_key, ratchet_key, ratchet_count } => {
                let mut shape = serializer.serialize_struct("SendingRatchet", 4)?;
                shape.serialize_field("type", "inactive")?;
                shape.serialize_field("root_key", root_key)?;
                shape.serialize_field("ratchet_key", ratchet_key)?;
                write_count(&mut shape, ratchet_count)?;
                shape.end()
            }
        }
    }
}

fn write_count<S: SerializeStruct>(
    shape: &mut S,
    ratchet_count: &Optional<RatchetCountShape>,
) -> Result<(), S::Error> {
    match ratchet_count {
        Optional::Absent => shape.skip_field("ratchet_count"),
        Optional::Present(count) => shape.serialize_field("ratchet_count", count),
    }
}

/// The fields of both forms, none of them mandatory. (serde's own form for such an enum would
/// collect all values, secret ones too, in memory that nobody wipes.)
#[derive(Deserialize)]
struct SendingRatchetFields {
    r#type: SendingRatchetType,
    #[serde(default)]
    parent_ratchet_key: Option<PublicKey>,
    #[serde(default)]
    ratchet_count: Optional<RatchetCountShape>,
    active_ratchet: Option<ActiveRatchetShape>,
    symmetric_key_ratchet: Option<ChainShape>,
    root_key: Option<KeyShape>,
    ratchet_key: Option<PublicKey>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum SendingRatchetType {
    Active,
    Inactive,
}

impl<'de> Deserialize<'de> for SendingRatchetShape {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let fields = SendingRatchetFields::deserialize(deserializer)?;
        let missing = D::Error::missing_field;
        match fields.r#type {
            SendingRatchetType::Active => Ok(Self::Active {
                parent_ratchet_key: fields.parent_ratchet_key,
                ratchet_count: fields.ratchet_count,
                active_ratchet: fields.active_ratchet.ok_or_else(|| missing("active_ratchet"))?,
                symmetric_key_ratchet: fields
                    .symmetric_key_ratchet
                    .ok_or_else(|| missing("symmetric_key_ratchet"))?,
            }),
            SendingRatchetType::Inactive => Ok(Self::Inactive {
                root_key: fields.root_key.ok_or_else(|| missing("root_key"))?,
                ratchet_key: fields.ratchet_key.ok_or_else(|| missing("ratchet_key"))?,
                ratchet_count: fields.ratchet_count,
            }),
        }
    }
}

#[derive(Serialize, Deserialize)]
pub(crate) struct ActiveRatchetShape {
    pub(crate) root_key: Sequence<32>,
    pub(crate) ratchet_key: Sequence<32>,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct KeyShape {
    pub(crate) key: Sequence<32>,
}

#[derive(Clone, Default, Serialize, Deserialize)]
pub(crate) struct ChainShape {
    pub(crate) key: Sequence<32>,
    pub(crate) index: u64,
}

/// `i` of the root key `R_i` that a chain was made with. vodozemac keeps it for its logs; it also
/// shows who began the session. Releases before 0.7 do not write it.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub(crate) enum RatchetCountShape {
    Known(u64),
    Unknown(()),
}

impl Default for RatchetCountShape {
    fn default() -> Self {
        Self::Unknown(())
    }
}

impl From<Option<u64>> for Optional<RatchetCountShape> {
    fn from(count: Option<u64>) -> Self {
        Self::Present(count.map_or(RatchetCountShape::Unknown(()), RatchetCountShape::Known))
    }
}

impl From<Optional<RatchetCountShape>> for Option<u64> {
    fn from(count: Optional<RatchetCountShape>) -> Self {
        match count {
            Optional::Present(RatchetCountShape::Known(count)) => Some(count),
            Optional::Present(RatchetCountShape::Unknown(())) | Optional::Absent => None,
        }
    }
}

#[derive(Clone, Default, Serialize, Deserialize)]
pub(crate) struct ReceivingChainShape {
    pub(crate) ratchet_key: PublicKey,
    pub(crate) hkdf_ratchet: ChainShape,
    pub(crate) skipped_message_keys: Inner<SkippedKeyShape>,
    #[serde(default, skip_serializing_if = "Optional::is_absent")]
    pub(crate) ratchet_count: Optional<RatchetCountShape>,
}

#[derive(Clone, Default, Serialize, Deserialize)]
pub(crate) struct SkippedKeyShape {
    pub(crate) key: Sequence<32>,
    pub(crate) index: u64,
}

impl Versioned for SessionShape {
    fn config(&mut self) -> &mut Optional<ConfigShape> {
        &mut self.config
    }

    /// The counts and the parent key came later than the version.
    fn is_recent(&self) -> bool {
        let sending = match &self.sending_ratchet {
            SendingRatchetShape::Active { parent_ratchet_key, ratchet_count, .. } => {
                parent_ratchet_key.is_some() || !ratchet_count.is_absent()
            }
            SendingRatchetShape::Inactive { ratchet_count, .. } => !ratchet_count.is_absent(),
        };
        sending
            || self.receiving_chains.inner.0.iter().any(|chain| !chain.ratchet_count.is_absent())
    }
}
