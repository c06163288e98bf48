//! The allocator of this benchmark: the system's allocator, with counters that can be switched on.
//!
//! It counts the requested bytes, without those that the system adds to a block. It does not count
//! libolm's objects, because their Rust wrapper allocates a block for each from the system
//! directly; [`LibolmObject`] has their sizes.

#![expect(unsafe_code, reason = "there is no other way to see every allocation, and to ask libolm")]

use std::{
    alloc::{GlobalAlloc, Layout, System},
    hint::black_box,
    sync::atomic::{AtomicBool, AtomicI64, Ordering::Relaxed},
};

/// While it is off, an allocation costs one more load of a word that nobody writes.
static COUNTING: AtomicBool = AtomicBool::new(false);
static BYTES: AtomicI64 = AtomicI64::new(0);
static BLOCKS: AtomicI64 = AtomicI64::new(0);
static PEAK: AtomicI64 = AtomicI64::new(0);
static ALLOCATIONS: AtomicI64 = AtomicI64::new(0);

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// What happened on the heap while something ran.
#[derive(Clone, Copy, Debug)]
pub struct Usage {
    /// What its result holds.
    pub bytes: i64,
    pub blocks: i64,
    /// The most that was in use at one time, result included.
    pub peak: i64,
    /// How often a block was allocated or moved.
    pub allocations: i64,
}

/// Runs something on this thread, the only one there is, and says what it did on the heap until it
/// returned its result.
pub fn watch<O>(run: impl FnOnce() -> O) -> Usage {
    for counter in [&BYTES, &BLOCKS, &PEAK, &ALLOCATIONS] {
        counter.store(0, Relaxed);
    }
    COUNTING.store(true, Relaxed);
    let result = black_box(run());
    COUNTING.store(false, Relaxed);
    drop(result);
    Usage {
        bytes: BYTES.load(Relaxed),
        blocks: BLOCKS.load(Relaxed),
        peak: PEAK.load(Relaxed),
        allocations: ALLOCATIONS.load(Relaxed),
    }
}

/// What libolm keeps, each in one block of a fixed size.
#[derive(Clone, Copy)]
pub enum LibolmObject {
    Account,
    Session,
    GroupSession,
    InboundGroupSession,
}

impl LibolmObject {
    pub fn size(self) -> usize {
        // SAFETY: these functions take nothing and only return a constant.
        unsafe {
            match self {
                Self::Account => olm_sys::olm_account_size(),
                Self::Session => olm_sys::olm_session_size(),
                Self::GroupSession => olm_sys::olm_outbound_group_session_size(),
                Self::InboundGroupSession => olm_sys::olm_inbound_group_session_size(),
            }
        }
    }
}

struct Counting;

impl Counting {
    fn allocated(size: usize) {
        if COUNTING.load(Relaxed) {
            let bytes = BYTES.fetch_add(size as i64, Relaxed) + size as i64;
            PEAK.fetch_max(bytes, Relaxed);
            BLOCKS.fetch_add(1, Relaxed);
            ALLOCATIONS.fetch_add(1, Relaxed);
        }
    }

    fn freed(size: usize) {
        if COUNTING.load(Relaxed) {
            BYTES.fetch_sub(size as i64, Relaxed);
            BLOCKS.fetch_sub(1, Relaxed);
        }
    }
}

// SAFETY: everything is passed on to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        Self::allocated(layout.size());
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        Self::allocated(layout.size());
        // SAFETY: the caller keeps the contract of `alloc_zeroed`.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        Self::freed(layout.size());
        // SAFETY: the caller keeps the contract of `dealloc`.
        unsafe { System.dealloc(block, layout) }
    }

    /// Counted as a new block and the end of the old one, in this order: while a block moves, both
    /// are there.
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        Self::allocated(new_size);
        Self::freed(layout.size());
        // SAFETY: the caller keeps the contract of `realloc`.
        unsafe { System.realloc(block, layout, new_size) }
    }
}
