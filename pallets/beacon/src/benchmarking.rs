// SPDX-License-Identifier: Apache-2.0
//! The benchmark of the hook.

use crate::*;
use assay_primitives::traits::BlockRandomness;
use frame_benchmarking::v2::*;
use frame_support::traits::{Get, Hooks};
use sp_core::H256;

#[benchmarks]
mod benchmarks {
    use super::*;

    /// A block whose parent has an output, and in which another output becomes too old.
    #[benchmark]
    fn on_initialize() {
        let now = T::Depth::get().saturating_add(10);
        let parent = now.saturating_sub(1);
        for block in 0..parent {
            Outputs::<T>::insert(block, H256::repeat_byte(1));
        }
        T::Source::set_of_parent(H256::repeat_byte(2));

        #[block]
        {
            Pallet::<T>::on_initialize(now.into());
        }

        assert!(Outputs::<T>::contains_key(parent));
        assert!(!Outputs::<T>::contains_key(9));
    }

    impl_benchmark_test_suite!(Pallet, mock::new_test_ext(), mock::Test);
}
