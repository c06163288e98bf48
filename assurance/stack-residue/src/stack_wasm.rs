//! `stack.rs` for WebAssembly, where there is one thread. Its stack is in the module's memory, from
//! an address that the linker chose down to 0, and has the values whose address is taken. Values
//! without an address are the engine's to keep, and no program can see or wipe them.

use std::{hint::black_box, ptr, slice};

const SIZE: usize = 1 << 19;
const FRAME: usize = 1 << 12;

/// Runs the operation on a stack of zeros and returns its result, and what is then on the
/// stack. What the operation captures must be on the heap, or by reference, not to be found as its
/// own input.
#[inline(never)]
pub fn run_on_own<O>(operation: impl FnOnce() -> O) -> (O, Vec<u8>) {
    let here = black_box(0_u8);
    let bottom: *mut u8 = ptr::with_exposed_provenance_mut((&raw const here).addr() - FRAME - SIZE);
    // SAFETY: this frame is smaller than `FRAME`, so this part of the stack is below it. The stack
    // has twice this size, and no caller uses much of it. No value lies there now.
    unsafe { ptr::write_bytes(bottom, 0, SIZE) };
    let result = deep_down(operation);
    // SAFETY: as above; the operation has ended.
    let stack = unsafe { slice::from_raw_parts(bottom, SIZE) }.to_vec();
    (*result, stack)
}

/// Runs the operation so far down that what copies the stack overwrites nothing that it leaves, and
/// that all of its frames are in the part that is copied.
#[inline(never)]
fn deep_down<O>(operation: impl FnOnce() -> O) -> Box<O> {
    let space = black_box([0_u8; 1 << 16]);
    let result = below(operation);
    black_box(&space);
    result
}

#[inline(never)]
fn below<O>(operation: impl FnOnce() -> O) -> Box<O> {
    Box::new(operation())
}
