// SPDX-License-Identifier: Apache-2.0
//! The source of payloads that this node does not have.

use assay_primitives::JobId;
use sp_core::H256;
use std::time::Instant;

/// A payload that is wanted.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// The job that the payload belongs to. Its operator has the payload, once it has accepted the job.
    pub job: JobId,
    /// blake2_256 of the payload.
    pub hash: H256,
    /// The peer id of the node that the job names; empty if it names none.
    pub peer: &'a [u8],
    /// The time by which the payload is of use.
    pub until: Instant,
}

/// Other nodes, as the worker's threads ask them for payloads.
pub trait PayloadSource: Send + Sync + 'static {
    /// Asks other nodes for a payload. Blocks until `until` at most. The result need not be checked: the
    /// caller compares the hash.
    fn fetch(&self, wanted: &Wanted) -> Option<Vec<u8>>;
}
