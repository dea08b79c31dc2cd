// SPDX-License-Identifier: Apache-2.0
//! Benchmarks of pallet-escrow.

use crate::pallet::*;
use frame_benchmarking::v2::*;
use frame_support::traits::fungible::{Inspect, Mutate};
use frame_system::RawOrigin;

#[benchmarks]
mod benchmarks {
    use super::*;

    /// The caller's account does not exist and is created by the claim.
    #[benchmark]
    fn claim() -> Result<(), BenchmarkError> {
        let who: T::AccountId = whitelisted_caller();
        let amount = T::Currency::minimum_balance();
        T::Currency::mint_into(&Pallet::<T>::pot(), amount.saturating_mul(2))?;
        Claims::<T>::insert(&who, amount);

        #[extrinsic_call]
        _(RawOrigin::Signed(who.clone()));

        assert_eq!(T::Currency::balance(&who), amount);
        assert_eq!(Pallet::<T>::claimable(&who), 0);
        Ok(())
    }

    impl_benchmark_test_suite!(Pallet, crate::mock::new_test_ext(), crate::mock::Test);
}
