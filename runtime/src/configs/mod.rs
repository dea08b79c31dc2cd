// SPDX-License-Identifier: Apache-2.0
//! The configuration of each pallet, one file per concern.

mod addresses;
mod consensus;
mod lifecycle;
mod market;
mod system;

pub use addresses::AddressDeposit;
pub use consensus::Elections;
pub use lifecycle::{lifecycle_weight, lifecycles_per_block};
pub use market::{Randomness, WorkerDuties};
pub use system::{BlockWeights, RuntimeBlockLength};
