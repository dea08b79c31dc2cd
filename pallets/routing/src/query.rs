// SPDX-License-Identifier: Apache-2.0
//! Queries by which operators learn the reasons for their part of the jobs.

use crate::{
    fixed::ratio,
    markets::StoredTree,
    pallet::{Config, CurrentEpoch, Markets, Members, Pallet},
    tree,
    types::{Buffer, Kind, MemberOf},
};
use alloc::vec::Vec;
use assay_primitives::{
    api::{page, Allocation},
    traits::Standings,
    ModelId,
};
use frame_support::traits::Get;

impl<T: Config> Pallet<T> {
    /// Returns an operator's part of a model's jobs.
    pub(crate) fn allocation_of(
        model: &ModelId,
        operator: T::AccountId,
    ) -> Option<Allocation<T::AccountId>> {
        let member = Members::<T>::get(&operator)?;
        Self::allocate(model, operator, &member)
    }

    /// Returns a page of the parts of a model's operators, in the order of [`Standings::serving`].
    pub(crate) fn allocations_of(
        model: &ModelId,
        start_after: Option<&T::AccountId>,
        limit: u32,
    ) -> Vec<Allocation<T::AccountId>> {
        let operators = T::Operators::serving(model, start_after, limit);
        operators.into_iter().filter_map(|one| Self::allocation_of(model, one)).collect()
    }

    /// Returns a page of the models that operators offer, in the order of the storage.
    pub(crate) fn models_after(start_after: Option<&ModelId>, limit: u32) -> Vec<ModelId> {
        let all = match start_after {
            Some(model) => Markets::<T>::iter_keys_from(Markets::<T>::hashed_key_for(model)),
            None => Markets::<T>::iter_keys(),
        };
        all.take(page(limit)).collect()
    }

    fn allocate(
        model: &ModelId,
        operator: T::AccountId,
        member: &MemberOf<T>,
    ) -> Option<Allocation<T::AccountId>> {
        let served = member.of(model)?;
        let market = Markets::<T>::get(model)?;
        let params = T::Parameters::get();
        let factors = member.factors(&params, served);
        let epoch = CurrentEpoch::<T>::get().index;
        let buffer = Buffer::of(epoch);
        let score = Self::score_in(model, buffer, member.slot);
        let scores = tree::total(&StoredTree::<T>::new(model, Kind::Scores(buffer)));
        let stakes = tree::total(&StoredTree::<T>::new(model, Kind::Stakes));
        let backed_speed = u128::from(factors.speed).saturating_mul(factors.stake.into());
        Some(Allocation {
            operator,
            drawable: factors.stake > 0,
            uptime: factors.uptime,
            speed: factors.speed,
            speed_share: ratio(backed_speed, market.terms.backed_speed).min(crate::fixed::ONE),
            stake_share: ratio(factors.stake.into(), stakes.into()),
            uptime_weight: market.terms.weights.uptime,
            speed_weight: market.terms.weights.speed,
            stake_weight: market.terms.weights.stake,
            score,
            draw_share: ratio(score.into(), scores.into()),
            assigned: served.assigned.of(epoch),
            cap: Self::cap(&market, epoch),
        })
    }
}
