// SPDX-License-Identifier: Apache-2.0
//! The ways by which money leaves a hold: to the payee, or to the pot as a claim of the payee.

use crate::{
    pallet::{Claims, Config, Error, Event, Pallet},
    types::{job_hold, CreditOf, Sent},
    LOG_TARGET,
};
use assay_primitives::Balance;
use frame_support::{
    storage::with_storage_layer,
    traits::{
        fungible::{Balanced, BalancedHold, Inspect, MutateHold},
        tokens::{DepositConsequence, Fortitude, Precision, Provenance, Restriction},
        Imbalance,
    },
};
use sp_runtime::{DispatchError, DispatchResult};

impl<T: Config> Pallet<T> {
    /// Whether `who` can receive `amount`.
    pub(crate) fn ensure_can_receive(who: &T::AccountId, amount: Balance) -> DispatchResult {
        match T::Currency::can_deposit(who, amount, Provenance::Extant) {
            DepositConsequence::BelowMinimum => {
                Err(Error::<T>::AmountBelowExistentialDeposit.into())
            }
            consequence => consequence.into_result(),
        }
    }

    /// Moves `amount` from the client's hold to the payee, or to the pot if the payee cannot
    /// receive it. An error means that nothing moved.
    ///
    /// The transfer is forced: a freeze on the client's balance, which the client can set itself,
    /// never keeps what is owed from being paid.
    pub(crate) fn send(
        client: &T::AccountId,
        payee: &T::AccountId,
        amount: Balance,
    ) -> Result<Sent, DispatchError> {
        match Self::send_held(client, payee, amount) {
            Ok(()) => Ok(Sent::Payee),
            Err(error) => {
                log::debug!(target: LOG_TARGET, "{payee:?} cannot receive {amount}: {error:?}");
                Self::send_held(client, &Self::pot(), amount)?;
                Self::record_claim(payee, amount);
                Ok(Sent::Pot)
            }
        }
    }

    /// Moves `amount`, no less, from the client's hold to the free balance of `to`.
    fn send_held(client: &T::AccountId, to: &T::AccountId, amount: Balance) -> DispatchResult {
        with_storage_layer(|| {
            if client == to {
                T::Currency::release(&job_hold::<T>(), client, amount, Precision::Exact)?;
            } else {
                T::Currency::transfer_on_hold(
                    &job_hold::<T>(),
                    client,
                    to,
                    amount,
                    Precision::Exact,
                    Restriction::Free,
                    Fortitude::Force,
                )?;
            }
            Ok(())
        })
    }

    /// Takes up to `amount` of the client's hold.
    pub(crate) fn take_held(client: &T::AccountId, amount: Balance) -> CreditOf<T> {
        if amount == 0 {
            return CreditOf::<T>::zero();
        }
        T::Currency::slash(&job_hold::<T>(), client, amount).0
    }

    /// Gives `credit` to the payee, or to the pot if the payee cannot receive it.
    pub(crate) fn give(payee: &T::AccountId, credit: CreditOf<T>) -> Balance {
        let amount = credit.peek();
        if amount == 0 {
            return 0;
        }
        let Err(credit) = T::Currency::resolve(payee, credit) else {
            Self::deposit_event(Event::Deposited { payee: payee.clone(), amount });
            return amount;
        };
        match T::Currency::resolve(&Self::pot(), credit) {
            Ok(()) => {
                Self::record_claim(payee, amount);
                amount
            }
            Err(credit) => {
                log::error!(target: LOG_TARGET, "the pot cannot receive {}: burnt", credit.peek());
                0
            }
        }
    }

    /// Notes that the pot has `amount` for the payee.
    fn record_claim(payee: &T::AccountId, amount: Balance) {
        // The sum of all claims is the pot's balance, so it never saturates.
        Claims::<T>::mutate(payee, |claim| *claim = claim.saturating_add(amount));
        Self::deposit_event(Event::ClaimRecorded { payee: payee.clone(), amount });
    }
}
