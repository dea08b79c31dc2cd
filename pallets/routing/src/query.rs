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
use assay_primitives::{api::Allocation, ModelId};
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

    /// Returns the parts of all operators of a model, in ascending order of their stashes.
    pub(crate) fn allocations_of(model: &ModelId) -> Vec<Allocation<T::AccountId>> {
        let mut all: Vec<_> = Members::<T>::iter()
            .filter_map(|(operator, member)| Self::allocate(model, operator, &member))
            .collect();
        all.sort_by(|one, other| one.operator.cmp(&other.operator));
        all
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
