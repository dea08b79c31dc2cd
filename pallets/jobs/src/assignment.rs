// SPDX-License-Identifier: Apache-2.0
//! Drawing the operator of a job.

use crate::{types::Job, Assignments, Config, Event, Jobs, JobsOfOperator, Pallet, LOG_TARGET};
use assay_primitives::{
    draw,
    job::{JobId, JobState},
    traits::{Drawn, Duty, Eligible, Operators, PastRandomness, Routing, Terms},
    Balance, BlockNumber,
};
use frame_support::{traits::Get, weights::Weight};
use sp_core::H256;

impl<T: Config> Pallet<T> {
    /// The first block in which an operator is sought for a job that is open since this block: the
    /// outputs that its draw reads are of later blocks, so nobody knew them when the job opened.
    pub(crate) fn first_try() -> BlockNumber {
        Self::now().saturating_add(T::AssignmentBlocks::get()).saturating_add(1)
    }

    /// Seeks operators for the jobs that are due, at most so many per block; gives how many. Without
    /// randomness of the last blocks all wait for the next.
    pub(crate) fn assign_due(now: BlockNumber) -> u32 {
        let blocks = T::AssignmentBlocks::get().max(1);
        let first = now.saturating_sub(blocks);
        let Some(randomness) = T::Randomness::of_span(first, blocks) else { return 0 };
        let due = Assignments::<T>::take_due(now, T::MaxAssignmentsPerBlock::get());
        let mut sought = 0u32;
        for id in due {
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
        let Some((operator, price, bond)) = Self::draw_operator(id, &job, randomness) else {
            Assignments::<T>::add(Self::next_try(&job, now, until), id);
            return;
        };
        // Not possible: every attempt is counted and their number is bounded.
        if job.drawn.try_push(operator.clone()).is_err() {
            log::error!(target: LOG_TARGET, "job {id:?} has more attempts than it can have");
        }
        let until = now.saturating_add(T::AcceptWindow::get());
        job.state = JobState::Assigned { operator: operator.clone(), price, until };
        JobsOfOperator::<T>::insert(&operator, id, ());
        Self::put(id, job);
        Self::deposit_event(Event::JobAssigned { job: *id, operator, price, bond, until });
    }

    /// Draws one operator of those that can take the job, and reserves its bond.
    fn draw_operator(
        id: &JobId,
        job: &Job<T::AccountId>,
        randomness: &H256,
    ) -> Option<(T::AccountId, Balance, Balance)> {
        let model = &job.spec.model;
        let seed = draw::seed(randomness, id, Self::draw_of(job));
        let drawn = T::Routing::draw(model, seed, &job.spec.allowed, |operator| {
            Self::eligible(job, operator)
        });
        let Drawn { operator, price } = drawn?;
        let bond = Self::bond_of(job, price);
        T::Operators::reserve(&operator, Duty::Run(*id), bond).ok()?;
        if job.is_routed() {
            T::Routing::assigned(model, &operator);
        }
        Some((operator, price, bond))
    }

    /// The price and load of an operator that can take the job now.
    fn eligible(job: &Job<T::AccountId>, operator: &T::AccountId) -> Option<Eligible> {
        if !job.admits(operator) {
            return None;
        }
        let terms = T::Operators::terms(operator, &job.spec.model)?;
        let Terms { price, context, unreserved, load } = terms;
        let affordable = job.cost_at(price).is_some_and(|cost| cost <= job.payment.cost);
        let backed = Self::bond_of(job, price) <= unreserved;
        (affordable && backed && load.has_room() && job.spec.fits(context))
            .then_some(Eligible { price, running: load.running })
    }

    /// What seeking an operator for a job weighs at most, beside what is measured of it.
    pub fn draw_weight() -> Weight {
        T::Routing::draw_weight(T::DbWeight::get().reads(1))
    }

    /// The bond that an operator with that price has at stake for the job.
    pub(crate) fn bond_of(job: &Job<T::AccountId>, price: Balance) -> Balance {
        job.reward_at(price).saturating_mul(T::BondFactor::get().into())
    }

    /// When an operator is sought again: the longer the job has waited, the later, by an eighth of
    /// that time, so that jobs that nobody takes do not crowd out the others.
    fn next_try(job: &Job<T::AccountId>, now: BlockNumber, until: BlockNumber) -> BlockNumber {
        let waited = now.saturating_sub(job.opens());
        let next = now.saturating_add(1);
        next.saturating_add(waited / 8).min(until).max(next)
    }
}
