//! Argon2id (RFC 9106): a key from a passphrase, at a cost in time and memory.

use alloc::vec::Vec;

use argon2::{Algorithm, Argon2, Block, Params, Version};
use zeroize::Zeroizing;

use super::secret::Secret;

pub(crate) const SALT_LENGTH: usize = 16;

/// What a derivation costs.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cost {
    pub(crate) memory_kib: u32,
    pub(crate) passes: u32,
    pub(crate) lanes: u32,
}

/// `None` if Argon2 does not allow this cost, or there is not as much memory.
///
/// The memory is ours, and wiped: whoever has its last block can compute the key (S-25).
pub(crate) fn derive(passphrase: &str, salt: &[u8; SALT_LENGTH], cost: Cost) -> Option<Secret<32>> {
    let Cost { memory_kib, passes, lanes } = cost;
    let params = Params::new(memory_kib, passes, lanes, Some(32)).ok()?;
    let mut memory = Zeroizing::new(Vec::new());
    memory.try_reserve_exact(params.block_count()).ok()?;
    memory.resize(params.block_count(), Block::new());
    let mut key = Secret::default();
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into_with_memory(
            passphrase.as_bytes(),
            salt,
            key.as_mut_bytes(),
            memory.as_mut_slice(),
        )
        .ok()?;
    Some(key)
}
