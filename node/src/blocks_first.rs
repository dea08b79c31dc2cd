// SPDX-License-Identifier: Apache-2.0
//! Blocks come before inference: the engine stands still while a block is imported.
//!
//! The engine only takes idle cores, which keeps it off an import's core, but not off the memory bus
//! and the sibling of a hyper-threaded core. An import takes milliseconds of a slot of seconds, so the
//! engine loses almost nothing. In addition, blocks are imported on cores of their own, whose caches
//! the engine does not evict.

use assay_engine::Gate;
use assay_runtime::opaque::Block;
use assay_worker::Cores;
use async_trait::async_trait;
use sc_consensus::{BlockCheckParams, BlockImport, BlockImportParams, ImportResult};
use std::{
    cell::Cell,
    sync::{Arc, OnceLock},
    time::Duration,
};

/// The longest that the engine waits for one block to be imported.
const AT_MOST: Duration = Duration::from_millis(500);
/// The longest that the engine waits for the verification before an import. A verification that fails
/// tells nobody, and many bad headers must not delay the engine for long.
const VERIFYING: Duration = Duration::from_millis(50);

thread_local! {
    /// The mark of a thread that keeps to the cores for blocks.
    static KEPT: Cell<bool> = const { Cell::new(false) };
}

/// An import of blocks that closes the engine's gate, from the check before each import to its end.
#[derive(Clone)]
pub struct BlocksFirst<I> {
    inner: I,
    gate: Arc<Gate>,
    cores: Arc<OnceLock<Cores>>,
}

impl<I> BlocksFirst<I> {
    /// Wraps an import.
    pub fn new(inner: I, gate: Arc<Gate>) -> Self {
        Self { inner, gate, cores: Arc::default() }
    }

    /// Imports on the cores that an engine of `threads` threads leaves to blocks, if it leaves any.
    pub fn avoid_cores_of(&self, threads: usize) {
        if let Some(cores) = Cores::share_out(threads) {
            self.cores.get_or_init(|| cores);
        }
    }

    /// Moves the calling thread, which does nothing but import, to the cores for blocks.
    fn keep_to_cores(&self) {
        if let Some(cores) = self.cores.get().filter(|_| !KEPT.replace(true)) {
            cores.keep_to_blocks();
        }
    }
}

#[async_trait]
impl<I: BlockImport<Block> + Send + Sync> BlockImport<Block> for BlocksFirst<I> {
    type Error = I::Error;

    async fn check_block(&self, block: BlockCheckParams<Block>) -> Result<ImportResult, I::Error> {
        self.keep_to_cores();
        let result = self.inner.check_block(block).await;
        // Only a block that is new and can be imported is imported next.
        if matches!(result, Ok(ImportResult::Imported(_))) {
            self.gate.close(VERIFYING);
        }
        result
    }

    async fn import_block(
        &self,
        block: BlockImportParams<Block>,
    ) -> Result<ImportResult, I::Error> {
        self.keep_to_cores();
        self.gate.close(AT_MOST);
        let result = self.inner.import_block(block).await;
        self.gate.open();
        result
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    /// An import that takes every block.
    struct Takes;

    #[async_trait]
    impl BlockImport<Block> for Takes {
        type Error = sp_consensus::Error;

        async fn check_block(
            &self,
            _: BlockCheckParams<Block>,
        ) -> Result<ImportResult, Self::Error> {
            Ok(ImportResult::imported(false))
        }

        async fn import_block(
            &self,
            _: BlockImportParams<Block>,
        ) -> Result<ImportResult, Self::Error> {
            Ok(ImportResult::imported(false))
        }
    }

    #[tokio::test]
    async fn header_that_is_never_imported_delays_the_engine_for_a_moment() {
        let gate = Arc::<Gate>::default();
        let import = BlocksFirst::new(Takes, gate.clone());
        let header = BlockCheckParams {
            hash: Default::default(),
            number: 1,
            parent_hash: Default::default(),
            allow_missing_state: false,
            allow_missing_parent: false,
            import_existing: false,
        };
        import.check_block(header).await.unwrap();
        let begun = Instant::now();
        gate.pass();
        assert!(begun.elapsed() < AT_MOST, "{:?}", begun.elapsed());
    }
}
