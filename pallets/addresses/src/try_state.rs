// SPDX-License-Identifier: Apache-2.0
//! Invariants between the two maps and the deposits.

use crate::pallet::{Accounts, Config, HoldReason, Pallet, Registrations};
use frame_support::{ensure, traits::fungible::InspectHold};
use sp_runtime::TryRuntimeError;

impl<T: Config> Pallet<T> {
    /// Checks that hashes and accounts belong to each other one to one, and that each account has
    /// exactly its deposit on hold.
    pub fn do_try_state() -> Result<(), TryRuntimeError> {
        for (who, registration) in Registrations::<T>::iter() {
            ensure!(
                Accounts::<T>::get(registration.address).as_ref() == Some(&who),
                "a registered hash does not lead to its account"
            );
            ensure!(
                T::Currency::balance_on_hold(&HoldReason::Registration.into(), &who)
                    == registration.deposit,
                "an account's hold is not its deposit"
            );
        }
        for (address, who) in Accounts::<T>::iter() {
            ensure!(
                Self::address_of(&who) == Some(address),
                "a hash leads to an account that has not registered it"
            );
        }
        Ok(())
    }
}
