// SPDX-License-Identifier: Apache-2.0
//! Operators as the runtime API shows them.

use crate::{
    pallet::{Config, Contacts, Operators, Pallet, Refused, Slashes},
    types::{Commission, Offer, OperatorOf, SlashId},
};
use alloc::vec::Vec;
use assay_primitives::{
    api::{page, CommissionView, OfferView, OperatorView, SlashView},
    traits::Standings,
    ModelId,
};

impl<T: Config> Pallet<T> {
    /// Returns the operator as the runtime API shows it.
    pub fn view(stash: &T::AccountId) -> Option<OperatorView<T::AccountId>> {
        Operators::<T>::get(stash).map(|operator| Self::view_of(stash.clone(), operator))
    }

    /// Returns a page of at most `limit` operators as the runtime API shows them, in the order of the
    /// storage. It begins after that stash, or with the first operator.
    pub fn views(
        start_after: Option<&T::AccountId>,
        limit: u32,
    ) -> Vec<OperatorView<T::AccountId>> {
        let all = match start_after {
            Some(stash) => Operators::<T>::iter_from(Operators::<T>::hashed_key_for(stash)),
            None => Operators::<T>::iter(),
        };
        all.take(page(limit)).map(|(stash, operator)| Self::view_of(stash, operator)).collect()
    }

    /// Returns a page of at most `limit` operators of a model, in the order of the storage. It begins
    /// after that stash, or with the first operator of the model.
    pub fn views_of_model(
        model: &ModelId,
        start_after: Option<&T::AccountId>,
        limit: u32,
    ) -> Vec<OperatorView<T::AccountId>> {
        let stashes = Self::serving(model, start_after, limit);
        stashes.into_iter().filter_map(|stash| Self::view(&stash)).collect()
    }

    /// Returns the stash of the operator that an account can report for, as its worker or as its
    /// retiring worker.
    pub fn stash_of(worker: &T::AccountId) -> Option<T::AccountId> {
        Self::operator_of(worker).map(|(stash, _)| stash)
    }

    fn view_of(stash: T::AccountId, operator: OperatorOf<T>) -> OperatorView<T::AccountId> {
        let offer = |offer: &Offer| OfferView {
            model: offer.model,
            prices: offer.prices,
            context: offer.context,
            max_reward: offer.max_reward,
            max_bond: offer.max_bond,
        };
        let slashes = operator.slashes.iter().filter_map(|id| Self::slash_view(*id)).collect();
        OperatorView {
            refused: Refused::<T>::get(&stash).into_inner(),
            contact: Contacts::<T>::get(&stash),
            payout: operator.payout.unwrap_or_else(|| stash.clone()),
            stash,
            worker: operator.worker,
            retiring: operator.retiring.map(|retiring| (retiring.worker, retiring.until)),
            offers: operator.offers.iter().map(offer).collect(),
            concurrency: operator.concurrency,
            running: operator.running,
            draining: operator.draining,
            bonded: operator.bonded,
            delegated: operator.delegated.active.value,
            undelegating: operator.delegated.unbonding.value,
            delegators: operator.delegated.delegators,
            reserved: operator.reserved,
            unbonding: operator.unbonding.iter().map(|next| (next.amount, next.until)).collect(),
            commission: Self::commission_view(operator.commission),
            slashes,
        }
    }

    fn slash_view(id: SlashId) -> Option<SlashView> {
        let slash = Slashes::<T>::get(id)?;
        Some(SlashView { id, amount: slash.amount, due: slash.due })
    }

    fn commission_view(commission: Commission) -> CommissionView {
        let now = Self::now();
        let raise = commission.raise.filter(|raise| raise.from > now);
        CommissionView {
            current: commission.at(now).deconstruct(),
            raise: raise.map(|raise| (raise.to.deconstruct(), raise.from)),
        }
    }
}
