// SPDX-License-Identifier: Apache-2.0
//! The weight of one whole job.

use super::market::WorkerDuties;
use crate::{AccountId, Runtime};
use assay_primitives::{traits::Duties, FinishReason, JobId, OutputCommitment, Report};
use frame_support::{traits::Get, weights::Weight};
use sp_core::H256;

/// Returns the weight of a job that is created, accepted, delivered, audited by three and paid: its
/// extrinsics, each report in an extrinsic of its own, with the base weight of an extrinsic, and
/// the work of the chain between them. The weight that a report does not need returns to the block.
pub fn lifecycle_weight() -> Weight {
    use pallet_jobs::WeightInfo as Jobs;
    use pallet_operators::WeightInfo as Operators;
    use pallet_verification::WeightInfo as Verification;
    type JobsWeight = <Runtime as pallet_jobs::Config>::WeightInfo;
    type OperatorsWeight = <Runtime as pallet_operators::Config>::WeightInfo;
    type VerificationWeight = <Runtime as pallet_verification::Config>::WeightInfo;

    let job = JobId::zero();
    let commitment = OutputCommitment {
        output_hash: H256::zero(),
        digest_commitment: H256::zero(),
        tokens: 0,
        finish: FinishReason::Length,
    };
    let weight_of = |report: &Report| {
        <WorkerDuties as Duties<AccountId>>::weight_of(report).unwrap_or_default()
    };
    let verifiers = <Runtime as pallet_verification::Config>::CommitteeSize::get();
    let jurors = <Runtime as pallet_verification::Config>::JurySize::get();
    let reports = [
        weight_of(&Report::Accept { job }),
        weight_of(&Report::CommitOutput { job, commitment }),
        crate::Verification::commit_weight_before_others(),
        crate::Verification::commit_weight_before_others(),
        crate::Verification::commit_weight_before_others(),
        crate::Verification::reveal_weight_before_others(),
        crate::Verification::reveal_weight_before_others(),
        crate::Verification::last_reveal_weight(verifiers),
    ];
    let base = super::BlockWeights::get()
        .get(frame_support::dispatch::DispatchClass::Normal)
        .base_extrinsic;
    let reported = reports.into_iter().fold(Weight::zero(), |sum, weight| {
        sum.saturating_add(base).saturating_add(OperatorsWeight::report(1)).saturating_add(weight)
    });
    // A job's share in a block in which the most jobs are assigned at once.
    let together = <Runtime as pallet_jobs::Config>::MaxFirstTriesPerBlock::get();
    let assignment = JobsWeight::on_initialize(together)
        .div(together.into())
        .saturating_add(crate::Jobs::draw_weight());
    base.saturating_add(JobsWeight::create())
        .saturating_add(assignment)
        .saturating_add(VerificationWeight::draw())
        .saturating_add(crate::Verification::draw_weight_of(verifiers))
        .saturating_add(crate::Verification::dismiss_weight_of(verifiers))
        // The draw of a second look, which few outputs have.
        .saturating_add(VerificationWeight::draw())
        .saturating_add(crate::Verification::draw_weight_of(jurors))
        .saturating_add(crate::Verification::dismiss_weight_of(verifiers.saturating_add(jurors)))
        .saturating_add(reported)
        // The job is settled, and pruned later.
        .saturating_add(JobsWeight::work_off_deadline().saturating_mul(2))
}

/// Returns the number of whole jobs that fit in a block, by weight.
pub fn lifecycles_per_block() -> u64 {
    let limit = super::BlockWeights::get()
        .get(frame_support::dispatch::DispatchClass::Normal)
        .max_total
        .unwrap_or_default();
    limit.checked_div_per_component(&lifecycle_weight()).unwrap_or(0)
}
