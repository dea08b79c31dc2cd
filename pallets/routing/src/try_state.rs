// SPDX-License-Identifier: Apache-2.0
//! Invariants that hold between any two blocks.

use crate::{
    contexts::Contexts,
    fixed::ONE,
    lowest::LowestPrices,
    markets::StoredTree,
    pallet::{
        Config, CurrentEpoch, FirstFree, Lowest, Markets, Members, Pallet, SlotCount, Slots,
        Tallies, TotalStake, TreeNodes,
    },
    tree::{self, Node, Nodes, FANOUT, LEVELS},
    types::{Buffer, Kind, MemberOf, Slot},
};
use alloc::collections::BTreeMap;
use assay_primitives::ModelId;
use frame_support::{ensure, traits::Get};
use sp_runtime::{SaturatedConversion, TryRuntimeError};

/// The operators that serve a model.
#[derive(Default)]
struct Serving {
    members: u32,
    contexts: Contexts,
    lowest: LowestPrices,
}

impl<T: Config> Pallet<T> {
    /// Checks that every node of a tree is the sum of the nodes below it, that leaves belong to
    /// members that can be drawn, that places, members and models refer to each other, and that
    /// nothing exceeds its bounds.
    pub fn do_try_state() -> Result<(), TryRuntimeError> {
        let epoch = CurrentEpoch::<T>::get();
        ensure!(epoch.visited <= epoch.slots, "more operators were visited than there are");
        ensure!(epoch.slots <= SlotCount::<T>::get(), "an epoch has more turns than places");
        ensure!(epoch.started <= epoch.ends, "an epoch ends before it begins");
        let mut members = 0u32;
        let mut stake = 0u64;
        let mut serving = BTreeMap::<ModelId, Serving>::new();
        for (operator, member) in Members::<T>::iter() {
            members = members.saturating_add(1);
            stake = stake.saturating_add(member.counted);
            let place = Slots::<T>::get(member.slot);
            ensure!(place == Some(Slot::Taken(operator)), "a member's place is not its own");
            for served in &member.served {
                let serving = serving.entry(served.model).or_default();
                serving.members = serving.members.saturating_add(1);
                if member.active {
                    serving.contexts.add(served.context);
                    serving.lowest.add(served.prices);
                }
            }
            Self::check_member(&member, epoch.index)?;
        }
        ensure!(stake == TotalStake::<T>::get(), "the stake of all operators is not their sum");
        Self::check_slots(members)?;
        Self::check_markets(&serving, epoch.index)?;
        Self::check_trees()
    }

    /// Checks that a member that cannot be drawn has no leaves, and that no leaf exceeds its bound.
    fn check_member(member: &MemberOf<T>, epoch: u32) -> Result<(), TryRuntimeError> {
        ensure!(
            member.owes <= epoch.saturating_add(1),
            "a heartbeat of a future epoch was counted"
        );
        let drawable = member.active && !member.silent;
        ensure!(drawable || member.counted == 0, "a stake counts that is in no draw");
        for served in &member.served {
            let model = &served.model;
            let stake = tree::leaf(&StoredTree::<T>::new(model, Kind::Stakes), member.slot);
            ensure!(drawable || stake == 0, "a member that is not to be drawn can get a seat");
            ensure!(stake <= ONE, "a stake counts for more than the cap");
            for buffer in Buffer::ALL {
                let score = Self::score_in(model, buffer, member.slot);
                ensure!(drawable || score == 0, "a member that is not to be drawn can get a job");
            }
            ensure!(Markets::<T>::contains_key(model), "a model that is served has no market");
            let (pace, work) = (&served.pace, &served.work);
            ensure!(pace.speed == 0 || pace.fees > 0, "a speed rests on no fees");
            ensure!(work.weighted == 0 || work.fees > 0, "work that nobody paid for is measured");
            ensure!(
                served.assigned.of(epoch) <= member.given.of(epoch),
                "an operator was given more jobs of a model than of all"
            );
        }
        Ok(())
    }

    /// Checks that each place belongs to a member or to the one list of free places.
    fn check_slots(members: u32) -> Result<(), TryRuntimeError> {
        let count = SlotCount::<T>::get();
        ensure!(count <= T::MaxOperators::get(), "there are more places than MaxOperators");
        let mut free = 0u32;
        let mut next = FirstFree::<T>::get();
        while let Some(slot) = next {
            let Some(Slot::Free { next: after }) = Slots::<T>::get(slot) else {
                return Err("the list of free places leads to one that is not free".into());
            };
            free = free.saturating_add(1);
            ensure!(free <= count, "the list of free places has no end");
            next = after;
        }
        ensure!(members.saturating_add(free) == count, "a place is neither free nor a member's");
        let stored: u32 = Slots::<T>::iter_keys().count().saturated_into();
        ensure!(stored == count, "places and their number differ");
        ensure!(Slots::<T>::iter_keys().all(|slot| slot < count), "a place was never given");
        Ok(())
    }

    /// Checks that the markets are exactly the models that members serve.
    fn check_markets(
        serving: &BTreeMap<ModelId, Serving>,
        epoch: u32,
    ) -> Result<(), TryRuntimeError> {
        ensure!(Markets::<T>::iter().count() == serving.len(), "a market that nobody serves");
        for (model, market) in Markets::<T>::iter() {
            let serving = serving.get(&model).ok_or("a market that nobody serves")?;
            ensure!(serving.members == market.members, "members of a market miscounted");
            let (all, said) = (&serving.contexts, &market.contexts);
            ensure!(all.operators() == said.operators(), "contexts of a market miscounted");
            ensure!(all.longest() <= said.longest(), "a longer context is offered than is known");
            let (all, said) = (&serving.lowest, Lowest::<T>::get(model).unwrap_or_default());
            ensure!(all.operators() == said.operators(), "prices of a market miscounted");
            if let (Some(all), said) = (all.prices(), said.prices().unwrap_or_default()) {
                let knows = said.input <= all.input && said.output <= all.output;
                ensure!(knows, "a lower price is asked than is known");
            }
            ensure!(market.epoch <= epoch, "the terms of a market are of a future epoch");
            for buffer in Buffer::ALL {
                let scores = TreeNodes::<T>::iter_prefix((model, Kind::Scores(buffer)));
                let scored: u32 = scores
                    .filter(|((level, _), _)| level.saturating_add(1) == LEVELS)
                    .flat_map(|(_, node)| (0..FANOUT).map(move |at| node.get(at)))
                    .filter(|leaf| *leaf > 0)
                    .count()
                    .saturated_into();
                ensure!(market.scored_in(buffer) == scored, "scores of a market miscounted");
                ensure!(scored <= market.members, "a score has no member");
            }
        }
        for model in Lowest::<T>::iter_keys() {
            ensure!(serving.contains_key(&model), "prices have no market");
        }
        for model in Tallies::<T>::iter_keys() {
            ensure!(serving.contains_key(&model), "a tally has no market");
        }
        Ok(())
    }

    /// Checks that every node is stored if and only if it is not all zero, and is the sum of the
    /// node below.
    fn check_trees() -> Result<(), TryRuntimeError> {
        for ((model, kind, (level, index)), node) in TreeNodes::<T>::iter() {
            ensure!(Markets::<T>::contains_key(model), "a tree has no market");
            ensure!(node != Node::default(), "an empty node is stored");
            let nodes = StoredTree::<T>::new(&model, kind);
            if let Some(above) = level.checked_sub(1) {
                let sum = nodes.node(above, index / FANOUT).get(index % FANOUT);
                ensure!(sum == node.sum(), "a node is not the sum of the one below");
            }
            if level.saturating_add(1) == LEVELS {
                for at in (0..FANOUT).filter(|at| node.get(*at) > 0) {
                    let slot = index.saturating_mul(FANOUT).saturating_add(at);
                    let taken = matches!(Slots::<T>::get(slot), Some(Slot::Taken(_)));
                    ensure!(taken, "a leaf belongs to a free place");
                }
            } else {
                for at in (0..FANOUT).filter(|at| node.get(*at) > 0) {
                    let below = index.saturating_mul(FANOUT).saturating_add(at);
                    let sum = nodes.node(level.saturating_add(1), below).sum();
                    ensure!(sum == node.get(at), "a node has the sum of a missing node");
                }
            }
        }
        Ok(())
    }
}
