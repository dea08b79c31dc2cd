// SPDX-License-Identifier: Apache-2.0
//! The result of `assay_submitPayload`.

use serde::{Deserialize, Serialize};
use sp_core::H256;

/// A request that the node now holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubmittedPayload {
    /// The blake2_256 hash of the bytes, which the job names as its `request_hash`.
    pub hash: H256,
    /// The length in bytes.
    pub bytes: u64,
    /// The length of the prompt in tokens of the model that was named; `None` if none was named or the node has not
    /// loaded that model.
    pub tokens: Option<u32>,
}
