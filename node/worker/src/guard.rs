// SPDX-License-Identifier: Apache-2.0
//! The guard against panics. Substrate's panic hook ends the process, unless the thread is excepted.

use crate::LOG_TARGET;
use assay_engine::panics::caught;
use assay_engine::EngineError;
use sp_panic_handler::AbortGuard;
use std::thread::{Builder, JoinHandle};

/// Excepts the calling thread from the hook for as long as it runs. The worker's threads and the
/// engine's call this first.
pub fn unwind_on_panic() {
    // The guard would restore the previous setting when it is dropped.
    std::mem::forget(AbortGuard::force_unwind());
}

/// Starts a thread that is excepted from the hook. It begins its body again after a panic.
///
/// # Errors
///
/// The system refuses the thread.
pub fn spawn(
    name: String,
    body: impl Fn() + Send + 'static,
) -> Result<JoinHandle<()>, EngineError> {
    let run = move || {
        unwind_on_panic();
        while let Err(message) = guarded(&body) {
            log::error!(target: LOG_TARGET, "a thread of the worker panicked: {message}");
        }
    };
    let refused = |source| EngineError::Io { path: "a thread of the worker".into(), source };
    Builder::new().name(name).spawn(run).map_err(refused)
}

/// Runs a closure on any thread, and returns the message of its panic if it panics.
pub fn guarded<T>(run: impl FnOnce() -> T) -> Result<T, String> {
    let _unwinds = AbortGuard::force_unwind();
    caught(run)
}
