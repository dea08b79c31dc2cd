// SPDX-License-Identifier: Apache-2.0
//! A gate that inference passes before each part of its work, and that more urgent work closes.

use std::{
    sync::{
        atomic::{AtomicBool, Ordering},
        Condvar, Mutex, PoisonError,
    },
    time::{Duration, Instant},
};

/// A gate that is closed for short times by work that must not share the machine's cores and caches
/// with inference. It opens by itself when its time is over, so that nobody waits for ever.
#[derive(Debug, Default)]
pub struct Gate {
    /// Whether `until` must be read at all; passing an open gate costs one load.
    closed: AtomicBool,
    until: Mutex<Option<Instant>>,
    opened: Condvar,
}

impl Gate {
    /// Closes the gate for `at_most` that long from now; a closed gate stays closed for that time.
    pub fn close(&self, at_most: Duration) {
        let mut until = self.until.lock().unwrap_or_else(PoisonError::into_inner);
        *until = Some(Instant::now() + at_most);
        // This is stored under the lock, so that it cannot interleave with a concurrent `open`.
        self.closed.store(true, Ordering::Release);
    }

    /// Opens the gate.
    pub fn open(&self) {
        let mut until = self.until.lock().unwrap_or_else(PoisonError::into_inner);
        *until = None;
        self.closed.store(false, Ordering::Release);
        drop(until);
        self.opened.notify_all();
    }

    /// Waits while the gate is closed.
    pub fn pass(&self) {
        if !self.closed.load(Ordering::Acquire) {
            return;
        }
        let mut until = self.until.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some(end) = *until {
            let now = Instant::now();
            if now >= end {
                *until = None;
                self.closed.store(false, Ordering::Release);
                break;
            }
            (until, _) =
                self.opened.wait_timeout(until, end - now).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Threads;
    use std::{
        sync::{mpsc, Arc},
        thread,
    };

    /// A time that is far longer than a test takes.
    const LONG: Duration = Duration::from_secs(3600);
    /// A time that is far longer than any thread takes unless it waits.
    const A_WHILE: Duration = Duration::from_millis(100);

    #[test]
    fn open_gate_lets_pass() {
        Gate::default().pass();
    }

    #[test]
    fn closed_gate_lets_pass_once_it_opens() {
        let gate = Gate::default();
        gate.close(LONG);
        let (sender, receiver) = mpsc::channel();
        thread::scope(|scope| {
            scope.spawn(|| {
                gate.pass();
                // If nobody listens, the test has ended.
                let _ = sender.send(());
            });
            assert!(receiver.recv_timeout(A_WHILE).is_err(), "it passed while the gate was closed");
            gate.open();
            assert!(receiver.recv().is_ok());
        });
    }

    #[test]
    fn threads_wait_while_the_gate_is_closed() {
        let gate = Arc::<Gate>::default();
        let threads = Threads::behind(gate.clone(), 2);
        gate.close(LONG);
        let (sender, receiver) = mpsc::channel();
        thread::scope(|scope| {
            scope.spawn(|| threads.run(8, &|i| sender.send(i).unwrap_or_default()));
            assert!(receiver.recv_timeout(A_WHILE).is_err(), "a part was computed");
            gate.open();
            let mut parts: Vec<usize> = (0..8).map(|_| receiver.recv().unwrap()).collect();
            parts.sort_unstable();
            assert_eq!(parts, (0..8).collect::<Vec<_>>());
        });
    }

    #[test]
    fn closed_gate_opens_by_itself() {
        let gate = Gate::default();
        gate.close(Duration::from_millis(1));
        gate.pass();
        assert!(!gate.closed.load(Ordering::Relaxed));
    }

    #[test]
    fn gate_that_is_closed_again_stays_closed_for_longer() {
        let gate = Gate::default();
        gate.close(Duration::ZERO);
        gate.close(LONG);
        let until = gate.until.lock().unwrap().unwrap();
        assert!(until > Instant::now() + LONG / 2);
    }
}
