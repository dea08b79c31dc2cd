// SPDX-License-Identifier: Apache-2.0
//! The division of the machine's cores between the engine and the import of blocks.
//!
//! Streaming a model's weights evicts block data from a core's caches, and an import that finds them
//! cold takes longer (docs/bench/chain.md). So if there are more cores than threads of the engine,
//! the engine and the imports each keep to cores of their own.

/// The cores of this process, divided between the engine and blocks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cores {
    engine: Vec<usize>,
    blocks: Vec<usize>,
}

impl Cores {
    /// Assigns the last cores to `threads` threads of the engine and the others to blocks; `None` if
    /// no core is left for blocks.
    pub fn share_out(threads: usize) -> Option<Self> {
        let mut blocks = affinity::allowed();
        let left = blocks.len().checked_sub(threads).filter(|left| *left > 0)?;
        let engine = blocks.split_off(left);
        Some(Self { engine, blocks })
    }

    /// Keeps the calling thread, and the threads that it starts, on the engine's cores.
    pub fn keep_to_engine(&self) {
        affinity::keep_to(&self.engine);
    }

    /// Keeps the calling thread, and the threads that it starts, on the cores for blocks.
    pub fn keep_to_blocks(&self) {
        affinity::keep_to(&self.blocks);
    }
}

#[cfg(target_os = "linux")]
mod affinity {
    use crate::LOG_TARGET;
    use rustix::thread::{sched_getaffinity, sched_setaffinity, CpuSet};

    /// Returns the cores that the calling thread may run on; none if the system does not tell.
    pub fn allowed() -> Vec<usize> {
        let Ok(set) = sched_getaffinity(None) else { return Vec::new() };
        (0..CpuSet::MAX_CPU).filter(|core| set.is_set(*core)).collect()
    }

    /// Keeps the calling thread to these cores.
    pub fn keep_to(cores: &[usize]) {
        let mut set = CpuSet::new();
        for core in cores {
            set.set(*core);
        }
        if let Err(error) = sched_setaffinity(None, &set) {
            log::warn!(target: LOG_TARGET, "cannot keep a thread to the cores {cores:?}: {error}");
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod affinity {
    /// Returns no cores: this system does not tell which ones a thread may run on.
    pub fn allowed() -> Vec<usize> {
        Vec::new()
    }

    /// Does nothing on this system.
    pub fn keep_to(_cores: &[usize]) {}
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::{affinity::allowed, *};

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
