// SPDX-License-Identifier: Apache-2.0
//! Operators as the runtime API shows them.

use crate::{
    pallet::{Config, Contacts, Operators, Pallet, Slashes},
    types::{Commission, Offer, OperatorOf, SlashId},
};
use alloc::vec::Vec;
use assay_primitives::api::{CommissionView, OfferView, OperatorView, SlashView};

impl<T: Config> Pallet<T> {
    /// Returns the operator as the runtime API shows it.
    pub fn view(stash: &T::AccountId) -> Option<OperatorView<T::AccountId>> {
        Operators::<T>::get(stash).map(|operator| Self::view_of(stash.clone(), operator))
    }

    /// Returns all operators as the runtime API shows them, in ascending order of their stashes.
    pub fn views() -> Vec<OperatorView<T::AccountId>> {
        let mut views: Vec<_> = Operators::<T>::iter()
            .map(|(stash, operator)| Self::view_of(stash, operator))
            .collect();
        views.sort_by(|one, other| one.stash.cmp(&other.stash));
        views
    }

    fn view_of(stash: T::AccountId, operator: OperatorOf<T>) -> OperatorView<T::AccountId> {
        let offer = |offer: &Offer| OfferView {
            model: offer.model,
            price: offer.price,
            context: offer.context,
        };
        let slashes = operator.slashes.iter().filter_map(|id| Self::slash_view(*id)).collect();
        OperatorView {
            contact: Contacts::<T>::get(&stash),
            payout: operator.payout.unwrap_or_else(|| stash.clone()),
            stash,
            worker: operator.worker,
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
