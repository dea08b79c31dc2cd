// SPDX-License-Identifier: Apache-2.0
//! Blocks come before inference: while one is imported, the engine stands still.
//!
//! A low priority keeps the engine from an import's core, but not from the caches, the memory bus and
//! the sibling of a hyper-threaded core. An import takes milliseconds of a slot of seconds, so the
//! engine loses next to nothing by it.

use assay_engine::Gate;
use assay_runtime::opaque::Block;
use async_trait::async_trait;
use sc_consensus::{BlockCheckParams, BlockImport, BlockImportParams, ImportResult};
use std::{sync::Arc, time::Duration};

/// The longest that the engine waits for one block to be imported.
const AT_MOST: Duration = Duration::from_millis(500);
/// The longest that it waits for the verification before that, which may fail and tells nobody so:
/// many bad headers must not hold it up for long.
const VERIFYING: Duration = Duration::from_millis(50);

/// An import that closes the engine's gate from the check that comes before it to its end.
#[derive(Clone)]
pub struct BlocksFirst<I> {
    inner: I,
    gate: Arc<Gate>,
}

impl<I> BlocksFirst<I> {
    /// Around an import.
    pub fn new(inner: I, gate: Arc<Gate>) -> Self {
        Self { inner, gate }
    }
}

#[async_trait]
impl<I: BlockImport<Block> + Send + Sync> BlockImport<Block> for BlocksFirst<I> {
    type Error = I::Error;

    async fn check_block(&self, block: BlockCheckParams<Block>) -> Result<ImportResult, I::Error> {
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

    /// Takes every block.
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
    async fn header_that_is_never_imported_holds_the_engine_up_for_a_moment() {
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
