// SPDX-License-Identifier: Apache-2.0
//! A small fixed pool of OS threads.
//!
//! Work is cut into parts whose results do not depend on the thread that computes them, so the
//! number of threads never changes a result. Jobs may share a pool: a job that finds it busy
//! computes its parts on its own thread.

use crate::{environment, gate::Gate};
use std::{
    any::Any,
    panic::{catch_unwind, resume_unwind, AssertUnwindSafe},
    sync::{
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

/// The time for which a thread spins before it sleeps: waking up costs tens of microseconds, and
/// the parts of a token's computation follow each other faster than that.
const SPIN: Duration = Duration::from_micros(100);

/// Waits until `ready`, but no longer than [`SPIN`]; returns whether it became ready.
fn spin(ready: impl Fn() -> bool) -> bool {
    let begun = Instant::now();
    loop {
        // Reading the clock is slower than checking.
        for _ in 0..16 {
            if ready() {
                return true;
            }
            std::hint::spin_loop();
        }
        if begun.elapsed() > SPIN {
            return false;
        }
    }
}

/// The threads that inference runs on: the caller's and `count - 1` parked workers.
#[derive(Debug)]
pub struct Threads {
    count: usize,
    /// The hook that each thread calls first.
    on_start: fn(),
    shared: Arc<Shared>,
    /// The lock that is held by the job that uses the workers.
    busy: Mutex<()>,
    workers: Vec<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Shared {
    gate: Arc<Gate>,
    state: Mutex<State>,
    wake: Condvar,
    done: Condvar,
    /// The number of regions so far, which a spinning worker watches.
    epoch: AtomicU64,
    /// The next part of the region.
    next: AtomicUsize,
    /// The number of workers inside the region. A worker enters under the lock, and only while
    /// there is a region.
    active: AtomicUsize,
    /// Whether the job sleeps until no worker is active.
    awaited: AtomicBool,
    /// The first panic of a part of the region.
    panic: Mutex<Option<Box<dyn Any + Send>>>,
    closed: AtomicBool,
}

#[derive(Debug, Default)]
struct State {
    region: Option<Region>,
    /// The number of workers that must be woken.
    sleeping: usize,
}

/// A call of [`Threads::run`]: its closure, lent out until the call returns.
#[derive(Clone, Copy)]
struct Region {
    call: *const (dyn Fn(usize) + Sync + 'static),
    parts: usize,
}

// SAFETY: the pointer is to a `Sync` closure, and `Threads::run` does not return before every
// worker that took it has released it.
unsafe impl Send for Region {}

impl std::fmt::Debug for Region {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Region of {}", self.parts)
    }
}

impl Shared {
    /// Locks the state. A panic inside a part is caught before the lock is taken again, so the
    /// state is never torn.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Locks the first panic, which is stored whole.
    fn panic(&self) -> MutexGuard<'_, Option<Box<dyn Any + Send>>> {
        self.panic.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn work(&self, region: Region) {
        let result = catch_unwind(AssertUnwindSafe(|| loop {
            let part = self.next.fetch_add(1, Ordering::Relaxed);
            if part >= region.parts {
                break;
            }
            self.gate.pass();
            // SAFETY: the region is taken under the lock while `run` waits for its workers, so the
            // closure is alive; see `Threads::run`.
            unsafe { (*region.call)(part) };
        }));
        if let Err(panic) = result {
            self.panic().get_or_insert(panic);
        }
    }

    fn worker(&self) {
        // This thread would compute other numbers, so the other threads do its part.
        if environment::ensure().is_err() {
            return;
        }
        let mut seen = 0;
        let news = |seen| self.epoch.load(Ordering::Acquire) != seen;
        loop {
            spin(|| news(seen));
            let mut state = self.lock();
            while !news(seen) {
                if self.closed.load(Ordering::Relaxed) {
                    return;
                }
                state.sleeping += 1;
                state = self.wake.wait(state).unwrap_or_else(PoisonError::into_inner);
                state.sleeping -= 1;
            }
            seen = self.epoch.load(Ordering::Acquire);
            let Some(region) = state.region else { continue };
            self.active.fetch_add(1, Ordering::SeqCst);
            drop(state);
            self.work(region);
            // Either this worker sees that the job sleeps, or the job sees that no worker is
            // active.
            if self.active.fetch_sub(1, Ordering::SeqCst) == 1
                && self.awaited.load(Ordering::SeqCst)
            {
                drop(self.lock());
                self.done.notify_all();
            }
        }
    }

    /// Lends `region` to the workers, computes its parts with them and takes it back.
    fn run(&self, region: Region) {
        let mut state = self.lock();
        state.region = Some(region);
        self.next.store(0, Ordering::Relaxed);
        self.epoch.fetch_add(1, Ordering::Release);
        let sleeping = state.sleeping;
        drop(state);
        if sleeping > 0 {
            self.wake.notify_all();
        }
        self.work(region);
        self.lock().region = None;
        // No worker can enter any more.
        let alone = || self.active.load(Ordering::SeqCst) == 0;
        if spin(alone) {
            return;
        }
        let mut state = self.lock();
        self.awaited.store(true, Ordering::SeqCst);
        while !alone() {
            state = self.done.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        self.awaited.store(false, Ordering::SeqCst);
    }
}

impl Threads {
    /// Creates a pool of `count` threads, including the caller's; there is at least one.
    pub fn new(count: usize) -> Self {
        Self::behind(Arc::default(), count)
    }

    /// Creates a pool in which every thread passes the gate before each part of its work.
    pub fn behind(gate: Arc<Gate>, count: usize) -> Self {
        Self::start(gate, count, || ())
    }

    /// Creates a pool behind a gate, each of whose threads first calls `on_start`. So does the
    /// thread of each [`Server`](crate::serve::Server) that uses the pool. A program in which
    /// panics end the process excepts these threads there.
    pub fn start(gate: Arc<Gate>, count: usize, on_start: fn()) -> Self {
        let shared = Arc::new(Shared { gate, ..Shared::default() });
        let workers = (1..count)
            .filter_map(|i| {
                let shared = shared.clone();
                // If the machine refuses a thread, the pool is smaller and computes the same.
                std::thread::Builder::new()
                    .name(format!("assay-engine-{i}"))
                    .spawn(move || {
                        on_start();
                        shared.worker();
                    })
                    .ok()
            })
            .collect::<Vec<_>>();
        Self { count: workers.len() + 1, on_start, shared, busy: Mutex::new(()), workers }
    }

    /// Returns the number of threads.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Returns the hook that each thread calls first.
    pub(crate) fn on_start(&self) -> fn() {
        self.on_start
    }

    /// Returns the gate that its threads pass.
    pub(crate) fn gate(&self) -> &Gate {
        &self.shared.gate
    }

    /// Calls `f` once for each part from 0 to `parts - 1`, on all threads, and returns when all
    /// calls have returned. The first panic in a part is raised here.
    pub(crate) fn run(&self, parts: usize, f: &(dyn Fn(usize) + Sync)) {
        let alone = || {
            for part in 0..parts {
                self.shared.gate.pass();
                f(part);
            }
        };
        if parts < 2 || self.workers.is_empty() {
            return alone();
        }
        let Ok(guard) = self.busy.try_lock() else { return alone() };
        let pointer: *const (dyn Fn(usize) + Sync + '_) = f;
        // SAFETY: only the lifetime changes. Workers take the pointer from `state.region` under the
        // lock and count themselves in `active`. `Shared::run` clears the region under the same
        // lock and waits for `active` to be zero before it returns, even if a part panics.
        let call: *const (dyn Fn(usize) + Sync + 'static) = unsafe { std::mem::transmute(pointer) };
        self.shared.run(Region { call, parts });
        let panic = self.shared.panic().take();
        drop(guard);
        if let Some(panic) = panic {
            resume_unwind(panic);
        }
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        let state = self.shared.lock();
        self.shared.closed.store(true, Ordering::Relaxed);
        drop(state);
        self.shared.wake.notify_all();
        for worker in self.workers.drain(..) {
            // A worker catches the panics of its parts, so there is nothing to pass on.
            let _ = worker.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::panics::caught;
    use std::{cell::Cell, thread};

    #[test]
    fn run_calls_each_part_once() {
        for count in [1, 2, 4] {
            let threads = Threads::new(count);
            for parts in [0, 1, 2, 7, 100] {
                let calls: Vec<AtomicUsize> = (0..parts).map(|_| AtomicUsize::new(0)).collect();
                threads.run(parts, &|i| {
                    calls[i].fetch_add(1, Ordering::Relaxed);
                });
                assert!(calls.iter().all(|c| c.load(Ordering::Relaxed) == 1));
            }
        }
    }

    #[test]
    fn run_is_shared_by_jobs_at_the_same_time() {
        let threads = Threads::new(3);
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..200 {
                        let sum = AtomicUsize::new(0);
                        threads.run(10, &|i| {
                            sum.fetch_add(i, Ordering::Relaxed);
                        });
                        assert_eq!(sum.load(Ordering::Relaxed), 45);
                    }
                });
            }
        });
    }

    #[test]
    fn run_raises_a_panic_and_stays_usable() {
        let threads = Threads::new(2);
        let panicked = caught(|| threads.run(8, &|i| assert!(i != 5, "part {i}")));
        assert_eq!(panicked, Err("part 5".into()));
        let calls = AtomicUsize::new(0);
        threads.run(8, &|_| {
            calls.fetch_add(1, Ordering::Relaxed);
        });
        assert_eq!(calls.load(Ordering::Relaxed), 8);
    }

    #[test]
    fn threads_call_the_hook_before_anything_else() {
        thread_local! {
            static STARTED: Cell<bool> = const { Cell::new(false) };
        }
        let threads = Threads::start(Arc::default(), 3, || STARTED.set(true));
        let caller = thread::current().id();
        let (others, started) = (AtomicUsize::new(0), AtomicUsize::new(0));
        // The caller waits in its part until another thread has computed one.
        threads.run(3, &|_| {
            if thread::current().id() == caller {
                while others.load(Ordering::Relaxed) == 0 {
                    thread::yield_now();
                }
            } else {
                started.fetch_add(usize::from(STARTED.get()), Ordering::Relaxed);
                others.fetch_add(1, Ordering::Relaxed);
            }
        });
        assert_eq!(started.into_inner(), others.into_inner());
        assert!(!STARTED.get(), "the caller is not a thread of the pool");
    }
}
