//! Which implementation of curve25519-dalek a program uses. This repeats that crate's decision:
//! `--cfg` may choose one, and the processor must have its instructions.
//!
//! Only the standard library can ask the processor without `unsafe`. Without it, the instructions
//! are assumed: if they are missing, the results are the same but take longer.

/// Whether points in Edwards form are multiplied with vector registers: on x86-64 with AVX2.
pub(super) fn is_vectorized() -> bool {
    #[cfg(all(target_arch = "x86_64", feature = "std"))]
    let found = std::arch::is_x86_feature_detected!("avx2");
    #[cfg(not(all(target_arch = "x86_64", feature = "std")))]
    let found = cfg!(target_arch = "x86_64");
    found
        && !cfg!(curve25519_dalek_backend = "fiat")
        && !cfg!(curve25519_dalek_backend = "serial")
        && !cfg!(curve25519_dalek_bits = "32")
}

/// Whether these registers are those of AVX-512, which only `--cfg` chooses.
pub(super) fn has_avx512() -> bool {
    #[cfg(all(target_arch = "x86_64", feature = "std"))]
    let found = std::arch::is_x86_feature_detected!("avx512ifma")
        && std::arch::is_x86_feature_detected!("avx512vl");
    #[cfg(not(all(target_arch = "x86_64", feature = "std")))]
    let found = cfg!(target_arch = "x86_64");
    found && cfg!(curve25519_dalek_backend = "avx512")
}
