// SPDX-License-Identifier: Apache-2.0
//! Storing outputs, and reading them by block and by span.

use crate::{Config, Outputs, Pallet};
use alloc::vec::Vec;
use assay_primitives::{
    traits::{BlockRandomness, PastRandomness},
    BlockNumber,
};
use codec::Encode;
use frame_support::traits::Get;
use sp_core::H256;
use sp_runtime::{
    traits::{BlakeTwo256, Hash},
    SaturatedConversion,
};

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
        if outputs.iter().all(Option::is_none) {
            return None;
        }
        let outputs: Vec<H256> = outputs.into_iter().map(Option::unwrap_or_default).collect();
        Some((b"assay/span/1", first, outputs).using_encoded(BlakeTwo256::hash))
    }
}
