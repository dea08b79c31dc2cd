// SPDX-License-Identifier: Apache-2.0
//! Duties of a job that the test assigns.

use crate::{Config, Pallet, Reservations};
use assay_primitives::{
    publication::NextChunk,
    testing::spec,
    traits::{Duties, Duty, Operators as _},
    Balance, BlockNumber, EngineResult, JobId, Report, Task, Work,
};
use core::marker::PhantomData;
use frame_support::{parameter_types, weights::Weight};
use sp_runtime::{DispatchError, DispatchResult};

type AccountId = u64;

/// The stake that a duty of [`MockDuties`] reserves.
pub const JOB_BOND: Balance = 300;

parameter_types! {
    /// Jobs that are assigned, each to its operator.
    pub static Assigned: Vec<(AccountId, JobId)> = vec![];
    /// The last block after which outputs can be reported.
    pub static LastReport: BlockNumber = BlockNumber::MAX;
    /// The chunks that every operator has to publish next.
    pub static ChunksDue: Vec<NextChunk> = vec![];
}

/// Jobs to run: `Accept` reserves stake, `CommitOutput` releases it, `Decline` reserves some and
/// then fails.
pub struct MockDuties<T>(PhantomData<T>);

impl<T: Config + frame_system::Config<AccountId = AccountId>> Duties<AccountId> for MockDuties<T> {
    fn work(operator: &AccountId) -> Vec<Work> {
        let work = |job: JobId| match reserved_for::<T>(*operator, job) {
            Some(_) => Work::Generate { job, task: task() },
            None => Work::Prepare { job, task: task() },
        };
        assigned(*operator).into_iter().map(work).collect()
    }

    fn reports(operator: &AccountId, results: &[EngineResult]) -> Vec<Report> {
        let report = |result: &EngineResult| {
            let job = result.job();
            let accepted = reserved_for::<T>(*operator, job).is_some();
            match result {
                EngineResult::Ready { .. } => (!accepted).then_some(Report::Accept { job }),
                EngineResult::Generated { commitment, .. } => {
                    let in_time = Pallet::<T>::now() <= LastReport::get();
                    let report = Report::CommitOutput { job, commitment: *commitment };
                    (accepted && in_time).then_some(report)
                }
                EngineResult::Refused { reason, .. } => {
                    Some(Report::Decline { job, reason: *reason })
                }
                _ => None,
            }
        };
        results
            .iter()
            .filter(|result| assigned(*operator).contains(&result.job()))
            .filter_map(report)
            .collect()
    }

    fn chunks_due(_: &AccountId) -> Vec<NextChunk> {
        ChunksDue::get()
    }

    fn spared(report: &Report) -> Weight {
        match report {
            Report::CommitOutput { .. } => Weight::from_parts(500, 5),
            _ => Weight::zero(),
        }
    }

    fn weight_of(report: &Report) -> Option<Weight> {
        match report {
            Report::Accept { .. } => Some(Weight::from_parts(1_000, 10)),
            Report::CommitOutput { .. } => Some(Weight::from_parts(2_000, 20)),
            Report::Decline { .. } => Some(Weight::from_parts(4_000, 40)),
            _ => None,
        }
    }

    fn handle(operator: &AccountId, report: &Report) -> Option<DispatchResult> {
        match report {
            Report::Accept { job } => {
                Some(Pallet::<T>::reserve(operator, Duty::Run(*job), JOB_BOND))
            }
            Report::CommitOutput { job, .. } => {
                Pallet::<T>::release(operator, Duty::Run(*job));
                Some(Ok(()))
            }
            Report::Decline { job, .. } => Some(
                Pallet::<T>::reserve(operator, Duty::Verify(*job), JOB_BOND)
                    .and(Err(DispatchError::Other("declined"))),
            ),
            _ => None,
        }
    }
}

/// Returns the jobs that are assigned to the operator.
fn assigned(operator: AccountId) -> Vec<JobId> {
    Assigned::get().into_iter().filter(|next| next.0 == operator).map(|next| next.1).collect()
}

/// Returns what running the job reserves of the operator's stake.
pub fn reserved_for<T>(operator: AccountId, job: JobId) -> Option<Balance>
where
    T: Config + frame_system::Config<AccountId = AccountId>,
{
    Reservations::<T>::get(operator, Duty::Run(job)).map(|reservation| reservation.amount)
}

pub fn task() -> Task {
    Task::new(&JobId::zero(), &AccountId::default(), &spec())
}
