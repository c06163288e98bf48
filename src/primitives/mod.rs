//! Floor 0: the only folder that talks to cryptography crates.
//!
//! Everything here is `pub(crate)`. Each file wraps one primitive so tightly that the floors above
//! cannot use it wrongly: keys are checked when they are parsed, ciphertexts are opened only after
//! their MAC, secrets wipe themselves.

pub(crate) mod aead;
pub(crate) mod base64;
pub(crate) mod curve25519;
pub(crate) mod ed25519;
pub(crate) mod kdf;
pub(crate) mod rng;
pub(crate) mod seal;
pub(crate) mod secret;

#[cfg(test)]
mod vectors;
#[cfg(test)]
mod wycheproof;
