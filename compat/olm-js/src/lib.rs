//! The WebAssembly module of the npm package: the C functions of `moceril-libolm`, and memory for
//! their objects and arguments. It imports nothing, so no code of the program runs within a call.

extern crate olm as _;

use std::{
    alloc::{Layout, alloc, alloc_zeroed, dealloc},
    hint::black_box,
    ptr,
};

/// How much the C functions may allocate while a call has a buffer of this length: each of them
/// makes a few copies of a text, and needs less than a megabyte for everything else.
fn spare(length: usize) -> Option<Layout> {
    layout(length.checked_mul(8)?.checked_add(1 << 20)?)
}

/// Lengths of 0 have a byte, because the allocator knows no empty blocks.
fn layout(length: usize) -> Option<Layout> {
    Layout::from_size_align(length.max(1), 1).ok()
}

/// Zeroed memory, or null if there is too little. A failing allocation within a C function would
/// abort the module for good, so no memory is given out unless as much is left as such a function
/// may need.
#[unsafe(no_mangle)]
extern "C" fn allocate(length: usize) -> *mut u8 {
    let (Some(layout), Some(spare)) = (layout(length), spare(length)) else {
        return ptr::null_mut();
    };
    // SAFETY: neither layout is of length 0, and each block is freed with the layout that it was
    // allocated with.
    unsafe {
        let start = alloc_zeroed(layout);
        if start.is_null() {
            return start;
        }
        // A compiler leaves out a block that is not used, as if it could always be had.
        let reserve = black_box(alloc(spare));
        if reserve.is_null() {
            dealloc(start, layout);
            return reserve;
        }
        dealloc(reserve, spare);
        start
    }
}

/// Goes so many calls deep, and changes nothing. Where JavaScript's stack has no room for that, the
/// engine ends it with an exception. So nothing else is ended by one in the middle if the
/// TypeScript calls this first (`tests/memory.mjs` has the depth).
#[unsafe(no_mangle)]
extern "C" fn descend(depth: u32) -> u32 {
    // The compiler cannot make a loop of this.
    depth.checked_sub(1).map_or(1, |depth| descend(depth).rotate_left(1) ^ depth)
}

/// Frees what `allocate` has given out for this length.
#[unsafe(no_mangle)]
unsafe extern "C" fn release(start: *mut u8, length: usize) {
    if let Some(layout) = layout(length) {
        // SAFETY: the caller, the TypeScript around the module, does this once for each block, with
        // its length.
        unsafe { dealloc(start, layout) }
    }
}
