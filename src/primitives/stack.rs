//! Wipes the stack that an operation has used when the operation ends (S-25).
//!
//! Destructors wipe what a value holds where it is dropped. They do not reach the copies that the
//! compiler makes when it moves a value, nor what it keeps of a value on the stack, such as the
//! state of a hash. So an operation runs in frames below its caller, and these frames are
//! overwritten. The processor's registers are not overwritten. How far the stack must be wiped
//! depends on the machine code of an operation; `assurance/stack-residue` checks it.

use zeroize::zeroize_stack;

/// Bytes that are enough for moving a state.
pub(crate) const MOVES: usize = 512;

/// Bytes that are enough for hashes, encryption and signatures.
pub(crate) const SHALLOW: usize = 3_072;

/// Bytes that are enough for decryption, too.
pub(crate) const MEDIUM: usize = 6_144;

/// Bytes that are enough for key agreements.
pub(crate) const DEEP: usize = 10_240;

/// Returns the result of the operation; this many bytes below the caller are zero afterwards.
pub(crate) fn wiped_below<const BYTES: usize, T>(operation: impl FnOnce() -> T) -> T {
    let result = below(operation);
    zeroize_stack::<BYTES>();
    result
}

/// Its frame, and all frames of the operation, begin where that of `zeroize_stack` begins.
#[inline(never)]
fn below<T>(operation: impl FnOnce() -> T) -> T {
    operation()
}
