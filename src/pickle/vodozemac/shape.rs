//! The serde forms of vodozemac's pickles, field for field and in its order.
//!
//! Byte strings and sequences of integers are told apart as there: Ed25519 keys are byte strings,
//! Curve25519 keys, chain keys and ratchets are sequences. Secrets are read straight into wiped
//! memory, without an intermediate form.

use core::{fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error, IgnoredAny, MapAccess, SeqAccess, Visitor},
    ser::{SerializeMap, SerializeStruct, SerializeTuple},
};

use super::VodozemacPickleError;
use crate::{
    keys::{Curve25519PublicKey, Ed25519PublicKey},
    primitives::secret::{Secret, SecretList},
    wire::MessageVersion,
};

/// Secret bytes as a sequence of integers.
#[derive(Clone, Default)]
pub(super) struct Sequence<const N: usize>(pub(super) Secret<N>);

/// Secret bytes as a byte string.
#[derive(Clone, Default)]
pub(super) struct ByteString<const N: usize>(pub(super) Secret<N>);

impl<const N: usize> Serialize for Sequence<N> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut tuple = serializer.serialize_tuple(N)?;
        for byte in self.0.as_bytes() {
            tuple.serialize_element(byte)?;
        }
        tuple.end()
    }
}

impl<'de, const N: usize> Deserialize<'de> for Sequence<N> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_tuple(N, SecretVisitor).map(Self)
    }
}

impl<const N: usize> Serialize for ByteString<N> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(self.0.as_bytes())
    }
}

impl<'de, const N: usize> Deserialize<'de> for ByteString<N> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_bytes(SecretVisitor).map(Self)
    }
}

/// Reads exactly `N` bytes from either form: JSON has only sequences.
struct SecretVisitor<const N: usize>;

impl<'de, const N: usize> Visitor<'de> for SecretVisitor<N> {
    type Value = Secret<N>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{N} bytes")
    }

    fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Secret<N>, E> {
        bytes.try_into().map(Secret::new).map_err(|_| E::invalid_length(bytes.len(), &self))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Secret<N>, A::Error> {
        let mut secret = Secret::default();
        for (place, byte) in secret.as_mut_bytes().iter_mut().enumerate() {
            *byte =
                sequence.next_element()?.ok_or_else(|| A::Error::invalid_length(place, &self))?;
        }
        match sequence.next_element::<IgnoredAny>()? {
            None => Ok(secret),
            Some(_) => Err(A::Error::invalid_length(N.saturating_add(1), &self)),
        }
    }
}

/// A Curve25519 public key, as a sequence of integers.
#[derive(Clone, Copy)]
pub(super) struct PublicKey(pub(super) Curve25519PublicKey);

impl Serialize for PublicKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.as_bytes().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for PublicKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let bytes = deserializer.deserialize_tuple(32, SecretVisitor::<32>)?;
        Curve25519PublicKey::from_bytes(*bytes.as_bytes()).map(Self).map_err(D::Error::custom)
    }
}

/// An Ed25519 public key, as a byte string.
#[derive(Clone, Copy)]
pub(super) struct VerifyingKey(pub(super) Ed25519PublicKey);

impl Serialize for VerifyingKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(self.0.as_bytes())
    }
}

impl<'de> Deserialize<'de> for VerifyingKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let bytes = deserializer.deserialize_bytes(SecretVisitor::<32>)?;
        Ed25519PublicKey::from_bytes(*bytes.as_bytes()).map(Self).map_err(D::Error::custom)
    }
}

/// A map of numbers to values, in ascending order of the numbers.
#[derive(Clone)]
pub(super) struct NumberMap<T>(pub(super) SecretList<(u64, T)>);

impl<T: Serialize> Serialize for NumberMap<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (number, value) in self.0.iter() {
            map.serialize_entry(number, value)?;
        }
        map.end()
    }
}

impl<'de, T: Deserialize<'de> + Default> Deserialize<'de> for NumberMap<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NumberMapVisitor<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de> + Default> Visitor<'de> for NumberMapVisitor<T> {
            type Value = NumberMap<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map with numbers as keys")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<NumberMap<T>, A::Error> {
                let mut entries = SecretList::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(NumberMap(entries))
            }
        }

        deserializer.deserialize_map(NumberMapVisitor(PhantomData))
    }
}

impl Default for PublicKey {
    fn default() -> Self {
        Self(Curve25519PublicKey::VACANT)
    }
}

/// A member that old releases did not write. (An `Option` would have another form where a format
/// writes options, and read `null` as nothing.)
#[derive(Clone, Copy, Default)]
pub(super) enum Optional<T> {
    #[default]
    Absent,
    Present(T),
}

impl<T> Optional<T> {
    pub(super) const fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }
}

impl<T: Serialize> Serialize for Optional<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Absent => serializer.serialize_unit(),
            Self::Present(value) => value.serialize(serializer),
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Optional<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::deserialize(deserializer).map(Self::Present)
    }
}

/// A list of items that hold secrets.
#[derive(Clone)]
pub(super) struct List<T>(pub(super) SecretList<T>);

impl<T: Default> Default for List<T> {
    fn default() -> Self {
        Self(SecretList::new())
    }
}

impl<T: Serialize> Serialize for List<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter())
    }
}

impl<'de, T: Deserialize<'de> + Default> Deserialize<'de> for List<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ListVisitor<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de> + Default> Visitor<'de> for ListVisitor<T> {
            type Value = List<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<List<T>, A::Error> {
                let mut list = SecretList::new();
                while let Some(item) = items.next_element()? {
                    list.push(item);
                }
                Ok(List(list))
            }
        }

        deserializer.deserialize_seq(ListVisitor(PhantomData))
    }
}

/// A list in a struct of its own.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(bound(serialize = "T: Serialize", deserialize = "T: Deserialize<'de> + Default"))]
pub(super) struct Inner<T: Default> {
    pub(super) inner: List<T>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct AccountShape {
    pub(super) signing_key: SigningKeyShape,
    pub(super) diffie_hellman_key: Sequence<32>,
    pub(super) one_time_keys: OneTimeKeysShape,
    pub(super) fallback_keys: FallbackKeysShape,
}

#[derive(Serialize, Deserialize)]
pub(super) enum SigningKeyShape {
    Normal(ByteString<32>),
    Expanded(ByteString<64>),
}

#[derive(Serialize, Deserialize)]
pub(super) struct OneTimeKeysShape {
    #[serde(alias = "key_id")]
    pub(super) next_key_id: u64,
    pub(super) public_keys: NumberMap<PublicKey>,
    pub(super) private_keys: NumberMap<Sequence<32>>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct FallbackKeysShape {
    pub(super) key_id: u64,
    pub(super) fallback_key: Option<FallbackKeyShape>,
    pub(super) previous_fallback_key: Option<FallbackKeyShape>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct FallbackKeyShape {
    pub(super) key_id: u64,
    pub(super) key: Sequence<32>,
    pub(super) published: bool,
}

#[derive(Serialize, Deserialize)]
pub(super) struct SessionShape {
    pub(super) session_keys: SessionKeysShape,
    pub(super) sending_ratchet: SendingRatchetShape,
    pub(super) receiving_chains: Inner<ReceivingChainShape>,
    #[serde(default, skip_serializing_if = "Optional::is_absent")]
    pub(super) config: Optional<ConfigShape>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct SessionKeysShape {
    pub(super) identity_key: PublicKey,
    pub(super) base_key: PublicKey,
    pub(super) one_time_key: PublicKey,
}

/// Both forms of the sending ratchet; the field `type` tells them apart.
pub(super) enum SendingRatchetShape {
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

/// The fields of both forms, none of them mandatory. (serde's own form for such an enum would collect
/// all values, secret ones too, in memory that nobody wipes.)
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
pub(super) struct ActiveRatchetShape {
    pub(super) root_key: Sequence<32>,
    pub(super) ratchet_key: Sequence<32>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct KeyShape {
    pub(super) key: Sequence<32>,
}

#[derive(Clone, Default, Serialize, Deserialize)]
pub(super) struct ChainShape {
    pub(super) key: Sequence<32>,
    pub(super) index: u64,
}

/// `i` of the root key `R_i` that a chain was made with. vodozemac keeps it for its logs; it also shows
/// who began the session. Releases before 0.7 do not write it.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub(super) enum RatchetCountShape {
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
pub(super) struct ReceivingChainShape {
    pub(super) ratchet_key: PublicKey,
    pub(super) hkdf_ratchet: ChainShape,
    pub(super) skipped_message_keys: Inner<SkippedKeyShape>,
    #[serde(default, skip_serializing_if = "Optional::is_absent")]
    pub(super) ratchet_count: Optional<RatchetCountShape>,
}

#[derive(Clone, Default, Serialize, Deserialize)]
pub(super) struct SkippedKeyShape {
    pub(super) key: Sequence<32>,
    pub(super) index: u64,
}

#[derive(Serialize, Deserialize)]
pub(super) struct GroupSessionShape {
    pub(super) ratchet: RatchetShape,
    pub(super) signing_key: SigningKeyShape,
    #[serde(default, skip_serializing_if = "Optional::is_absent")]
    pub(super) config: Optional<ConfigShape>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct InboundGroupSessionShape {
    pub(super) initial_ratchet: RatchetShape,
    pub(super) signing_key: VerifyingKey,
    pub(super) signing_key_verified: bool,
    #[serde(default, skip_serializing_if = "Optional::is_absent")]
    pub(super) config: Optional<ConfigShape>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct RatchetShape {
    pub(super) inner: Sequence<128>,
    pub(super) counter: u32,
}

/// vodozemac's version 1 has messages of version 3, its version 2 those of version 4.
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

/// A pickle that says the version of the object's messages, unless a very old release wrote it.
pub(super) trait Versioned {
    fn config(&mut self) -> &mut Optional<ConfigShape>;

    /// Whether a release wrote the pickle that always says the version.
    fn is_recent(&self) -> bool;

    /// Says version 3 where an old release, which knew no other, says nothing.
    fn assume_version_3(&mut self) {
        if self.config().is_absent() && !self.is_recent() {
            *self.config() = MessageVersion::V3.into();
        }
    }
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
