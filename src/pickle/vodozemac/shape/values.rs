//! The values that the fields of the shapes have.

use alloc::vec::Vec;
use core::{fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error, IgnoredAny, MapAccess, SeqAccess, Visitor},
    ser::{SerializeMap, SerializeTuple},
};
use zeroize::Zeroizing;

use crate::{
    keys::{Curve25519PublicKey, Ed25519PublicKey},
    primitives::secret::{Secret, SecretList},
};

/// Secret bytes as a sequence of integers.
#[derive(Clone, Default)]
pub(crate) struct Sequence<const N: usize>(pub(crate) Secret<N>);

/// Secret bytes as a byte string.
#[derive(Clone, Default)]
pub(crate) struct ByteString<const N: usize>(pub(crate) Secret<N>);

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

    /// The bytes belong to us now, so they are wiped here (S-25).
    fn visit_byte_buf<E: Error>(self, bytes: Vec<u8>) -> Result<Secret<N>, E> {
        self.visit_bytes(&Zeroizing::new(bytes))
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
pub(crate) struct PublicKey(pub(crate) Curve25519PublicKey);

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
pub(crate) struct VerifyingKey(pub(crate) Ed25519PublicKey);

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
pub(crate) struct NumberMap<T>(pub(crate) SecretList<(u64, T)>);

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
pub(crate) enum Optional<T> {
    #[default]
    Absent,
    Present(T),
}

impl<T> Optional<T> {
    pub(crate) const fn is_absent(&self) -> bool {
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
pub(crate) struct List<T>(pub(crate) SecretList<T>);

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
pub(crate) struct Inner<T: Default> {
    pub(crate) inner: List<T>,
}
