//! The only unsafe code of this crate: a thread whose stack this crate allocates, to read it when
//! the thread has ended.

use std::{ffi::c_void, hint::black_box, mem::MaybeUninit, ptr};

const SIZE: usize = 1 << 20;
const PAGE: usize = 4096;

#[derive(Clone, Copy)]
#[repr(C, align(4096))]
struct Page([u8; PAGE]);

/// Runs the operation on a stack of zeros and returns its result, and what is then on the
/// stack. What the operation captures must be on the heap, or by reference, not to be found as its
/// own input.
pub fn run_on_own<O>(operation: impl FnOnce() -> O) -> (O, Vec<u8>) {
    let mut stack = vec![Page([0; PAGE]); SIZE / PAGE].into_boxed_slice();
    let mut result = None;
    {
        let mut operation = Some(operation);
        let mut job = || result = operation.take().map(|operation| Box::new(operation()));
        run(&mut stack, &mut job);
    }
    let bytes = stack.iter().flat_map(|page| page.0).collect();
    (*result.expect("the operation ended"), bytes)
}

/// Runs the job so far down that the end of the thread does not overwrite what it leaves.
#[inline(never)]
fn deep_down(job: &mut dyn FnMut()) {
    let space = black_box([0_u8; 1 << 16]);
    job();
    black_box(&space);
}

fn run(stack: &mut [Page], mut job: &mut dyn FnMut()) {
    extern "C" fn enter(job: *mut c_void) -> *mut c_void {
        // SAFETY: `job` is the address of the `&mut dyn FnMut()` below, which waits for this
        // thread.
        deep_down(unsafe { &mut *job.cast::<&mut dyn FnMut()>() });
        ptr::null_mut()
    }
    // SAFETY: the attributes are initialised before they are used, and destroyed. The stack is as
    // long and as aligned as it is said to be. It, the job and what the job borrows outlive the
    // thread, which is joined here; while the thread runs, this one touches none of them. The job
    // does not unwind: a panic in it meets an `extern "C"` boundary and ends the process.
    unsafe {
        let mut attributes = MaybeUninit::uninit();
        assert_eq!(libc::pthread_attr_init(attributes.as_mut_ptr()), 0);
        let size = size_of_val(stack);
        let set =
            libc::pthread_attr_setstack(attributes.as_mut_ptr(), stack.as_mut_ptr().cast(), size);
        assert_eq!(set, 0);
        let mut thread = MaybeUninit::uninit();
        let job = (&raw mut job).cast();
        let created = libc::pthread_create(thread.as_mut_ptr(), attributes.as_ptr(), enter, job);
        assert_eq!(created, 0);
        assert_eq!(libc::pthread_join(thread.assume_init(), ptr::null_mut()), 0);
        libc::pthread_attr_destroy(attributes.as_mut_ptr());
    }
}
