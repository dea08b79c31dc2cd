// SPDX-License-Identifier: Apache-2.0
//! The operators as the pallets of jobs and of verification see them: the terms on which they serve
//! a model, its market price, and the stake that duties reserve.

use crate::{
    pallet::{
        Config, Delegations, Error, Event, Operators, Pallet, Refused, Reservations, Serving,
    },
    types::{CreditOf, Offer, Reservation},
};
use alloc::vec::Vec;
use assay_primitives::{
    traits::{Duty, Load, Operators as OperatorsTrait, Terms},
    Balance, ModelId, Prices,
};
use frame_support::{
    ensure,
    traits::{Get, Imbalance},
    weights::Weight,
};
use sp_runtime::DispatchResult;

impl<T: Config> OperatorsTrait<T::AccountId> for Pallet<T> {
    type Credit = CreditOf<T>;

    fn terms(stash: &T::AccountId, model: &ModelId) -> Option<Terms> {
        let operator = Operators::<T>::get(stash).filter(Self::takes_duties)?;
        let Offer { prices, context, max_reward, max_bond, .. } = *operator.offer(model)?;
        let load = Load { running: operator.running, concurrency: operator.concurrency };
        let unreserved = operator.unreserved();
        Some(Terms { prices, context, unreserved, max_reward, max_bond, load })
    }

    fn refuses(stash: &T::AccountId, client: &T::AccountId) -> bool {
        Refused::<T>::get(stash).contains(client)
    }

    fn prices(model: &ModelId, input_tokens: u32, tokens: u32) -> Option<Prices> {
        let asks = |stash: T::AccountId| {
            let operator = Operators::<T>::get(stash)?;
            let prices = operator.offer(model)?.prices;
            Self::takes_duties(&operator).then(|| (prices, operator.stake()))
        };
        let mut asked: Vec<(Prices, Balance)> =
            Serving::<T>::iter_key_prefix(model).filter_map(asks).collect();
        asked.sort_unstable_by_key(|(prices, _)| prices.of(input_tokens, tokens));
        let total = asked.iter().fold(0, |sum: Balance, (_, stake)| sum.saturating_add(*stake));
        let (mut reached, mut largest): (Balance, Balance) = (0, 0);
        asked.into_iter().find_map(|(prices, stake)| {
            reached = reached.saturating_add(stake);
            largest = largest.max(stake);
            // Whichever of these runs the job, the others have half of all others' stake.
            let most = total.saturating_sub(reached).saturating_add(largest);
            (reached >= most).then_some(prices)
        })
    }

    fn reserve(stash: &T::AccountId, duty: Duty, amount: Balance) -> DispatchResult {
        let slot = matches!(duty, Duty::Run(_));
        let rotation = Self::try_change(stash, |operator| {
            ensure!(!operator.draining, Error::<T>::OperatorDraining);
            ensure!(!Reservations::<T>::contains_key(stash, duty), Error::<T>::DutyReserved);
            ensure!(amount <= operator.unreserved(), Error::<T>::StakeReserved);
            if slot {
                ensure!(operator.running < operator.concurrency, Error::<T>::NoFreeSlot);
                operator.running = operator.running.saturating_add(1);
            }
            operator.reserved = operator.reserved.saturating_add(amount);
            operator.duties = operator.duties.saturating_add(1);
            Ok(operator.rotations)
        })?;
        Reservations::<T>::insert(stash, duty, Reservation { amount, slot, rotation });
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

    fn shrink(stash: &T::AccountId, duty: Duty, amount: Balance) {
        let Some(reservation) = Reservations::<T>::get(stash, duty) else { return };
        let freed = reservation.amount.saturating_sub(amount);
        if freed == 0 {
            return;
        }
        Reservations::<T>::insert(stash, duty, Reservation { amount, ..reservation });
        Operators::<T>::mutate(stash, |operator| {
            let Some(operator) = operator else { return };
            operator.reserved = operator.reserved.saturating_sub(freed);
        });
        Self::deposit_event(Event::Shrunk { operator: stash.clone(), duty, amount });
    }

    fn release(stash: &T::AccountId, duty: Duty) {
        let Some(Reservation { amount, slot, rotation }) = Reservations::<T>::take(stash, duty)
        else {
            return;
        };
        Operators::<T>::mutate(stash, |operator| {
            let Some(operator) = operator else { return };
            operator.reserved = operator.reserved.saturating_sub(amount);
            operator.duties = operator.duties.saturating_sub(1);
            if slot {
                operator.running = operator.running.saturating_sub(1);
            }
            Self::end_duty_of(stash, operator, rotation);
        });
        Self::deposit_event(Event::Released { operator: stash.clone(), duty, amount });
    }

    fn release_weight() -> Weight {
        // Not measured yet: the entry of a retiring worker removed, and an event.
        T::DbWeight::get().writes(1).saturating_add(Weight::from_parts(10_000_000, 0))
    }

    fn seize(stash: &T::AccountId, duty: Duty, amount: Balance) -> CreditOf<T> {
        let Some(reservation) = Reservations::<T>::get(stash, duty) else {
            return CreditOf::<T>::zero();
        };
        // A reservation always belongs to an operator and never exceeds the operator's own stake.
        let Some(mut operator) = Operators::<T>::get(stash) else { return CreditOf::<T>::zero() };
        let credit = Self::slash_own(stash, &mut operator, amount.min(reservation.amount));
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
        Delegations::<T>::contains_key(account, stash)
    }

    fn acts_for(account: &T::AccountId, stash: &T::AccountId, duty: Duty) -> bool {
        Self::operator_of(account)
            .is_some_and(|(of, scope)| of == *stash && Self::is_within(scope, stash, Some(duty)))
    }
}
