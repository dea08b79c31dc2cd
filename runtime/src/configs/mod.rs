// SPDX-License-Identifier: Apache-2.0
//! The configuration of each pallet, one file per concern.

mod consensus;
mod market;
mod system;

pub use market::{Randomness, WorkerDuties};
pub use system::{BlockWeights, RuntimeBlockLength};
