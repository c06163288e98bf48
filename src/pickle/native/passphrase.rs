//! Native pickles under a passphrase: the key is derived with Argon2id, and the parameters of the
//! derivation are stored with the pickle. Feature `passphrase`.
//!
//! ```text
//! 2.argon2id.<memory in KiB>.<passes>.<lanes>.<salt[16]>.<commitment[32]>.<native pickle>
//! ```
//!
//! Salt and commitment are unpadded base64. The first 32 bytes of Argon2id's output are the key,
//! the next 32 the commitment. Everything before the native pickle is bound to it as part of its
//! context.
//!
//! Why a commitment (S-46): XChaCha20-Poly1305 does not commit to its key, so an attacker can make
//! a text that opens under two keys, and whoever tries to open it reveals, by success or failure,
//! which half of a list of passphrases contains theirs. (Len, Grubbs, Ristenpart: "Partitioning
//! Oracle Attacks", 2021.) The commitment is compared before anything is decrypted.
//!
//! Version 1, which no release wrote, began with `argon2id.` and had no commitment; it is refused
//! as [`PassphraseError::Version`].

use alloc::{format, string::String, vec::Vec};
use core::{fmt, str::FromStr};

use rand::TryCryptoRng;

use super::PickleKey;
#[cfg(feature = "std")]
use crate::primitives::rng;
use crate::{
    error::{PickleError, RandomError, texts},
    megolm::{inbound::InboundGroupSession, outbound::GroupSession, replay::ReplayGuard},
    olm::{account::Account, session::Session},
    primitives::{
        argon2::{COMMITMENT_LENGTH, Cost, Derived, SALT_LENGTH, WrongPassphrase, derive},
        base64,
        rng::draw,
        secret::Secret,
    },
};

/// The cost of deriving a key from a passphrase, and so of guessing one.
///
/// The default is RFC 9106's second recommendation: 64 MiB, 3 passes, 4 lanes; some tenths of a
/// second.
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
    /// The least that a new key may cost: 19 MiB, 2 passes, 1 lane, the least that OWASP's
    /// "Password Storage Cheat Sheet" recommends for Argon2id. Each of the three numbers counts.
    pub const MINIMUM: Self = Self { memory_kib: 19 << 10, passes: 2, lanes: 1 };

    /// A good limit for opening pickles, even on a phone: 128 MiB, 4 passes, 8 lanes. That is twice
    /// the memory and less than three times the work of the default: 0.7 s of one core of a server,
    /// where the default takes 0.2 s.
    ///
    /// The text states the cost of its derivation before anything can be verified, so whoever can
    /// replace a pickle makes us spend as much as the limit allows. Raise it only for pickles that
    /// you wrote at a higher cost.
    pub const RECOMMENDED_LIMIT: Self = Self { memory_kib: 128 << 10, passes: 4, lanes: 8 };

    /// Whether no number is above that of `limit`.
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
/// use moceril::{PassphraseCost, PassphraseError, PassphraseKey};
///
/// # let cost = PassphraseCost::MINIMUM; // so that the documentation is tested in reasonable time
/// # let _ = PassphraseCost::default();
/// let account = Account::new()?;
/// let key = PassphraseKey::new("correct horse battery staple", cost)?;
/// let pickle = account.pickle_with_passphrase(&key, b"@alice:example.org")?;
///
/// let limit = PassphraseCost::RECOMMENDED_LIMIT;
/// let key = PassphraseKey::for_pickle(&pickle, "correct horse battery staple", limit)?;
/// let restored = Account::from_passphrase_pickle(&pickle, &key, b"@alice:example.org")?;
/// assert_eq!(restored.identity_keys(), account.identity_keys());
///
/// let wrong = PassphraseKey::for_pickle(&pickle, "correct horse", limit);
/// assert_eq!(wrong.unwrap_err(), PassphraseError::WrongPassphrase);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct PassphraseKey {
    key: PickleKey,
    cost: PassphraseCost,
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
    /// [`PassphraseError::EmptyPassphrase`]; [`PassphraseError::LowCost`] for a cost below
    /// [`PassphraseCost::MINIMUM`]; [`PassphraseError::Cost`] if Argon2 does not allow this cost;
    /// [`PassphraseError::Random`].
    #[cfg(feature = "std")]
    pub fn new(passphrase: &str, cost: PassphraseCost) -> Result<Self, PassphraseError> {
        Self::with_rng(passphrase, cost, &mut rng::system())
    }

    /// Like `new`, but with the caller's source of randomness, which gives 16 bytes for the salt.
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
        if passphrase.is_empty() {
            return Err(PassphraseError::EmptyPassphrase);
        }
        if !PassphraseCost::MINIMUM.within(&cost) {
            return Err(PassphraseError::LowCost);
        }
        Self::weak_with_rng(passphrase, cost, rng)
    }

    /// Like `new`, but also allows an empty passphrase and a cost below
    /// [`PassphraseCost::MINIMUM`]: for tests, and for devices that cannot afford the minimum. Such
    /// a key protects little.
    ///
    /// # Errors
    ///
    /// [`PassphraseError::Cost`] if Argon2 does not allow this cost; [`PassphraseError::Random`].
    #[cfg(feature = "std")]
    pub fn weak(passphrase: &str, cost: PassphraseCost) -> Result<Self, PassphraseError> {
        Self::weak_with_rng(passphrase, cost, &mut rng::system())
    }

    /// Like `weak`, but with the caller's source of randomness, which gives 16 bytes for the salt.
    ///
    /// # Errors
    ///
    /// See `weak`.
    pub fn weak_with_rng<R>(
        passphrase: &str,
        cost: PassphraseCost,
        rng: &mut R,
    ) -> Result<Self, PassphraseError>
    where
        R: TryCryptoRng + ?Sized,
    {
        let salt = draw(rng)?;
        let derived = Self::derive(passphrase, cost, &salt)?;
        Ok(Self::from_parts(&derived.key, cost, &salt, &derived.commitment))
    }

    /// Derives the key of a pickle. `limit` bounds what its parameters may cost:
    /// [`PassphraseCost::RECOMMENDED_LIMIT`] is a good limit.
    ///
    /// What is pickled with this key has the cost of that pickle, even if it is below
    /// [`PassphraseCost::MINIMUM`]: see [`cost`](Self::cost).
    ///
    /// # Errors
    ///
    /// [`PassphraseError::Format`] for a text that is not such a pickle,
    /// [`PassphraseError::Version`] for one of another version; [`PassphraseError::Cost`];
    /// [`PassphraseError::WrongPassphrase`], also if the parameters were altered.
    pub fn for_pickle(
        pickle: &str,
        passphrase: &str,
        limit: PassphraseCost,
    ) -> Result<Self, PassphraseError> {
        let mut parts = pickle.split('.');
        let mut next = || parts.next().ok_or(PassphraseError::Format);
        match next()? {
            // Version 1 had no number.
            ALGORITHM => return Err(PassphraseError::Version(1)),
            version => match number(version)? {
                VERSION => {}
                other => return Err(PassphraseError::Version(other)),
            },
        }
        if next()? != ALGORITHM {
            return Err(PassphraseError::Format);
        }
        let cost = PassphraseCost {
            memory_kib: number(next()?)?,
            passes: number(next()?)?,
            lanes: number(next()?)?,
        };
        let salt = fixed::<SALT_LENGTH>(next()?)?;
        let commitment = fixed::<COMMITMENT_LENGTH>(next()?)?;
        // The native pickle, whose presence the last dot shows.
        next()?;
        if !cost.within(&limit) {
            return Err(PassphraseError::Cost);
        }
        let derived = Self::derive(passphrase, cost, &salt)?;
        let key = derived
            .if_committed(&commitment, |key| Self::from_parts(key, cost, &salt, &commitment))
            .map_err(|WrongPassphrase| PassphraseError::WrongPassphrase)?;
        // Each number, the salt and the commitment have only one text.
        if pickle.starts_with(&key.header) { Ok(key) } else { Err(PassphraseError::Format) }
    }

    /// The cost of deriving this key.
    #[must_use]
    pub const fn cost(&self) -> PassphraseCost {
        self.cost
    }

    fn derive(
        passphrase: &str,
        cost: PassphraseCost,
        salt: &Secret<SALT_LENGTH>,
    ) -> Result<Derived, PassphraseError> {
        let PassphraseCost { memory_kib, passes, lanes } = cost;
        derive(passphrase, salt.as_bytes(), Cost { memory_kib, passes, lanes })
            .ok_or(PassphraseError::Cost)
    }

    fn from_parts(
        key: &Secret<32>,
        cost: PassphraseCost,
        salt: &Secret<SALT_LENGTH>,
        commitment: &Secret<COMMITMENT_LENGTH>,
    ) -> Self {
        let PassphraseCost { memory_kib, passes, lanes } = cost;
        let salt = base64::encode(salt.as_bytes());
        let commitment = base64::encode(commitment.as_bytes());
        Self {
            key: PickleKey::copy_of(key),
            cost,
            header: format!(
                "{VERSION}.{ALGORITHM}.{memory_kib}.{passes}.{lanes}.{salt}.{commitment}."
            ),
        }
    }

    fn context(&self, context: &[u8]) -> Vec<u8> {
        [self.header.as_bytes(), context].concat()
    }

    /// The native pickle in a pickle under this key.
    fn native<'a>(&self, pickle: &'a str) -> Result<&'a str, PickleError> {
        pickle.strip_prefix(&self.header).ok_or(PickleError::Authentication)
    }
}

const VERSION: u8 = 2;
const ALGORITHM: &str = "argon2id";

fn number<T: FromStr>(text: &str) -> Result<T, PassphraseError> {
    text.parse().map_err(|_| PassphraseError::Format)
}

fn fixed<const N: usize>(text: &str) -> Result<Secret<N>, PassphraseError> {
    base64::decode_secret(text).ok().flatten().ok_or(PassphraseError::Format)
}

/// The public method to pickle, which is the same for every object.
macro_rules! passphrase_pickle {
    ($($object:ident),+) => {$(
        impl $object {
            /// Like `pickle`, but under a key from a passphrase; the text says how the key was
            /// derived.
            ///
            /// # Errors
            ///
            /// [`PickleError::Random`].
            #[cfg(feature = "std")]
            pub fn pickle_with_passphrase(
                &self,
                key: &PassphraseKey,
                context: impl AsRef<[u8]>,
            ) -> Result<String, PickleError> {
                self.pickle_with_passphrase_with_rng(key, context, &mut rng::system())
            }

            /// As `pickle_with_passphrase`, with another source of randomness: it gives 24 bytes
            /// for the nonce, which must never repeat.
            ///
            /// # Errors
            ///
            /// [`PickleError::Random`].
            pub fn pickle_with_passphrase_with_rng<R>(
                &self,
                key: &PassphraseKey,
                context: impl AsRef<[u8]>,
                rng: &mut R,
            ) -> Result<String, PickleError>
            where
                R: TryCryptoRng + ?Sized,
            {
                let context = key.context(context.as_ref());
                let pickle = self.pickle_with_rng(&key.key, context, rng)?;
                Ok([key.header.as_str(), &pickle].concat())
            }
        }
    )+};
}

/// The public method to open the pickle of an object that does not belong to another object.
macro_rules! from_passphrase_pickle {
    ($($object:ident),+) => {$(
        impl $object {
            /// Opens such a pickle with its key.
            ///
            /// # Errors
            ///
            /// [`PickleError`]; also for a key with other parameters than the pickle's.
            pub fn from_passphrase_pickle(
                pickle: &str,
                key: &PassphraseKey,
                context: impl AsRef<[u8]>,
            ) -> Result<Self, PickleError> {
                Self::from_pickle(key.native(pickle)?, &key.key, key.context(context.as_ref()))
            }
        }
    )+};
}

passphrase_pickle!(Account, Session, GroupSession, InboundGroupSession, ReplayGuard);
from_passphrase_pickle!(Account, Session, GroupSession, InboundGroupSession);

impl ReplayGuard {
    /// Opens such a pickle of this session's guard with its key.
    ///
    /// # Errors
    ///
    /// [`PickleError`], as for [`from_pickle`](Self::from_pickle); also for a key with other
    /// parameters than the pickle's.
    pub fn from_passphrase_pickle(
        pickle: &str,
        key: &PassphraseKey,
        context: impl AsRef<[u8]>,
        session: &InboundGroupSession,
    ) -> Result<Self, PickleError> {
        Self::from_pickle(key.native(pickle)?, &key.key, key.context(context.as_ref()), session)
    }
}

/// No key could be derived from a passphrase.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PassphraseError {
    /// The text is not a pickle under a passphrase.
    Format,
    /// The text has a version that this library does not know.
    Version(u8),
    /// The cost is beyond the caller's limit or not allowed by Argon2, or there is not enough
    /// memory.
    Cost,
    /// A new key would cost less than [`PassphraseCost::MINIMUM`](crate::PassphraseCost::MINIMUM).
    LowCost,
    /// A new key would have an empty passphrase.
    EmptyPassphrase,
    /// The passphrase is wrong, or the text before the native pickle was altered; both look the
    /// same.
    WrongPassphrase,
    /// The random source failed.
    Random,
}

texts!(PassphraseError {
    Self::Format => "not a pickle under a passphrase";
    Self::Version(found) => "unknown version {found} of a pickle under a passphrase";
    Self::Cost => "the cost of the key derivation is not allowed";
    Self::LowCost => "the cost of the key derivation is below the minimum for a new key";
    Self::EmptyPassphrase => "the passphrase is empty";
    Self::WrongPassphrase =>
        "wrong passphrase, or the parameters of the key derivation were altered";
    Self::Random => "the random source failed";
});

impl From<RandomError> for PassphraseError {
    fn from(_: RandomError) -> Self {
        Self::Random
    }
}
