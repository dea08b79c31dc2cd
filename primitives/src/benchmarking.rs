// SPDX-License-Identifier: Apache-2.0
//! What the benchmarks of the pallets need of the runtime that they run in.

use crate::{
    job::{JobId, ModelId},
    Balance,
};
use alloc::vec::Vec;
use sp_core::H256;

/// Sets the scene for a benchmark.
pub trait BenchmarkHelper<AccountId> {
    /// An account that can pay for any job.
    fn client(index: u32) -> AccountId;
    /// Registers `count` operators that serve `model` at `price` per token with the longest context,
    /// many slots, and stake for many duties.
    fn operators(model: &ModelId, price: Balance, count: u32) -> Vec<AccountId>;
    /// From now on the parent block has this randomness.
    fn set_randomness(randomness: H256);
}

/// A pallet of jobs that can bring one before a committee without the steps in between.
pub trait DeliveredJobs<AccountId> {
    /// A job of `client` that `operator` has delivered, with the digest root zero, and that waits
    /// for its audit. The auditor is not told of it.
    fn delivered(client: &AccountId, operator: &AccountId, model: &ModelId) -> JobId;
}
