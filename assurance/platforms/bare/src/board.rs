//! What an operating system would do: memory, the beginning and the end. All `unsafe` is here.
//!
//! qemu-arm runs the program. It is no board, so the program ends by Linux's call: 0 is success, 1
//! a panic, 2 that the memory was not enough.

use core::{
    alloc::{GlobalAlloc, Layout},
    arch::asm,
    cell::UnsafeCell,
    panic::PanicInfo,
    sync::atomic::{AtomicUsize, Ordering},
};

/// Enough for the whole conversation, although nothing is ever given back.
const HEAP: usize = 256 * 1024;

struct Bump {
    memory: UnsafeCell<[u8; HEAP]>,
    used: AtomicUsize,
}

// SAFETY: there is one thread.
unsafe impl Sync for Bump {}

// SAFETY: each block begins after the end of the one before it, at a multiple of its alignment.
unsafe impl GlobalAlloc for Bump {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let base = self.memory.get() as usize;
        let free = base + self.used.load(Ordering::Relaxed);
        let place = free.next_multiple_of(layout.align()) - base;
        if place + layout.size() > HEAP {
            exit(2);
        }
        self.used.store(place + layout.size(), Ordering::Relaxed);
        // SAFETY: the block ends within the memory.
        unsafe { self.memory.get().cast::<u8>().add(place) }
    }

    unsafe fn dealloc(&self, _: *mut u8, _: Layout) {}
}

#[global_allocator]
static MEMORY: Bump = Bump { memory: UnsafeCell::new([0; HEAP]), used: AtomicUsize::new(0) };

fn exit(code: u32) -> ! {
    // SAFETY: the call of Linux that ends a process, number 1.
    unsafe { asm!("mov r7, #1", "svc 0", in("r0") code, options(noreturn)) }
}

#[panic_handler]
fn panic(_: &PanicInfo) -> ! {
    exit(1)
}

// SAFETY: no other function has this name.
#[unsafe(no_mangle)]
extern "C" fn _start() -> ! {
    super::conversation::run();
    exit(0)
}
