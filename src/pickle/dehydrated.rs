//! Dehydrated devices (MSC3814): an account that waits on the server, encrypted, and receives
//! messages while its owner has no other device.
//!
//! ```text
//! state      = version u32 = 1 || X25519 private key || Ed25519 seed
//!              || u32 count || X25519 private keys of the one-time keys
//!              || 0x00, or 0x01 || X25519 private key of the fallback key
//! ciphertext = base64(ChaCha20-Poly1305(key, nonce[12], state) || tag[16])
//! ```

use alloc::{boxed::Box, string::String, vec::Vec};
use core::fmt;

use rand::TryCryptoRng;
use zeroize::Zeroizing;

use super::{
    Reader,
    encode::{Length, Sink},
    native::PickleKey,
};
#[cfg(feature = "std")]
use crate::primitives::rng;
use crate::{
    error::DehydratedDeviceError,
    keys::Curve25519KeyPair,
    olm::{
        account::{Account, AccountState},
        fallback::{DEFAULT_FALLBACK_MEMORY, FallbackKey},
        one_time_keys::{OneTimeKeys, StoredKey},
    },
    primitives::{
        aead::{self, Forged},
        base64,
        ed25519::SigningKey,
        rng::draw,
        secret::{Secret, SecretList},
    },
};

/// What clients write; the text of the proposal has 0x80000000.
const VERSION: u32 = 1;
const NONCE_LENGTH: usize = 12;

type Result<T> = core::result::Result<T, DehydratedDeviceError>;

/// An account in the form that is kept on the server.
#[derive(Clone, PartialEq, Eq)]
pub struct DehydratedDevice {
    /// The encrypted keys, in unpadded base64.
    pub ciphertext: String,
    /// What else decrypting needs, in unpadded base64 (16 characters). Not secret.
    pub nonce: String,
}

impl fmt::Debug for DehydratedDevice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DehydratedDevice").field("nonce", &self.nonce).finish_non_exhaustive()
    }
}

impl Account {
    /// Encrypts the keys of this account for the server.
    ///
    /// The account should be new: the form holds neither sessions, nor ids, nor the previous fallback
    /// key.
    ///
    /// # Errors
    ///
    /// [`DehydratedDeviceError::Unrepresentable`] for an account that came from libolm, whose Ed25519
    /// seed nobody knows; [`DehydratedDeviceError::Random`].
    #[cfg(feature = "std")]
    pub fn dehydrate(&self, key: &PickleKey) -> Result<DehydratedDevice> {
        self.dehydrate_with_rng(key, &mut rng::system())
    }

    /// As `dehydrate`, with another source of randomness: it gives 12 bytes for the nonce, which must
    /// never repeat under one key.
    ///
    /// # Errors
    ///
    /// See `dehydrate`.
    pub fn dehydrate_with_rng<R>(&self, key: &PickleKey, rng: &mut R) -> Result<DehydratedDevice>
    where
        R: TryCryptoRng + ?Sized,
    {
        let nonce = draw::<NONCE_LENGTH, R>(rng)?;
        let mut length = Length(0);
        write(self.state(), &mut length)?;
        let mut state = Zeroizing::new(Vec::with_capacity(length.0));
        write(self.state(), &mut *state)?;
        let ciphertext = aead::seal_message(key.secret(), nonce.as_bytes(), &[], &state)
            .ok_or(DehydratedDeviceError::Unrepresentable)?;
        Ok(DehydratedDevice {
            ciphertext: base64::encode(&ciphertext),
            nonce: base64::encode(nonce.as_bytes()),
        })
    }

    /// Takes over a dehydrated device. All its keys count as published.
    ///
    /// # Errors
    ///
    /// [`DehydratedDeviceError`].
    pub fn rehydrate(device: &DehydratedDevice, key: &PickleKey) -> Result<Self> {
        let nonce = base64::decode(&device.nonce)?;
        let nonce = nonce.as_slice().try_into().map_err(|_| DehydratedDeviceError::Nonce)?;
        let ciphertext = base64::decode(&device.ciphertext)?;
        let state = aead::open_message(key.secret(), nonce, &[], &ciphertext)
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
    let identity_key = read_pair(reader)?;
    let signing_key = SigningKey::from_seed(Secret::new(*take(reader)?));
    let count = u64::from(take(reader).copied().map(u32::from_be_bytes)?);
    let mut keys = SecretList::new();
    for id in 0..count {
        keys.push(StoredKey { id, pair: read_pair(reader)?, published: true });
    }
    let fallback = match take(reader)? {
        [0] => None,
        [1] => {
            let key = StoredKey { id: 0, pair: read_pair(reader)?, published: true };
            Some(Box::new(FallbackKey::without_memory(key)))
        }
        _ => return Err(DehydratedDeviceError::InvalidState),
    };
    let one_time_keys = OneTimeKeys {
        keys,
        fallback,
        previous_fallback: None,
        next_id: count,
        next_fallback_id: Some(Box::new(1)),
        fallback_memory: DEFAULT_FALLBACK_MEMORY,
    };
    Ok(AccountState { signing_key, identity_key, one_time_keys, generation: 0 })
}

fn read_pair(reader: &mut Reader<'_>) -> Result<Curve25519KeyPair> {
    Ok(Curve25519KeyPair::from_secret_bytes(&Secret::new(*take(reader)?)))
}

fn take<'a, const N: usize>(reader: &mut Reader<'a>) -> Result<&'a [u8; N]> {
    reader.take().ok_or(DehydratedDeviceError::InvalidState)
}
