// SPDX-License-Identifier: Apache-2.0
//! The worker as the runtime's off-chain workers see it.

use crate::{worker::Worker, LOG_TARGET};
use assay_host::Mailbox;
use assay_primitives::{Capabilities, EngineResult, Work};
use sp_core::H256;
use std::sync::Arc;

/// The mailbox of a worker.
#[derive(Clone)]
pub struct WorkerMailbox(pub Arc<Worker>);

impl Mailbox for WorkerMailbox {
    fn capabilities(&self) -> Option<Capabilities> {
        self.0.models().map(|models| Capabilities { models })
    }

    fn submit(&self, work: Work) -> bool {
        self.0.submit(work)
    }

    fn poll(&self, max: u32) -> Vec<EngineResult> {
        self.0.poll(max)
    }

    fn payload(&self, hash: H256) -> Option<Vec<u8>> {
        self.0.payload_to_publish(&hash).unwrap_or_else(|error| {
            log::error!(target: LOG_TARGET, "the payload {hash:?} cannot be read: {error}");
            None
        })
    }
}
