//! Layer 0: the only folder that calls cryptography crates.
//!
//! Everything here is `pub(crate)`. Each file wraps one primitive so that higher layers cannot
//! misuse it: keys are checked when they are parsed, a ciphertext is decrypted only after its MAC
//! was verified, and secrets wipe themselves.

#[cfg(feature = "passphrase")]
pub(crate) mod argon2;
mod backend;
#[cfg(feature = "backup")]
pub(crate) mod base58;
pub(crate) mod base64;
pub(crate) mod cbc_hmac;
pub(crate) mod chacha20poly1305;
#[cfg(feature = "key-export")]
pub(crate) mod ctr_hmac;
pub(crate) mod ed25519;
pub(crate) mod edwards;
#[cfg(feature = "hpke")]
pub(crate) mod hpke;
pub(crate) mod kdf;
pub(crate) mod rng;
pub(crate) mod secret;
pub(crate) mod stack;
pub(crate) mod verdict;
pub(crate) mod x25519;

#[cfg(test)]
mod tests;
#[cfg(test)]
pub(crate) mod work;
