//! Native pickles under a passphrase: the key is derived with Argon2id, and the parameters of the
//! derivation are stored with the pickle. Feature `passphrase`.
//!
//! ```text
//! argon2id.<memory in KiB>.<passes>.<lanes>.<base64 of the salt[16]>.<native pickle>
//! ```
//!
//! Everything before the native pickle is bound to it as part of its context.

use alloc::{format, string::String, vec::Vec};
use core::fmt;

use rand::TryCryptoRng;

use super::native::PickleKey;
#[cfg(feature = "std")]
use crate::primitives::rng;
use crate::{
    error::{PassphraseError, PickleError},
    megolm::{inbound::InboundGroupSession, outbound::GroupSession},
    olm::{account::Account, session::Session},
    primitives::{
        base64,
        passphrase::{Cost, SALT_LENGTH, derive},
        rng::draw,
        secret::Secret,
    },
};

/// What it costs to derive a key from a passphrase, and so to guess one.
///
/// The default is RFC 9106's second recommendation: 64 MiB, 3 passes, 4 lanes; some tenths of a second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PassphraseCost {
    /// Memory in KiB, at least 8 for each lane.
    pub memory_kib: u32,
    /// Passes over the memory, at least 1.
    pub passes: u32,
    /// Lanes, at least 1.
    pub lanes: u32,
}

impl PassphraseCost {
    /// The most that opening a pickle should allow: 1 GiB, 16 passes, 16 lanes. A hostile pickle could
    /// ask for more.
    pub const MAX: Self = Self { memory_kib: 1 << 20, passes: 16, lanes: 16 };

    const fn within(&self, limit: &Self) -> bool {
        self.memory_kib <= limit.memory_kib
            && self.passes <= limit.passes
            && self.lanes <= limit.lanes
    }
}

impl Default for PassphraseCost {
    fn default() -> Self {
        Self { memory_kib: 64 << 10, passes: 3, lanes: 4 }
    }
}

/// A pickle key that was derived from a passphrase, with the parameters of the derivation.
///
/// Deriving is slow, so do it once: one key serves all objects of a store.
///
/// ```
/// use moceril::olm::Account;
/// use moceril::{PassphraseCost, PassphraseKey};
///
/// # let cheap = PassphraseCost { memory_kib: 64, passes: 1, lanes: 1 };
/// # let _ = PassphraseCost::default();
/// let account = Account::new()?;
/// let key = PassphraseKey::new("correct horse battery staple", cheap)?;
/// let pickle = account.pickle_with_passphrase(&key, b"@alice:example.org")?;
///
/// let limit = PassphraseCost::MAX;
/// let key = PassphraseKey::for_pickle(&pickle, "correct horse battery staple", limit)?;
/// let restored = Account::from_passphrase_pickle(&pickle, &key, b"@alice:example.org")?;
/// assert_eq!(restored.identity_keys(), account.identity_keys());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct PassphraseKey {
    key: PickleKey,
    /// The text before the native pickle, with its last dot.
    header: String,
}

impl fmt::Debug for PassphraseKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PassphraseKey").field("header", &self.header).finish_non_exhaustive()
    }
}

impl PassphraseKey {
    /// Derives a key with a new salt.
    ///
    /// # Errors
    ///
    /// [`PassphraseError::Cost`] if Argon2 does not allow this cost; [`PassphraseError::Random`].
    #[cfg(feature = "std")]
    pub fn new(passphrase: &str, cost: PassphraseCost) -> Result<Self, PassphraseError> {
        Self::with_rng(passphrase, cost, &mut rng::system())
    }

    /// As `new`, with another source of randomness: it gives 16 bytes for the salt.
    ///
    /// # Errors
    ///
    /// See `new`.
    pub fn with_rng<R>(
        passphrase: &str,
        cost: PassphraseCost,
        rng: &mut R,
    ) -> Result<Self, PassphraseError>
    where
        R: TryCryptoRng + ?Sized,
    {
        Self::derive(passphrase, cost, &draw(rng)?)
    }

    /// Derives the key of a pickle. `limit` bounds what its parameters may cost:
    /// [`PassphraseCost::MAX`] is a good limit.
    ///
    /// # Errors
    ///
    /// [`PassphraseError::Format`] for a text that is no such pickle; [`PassphraseError::Cost`]. A wrong
    /// passphrase shows only when the pickle is opened.
    pub fn for_pickle(
        pickle: &str,
        passphrase: &str,
        limit: PassphraseCost,
    ) -> Result<Self, PassphraseError> {
        let mut parts = pickle.split('.');
        let mut next = || parts.next().ok_or(PassphraseError::Format);
        if next()? != ALGORITHM {
            return Err(PassphraseError::Format);
        }
        let cost = PassphraseCost {
            memory_kib: number(next()?)?,
            passes: number(next()?)?,
            lanes: number(next()?)?,
        };
        let salt = base64::decode_secret(next()?).map_err(|_| PassphraseError::Format)?;
        if !cost.within(&limit) {
            return Err(PassphraseError::Cost);
        }
        let key = Self::derive(passphrase, cost, &salt.ok_or(PassphraseError::Format)?)?;
        // Each number and the salt have one text.
        if pickle.starts_with(&key.header) { Ok(key) } else { Err(PassphraseError::Format) }
    }

    fn derive(
        passphrase: &str,
        cost: PassphraseCost,
        salt: &Secret<SALT_LENGTH>,
    ) -> Result<Self, PassphraseError> {
        let PassphraseCost { memory_kib, passes, lanes } = cost;
        let key = derive(passphrase, salt.as_bytes(), Cost { memory_kib, passes, lanes })
            .ok_or(PassphraseError::Cost)?;
        let salt = base64::encode(salt.as_bytes());
        Ok(Self {
            key: PickleKey::new(*key.as_bytes()),
            header: format!("{ALGORITHM}.{memory_kib}.{passes}.{lanes}.{salt}."),
        })
    }

    fn context(&self, context: &[u8]) -> Vec<u8> {
        [self.header.as_bytes(), context].concat()
    }
}

const ALGORITHM: &str = "argon2id";

fn number(text: &str) -> Result<u32, PassphraseError> {
    text.parse().map_err(|_| PassphraseError::Format)
}

/// The public methods, which are the same for every object.
macro_rules! passphrase_pickle {
    ($($object:ident),+) => {$(
        impl $object {
            /// As `pickle`, under a key from a passphrase; the text says how the key was derived.
            ///
            /// # Errors
            ///
            /// [`PickleError::Random`].
            #[cfg(feature = "std")]
            pub fn pickle_with_passphrase(
                &self,
                key: &PassphraseKey,
                context: &[u8],
            ) -> Result<String, PickleError> {
                let pickle = self.pickle(&key.key, &key.context(context))?;
                Ok([key.header.as_str(), &pickle].concat())
            }

            /// Opens such a pickle with its key.
            ///
            /// # Errors
            ///
            /// [`PickleError`]; also for a key with other parameters than the pickle's.
            pub fn from_passphrase_pickle(
                pickle: &str,
                key: &PassphraseKey,
                context: &[u8],
            ) -> Result<Self, PickleError> {
                let pickle = pickle.strip_prefix(&key.header).ok_or(PickleError::Authentication)?;
                Self::from_pickle(pickle, &key.key, &key.context(context))
            }
        }
    )+};
}

passphrase_pickle!(Account, Session, GroupSession, InboundGroupSession);
