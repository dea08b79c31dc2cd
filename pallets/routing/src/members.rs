// SPDX-License-Identifier: Apache-2.0
//! Operators as they come, change and go.

use crate::{
    measure::{Conduct, Work},
    pallet::{Config, CurrentEpoch, FirstFree, Members, Pallet, SlotCount, Slots},
    types::{EpochCount, MemberOf, Served, Slot},
    LOG_TARGET,
};
use alloc::vec::Vec;
use assay_primitives::{
    traits::{OperatorChanged, Standing},
    ModelId,
};
use frame_support::{traits::Get, BoundedVec};

impl<T: Config> OperatorChanged<T::AccountId> for Pallet<T> {
    fn changed(operator: &T::AccountId, standing: Option<Standing>) {
        match (Members::<T>::get(operator), standing) {
            (None, None) => {}
            (Some(member), None) => Self::remove(operator, member),
            (None, Some(standing)) => {
                if let Some(member) = Self::newcomer(operator) {
                    Self::stand(operator, member, standing);
                }
            }
            (Some(member), Some(standing)) => Self::stand(operator, member, standing),
        }
    }
}

impl<T: Config> Pallet<T> {
    /// The record of an operator of which nothing is known yet; `None` where there is no place for
    /// one more.
    fn newcomer(operator: &T::AccountId) -> Option<MemberOf<T>> {
        let Some(slot) = Self::take_slot(operator) else {
            log::error!(target: LOG_TARGET, "there is no place for operator {operator:?}");
            return None;
        };
        Some(MemberOf::<T> {
            slot,
            stake: 0,
            active: false,
            silent: false,
            uptime: T::Parameters::get().newcomer_uptime,
            conduct: Conduct::default(),
            misses: 0,
            answered_at: Self::now(),
            owes: CurrentEpoch::<T>::get().index.saturating_add(1),
            served: BoundedVec::new(),
        })
    }

    /// Records how an operator stands, and draws by that from now on.
    fn stand(operator: &T::AccountId, mut member: MemberOf<T>, standing: Standing) {
        let epoch = CurrentEpoch::<T>::get().index;
        let Standing { stake, models, active } = standing;
        if active && !member.active {
            // Whoever was away is asked from the next epoch on.
            member.owes = member.owes.max(epoch.saturating_add(1));
            member.answered_at = Self::now();
        }
        member.stake = stake;
        member.active = active;
        let (keeps, leaves): (Vec<_>, Vec<_>) =
            member.served.iter().copied().partition(|served| models.contains(&served.model));
        for served in leaves {
            Self::leave_market(&served.model, member.slot);
        }
        member.served = BoundedVec::truncate_from(keeps);
        for model in models {
            Self::serve(operator, &mut member, model, epoch);
        }
        Self::refresh(&member);
        Members::<T>::insert(operator, member);
    }

    /// The operator serves the model too.
    fn serve(operator: &T::AccountId, member: &mut MemberOf<T>, model: ModelId, epoch: u32) {
        if member.of(&model).is_some() {
            return;
        }
        let served =
            Served { model, speed: 0, work: Work::default(), assigned: EpochCount::default() };
        if member.served.try_push(served).is_err() {
            log::error!(target: LOG_TARGET, "{operator:?} serves more models than it can");
            return;
        }
        Self::join_market(&model, epoch);
    }

    fn remove(operator: &T::AccountId, member: MemberOf<T>) {
        for served in &member.served {
            Self::leave_market(&served.model, member.slot);
        }
        let next = FirstFree::<T>::get();
        Slots::<T>::insert(member.slot, Slot::Free { next });
        FirstFree::<T>::put(member.slot);
        Members::<T>::remove(operator);
    }

    /// Gives the operator a place in the trees, one that was left where there is one.
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
