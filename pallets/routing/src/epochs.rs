// SPDX-License-Identifier: Apache-2.0
//! The transition from epoch to epoch, with a bounded number of operators per block.

use crate::{
    measure::smoothed,
    pallet::{Config, CurrentEpoch, Event, Markets, Members, Pallet, SlotCount, Slots, Tallies},
    score::{Measured, Params},
    types::{Buffer, Epoch, MemberOf, Slot},
    weights::WeightInfo,
};
use assay_primitives::{
    traits::{BlockRandomness, OperatorChanged, Standings},
    BlockNumber,
};
use codec::Encode;
use frame_support::{traits::Get, weights::Weight};
use sp_runtime::traits::{BlakeTwo256, Hash};

impl<T: Config> Pallet<T> {
    /// Begins the next epoch if the current one is over, and otherwise visits the operators that
    /// are due. Returns the weight of that.
    pub(crate) fn move_on(now: BlockNumber) -> Weight {
        let mut epoch = CurrentEpoch::<T>::get();
        if now >= epoch.ends && epoch.visited >= epoch.slots {
            Self::start_epoch(now, &epoch);
            return T::WeightInfo::start_epoch();
        }
        let params = T::Parameters::get();
        let most = epoch.visited.saturating_add(T::MaxVisits::get());
        let due = epoch.due(now, T::HeartbeatWindow::get()).min(most);
        let mut visits = 0u32;
        let mut models = 0u32;
        let mut changes = Weight::zero();
        for slot in epoch.visited..due {
            visits = visits.saturating_add(1);
            let Some((operator, member, changed)) = Self::look_up(slot, &params) else { continue };
            if changed {
                changes.saturating_accrue(<Self as OperatorChanged<T::AccountId>>::weight());
            }
            models = models.saturating_add(Self::visit(operator, member, &epoch, &params));
        }
        if visits > 0 {
            epoch.visited = due;
            CurrentEpoch::<T>::put(epoch);
        }
        T::WeightInfo::visit(visits, models).saturating_add(changes)
    }

    /// Begins an epoch. Its draws use the scores that the visits of the previous epoch have
    /// computed.
    fn start_epoch(now: BlockNumber, before: &Epoch) {
        let index = before.index.saturating_add(1);
        let slots = SlotCount::<T>::get();
        let length = T::EpochLength::get();
        let window = T::HeartbeatWindow::get();
        let room = length.saturating_sub(window).saturating_sub(1).max(1);
        let pace = slots.div_ceil(room).clamp(1, T::MaxVisits::get().max(1));
        let visited_after = window.saturating_add(slots.div_ceil(pace)).saturating_add(1);
        let ends = now.saturating_add(length.max(visited_after));
        // If the parent block has no randomness, the last challenge takes its place.
        let randomness = T::Randomness::of_parent().unwrap_or(before.challenge);
        let challenge = (b"assay/challenge/1", randomness, index).using_encoded(BlakeTwo256::hash);
        CurrentEpoch::<T>::put(Epoch {
            index,
            started: now,
            ends,
            slots,
            pace,
            visited: 0,
            challenge,
        });
        Self::deposit_event(Event::EpochStarted { index, challenge, ends });
    }

    /// Returns the operator of a slot, its record updated to its standing, and whether the update
    /// was written.
    fn look_up(slot: u32, params: &Params) -> Option<(T::AccountId, MemberOf<T>, bool)> {
        let Some(Slot::Taken(operator)) = Slots::<T>::get(slot) else { return None };
        let member = Members::<T>::get(&operator)?;
        // An account that is no longer an operator has notified the pallet and is not a member.
        let Some(standing) = T::Operators::standing(&operator) else {
            return Some((operator, member, false));
        };
        let counts = |stake| params.backed(stake) > 0;
        if member.serves_as(&standing) && counts(member.stake) == counts(standing.stake) {
            // The visit writes the consequences of the stake. An operator with too little stake is
            // excluded at once.
            let member = MemberOf::<T> { stake: standing.stake, ..member };
            return Some((operator, member, false));
        }
        let member = Self::stand(&operator, member, standing);
        Some((operator, member, true))
    }

    /// Closes the operator's records since its last visit and computes its scores for the next
    /// epoch. Returns the number of models that it serves.
    fn visit(
        operator: T::AccountId,
        mut member: MemberOf<T>,
        epoch: &Epoch,
        params: &Params,
    ) -> u32 {
        let slot = member.slot;
        let fell_silent = Self::close_heartbeat(&operator, &mut member, epoch);
        let uptime = core::mem::take(&mut member.conduct).uptime();
        member.uptime = smoothed(member.uptime, uptime, params.smoothing);

        let next = Buffer::of(epoch.index).other();
        let mut served = core::mem::take(&mut member.served);
        for served in served.iter_mut() {
            let work = core::mem::take(&mut served.work);
            let measured = Measured { uptime, speed: work.speed(), tokens: work.tokens };
            served.pace = served.pace.after(&work, params.smoothing);
            let Some(mut market) = Markets::<T>::get(served.model) else { continue };
            let mut tally = Self::close_tally(&served.model, &mut market, epoch.index, params);
            let factors = member.factors(params, served);
            if factors.stake > 0 {
                tally.add(&factors, &measured);
            }
            let score = market.terms.score(params, &factors);
            // The stake differs if governance has changed the parameters that limit it.
            Self::set_stake(&served.model, slot, factors.stake);
            Self::set_score(&served.model, &mut market, next, slot, score);
            Markets::<T>::insert(served.model, market);
            Tallies::<T>::insert(served.model, tally);
        }
        member.served = served;
        if fell_silent {
            Self::refresh(&mut member);
        } else {
            Self::count_stake(&mut member, params);
        }
        let models = u32::try_from(member.served.len()).unwrap_or(u32::MAX);
        Members::<T>::insert(&operator, member);
        models
    }

    /// Counts the heartbeat of the epoch as missed if it was not answered. Returns whether the
    /// operator falls silent by that, which also happens if it has answered nothing else since its
    /// turn.
    fn close_heartbeat(operator: &T::AccountId, member: &mut MemberOf<T>, epoch: &Epoch) -> bool {
        if member.owes > epoch.index {
            return false;
        }
        member.owes = epoch.index.saturating_add(1);
        // An operator that is known to be away is not asked. It gets no jobs meanwhile, and returns
        // with the uptime that it had.
        if !member.active || member.silent {
            return false;
        }
        let missed_often = Self::note_miss(operator, member);
        let turn = epoch.turn(member.slot).unwrap_or(epoch.started);
        let gave_no_sign = member.answered_at < turn;
        missed_often || (gave_no_sign && Self::silence(operator, member))
    }
}
