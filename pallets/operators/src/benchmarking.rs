// SPDX-License-Identifier: Apache-2.0
//! Benchmarks of pallet-operators.

use crate::{
    pallet::*,
    types::{Offer, OffersOf, OperatorOf, ReportsOf, Unbonding},
};
use alloc::vec::Vec;
use assay_primitives::{
    traits::{Duty, Operators as _},
    Balance, JobId, ModelId, Report,
};
use frame_benchmarking::v2::*;
use frame_support::{
    traits::{
        fungible::{Inspect, Mutate},
        Get, Hooks,
    },
    BoundedVec,
};
use frame_system::{pallet_prelude::BlockNumberFor, RawOrigin};
use sp_runtime::{
    traits::{BlakeTwo256, Hash},
    Perbill, SaturatedConversion,
};

/// An account with enough for several bonds.
fn funded<T: Config>(name: &'static str, index: u32) -> Result<T::AccountId, BenchmarkError> {
    let who: T::AccountId = account(name, index, 0);
    let amount = bond::<T>().saturating_mul(10).saturating_add(T::Currency::minimum_balance());
    T::Currency::mint_into(&who, amount)?;
    Ok(who)
}

/// The stake of an operator here.
fn bond<T: Config>() -> Balance {
    T::MinBond::get().saturating_mul(4)
}

/// An identifier for each number; the usual constructor is not to be had in WASM.
fn id(n: u32) -> ModelId {
    BlakeTwo256::hash_of(&n)
}

fn offers<T: Config>(count: u32) -> OffersOf<T> {
    let offer = |n: u32| Offer { model: id(n), price: 1, context: 1 };
    BoundedVec::truncate_from((0..count).map(offer).collect())
}

/// An operator with all the offers that it can have.
fn operator<T: Config>(index: u32) -> Result<T::AccountId, BenchmarkError> {
    let stash = funded::<T>("stash", index)?;
    let worker: T::AccountId = account("worker", index, 0);
    let offers = offers::<T>(T::MaxOffers::get());
    Pallet::<T>::do_register(stash.clone(), worker, offers, 1, bond::<T>())?;
    Ok(stash)
}

/// Has all that can be unbonded at a time on its way out, so that nothing stays bonded but `bonded`.
fn unbond_all<T: Config>(stash: &T::AccountId, places: u32, bonded: Balance) {
    Operators::<T>::mutate(stash, |operator| {
        let Some(operator) = operator else { return };
        let total = operator.bonded.saturating_sub(bonded);
        let each = total / Balance::from(places.max(1));
        operator.bonded = bonded;
        operator.unbonding = BoundedVec::truncate_from(
            (0..places).map(|until| Unbonding { amount: each, until }).collect::<Vec<_>>(),
        );
        let rest = total.saturating_sub(operator.unbonding_total());
        if let Some(last) = operator.unbonding.last_mut() {
            last.amount = last.amount.saturating_add(rest);
        }
    });
}

fn get<T: Config>(stash: &T::AccountId) -> Result<OperatorOf<T>, BenchmarkError> {
    Operators::<T>::get(stash).ok_or(BenchmarkError::Stop("the operator is there"))
}

#[benchmarks]
mod benchmarks {
    use super::*;

    #[benchmark]
    fn register(o: Linear<0, { T::MaxOffers::get() }>) -> Result<(), BenchmarkError> {
        let stash = funded::<T>("stash", 0)?;
        let worker: T::AccountId = account("worker", 0, 0);

        #[extrinsic_call]
        _(RawOrigin::Signed(stash.clone()), worker.clone(), offers::<T>(o), 1, bond::<T>());

        assert_eq!(Workers::<T>::get(&worker), Some(stash));
        Ok(())
    }

    #[benchmark]
    fn bond_extra() -> Result<(), BenchmarkError> {
        let stash = operator::<T>(0)?;

        #[extrinsic_call]
        _(RawOrigin::Signed(stash.clone()), bond::<T>());

        assert_eq!(get::<T>(&stash)?.bonded, bond::<T>().saturating_mul(2));
        Ok(())
    }

    #[benchmark]
    fn unbond() -> Result<(), BenchmarkError> {
        let stash = operator::<T>(0)?;
        let bonded = T::MinBond::get().saturating_mul(2);
        unbond_all::<T>(&stash, T::MaxUnbonding::get().saturating_sub(1), bonded);

        #[extrinsic_call]
        _(RawOrigin::Signed(stash.clone()), T::MinBond::get());

        assert_eq!(get::<T>(&stash)?.bonded, T::MinBond::get());
        Ok(())
    }

    /// All that was unbonded is due, and the operator goes.
    #[benchmark]
    fn withdraw_unbonded() -> Result<(), BenchmarkError> {
        let stash = operator::<T>(0)?;
        let places = T::MaxUnbonding::get();
        unbond_all::<T>(&stash, places, 0);
        frame_system::Pallet::<T>::set_block_number(places.saturated_into());

        #[extrinsic_call]
        _(RawOrigin::Signed(stash.clone()));

        assert!(!Operators::<T>::contains_key(&stash));
        Ok(())
    }

    #[benchmark]
    fn set_offers(o: Linear<0, { T::MaxOffers::get() }>) -> Result<(), BenchmarkError> {
        let stash = operator::<T>(0)?;

        #[extrinsic_call]
        _(RawOrigin::Signed(stash.clone()), offers::<T>(o));

        assert_eq!(get::<T>(&stash)?.offers, offers::<T>(o));
        Ok(())
    }

    #[benchmark]
    fn set_worker() -> Result<(), BenchmarkError> {
        let stash = operator::<T>(0)?;
        let worker: T::AccountId = account("worker", 1, 0);

        #[extrinsic_call]
        _(RawOrigin::Signed(stash.clone()), worker.clone());

        assert_eq!(get::<T>(&stash)?.worker, worker);
        Ok(())
    }

    /// All reports are about jobs that are not there. What else it takes to handle a report is in
    /// its own weight.
    #[benchmark]
    fn report(r: Linear<1, { T::MaxReports::get() }>) -> Result<(), BenchmarkError> {
        let stash = operator::<T>(0)?;
        let worker = get::<T>(&stash)?.worker;
        let accept = |n: u32| Report::Accept { job: id(n) };
        let reports = ReportsOf::<T>::truncate_from((0..r).map(accept).collect());

        #[extrinsic_call]
        _(RawOrigin::Signed(worker), reports);

        Ok(())
    }

    #[benchmark]
    fn set_concurrency() -> Result<(), BenchmarkError> {
        let stash = operator::<T>(0)?;
        let concurrency = T::MaxConcurrency::get();

        #[extrinsic_call]
        _(RawOrigin::Signed(stash.clone()), concurrency);

        assert_eq!(get::<T>(&stash)?.concurrency, concurrency);
        Ok(())
    }

    #[benchmark]
    fn on_initialize() {
        FreeReports::<T>::put(1);

        #[block]
        {
            Pallet::<T>::on_initialize(1u32.saturated_into::<BlockNumberFor<T>>());
        }

        assert_eq!(FreeReports::<T>::get(), 0);
    }

    #[benchmark]
    fn slash_offender() -> Result<(), BenchmarkError> {
        let stash = operator::<T>(0)?;
        unbond_all::<T>(&stash, T::MaxUnbonding::get(), T::MinBond::get());
        Pallet::<T>::reserve(&stash, Duty::Run(JobId::zero()), 1)?;

        #[block]
        {
            Pallet::<T>::slash_offender(&stash, Perbill::one(), 0);
        }

        assert_eq!(get::<T>(&stash)?.bonded, 1);
        Ok(())
    }

    /// Reading all operators is what it takes, whether they are elected or not.
    #[benchmark]
    fn elect(n: Linear<0, { T::MaxOperators::get() }>) -> Result<(), BenchmarkError> {
        for index in Operators::<T>::count()..n {
            operator::<T>(index)?;
        }

        #[block]
        {
            Pallet::<T>::elect();
        }

        Ok(())
    }

    impl_benchmark_test_suite!(Pallet, crate::mock::new_test_ext(), crate::mock::Test);
}
