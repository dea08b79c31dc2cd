// SPDX-License-Identifier: Apache-2.0
//! The priority of the engine's threads: they only take cores that nothing else wants.

use super::cores::Cores;
use crate::guard::unwind_on_panic;
use assay_engine::EngineError;

/// Runs on a new thread with the engine's priority and cores, which the threads that it starts
/// inherit. A panic is raised on the calling thread.
pub fn in_the_background<T: Send>(
    threads: usize,
    run: impl FnOnce() -> Result<T, EngineError> + Send,
) -> Result<T, EngineError> {
    let no_thread = |source| EngineError::Io { path: "a thread of the engine".into(), source };
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().name("assay-engine-start".into());
        let running = thread.spawn_scoped(scope, || {
            unwind_on_panic();
            priority::lower();
            if let Some(cores) = Cores::share_out(threads) {
                cores.keep_to_engine();
            }
            run()
        });
        match running.map_err(no_thread)?.join() {
            Ok(done) => done,
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}

/// Runs on a new thread with the engine's priority, so that blocks come first. Where the system refuses
/// the thread, it runs on this one.
pub fn at_low_priority<T: Send>(run: impl Fn() -> T + Sync) -> T {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().name("assay-background".into());
        let running = thread.spawn_scoped(scope, || {
            priority::lower();
            run()
        });
        match running.map(std::thread::ScopedJoinHandle::join) {
            Ok(Ok(done)) => done,
            Ok(Err(panic)) => std::panic::resume_unwind(panic),
            Err(_) => run(),
        }
    })
}

#[cfg(target_os = "linux")]
mod priority {
    use crate::LOG_TARGET;
    use thread_priority::{
        set_thread_priority_and_policy, thread_native_id, thread_schedule_policy,
        NormalThreadSchedulePolicy, ThreadPriority, ThreadSchedulePolicy,
    };

    /// The policy `SCHED_IDLE`. Any other thread that wants the core gets it at once, and the
    /// scheduler treats a core that only runs the engine as idle. So blocks are imported and authored
    /// before a token is computed.
    const IDLE: ThreadSchedulePolicy =
        ThreadSchedulePolicy::Normal(NormalThreadSchedulePolicy::Idle);

    /// Gives the calling thread the policy `SCHED_IDLE`.
    pub fn lower() {
        // After the policy, the library sets the nice value to 0. A process with a higher one may
        // lack the privilege, and the value has no effect under this policy. So the error counts
        // only if the policy was not set.
        let result = set_thread_priority_and_policy(thread_native_id(), ThreadPriority::Min, IDLE);
        if is_idle() {
            return;
        }
        if let Err(error) = result {
            log::warn!(target: LOG_TARGET, "the engine's threads keep their priority: {error}");
        }
    }

    /// Returns whether the calling thread has the policy `SCHED_IDLE`.
    fn is_idle() -> bool {
        thread_schedule_policy().is_ok_and(|policy| policy == IDLE)
    }
}

#[cfg(not(target_os = "linux"))]
mod priority {
    /// Does nothing: this system has no such policy.
    pub fn lower() {}
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    /// `SCHED_IDLE` of the kernel.
    const IDLE: &str = "5";

    /// Returns whether the kernel runs the calling thread with the policy `SCHED_IDLE`. The library asks
    /// the C library, which may answer with what it was told.
    fn is_idle() -> bool {
        let stat = std::fs::read_to_string("/proc/thread-self/stat").expect("Linux has it");
        // The second field is the name in brackets, which may hold spaces; the policy is the 41st.
        let (_, fields) = stat.rsplit_once(')').expect("the name is in brackets");
        fields.split_whitespace().nth(41 - 3).expect("it has a policy") == IDLE
    }

    #[test]
    fn background_takes_idle_cores_and_so_do_the_threads_that_it_starts() {
        let policies = in_the_background(1, || {
            let inner = std::thread::spawn(is_idle).join();
            Ok((is_idle(), inner.ok()))
        });
        assert_eq!(policies.ok(), Some((true, Some(true))));
        assert!(at_low_priority(is_idle));
        assert!(!is_idle(), "the caller keeps its own");
    }
}
