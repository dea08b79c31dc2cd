// SPDX-License-Identifier: Apache-2.0
//! Benchmarks of pallet-operators.

use crate::{
    pallet::*,
    types::{Offer, OffersOf, OperatorOf, Ranked, ReportsOf, Unbonding},
};
use alloc::vec::Vec;
use assay_primitives::{
    benchmarking::signed_contact,
    contact::SignedContact,
    traits::{Duty, Operators as _},
    Balance, ModelId, Prices, Report,
};
use frame_benchmarking::v2::*;
use frame_support::{
    traits::{
        fungible::{Inspect, Mutate},
        EnsureOrigin, Get, Hooks,
    },
    weights::Weight,
    BoundedVec,
};
use frame_system::{pallet_prelude::BlockNumberFor, RawOrigin};
use sp_core::H256;
use sp_runtime::{
    traits::{BlakeTwo256, Hash, Zero},
    Perbill, SaturatedConversion,
};

/// Returns an account with enough money for several bonds.
fn funded<T: Config>(name: &'static str, index: u32) -> Result<T::AccountId, BenchmarkError> {
    let who: T::AccountId = account(name, index, 0);
    let amount = bond::<T>().saturating_mul(10).saturating_add(T::Currency::minimum_balance());
    T::Currency::mint_into(&who, amount)?;
    Ok(who)
}

/// Returns the stake of an operator in the benchmarks.
fn bond<T: Config>() -> Balance {
    T::MinBond::get().saturating_mul(4)
}

/// Returns an identifier for each number. The usual constructor is not available in WASM.
fn id(n: u32) -> ModelId {
    BlakeTwo256::hash_of(&n)
}

fn offers<T: Config>(count: u32) -> OffersOf<T> {
    let offer = |n: u32| Offer::unlimited(id(n), Prices { input: 1, output: 1 }, 1);
    BoundedVec::truncate_from((0..count).map(offer).collect())
}

/// Returns the contact of a new node for that stash.
fn contact<T: Config>(stash: &T::AccountId) -> Result<SignedContact, BenchmarkError> {
    let genesis = frame_system::Pallet::<T>::block_hash(BlockNumberFor::<T>::zero());
    signed_contact(&H256::from_slice(genesis.as_ref()), stash)
        .ok_or(BenchmarkError::Stop("the keystore does not sign the contact"))
}

/// Registers an operator with all the offers that it can have.
fn operator<T: Config>(index: u32) -> Result<T::AccountId, BenchmarkError> {
    let stash = funded::<T>("stash", index)?;
    let worker: T::AccountId = account("worker", index, 0);
    let offers = offers::<T>(T::MaxOffers::get());
    Pallet::<T>::do_register(stash.clone(), worker, None, offers, 1, bond::<T>())?;
    Ok(stash)
}

/// Replaces the operator's worker while it runs that many jobs.
fn rotate<T: Config>(stash: &T::AccountId, jobs: u32) -> Result<(), BenchmarkError> {
    Pallet::<T>::do_set_concurrency(stash.clone(), T::MaxConcurrency::get())?;
    for n in 0..jobs {
        Pallet::<T>::reserve(stash, Duty::Run(id(n)), 0)?;
    }
    Pallet::<T>::do_set_worker(stash.clone(), account("worker", u32::MAX, 0))?;
    Ok(())
}

/// Unbonds as many amounts as possible, so that only `bonded` stays bonded.
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
    Operators::<T>::get(stash).ok_or(BenchmarkError::Stop("the operator does not exist"))
}

/// Fills the ranking with other operators that have more stake.
fn fill_ranking<T: Config>() {
    let rank = |index: u32| Ranked {
        stake: Balance::MAX.saturating_sub(index.into()),
        stash: account("ranked", index, 0),
    };
    let all: Vec<_> = (1..T::MaxCandidates::get()).map(rank).collect();
    Ranking::<T>::put(BoundedVec::truncate_from(all));
}

/// Returns the size of a delegation in the benchmarks.
fn delegation<T: Config>() -> Balance {
    T::MinDelegation::get().saturating_mul(2).max(1_000)
}

/// Registers an operator that can take delegations, with one delegator whose queue has only one
/// place left.
fn delegated<T: Config>() -> Result<(T::AccountId, T::AccountId), BenchmarkError> {
    let stash = operator::<T>(0)?;
    let who = funded::<T>("delegator", 0)?;
    T::Currency::mint_into(&stash, delegation::<T>().saturating_mul(200))?;
    T::Currency::mint_into(&who, delegation::<T>().saturating_mul(200))?;
    Pallet::<T>::do_bond_extra(stash.clone(), delegation::<T>().saturating_mul(100))?;
    Pallet::<T>::do_delegate(who.clone(), stash.clone(), delegation::<T>().saturating_mul(20))?;
    for block in 1..T::MaxUnbonding::get() {
        frame_system::Pallet::<T>::set_block_number(block.saturated_into());
        Pallet::<T>::do_undelegate(who.clone(), stash.clone(), 1_000)?;
    }
    let block = T::MaxUnbonding::get();
    frame_system::Pallet::<T>::set_block_number(block.saturated_into());
    fill_ranking::<T>();
    Ok((stash, who))
}

/// Advances by `blocks` blocks.
fn skip<T: Config>(blocks: u32) {
    let now = frame_system::Pallet::<T>::block_number();
    let then = now.saturated_into::<u32>().saturating_add(blocks);
    frame_system::Pallet::<T>::set_block_number(then.saturated_into());
}

/// Returns an operator whose slash is due, with delegators and the most amounts being taken out.
fn slashed<T: Config>() -> Result<T::AccountId, BenchmarkError> {
    let (stash, _) = delegated::<T>()?;
    let half = get::<T>(&stash)?.bonded / 2;
    unbond_all::<T>(&stash, T::MaxUnbonding::get(), half);
    let reporter = funded::<T>("reporter", 0)?;
    Pallet::<T>::record_slash(&stash, Perbill::from_percent(50), Some(reporter), 0);
    skip::<T>(T::SlashDelay::get());
    Ok(stash)
}

#[benchmarks]
mod benchmarks {
    use super::*;

    #[benchmark]
    fn register(o: Linear<0, { T::MaxOffers::get() }>) -> Result<(), BenchmarkError> {
        let stash = funded::<T>("stash", 0)?;
        let worker: T::AccountId = account("worker", 0, 0);
        let contact = contact::<T>(&stash)?;
        let offers = offers::<T>(o);
        fill_ranking::<T>();

        #[extrinsic_call]
        _(RawOrigin::Signed(stash.clone()), worker.clone(), contact, offers, 1, bond::<T>());

        assert_eq!(Workers::<T>::get(&worker), Some(stash));
        Ok(())
    }

    #[benchmark]
    fn bond_extra() -> Result<(), BenchmarkError> {
        let stash = operator::<T>(0)?;

        fill_ranking::<T>();

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
        fill_ranking::<T>();

        #[extrinsic_call]
        _(RawOrigin::Signed(stash.clone()), T::MinBond::get());

        assert_eq!(get::<T>(&stash)?.bonded, T::MinBond::get());
        Ok(())
    }

    /// Measures the worst case: everything unbonded is due, and the operator is removed.
    #[benchmark]
    fn withdraw_unbonded() -> Result<(), BenchmarkError> {
        let stash = operator::<T>(0)?;
        let places = T::MaxUnbonding::get();
        unbond_all::<T>(&stash, places, 0);
        frame_system::Pallet::<T>::set_block_number(places.saturated_into());
        fill_ranking::<T>();

        #[extrinsic_call]
        _(RawOrigin::Signed(stash.clone()), stash.clone());

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

    #[benchmark]
    fn retire_worker() -> Result<(), BenchmarkError> {
        let stash = operator::<T>(0)?;
        rotate::<T>(&stash, 1)?;

        #[extrinsic_call]
        _(RawOrigin::Signed(stash.clone()));

        assert!(get::<T>(&stash)?.retiring.is_none());
        Ok(())
    }

    /// Measures reports of a worker that was replaced, about jobs that do not exist. The work of handling
    /// a report is in its own weight.
    #[benchmark]
    fn report(r: Linear<1, { T::MaxReports::get() }>) -> Result<(), BenchmarkError> {
        let stash = operator::<T>(0)?;
        let worker = get::<T>(&stash)?.worker;
        rotate::<T>(&stash, r)?;
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
    fn leave() -> Result<(), BenchmarkError> {
        let stash = operator::<T>(0)?;
        fill_ranking::<T>();

        #[extrinsic_call]
        _(RawOrigin::Signed(stash.clone()));

        assert!(get::<T>(&stash)?.draining);
        Ok(())
    }

    #[benchmark]
    fn set_draining() -> Result<(), BenchmarkError> {
        let stash = operator::<T>(0)?;

        #[extrinsic_call]
        _(RawOrigin::Signed(stash.clone()), true);

        assert!(get::<T>(&stash)?.draining);
        Ok(())
    }

    #[benchmark]
    fn set_payout() -> Result<(), BenchmarkError> {
        let stash = operator::<T>(0)?;
        let payout: T::AccountId = account("payout", 0, 0);

        #[extrinsic_call]
        _(RawOrigin::Signed(stash.clone()), payout.clone());

        assert_eq!(get::<T>(&stash)?.payout, Some(payout));
        Ok(())
    }

    /// Measures a raise that is pending.
    #[benchmark]
    fn set_commission() -> Result<(), BenchmarkError> {
        let (stash, _) = delegated::<T>()?;
        let commission = T::MaxCommissionRaise::get();

        #[extrinsic_call]
        _(RawOrigin::Signed(stash.clone()), commission);

        assert_eq!(get::<T>(&stash)?.commission.raise.map(|raise| raise.to), Some(commission));
        Ok(())
    }

    /// Measures the most and the longest addresses.
    #[benchmark]
    fn set_contact() -> Result<(), BenchmarkError> {
        let stash = operator::<T>(0)?;
        let signed = contact::<T>(&stash)?;

        #[extrinsic_call]
        _(RawOrigin::Signed(stash.clone()), signed.clone());

        assert_eq!(Contacts::<T>::get(&stash), Some(signed.contact));
        Ok(())
    }

    #[benchmark]
    fn delegate() -> Result<(), BenchmarkError> {
        let (stash, _) = delegated::<T>()?;
        let who = funded::<T>("delegator", 1)?;
        let amount = delegation::<T>();
        T::Currency::mint_into(&who, amount)?;

        #[extrinsic_call]
        _(RawOrigin::Signed(who.clone()), stash.clone(), amount);

        assert!(Delegations::<T>::contains_key(&who, &stash));
        Ok(())
    }

    #[benchmark]
    fn undelegate() -> Result<(), BenchmarkError> {
        let (stash, who) = delegated::<T>()?;

        #[extrinsic_call]
        _(RawOrigin::Signed(who.clone()), stash.clone(), Balance::MAX);

        assert_eq!(get::<T>(&stash)?.delegated.active.value, 0);
        Ok(())
    }

    #[benchmark]
    fn withdraw_delegation() -> Result<(), BenchmarkError> {
        let (stash, who) = delegated::<T>()?;
        Pallet::<T>::do_undelegate(who.clone(), stash.clone(), Balance::MAX)?;
        skip::<T>(T::UnbondingPeriod::get());

        #[extrinsic_call]
        _(RawOrigin::Signed(who.clone()), stash.clone(), who.clone());

        assert!(!Delegations::<T>::contains_key(&who, &stash));
        Ok(())
    }

    #[benchmark]
    fn apply_slash() -> Result<(), BenchmarkError> {
        let stash = slashed::<T>()?;
        let slash = NextSlash::<T>::get().saturating_sub(1);

        #[extrinsic_call]
        _(RawOrigin::Signed(stash.clone()), slash);

        assert!(get::<T>(&stash)?.slashes.is_empty());
        Ok(())
    }

    #[benchmark]
    fn cancel_slash() -> Result<(), BenchmarkError> {
        let stash = slashed::<T>()?;
        let slash = NextSlash::<T>::get().saturating_sub(1);
        let origin = T::SlashCancelOrigin::try_successful_origin()
            .map_err(|()| BenchmarkError::Weightless)?;

        #[extrinsic_call]
        _(origin as T::RuntimeOrigin, slash);

        assert!(get::<T>(&stash)?.slashes.is_empty());
        Ok(())
    }

    /// Measures the last client that fits.
    #[benchmark]
    fn refuse_client() -> Result<(), BenchmarkError> {
        let stash = operator::<T>(0)?;
        for n in 1..T::MaxRefused::get() {
            Pallet::<T>::do_refuse_client(stash.clone(), account("client", n, 0))?;
        }
        let client: T::AccountId = account("client", 0, 0);

        #[extrinsic_call]
        _(RawOrigin::Signed(stash.clone()), client.clone());

        assert!(Refused::<T>::get(&stash).contains(&client));
        Ok(())
    }

    #[benchmark]
    fn admit_client() -> Result<(), BenchmarkError> {
        let stash = operator::<T>(0)?;
        for n in 0..T::MaxRefused::get() {
            Pallet::<T>::do_refuse_client(stash.clone(), account("client", n, 0))?;
        }
        let client: T::AccountId = account("client", 0, 0);

        #[extrinsic_call]
        _(RawOrigin::Signed(stash.clone()), client.clone());

        assert!(!Refused::<T>::get(&stash).contains(&client));
        Ok(())
    }

    #[benchmark]
    fn rank_operator() -> Result<(), BenchmarkError> {
        let stash = operator::<T>(0)?;
        fill_ranking::<T>();

        #[extrinsic_call]
        _(RawOrigin::Signed(stash.clone()), stash.clone());

        assert!(Ranking::<T>::get().iter().any(|next| next.stash == stash));
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

    /// Measures a block in which no slash is due. Each due slash has its own weight.
    #[benchmark]
    fn on_idle() {
        #[block]
        {
            Pallet::<T>::apply_due_slashes(Weight::MAX);
        }

        assert_eq!(OldestSlash::<T>::get(), NextSlash::<T>::get());
    }

    #[benchmark]
    fn record_slash() -> Result<(), BenchmarkError> {
        let (stash, _) = delegated::<T>()?;
        for session in 1..T::MaxSlashes::get() {
            Pallet::<T>::record_slash(&stash, Perbill::from_parts(1_000), None, session);
        }

        #[block]
        {
            Pallet::<T>::record_slash(&stash, Perbill::from_percent(10), None, 0);
        }

        assert!(get::<T>(&stash)?.slashes.is_full());
        Ok(())
    }

    /// Measures an election with `n` operators that stand for it, elected or not.
    #[benchmark]
    fn elect(n: Linear<0, { T::MaxCandidates::get() }>) -> Result<(), BenchmarkError> {
        Ranking::<T>::kill();
        for index in 0..n {
            operator::<T>(index)?;
        }

        #[block]
        {
            Pallet::<T>::elect();
        }

        assert_eq!(Ranking::<T>::decode_len().unwrap_or(0), n.saturated_into::<usize>());
        Ok(())
    }

    impl_benchmark_test_suite!(Pallet, crate::mock::new_test_ext(), crate::mock::Test);
}
