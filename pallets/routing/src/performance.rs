// SPDX-License-Identifier: Apache-2.0
//! The observed performance of operators.

use crate::{
    pallet::{Config, Event, Members, Pallet},
    types::MemberOf,
    weights::WeightInfo,
};
use assay_primitives::{traits::Performance, Balance, BlockNumber, ModelId};
use frame_support::{traits::Get, weights::Weight};

/// The fewest tokens of an output whose speed counts. Time is counted in blocks, which is too
/// coarse for shorter outputs.
pub const MIN_MEASURED_TOKENS: u32 = 32;

impl<T: Config> Performance<T::AccountId> for Pallet<T> {
    fn answered(operator: &T::AccountId) {
        Members::<T>::mutate(operator, |member| {
            let Some(member) = member else { return };
            member.conduct.answered = member.conduct.answered.saturating_add(1);
            Self::note_life(member);
        });
    }

    fn alive(operator: &T::AccountId) {
        Members::<T>::mutate(operator, |member| {
            if let Some(member) = member {
                Self::note_life(member);
            }
        });
    }

    fn missed(operator: &T::AccountId) {
        let Some(mut member) = Members::<T>::get(operator) else { return };
        if Self::note_miss(operator, &mut member) {
            Self::refresh(&mut member);
        }
        Members::<T>::insert(operator, member);
    }

    fn declined(operator: &T::AccountId) {
        Members::<T>::mutate(operator, |member| {
            let Some(member) = member else { return };
            member.conduct.missed = member.conduct.missed.saturating_add(1);
        });
    }

    fn delivered(
        operator: &T::AccountId,
        model: &ModelId,
        tokens: u32,
        blocks: BlockNumber,
        fees: Balance,
    ) {
        Members::<T>::mutate(operator, |member| {
            let Some(served) = member.as_mut().and_then(|member| member.of_mut(model)) else {
                return;
            };
            if tokens < MIN_MEASURED_TOKENS {
                return;
            }
            let millis = u64::from(blocks.max(1)).saturating_mul(T::BlockMillis::get().into());
            served.work.add(tokens, millis, fees);
        });
    }

    fn miss_weight() -> Weight {
        T::WeightInfo::missed()
    }
}

impl<T: Config> Pallet<T> {
    /// Records that the operator's worker is running.
    pub(crate) fn note_life(member: &mut MemberOf<T>) {
        member.misses = 0;
        member.answered_at = Self::now();
    }

    /// Records that the operator did not answer. Returns whether it falls silent by that.
    pub(crate) fn note_miss(operator: &T::AccountId, member: &mut MemberOf<T>) -> bool {
        member.conduct.missed = member.conduct.missed.saturating_add(1);
        member.misses = member.misses.saturating_add(1);
        member.misses >= T::MaxMisses::get() && Self::silence(operator, member)
    }

    /// Excludes the operator from draws until it answers. Returns whether that is new, in which
    /// case the caller updates its leaves.
    pub(crate) fn silence(operator: &T::AccountId, member: &mut MemberOf<T>) -> bool {
        let is_new = !member.silent;
        if is_new {
            member.silent = true;
            Self::deposit_event(Event::OperatorSilent { operator: operator.clone() });
        }
        is_new
    }
}
