// SPDX-License-Identifier: Apache-2.0
//! What always holds between this pallet's records and the balances.

use crate::{
    pallet::{Config, GenesisValidators, Operators, Pallet, Reservations, Workers},
    types::{stake_hold, OperatorOf, Reservation},
};
use assay_primitives::{traits::Duty, Balance};
use frame_support::{
    ensure,
    traits::{fungible::InspectHold, Get},
};
use sp_runtime::{SaturatedConversion, TryRuntimeError};

impl<T: Config> Pallet<T> {
    /// Checks that each operator's stake is what it has on hold, that its reservations add up, that
    /// workers and operators name each other, and that nothing exceeds its bounds.
    pub(crate) fn do_try_state() -> Result<(), TryRuntimeError> {
        let mut count: u32 = 0;
        for (stash, operator) in Operators::<T>::iter() {
            count = count.saturating_add(1);
            Self::try_state_of(&stash, &operator)?;
        }
        ensure!(count == Operators::<T>::count(), "the count of operators is wrong");
        ensure!(count <= T::MaxOperators::get(), "more operators than can be");
        ensure!(
            Workers::<T>::iter().count().saturated_into::<u32>() == count,
            "a worker without operator"
        );
        for (stash, _, _) in Reservations::<T>::iter() {
            ensure!(Operators::<T>::contains_key(&stash), "a reservation without operator");
        }
        ensure!(
            GenesisValidators::<T>::get().len() <= T::MaxValidators::get().saturated_into(),
            "more validators of genesis than can be"
        );
        Ok(())
    }

    fn try_state_of(stash: &T::AccountId, operator: &OperatorOf<T>) -> Result<(), TryRuntimeError> {
        ensure!(
            Workers::<T>::get(&operator.worker).as_ref() == Some(stash),
            "an operator's worker is not its own"
        );
        let stake = operator
            .bonded
            .checked_add(operator.unbonding_total())
            .ok_or("the stake of an operator overflows")?;
        ensure!(
            T::Currency::balance_on_hold(&stake_hold::<T>(), stash) == stake,
            "an operator's hold is not its stake"
        );
        let mut reserved: Balance = 0;
        let mut running: u32 = 0;
        for (duty, Reservation { amount, slot }) in Reservations::<T>::iter_prefix(stash) {
            reserved = reserved.checked_add(amount).ok_or("the reservations overflow")?;
            if slot {
                ensure!(matches!(duty, Duty::Run(_)), "a slot is taken by no job");
                running = running.saturating_add(1);
            }
        }
        ensure!(operator.reserved == reserved, "reserved is not the sum of the reservations");
        ensure!(reserved <= operator.bonded, "more is reserved than bonded");
        ensure!(operator.running == running, "running is not the number of slots taken");
        ensure!(
            operator.concurrency > 0 && operator.concurrency <= T::MaxConcurrency::get(),
            "an operator's concurrency is out of bounds"
        );
        ensure!(operator.unbonding.iter().all(|next| next.amount > 0), "nothing is being unbonded");
        Ok(())
    }
}
