//! An allocator that searches each heap block that is freed or moved for all known secrets (S-25).
//! A single match fails the test, and so does a block that is never freed: nobody wipes that one.
//!
//! A test binary installs it with `#[global_allocator]`. Each test has a thread of its own, which
//! knows only the secrets of that test, and of which only what it frees itself is searched.

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::RefCell,
    hint::black_box,
    sync::atomic::{AtomicBool, AtomicIsize, AtomicU64, AtomicUsize, Ordering::SeqCst},
};

use base64ct::{Base64Unpadded, Encoding};

use super::distinct_keys::DistinctKeys;

// The allocator uses all of these but the names, so they must not need a destructor. They are
// atomic because the compiler assumes of other variables that freeing memory does not change them.
std::thread_local! {
    /// Whether what is freed is searched.
    static SEARCHING: AtomicBool = const { AtomicBool::new(false) };
    /// Parts of the secrets: eight bytes are enough to know one by.
    static NEEDLES: [AtomicU64; 1024] = const { [const { AtomicU64::new(0) }; 1024] };
    static KNOWN: AtomicUsize = const { AtomicUsize::new(0) };
    static FOUND: AtomicUsize = const { AtomicUsize::new(0) };
    /// The needle that was found last.
    static WHICH: AtomicUsize = const { AtomicUsize::new(0) };
    static SEARCHED: AtomicUsize = const { AtomicUsize::new(0) };
    /// The bytes that were allocated, less those that were freed, while the search was on.
    static BALANCE: AtomicIsize = const { AtomicIsize::new(0) };
    /// What the needles are parts of.
    static NAMES: RefCell<Vec<&'static str>> = const { RefCell::new(Vec::new()) };
}

pub struct Searching;

/// Notes bytes that were allocated (or, if negative, freed) while the search is on.
fn count(bytes: isize) {
    if SEARCHING.with(|searching| searching.load(SeqCst)) {
        BALANCE.with(|balance| balance.fetch_add(bytes, SeqCst));
    }
}

impl Searching {
    /// Counts the secrets in a block that is about to be freed.
    ///
    /// # Safety
    ///
    /// `block` must be valid for reads of `length` bytes. Bytes that were never written are read as
    /// whatever they are; the allocations of this process are all initialized here, in `alloc`.
    unsafe fn search(block: *const u8, length: usize) {
        if !SEARCHING.with(|searching| searching.load(SeqCst)) {
            return;
        }
        // SAFETY: the caller vouches for the block, and `alloc` has initialized it.
        let bytes = unsafe { std::slice::from_raw_parts(block, length) };
        SEARCHED.with(|searched| searched.fetch_add(1, SeqCst));
        NEEDLES.with(|needles| {
            for window in bytes.windows(8) {
                let window = u64::from_le_bytes(window.try_into().unwrap());
                let mut needles = needles[..known()].iter();
                if let Some(which) = needles.position(|needle| needle.load(SeqCst) == window) {
                    FOUND.with(|found| found.fetch_add(1, SeqCst));
                    WHICH.with(|place| place.store(which, SeqCst));
                }
            }
        });
    }
}

// SAFETY: every call is passed on to the system's allocator, with the arguments it came with;
// `realloc` and `alloc_zeroed` are made of `alloc` and `dealloc`, as the trait allows.
unsafe impl GlobalAlloc for Searching {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as isize);
        // SAFETY: as the caller promised. Zeroed, so that searching reads initialized memory.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        count(-(layout.size() as isize));
        // SAFETY: the block is valid until it is freed here.
        unsafe {
            Self::search(block, layout.size());
            System.dealloc(block, layout);
        }
    }
}

/// How many needles there are.
pub fn known() -> usize {
    KNOWN.with(|known| known.load(SeqCst))
}

/// Makes eight bytes known.
fn learn_needle(name: &'static str, needle: [u8; 8]) {
    unsearched(|| NAMES.with_borrow_mut(|names| names.push(name)));
    let place = KNOWN.with(|known| known.fetch_add(1, SeqCst));
    NEEDLES.with(|needles| needles[place].store(u64::from_le_bytes(needle), SeqCst));
}

/// Makes a secret known by its beginning.
pub fn learn_beginning(name: &'static str, secret: &[u8]) {
    learn_needle(name, secret[..8].try_into().unwrap());
}

/// Makes a secret known by all of its parts, wherever it is cut.
pub fn learn(name: &'static str, secret: &[u8]) {
    let (parts, _) = secret.as_chunks();
    parts.iter().for_each(|part| learn_needle(name, *part));
    learn_needle(name, *secret.last_chunk().unwrap());
}

/// Makes a secret known, and its texts: in base64, and as the numbers of a list in JSON.
pub fn learn_with_texts(name: &'static str, secret: &[u8]) {
    unsearched(|| {
        learn(name, secret);
        learn(name, Base64Unpadded::encode_string(secret).as_bytes());
        let numbers: Vec<_> = secret.iter().map(u8::to_string).collect();
        learn_beginning(name, numbers.join(",").as_bytes());
    });
}

/// Begins or ends the search, and returns whether it was on.
fn search(on: bool) -> bool {
    SEARCHING.with(|searching| searching.swap(on, SeqCst))
}

/// The bytes that were allocated since the last call and not freed.
fn take_balance() -> isize {
    BALANCE.with(|balance| balance.swap(0, SeqCst))
}

/// How many secrets were found since the last call.
fn take_found() -> usize {
    FOUND.with(|found| found.swap(0, SeqCst))
}

/// Runs `call`, whose freed blocks hold what only the test has put there.
pub fn unsearched<T>(call: impl FnOnce() -> T) -> T {
    let was_searching = search(false);
    let result = call();
    search(was_searching);
    result
}

pub fn forget_all() {
    KNOWN.with(|known| known.store(0, SeqCst));
    NAMES.with_borrow_mut(Vec::clear);
}

/// Runs `call` while everything that is freed is searched, and drops its result in there, too.
/// Afterwards no block that it allocated is left. (It may free more than it allocates, because it
/// may change what was there before.)
#[track_caller]
pub fn searched<T>(name: &str, call: impl FnOnce() -> T) {
    let blocks = SEARCHED.with(|searched| searched.load(SeqCst));
    take_found();
    take_balance();
    search(true);
    drop(call());
    search(false);
    let left = take_balance();
    assert!(left <= 0, "{name}: {left} bytes were allocated and never freed");
    let which = WHICH.with(|which| which.load(SeqCst));
    let secret = NAMES.with_borrow(|names| names.get(which).copied().unwrap_or_default());
    assert_eq!(take_found(), 0, "{name}: a freed block holds a secret: {secret}");
    let searched = SEARCHED.with(|searched| searched.load(SeqCst)) - blocks;
    assert!(searched > 0, "{name}: nothing was freed, so nothing was searched");
}

/// The search sees what it should see: a secret in a block that is freed, and in one that grows;
/// and a block that is left.
pub fn assert_it_finds() {
    let planted = [0xabcd_ef01_2345_6789_u64; 4].map(u64::to_le_bytes).concat();
    learn_beginning("planted", &planted);
    // The compiler would not even allocate a block that nobody looks at.
    let (mut grows, freed) = (black_box(planted.clone()), black_box(planted.clone()));
    search(true);
    drop(freed);
    let after_freed = take_found();
    grows.reserve_exact(1000);
    let after_growth = take_found();
    take_balance();
    let kept = black_box(planted.clone());
    search(false);
    assert!(after_freed > 0 && after_growth > 0, "the planted secret was not found");
    assert_eq!(take_balance(), kept.len() as isize, "the block that is left was not counted");
    forget_all();
}

/// Randomness of which each key is known as soon as it is drawn. Nonces and salts are not secret,
/// and have other lengths.
pub fn known_keys(begin: u64) -> DistinctKeys {
    DistinctKeys::new(begin, |drawn| {
        if drawn.len().is_multiple_of(32) {
            drawn.chunks(32).for_each(|key| learn_beginning("what was drawn", key));
        }
    })
}
