// SPDX-License-Identifier: Apache-2.0
//! The benchmark of the call.

use crate::pallet::*;
use frame_benchmarking::v2::*;
use frame_support::{
    traits::{EnsureOrigin, Get},
    BoundedVec,
};

#[benchmarks(where ChangeOf<T>: Default)]
mod benchmarks {
    use super::*;

    /// Changes that are taken.
    #[benchmark]
    fn set(c: Linear<1, { T::MaxChanges::get() }>) -> Result<(), BenchmarkError> {
        let origin =
            T::AdminOrigin::try_successful_origin().map_err(|()| BenchmarkError::Weightless)?;
        let changes: ChangesOf<T> =
            BoundedVec::truncate_from((0..c).map(|_| ChangeOf::<T>::default()).collect());

        #[extrinsic_call]
        _(origin as T::RuntimeOrigin, changes);

        Ok(())
    }

    impl_benchmark_test_suite!(Pallet, crate::mock::new_test_ext(), crate::mock::Test);
}
