// SPDX-License-Identifier: Apache-2.0
//! An operator's own stake, which is put on hold and taken out after the unbonding period.

use crate::{
    pallet::{
        Config, Contacts, Error, Event, Operators, Orphans, Pallet, Refused, RefusedReports,
        Workers,
    },
    types::{stake_hold, OperatorOf, Unbonding},
};
use assay_primitives::{Balance, BlockNumber};
use frame_support::{
    ensure,
    storage::with_storage_layer,
    traits::{
        fungible::{Inspect, MutateHold},
        tokens::{Fortitude, Precision, Preservation},
        Get,
    },
};
use sp_runtime::{DispatchError, DispatchResult};

impl<T: Config> Pallet<T> {
    /// Ensures that the account can spend `amount` and keep the existential deposit.
    pub(crate) fn ensure_spendable(who: &T::AccountId, amount: Balance) -> DispatchResult {
        let spendable =
            T::Currency::reducible_balance(who, Preservation::Preserve, Fortitude::Polite);
        ensure!(amount <= spendable, Error::<T>::BalanceTooLow);
        Ok(())
    }

    /// Puts `amount` of the stash's money on hold and keeps the existential deposit in its account.
    pub(crate) fn hold(stash: &T::AccountId, amount: Balance) -> DispatchResult {
        Self::ensure_spendable(stash, amount)?;
        with_storage_layer::<_, DispatchError, _>(|| {
            T::Currency::hold(&stake_hold::<T>(), stash, amount)
        })
    }

    /// Returns the block from which an amount that is unbonded now can be withdrawn.
    pub(crate) fn unbonded_at() -> BlockNumber {
        Self::now().saturating_add(T::UnbondingPeriod::get())
    }

    pub(crate) fn do_bond_extra(stash: T::AccountId, amount: Balance) -> DispatchResult {
        Self::try_change(&stash, |operator| {
            ensure!(amount > 0, Error::<T>::AmountZero);
            // The total issuance bounds the holds, so this sum never saturates.
            operator.bonded = operator.bonded.saturating_add(amount);
            ensure!(operator.bonded >= T::MinBond::get(), Error::<T>::BondBelowMinimum);
            // The operator can have unbonded everything before, with delegations still active.
            Self::ensure_below_cap(operator, operator.bonded.saturating_sub(amount))?;
            Self::hold(&stash, amount)?;
            Self::tell_stake(&stash, Some(operator));
            Ok(())
        })?;
        Self::deposit_event(Event::Bonded { operator: stash, amount });
        Ok(())
    }

    pub(crate) fn do_unbond(stash: T::AccountId, amount: Balance) -> DispatchResult {
        let until = Self::unbonded_at();
        Self::try_change(&stash, |operator| {
            ensure!(amount > 0, Error::<T>::AmountZero);
            ensure!(amount <= operator.bonded, Error::<T>::StakeTooLow);
            ensure!(amount <= operator.unreserved(), Error::<T>::StakeReserved);
            operator.bonded = operator.bonded.saturating_sub(amount);
            if operator.bonded > 0 {
                ensure!(operator.bonded >= T::MinBond::get(), Error::<T>::BondBelowMinimum);
                ensure!(
                    operator.delegated.active.value <= Self::delegation_cap(operator.bonded),
                    Error::<T>::DelegationsAboveCap
                );
            }
            let unbonding = Unbonding { amount, until };
            Self::queue(operator, unbonding).map_err(|_| Error::<T>::UnbondingQueueFull)?;
            Self::tell_stake(&stash, Some(operator));
            Ok(())
        })?;
        Self::deposit_event(Event::Unbonded { operator: stash, amount, until });
        Ok(())
    }

    /// Drains the operator and unbonds all of its own stake. The part that duties reserve stays at
    /// stake until they end.
    pub(crate) fn do_leave(stash: T::AccountId) -> DispatchResult {
        let until = Self::unbonded_at();
        let amount = Self::try_change(&stash, |operator| {
            ensure!(operator.bonded > 0, Error::<T>::StakeTooLow);
            let amount = core::mem::take(&mut operator.bonded);
            operator.draining = true;
            if Self::queue(operator, Unbonding { amount, until }).is_err() {
                // The last amount in the queue is withdrawn together with this one.
                if let Some(last) = operator.unbonding.last_mut() {
                    *last = Unbonding { amount: last.amount.saturating_add(amount), until };
                }
            }
            Self::tell_stake(&stash, Some(operator));
            Ok(amount)
        })?;
        Self::deposit_event(Event::DrainingSet { operator: stash.clone(), draining: true });
        Self::deposit_event(Event::Unbonded { operator: stash, amount, until });
        Ok(())
    }

    /// Puts an amount into the operator's queue and merges it with one of the same block.
    fn queue(operator: &mut OperatorOf<T>, unbonding: Unbonding) -> Result<(), Unbonding> {
        match operator.unbonding.iter_mut().find(|next| next.until == unbonding.until) {
            Some(next) => {
                next.amount = next.amount.saturating_add(unbonding.amount);
                Ok(())
            }
            None => operator.unbonding.try_push(unbonding),
        }
    }

    pub(crate) fn do_withdraw_unbonded(stash: T::AccountId) -> DispatchResult {
        let mut operator = Operators::<T>::get(&stash).ok_or(Error::<T>::NotOperator)?;
        let now = Self::now();
        let due = |next: &Unbonding| next.until <= now;
        let amount = operator
            .unbonding
            .iter()
            .filter(|next| due(next))
            .fold(0, |sum: Balance, next| sum.saturating_add(next.amount));
        if amount > 0 {
            Self::ensure_free_to_go(&operator, amount)?;
        }
        operator.unbonding.retain(|next| !due(next));
        let gone = Self::is_gone(&operator);
        ensure!(amount > 0 || gone, Error::<T>::NothingToWithdraw);
        if amount > 0 {
            with_storage_layer::<_, DispatchError, _>(|| {
                T::Currency::release(&stake_hold::<T>(), &stash, amount, Precision::Exact)
            })?;
            Self::deposit_event(Event::Withdrawn { operator: stash.clone(), amount });
        }
        if gone {
            Self::remove(stash, operator);
        } else {
            Operators::<T>::insert(&stash, operator);
        }
        Ok(())
    }

    /// Ensures that an operator that returns from below the minimum has no more delegations than
    /// its stake allows. The stake before the call counts: changes through pay and slashes bind
    /// nobody.
    fn ensure_below_cap(operator: &OperatorOf<T>, before: Balance) -> DispatchResult {
        ensure!(
            before >= T::MinBond::get()
                || operator.delegated.active.value <= Self::delegation_cap(operator.bonded),
            Error::<T>::DelegationsAboveCap
        );
        Ok(())
    }

    /// Ensures that `amount` of the operator's own stake is owed to nobody: no slash is pending,
    /// and the remainder covers the reservations of duties.
    fn ensure_free_to_go(operator: &OperatorOf<T>, amount: Balance) -> DispatchResult {
        ensure!(operator.slashes.is_empty(), Error::<T>::SlashPending);
        ensure!(
            operator.own_at_stake().saturating_sub(amount) >= operator.reserved,
            Error::<T>::StakeReserved
        );
        Ok(())
    }

    /// Returns whether nothing ties the operator to the chain any more: it has no stake of its own,
    /// no slash, and no duty, not even one that reserves nothing.
    fn is_gone(operator: &OperatorOf<T>) -> bool {
        operator.bonded == 0
            && operator.unbonding.is_empty()
            && operator.slashes.is_empty()
            && operator.duties == 0
    }

    /// Removes the operator. The delegations to it stay until their owners withdraw them.
    fn remove(stash: T::AccountId, operator: OperatorOf<T>) {
        Workers::<T>::remove(&operator.worker);
        Self::index_offers(&stash, &operator.offers, &[]);
        Contacts::<T>::remove(&stash);
        Refused::<T>::remove(&stash);
        RefusedReports::<T>::remove(&stash);
        Operators::<T>::remove(&stash);
        Self::tell_stake(&stash, None);
        if operator.delegated.delegators > 0 {
            Orphans::<T>::insert(&stash, operator.delegated);
        }
        Self::deposit_event(Event::Removed { operator: stash });
    }
}
