// SPDX-License-Identifier: Apache-2.0
//! Drawing the operator of a job.

use crate::{
    others::Others, types::Job, Assignments, Config, Event, FirstTries, Jobs, JobsOfOperator,
    Pallet, LOG_TARGET,
};
use assay_primitives::{
    draw,
    job::{JobId, JobState},
    traits::{Drawn, Duty, Eligible, Operators, PastRandomness, Routing, Terms},
    Balance, BlockNumber, Prices,
};
use frame_support::{traits::Get, weights::Weight};
use sp_core::H256;

/// The operator to which a job is assigned.
struct Assigned<AccountId> {
    operator: AccountId,
    prices: Prices,
    bond: Balance,
    routed: bool,
}

impl<T: Config> Pallet<T> {
    /// The first block in which an operator is sought for a job that is open since this block: the
    /// outputs that its draw reads are of later blocks, so nobody knew them when the job opened.
    pub(crate) fn first_try() -> BlockNumber {
        Self::first_try_after(Self::now())
    }

    /// The same of a job that is open since that block.
    pub(crate) fn first_try_after(open: BlockNumber) -> BlockNumber {
        open.saturating_add(T::AssignmentBlocks::get()).saturating_add(1)
    }

    /// Puts the first try of a job on an agenda. Jobs of named operators, which may take none, do not hold
    /// up those that are open to all.
    pub(crate) fn seek(id: &JobId, job: &Job<T::AccountId>, at: BlockNumber) {
        if job.is_open_to_all() {
            FirstTries::<T>::add(at, id);
        } else {
            Assignments::<T>::add(at, id);
        }
    }

    /// Seeks operators for the jobs that are due, new ones and others at most so many of each per
    /// block; returns how many. Without randomness of the last blocks all wait for the next.
    pub(crate) fn assign_due(now: BlockNumber) -> u32 {
        let blocks = T::AssignmentBlocks::get().max(1);
        let first = now.saturating_sub(blocks);
        let Some(randomness) = T::Randomness::of_span(first, blocks) else { return 0 };
        let new = FirstTries::<T>::take_due(now, T::MaxFirstTriesPerBlock::get());
        let others = Assignments::<T>::take_due(now, T::MaxAssignmentsPerBlock::get());
        let mut sought = 0u32;
        for id in new.into_iter().chain(others) {
            Self::seek_operator(&id, &randomness, now);
            sought = sought.saturating_add(1);
        }
        sought
    }

    /// Gives an open job to an operator, or puts it down for another try.
    fn seek_operator(id: &JobId, randomness: &H256, now: BlockNumber) {
        let Some(mut job) = Jobs::<T>::get(id) else { return };
        let JobState::Open { until } = job.state else { return };
        if now > until {
            return;
        }
        let drawn = Self::draw_operator(id, &job, randomness);
        let Some(Assigned { operator, prices, bond, routed }) = drawn else {
            Assignments::<T>::add(Self::next_try(&job, now, until), id);
            return;
        };
        // Not possible: every attempt is counted and their number is bounded.
        if job.drawn.try_push(operator.clone()).is_err() {
            log::error!(target: LOG_TARGET, "job {id:?} has more attempts than it can have");
        }
        job.routed = routed;
        let until = now.saturating_add(T::AcceptWindow::get());
        job.state = JobState::Assigned { operator: operator.clone(), prices, until };
        JobsOfOperator::<T>::insert(&operator, id, ());
        Self::put(id, job);
        Self::deposit_event(Event::JobAssigned { job: *id, operator, prices, bond, routed, until });
    }

    /// Draws one operator of those that can take the job, and reserves its bond. Returns `None` if none can,
    /// or if too few others can check a job whose client requires that.
    fn draw_operator(
        id: &JobId,
        job: &Job<T::AccountId>,
        randomness: &H256,
    ) -> Option<Assigned<T::AccountId>> {
        let model = &job.spec.model;
        let seed = draw::seed(randomness, id, Self::draw_of(job));
        let drawn = T::Routing::draw(model, seed, &job.spec.allowed, |operator| {
            Self::eligible(job, operator)
        });
        let Drawn { operator, prices } = drawn?;
        let Others { routed, suffice } = Self::others(id, job, &operator, prices, randomness);
        if !suffice {
            return None;
        }
        let bond = Self::bond_of(Self::reward_at(job, prices));
        T::Operators::reserve(&operator, Duty::Run(*id), bond).ok()?;
        if job.is_open_to_all() {
            T::Routing::assigned(model, &operator);
        }
        Some(Assigned { operator, prices, bond, routed })
    }

    /// The prices and load of an operator that can take the job now.
    fn eligible(job: &Job<T::AccountId>, operator: &T::AccountId) -> Option<Eligible> {
        let Terms { prices, load, .. } = Self::able(job, operator)?;
        load.has_room().then_some(Eligible { prices, running: load.running })
    }

    /// Returns the terms of an operator that can take the job as soon as it has a free slot.
    pub(crate) fn able(job: &Job<T::AccountId>, operator: &T::AccountId) -> Option<Terms> {
        if !job.admits(operator) || T::Operators::refuses(operator, &job.client) {
            return None;
        }
        let terms = T::Operators::terms(operator, &job.spec.model)?;
        let Terms { prices, context, unreserved, max_reward, max_bond, .. } = terms;
        let affordable =
            Self::cost_at(prices, job.spec.input_tokens, job.spec.max_tokens) <= job.payment.cost;
        let reward = Self::reward_at(job, prices);
        let bond = Self::bond_of(reward);
        let wanted = reward <= max_reward && bond <= max_bond;
        let backed = bond <= unreserved;
        (affordable && wanted && backed && job.spec.fits(context)).then_some(terms)
    }

    /// Returns the largest weight of seeking an operator for a job, in addition to its measured weight.
    pub fn draw_weight() -> Weight {
        let eligible = T::DbWeight::get().reads(2);
        T::Routing::draw_weight(eligible).saturating_add(Self::others_weight())
    }

    /// When an operator is sought again: the longer the job has waited, the later, by an eighth of
    /// that time, so that jobs that nobody takes do not crowd out the others.
    fn next_try(job: &Job<T::AccountId>, now: BlockNumber, until: BlockNumber) -> BlockNumber {
        let waited = now.saturating_sub(job.opens());
        let next = now.saturating_add(1);
        next.saturating_add(waited / 8).min(until).max(next)
    }
}
