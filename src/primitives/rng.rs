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

/// The operating system's generator, which is called for every draw. Neither it nor this library
/// keeps a state or a buffer in the process, so processes that were forked, or restored from a
/// checkpoint of the process, draw different bytes (S-49).
///
/// A snapshot of a whole virtual machine is another matter: it contains the state of the kernel's
/// generator. Two machines that are restored from one snapshot can draw the same bytes until their
/// kernels have mixed in something new. A kernel does so when it learns of the restoration, for
/// example from the hypervisor's VM Generation ID; otherwise only when it next reseeds. This
/// library cannot detect it.
///
/// A target without a source does not compile with the feature `std`; `wasm_js` gives
/// wasm32-unknown-unknown a source.
#[cfg(feature = "std")]
pub(crate) const fn system() -> rand::rngs::SysRng {
    rand::rngs::SysRng
}
