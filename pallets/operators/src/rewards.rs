// SPDX-License-Identifier: Apache-2.0
//! Pay: the commission and the operator's own part go to its payout account, the rest to the pool
//! of its delegators.

use crate::{
    pallet::{Config, Error, Event, Operators, Pallet},
    pool::pro_rata,
    types::{delegation_hold, Commission, CreditOf, OperatorOf, Raise},
    LOG_TARGET,
};
use assay_primitives::Balance;
use frame_support::{
    ensure,
    traits::{
        fungible::{Balanced, MutateHold},
        Get, Imbalance,
    },
};
use sp_runtime::{DispatchResult, Perbill, Saturating};

impl<T: Config> Pallet<T> {
    pub(crate) fn do_set_payout(stash: T::AccountId, payout: T::AccountId) -> DispatchResult {
        Self::try_change(&stash, |operator| {
            operator.payout = (payout != stash).then(|| payout.clone());
            Ok(())
        })?;
        Self::deposit_event(Event::PayoutSet { operator: stash, payout });
        Ok(())
    }

    /// Sets the commission. It applies at once if it falls or there are no delegators, and
    /// otherwise after a period in which delegators can leave.
    pub(crate) fn do_set_commission(stash: T::AccountId, to: Perbill) -> DispatchResult {
        let now = Self::now();
        let from = Self::try_change(&stash, |operator| {
            let current = operator.commission.at(now);
            if to <= current || operator.delegated.delegators == 0 {
                operator.commission = Commission { current: to, raise: None };
                return Ok(now);
            }
            ensure!(
                to <= current.saturating_add(T::MaxCommissionRaise::get()),
                Error::<T>::CommissionRaiseTooHigh
            );
            let from = Self::unbonded_at();
            operator.commission = Commission { current, raise: Some(Raise { to, from }) };
            Ok(from)
        })?;
        Self::deposit_event(Event::CommissionSet { operator: stash, commission: to, from });
        Ok(())
    }

    /// Pays the operator and its delegators.
    pub(crate) fn do_reward(stash: &T::AccountId, credit: CreditOf<T>) {
        if credit.peek() == 0 {
            return;
        }
        let Some(mut operator) = Operators::<T>::get(stash) else {
            log::error!(target: LOG_TARGET, "{stash:?} is paid but is not an operator");
            Self::give(stash, None, credit);
            return;
        };
        let part = Self::delegators_part(&operator, credit.peek());
        let (others, own) = credit.split(part);
        let delegated = Self::compound(&mut operator, others);
        let payout = operator.payout.clone();
        let amount = Self::give(stash, payout, own);
        if delegated > 0 {
            Operators::<T>::insert(stash, operator);
        }
        Self::deposit_event(Event::Rewarded { operator: stash.clone(), amount, delegated });
    }

    /// Returns the delegators' part of a pay.
    fn delegators_part(operator: &OperatorOf<T>, pay: Balance) -> Balance {
        let commission = operator.commission.at(Self::now()).mul_ceil(pay);
        let shared = pay.saturating_sub(commission);
        pro_rata(shared, operator.delegated.active.value, operator.stake())
    }

    /// Adds a credit to the worth of the delegators' shares and returns its amount. The caller
    /// stores the operator.
    fn compound(operator: &mut OperatorOf<T>, credit: CreditOf<T>) -> Balance {
        let amount = credit.peek();
        if amount == 0 {
            return 0;
        }
        let vault = Self::vault();
        // The vault has the existential deposit from genesis on, so it can take any amount.
        let held = T::Currency::resolve(&vault, credit)
            .is_ok_and(|()| T::Currency::hold(&delegation_hold::<T>(), &vault, amount).is_ok());
        if !held {
            log::error!(target: LOG_TARGET, "the vault cannot receive {amount}");
            return 0;
        }
        operator.delegated.active.gain(amount)
    }

    /// Pays a credit to the payout account and returns the amount paid. If that account cannot
    /// receive it, pays it to the stash, which exists as long as it has stake.
    fn give(stash: &T::AccountId, payout: Option<T::AccountId>, credit: CreditOf<T>) -> Balance {
        let amount = credit.peek();
        let first = payout.as_ref().unwrap_or(stash);
        let given = T::Currency::resolve(first, credit)
            .or_else(|credit| T::Currency::resolve(stash, credit));
        match given {
            Ok(()) => amount,
            Err(credit) => {
                log::error!(
                    target: LOG_TARGET,
                    "{stash:?} cannot receive {}: burnt",
                    credit.peek()
                );
                0
            }
        }
    }
}
