// SPDX-License-Identifier: Apache-2.0
//! Stake: put on hold, taken out after the unbonding period, slashed.

use crate::{
    pallet::{Config, Error, Event, Operators, Pallet, Reservations, Workers},
    types::{stake_hold, CreditOf, OperatorOf, Unbonding},
};
use assay_primitives::Balance;
use frame_support::{
    ensure,
    storage::with_storage_layer,
    traits::{
        fungible::{BalancedHold, Inspect, MutateHold},
        tokens::{Fortitude, Precision, Preservation},
        Get,
    },
};
use sp_runtime::{DispatchError, DispatchResult};

impl<T: Config> Pallet<T> {
    /// Puts `amount` of the stash's money on hold and leaves its account the existential deposit.
    pub(crate) fn hold(stash: &T::AccountId, amount: Balance) -> DispatchResult {
        let spendable =
            T::Currency::reducible_balance(stash, Preservation::Preserve, Fortitude::Polite);
        ensure!(amount <= spendable, Error::<T>::BalanceTooLow);
        with_storage_layer::<_, DispatchError, _>(|| {
            T::Currency::hold(&stake_hold::<T>(), stash, amount)
        })
    }

    /// Takes up to `amount` of the hold: what is slashed is gone from the stash.
    pub(crate) fn slash_hold(stash: &T::AccountId, amount: Balance) -> CreditOf<T> {
        T::Currency::slash(&stake_hold::<T>(), stash, amount).0
    }

    pub(crate) fn do_bond_extra(stash: T::AccountId, amount: Balance) -> DispatchResult {
        Self::try_change(&stash, |operator| {
            ensure!(amount > 0, Error::<T>::AmountZero);
            // More than the total issuance cannot be held, so this sum never saturates.
            operator.bonded = operator.bonded.saturating_add(amount);
            ensure!(operator.bonded >= T::MinBond::get(), Error::<T>::BondBelowMinimum);
            Self::hold(&stash, amount)
        })?;
        Self::deposit_event(Event::Bonded { operator: stash, amount });
        Ok(())
    }

    pub(crate) fn do_unbond(stash: T::AccountId, amount: Balance) -> DispatchResult {
        let until = Self::now().saturating_add(T::UnbondingPeriod::get());
        Self::try_change(&stash, |operator| {
            ensure!(amount > 0, Error::<T>::AmountZero);
            ensure!(amount <= operator.unreserved(), Error::<T>::StakeReserved);
            operator.bonded = operator.bonded.saturating_sub(amount);
            ensure!(
                operator.bonded == 0 || operator.bonded >= T::MinBond::get(),
                Error::<T>::BondBelowMinimum
            );
            match operator.unbonding.iter_mut().find(|next| next.until == until) {
                Some(next) => next.amount = next.amount.saturating_add(amount),
                None => operator
                    .unbonding
                    .try_push(Unbonding { amount, until })
                    .map_err(|_| Error::<T>::UnbondingQueueFull)?,
            }
            Ok(())
        })?;
        Self::deposit_event(Event::Unbonded { operator: stash, amount, until });
        Ok(())
    }

    pub(crate) fn do_withdraw_unbonded(stash: T::AccountId) -> DispatchResult {
        let mut operator = Operators::<T>::get(&stash).ok_or(Error::<T>::NotOperator)?;
        let now = Self::now();
        let before = operator.unbonding_total();
        operator.unbonding.retain(|next| next.until > now);
        let amount = before.saturating_sub(operator.unbonding_total());
        let gone = Self::is_gone(&stash, &operator);
        ensure!(amount > 0 || gone, Error::<T>::NothingToWithdraw);
        if amount > 0 {
            with_storage_layer::<_, DispatchError, _>(|| {
                T::Currency::release(&stake_hold::<T>(), &stash, amount, Precision::Exact)
            })?;
            Self::deposit_event(Event::Withdrawn { operator: stash.clone(), amount });
        }
        if gone {
            Workers::<T>::remove(&operator.worker);
            Operators::<T>::remove(&stash);
            Self::deposit_event(Event::Removed { operator: stash });
        } else {
            Operators::<T>::insert(&stash, operator);
        }
        Ok(())
    }

    /// Whether nothing ties the operator to the chain any more: no stake, and no duty, not even one
    /// that reserves nothing.
    fn is_gone(stash: &T::AccountId, operator: &OperatorOf<T>) -> bool {
        operator.bonded == 0
            && operator.unbonding.is_empty()
            && Reservations::<T>::iter_prefix(stash).next().is_none()
    }
}
