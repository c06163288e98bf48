//! The stack that an operation has used is wiped when it ends (S-25).
//!
//! Destructors wipe what a value holds where it is dropped. They do not reach the copies that the
//! compiler makes when it moves a value, nor what it keeps of one on the stack, such as the state
//! of a hash. So an operation runs in frames below its caller, and these are overwritten. The
//! processor's registers are not. How far the stack must be wiped depends on what the compiler
//! makes of an operation; `assurance/stack-residue` checks it.

use zeroize::Zeroize;

/// Enough for hashes, encryption and signatures: 3 KiB, in words of 8 bytes.
pub(crate) const SHALLOW: usize = 384;

/// Enough for decryption, too: 6 KiB.
pub(crate) const MEDIUM: usize = 768;

/// Enough for key agreements: 10 KiB.
pub(crate) const DEEP: usize = 1280;

/// The result of the operation; 8 times `WORDS` bytes below the caller are zero afterwards.
pub(crate) fn wiped_below<const WORDS: usize, T>(operation: impl FnOnce() -> T) -> T {
    let result = below(operation);
    wipe::<WORDS>();
    result
}

/// Its frame, and all frames of the operation, begin where that of `wipe` begins.
#[inline(never)]
fn below<T>(operation: impl FnOnce() -> T) -> T {
    operation()
}

#[inline(never)]
fn wipe<const WORDS: usize>() {
    [0_u64; WORDS].zeroize();
}
