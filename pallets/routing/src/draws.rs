// SPDX-License-Identifier: Apache-2.0
//! Draws of the operator of a job, and of the members of a committee.

use crate::{
    markets::StoredTree,
    pallet::{
        Config, CurrentEpoch, Lowest, Markets, Members, Pallet, SlotCount, Slots, TotalStake,
    },
    tree::{self, Urn},
    types::{Buffer, Kind, Market, Slot},
    weights::WeightInfo,
};
use alloc::{collections::BTreeSet, vec::Vec};
use assay_primitives::{
    draw,
    job::MAX_ALLOWED_OPERATORS,
    sample::Sample,
    traits::{Drawn, Eligible, Routing},
    ModelId, Prices,
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
            let Eligible { prices, running } = eligible(&operator)?;
            Some(Candidate { operator, score, prices, running })
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

    fn lowest_prices(model: &ModelId) -> Option<Prices> {
        Lowest::<T>::get(model)?.prices()
    }

    fn tokens_per_block(model: &ModelId) -> Option<u32> {
        let median = Markets::<T>::get(model)?.terms.speed;
        // Thousandths of a token per second, times thousandths of a second.
        let tokens = median.value.saturating_mul(T::BlockMillis::get().into()) / 1_000_000;
        median.exact.then(|| u32::try_from(tokens).unwrap_or(u32::MAX))
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

    fn sample(model: &ModelId, seed: H256, except: &T::AccountId) -> Sample<T::AccountId> {
        let stakes = StoredTree::<T>::new(model, Kind::Stakes);
        let own = Members::<T>::get(except).map_or(0, |member| tree::leaf(&stakes, member.slot));
        let mut urn = Urn::new(&stakes, seed);
        let drawn = core::iter::from_fn(|| urn.draw())
            .take(T::MaxTries::get().saturated_into())
            .filter_map(|(slot, stake)| Some((Self::operator_in(slot)?, stake)))
            .filter(|(operator, _)| operator != except)
            .collect();
        Sample { drawn, stake: tree::total(&stakes).saturating_sub(own) }
    }

    fn everyone(model: &ModelId) -> Sample<T::AccountId> {
        let stakes = StoredTree::<T>::new(model, Kind::Stakes);
        let leaves = (0..SlotCount::<T>::get()).map(|slot| (slot, tree::leaf(&stakes, slot)));
        let drawn = leaves
            .filter(|(_, stake)| *stake > 0)
            .filter_map(|(slot, stake)| Some((Self::operator_in(slot)?, stake)))
            .collect();
        Sample { drawn, stake: tree::total(&stakes) }
    }

    fn total_stake() -> u64 {
        TotalStake::<T>::get()
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

    fn sample_weight(each: Weight) -> Weight {
        let tries = T::MaxTries::get();
        T::WeightInfo::sample(tries).saturating_add(each.saturating_mul(tries.into()))
    }
}

impl<T: Config> Pallet<T> {
    /// Returns the operator that has the place `slot` in the trees.
    fn operator_in(slot: u32) -> Option<T::AccountId> {
        match Slots::<T>::get(slot)? {
            Slot::Taken(operator) => Some(operator),
            Slot::Free { .. } => None,
        }
    }

    /// Returns the allowed operators that have a score, each with its score, in the order in which
    /// they are drawn.
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

    /// Returns the most jobs of the epoch that one operator of the market can have, including the
    /// next job. It is a fraction of all jobs and at least twice an even share, so that few
    /// operators can still take all jobs. An operator beyond it is drawn only where no other can
    /// take the job.
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
    prices: Prices,
    running: u32,
}

impl<AccountId> Candidate<AccountId> {
    /// Returns whether this operator would run fewer jobs for its score than the other, with half
    /// of the new job counted. The slots that an operator claims do not matter, so claiming more
    /// gains nothing. Without the half, splitting into many mostly idle operators with small scores
    /// would pay.
    fn is_less_busy_than(&self, other: &Self) -> bool {
        let halves = |running: u32| u128::from(running).saturating_mul(2);
        let own = halves(self.running).saturating_add(1).saturating_mul(other.score.into());
        own < halves(other.running).saturating_mul(self.score.into())
    }
}

/// Returns the less busy of two candidates, and the first if they are equally busy.
fn less_busy<AccountId>(
    mut candidates: impl Iterator<Item = Candidate<AccountId>>,
) -> Option<Drawn<AccountId>> {
    let first = candidates.next()?;
    let Candidate { operator, prices, .. } = match candidates.next() {
        Some(second) if second.is_less_busy_than(&first) => second,
        _ => first,
    };
    Some(Drawn { operator, prices })
}
