//! Layer 0: the only folder that calls cryptography crates.
//!
//! Everything here is `pub(crate)`. Each file wraps one primitive so that higher layers cannot
//! misuse it: keys are checked when they are parsed, a ciphertext is decrypted only after its MAC
//! was verified, and secrets wipe themselves.

pub(crate) mod aead;
pub(crate) mod base64;
pub(crate) mod curve25519;
pub(crate) mod ed25519;
#[cfg(feature = "key-export")]
pub(crate) mod export;
#[cfg(feature = "hpke")]
pub(crate) mod hpke;
pub(crate) mod kdf;
#[cfg(feature = "passphrase")]
pub(crate) mod passphrase;
pub(crate) mod rng;
pub(crate) mod seal;
pub(crate) mod secret;
pub(crate) mod verdict;
pub(crate) mod x25519;

#[cfg(test)]
mod vectors;
#[cfg(test)]
pub(crate) mod work;
#[cfg(test)]
mod wycheproof;
