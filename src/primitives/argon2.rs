//! Argon2id (RFC 9106): derives a key from a passphrase, at a cost in time and memory.

use alloc::vec::Vec;

use argon2::{Algorithm, Argon2, Block, Params, Version};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::{secret::Secret, verdict::if_equal};

pub(crate) const SALT_LENGTH: usize = 16;
/// 32 bytes, because an attacker who looks for two passphrases with the same commitment chooses
/// both: that takes 2^128 derivations with 32 bytes, and 2^64 with 16.
pub(crate) const COMMITMENT_LENGTH: usize = 32;

/// What a derivation costs.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cost {
    pub(crate) memory_kib: u32,
    pub(crate) passes: u32,
    pub(crate) lanes: u32,
}

/// The result of a derivation: a key, and a commitment to it, which may be public.
pub(crate) struct Derived {
    pub(crate) key: Secret<32>,
    pub(crate) commitment: Secret<COMMITMENT_LENGTH>,
}

/// The passphrase has another commitment.
pub(crate) struct WrongPassphrase;

impl Derived {
    /// Returns `accepted(key)` if this is its commitment. The comparison is in constant time
    /// (S-26).
    pub(crate) fn if_committed<T>(
        &self,
        commitment: &Secret<COMMITMENT_LENGTH>,
        accepted: impl FnOnce(&Secret<32>) -> T,
    ) -> Result<T, WrongPassphrase> {
        let equal = self.commitment.as_bytes().ct_eq(commitment.as_bytes());
        if_equal(equal, WrongPassphrase, || Ok(accepted(&self.key)))
    }
}

/// `None` if Argon2 does not allow this cost, or there is not enough memory.
///
/// The key is the first half of 64 bytes of output, the commitment the second half. The output is
/// one BLAKE2b hash of Argon2id's last block, so neither half reveals anything about the other, and
/// two passphrases with the same commitment are a collision of 32 bytes.
///
/// We allocate the memory and wipe it: whoever has its last block can compute the key (S-25).
pub(crate) fn derive(passphrase: &str, salt: &[u8; SALT_LENGTH], cost: Cost) -> Option<Derived> {
    let Cost { memory_kib, passes, lanes } = cost;
    let mut output = Secret::<{ 32 + COMMITMENT_LENGTH }>::default();
    let params = Params::new(memory_kib, passes, lanes, Some(output.as_bytes().len())).ok()?;
    let mut memory = Zeroizing::new(Vec::new());
    memory.try_reserve_exact(params.block_count()).ok()?;
    memory.resize(params.block_count(), Block::new());
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into_with_memory(
            passphrase.as_bytes(),
            salt,
            output.as_mut_bytes(),
            memory.as_mut_slice(),
        )
        .ok()?;
    Some(Derived {
        key: output.part::<0, 32>(),
        commitment: output.part::<32, COMMITMENT_LENGTH>(),
    })
}
