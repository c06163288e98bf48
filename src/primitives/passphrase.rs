//! Argon2id (RFC 9106): a key from a passphrase, at a cost in time and memory.

use argon2::{Algorithm, Argon2, Params, Version};

use super::secret::Secret;

pub(crate) const SALT_LENGTH: usize = 16;

/// What a derivation costs.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cost {
    pub(crate) memory_kib: u32,
    pub(crate) passes: u32,
    pub(crate) lanes: u32,
}

/// `None` if Argon2 does not allow this cost.
pub(crate) fn derive(passphrase: &str, salt: &[u8; SALT_LENGTH], cost: Cost) -> Option<Secret<32>> {
    let Cost { memory_kib, passes, lanes } = cost;
    let params = Params::new(memory_kib, passes, lanes, Some(32)).ok()?;
    let mut key = Secret::default();
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(passphrase.as_bytes(), salt, key.as_mut_bytes())
        .ok()?;
    Some(key)
}
