//! Dehydrated devices (MSC3814): an account that waits on the server, encrypted, and receives
//! messages while its owner has no other device.
//!
//! ```text
//! state      = version u32 = 1 || X25519 private key || Ed25519 seed
//!              || u32 count || X25519 private keys of the one-time keys
//!              || 0x00, or 0x01 || X25519 private key of the fallback key
//! ciphertext = base64(ChaCha20-Poly1305(key, nonce[12], state) || tag[16])
//! ```
//!
//! The format has no ids. It has the private one-time keys in the order of their ids, and the
//! reader gives them new ids. The new ids start at a number that is derived from this device's
//! keys, so that no id is ever given to two keys (S-10), if the rehydrated account is stored before
//! it generates keys:
//!
//! ```text
//! first id = 2^61 + the first 61 bits of SHA-256(Ed25519 key || X25519 key
//!            || public keys of the one-time keys || public key of the fallback key, if there is one)
//! ```

use alloc::{boxed::Box, string::String, vec::Vec};
use core::fmt;

use rand::TryCryptoRng;
use zeroize::Zeroizing;

use super::{Length, Reader, Sink, loss::Loss, native::PickleKey};
#[cfg(feature = "std")]
use crate::primitives::rng;
use crate::{
    error::{Base64Error, RandomError, texts},
    keys::Curve25519KeyPair,
    olm::{
        account::{Account, AccountState},
        fallback::FallbackKey,
        one_time_keys::{OneTimeKeys, StoredKey},
    },
    primitives::{
        base64,
        chacha20poly1305::{self, Forged},
        ed25519::SigningKey,
        kdf::sha256,
        rng::draw,
        secret::{OptionalNumber, Secret, SecretList},
        stack::{MEDIUM, wiped_below},
    },
    ratchet::limits::{DEFAULT_FALLBACK_MEMORY, MAX_ONE_TIME_KEYS},
};

/// The version that clients write; the text of the proposal has 0x80000000.
const VERSION: u32 = 1;
const NONCE_LENGTH: usize = 12;

type Result<T> = core::result::Result<T, DehydratedDeviceError>;

/// An account in the form that the server stores.
#[derive(Clone, PartialEq, Eq)]
pub struct DehydratedDevice {
    /// The encrypted keys, in unpadded base64.
    pub ciphertext: String,
    /// The nonce, in unpadded base64 (16 characters), which decrypting also needs. Not secret.
    pub nonce: String,
}

impl fmt::Debug for DehydratedDevice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DehydratedDevice").field("nonce", &self.nonce).finish_non_exhaustive()
    }
}

/// A dehydrated device could not be made or taken over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DehydratedDeviceError {
    /// The ciphertext or the nonce is not base64.
    Base64(Base64Error),
    /// A nonce has 12 bytes; this one has another length.
    Nonce(usize),
    /// Wrong key, or the device was altered or cut off.
    Authentication,
    /// The device has another version than 1.
    Version(u32),
    /// The content is not a possible state of an account.
    InvalidState,
    /// This would be lost. `Account::dehydrate_lossy` accepts it.
    Lossy(Loss),
    /// The format cannot represent this account: its Ed25519 seed is not known.
    Unrepresentable,
    /// The random source failed.
    Random,
}

texts!(DehydratedDeviceError {
    Self::Base64(_) => "the dehydrated device is not valid base64";
    Self::Nonce(found) => "a nonce has 12 bytes, not {found}";
    Self::Authentication => "wrong key, or the dehydrated device was altered";
    Self::Version(found) => "unknown version {found} of a dehydrated device";
    Self::InvalidState => "the dehydrated device's content is not a possible state";
    Self::Lossy(loss) => "a dehydrated device cannot hold {loss}";
    Self::Unrepresentable => "the account's Ed25519 seed is not known";
    Self::Random => "the random source failed";
} caused by Base64);

impl From<Base64Error> for DehydratedDeviceError {
    fn from(error: Base64Error) -> Self {
        Self::Base64(error)
    }
}

impl From<RandomError> for DehydratedDeviceError {
    fn from(_: RandomError) -> Self {
        Self::Random
    }
}

impl Account {
    /// Encrypts the keys of this account for the server. Use a separate key, never that of your
    /// pickles: the format's nonce has only 12 bytes, so random nonces repeat under one key far
    /// sooner than those of pickles, which have 24.
    ///
    /// The account should be new, with the keys that are to be published. What a dehydrated device
    /// begins anew by definition is not called a loss: the ids of the keys, which of them are
    /// published (all count as published), the [`generation`](Self::generation), which is 0, and
    /// that its fallback key remembers every session (see [`rehydrate`](Self::rehydrate)).
    ///
    /// # Errors
    ///
    /// [`DehydratedDeviceError::Lossy`] if the account has a previous fallback key, its fallback
    /// key remembers sessions, or [`fallback_memory`](Self::fallback_memory) is not the default:
    /// the format cannot hold that. [`DehydratedDeviceError::Unrepresentable`] for an account that
    /// came from libolm, whose Ed25519 seed is not known; [`DehydratedDeviceError::Random`].
    #[cfg(feature = "std")]
    pub fn dehydrate(&self, key: &PickleKey) -> Result<DehydratedDevice> {
        self.dehydrate_with_rng(key, &mut rng::system())
    }

    /// Like `dehydrate`, but with the caller's source of randomness, which gives 12 bytes for the
    /// nonce, which must never repeat under one key.
    ///
    /// # Errors
    ///
    /// See `dehydrate`.
    pub fn dehydrate_with_rng<R>(&self, key: &PickleKey, rng: &mut R) -> Result<DehydratedDevice>
    where
        R: TryCryptoRng + ?Sized,
    {
        let loss = loss(self.state());
        if loss.is_none() {
            seal(self.state(), key, rng)
        } else {
            Err(DehydratedDeviceError::Lossy(loss))
        }
    }

    /// As `dehydrate`, but drops what the format cannot hold, and reports it. A
    /// [`generation`](Self::generation) above 0 is reported too, and that a fallback key remembers
    /// every session.
    ///
    /// # Errors
    ///
    /// [`DehydratedDeviceError::Unrepresentable`] and [`DehydratedDeviceError::Random`], as
    /// `dehydrate`.
    #[cfg(feature = "std")]
    pub fn dehydrate_lossy(&self, key: &PickleKey) -> Result<(DehydratedDevice, Loss)> {
        self.dehydrate_lossy_with_rng(key, &mut rng::system())
    }

    /// Like `dehydrate_lossy`, but with the caller's source of randomness: see
    /// [`dehydrate_with_rng`](Self::dehydrate_with_rng).
    ///
    /// # Errors
    ///
    /// See `dehydrate_lossy`.
    pub fn dehydrate_lossy_with_rng<R>(
        &self,
        key: &PickleKey,
        rng: &mut R,
    ) -> Result<(DehydratedDevice, Loss)>
    where
        R: TryCryptoRng + ?Sized,
    {
        let device = seal(self.state(), key, rng)?;
        let fallback = &self.state().one_time_keys.fallback;
        let fallback_memory = fallback.as_ref().is_some_and(|fallback| fallback.memory.complete);
        let generation = self.generation() > 0;
        Ok((device, Loss { generation, fallback_memory, ..loss(self.state()) }))
    }

    /// Takes over a dehydrated device. All its keys count as published.
    ///
    /// The same device always gets the same key ids, other keys get other ids, and an account that
    /// was not rehydrated has none of them (S-10). So no id is given to two keys if the rehydrated
    /// account is stored before it generates keys; an account that is rehydrated again would number
    /// other keys from the same id on. The ids are beyond the 32 bits of libolm's ids, so the
    /// account has no libolm pickle.
    ///
    /// Which sessions were made with the fallback key before is not known:
    /// [`replay_excluded`](crate::olm::InboundCreation::replay_excluded) is false for it.
    ///
    /// # Errors
    ///
    /// [`DehydratedDeviceError`].
    pub fn rehydrate(device: &DehydratedDevice, key: &PickleKey) -> Result<Self> {
        wiped_below::<MEDIUM, _>(|| Self::rehydrate_below(device, key))
    }

    fn rehydrate_below(device: &DehydratedDevice, key: &PickleKey) -> Result<Self> {
        let nonce = base64::decode(&device.nonce)?;
        let nonce =
            nonce.as_slice().try_into().map_err(|_| DehydratedDeviceError::Nonce(nonce.len()))?;
        let ciphertext = base64::decode(&device.ciphertext)?;
        let state = chacha20poly1305::open_message(key.secret(), nonce, &[], &ciphertext)
            .map_err(|Forged| DehydratedDeviceError::Authentication)?;
        let state = Zeroizing::new(state);
        let mut reader = Reader(&state);
        let account = read(&mut reader)?;
        if !reader.0.is_empty() {
            return Err(DehydratedDeviceError::InvalidState);
        }
        Self::restore(account).map_err(|_| DehydratedDeviceError::InvalidState)
    }
}

/// What the format cannot hold of this account, without what every device begins anew.
fn loss(state: &AccountState) -> Loss {
    let keys = &state.one_time_keys;
    Loss {
        previous_fallback_key: keys.previous_fallback.is_some(),
        // Sessions of the previous fallback key cannot be replayed once that key is gone.
        fallback_sessions: keys.fallback.as_ref().map_or(0, |fallback| fallback.remembered()),
        limits: keys.has_other_fallback_memory(),
        ..Loss::default()
    }
}

fn seal<R>(state: &AccountState, key: &PickleKey, rng: &mut R) -> Result<DehydratedDevice>
where
    R: TryCryptoRng + ?Sized,
{
    let nonce = draw::<NONCE_LENGTH, R>(rng)?;
    let mut length = Length(0);
    write(state, &mut length)?;
    // Sized before it is filled: a buffer that grows would leave copies of secrets behind (S-25).
    let mut content = Zeroizing::new(Vec::with_capacity(length.0));
    write(state, &mut *content)?;
    let ciphertext = chacha20poly1305::seal_message(key.secret(), nonce.as_bytes(), &[], &content)
        .ok_or(DehydratedDeviceError::Unrepresentable)?;
    Ok(DehydratedDevice {
        ciphertext: base64::encode(&ciphertext),
        nonce: base64::encode(nonce.as_bytes()),
    })
}

fn write(state: &AccountState, sink: &mut dyn Sink) -> Result<()> {
    let seed = state.signing_key.seed().ok_or(DehydratedDeviceError::Unrepresentable)?;
    let keys = &state.one_time_keys;
    let count =
        u32::try_from(keys.keys.len()).map_err(|_| DehydratedDeviceError::Unrepresentable)?;
    sink.put(&VERSION.to_be_bytes());
    sink.put(state.identity_key.secret().as_bytes());
    sink.put(seed.as_bytes());
    sink.put(&count.to_be_bytes());
    for key in keys.keys.iter() {
        sink.put(key.pair.secret().as_bytes());
    }
    sink.put(&[keys.fallback.is_some().into()]);
    if let Some(fallback) = &keys.fallback {
        sink.put(fallback.key.pair.secret().as_bytes());
    }
    Ok(())
}

fn read(reader: &mut Reader<'_>) -> Result<AccountState> {
    let version = take(reader).copied().map(u32::from_be_bytes)?;
    if version != VERSION {
        return Err(DehydratedDeviceError::Version(version));
    }
    let identity_key = Secret::new(*take(reader)?);
    let seed = Secret::new(*take(reader)?);
    let count = u64::from(take(reader).copied().map(u32::from_be_bytes)?);
    // Each key costs a multiplication, so they are counted before the first one (S-45).
    if count > MAX_ONE_TIME_KEYS as u64 {
        return Err(DehydratedDeviceError::InvalidState);
    }
    let identity_key = Curve25519KeyPair::from_secret_bytes(&identity_key);
    let signing_key = SigningKey::from_seed(seed);
    let stored = |id, pair| StoredKey { id, pair, published: true };
    let mut keys = SecretList::new();
    for place in 0..count {
        keys.push(stored(place, read_pair(reader)?));
    }
    let fallback = match take(reader)? {
        [0] => None,
        [1] => Some(Box::new(FallbackKey::without_memory(stored(count, read_pair(reader)?)))),
        _ => return Err(DehydratedDeviceError::InvalidState),
    };
    let mut one_time_keys = OneTimeKeys {
        keys,
        fallback,
        previous_fallback: None,
        next_id: count.saturating_add(1),
        next_fallback_id: OptionalNumber::NONE,
        fallback_memory: DEFAULT_FALLBACK_MEMORY,
    };
    number_from(first_id(&signing_key, &identity_key, &one_time_keys), &mut one_time_keys);
    Ok(AccountState { signing_key, identity_key, one_time_keys, generation: 0 })
}

/// The id of the device's first key. The ids above 2^61 are for rehydrated devices: no account that
/// counts from 1 gets there.
fn first_id(signing_key: &SigningKey, identity_key: &Curve25519KeyPair, keys: &OneTimeKeys) -> u64 {
    let one_time = keys.keys.iter().map(|key| key.pair.public());
    let fallback = keys.fallback.iter().map(|fallback| fallback.key.pair.public());
    let public: Vec<_> =
        [identity_key.public()].into_iter().chain(one_time).chain(fallback).collect();
    let mut parts: Vec<&[u8]> = Vec::from([signing_key.public().as_slice()]);
    parts.extend(public.iter().map(|key| key.as_bytes().as_slice()));
    let [a, b, c, d, e, f, g, h, ..] = sha256(&parts);
    (1 << 61) | (u64::from_be_bytes([a, b, c, d, e, f, g, h]) >> 3)
}

/// Adds `first` to all ids, which were counted from 0. They are small and `first` is below 2^62, so
/// nothing saturates.
fn number_from(first: u64, keys: &mut OneTimeKeys) {
    let fallback = keys.fallback.iter_mut().map(|fallback| &mut fallback.key.id);
    let ids = keys.keys.iter_mut().map(|key| &mut key.id).chain(fallback);
    for id in ids.chain([&mut keys.next_id]) {
        *id = id.saturating_add(first);
    }
}

fn read_pair(reader: &mut Reader<'_>) -> Result<Curve25519KeyPair> {
    Ok(Curve25519KeyPair::from_secret_bytes(&Secret::new(*take(reader)?)))
}

fn take<'a, const N: usize>(reader: &mut Reader<'a>) -> Result<&'a [u8; N]> {
    reader.take().ok_or(DehydratedDeviceError::InvalidState)
}
