//! The state of each object as bytes, for the native format.
//!
//! All integers are big-endian, a list is a u32 count and its items, an option begins with a byte 0
//! or 1, a boolean is one such byte, and the fields are in the order of the structs below: one
//! state has one encoding. Public keys are stored beside their private halves: the native format
//! authenticates them, and deriving them would cost more than everything else.

use alloc::{boxed::Box, collections::BTreeMap, vec::Vec};

use super::super::{Reader, Sink};
use crate::{
    keys::{Curve25519KeyPair, Curve25519PublicKey, Ed25519PublicKey},
    megolm::{
        inbound::InboundGroupSessionState,
        outbound::GroupSessionState,
        replay::{ReplayGuardState, Tag},
        trust::{Provenance, Trust},
    },
    olm::{
        account::AccountState,
        fallback::{FallbackKey, FallbackMemory, SessionTag},
        one_time_keys::{OneTimeKeys, StoredKey},
        session::SessionState,
    },
    primitives::{
        ed25519::SigningKey,
        secret::{OptionalNumber, Secret, SecretList},
    },
    ratchet::{
        chain::{ChainKey, ReceiverChain, SkippedKey},
        double::{DoubleRatchet, SenderChain},
        limits::Limits,
        megolm::{MegolmRatchet, Receiver},
    },
    wire::{MessageVersion, olm::SessionKeys},
};

/// A value with one encoding.
pub(super) trait Encode: Sized {
    fn write(&self, sink: &mut impl Sink);
    fn read(reader: &mut Reader<'_>) -> Option<Self>;
}

impl Encode for u32 {
    fn write(&self, sink: &mut impl Sink) {
        sink.put(&self.to_be_bytes());
    }

    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        reader.take().copied().map(Self::from_be_bytes)
    }
}

impl Encode for u64 {
    fn write(&self, sink: &mut impl Sink) {
        sink.put(&self.to_be_bytes());
    }

    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        reader.take().copied().map(Self::from_be_bytes)
    }
}

impl Encode for bool {
    fn write(&self, sink: &mut impl Sink) {
        sink.put(&[u8::from(*self)]);
    }

    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        match reader.take()? {
            [0] => Some(false),
            [1] => Some(true),
            _ => None,
        }
    }
}

impl<T: Encode> Encode for Option<T> {
    fn write(&self, sink: &mut impl Sink) {
        self.is_some().write(sink);
        if let Some(value) = self {
            value.write(sink);
        }
    }

    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        if bool::read(reader)? { T::read(reader).map(Some) } else { Some(None) }
    }
}

impl<T: Encode> Encode for Box<T> {
    fn write(&self, sink: &mut impl Sink) {
        T::write(self, sink);
    }

    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        T::read(reader).map(Self::new)
    }
}

impl Encode for OptionalNumber {
    fn write(&self, sink: &mut impl Sink) {
        self.get().write(sink);
    }

    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        Option::read(reader).map(Self::from)
    }
}

impl<const N: usize> Encode for Secret<N> {
    fn write(&self, sink: &mut impl Sink) {
        sink.put(self.as_bytes());
    }

    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        reader.take().copied().map(Self::new)
    }
}

/// An item of a list.
trait Item: Encode {
    /// No encoding of an item is shorter, in bytes.
    const MIN_LENGTH: usize;
}

fn write_list<T: Item>(items: &[T], sink: &mut impl Sink) {
    // No list here can have 2^32 items; if one had, its count could not be read back.
    u32::try_from(items.len()).unwrap_or(u32::MAX).write(sink);
    for item in items {
        item.write(sink);
    }
}

/// Reads a list's count. A count that the remaining bytes cannot hold is refused before memory is
/// allocated for it.
fn read_count<T: Item>(reader: &mut Reader<'_>) -> Option<usize> {
    let count = usize::try_from(u32::read(reader)?).ok()?;
    let needed = count.checked_mul(T::MIN_LENGTH)?;
    (needed <= reader.0.len()).then_some(count)
}

impl<T: Item + Default> Encode for SecretList<T> {
    fn write(&self, sink: &mut impl Sink) {
        write_list(self, sink);
    }

    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let count = read_count::<T>(reader)?;
        let mut list = Self::new();
        list.reserve(count);
        for _ in 0..count {
            list.push(T::read(reader)?);
        }
        Some(list)
    }
}

/// A list of public items; for secrets, see `SecretList`.
impl<T: Item> Encode for Vec<T> {
    fn write(&self, sink: &mut impl Sink) {
        write_list(self, sink);
    }

    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let count = read_count::<T>(reader)?;
        (0..count).map(|_| T::read(reader)).collect()
    }
}

impl Item for Curve25519PublicKey {
    const MIN_LENGTH: usize = 32;
}

impl Item for SessionTag {
    const MIN_LENGTH: usize = Self::LENGTH;
}

/// A message that a replay guard remembers: its index, and a hash.
impl Encode for (u32, Tag) {
    fn write(&self, sink: &mut impl Sink) {
        let (index, tag) = self;
        index.write(sink);
        sink.put(tag);
    }

    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        Some((u32::read(reader)?, *reader.take()?))
    }
}

impl Item for (u32, Tag) {
    const MIN_LENGTH: usize = 4 + 32;
}

impl Item for StoredKey {
    const MIN_LENGTH: usize = 8 + 64 + 1;
}

impl Item for SkippedKey {
    const MIN_LENGTH: usize = 4 + 8 + 32;
}

impl Item for ReceiverChain {
    const MIN_LENGTH: usize = 32 + 40 + 4 + 8;
}

/// Encodes a struct field by field.
macro_rules! encode_fields {
    ($($type:ident { $($field:ident),+ $(,)? })+) => {$(
        impl Encode for $type {
            fn write(&self, sink: &mut impl Sink) {
                $(self.$field.write(sink);)+
            }

            fn read(reader: &mut Reader<'_>) -> Option<Self> {
                Some(Self { $($field: Encode::read(reader)?),+ })
            }
        }
    )+};
}

encode_fields! {
    AccountState { signing_key, identity_key, one_time_keys, generation }
    OneTimeKeys { keys, fallback, previous_fallback, next_id, next_fallback_id, fallback_memory }
    StoredKey { id, pair, published }
    FallbackKey { key, memory }
    FallbackMemory { complete, sessions }
    SessionState { keys, their_identity_key, version, received, generation, ratchet }
    SessionKeys { identity_key, base_key, one_time_key }
    DoubleRatchet {
        root, root_index, sender, receivers, evicted, next_serial, evicted_keys, limits
    }
    SenderChain { ratchet_key, chain_key }
    ReceiverChain { ratchet_key, chain_key, skipped, evicted_below }
    ChainKey { key, index }
    SkippedKey { index, serial, key }
    GroupSessionState { ratchet, exhausted, signing_key, version, created_at, generation }
}

impl Encode for InboundGroupSessionState {
    fn write(&self, sink: &mut impl Sink) {
        self.receiver.first().write(sink);
        self.signing_key.write(sink);
        self.trust.write(sink);
        self.signing_key_verified.write(sink);
        self.receiver.is_closed().write(sink);
        self.version.write(sink);
        self.generation.write(sink);
    }

    /// The later ratchet is not stored: it would double the size to save a few hashes once.
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let first = MegolmRatchet::read(reader)?;
        let (signing_key, trust) = (Encode::read(reader)?, Encode::read(reader)?);
        let (signing_key_verified, closed) = (bool::read(reader)?, bool::read(reader)?);
        Some(Self {
            receiver: Receiver::new(first, None, closed),
            signing_key,
            trust,
            signing_key_verified,
            version: Encode::read(reader)?,
            generation: Encode::read(reader)?,
        })
    }
}

/// The messages ascend by their indices, so one state has one encoding.
impl Encode for ReplayGuardState {
    fn write(&self, sink: &mut impl Sink) {
        self.signing_key.write(sink);
        self.capacity.write(sink);
        self.forgotten.start.write(sink);
        self.forgotten.end.write(sink);
        // At most `capacity`, which is a u32.
        u32::try_from(self.seen.len()).unwrap_or(u32::MAX).write(sink);
        for (index, tag) in &self.seen {
            (*index, *tag).write(sink);
        }
        self.generation.write(sink);
    }

    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let (signing_key, capacity) = (Encode::read(reader)?, Encode::read(reader)?);
        let forgotten = u32::read(reader)?..u32::read(reader)?;
        let mut seen = BTreeMap::new();
        for _ in 0..read_count::<(u32, Tag)>(reader)? {
            let (index, tag) = Encode::read(reader)?;
            if seen.last_key_value().is_some_and(|(last, _)| *last >= index) {
                return None;
            }
            seen.insert(index, tag);
        }
        let generation = Encode::read(reader)?;
        Some(Self { signing_key, capacity, forgotten, seen, generation })
    }
}

impl Encode for MegolmRatchet {
    fn write(&self, sink: &mut impl Sink) {
        self.value().write(sink);
        self.index().write(sink);
    }

    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        Some(Self::new(Encode::read(reader)?, Encode::read(reader)?))
    }
}

impl Encode for SessionTag {
    fn write(&self, sink: &mut impl Sink) {
        sink.put(&self.to_bytes());
    }

    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        reader.take().copied().map(Self::from_bytes)
    }
}

impl Encode for Curve25519PublicKey {
    fn write(&self, sink: &mut impl Sink) {
        sink.put(self.as_bytes());
    }

    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        Self::from_bytes(*reader.take()?).ok()
    }
}

impl Encode for Ed25519PublicKey {
    fn write(&self, sink: &mut impl Sink) {
        sink.put(self.as_bytes());
    }

    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        Self::from_unverified_point(*reader.take()?).ok()
    }
}

impl Encode for Curve25519KeyPair {
    fn write(&self, sink: &mut impl Sink) {
        sink.put(self.secret().as_bytes());
        self.public().write(sink);
    }

    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let secret = Secret::read(reader)?;
        Some(Self::from_parts(&secret, Encode::read(reader)?))
    }
}

/// A byte that says which form follows: 1, the seed and the public key; 2, the 64 expanded bytes.
impl Encode for SigningKey {
    fn write(&self, sink: &mut impl Sink) {
        match self.seed() {
            Some(seed) => {
                sink.put(&[1]);
                seed.write(sink);
                sink.put(self.public());
            }
            None => {
                sink.put(&[2]);
                self.expanded().write(sink);
            }
        }
    }

    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        match reader.take()? {
            [1] => {
                let seed = Secret::read(reader)?;
                Self::from_seed_and_public(seed, *reader.take()?).ok()
            }
            [2] => Self::from_expanded(Secret::read(reader)?).ok(),
            _ => None,
        }
    }
}

/// The version's byte on the wire, which is never left out and never guessed (S-13).
impl Encode for MessageVersion {
    fn write(&self, sink: &mut impl Sink) {
        sink.put(&[self.byte()]);
    }

    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let [byte] = *reader.take()?;
        Self::from_byte(byte)
    }
}

/// The highest level, then the start of each level above `Unknown` up to it (S-43).
impl Encode for Trust {
    fn write(&self, sink: &mut impl Sink) {
        self.highest().write(sink);
        self.levels().for_each(|(_, start)| start.write(sink));
    }

    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let highest = Provenance::read(reader)?;
        let mut start = |started: bool| {
            if started { u32::read(reader).map(Some) } else { Some(None) }
        };
        Some(Self::from_starts([
            start(highest >= Provenance::Backup)?,
            start(highest >= Provenance::Exported)?,
            start(highest >= Provenance::Signed)?,
        ]))
    }
}

impl Encode for Provenance {
    fn write(&self, sink: &mut impl Sink) {
        sink.put(&[match self {
            Self::Unknown => 0,
            Self::Backup => 1,
            Self::Exported => 2,
            Self::Signed => 3,
        }]);
    }

    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        match reader.take()? {
            [0] => Some(Self::Unknown),
            [1] => Some(Self::Backup),
            [2] => Some(Self::Exported),
            [3] => Some(Self::Signed),
            _ => None,
        }
    }
}

impl Encode for Limits {
    fn write(&self, sink: &mut impl Sink) {
        self.skipped_keys().write(sink);
        self.message_gap().write(sink);
        self.receiver_chains().write(sink);
    }

    /// Refuses limits that the constructors could not have made.
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let (skipped_keys, message_gap, receiver_chains) =
            (u32::read(reader)?, u32::read(reader)?, u32::read(reader)?);
        let limits = Self::default()
            .with_skipped_keys(skipped_keys)
            .with_message_gap(message_gap)
            .with_receiver_chains(receiver_chains);
        let unchanged = limits.skipped_keys() == skipped_keys
            && limits.message_gap() == message_gap
            && limits.receiver_chains() == receiver_chains;
        unchanged.then_some(limits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pickle::Length;

    fn shortest<T: Item + Default>() -> usize {
        let mut length = Length(0);
        T::default().write(&mut length);
        length.0
    }

    /// S-02: a bound that is too low allocates more memory than a count justifies; one that is too
    /// high refuses what we wrote.
    #[test]
    fn no_item_is_shorter_than_its_bound() {
        assert_eq!(shortest::<(u32, Tag)>(), <(u32, Tag)>::MIN_LENGTH);
        assert_eq!(shortest::<StoredKey>(), StoredKey::MIN_LENGTH);
        assert_eq!(shortest::<SkippedKey>(), SkippedKey::MIN_LENGTH);
        assert_eq!(shortest::<ReceiverChain>(), ReceiverChain::MIN_LENGTH);
    }
}
