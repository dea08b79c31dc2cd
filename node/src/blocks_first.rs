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

/// The longest that the engine waits for one block.
const AT_MOST: Duration = Duration::from_millis(500);

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
            self.gate.close(AT_MOST);
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
