// SPDX-License-Identifier: Apache-2.0
//! Delegations: delegating to an operator, taking back, and withdrawing.
//!
//! The money of all delegators is on hold in one account, the vault. The two pools of each operator
//! record how much of it is delegated to that operator, and the shares of its delegators record
//! whose money that is.

use crate::{
    pallet::{Config, Delegations, Error, Event, Operators, Orphans, Pallet},
    pool::pro_rata,
    types::{delegation_hold, Delegated, DelegationOf, OperatorOf, Undelegating},
};
use alloc::vec::Vec;
use assay_primitives::{api::DelegationView, Balance, BlockNumber};
use frame_support::{
    ensure,
    storage::with_storage_layer,
    traits::{
        fungible::MutateHold,
        tokens::{Fortitude, Precision, Preservation, Restriction},
        Get,
    },
};
use sp_runtime::{traits::AccountIdConversion, DispatchError, DispatchResult};

/// The largest loss through rounding that a delegation may suffer: one part in this many.
const MAX_LOSS: Balance = 1_000;

impl<T: Config> Pallet<T> {
    /// Returns the account in which delegations are on hold.
    pub fn vault() -> T::AccountId {
        T::PalletId::get().into_account_truncating()
    }

    /// Returns the largest sum of delegations to an operator with `bonded` of its own.
    pub(crate) fn delegation_cap(bonded: Balance) -> Balance {
        pro_rata(bonded, T::MaxDelegationPercent::get().into(), 100)
    }

    pub(crate) fn do_delegate(
        who: T::AccountId,
        stash: T::AccountId,
        amount: Balance,
    ) -> DispatchResult {
        ensure!(who != stash, Error::<T>::SelfDelegation);
        ensure!(amount > 0, Error::<T>::AmountZero);
        Self::try_change(&stash, |operator| {
            let known = Delegations::<T>::get(&who, &stash);
            let mut delegation = known.clone().unwrap_or_default();
            Self::ensure_delegable(operator, &delegation, amount)?;
            Self::ensure_spendable(&who, amount)?;
            let pool = &mut operator.delegated.active;
            let shares = pool
                .join(amount)
                .filter(|shares| amount.saturating_sub(pool.worth(*shares)) <= amount / MAX_LOSS)
                .ok_or(Error::<T>::SharePriceOutOfRange)?;
            delegation.shares.add(shares);
            if known.is_none() {
                operator.delegated.delegators = operator.delegated.delegators.saturating_add(1);
            }
            with_storage_layer::<_, DispatchError, _>(|| {
                T::Currency::transfer_and_hold(
                    &delegation_hold::<T>(),
                    &who,
                    &Self::vault(),
                    amount,
                    Precision::Exact,
                    Preservation::Preserve,
                    Fortitude::Polite,
                )
            })?;
            Delegations::<T>::insert(&who, &stash, delegation);
            Self::tell_stake(&stash, Some(operator));
            Ok(())
        })?;
        Self::deposit_event(Event::Delegated { operator: stash, delegator: who, amount });
        Ok(())
    }

    /// Ensures that the operator can take `amount` more from that delegator.
    fn ensure_delegable(
        operator: &OperatorOf<T>,
        delegation: &DelegationOf<T>,
        amount: Balance,
    ) -> DispatchResult {
        ensure!(!operator.draining, Error::<T>::OperatorDraining);
        ensure!(operator.slashes.is_empty(), Error::<T>::SlashPending);
        ensure!(operator.bonded >= T::MinBond::get(), Error::<T>::BondBelowMinimum);
        let pool = &operator.delegated.active;
        let worth = pool.worth(delegation.shares).saturating_add(amount);
        ensure!(worth >= T::MinDelegation::get(), Error::<T>::DelegationBelowMinimum);
        ensure!(
            pool.value.saturating_add(amount) <= Self::delegation_cap(operator.bonded),
            Error::<T>::DelegationsAboveCap
        );
        Ok(())
    }

    pub(crate) fn do_undelegate(
        who: T::AccountId,
        stash: T::AccountId,
        amount: Balance,
    ) -> DispatchResult {
        ensure!(amount > 0, Error::<T>::AmountZero);
        let until = Self::unbonded_at();
        let amount = Self::try_change(&stash, |operator| {
            let Delegated { active, unbonding, .. } = &mut operator.delegated;
            let mut delegation =
                Delegations::<T>::get(&who, &stash).ok_or(Error::<T>::NotDelegator)?;
            let part = active.part_for(delegation.shares, amount);
            let worth = active.leave(part);
            ensure!(worth > 0, Error::<T>::NotDelegator);
            delegation.shares.count = delegation.shares.count.saturating_sub(part.count);
            ensure!(
                delegation.shares.count == 0
                    || active.worth(delegation.shares) >= T::MinDelegation::get(),
                Error::<T>::DelegationBelowMinimum
            );
            let shares = unbonding.join(worth).ok_or(Error::<T>::SharePriceOutOfRange)?;
            match delegation.unbonding.iter_mut().find(|next| next.until == until) {
                Some(next) => next.shares.add(shares),
                None => delegation
                    .unbonding
                    .try_push(Undelegating { shares, until })
                    .map_err(|_| Error::<T>::UnbondingQueueFull)?,
            }
            Delegations::<T>::insert(&who, &stash, delegation);
            Self::tell_stake(&stash, Some(operator));
            Ok(worth)
        })?;
        Self::deposit_event(Event::Undelegated { operator: stash, delegator: who, amount, until });
        Ok(())
    }

    pub(crate) fn do_withdraw_delegation(stash: T::AccountId, who: T::AccountId) -> DispatchResult {
        let delegation = Delegations::<T>::get(&who, &stash).ok_or(Error::<T>::NotDelegator)?;
        let operator = Operators::<T>::get(&stash);
        let mut pools = match &operator {
            Some(operator) => operator.delegated,
            None => Orphans::<T>::get(&stash).unwrap_or_default(),
        };
        let now = operator.is_some().then(Self::now);
        let (amount, left) = Self::take_due(&mut pools, delegation, now)?;
        let waits = operator.as_ref().is_some_and(|operator| !operator.slashes.is_empty());
        ensure!(amount == 0 || !waits, Error::<T>::SlashPending);
        Self::pay_out(&who, amount)?;
        match left {
            Some(left) => Delegations::<T>::insert(&who, &stash, left),
            None => Delegations::<T>::remove(&who, &stash),
        }
        match operator {
            Some(operator) => {
                Operators::<T>::insert(&stash, OperatorOf::<T> { delegated: pools, ..operator });
            }
            None if pools.delegators > 0 => Orphans::<T>::insert(&stash, pools),
            None => Orphans::<T>::remove(&stash),
        }
        let event = Event::DelegationWithdrawn { operator: stash, delegator: who, amount };
        Self::deposit_event(event);
        Ok(())
    }

    /// Takes the shares that are due in block `now` out of the pools, or all of them if the
    /// operator is gone. Returns their worth, and the remaining delegation.
    fn take_due(
        pools: &mut Delegated,
        mut delegation: DelegationOf<T>,
        now: Option<BlockNumber>,
    ) -> Result<(Balance, Option<DelegationOf<T>>), Error<T>> {
        let before = delegation.unbonding.len();
        let mut amount: Balance = 0;
        delegation.unbonding.retain(|next| {
            let due = now.is_none_or(|now| next.until <= now);
            if due {
                amount = amount.saturating_add(pools.unbonding.leave(next.shares));
            }
            !due
        });
        if now.is_none() {
            amount = amount.saturating_add(pools.active.leave(delegation.shares));
            delegation.shares.count = 0;
        }
        let over = delegation.unbonding.is_empty() && pools.active.worth(delegation.shares) == 0;
        ensure!(over || delegation.unbonding.len() < before, Error::<T>::NothingToWithdraw);
        if over {
            // Worthless shares go with the delegation.
            pools.active.leave(delegation.shares);
            pools.delegators = pools.delegators.saturating_sub(1);
        }
        Ok((amount, (!over).then_some(delegation)))
    }

    /// Pays out of the vault. A freeze on the payee's account never keeps it from being paid.
    fn pay_out(who: &T::AccountId, amount: Balance) -> DispatchResult {
        if amount == 0 {
            return Ok(());
        }
        with_storage_layer::<_, DispatchError, _>(|| {
            T::Currency::transfer_on_hold(
                &delegation_hold::<T>(),
                &Self::vault(),
                who,
                amount,
                Precision::Exact,
                Restriction::Free,
                Fortitude::Force,
            )
        })?;
        Ok(())
    }

    /// Returns an account's delegations as the runtime API shows them, in ascending order of
    /// stashes.
    pub fn delegations(who: &T::AccountId) -> Vec<DelegationView<T::AccountId>> {
        let mut all: Vec<_> = Delegations::<T>::iter_prefix(who)
            .map(|(stash, delegation)| {
                let operator = Operators::<T>::get(&stash);
                let gone = operator.is_none();
                let orphaned = || Orphans::<T>::get(&stash).unwrap_or_default();
                let pools = operator.map_or_else(orphaned, |operator| operator.delegated);
                Self::delegation_view(stash, &pools, &delegation, gone)
            })
            .collect();
        all.sort_by(|one, other| one.operator.cmp(&other.operator));
        all
    }

    fn delegation_view(
        operator: T::AccountId,
        pools: &Delegated,
        delegation: &DelegationOf<T>,
        operator_gone: bool,
    ) -> DelegationView<T::AccountId> {
        let worth = pools.active.worth(delegation.shares);
        let unbonding = delegation
            .unbonding
            .iter()
            .map(|next| (pools.unbonding.worth(next.shares), next.until))
            .collect();
        DelegationView { operator, worth, unbonding, operator_gone }
    }
}
