// SPDX-License-Identifier: Apache-2.0
//! The operators with the most stake, in order, so that an election need not look at all operators.
//!
//! The list is updated where stake is bonded, unbonded, delegated, taken back or slashed for an
//! offence. Changes through pay and duties are looked up at the next election. When the list is
//! full and the stake of a member falls, the operator that would replace the member enters with its
//! own next change of stake, or through [`rank_operator`](Pallet::rank_operator), which anyone can
//! call.

use crate::{
    pallet::{Config, Operators, Pallet, Ranking},
    types::{OperatorOf, Ranked},
};
use alloc::vec::Vec;
use assay_primitives::Balance;
use core::cmp::Ordering;
use frame_support::{traits::Get, BoundedVec};
use sp_runtime::SaturatedConversion;

impl<T: Config> Pallet<T> {
    /// Puts the operator where its stake belongs. Removes it if it is `None` or cannot stand for
    /// election.
    pub(crate) fn rank(stash: &T::AccountId, operator: Option<&OperatorOf<T>>) {
        let mut list = Ranking::<T>::get().into_inner();
        list.retain(|next| next.stash != *stash);
        if let Some(stake) = operator.and_then(Self::electable) {
            let entry = Ranked { stake, stash: stash.clone() };
            let at = list.partition_point(|next| order(next, &entry) == Ordering::Less);
            list.insert(at, entry);
        }
        Self::put_ranking(list);
    }

    /// Looks up the stake of each member, sorts the list and returns it.
    pub(crate) fn refresh_ranking() -> Vec<Ranked<T::AccountId>> {
        let mut list: Vec<_> = Ranking::<T>::get()
            .into_iter()
            .filter_map(|Ranked { stash, .. }| {
                let stake = Self::electable(&Operators::<T>::get(&stash)?)?;
                Some(Ranked { stake, stash })
            })
            .collect();
        list.sort_by(order);
        Self::put_ranking(list.clone());
        list
    }

    /// Returns the stake with which an operator stands for election; `None` if its own is below the
    /// minimum, or if a slash is pending.
    fn electable(operator: &OperatorOf<T>) -> Option<Balance> {
        let stands = operator.bonded >= T::MinBond::get() && operator.slashes.is_empty();
        stands.then(|| operator.stake())
    }

    /// Stores as much of the list as fits, the most stake first.
    fn put_ranking(mut list: Vec<Ranked<T::AccountId>>) {
        list.truncate(T::MaxCandidates::get().saturated_into());
        Ranking::<T>::put(BoundedVec::truncate_from(list));
    }
}

/// Orders by stake, the most first, and equal stakes by account, the lowest first.
fn order<AccountId: Ord>(one: &Ranked<AccountId>, other: &Ranked<AccountId>) -> Ordering {
    other.stake.cmp(&one.stake).then_with(|| one.stash.cmp(&other.stash))
}
