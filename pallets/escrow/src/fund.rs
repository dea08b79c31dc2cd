// SPDX-License-Identifier: Apache-2.0
//! The fund of juries: what is taken of payments for nobody, up to a most, until it pays jurors.

use crate::{
    pallet::{Config, Event, Pallet},
    types::CreditOf,
    LOG_TARGET,
};
use assay_primitives::{traits::Levied, Balance, JobId};
use frame_support::traits::{
    fungible::{Balanced, Inspect},
    tokens::{Fortitude, Precision, Preservation},
    Get, Imbalance,
};

impl<T: Config> Pallet<T> {
    /// Returns what the fund can pay.
    pub fn in_fund() -> Balance {
        let fund = Self::fund();
        T::Currency::reducible_balance(&fund, Preservation::Preserve, Fortitude::Polite)
    }

    /// Puts as much of `credit` into the fund as there is room for, and burns the rest.
    pub(crate) fn keep(job: &JobId, credit: CreditOf<T>) -> Levied {
        let room = T::FundMost::get().saturating_sub(Self::in_fund());
        let (kept, mut burnt) = credit.split(room);
        let mut amount = kept.peek();
        if amount > 0 {
            if let Err(credit) = T::Currency::resolve(&Self::fund(), kept) {
                log::error!(target: LOG_TARGET, "the fund cannot receive {amount}: burnt");
                burnt.subsume(credit);
                amount = 0;
            }
        }
        // The rest is burnt when it is dropped.
        let levied = Levied { burnt: burnt.peek(), kept: amount };
        if levied.kept > 0 {
            Self::deposit_event(Event::FundRaised { job: *job, amount: levied.kept });
        }
        if levied.burnt > 0 {
            Self::deposit_event(Event::Burnt { job: *job, amount: levied.burnt });
        }
        levied
    }

    /// Takes up to `amount` out of the fund.
    pub(crate) fn take_from_fund(amount: Balance) -> CreditOf<T> {
        let amount = amount.min(Self::in_fund());
        if amount == 0 {
            return CreditOf::<T>::zero();
        }
        let credit = T::Currency::withdraw(
            &Self::fund(),
            amount,
            Precision::BestEffort,
            Preservation::Preserve,
            Fortitude::Polite,
        );
        let credit = credit.unwrap_or_else(|error| {
            log::error!(target: LOG_TARGET, "the fund cannot pay {amount}: {error:?}");
            CreditOf::<T>::zero()
        });
        if credit.peek() > 0 {
            Self::deposit_event(Event::FundDrawn { amount: credit.peek() });
        }
        credit
    }
}
