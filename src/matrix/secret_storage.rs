//! Secret storage, `m.secret_storage.v1.aes-hmac-sha2`: secrets in the account data of a user,
//! encrypted with a key that only the user has. Feature `matrix`.
//!
//! The keys of the backup and of cross-signing are usually stored this way. The user writes the key
//! of the storage down as a [recovery key](super::recovery_key), or derives it from a passphrase.
//!
//! ```text
//! AES key[32] || HMAC key[32] = HKDF-SHA-256(key, 32 zero bytes as salt, the secret's name)
//! ciphertext = AES-256-CTR(secret), mac = HMAC-SHA-256(ciphertext)
//! ```
//!
//! The name under which a secret is stored is authenticated, so the server cannot exchange two
//! secrets. It can restore an earlier one. The IV is not authenticated: see
//! [`SecretStorageKey::decrypt`].
//!
//! ```
//! use moceril::{
//!     SecretString,
//!     secret_storage::{EncryptedSecret, KeyDescription, SecretStorageKey},
//! };
//!
//! // A device of the user makes the storage and puts a secret into it.
//! let key = SecretStorageKey::new()?;
//! let written_down = key.to_recovery_key();
//! let description = KeyDescription::of(&key)?.to_json();
//! let secret = SecretString::from(String::from("dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LCo"));
//! let stored = key.encrypt("m.megolm_backup.v1", &secret)?.to_json();
//!
//! // Another device reads it.
//! let key = SecretStorageKey::from_recovery_key(&written_down)?;
//! assert!(KeyDescription::from_json(&description)?.check(&key)?);
//! let secret = key.decrypt("m.megolm_backup.v1", &EncryptedSecret::from_json(&stored)?)?;
//! assert!(secret.starts_with("dwdtCnMY"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Spec: Matrix specification, "Secret storage".

use alloc::{
    boxed::Box,
    string::{String, ToString},
    vec::Vec,
};
use core::fmt;

use rand::TryCryptoRng;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::recovery_key::{self, RecoveryKeyError};
#[cfg(feature = "std")]
use crate::primitives::rng;
use crate::{
    error::{Base64Error, RandomError, texts},
    primitives::{
        base64,
        ctr_hmac::{self, Forged, IV_LENGTH, Keys, TAG_LENGTH},
        kdf::pbkdf2_sha512,
        rng::draw,
        secret::{Secret, SecretString},
        stack::{MEDIUM, MOVES, SHALLOW, wiped_below},
    },
};

const ALGORITHM: &str = "m.secret_storage.v1.aes-hmac-sha2";
const PASSPHRASE_ALGORITHM: &str = "m.pbkdf2";
/// The length of a key in bits, which a passphrase's parameters may state.
const BITS: u64 = 256;
/// The number of zeros that are encrypted, under the empty name, to check a key.
const CHECKED_LENGTH: usize = 32;

/// The number of iterations that a new passphrase should have. Each guess at the passphrase then
/// costs as many iterations of PBKDF2.
pub const DEFAULT_ITERATIONS: u32 = 500_000;

/// The most iterations that reading should allow. A hostile server can ask for 2^32 - 1, which is
/// 859 times as much work.
pub const MAX_ITERATIONS: u32 = 5_000_000;

/// The key of a secret storage. Everyone who has it can read all secrets in it.
///
/// It is in a heap block that is wiped on drop.
pub struct SecretStorageKey(Box<Secret<32>>);

impl SecretStorageKey {
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
        wiped_below::<MOVES, _>(|| draw(rng).map(|secret| Self(Box::new(secret))))
    }

    /// Makes the key from these 32 bytes; any bytes are valid. The caller must wipe its own copy.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        wiped_below::<MOVES, _>(|| Self(Box::new(Secret::new(bytes))))
    }

    /// Reads the key from a recovery key. ASCII white space is ignored.
    ///
    /// # Errors
    ///
    /// [`RecoveryKeyError`].
    pub fn from_recovery_key(text: &str) -> Result<Self, RecoveryKeyError> {
        wiped_below::<SHALLOW, _>(|| recovery_key::decode(text).map(|it| Self(Box::new(it))))
    }

    /// Derives the key from a passphrase.
    ///
    /// The server states how many iterations of hashing this takes, before anything can be
    /// verified: more than `max_iterations` are refused. [`MAX_ITERATIONS`] is a good limit. Only
    /// [`KeyDescription::check`] shows whether the passphrase is right.
    ///
    /// # Errors
    ///
    /// [`SecretStorageError::EmptyPassphrase`]; [`SecretStorageError::Iterations`].
    pub fn from_passphrase(
        passphrase: &str,
        parameters: &PassphraseParameters,
        max_iterations: u32,
    ) -> Result<Self, SecretStorageError> {
        let iterations = parameters.iterations;
        if passphrase.is_empty() {
            return Err(SecretStorageError::EmptyPassphrase);
        }
        if iterations == 0 || iterations > max_iterations {
            return Err(SecretStorageError::Iterations { iterations, maximum: max_iterations });
        }
        let derive = || pbkdf2_sha512(passphrase, parameters.salt.as_bytes(), iterations);
        Ok(wiped_below::<SHALLOW, _>(|| Self(Box::new(derive()))))
    }

    /// The 32 bytes of the key. The caller must wipe them.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; 32] {
        *self.0.as_bytes()
    }

    /// The key as a recovery key: 48 letters in groups of four, wiped on drop.
    #[must_use]
    pub fn to_recovery_key(&self) -> SecretString {
        recovery_key::encode(self.0.as_bytes())
    }

    /// Encrypts a secret under its name, which is the type of the account data that holds it.
    ///
    /// # Errors
    ///
    /// [`RandomError`].
    #[cfg(feature = "std")]
    pub fn encrypt(
        &self,
        name: &str,
        secret: &SecretString,
    ) -> Result<EncryptedSecret, RandomError> {
        self.encrypt_with_rng(name, secret, &mut rng::system())
    }

    /// Like `encrypt`, but with the caller's source of randomness, which gives the 16 bytes of the
    /// IV. They must never be used twice.
    ///
    /// # Errors
    ///
    /// [`RandomError`].
    pub fn encrypt_with_rng<R: TryCryptoRng + ?Sized>(
        &self,
        name: &str,
        secret: &SecretString,
        rng: &mut R,
    ) -> Result<EncryptedSecret, RandomError> {
        let iv = ctr_hmac::draw_iv(rng)?;
        let (ciphertext, mac) = self.seal(name, &iv, secret.as_bytes());
        Ok(EncryptedSecret { iv, ciphertext, mac })
    }

    fn seal(
        &self,
        name: &str,
        iv: &[u8; IV_LENGTH],
        plaintext: &[u8],
    ) -> (Vec<u8>, [u8; TAG_LENGTH]) {
        let mut plaintext = Zeroizing::new(plaintext.to_vec());
        wiped_below::<MEDIUM, _>(|| ctr_hmac::seal(&self.keys(name), iv, &[], &mut plaintext))
    }

    /// Decrypts the secret that is stored under this name.
    ///
    /// The MAC covers the ciphertext and the name, not the IV: with an altered IV the result is
    /// [`SecretStorageError::NotText`] or, for a short secret, another text. Check the result, for
    /// example against the public key.
    ///
    /// # Errors
    ///
    /// [`SecretStorageError::Authentication`] for a secret of another key or another name, or one
    /// whose ciphertext or MAC was altered; [`SecretStorageError::NotText`].
    pub fn decrypt(
        &self,
        name: &str,
        secret: &EncryptedSecret,
    ) -> Result<SecretString, SecretStorageError> {
        let EncryptedSecret { iv, ciphertext, mac } = secret;
        let open = || ctr_hmac::open(&self.keys(name), iv, 0, ciphertext, mac);
        let plaintext =
            wiped_below::<MEDIUM, _>(open).map_err(|Forged| SecretStorageError::Authentication)?;
        SecretString::from_utf8(plaintext).ok_or(SecretStorageError::NotText)
    }

    fn keys(&self, name: &str) -> Keys {
        Keys::from_secret(&self.0, name)
    }
}

impl fmt::Debug for SecretStorageKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecretStorageKey").finish_non_exhaustive()
    }
}

/// A secret in its stored form: a member of `encrypted` in the account data, under the id of its
/// key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EncryptedSecret {
    /// The IV of AES-CTR.
    pub iv: [u8; IV_LENGTH],
    /// As long as the secret.
    pub ciphertext: Vec<u8>,
    /// The MAC over the ciphertext.
    pub mac: [u8; TAG_LENGTH],
}

impl EncryptedSecret {
    /// Reads the members `iv`, `ciphertext` and `mac`, in base64 with or without padding.
    ///
    /// # Errors
    ///
    /// [`SecretStorageError::Malformed`], [`SecretStorageError::Base64`],
    /// [`SecretStorageError::Length`].
    pub fn from_json(object: &Value) -> Result<Self, SecretStorageError> {
        let ciphertext = base64::decode(text(object, "ciphertext")?)?;
        Ok(Self { iv: array(object, "iv")?, ciphertext, mac: array(object, "mac")? })
    }

    /// The three members, in unpadded base64.
    #[must_use]
    pub fn to_json(&self) -> Value {
        json!({
            "iv": base64::encode(&self.iv),
            "ciphertext": base64::encode(&self.ciphertext),
            "mac": base64::encode(&self.mac),
        })
    }
}

/// What the account data says about a key: the content of `m.secret_storage.key.` and the key's id.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyDescription {
    /// A name by which the user knows the key.
    pub name: Option<String>,
    /// The parameters from which the key is derived, if the user has a passphrase. `None` also if
    /// the key is derived in an unknown way.
    pub passphrase: Option<PassphraseParameters>,
    /// The values with which a key is checked: an IV, and the MAC over encrypted zeros. Without
    /// both of them, only decrypting a secret shows whether a key is the right one.
    pub check: Option<([u8; IV_LENGTH], [u8; TAG_LENGTH])>,
}

impl KeyDescription {
    /// Describes a key, so that it can be checked.
    ///
    /// # Errors
    ///
    /// [`RandomError`].
    #[cfg(feature = "std")]
    pub fn of(key: &SecretStorageKey) -> Result<Self, RandomError> {
        Self::of_with_rng(key, &mut rng::system())
    }

    /// Like `of`, but with the caller's source of randomness, which gives the 16 bytes of an IV.
    ///
    /// # Errors
    ///
    /// [`RandomError`].
    pub fn of_with_rng<R: TryCryptoRng + ?Sized>(
        key: &SecretStorageKey,
        rng: &mut R,
    ) -> Result<Self, RandomError> {
        let iv = ctr_hmac::draw_iv(rng)?;
        let (_, mac) = key.seal("", &iv, &[0; CHECKED_LENGTH]);
        Ok(Self { name: None, passphrase: None, check: Some((iv, mac)) })
    }

    /// Checks that a key is the described one. Returns `false` if the description has nothing to
    /// check it with. The specification tells clients to assume that such a key is right; only
    /// decrypting a secret shows whether it is.
    ///
    /// # Errors
    ///
    /// [`SecretStorageError::Authentication`] for another key.
    pub fn check(&self, key: &SecretStorageKey) -> Result<bool, SecretStorageError> {
        let Some((iv, mac)) = &self.check else { return Ok(false) };
        let (_, expected) = key.seal("", iv, &[0; CHECKED_LENGTH]);
        let refusal = SecretStorageError::Authentication;
        Secret::new(expected).if_equal(&Secret::new(*mac), refusal, || Ok(true))
    }

    /// Reads the content of the account data. Members that are not described here are ignored, and
    /// a member that is `null` counts as missing. So does an `iv` or a `mac` that is empty, and one
    /// of them alone cannot be used. Of a longer IV the first 16 bytes count, as for the programs
    /// that have written such.
    ///
    /// # Errors
    ///
    /// [`SecretStorageError::Algorithm`] for another algorithm than that of this module;
    /// `Malformed`, `Base64`, `Length`.
    pub fn from_json(object: &Value) -> Result<Self, SecretStorageError> {
        if text(object, "algorithm")? != ALGORITHM {
            return Err(SecretStorageError::Algorithm);
        }
        let name = member(object, "name").map(|_| text(object, "name")).transpose()?;
        let passphrase = member(object, "passphrase").map(PassphraseParameters::from_json);
        let is_there = |name| {
            member(object, name).map_or(Ok(false), |_| text(object, name).map(|it| !it.is_empty()))
        };
        let check = match (is_there("iv")?, is_there("mac")?) {
            (true, true) => Some((first_bytes(object, "iv")?, array(object, "mac")?)),
            _ => None,
        };
        let name = name.map(str::to_string);
        Ok(Self { name, passphrase: passphrase.transpose()?.flatten(), check })
    }

    /// The content of the account data.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut object = serde_json::Map::new();
        let mut insert = |name: &str, value| drop(object.insert(name.to_string(), value));
        insert("algorithm", json!(ALGORITHM));
        if let Some(name) = &self.name {
            insert("name", json!(name));
        }
        if let Some(parameters) = &self.passphrase {
            insert("passphrase", parameters.to_json());
        }
        if let Some((iv, mac)) = &self.check {
            insert("iv", json!(base64::encode(iv)));
            insert("mac", json!(base64::encode(mac)));
        }
        Value::Object(object)
    }
}

/// How a key is derived from a passphrase: PBKDF2-HMAC-SHA-512, the algorithm `m.pbkdf2`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PassphraseParameters {
    /// The salt, which is text.
    pub salt: String,
    /// How many times it is hashed.
    pub iterations: u32,
}

impl PassphraseParameters {
    /// Parameters for a new passphrase: a random salt, and [`DEFAULT_ITERATIONS`].
    ///
    /// # Errors
    ///
    /// [`RandomError`].
    #[cfg(feature = "std")]
    pub fn new() -> Result<Self, RandomError> {
        Self::with_rng(&mut rng::system())
    }

    /// Like `new`, but with the caller's source of randomness, which gives 24 bytes.
    ///
    /// # Errors
    ///
    /// [`RandomError`].
    pub fn with_rng<R: TryCryptoRng + ?Sized>(rng: &mut R) -> Result<Self, RandomError> {
        let salt = base64::encode(draw::<24, _>(rng)?.as_bytes());
        Ok(Self { salt, iterations: DEFAULT_ITERATIONS })
    }

    /// `None` if the key is derived in another way. Its description can then be used with the key
    /// itself.
    fn from_json(object: &Value) -> Result<Option<Self>, SecretStorageError> {
        if text(object, "algorithm")? != PASSPHRASE_ALGORITHM {
            return Ok(None);
        }
        if let Some(bits) = member(object, "bits")
            && bits.as_u64().ok_or(SecretStorageError::Malformed("bits"))? != BITS
        {
            return Ok(None);
        }
        let iterations = object.get("iterations").and_then(Value::as_u64);
        let iterations = iterations.and_then(|iterations| u32::try_from(iterations).ok());
        let iterations = iterations.ok_or(SecretStorageError::Malformed("iterations"))?;
        Ok(Some(Self { salt: text(object, "salt")?.to_string(), iterations }))
    }

    fn to_json(&self) -> Value {
        json!({
            "algorithm": PASSPHRASE_ALGORITHM,
            "salt": self.salt,
            "iterations": self.iterations,
        })
    }
}

/// The member of this name, unless it is `null`.
fn member<'a>(object: &'a Value, name: &str) -> Option<&'a Value> {
    object.get(name).filter(|value| !value.is_null())
}

fn text<'a>(object: &'a Value, name: &'static str) -> Result<&'a str, SecretStorageError> {
    object.get(name).and_then(Value::as_str).ok_or(SecretStorageError::Malformed(name))
}

/// The first bytes of a member, which may have more.
fn first_bytes<const N: usize>(
    object: &Value,
    name: &'static str,
) -> Result<[u8; N], SecretStorageError> {
    let bytes = base64::decode(text(object, name)?)?;
    let found = bytes.len();
    bytes.first_chunk().copied().ok_or(SecretStorageError::Length { name, expected: N, found })
}

fn array<const N: usize>(
    object: &Value,
    name: &'static str,
) -> Result<[u8; N], SecretStorageError> {
    let bytes = base64::decode(text(object, name)?)?;
    let found = bytes.len();
    bytes.try_into().map_err(|_| SecretStorageError::Length { name, expected: N, found })
}

/// A stored secret, or the description of its key, cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SecretStorageError {
    /// This member is missing, or has a wrong type.
    Malformed(&'static str),
    /// This member has another length than it must have.
    Length {
        /// The name of the member.
        name: &'static str,
        /// The length that it must have, in bytes.
        expected: usize,
        /// The length that it has, in bytes.
        found: usize,
    },
    /// A member is not valid base64.
    Base64(Base64Error),
    /// The algorithm of the key is not that of this module.
    Algorithm,
    /// Wrong key or wrong passphrase, another name, or the ciphertext or MAC was altered.
    Authentication,
    /// The secret is not UTF-8.
    NotText,
    /// The passphrase is empty.
    EmptyPassphrase,
    /// The iterations of hashing are zero, or more than the caller allows.
    Iterations {
        /// The number that the parameters ask for.
        iterations: u32,
        /// The highest allowed number.
        maximum: u32,
    },
}

texts!(SecretStorageError {
    Self::Malformed(name) => "the member {name} of the secret storage is missing or malformed";
    Self::Length { name, expected, found } =>
        "the member {name} of the secret storage has {expected} bytes, not {found}";
    Self::Base64(_) => "a member of the secret storage is not valid base64";
    Self::Algorithm => "the secret storage has an unknown algorithm";
    Self::Authentication => "wrong key of the secret storage, or the secret was altered";
    Self::NotText => "the secret is not UTF-8";
    Self::EmptyPassphrase => "the passphrase is empty";
    Self::Iterations { iterations, maximum } =>
        "{iterations} iterations of hashing, allowed are 1 to {maximum}";
} caused by Base64);

impl From<Base64Error> for SecretStorageError {
    fn from(error: Base64Error) -> Self {
        Self::Base64(error)
    }
}
