// SPDX-License-Identifier: Apache-2.0
//! Drawing the operator of a job, and the members of a committee.

use crate::{
    markets::StoredTree,
    pallet::{Config, CurrentEpoch, Markets, Members, Pallet, Slots},
    tree::Urn,
    types::{Buffer, Kind, Market, Slot},
};
use alloc::{collections::BTreeSet, vec::Vec};
use assay_primitives::{
    draw,
    job::MAX_ALLOWED_OPERATORS,
    traits::{Candidate, Drawn, Eligible, Routing},
    ModelId,
};
use frame_support::traits::Get;
use sp_core::H256;
use sp_runtime::{Permill, SaturatedConversion};

impl<T: Config> Routing<T::AccountId> for Pallet<T> {
    fn draw(
        model: &ModelId,
        seed: H256,
        allowed: &[T::AccountId],
        eligible: impl Fn(&T::AccountId) -> Option<Eligible>,
    ) -> Option<Drawn<T::AccountId>> {
        let epoch = CurrentEpoch::<T>::get().index;
        let cap = Self::cap(&Markets::<T>::get(model)?, epoch);
        let tries = T::MaxTries::get().saturated_into();
        let fits = |operator: T::AccountId| {
            let given = Members::<T>::get(&operator)?.of(model)?.assigned.of(epoch);
            let eligible = if given < cap { eligible(&operator) } else { None };
            eligible.map(|eligible| (operator, eligible))
        };
        if allowed.is_empty() {
            let scores = StoredTree::<T>::new(model, Kind::Scores(Buffer::of(epoch)));
            let mut urn = Urn::new(&scores, seed);
            let slots = core::iter::from_fn(|| urn.draw()).take(tries);
            less_busy(slots.filter_map(Self::operator_in).filter_map(fits))
        } else {
            let drawn = Self::draw_allowed(model, &seed, allowed, epoch).into_iter();
            less_busy(drawn.take(tries).filter_map(fits))
        }
    }

    fn assigned(model: &ModelId, operator: &T::AccountId) {
        let epoch = CurrentEpoch::<T>::get().index;
        Members::<T>::mutate(operator, |member| {
            let served = member.as_mut().and_then(|member| member.of_mut(model));
            let Some(served) = served else { return };
            served.assigned.add(epoch);
            Markets::<T>::mutate(model, |market| {
                let Some(market) = market else { return };
                market.assigned.add(epoch);
            });
        });
    }

    fn committee(
        model: &ModelId,
        seed: H256,
        count: u32,
        eligible: impl Fn(&T::AccountId) -> bool,
    ) -> Vec<T::AccountId> {
        let stakes = StoredTree::<T>::new(model, Kind::Stakes);
        let mut urn = Urn::new(&stakes, seed);
        core::iter::from_fn(|| urn.draw())
            .take(count.saturating_add(T::MaxTries::get()).saturated_into())
            .filter_map(Self::operator_in)
            .filter(eligible)
            .take(count.saturated_into())
            .collect()
    }

    fn max_tries() -> u32 {
        T::MaxTries::get()
    }
}

impl<T: Config> Pallet<T> {
    /// The operator that has a place in the trees.
    fn operator_in(slot: u32) -> Option<T::AccountId> {
        match Slots::<T>::get(slot)? {
            Slot::Taken(operator) => Some(operator),
            Slot::Free { .. } => None,
        }
    }

    /// The allowed operators with a score, in the order in which they are drawn.
    fn draw_allowed(
        model: &ModelId,
        seed: &H256,
        allowed: &[T::AccountId],
        epoch: u32,
    ) -> Vec<T::AccountId> {
        let most = MAX_ALLOWED_OPERATORS.saturated_into();
        let allowed: BTreeSet<&T::AccountId> = allowed.iter().take(most).collect();
        let candidates: Vec<_> = allowed
            .into_iter()
            .filter_map(|account| {
                let slot = Members::<T>::get(account)?.slot;
                let score = Self::score_in(model, Buffer::of(epoch), slot);
                Some(Candidate { account: account.clone(), weight: score.into(), price: 0 })
            })
            .collect();
        draw::without_replacement(seed, &candidates, MAX_ALLOWED_OPERATORS)
            .into_iter()
            .map(|candidate| candidate.account)
            .collect()
    }

    /// The most jobs of the epoch that one operator of the market can have, with the next one: its
    /// part of all, which is never less than twice an even share, so that few operators can still
    /// take all jobs.
    pub(crate) fn cap(market: &Market, epoch: u32) -> u32 {
        let operators = market.scored_in(Buffer::of(epoch)).max(2);
        let share = T::CapShare::get().max(Permill::from_rational(2, operators));
        let all = market.assigned.of(epoch).saturating_add(1);
        share.mul_floor(all).max(T::CapMinimum::get())
    }
}

/// Of the first two the one that is less busy, and the first where they are alike.
fn less_busy<AccountId>(
    mut eligible: impl Iterator<Item = (AccountId, Eligible)>,
) -> Option<Drawn<AccountId>> {
    let first = eligible.next()?;
    let (operator, Eligible { price, .. }) = match eligible.next() {
        Some(second) if second.1.load.is_lower_than(&first.1.load) => second,
        _ => first,
    };
    Some(Drawn { operator, price })
}
