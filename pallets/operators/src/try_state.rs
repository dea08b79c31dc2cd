// SPDX-License-Identifier: Apache-2.0
//! Invariants between this pallet's records and the balances.

use crate::{
    pallet::{
        Config, Contacts, Delegations, GenesisValidators, Operators, Orphans, Pallet, Ranking,
        Refused, RefusedReports, Reservations, Serving, Slashes, Workers,
    },
    pool::{Pool, Shares},
    types::{delegation_hold, stake_hold, Delegated, DelegationOf, OperatorOf, Reservation},
};
use alloc::{collections::BTreeMap, vec::Vec};
use assay_primitives::{traits::Duty, Balance};
use frame_support::{
    ensure,
    traits::{fungible::InspectHold, Get},
};
use sp_runtime::{SaturatedConversion, TryRuntimeError};

impl<T: Config> Pallet<T> {
    /// Checks that each operator's stake is what it has on hold, that the vault holds what is in the
    /// pools, that reservations, slashes and shares add up, that workers and operators name each
    /// other, and that nothing exceeds its bounds.
    pub fn do_try_state() -> Result<(), TryRuntimeError> {
        let (mut count, mut workers, mut offers): (u32, u32, u32) = (0, 0, 0);
        let mut vault: Balance = 0;
        let mut delegations = BTreeMap::<T::AccountId, Vec<DelegationOf<T>>>::new();
        for (_, stash, delegation) in Delegations::<T>::iter() {
            delegations.entry(stash).or_default().push(delegation);
        }
        let mut of = |stash: &T::AccountId| delegations.remove(stash).unwrap_or_default();
        for (stash, operator) in Operators::<T>::iter() {
            count = count.saturating_add(1);
            workers = workers.saturating_add(1);
            workers = workers.saturating_add(operator.retiring.is_some().into());
            offers = offers.saturating_add(operator.offers.len().saturated_into());
            Self::try_state_of(&stash, &operator)?;
            Self::try_state_of_workers(&stash, &operator)?;
            Self::try_state_of_slashes(&operator)?;
            Self::try_state_of_pools(&of(&stash), &operator.delegated)?;
            ensure!(!Orphans::<T>::contains_key(&stash), "orphaned pools have an operator");
            vault = sum(vault, operator.delegated.total())?;
        }
        for (stash, pools) in Orphans::<T>::iter() {
            ensure!(pools.delegators > 0, "orphaned pools have no delegators");
            Self::try_state_of_pools(&of(&stash), &pools)?;
            vault = sum(vault, pools.total())?;
        }
        ensure!(delegations.is_empty(), "a delegation has no pools");
        for (stash, (block, refused)) in RefusedReports::<T>::iter() {
            let known = Operators::<T>::contains_key(&stash);
            ensure!(known, "refused reports have no operator");
            ensure!(block <= Self::now() && refused > 0, "refused reports are miscounted");
        }
        ensure!(
            T::Currency::balance_on_hold(&delegation_hold::<T>(), &Self::vault()) == vault,
            "the vault's hold is not the sum of the pools"
        );
        ensure!(count == Operators::<T>::count(), "the count of operators is wrong");
        ensure!(count <= T::MaxOperators::get(), "there are more operators than MaxOperators");
        ensure!(
            Workers::<T>::iter().count().saturated_into::<u32>() == workers,
            "a worker has no operator"
        );
        ensure!(
            Serving::<T>::iter().count().saturated_into::<u32>() == offers,
            "the index of the operators of each model is not that of their offers"
        );
        Self::try_state_of_references()?;
        ensure!(
            GenesisValidators::<T>::get().len() <= T::MaxValidators::get().saturated_into(),
            "there are more genesis validators than MaxValidators"
        );
        Ok(())
    }

    /// Checks that every record stored by operator belongs to one.
    fn try_state_of_references() -> Result<(), TryRuntimeError> {
        for (stash, _, _) in Reservations::<T>::iter() {
            ensure!(Operators::<T>::contains_key(&stash), "a reservation has no operator");
        }
        for stash in Contacts::<T>::iter_keys() {
            ensure!(Operators::<T>::contains_key(&stash), "a contact has no operator");
        }
        for (stash, refused) in Refused::<T>::iter() {
            ensure!(Operators::<T>::contains_key(&stash), "a refusal has no operator");
            ensure!(!refused.is_empty(), "an empty list of refusals is stored");
        }
        for (id, slash) in Slashes::<T>::iter() {
            let known = Operators::<T>::get(&slash.operator);
            ensure!(
                known.is_some_and(|operator| operator.slashes.contains(&id)),
                "a slash is missing from its operator's record"
            );
        }
        let ranking = Ranking::<T>::get();
        for (one, other) in ranking.iter().zip(ranking.iter().skip(1)) {
            let key = |stake: Balance| Balance::MAX.saturating_sub(stake);
            ensure!(
                (key(one.stake), &one.stash) < (key(other.stake), &other.stash),
                "the ranking is out of order"
            );
        }
        for (index, next) in ranking.iter().enumerate() {
            ensure!(
                Operators::<T>::contains_key(&next.stash),
                "a ranked account is not an operator"
            );
            ensure!(
                !ranking.iter().take(index).any(|other| other.stash == next.stash),
                "an operator is ranked twice"
            );
        }
        Ok(())
    }

    fn try_state_of(stash: &T::AccountId, operator: &OperatorOf<T>) -> Result<(), TryRuntimeError> {
        for offer in &operator.offers {
            ensure!(
                Serving::<T>::contains_key(offer.model, stash),
                "an offer is missing from the index"
            );
        }
        ensure!(
            T::Currency::balance_on_hold(&stake_hold::<T>(), stash)
                == sum(operator.bonded, operator.unbonding_total())?,
            "an operator's hold is not its stake"
        );
        let mut reserved: Balance = 0;
        let (mut running, mut duties): (u32, u32) = (0, 0);
        for (duty, Reservation { amount, slot, .. }) in Reservations::<T>::iter_prefix(stash) {
            reserved = sum(reserved, amount)?;
            duties = duties.saturating_add(1);
            if slot {
                ensure!(
                    matches!(duty, Duty::Run(_)),
                    "a slot is taken by a duty that is not a job"
                );
                running = running.saturating_add(1);
            }
        }
        ensure!(operator.reserved == reserved, "reserved is not the sum of the reservations");
        ensure!(
            reserved <= operator.own_at_stake(),
            "the reservations exceed the operator's own stake"
        );
        ensure!(operator.duties == duties, "duties is not the number of the reservations");
        ensure!(operator.running == running, "running is not the number of slots taken");
        ensure!(
            operator.concurrency > 0 && operator.concurrency <= T::MaxConcurrency::get(),
            "an operator's concurrency is out of bounds"
        );
        ensure!(
            operator.unbonding.iter().all(|next| next.amount > 0),
            "an amount being unbonded is zero"
        );
        Ok(())
    }

    /// Checks that the workers name the operator, and that the previous one has exactly the duties that
    /// began before it was replaced.
    fn try_state_of_workers(
        stash: &T::AccountId,
        operator: &OperatorOf<T>,
    ) -> Result<(), TryRuntimeError> {
        let is_own = |worker| Workers::<T>::get(worker).as_ref() == Some(stash);
        ensure!(is_own(&operator.worker), "an operator's worker is not its own");
        let mut before: u32 = 0;
        for (_, Reservation { rotation, .. }) in Reservations::<T>::iter_prefix(stash) {
            ensure!(rotation <= operator.rotations, "a duty began after the last rotation");
            before = before.saturating_add((rotation < operator.rotations).into());
        }
        if let Some(retiring) = &operator.retiring {
            ensure!(is_own(&retiring.worker), "an operator's previous worker is not its own");
            ensure!(retiring.worker != operator.worker, "a worker is its own successor");
            ensure!(
                retiring.duties == before && before > 0,
                "the duties of a previous worker are miscounted"
            );
        }
        Ok(())
    }

    fn try_state_of_slashes(operator: &OperatorOf<T>) -> Result<(), TryRuntimeError> {
        let mut pending: Balance = 0;
        for id in &operator.slashes {
            let slash = Slashes::<T>::get(id).ok_or("an operator's slash does not exist")?;
            pending = sum(pending, slash.amount)?;
        }
        ensure!(operator.pending == pending, "pending is not the sum of the slashes");
        Ok(())
    }

    /// Checks that the shares of the delegators add up to those of the pools.
    fn try_state_of_pools(
        delegations: &[DelegationOf<T>],
        pools: &Delegated,
    ) -> Result<(), TryRuntimeError> {
        let (mut active, mut unbonding): (Balance, Balance) = (0, 0);
        let mut delegators: u32 = 0;
        for delegation in delegations {
            delegators = delegators.saturating_add(1);
            active = sum(active, current(&pools.active, delegation.shares))?;
            for next in &delegation.unbonding {
                unbonding = sum(unbonding, current(&pools.unbonding, next.shares))?;
            }
        }
        ensure!(pools.delegators == delegators, "the count of delegators is wrong");
        for (pool, shares) in [(pools.active, active), (pools.unbonding, unbonding)] {
            ensure!(pool.shares == shares, "a pool's shares are not those of the delegators");
            ensure!(
                (pool.value == 0) == (pool.shares == 0),
                "a pool has money without shares, or shares without money"
            );
        }
        Ok(())
    }
}

/// Returns the number of the shares that belong to the pool's round.
fn current(pool: &Pool, shares: Shares) -> Balance {
    if shares.round == pool.round {
        shares.count
    } else {
        0
    }
}

fn sum(one: Balance, other: Balance) -> Result<Balance, TryRuntimeError> {
    one.checked_add(other).ok_or_else(|| "a sum of money overflows".into())
}
