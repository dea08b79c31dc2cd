// SPDX-License-Identifier: Apache-2.0
//! The invariants of the outputs between any two blocks.

use crate::{Config, Outputs, Pallet};
use frame_support::{ensure, traits::Get};
use sp_runtime::TryRuntimeError;

impl<T: Config> Pallet<T> {
    /// Checks that outputs are of past blocks, and of no more than are kept.
    pub fn do_try_state() -> Result<(), TryRuntimeError> {
        let now = Self::now();
        let oldest = now.saturating_sub(T::Depth::get());
        for block in Outputs::<T>::iter_keys() {
            ensure!(block < now, "an output is of a block that is not past");
            ensure!(block >= oldest, "an output is kept for too long");
        }
        Ok(())
    }
}
