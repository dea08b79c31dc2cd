// SPDX-License-Identifier: Apache-2.0
//! Heartbeats: reports that show in each epoch that an operator's worker is running.

use crate::{
    pallet::{Config, CurrentEpoch, Error, Event, Members, Pallet},
    types::{Epoch, MemberOf},
    weights::WeightInfo,
};
use alloc::vec::Vec;
use assay_primitives::{
    report::heartbeat_answer, traits::Duties, BlockNumber, EngineResult, Report, Work,
};
use frame_support::{dispatch::DispatchResult, ensure, traits::Get, weights::Weight};
use sp_core::H256;

impl<T: Config> Duties<T::AccountId> for Pallet<T> {
    fn work(_: &T::AccountId) -> Vec<Work> {
        Vec::new()
    }

    /// Returns a heartbeat if it is the operator's turn or the operator is silent.
    fn reports(operator: &T::AccountId, _: &[EngineResult]) -> Vec<Report> {
        Self::heartbeat_due(operator).into_iter().collect()
    }

    fn weight_of(report: &Report) -> Option<Weight> {
        matches!(report, Report::Heartbeat { .. }).then(T::WeightInfo::heartbeat)
    }

    fn handle(operator: &T::AccountId, report: &Report) -> Option<DispatchResult> {
        match report {
            Report::Heartbeat { at, answer } => Some(Self::do_heartbeat(operator, *at, *answer)),
            _ => None,
        }
    }
}

impl<T: Config> Pallet<T> {
    /// Returns the heartbeat that the operator has to send after this block.
    fn heartbeat_due(operator: &T::AccountId) -> Option<Report> {
        let member = Members::<T>::get(operator)?;
        let epoch = CurrentEpoch::<T>::get();
        // The state of this block does not know this block's hash.
        let at = Self::now().checked_sub(1)?;
        let arrives = Self::now().saturating_add(1);
        if !Self::is_asked(&member, &epoch, at, arrives) && !Self::comes_back(&member, at, arrives)
        {
            return None;
        }
        let answer = heartbeat_answer(&epoch.challenge, operator, at, &Self::hash_of_block(at)?);
        Some(Report::Heartbeat { at, answer })
    }

    fn do_heartbeat(operator: &T::AccountId, at: BlockNumber, answer: H256) -> DispatchResult {
        let mut member = Members::<T>::get(operator).ok_or(Error::<T>::NotOperator)?;
        let epoch = CurrentEpoch::<T>::get();
        let now = Self::now();
        let asked = Self::is_asked(&member, &epoch, at, now);
        ensure!(asked || Self::comes_back(&member, at, now), Error::<T>::NotAsked);
        let hash = Self::hash_of_block(at).ok_or(Error::<T>::BlockUnknown)?;
        let right = heartbeat_answer(&epoch.challenge, operator, at, &hash);
        ensure!(answer == right, Error::<T>::AnswerWrong);
        if asked {
            member.owes = epoch.index.saturating_add(1);
            member.conduct.answered = member.conduct.answered.saturating_add(1);
        }
        Self::note_life(&mut member);
        if member.silent {
            // The operator is drawn again.
            member.silent = false;
            Self::refresh(&mut member);
            Self::deposit_event(Event::OperatorBack { operator: operator.clone() });
        }
        Members::<T>::insert(operator, member);
        Self::deposit_event(Event::HeartbeatReceived { operator: operator.clone() });
        Ok(())
    }

    /// Returns whether the operator owes a heartbeat that names block `at` and is taken in block
    /// `now`.
    fn is_asked(member: &MemberOf<T>, epoch: &Epoch, at: BlockNumber, now: BlockNumber) -> bool {
        let Some(turn) = epoch.turn(member.slot) else { return false };
        member.active
            && member.owes <= epoch.index
            && at >= turn
            && now <= turn.saturating_add(T::HeartbeatWindow::get())
    }

    /// Returns whether the operator is silent and can return with a heartbeat that names block
    /// `at`.
    fn comes_back(member: &MemberOf<T>, at: BlockNumber, now: BlockNumber) -> bool {
        member.active && member.silent && now.saturating_sub(at) <= T::HeartbeatWindow::get()
    }

    /// Returns the hash of an earlier block; `None` if it is not kept.
    fn hash_of_block(at: BlockNumber) -> Option<H256> {
        let hash = frame_system::Pallet::<T>::block_hash(
            frame_system::pallet_prelude::BlockNumberFor::<T>::from(at),
        );
        (hash != H256::zero()).then_some(hash)
    }
}
