//! The native format: small, authenticated, bound to its kind of object and to the caller's context
//! (S-23).
//!
//! ```text
//! pickle  = base64(version 0x02 || type || nonce[24] || XChaCha20-Poly1305(state) || tag[16])
//! associated data = version || type || context
//! type    = 1 account, 2 session, 3 group session, 4 inbound group session, 5 replay guard
//! ```
//!
//! `encode.rs` encodes the state. Version 1, which no release wrote, encoded some states in another
//! way; it is refused as [`PickleError::Version`].

mod encode;
#[cfg(feature = "passphrase")]
pub(crate) mod passphrase;

use alloc::{boxed::Box, string::String, vec::Vec};
use core::fmt;

use rand::TryCryptoRng;
use zeroize::Zeroizing;

use self::encode::Encode;
use super::{Length, Reader};
#[cfg(feature = "std")]
use crate::primitives::rng;
use crate::{
    error::{KeyError, PickleError, RandomError},
    keys::secret_from_base64,
    megolm::{
        inbound::{InboundGroupSession, InboundGroupSessionState},
        outbound::{GroupSession, GroupSessionState},
        replay::{ReplayGuard, ReplayGuardState},
    },
    olm::{
        account::{Account, AccountState},
        session::{Session, SessionState},
    },
    primitives::{
        base64,
        chacha20poly1305::{self, NONCE_LENGTH, TAG_LENGTH},
        rng::draw,
        secret::{Secret, SecretString},
        stack::{SHALLOW, wiped_below},
    },
};

/// The key that pickles are encrypted with: 32 bytes, wiped on drop.
///
/// Draw one for each store, and keep it in the operating system's keyring. It is used as it is;
/// with the feature `passphrase`, a `PassphraseKey` is derived from a passphrase with a slow
/// function.
///
/// ```
/// use moceril::{PickleKey, olm::Account};
///
/// let key = PickleKey::new()?;
/// let kept = key.to_base64(); // in the keyring
///
/// let pickle = Account::new()?.pickle(&key, b"@alice:example.org/DEVICEID/account")?;
/// let key = PickleKey::from_base64(&kept)?;
/// Account::from_pickle(&pickle, &key, b"@alice:example.org/DEVICEID/account")?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct PickleKey(Box<Secret<32>>);

impl PickleKey {
    /// Length of a key in bytes.
    pub const LENGTH: usize = 32;

    /// Draws a key from the operating system's randomness.
    ///
    /// # Errors
    ///
    /// [`RandomError`].
    #[cfg(feature = "std")]
    pub fn new() -> Result<Self, RandomError> {
        Self::with_rng(&mut rng::system())
    }

    /// Like `new`, but with the caller's source of randomness, which gives the 32 bytes of the key.
    ///
    /// # Errors
    ///
    /// [`RandomError`].
    pub fn with_rng<R: TryCryptoRng + ?Sized>(rng: &mut R) -> Result<Self, RandomError> {
        draw(rng).map(|key| Self::copy_of(&key))
    }

    /// The key of these 32 bytes; any bytes are valid. The caller must wipe its own copy.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(Box::new(Secret::new(bytes)))
    }

    /// Reads a key from base64 with or without padding.
    ///
    /// # Errors
    ///
    /// [`KeyError::Base64`] or [`KeyError::Length`].
    pub fn from_base64(text: &str) -> Result<Self, KeyError> {
        secret_from_base64(text).map(|key| Self::copy_of(&key))
    }

    /// The 32 bytes of the key, which the caller must wipe. The text that
    /// [`to_base64`](Self::to_base64) returns wipes itself.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; 32] {
        *self.0.as_bytes()
    }

    /// The key as 43 characters of unpadded base64.
    #[must_use]
    pub fn to_base64(&self) -> SecretString {
        base64::encode_secret(self.0.as_bytes())
    }

    /// Copies from heap block to heap block, so that the stack gets no copy (S-25).
    fn copy_of(key: &Secret<32>) -> Self {
        let mut copy = Box::<Secret<32>>::default();
        copy.as_mut_bytes().copy_from_slice(key.as_bytes());
        Self(copy)
    }

    pub(super) fn secret(&self) -> &Secret<32> {
        &self.0
    }
}

impl Clone for PickleKey {
    fn clone(&self) -> Self {
        Self::copy_of(&self.0)
    }
}

impl fmt::Debug for PickleKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PickleKey").finish_non_exhaustive()
    }
}

const VERSION: u8 = 2;
const HEADER_LENGTH: usize = 2 + NONCE_LENGTH;

/// An object that can be pickled.
trait Pickled: Sized {
    const TYPE: u8;
    type State: Encode;

    fn state(&self) -> &Self::State;
    fn restore(state: Self::State) -> Result<Self, PickleError>;

    fn seal<R>(&self, key: &PickleKey, context: &[u8], rng: &mut R) -> Result<String, PickleError>
    where
        R: TryCryptoRng + ?Sized,
    {
        let nonce = draw::<NONCE_LENGTH, R>(rng)?;
        // Sized before it is filled: a buffer that grows would leave copies of secrets behind
        // (S-25).
        let mut length = Length(0);
        self.state().write(&mut length);
        let capacity = HEADER_LENGTH.saturating_add(length.0).saturating_add(TAG_LENGTH);
        let mut pickle = Zeroizing::new(Vec::with_capacity(capacity));
        pickle.extend([VERSION, Self::TYPE]);
        pickle.extend(nonce.as_bytes());
        self.state().write(&mut *pickle);
        // Without an error here, a wrong length would leave the state unencrypted (S-47).
        let state = pickle.get_mut(HEADER_LENGTH..).ok_or(PickleError::InvalidState)?;
        let associated_data = associated_data(Self::TYPE, context);
        let tag = chacha20poly1305::seal(&key.0, nonce.as_bytes(), &associated_data, state);
        // `None` for a state above 256 GiB only, which no memory holds.
        pickle.extend(tag.ok_or(PickleError::InvalidState)?);
        // It is ciphertext now, so it need not be wiped.
        Ok(base64::encode(&core::mem::take(&mut *pickle)))
    }

    fn open(pickle: &str, key: &PickleKey, context: &[u8]) -> Result<Self, PickleError> {
        wiped_below::<SHALLOW, _>(|| Self::open_below(pickle, key, context))
    }

    fn open_below(pickle: &str, key: &PickleKey, context: &[u8]) -> Result<Self, PickleError> {
        let mut pickle = Zeroizing::new(base64::decode(pickle)?);
        let (header, rest) =
            pickle.split_first_chunk_mut::<2>().ok_or(PickleError::Authentication)?;
        match *header {
            [VERSION, kind] if kind == Self::TYPE => {}
            [VERSION, _] => return Err(PickleError::ObjectType),
            [version, _] => return Err(PickleError::Version(version)),
        }
        let (nonce, rest) = rest.split_first_chunk_mut().ok_or(PickleError::Authentication)?;
        let (state, tag) = rest.split_last_chunk_mut().ok_or(PickleError::Authentication)?;
        let associated_data = associated_data(Self::TYPE, context);
        chacha20poly1305::open(&key.0, nonce, &associated_data, state, tag)
            .map_err(|chacha20poly1305::Forged| PickleError::Authentication)?;
        let mut reader = Reader(state);
        let state = Self::State::read(&mut reader).ok_or(PickleError::InvalidState)?;
        if !reader.0.is_empty() {
            return Err(PickleError::InvalidState);
        }
        Self::restore(state)
    }
}

fn associated_data(kind: u8, context: &[u8]) -> Vec<u8> {
    [VERSION, kind].into_iter().chain(context.iter().copied()).collect()
}

/// The state of an object, and the public methods to pickle it, which are the same for every
/// object.
macro_rules! pickled {
    ($object:ident, $state:ident, $kind:literal) => {
        impl Pickled for $object {
            const TYPE: u8 = $kind;
            type State = $state;

            fn state(&self) -> &$state {
                self.state()
            }

            fn restore(state: $state) -> Result<Self, PickleError> {
                Self::restore(state)
            }
        }

        impl $object {
            /// Encrypts the whole state as text. `context` says where the pickle belongs, for
            /// example user, device **and the name of the row (a session's id)**: if two objects of
            /// one kind have the same context, whoever can write to the store can exchange them.
            /// The context is not stored, and only the same context opens the pickle again.
            ///
            /// # Errors
            ///
            /// [`PickleError::Random`].
            #[cfg(feature = "std")]
            pub fn pickle(
                &self,
                key: &PickleKey,
                context: impl AsRef<[u8]>,
            ) -> Result<String, PickleError> {
                self.pickle_with_rng(key, context, &mut rng::system())
            }

            /// Like `pickle`, but with the caller's source of randomness, which gives 24 bytes for
            /// the nonce, which must never repeat.
            ///
            /// # Errors
            ///
            /// [`PickleError::Random`].
            pub fn pickle_with_rng<R>(
                &self,
                key: &PickleKey,
                context: impl AsRef<[u8]>,
                rng: &mut R,
            ) -> Result<String, PickleError>
            where
                R: TryCryptoRng + ?Sized,
            {
                self.seal(key, context.as_ref(), rng)
            }
        }
    };
}

/// The public method to open the pickle of an object that does not belong to another object.
macro_rules! opened {
    ($($object:ident),+) => {$(
        impl $object {
            /// Opens a pickle made with the same key and context.
            ///
            /// # Errors
            ///
            /// [`PickleError`], which tells another kind of object or version from a wrong key.
            pub fn from_pickle(
                pickle: &str,
                key: &PickleKey,
                context: impl AsRef<[u8]>,
            ) -> Result<Self, PickleError> {
                Self::open(pickle, key, context.as_ref())
            }
        }
    )+};
}

pickled!(Account, AccountState, 1);
pickled!(Session, SessionState, 2);
pickled!(GroupSession, GroupSessionState, 3);
pickled!(InboundGroupSession, InboundGroupSessionState, 4);
pickled!(ReplayGuard, ReplayGuardState, 5);
opened!(Account, Session, GroupSession, InboundGroupSession);

impl ReplayGuard {
    /// Opens a pickle, made with the same key and context, of this session's guard.
    ///
    /// Whoever can write to the store can put an older pickle of the same guard in its place:
    /// compare [`generation`](Self::generation) with the highest number that you have written.
    ///
    /// # Errors
    ///
    /// [`PickleError::OtherSession`] for the guard of another session, which somebody may have put
    /// in the place of this one (S-46); otherwise the same as for other objects.
    pub fn from_pickle(
        pickle: &str,
        key: &PickleKey,
        context: impl AsRef<[u8]>,
        session: &InboundGroupSession,
    ) -> Result<Self, PickleError> {
        let guard = Self::open(pickle, key, context.as_ref())?;
        if guard.state().signing_key == *session.signing_key() {
            Ok(guard)
        } else {
            Err(PickleError::OtherSession)
        }
    }
}
