//! The client requests of valgrind's memcheck, and an allocator that lists its blocks.
//!
//! This is the only file of the crate with `unsafe`. A client request is a sequence of instructions
//! that do nothing on a processor, and that valgrind recognizes (valgrind manual, "The Client
//! Request mechanism").

use std::{
    alloc::{GlobalAlloc, Layout, System},
    arch::asm,
    ops::Range,
    process::abort,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};

#[cfg(not(all(target_arch = "x86_64", target_os = "linux")))]
compile_error!("the client requests below are those of Linux on x86-64");

const RUNNING_ON_VALGRIND: usize = 0x1001;
const COUNT_ERRORS: usize = 0x1201;
const CHANGE_ERROR_DISABLEMENT: usize = 0x1801;
/// Memcheck's requests are numbered from the letters "MC" on.
const MAKE_MEM_UNDEFINED: usize = 0x4d43_0001;
const MAKE_MEM_DEFINED: usize = 0x4d43_0002;
const CHECK_MEM_IS_DEFINED: usize = 0x4d43_0005;

/// The answer to a client request; 0 without valgrind.
fn request(code: usize, first: usize, second: usize) -> usize {
    let question = [code, first, second, 0, 0, 0];
    let mut answer = 0_usize;
    // SAFETY: the four rotations add up to 128 bits, so `rdi` is what it was, and exchanging a
    // register with itself changes nothing. Valgrind reads the six words at `rax` and writes `rdx`.
    unsafe {
        asm!(
            "rol rdi, 3",
            "rol rdi, 13",
            "rol rdi, 61",
            "rol rdi, 51",
            "xchg rbx, rbx",
            in("rax") question.as_ptr(),
            inout("rdx") answer,
            options(nostack),
        );
    }
    answer
}

pub fn is_running() -> bool {
    request(RUNNING_ON_VALGRIND, 0, 0) > 0
}

/// How many errors were found so far that no suppression explains, repetitions included.
pub fn errors() -> usize {
    request(COUNT_ERRORS, 0, 0)
}

/// From now on, an error is a branch or an index that depends on these bytes.
pub fn make_undefined(bytes: &[u8]) {
    request(MAKE_MEM_UNDEFINED, bytes.as_ptr() as usize, bytes.len());
}

/// The opposite. The bytes themselves stay as they are.
pub fn make_defined(bytes: &[u8]) {
    request(MAKE_MEM_DEFINED, bytes.as_ptr() as usize, bytes.len());
}

/// Makes defined what the value itself consists of, such as the length and the address of a list;
/// not what it points to.
pub fn make_inline_defined<T>(value: &T) {
    request(MAKE_MEM_DEFINED, std::ptr::from_ref(value) as usize, size_of_val(value));
}

/// Whether any bit of the bytes depends on a secret.
pub fn is_undefined(bytes: &[u8]) -> bool {
    without_reports(|| request(CHECK_MEM_IS_DEFINED, bytes.as_ptr() as usize, bytes.len()) != 0)
}

/// Makes every copy of `value` on the heap defined: the fields of objects that nobody can reach
/// from outside. What stands around the copies stays undefined.
pub fn make_defined_on_the_heap(value: &[u8]) {
    without_reports(|| {
        for block in blocks() {
            for copy in block.windows(value.len()).filter(|copy| *copy == value) {
                make_defined(copy);
            }
        }
    });
}

/// Looks at secrets on purpose.
fn without_reports<T>(look: impl FnOnce() -> T) -> T {
    request(CHANGE_ERROR_DISABLEMENT, 1, 0);
    let result = look();
    request(CHANGE_ERROR_DISABLEMENT, usize::MAX, 0);
    result
}

/// What is to become undefined in the middle of a call.
struct Hiding {
    /// When a block of this size is asked for.
    size: usize,
    /// In the block that begins with this.
    content: Vec<u8>,
    places: Vec<Range<usize>>,
    done: bool,
}

static HIDING: Mutex<Option<Hiding>> = Mutex::new(None);

/// Makes places of a block undefined while `call` runs: in the block that begins with `content`, at
/// the moment when a block of `size` bytes is asked for. It must come to that.
pub fn hide_during<T>(
    size: usize,
    content: Vec<u8>,
    places: Vec<Range<usize>>,
    call: impl FnOnce() -> T,
) -> T {
    let hiding = Hiding { size, content, places, done: false };
    drop(HIDING.lock().unwrap().replace(hiding));
    let result = call();
    let hiding = HIDING.lock().unwrap().take();
    assert!(hiding.is_some_and(|hiding| hiding.done), "no such block at such a moment");
    result
}

fn hide_now(size: usize) {
    // Whoever holds the lock is `hide_during`, before or after the call.
    let Ok(mut hiding) = HIDING.try_lock() else { return };
    let Some(hiding) = hiding.as_mut().filter(|hiding| hiding.size == size && !hiding.done) else {
        return;
    };
    without_reports(|| {
        for block in blocks().filter(|block| block.starts_with(&hiding.content)) {
            // The harness has a copy of its own.
            if block.as_ptr() != hiding.content.as_ptr() {
                hiding.places.iter().for_each(|place| make_undefined(&block[place.clone()]));
                hiding.done = true;
            }
        }
    });
}

/// The contents of all blocks in use.
fn blocks() -> impl Iterator<Item = &'static [u8]> {
    BLOCKS.iter().filter_map(|block| {
        let (start, length) = (block.start.load(Relaxed), block.length.load(Relaxed));
        // SAFETY: the allocator gave this block out and has not taken it back, there is one thread,
        // and nothing is written or freed while the callers above look at it.
        (start != 0).then(|| unsafe { std::slice::from_raw_parts(start as *const u8, length) })
    })
}

struct Block {
    start: AtomicUsize,
    length: AtomicUsize,
}

/// All blocks in use. A start of 0 is a free place.
static BLOCKS: [Block; 1 << 13] =
    [const { Block { start: AtomicUsize::new(0), length: AtomicUsize::new(0) } }; 1 << 13];

/// The system's allocator, with a list of its blocks.
pub struct Listed;

// SAFETY: everything is handed on to the system's allocator.
unsafe impl GlobalAlloc for Listed {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        hide_now(layout.size());
        // SAFETY: the caller keeps to the contract of `alloc`.
        let start = unsafe { System.alloc(layout) };
        let free = BLOCKS.iter().find(|block| block.start.load(Relaxed) == 0);
        let Some(block) = free else { abort() };
        block.length.store(layout.size(), Relaxed);
        block.start.store(start as usize, Relaxed);
        start
    }

    unsafe fn dealloc(&self, start: *mut u8, layout: Layout) {
        let of_this = BLOCKS.iter().find(|block| block.start.load(Relaxed) == start as usize);
        if let Some(block) = of_this {
            block.start.store(0, Relaxed);
        }
        // SAFETY: the caller keeps to the contract of `dealloc`.
        unsafe { System.dealloc(start, layout) }
    }
}
