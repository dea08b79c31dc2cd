// SPDX-License-Identifier: Apache-2.0
//! The standing of operators, and the notices of its changes.

use crate::{
    pallet::{Config, Operators, Pallet, Serving},
    types::{Offer, OperatorOf},
};
use alloc::vec::Vec;
use assay_primitives::{
    api::page,
    traits::{Offered, OperatorChanged, Standing, Standings},
    ModelId,
};
use frame_support::traits::Get;

impl<T: Config> Standings<T::AccountId> for Pallet<T> {
    fn standing(stash: &T::AccountId) -> Option<Standing> {
        Operators::<T>::get(stash).as_ref().map(Self::standing_of)
    }

    fn serving(
        model: &ModelId,
        start_after: Option<&T::AccountId>,
        limit: u32,
    ) -> Vec<T::AccountId> {
        let all = match start_after {
            Some(stash) => Serving::<T>::iter_key_prefix_from(
                model,
                Serving::<T>::hashed_key_for(model, stash),
            ),
            None => Serving::<T>::iter_key_prefix(model),
        };
        all.take(page(limit)).collect()
    }
}

impl<T: Config> Pallet<T> {
    /// Notifies the listener and the ranking that an operator's stake or the delegations to it have
    /// changed.
    pub(crate) fn tell_stake(stash: &T::AccountId, operator: Option<&OperatorOf<T>>) {
        Self::rank(stash, operator);
        T::Listener::changed(stash, operator.map(Self::standing_of));
    }

    /// Notifies the listener that an operator has changed its offers, or whether it takes duties.
    pub(crate) fn tell_service(stash: &T::AccountId, operator: &OperatorOf<T>) {
        T::Listener::changed(stash, Some(Self::standing_of(operator)));
    }

    fn standing_of(operator: &OperatorOf<T>) -> Standing {
        let offered = |offer: &Offer| {
            let Offer { model, context, prices, .. } = *offer;
            Offered { model, context, prices }
        };
        Standing {
            stake: operator.stake(),
            models: operator.offers.iter().map(offered).collect(),
            active: Self::takes_duties(operator),
        }
    }

    /// Returns whether the operator can be given new duties.
    pub(crate) fn takes_duties(operator: &OperatorOf<T>) -> bool {
        operator.bonded >= T::MinBond::get() && !operator.draining
    }
}
