// SPDX-License-Identifier: Apache-2.0
//! Operators as they register, change and leave.

use crate::{
    measure::{Conduct, Pace, Work},
    pallet::{Config, CurrentEpoch, FirstFree, Members, Pallet, SlotCount, Slots, TotalStake},
    types::{EpochCount, MemberOf, Served, Slot},
    weights::WeightInfo,
    LOG_TARGET,
};
use alloc::vec::Vec;
use assay_primitives::traits::{Offered, OperatorChanged, Standing};
use frame_support::{traits::Get, weights::Weight, BoundedVec};

impl<T: Config> OperatorChanged<T::AccountId> for Pallet<T> {
    fn changed(operator: &T::AccountId, standing: Option<Standing>) {
        match (Members::<T>::get(operator), standing) {
            (None, None) => {}
            (Some(member), None) => Self::remove(operator, member),
            (None, Some(standing)) => {
                if let Some(member) = Self::newcomer(operator) {
                    let member = Self::stand(operator, member, standing);
                    Members::<T>::insert(operator, member);
                }
            }
            (Some(member), Some(standing)) => {
                let member = Self::stand(operator, member, standing);
                Members::<T>::insert(operator, member);
            }
        }
    }

    fn weight() -> Weight {
        // The operator can leave all its models and take up others.
        T::WeightInfo::changed(T::MaxModels::get()).saturating_mul(2)
    }
}

impl<T: Config> Pallet<T> {
    /// Returns the record of an operator of which nothing is known yet; `None` if there is no free
    /// place.
    fn newcomer(operator: &T::AccountId) -> Option<MemberOf<T>> {
        let Some(slot) = Self::take_slot(operator) else {
            log::error!(target: LOG_TARGET, "there is no free place for operator {operator:?}");
            return None;
        };
        Some(MemberOf::<T> {
            slot,
            stake: 0,
            counted: 0,
            active: false,
            silent: false,
            uptime: T::Parameters::get().newcomer_uptime,
            conduct: Conduct::default(),
            misses: 0,
            answered_at: Self::now(),
            owes: CurrentEpoch::<T>::get().index.saturating_add(1),
            given: EpochCount::default(),
            served: BoundedVec::new(),
        })
    }

    /// Updates the record of an operator to its standing. Draws use it from now on.
    pub(crate) fn stand(
        operator: &T::AccountId,
        mut member: MemberOf<T>,
        standing: Standing,
    ) -> MemberOf<T> {
        let epoch = CurrentEpoch::<T>::get().index;
        let Standing { stake, models, active } = standing;
        if active && !member.active {
            // An operator that was away is asked from the next epoch on.
            member.owes = member.owes.max(epoch.saturating_add(1));
            member.answered_at = Self::now();
        }
        let offers = |served: &Served| models.iter().any(|offered| offered.model == served.model);
        let (keeps, leaves): (Vec<_>, Vec<_>) = member.served.iter().copied().partition(offers);
        Self::withdraw_offers(&member);
        for served in leaves {
            Self::leave_market(&served.model, member.slot);
        }
        member.served = BoundedVec::truncate_from(keeps);
        member.stake = stake;
        member.active = active;
        for offered in models {
            Self::serve(operator, &mut member, offered, epoch);
        }
        Self::make_offers(&member);
        Self::refresh(&mut member);
        member
    }

    /// Records that the operator serves the model, or serves it with another context or at other prices.
    fn serve(
        operator: &T::AccountId,
        member: &mut MemberOf<T>,
        Offered { model, context, prices }: Offered,
        epoch: u32,
    ) {
        if let Some(served) = member.of_mut(&model) {
            served.context = context;
            served.prices = prices;
            return;
        }
        let (pace, work, assigned) = (Pace::default(), Work::default(), member.given);
        let served = Served { model, context, prices, pace, work, assigned };
        if member.served.try_push(served).is_err() {
            log::error!(target: LOG_TARGET, "{operator:?} serves more models than it can");
            return;
        }
        Self::join_market(&model, epoch);
    }

    fn remove(operator: &T::AccountId, member: MemberOf<T>) {
        Self::withdraw_offers(&member);
        TotalStake::<T>::mutate(|all| *all = all.saturating_sub(member.counted));
        for served in &member.served {
            Self::leave_market(&served.model, member.slot);
        }
        let next = FirstFree::<T>::get();
        Slots::<T>::insert(member.slot, Slot::Free { next });
        FirstFree::<T>::put(member.slot);
        Members::<T>::remove(operator);
    }

    /// Gives the operator a place in the trees, a free one if there is any.
    fn take_slot(operator: &T::AccountId) -> Option<u32> {
        let slot = match FirstFree::<T>::get() {
            Some(slot) => {
                let Some(Slot::Free { next }) = Slots::<T>::get(slot) else { return None };
                FirstFree::<T>::set(next);
                slot
            }
            None => {
                let slot = SlotCount::<T>::get();
                if slot >= T::MaxOperators::get() {
                    return None;
                }
                SlotCount::<T>::put(slot.saturating_add(1));
                slot
            }
        };
        Slots::<T>::insert(slot, Slot::Taken(operator.clone()));
        Some(slot)
    }
}
