// SPDX-License-Identifier: Apache-2.0
//! Models as markets: their trees in storage, and their terms from epoch to epoch.

use crate::{
    contexts::Contexts,
    lowest::LowestPrices,
    pallet::{Config, Event, Lowest, Markets, Pallet, Tallies, TotalStake, TreeNodes},
    score::{Params, Tally},
    tree::{self, Node, Nodes},
    types::{Buffer, Kind, Market, MemberOf},
};
use assay_primitives::{ModelId, Prices};
use core::marker::PhantomData;
use frame_support::traits::Get;

/// A tree of a model in storage.
#[derive(Clone, Debug)]
pub(crate) struct StoredTree<T> {
    model: ModelId,
    kind: Kind,
    runtime: PhantomData<T>,
}

impl<T> StoredTree<T> {
    pub(crate) fn new(model: &ModelId, kind: Kind) -> Self {
        Self { model: *model, kind, runtime: PhantomData }
    }
}

impl<T: Config> Nodes for StoredTree<T> {
    fn node(&self, level: u8, index: u32) -> Node {
        TreeNodes::<T>::get((self.model, self.kind, (level, index)))
    }

    fn put(&mut self, level: u8, index: u32, node: Node) {
        let key = (self.model, self.kind, (level, index));
        if node == Node::default() {
            TreeNodes::<T>::remove(key);
        } else {
            TreeNodes::<T>::insert(key, node);
        }
    }
}

impl<T: Config> Pallet<T> {
    /// Returns the leaf of a slot in a tree of scores.
    pub(crate) fn score_in(model: &ModelId, buffer: Buffer, slot: u32) -> u64 {
        tree::leaf(&StoredTree::<T>::new(model, Kind::Scores(buffer)), slot)
    }

    /// Sets the leaf of a slot in the tree of stakes.
    pub(crate) fn set_stake(model: &ModelId, slot: u32, stake: u64) {
        tree::set_leaf(&mut StoredTree::<T>::new(model, Kind::Stakes), slot, stake);
    }

    /// Sets the leaf of a slot in a tree of scores.
    pub(crate) fn set_score(
        model: &ModelId,
        market: &mut Market,
        buffer: Buffer,
        slot: u32,
        score: u64,
    ) {
        let mut tree = StoredTree::<T>::new(model, Kind::Scores(buffer));
        let before = tree::set_leaf(&mut tree, slot, score);
        market.count_score(buffer, before, score);
    }

    /// Updates what an operator counts in the stake of all.
    pub(crate) fn count_stake(member: &mut MemberOf<T>, params: &Params) {
        let now = member.backed(params);
        if now != member.counted {
            TotalStake::<T>::mutate(|all| {
                *all = all.saturating_sub(member.counted).saturating_add(now);
            });
            member.counted = now;
        }
    }

    /// Updates all leaves of an operator from its record, and what it counts in the stake of all.
    pub(crate) fn refresh(member: &mut MemberOf<T>) {
        let params = T::Parameters::get();
        Self::count_stake(member, &params);
        for served in &member.served {
            let Some(mut market) = Markets::<T>::get(served.model) else { continue };
            let factors = member.factors(&params, served);
            let score = market.terms.score(&params, &factors);
            Self::set_leaves(&served.model, &mut market, member.slot, factors.stake, score);
            Markets::<T>::insert(served.model, market);
        }
    }

    /// Sets the leaves of a slot in all trees of a model.
    fn set_leaves(model: &ModelId, market: &mut Market, slot: u32, stake: u64, score: u64) {
        Self::set_stake(model, slot, stake);
        for buffer in Buffer::ALL {
            Self::set_score(model, market, buffer, slot, score);
        }
    }

    /// Counts one more operator that serves the model.
    pub(crate) fn join_market(model: &ModelId, epoch: u32) {
        let market = Markets::<T>::get(model);
        let mut market = market.unwrap_or_else(|| Market::new(&T::Parameters::get(), epoch));
        market.members = market.members.saturating_add(1);
        Markets::<T>::insert(model, market);
    }

    /// Adds the contexts and prices of a member to its markets, if it takes duties.
    pub(crate) fn make_offers(member: &MemberOf<T>) {
        Self::change_offers(member, Contexts::add, LowestPrices::add);
    }

    /// Removes the contexts and prices of a member from its markets.
    pub(crate) fn withdraw_offers(member: &MemberOf<T>) {
        Self::change_offers(member, Contexts::remove, LowestPrices::remove);
    }

    fn change_offers(
        member: &MemberOf<T>,
        change_contexts: impl Fn(&mut Contexts, u32),
        change_prices: impl Fn(&mut LowestPrices, Prices),
    ) {
        for served in member.served.iter().filter(|_| member.active) {
            Markets::<T>::mutate(served.model, |market| {
                let Some(market) = market else { return };
                change_contexts(&mut market.contexts, served.context);
            });
            Lowest::<T>::mutate_exists(served.model, |lowest| {
                let mut prices = lowest.take().unwrap_or_default();
                change_prices(&mut prices, served.prices);
                *lowest = (prices.operators() > 0).then_some(prices);
            });
        }
    }

    /// Removes the operator of that slot from the model's market. Its offer is already withdrawn.
    pub(crate) fn leave_market(model: &ModelId, slot: u32) {
        let Some(mut market) = Markets::<T>::get(model) else { return };
        Self::set_leaves(model, &mut market, slot, 0, 0);
        market.members = market.members.saturating_sub(1);
        if market.members == 0 {
            Markets::<T>::remove(model);
            Tallies::<T>::remove(model);
        } else {
            Markets::<T>::insert(model, market);
        }
    }

    /// Updates the terms of a market to the epoch by closing the measurements of the previous one.
    /// Returns the tally of this epoch.
    pub(crate) fn close_tally(
        model: &ModelId,
        market: &mut Market,
        epoch: u32,
        params: &Params,
    ) -> Tally {
        let tally = Tallies::<T>::get(model).unwrap_or_else(|| Tally::after(&market.terms));
        if market.epoch >= epoch {
            return tally;
        }
        let before = market.terms.weights;
        market.terms = market.terms.next(params, &tally);
        market.epoch = epoch;
        let weights = market.terms.weights;
        if weights != before {
            Self::deposit_event(Event::WeightsChanged { model: *model, weights });
        }
        Tally::after(&market.terms)
    }
}
