// SPDX-License-Identifier: Apache-2.0
//! The operators as the pallets of jobs and of verification see them: candidates for duties, market
//! price and context of a model, and the stake that duties reserve.

use crate::{
    pallet::{Config, Delegations, Error, Event, Operators, Pallet, Reservations},
    types::{CreditOf, Offer, OperatorOf, Reservation},
};
use alloc::vec::Vec;
use assay_primitives::{
    traits::{Candidate, Duty, Operators as OperatorsTrait},
    Balance, ModelId,
};
use frame_support::{
    ensure,
    traits::{Get, Imbalance},
};
use sp_runtime::DispatchResult;

impl<T: Config> OperatorsTrait<T::AccountId> for Pallet<T> {
    type Credit = CreditOf<T>;

    fn candidates(
        model: &ModelId,
        slot: bool,
        bond: impl Fn(&T::AccountId, Balance) -> Option<Balance>,
    ) -> Vec<Candidate<T::AccountId>> {
        let mut candidates: Vec<_> = Self::serving(model)
            .filter(|(_, operator, _)| !slot || operator.running < operator.concurrency)
            .filter_map(|(account, operator, offer)| {
                let needed = bond(&account, offer.price)?;
                (needed <= operator.unreserved()).then_some(Candidate {
                    account,
                    weight: operator.stake(),
                    price: offer.price,
                })
            })
            .collect();
        candidates.sort_by(|one, other| one.account.cmp(&other.account));
        candidates
    }

    fn context(model: &ModelId) -> Option<u32> {
        Self::serving(model).map(|(_, _, offer)| offer.context).max()
    }

    fn price(model: &ModelId) -> Option<Balance> {
        let mut asked: Vec<(Balance, Balance)> = Self::serving(model)
            .map(|(_, operator, offer)| (offer.price, operator.stake()))
            .collect();
        asked.sort_unstable();
        let total = asked.iter().fold(0, |sum: Balance, (_, stake)| sum.saturating_add(*stake));
        let mut reached: Balance = 0;
        asked.into_iter().find_map(|(price, stake)| {
            reached = reached.saturating_add(stake);
            (reached >= total.saturating_sub(reached)).then_some(price)
        })
    }

    fn max_operators() -> u32 {
        T::MaxOperators::get()
    }

    fn reserve(stash: &T::AccountId, duty: Duty, amount: Balance) -> DispatchResult {
        let slot = matches!(duty, Duty::Run(_));
        Self::try_change(stash, |operator| {
            ensure!(!operator.draining, Error::<T>::OperatorDraining);
            ensure!(!Reservations::<T>::contains_key(stash, duty), Error::<T>::DutyReserved);
            ensure!(amount <= operator.unreserved(), Error::<T>::StakeReserved);
            if slot {
                ensure!(operator.running < operator.concurrency, Error::<T>::NoFreeSlot);
                operator.running = operator.running.saturating_add(1);
            }
            operator.reserved = operator.reserved.saturating_add(amount);
            Ok(())
        })?;
        Reservations::<T>::insert(stash, duty, Reservation { amount, slot });
        Self::deposit_event(Event::Reserved { operator: stash.clone(), duty, amount });
        Ok(())
    }

    fn free_slot(stash: &T::AccountId, duty: Duty) {
        let Some(reservation) = Reservations::<T>::get(stash, duty) else { return };
        if reservation.slot {
            Reservations::<T>::insert(stash, duty, Reservation { slot: false, ..reservation });
            Operators::<T>::mutate(stash, |operator| {
                let Some(operator) = operator else { return };
                operator.running = operator.running.saturating_sub(1);
            });
        }
    }

    fn release(stash: &T::AccountId, duty: Duty) {
        let Some(Reservation { amount, slot }) = Reservations::<T>::take(stash, duty) else {
            return;
        };
        Operators::<T>::mutate(stash, |operator| {
            let Some(operator) = operator else { return };
            operator.reserved = operator.reserved.saturating_sub(amount);
            if slot {
                operator.running = operator.running.saturating_sub(1);
            }
        });
        Self::deposit_event(Event::Released { operator: stash.clone(), duty, amount });
    }

    fn seize(stash: &T::AccountId, duty: Duty, amount: Balance) -> CreditOf<T> {
        let Some(reservation) = Reservations::<T>::get(stash, duty) else {
            return CreditOf::<T>::zero();
        };
        // A reservation is always of an operator, and never more than all that it has at stake.
        let Some(mut operator) = Operators::<T>::get(stash) else { return CreditOf::<T>::zero() };
        let credit = Self::slash(stash, &mut operator, amount.min(reservation.amount));
        let amount = credit.peek();
        if amount == 0 {
            return credit;
        }
        let left = reservation.amount.saturating_sub(amount);
        Reservations::<T>::insert(stash, duty, Reservation { amount: left, ..reservation });
        operator.reserved = operator.reserved.saturating_sub(amount);
        Operators::<T>::insert(stash, operator);
        Self::deposit_event(Event::Seized { operator: stash.clone(), duty, amount });
        credit
    }

    fn reserved(stash: &T::AccountId, duty: Duty) -> Balance {
        Reservations::<T>::get(stash, duty).map_or(0, |reservation| reservation.amount)
    }

    fn reward(stash: &T::AccountId, credit: CreditOf<T>) {
        Self::do_reward(stash, credit);
    }

    fn delegates(stash: &T::AccountId, account: &T::AccountId) -> bool {
        Delegations::<T>::contains_key(stash, account)
    }
}

impl<T: Config> Pallet<T> {
    /// The operators with enough stake of their own that serve a model and take new duties, each with
    /// its offer.
    fn serving(model: &ModelId) -> impl Iterator<Item = (T::AccountId, OperatorOf<T>, Offer)> + '_ {
        let least = T::MinBond::get();
        Operators::<T>::iter().filter_map(move |(stash, operator)| {
            let offer = *operator.offer(model)?;
            let serves = operator.bonded >= least && !operator.draining;
            serves.then_some((stash, operator, offer))
        })
    }
}
