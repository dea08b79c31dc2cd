// SPDX-License-Identifier: Apache-2.0
//! The duties of verifiers, and the reports of their workers.

use crate::{
    types::{Audit, Ballot, Phase, Seat, Stage},
    Audits, Config, Error, Event, Pallet, SeatsOf, WeightInfo,
};
use alloc::vec::Vec;
use assay_primitives::{
    engine::{EngineResult, Task, Work, MAX_SEATS},
    job::JobId,
    publication::NextChunk,
    reason::{AbstainReason, VacateReason},
    report::Report,
    traits::{AuditSubject, AuditedJobs, Duties},
    verdict::{verdict_hash, Verdict},
    BlockNumber,
};
use codec::Encode;
use frame_support::{dispatch::DispatchResult, ensure, weights::Weight};
use sp_core::H256;
use sp_runtime::traits::{BlakeTwo256, Hash};

impl<T: Config> Duties<T::AccountId> for Pallet<T> {
    fn work(operator: &T::AccountId) -> Vec<Work> {
        let mut seats: Vec<_> = SeatsOf::<T>::iter_key_prefix(operator)
            .filter_map(|job| {
                let audit = Audits::<T>::get(job)?;
                // Asked for until the verdict is told, so that a node that lost it finds it again.
                let seat = seat_of(&audit, operator)?;
                let told = matches!(seat.ballot, Ballot::Revealed { .. });
                let draw = seat.draw;
                (!told).then_some((audit.phase.due(), job, draw, audit))
            })
            .collect();
        // The stake alone limits the number of seats, so those that are due first come first.
        seats.sort_by_key(|(due, job, ..)| (*due, *job));
        let check = |(_, job, draw, audit): (_, _, _, Audit<T::AccountId>)| {
            Self::check_of(job, draw, &audit)
        };
        let first = seats.into_iter().filter_map(check);
        first.take(usize::try_from(MAX_SEATS).unwrap_or(usize::MAX)).collect()
    }

    fn reports(operator: &T::AccountId, results: &[EngineResult]) -> Vec<Report> {
        results.iter().filter_map(|result| Self::report_on(operator, result)).collect()
    }

    fn chunks_due(operator: &T::AccountId) -> Vec<NextChunk> {
        Self::chunks_due(operator)
    }

    fn weight_of(report: &Report) -> Option<Weight> {
        match report {
            Report::CommitVerdict { .. } => Some(Self::commit_weight()),
            Report::RevealVerdict { .. } => Some(Self::reveal_weight()),
            Report::Vacate { .. } => {
                Some(T::WeightInfo::vacate().saturating_add(Self::dismiss_weight()))
            }
            Report::Accept { .. }
            | Report::Decline { .. }
            | Report::CommitOutput { .. }
            | Report::Heartbeat { .. } => None,
        }
    }

    fn spared(report: &Report) -> Weight {
        match report {
            Report::CommitVerdict { job, .. } => Self::spared_by_commit(job),
            Report::RevealVerdict { job, .. } => Self::spared_by_reveal(job),
            _ => Weight::zero(),
        }
    }

    fn handle(operator: &T::AccountId, report: &Report) -> Option<DispatchResult> {
        match report {
            Report::CommitVerdict { job, hash } => {
                Some(Self::do_commit_verdict(operator, job, *hash))
            }
            Report::RevealVerdict { job, verdict, salt } => {
                Some(Self::do_reveal_verdict(operator, job, *verdict, *salt))
            }
            Report::Vacate { job, reason } => Some(Self::do_vacate(operator, job, *reason)),
            Report::Accept { .. }
            | Report::Decline { .. }
            | Report::CommitOutput { .. }
            | Report::Heartbeat { .. } => None,
        }
    }
}

impl<T: Config> Pallet<T> {
    /// Returns the check that a verifier makes whose seat was drawn in that draw.
    fn check_of(job: JobId, draw: u8, audit: &Audit<T::AccountId>) -> Option<Work> {
        let AuditSubject { operator, spec, commitment, .. } = T::Jobs::subject(&job)?;
        let task = Task::new(&job, &operator, &spec);
        let left = Self::last_report(audit).saturating_sub(Self::now());
        Some(Work::Verify { job, task, commitment, round: draw, left })
    }

    /// The last block after which a report can still be in time: it stands in the next at the
    /// earliest.
    fn last_report(audit: &Audit<T::AccountId>) -> BlockNumber {
        audit.phase.due().saturating_sub(2)
    }

    /// Returns what the operator can report given that result: nothing if it has no seat, has reported it,
    /// the report could not be in time any more, the result is of another commitment or for another
    /// draw, or the finding is not what it committed to. A verifier that does not hold the model, or
    /// has no room for the check, vacates its seat.
    fn report_on(operator: &T::AccountId, result: &EngineResult) -> Option<Report> {
        let EngineResult::Verified { job, verdict, salt, work } = result else { return None };
        let audit = Audits::<T>::get(job)?;
        let seat = seat_of(&audit, operator)?;
        let late = Self::now() > Self::last_report(&audit);
        if late || Self::check_of(*job, seat.draw, &audit)?.id() != *work {
            return None;
        }
        let salt = round_salt(salt, seat.draw, operator);
        let hash_of = |verdict: &Verdict| verdict_hash(job, seat.draw, operator, verdict, &salt);
        match (audit.phase, seat.ballot) {
            (Phase::Committing { .. }, Ballot::Awaited) => {
                Some(match vacating(audit.stage, verdict) {
                    Some(reason) => Report::Vacate { job: *job, reason },
                    None => Report::CommitVerdict { job: *job, hash: hash_of(verdict) },
                })
            }
            (Phase::Revealing { .. }, Ballot::Committed { hash }) => {
                // A node that has lost its finding may fetch the second time what it could not fetch
                // the first time.
                let unavailable = Verdict::Abstain(AbstainReason::PayloadUnavailable);
                let told =
                    [*verdict, unavailable].into_iter().find(|told| hash_of(told) == hash)?;
                Some(Report::RevealVerdict { job: *job, verdict: told, salt })
            }
            _ => None,
        }
    }

    fn do_commit_verdict(operator: &T::AccountId, job: &JobId, hash: H256) -> DispatchResult {
        let mut audit = Audits::<T>::get(job).ok_or(Error::<T>::AuditNotFound)?;
        let Phase::Committing { until } = audit.phase else {
            return Err(Error::<T>::NotCommitting.into());
        };
        let seat = audit.seats.iter_mut().find(|seat| seat.verifier == *operator);
        let seat = seat.ok_or(Error::<T>::NotOnCommittee)?;
        ensure!(Self::now() <= until, Error::<T>::DeadlineOver);
        ensure!(seat.ballot == Ballot::Awaited, Error::<T>::AlreadyCommitted);
        seat.ballot = Ballot::Committed { hash };
        Self::deposit_event(Event::VerdictCommitted { job: *job, verifier: operator.clone() });
        Self::go_on(job, audit);
        Ok(())
    }

    /// Gives a seat up before the verifier has committed to anything, which costs nothing.
    fn do_vacate(operator: &T::AccountId, job: &JobId, reason: VacateReason) -> DispatchResult {
        let mut audit = Audits::<T>::get(job).ok_or(Error::<T>::AuditNotFound)?;
        let Phase::Committing { until } = audit.phase else {
            return Err(Error::<T>::NotCommitting.into());
        };
        let seat = audit.seats.iter().position(|seat| seat.verifier == *operator);
        let seat = seat.ok_or(Error::<T>::NotOnCommittee)?;
        ensure!(Self::now() <= until, Error::<T>::DeadlineOver);
        let awaited = audit.seats.get(seat).is_some_and(|seat| seat.ballot == Ballot::Awaited);
        ensure!(awaited, Error::<T>::AlreadyCommitted);
        let seat = audit.seats.remove(seat);
        Self::leave(job, &mut audit, seat.verifier);
        Self::deposit_event(Event::SeatVacated { job: *job, verifier: operator.clone(), reason });
        Self::go_on(job, audit);
        Ok(())
    }

    /// Stores the audit, or closes the commits if none is awaited any more.
    fn go_on(job: &JobId, audit: Audit<T::AccountId>) {
        if audit.seats.iter().all(|seat| seat.ballot != Ballot::Awaited) {
            Self::close_commits(job, audit);
        } else {
            Audits::<T>::insert(job, audit);
        }
    }

    fn do_reveal_verdict(
        operator: &T::AccountId,
        job: &JobId,
        verdict: Verdict,
        salt: H256,
    ) -> DispatchResult {
        let mut audit = Audits::<T>::get(job).ok_or(Error::<T>::AuditNotFound)?;
        let Phase::Revealing { until } = audit.phase else {
            return Err(Error::<T>::NotRevealing.into());
        };
        let stage = audit.stage;
        let seat = audit.seats.iter_mut().find(|seat| seat.verifier == *operator);
        let seat = seat.ok_or(Error::<T>::NotOnCommittee)?;
        ensure!(Self::now() <= until, Error::<T>::DeadlineOver);
        // Whoever has a seat in this phase has committed.
        let Ballot::Committed { hash } = seat.ballot else {
            return Err(Error::<T>::AlreadyRevealed.into());
        };
        let told = verdict_hash(job, seat.draw, operator, &verdict, &salt);
        ensure!(told == hash, Error::<T>::HashMismatch);
        ensure!(vacating(stage, &verdict).is_none(), Error::<T>::NotABallot);
        if let Verdict::Accept { digest_root } = &verdict {
            let subject = T::Jobs::subject(job).ok_or(Error::<T>::AuditNotFound)?;
            let named = BlakeTwo256::hash(digest_root.as_bytes());
            ensure!(named == subject.commitment.digest_commitment, Error::<T>::DigestMismatch);
        }
        seat.ballot = Ballot::Revealed { verdict };
        let verifier = operator.clone();
        Self::deposit_event(Event::VerdictRevealed { job: *job, verifier, verdict });
        if audit.seats.iter().all(|seat| matches!(seat.ballot, Ballot::Revealed { .. })) {
            Self::tally(job, audit);
        } else {
            Audits::<T>::insert(job, audit);
        }
        Ok(())
    }
}

/// The seat of the operator on the panel.
fn seat_of<'a, AccountId: PartialEq>(
    audit: &'a Audit<AccountId>,
    operator: &AccountId,
) -> Option<&'a Seat<AccountId>> {
    audit.seats.iter().find(|seat| seat.verifier == *operator)
}

/// The reason for which a verifier with that finding vacates its seat; `None` if the finding is a
/// ballot. What is published on the chain is unavailable to nobody that can read its state.
fn vacating(stage: Stage, verdict: &Verdict) -> Option<VacateReason> {
    let published = stage == Stage::Published;
    match verdict {
        Verdict::Abstain(AbstainReason::ModelMissing) => Some(VacateReason::ModelMissing),
        Verdict::Abstain(AbstainReason::Resource) => Some(VacateReason::Resource),
        Verdict::Abstain(AbstainReason::PayloadUnavailable) => {
            published.then_some(VacateReason::Resource)
        }
        Verdict::Accept { .. } | Verdict::Reject { .. } => None,
    }
}

/// `blake2_256("assay/salt/1", salt, verifier, round)`: a salt for one draw out of the node's secret
/// for the job, so that what one round reveals says nothing of the next.
pub(crate) fn round_salt<AccountId: Encode>(salt: &H256, round: u8, verifier: &AccountId) -> H256 {
    BlakeTwo256::hash_of(&(b"assay/salt/1", salt, verifier, round))
}
