// SPDX-License-Identifier: Apache-2.0
//! A small fixed pool of OS threads.
//!
//! Work is cut into parts whose results do not depend on who computes them, so the number of
//! threads never changes a result. Jobs may share a pool: one that finds it busy does its parts on
//! its own thread.

use crate::gate::Gate;
use std::{
    panic::{catch_unwind, resume_unwind, AssertUnwindSafe},
    sync::{
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
    },
    thread::JoinHandle,
};

/// Rounds that an idle worker looks for work before it sleeps, some tens of microseconds.
const SPINS: u32 = 4_000;

/// Threads that inference runs on: the caller's and `count - 1` parked workers.
#[derive(Debug)]
pub struct Threads {
    count: usize,
    gate: Arc<Gate>,
    shared: Arc<Shared>,
    /// Held by the job that uses the workers.
    busy: Mutex<()>,
    workers: Vec<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    wake: Condvar,
    done: Condvar,
    /// Counts regions; a spinning worker watches it.
    epoch: AtomicU64,
    closed: AtomicBool,
}

#[derive(Debug, Default)]
struct State {
    region: Option<Region>,
    /// Workers inside the region.
    active: usize,
}

/// A call of [`Threads::run`]: its closure, lent out until the call returns.
#[derive(Clone, Debug)]
struct Region {
    call: Call,
    gate: Arc<Gate>,
    parts: usize,
    next: Arc<AtomicUsize>,
    panicked: Arc<AtomicBool>,
}

#[derive(Clone, Copy)]
struct Call(*const (dyn Fn(usize) + Sync + 'static));

// SAFETY: the pointer is to a `Sync` closure, and `Threads::run` does not return before every
// worker that took it has given it up.
unsafe impl Send for Call {}

impl std::fmt::Debug for Call {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Call")
    }
}

impl Region {
    fn work(&self) {
        let result = catch_unwind(AssertUnwindSafe(|| loop {
            let part = self.next.fetch_add(1, Ordering::Relaxed);
            if part >= self.parts {
                break;
            }
            self.gate.pass();
            // SAFETY: the region is taken under the lock while `run` waits for its workers, so the
            // closure is alive; see `Threads::run`.
            unsafe { (*self.call.0)(part) };
        }));
        if result.is_err() {
            self.panicked.store(true, Ordering::Relaxed);
        }
    }
}

impl Shared {
    /// A panic inside a part is caught before the lock is taken again: the state is never torn.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn worker(&self) {
        let mut seen = 0;
        loop {
            let mut spins = 0;
            while self.epoch.load(Ordering::Acquire) == seen && spins < SPINS {
                std::hint::spin_loop();
                spins += 1;
            }
            let mut state = self.lock();
            while self.epoch.load(Ordering::Acquire) == seen {
                if self.closed.load(Ordering::Relaxed) {
                    return;
                }
                state = self.wake.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
            seen = self.epoch.load(Ordering::Acquire);
            let Some(region) = state.region.clone() else { continue };
            state.active += 1;
            drop(state);
            region.work();
            let mut state = self.lock();
            state.active -= 1;
            if state.active == 0 {
                self.done.notify_all();
            }
        }
    }
}

impl Threads {
    /// A pool of `count` threads, the caller's included; at least one.
    pub fn new(count: usize) -> Self {
        Self::behind(Arc::default(), count)
    }

    /// A pool of which every thread passes the gate before each part of its work.
    pub fn behind(gate: Arc<Gate>, count: usize) -> Self {
        let shared = Arc::<Shared>::default();
        let workers = (1..count)
            .filter_map(|i| {
                let shared = shared.clone();
                // A machine that refuses a thread leaves a smaller pool, which computes the same.
                std::thread::Builder::new()
                    .name(format!("assay-engine-{i}"))
                    .spawn(move || shared.worker())
                    .ok()
            })
            .collect::<Vec<_>>();
        Self { count: workers.len() + 1, gate, shared, busy: Mutex::new(()), workers }
    }

    /// Number of threads.
    pub fn count(&self) -> usize {
        self.count
    }

    /// The gate that its threads pass.
    pub(crate) fn gate(&self) -> &Gate {
        &self.gate
    }

    /// Calls `f` once for each part from 0 to `parts - 1`, on all threads, and returns when all have
    /// ended. A panic in a part is raised here.
    pub(crate) fn run(&self, parts: usize, f: &(dyn Fn(usize) + Sync)) {
        let alone = || {
            for part in 0..parts {
                self.gate.pass();
                f(part);
            }
        };
        if parts < 2 || self.workers.is_empty() {
            return alone();
        }
        let Ok(guard) = self.busy.try_lock() else { return alone() };
        let pointer: *const (dyn Fn(usize) + Sync + '_) = f;
        // SAFETY: only the lifetime changes. Workers take the pointer from `state.region` under the
        // lock and count themselves in `active`; below, the region is cleared under the same lock
        // and `active` awaited to be zero before this function returns, also when a part panics.
        let pointer: *const (dyn Fn(usize) + Sync + 'static) =
            unsafe { std::mem::transmute(pointer) };
        let region = Region {
            call: Call(pointer),
            gate: self.gate.clone(),
            parts,
            next: Arc::default(),
            panicked: Arc::default(),
        };
        let mut state = self.shared.lock();
        state.region = Some(region.clone());
        self.shared.epoch.fetch_add(1, Ordering::Release);
        drop(state);
        self.shared.wake.notify_all();
        region.work();
        let mut state = self.shared.lock();
        state.region = None;
        while state.active > 0 {
            state = self.shared.done.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        drop(state);
        drop(guard);
        if region.panicked.load(Ordering::Relaxed) {
            resume_unwind(Box::new("a part of a parallel computation panicked"));
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
            // A worker catches the panics of its parts; there is nothing to pass on.
            let _ = worker.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        std::thread::scope(|scope| {
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
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            threads.run(8, &|i| assert_ne!(i, 5));
        }));
        assert!(panicked.is_err());
        let calls = AtomicUsize::new(0);
        threads.run(8, &|_| {
            calls.fetch_add(1, Ordering::Relaxed);
        });
        assert_eq!(calls.load(Ordering::Relaxed), 8);
    }
}
