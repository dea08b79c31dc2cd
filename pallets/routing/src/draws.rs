// SPDX-License-Identifier: Apache-2.0
//! Drawing the operator of a job, and the members of a committee.

use crate::{
    markets::StoredTree,
    pallet::{Config, CurrentEpoch, Markets, Members, Pallet, Slots},
    tree::Urn,
    types::{Buffer, Kind, Market, Slot},
    weights::WeightInfo,
};
use alloc::{collections::BTreeSet, vec::Vec};
use assay_primitives::{
    draw,
    job::MAX_ALLOWED_OPERATORS,
    traits::{Drawn, Eligible, Routing},
    Balance, ModelId,
};
use frame_support::{traits::Get, weights::Weight};
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
        let candidate = |(operator, score): (T::AccountId, u64)| {
            let Eligible { price, running } = eligible(&operator)?;
            Some(Candidate { operator, score, price, running })
        };
        if !allowed.is_empty() {
            let drawn = Self::draw_allowed(model, &seed, allowed, epoch).into_iter();
            return less_busy(drawn.filter_map(candidate).take(2));
        }
        let cap = Self::cap(&Markets::<T>::get(model)?, epoch);
        let has_room = |operator: &T::AccountId| {
            let member = Members::<T>::get(operator);
            member.and_then(|member| Some(member.of(model)?.assigned.of(epoch) < cap))
        };
        let scores = StoredTree::<T>::new(model, Kind::Scores(Buffer::of(epoch)));
        let mut urn = Urn::new(&scores, seed);
        let mut with_room = Vec::new();
        let mut others = Vec::new();
        for _ in 0..T::MaxTries::get() {
            let Some((slot, score)) = urn.draw() else { break };
            let Some(operator) = Self::operator_in(slot) else { continue };
            let Some(next) = candidate((operator, score)) else { continue };
            match has_room(&next.operator) {
                Some(true) => with_room.push(next),
                Some(false) => others.push(next),
                None => {}
            }
            if with_room.len() == 2 {
                break;
            }
        }
        let first = if with_room.is_empty() { others } else { with_room };
        less_busy(first.into_iter().take(2))
    }

    fn context(model: &ModelId) -> Option<u32> {
        Markets::<T>::get(model)?.contexts.longest()
    }

    fn assigned(model: &ModelId, operator: &T::AccountId) {
        let epoch = CurrentEpoch::<T>::get().index;
        Members::<T>::mutate(operator, |member| {
            let Some(member) = member else { return };
            let Some(served) = member.of_mut(model) else { return };
            served.assigned.add(epoch);
            member.given.add(epoch);
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
            .filter_map(|(slot, _)| Self::operator_in(slot))
            .filter(eligible)
            .take(count.saturated_into())
            .collect()
    }

    fn draw_weight(eligible: Weight) -> Weight {
        let tries = T::MaxTries::get().max(MAX_ALLOWED_OPERATORS);
        T::WeightInfo::draw(tries)
            .max(T::WeightInfo::draw_allowed(MAX_ALLOWED_OPERATORS))
            .saturating_add(T::WeightInfo::assigned())
            .saturating_add(eligible.saturating_mul(tries.into()))
    }

    fn committee_weight(count: u32, eligible: Weight) -> Weight {
        let tries = count.saturating_add(T::MaxTries::get());
        T::WeightInfo::committee(tries).saturating_add(eligible.saturating_mul(tries.into()))
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

    /// The allowed operators with a score, each with that, in the order in which they are drawn.
    fn draw_allowed(
        model: &ModelId,
        seed: &H256,
        allowed: &[T::AccountId],
        epoch: u32,
    ) -> Vec<(T::AccountId, u64)> {
        let most = MAX_ALLOWED_OPERATORS.saturated_into();
        let allowed: BTreeSet<&T::AccountId> = allowed.iter().take(most).collect();
        let candidates: Vec<_> = allowed
            .into_iter()
            .filter_map(|account| {
                let slot = Members::<T>::get(account)?.slot;
                let score = Self::score_in(model, Buffer::of(epoch), slot);
                Some(draw::Weighted { item: (account.clone(), score), weight: score.into() })
            })
            .collect();
        draw::without_replacement(seed, &candidates, MAX_ALLOWED_OPERATORS)
            .into_iter()
            .map(|drawn| drawn.item)
            .collect()
    }

    /// The most jobs of the epoch that one operator of the market can have, with the next one: its
    /// part of all, which is never less than twice an even share, so that few operators can still
    /// take all jobs. Beyond it an operator is drawn where nobody else can take a job.
    pub(crate) fn cap(market: &Market, epoch: u32) -> u32 {
        let operators = market.scored_in(Buffer::of(epoch)).max(2);
        let share = T::CapShare::get().max(Permill::from_rational(2, operators));
        let all = market.assigned.of(epoch).saturating_add(1);
        share.mul_floor(all).max(T::CapMinimum::get())
    }
}

/// An operator that can take the job.
struct Candidate<AccountId> {
    operator: AccountId,
    score: u64,
    price: Balance,
    running: u32,
}

impl<AccountId> Candidate<AccountId> {
    /// Whether it would run fewer jobs for its score than the other, half of the one to be given
    /// counted in. What it says of its own slots does not matter: to claim more gains nothing. And
    /// without that half one operator of many small scores, each mostly idle, would gain by them.
    fn is_less_busy_than(&self, other: &Self) -> bool {
        let halves = |running: u32| u128::from(running).saturating_mul(2);
        let own = halves(self.running).saturating_add(1).saturating_mul(other.score.into());
        own < halves(other.running).saturating_mul(self.score.into())
    }
}

/// Of two the one that is less busy, and the first where they are alike.
fn less_busy<AccountId>(
    mut candidates: impl Iterator<Item = Candidate<AccountId>>,
) -> Option<Drawn<AccountId>> {
    let first = candidates.next()?;
    let Candidate { operator, price, .. } = match candidates.next() {
        Some(second) if second.is_less_busy_than(&first) => second,
        _ => first,
    };
    Some(Drawn { operator, price })
}
