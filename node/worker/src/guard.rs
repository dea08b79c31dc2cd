// SPDX-License-Identifier: Apache-2.0
//! The guard against panics. Substrate's panic hook ends the process, unless the thread is excepted.

use assay_engine::panics::caught;
use sp_panic_handler::AbortGuard;

/// Excepts the calling thread from the hook for as long as it runs. The worker's threads and the
/// engine's call this first.
pub fn unwind_on_panic() {
    // The guard would restore the previous setting when it is dropped.
    std::mem::forget(AbortGuard::force_unwind());
}

/// Runs a closure on any thread, and returns the message of its panic if it panics.
pub fn guarded<T>(run: impl FnOnce() -> T) -> Result<T, String> {
    let _unwinds = AbortGuard::force_unwind();
    caught(run)
}
