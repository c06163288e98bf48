//! Randomness (S-03): straight from the operating system for every key, or from the caller's RNG.

use rand::TryCryptoRng;

use super::secret::Secret;
use crate::error::RandomError;

/// Draws `N` secret bytes. A failing source is an error; no partly filled buffer survives it.
pub(crate) fn draw<const N: usize, R>(rng: &mut R) -> Result<Secret<N>, RandomError>
where
    R: TryCryptoRng + ?Sized,
{
    let mut bytes = Secret::default();
    rng.try_fill_bytes(bytes.as_mut_bytes()).map_err(|_| RandomError)?;
    Ok(bytes)
}

/// The operating system's generator. It keeps no state in this process, so neither a fork nor a
/// restored snapshot of a virtual machine can make it repeat itself.
#[cfg(feature = "std")]
pub(crate) const fn system() -> rand::rngs::SysRng {
    rand::rngs::SysRng
}
