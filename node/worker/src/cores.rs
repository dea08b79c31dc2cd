// SPDX-License-Identifier: Apache-2.0
//! Which cores the engine computes on, and which it leaves to blocks.
//!
//! What streams a model's weights leaves nothing of a block's in the caches of the core that it runs
//! on, and an import that finds them cold takes longer (docs/bench/chain.md). So where there are more
//! cores than threads of the engine, each keeps to its own.

use crate::worker::LOG_TARGET;

/// The cores of this process, shared out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cores {
    engine: Vec<usize>,
    blocks: Vec<usize>,
}

impl Cores {
    /// The last ones for `threads` threads of the engine, the others for blocks; `None` where there
    /// are no others.
    pub fn share_out(threads: usize) -> Option<Self> {
        let mut blocks = allowed();
        let left = blocks.len().checked_sub(threads).filter(|left| *left > 0)?;
        let engine = blocks.split_off(left);
        Some(Self { engine, blocks })
    }

    /// Keeps the calling thread, and those that it starts, on the engine's.
    pub fn keep_to_engine(&self) {
        keep_to(&self.engine);
    }

    /// Keeps the calling thread, and those that it starts, on those for blocks.
    pub fn keep_to_blocks(&self) {
        keep_to(&self.blocks);
    }
}

/// The cores that the calling thread may run on; none where that cannot be known.
#[cfg(target_os = "linux")]
fn allowed() -> Vec<usize> {
    // SAFETY: a set of processors is plain bits, for which zero is the empty set.
    let mut set: libc::cpu_set_t = unsafe { std::mem::zeroed() };
    // SAFETY: the pointer is to a set of that size; 0 means the calling thread.
    if unsafe { libc::sched_getaffinity(0, size_of::<libc::cpu_set_t>(), &mut set) } != 0 {
        return Vec::new();
    }
    // SAFETY: each index is below the number of bits of the set.
    let has = |cpu: &usize| unsafe { libc::CPU_ISSET(*cpu, &set) };
    (0..libc::CPU_SETSIZE as usize).filter(has).collect()
}

#[cfg(target_os = "linux")]
fn keep_to(cores: &[usize]) {
    // SAFETY: as above.
    let mut set: libc::cpu_set_t = unsafe { std::mem::zeroed() };
    for &core in cores {
        // SAFETY: the index was found in a set of the same size.
        unsafe { libc::CPU_SET(core, &mut set) };
    }
    // SAFETY: the pointer is to a set of that size; 0 means the calling thread.
    if unsafe { libc::sched_setaffinity(0, size_of::<libc::cpu_set_t>(), &set) } != 0 {
        log::warn!(target: LOG_TARGET, "cannot keep a thread to the cores {cores:?}");
    }
}

#[cfg(not(target_os = "linux"))]
fn allowed() -> Vec<usize> {
    Vec::new()
}

#[cfg(not(target_os = "linux"))]
fn keep_to(_cores: &[usize]) {}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn share_out_leaves_the_others_to_blocks() {
        let all = allowed();
        assert!(!all.is_empty());
        assert_eq!(Cores::share_out(all.len()), None);
        assert_eq!(Cores::share_out(all.len() + 1), None);
        for threads in 1..all.len() {
            let cores = Cores::share_out(threads).unwrap();
            assert_eq!(cores.engine.len(), threads);
            assert_eq!([cores.blocks, cores.engine].concat(), all);
        }
    }

    #[test]
    fn thread_keeps_to_its_cores() {
        let Some(cores) = Cores::share_out(1) else { return };
        std::thread::scope(|scope| {
            scope.spawn(|| {
                cores.keep_to_engine();
                assert_eq!(allowed(), cores.engine);
                cores.keep_to_blocks();
                assert_eq!(allowed(), cores.blocks);
            });
        });
    }
}
