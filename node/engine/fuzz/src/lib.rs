// SPDX-License-Identifier: Apache-2.0
//! The parts that all targets share: a small model, and an allocator that counts.

use assay_engine::{synthetic::Synthetic, Model, Threads};
use std::{
    alloc::{GlobalAlloc, Layout, System},
    sync::{
        atomic::{AtomicBool, AtomicUsize, Ordering},
        LazyLock,
    },
};

/// The system's allocator, with a count of its bytes.
struct Counting;

static IN_USE: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call goes to the system's allocator unchanged; only sizes are counted.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let now = IN_USE.fetch_add(layout.size(), Ordering::Relaxed) + layout.size();
        MOST.fetch_max(now, Ordering::Relaxed);
        // SAFETY: the caller's contract is the system's.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        IN_USE.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller's contract is the system's.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// A model of random weights.
pub static MODEL: LazyLock<Model> = LazyLock::new(|| {
    let shape = Synthetic { context: 256, ..Synthetic::default() };
    Model::from_bytes(shape.file().expect("whole blocks")).expect("a valid model")
});
/// A pool of one thread.
pub static THREADS: LazyLock<Threads> = LazyLock::new(|| Threads::new(1));
/// The flag of a job that nobody cancels.
pub static NEVER: AtomicBool = AtomicBool::new(false);

/// Runs `work` and asserts that it takes at most so many bytes at a time.
pub fn measured<T>(most: usize, work: impl FnOnce() -> T) -> T {
    let before = IN_USE.load(Ordering::Relaxed);
    MOST.store(before, Ordering::Relaxed);
    let done = work();
    let taken = MOST.load(Ordering::Relaxed) - before;
    assert!(taken <= most, "{taken} bytes, of at most {most}");
    done
}
