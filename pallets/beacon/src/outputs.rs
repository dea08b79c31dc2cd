// SPDX-License-Identifier: Apache-2.0
//! Storing outputs, and reading them by block and by span.

use crate::{Config, Outputs, Pallet};
use alloc::vec::Vec;
use assay_primitives::{
    draw,
    traits::{BlockRandomness, PastRandomness},
    BlockNumber,
};
use frame_support::traits::Get;
use sp_core::H256;
use sp_runtime::SaturatedConversion;

impl<T: Config> Pallet<T> {
    /// Stores the output of the parent of `now`, and removes the output that is too old.
    pub(crate) fn record(now: BlockNumber) {
        let parent = now.saturating_sub(1);
        if let Some(output) = T::Source::of_parent() {
            Outputs::<T>::insert(parent, output);
        }
        if let Some(oldest) = parent.checked_sub(T::Depth::get()) {
            Outputs::<T>::remove(oldest);
        }
    }

    /// The block being built.
    pub(crate) fn now() -> BlockNumber {
        frame_system::Pallet::<T>::block_number().saturated_into()
    }
}

impl<T: Config> PastRandomness for Pallet<T> {
    fn of(block: BlockNumber) -> Option<H256> {
        Outputs::<T>::get(block)
    }

    fn of_span(first: BlockNumber, count: BlockNumber) -> Option<H256> {
        let now = Self::now();
        let end = first.saturating_add(count);
        let oldest = now.saturating_sub(T::Depth::get());
        if end > now || first < oldest {
            return None;
        }
        let outputs: Vec<Option<H256>> = (first..end).map(Self::of).collect();
        draw::of_span(first, &outputs)
    }
}
